"""Building in parts: --limit, --since, --resume, and formats from the command line."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def dated(tmp_path: Path) -> Path:
    """A folder of four documents, one of them without a date, and an archive with one more."""
    folder = tmp_path / "dated"
    folder.mkdir()
    for name, date in {"a": "2023-12-31", "b": "2024-01-24", "c": "2024-02-01"}.items():
        (folder / f"{name}.txt").write_text(f"date {date}\nNothing of note happened at the quayside on day {name}.\n")
    (folder / "undated.txt").write_text("Nothing of note happened at the quayside.\n")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("z.txt", "date 2024-03-01\nNothing of note happened at the pier.\n")
    (folder / "more.zip").write_bytes(packed.getvalue())
    return folder


def stored(kg: Callable[..., Any]) -> list[str]:
    return sorted(row["doc"] for row in kg("documents", "--format", "jsonl").rows)


def test_limit_goes_on_where_it_ended(kg: Callable[..., Any], dated: Path) -> None:
    """Runs with a limit build the documents part by part: unchanged ones are not counted."""
    for count in (2, 4, 5, 5):
        answer = kg("build", "dated", "--limit", "2", "--format", "json")
        assert answer.code == 0
        assert len(stored(kg)) == count
    assert kg("build", "dated", "--limit", "0").code == 2


def test_since(kg: Callable[..., Any], dated: Path) -> None:
    """What was published before a day, or states no date, is left out and counted."""
    answer = kg("build", "dated", "--since", "2024-01", "--format", "json")
    assert (answer.code, answer.data["documents"], answer.data["left_out"]) == (0, 3, 2)
    assert stored(kg) == ["b", "c", "z.txt"]
    assert kg("build", "dated", "--since", "yesterday").code == 2
    assert "2 documents left out" in kg("build", "dated", "--since", "2024-01-24").out


def test_resume_reads_nothing_again(kg: Callable[..., Any], dated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is stored is not read again, even where it changed; what is not stored is."""
    assert kg("build", "dated", "--limit", "2").code == 0
    before = stored(kg)
    (dated / f"{before[0]}.txt").write_text("Something else.\n")
    answer = kg("build", "dated", "--resume", "--format", "json")
    assert (answer.code, answer.data["documents"]) == (0, 3)
    assert len(stored(kg)) == 5
    plain = Path.read_bytes

    def refuse(path: Path) -> bytes:
        assert path.parent.name != "dated", f"{path} was read"
        return plain(path)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", refuse)
        assert kg("build", "dated", "--resume", "--format", "json").data["documents"] == 0
    assert kg("build", "dated", "--format", "json").data["replaced"] == 1


def test_one_bad_file_of_each_kind(kg: Callable[..., Any], dated: Path) -> None:
    """Bad files are problems by their names on stderr, the rest is built, and the exit code is 1."""
    bad = {"bad.pdf": b"%PDF-1.7 no", "bad.zip": b"PK\x03\x04", "bad.docx": b"x", "bad.epub": b"x", "bad.warc": b"x", "bad.rss": b"<rss>"}
    for name, content in bad.items():
        (dated / f"{name}").write_bytes(content)
        (dated / name).rename(dated / f"{name.replace('.', '-')}.{name.split('.')[1]}")
    answer = kg("build", "dated", "--format", "json")
    assert (answer.code, answer.data["status"], answer.data["documents"]) == (1, "partial", 5)
    assert sorted(problem["document_id"] for problem in answer.data["problems"]) == sorted(name.replace(".", "-") for name in bad)
    assert all(name.replace(".", "-") in answer.err for name in bad)
