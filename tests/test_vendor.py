"""What is bundled with the package is what its list says."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "kg" / "vendor"


def test_every_bundled_file_is_listed_with_its_hash_and_has_a_licence() -> None:
    rows = re.findall(r"^\| (\S+) \| \S+ \| [^|]+ \| (\S+) \| ([0-9a-f]{64}) \|", (FOLDER / "README.md").read_text(encoding="utf-8"), re.M)
    listed = {file: digest for _, file, digest in rows}
    found = {
        path.relative_to(FOLDER).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in FOLDER.glob("*/**/*")
        if path.is_file() and not path.name.startswith("LICENSE")
    }
    assert found == listed
    assert len(listed) > 3
    for package, *_ in rows:
        assert list((FOLDER / package).glob("LICENSE*")), package


def test_no_bundle_makes_code_of_text() -> None:
    """Pages forbid it by their policy."""
    for path in FOLDER.glob("*/*.js"):
        assert not re.search(r"new Function\(|\beval\(", path.read_text(encoding="utf-8")), path.name
