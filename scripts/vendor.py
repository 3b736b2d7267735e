"""Fetches the front-end bundles and the font that kg ships, from npm, into kg/vendor/.

Each package is named with its exact version and the hash that npm publishes for its archive; `npm pack` refuses nothing by itself,
so the archive is compared with it here. Only the files named are kept, with the package's licence. The list in kg/vendor/README.md
is written anew; `tests/test_vendor.py` compares it with the files. Users need neither Node.js nor a network.

    make vendor
"""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "kg" / "vendor"


@dataclass(frozen=True, slots=True)
class Package:
    """A package of npm: what is kept of its archive, and what it is for."""

    name: str
    version: str
    integrity: str
    licence: str
    files: tuple[str, ...]
    purpose: str


PACKAGES = (
    Package(
        "dejavu-fonts-ttf",
        "2.37.3",
        "sha512-f1hd7jJbeQa1VWcw+K2KrTXS50zTMaHpVC4XIKJpNcDeYR5ajMtj/iLlQDYNvLOKamUB3ARVVCf79lNwNVztSQ==",
        "Bitstream Vera, Arev and public domain",
        ("ttf/DejaVuSansCondensed.ttf", "LICENSE"),
        "letters of the SVG and PNG pictures",
    ),
    Package(
        "graphology",
        "0.26.0",
        "sha512-8SSImzgUUYC89Z042s+0r/vMibY7GX/Emz4LDO5e7jYXhuoWfHISPFJYjpRLUSJGq6UQ6xlenvX1p/hJdfXuXg==",
        "MIT",
        ("dist/graphology.umd.min.js", "LICENSE.txt"),
        "the graph in the browser",
    ),
    Package(
        "graphology-library",
        "0.8.0",
        "sha512-mIzyL2AxUOAi+Q6pr8/xyadMCzCZ8bTZhcGYKR4gk+QIBZQqwiE1gAfCjCSqMj5q7kyBbdCVjrPHi6kAXvu0dw==",
        "MIT",
        ("dist/graphology-library.min.js", "LICENSE.txt"),
        "layout in the browser",
    ),
    Package(
        "sigma",
        "3.0.3",
        "sha512-5H0zFlx6/NTQpqBg4Rm569ZOpnBOXMaS25UQThIWMU3XyzI5AhmorK/gnl87BvJBLhQd0tW4C0LIp3enWzMoNw==",
        "MIT",
        ("dist/sigma.min.js", "LICENSE.txt"),
        "draws the graph in the browser",
    ),
)

HEAD = """# Bundles of others

Fetched from npm by `make vendor` (scripts/vendor.py), unaltered, and shipped in the wheel: nothing is loaded from another host. Each folder
holds the licence of what is in it. This list is written by the script.

| package | version | licence | file | SHA-256 | for |
|---|---|---|---|---|---|
"""


def fetch(package: Package, folder: Path) -> bytes:
    """The package's archive. Raises ValueError where it is not the one that was named."""
    command = ["npm", "pack", f"{package.name}@{package.version}", "--silent", "--pack-destination", str(folder)]
    environment = {**os.environ, "npm_config_omit_lockfile_registry_resolved": "true"}
    name = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120, env=environment).stdout.split()[-1]
    content = (folder / name).read_bytes()
    found = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
    if found != package.integrity:
        raise ValueError(f"{package.name} {package.version} is {found}")
    return content


def main() -> None:
    """Fetches all packages and writes the list."""
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for package in PACKAGES:
            fetch(package, Path(scratch))
            place = FOLDER / package.name
            place.mkdir(parents=True, exist_ok=True)
            with tarfile.open(next(Path(scratch).glob(f"{package.name}-{package.version}.tgz"))) as archive:
                for file in package.files:
                    member = archive.extractfile(f"package/{file}")
                    if member is None:
                        raise ValueError(f"{package.name} has no {file}")
                    content = member.read()
                    name = Path(file).name
                    (place / name).write_bytes(content)
                    if not name.startswith("LICENSE"):
                        digest = hashlib.sha256(content).hexdigest()
                        row = (package.name, package.version, package.licence, f"{package.name}/{name}", digest, package.purpose)
                        rows.append("| " + " | ".join(row) + " |")
    (FOLDER / "README.md").write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
