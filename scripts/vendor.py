"""Fetches the front-end bundles and the font that kg ships, from npm, into kg/vendor/.

Each package is named with its exact version and the hash that npm publishes for its archive; `npm pack` refuses nothing by itself,
so the archive is compared with it here. Only the files named are kept, with the package's licence. Packages that come as modules are
bundled by esbuild: scripts/frontend/package-lock.json pins each of them, and esbuild, with its hash. The list in kg/vendor/README.md
is written anew; `tests/test_vendor.py` compares it with the files. Users need neither Node.js nor a network.

    make vendor
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
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


@dataclass(frozen=True, slots=True)
class Bundle:
    """Packages of scripts/frontend, made into one script with one global; `files` are kept beside it as they are."""

    name: str
    version_of: str
    licence: str
    entry: str
    files: tuple[str, ...]
    purpose: str


FRONTEND = Path(__file__).parent / "frontend"
BUNDLES = (
    Bundle(
        "codemirror", "@codemirror/view", "MIT", "editor.js", (), "the editor of the query page (esbuild of scripts/frontend/editor.js)"
    ),
    Bundle(
        "oxigraph",
        "oxigraph",
        "MIT OR Apache-2.0",
        "oxigraph.js",
        ("oxigraph/web_bg.wasm",),
        "SPARQL in the browser, for static sites (esbuild of scripts/frontend/oxigraph.js)",
    ),
)
GLOBALS = {"codemirror": "CodeMirror", "oxigraph": "Oxigraph"}

HEAD = """# Bundles of others

Fetched from npm by `make vendor` (scripts/vendor.py) and shipped in the wheel: nothing is loaded from another host. Files are unaltered, save
the bundles that esbuild makes of modules. Each folder holds the licences of what is in it. This list is written by the script.

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


def make_bundles(folder: Path) -> list[str]:
    """Installs what the lock file pins in a folder, bundles it, and gives the rows of the list."""
    for name in ("package.json", "package-lock.json", *(bundle.entry for bundle in BUNDLES)):
        shutil.copy(FRONTEND / name, folder / name)
    run = {"check": True, "capture_output": True, "cwd": folder, "timeout": 300}
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], **run)
    rows = []
    for bundle in BUNDLES:
        place = FOLDER / bundle.name
        place.mkdir(parents=True, exist_ok=True)
        script = place / f"{bundle.name}.min.js"
        options = ("--bundle", "--minify", "--format=iife", "--target=es2020", "--legal-comments=none", "--log-level=error")
        command = ["node_modules/.bin/esbuild", bundle.entry, *options, f"--global-name={GLOBALS[bundle.name]}", f"--outfile={script}"]
        command += [f"--metafile={folder / 'meta.json'}", "--define:import.meta.url='\"\"'"]
        subprocess.run(command, **run)
        kept = [script]
        for file in bundle.files:
            kept.append(place / Path(file).name)
            shutil.copy(folder / "node_modules" / file, kept[-1])
        write_licences(folder, place, bundle)
        version = json.loads((folder / "node_modules" / bundle.version_of / "package.json").read_text())["version"]
        for path in kept:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            row = (bundle.name, version, bundle.licence, f"{bundle.name}/{path.name}", digest, bundle.purpose)
            rows.append("| " + " | ".join(row) + " |")
    return rows


def write_licences(folder: Path, place: Path, bundle: Bundle) -> None:
    """One file with the licence of each package whose code is in the bundle; where a package has no file, Apache-2.0 is chosen."""
    inputs = json.loads((folder / "meta.json").read_text())["inputs"]
    parts = {path.partition("node_modules/")[2] for path in inputs if "node_modules/" in path}
    names = sorted({"/".join(part.split("/")[: 2 if part.startswith("@") else 1]) for part in parts})
    texts = []
    for name in names:
        found = sorted((folder / "node_modules" / name).glob("LICENSE*"))
        version = json.loads((folder / "node_modules" / name / "package.json").read_text())["version"]
        text = found[0] if found else Path(__file__).parent.parent / "LICENSE"
        texts.append(
            f"{name} {version}{'' if found else ' (MIT OR Apache-2.0, here under Apache-2.0)'}\n\n{text.read_text(encoding='utf-8').strip()}\n"
        )
    (place / "LICENSE.txt").write_text(f"\n{'-' * 40}\n\n".join(texts), encoding="utf-8")


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
        rows += make_bundles(Path(scratch))
    (FOLDER / "README.md").write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
