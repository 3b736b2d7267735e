"""Archives: ids of members, nesting, and what is wrong with hostile ones."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from kg.model import Document, Problem
from kg.read import read_paths
from kg.settings import Settings

Read = Callable[..., tuple[dict[str, Document], list[Problem]]]


def tar(members: Mapping[str, bytes], mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def told(problems: list[Problem]) -> list[tuple[str, str]]:
    assert all("\n" not in problem.message for problem in problems)
    return sorted((problem.document_id, problem.category) for problem in problems)


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz", "x.tgz", "x.tar.bz2", "x.tar.xz"])
def test_members_are_called_as_their_paths(tmp_path: Path, read: Read, make: Any, name: str, sentence: str) -> None:
    """Members go to the readers of their types; hidden ones are passed over, unknown ones counted."""
    members = {
        "news/a.txt": sentence.encode(),
        "news/b.jsonl": f'{{"id": "b-1", "text": "{sentence}"}}\n{{"text": "Two"}}\n'.encode(),
        "c.pdf": make.pdf([sentence]),
        ".hidden.txt": b"no",
        "__MACOSX/._a.txt": b"no",
        "logo.png": b"\x89PNG",
    }
    content = make.zip(members) if name == "x.zip" else tar(members, f"w:{name.split('.')[-1].replace('tgz', 'gz').replace('tar', '')}")
    (tmp_path / name).write_bytes(content)
    reading = read_paths([str(tmp_path / name)], Settings())
    documents = [item.id for item in reading if isinstance(item, Document)]
    assert sorted(documents) == ["b-1", "c.pdf", "news/a.txt", "news/b.jsonl:2"]
    assert (reading.total, reading.ignored) == (4, 1)


def test_archives_in_archives(tmp_path: Path, read: Read, make: Any, sentence: str) -> None:
    """An archive in an archive is read, and its members are called as their whole paths; too deep a nest is a problem."""
    inner = make.zip({"a.txt": sentence, "b.txt.gz": gzip.compress(b"Packed.")})
    (tmp_path / "x.zip").write_bytes(make.zip({"in/inner.zip": inner, "t.tar.bz2": bz2.compress(tar({"a.txt": b"Other."}))}))
    documents, problems = read(tmp_path / "x.zip")
    assert {id: document.body.content for id, document in documents.items()} == {
        "in/inner.zip/a.txt": sentence,
        "in/inner.zip/b.txt": "Packed.",
        "t.tar.bz2/a.txt": "Other.",
    }
    assert not problems
    nest = make.zip({"a.txt": sentence})
    for _ in range(8):
        nest = make.zip({"n.zip": nest, "beside.txt": "Beside."})
    (tmp_path / "nest.zip").write_bytes(nest)
    documents, [deep] = read(tmp_path / "nest.zip")
    assert deep.category == "archive-bomb"
    assert "beside.txt" in documents


def test_bombs(tmp_path: Path, read: Read, make: Any) -> None:
    """What unpacks to far more than its size is a problem of its own name; what stands beside it is read, in little memory."""
    bomb = make.zip({"a.txt": "Good.", "bomb.txt": bytes(2**27), "inner.zip": make.zip({"z.txt": bytes(2**26)}), "z.txt": "Good too."})
    (tmp_path / "x.zip").write_bytes(bomb)
    (tmp_path / "y.txt.gz").write_bytes(gzip.compress(bytes(2**26)))
    (tmp_path / "l.jsonl.gz").write_bytes(gzip.compress(b'{"text": "First."}\n' + b" " * 2**26))
    tracemalloc.start()
    documents, problems = read(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert set(documents) == {"a.txt", "z.txt", "l:1"}
    assert {id for id, category in told(problems) if category in {"archive-bomb", "too-long"}} == {
        "bomb.txt",
        "inner.zip/z.txt",
        "y.txt",
        "l.jsonl",
    }
    assert peak < 2**26


def test_absolute_bound(tmp_path: Path, read: Read, make: Any) -> None:
    """The setting archive_bytes bounds what one file may unpack to, however it is packed."""
    (tmp_path / "x.zip").write_bytes(make.zip({f"{number}.txt": os.urandom(500).hex() for number in range(9)}))
    documents, problems = read(tmp_path / "x.zip", settings=Settings().replace(archive_bytes=5000))
    assert set(documents) == {f"{number}.txt" for number in range(5)}
    assert {problem.category for problem in problems} == {"archive-bomb"}


@pytest.mark.parametrize("path", ["../out.txt", "a/../../out.txt", "/etc/out.txt", "C:/out.txt", "..\\out.txt"])
def test_paths_that_lead_out(tmp_path: Path, read: Read, make: Any, path: str) -> None:
    """A member whose path leads out of its archive is a problem, and nothing is written anywhere."""
    (tmp_path / "x.zip").write_bytes(make.zip({path: "Out.", "in.txt": "In."}))
    (tmp_path / "y.tar").write_bytes(tar({path.replace("\\", "/"): b"Out.", "in2.txt": b"In 2."}))
    before = sorted(tmp_path.rglob("*"))
    documents, problems = read(tmp_path)
    assert set(documents) == {"in.txt", "in2.txt"}
    assert [problem.category for problem in problems] == ["unsafe-path"] * 2
    assert sorted(tmp_path.rglob("*")) == before


def test_links_and_devices_in_archives(tmp_path: Path, read: Read) -> None:
    """Links and devices are passed over: nothing outside is read by them."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, kind in (("link.txt", tarfile.SYMTYPE), ("hard.txt", tarfile.LNKTYPE), ("fifo.txt", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/hostname"
            archive.addfile(info)
        info = tarfile.TarInfo("a.txt")
        info.size = 5
        archive.addfile(info, io.BytesIO(b"Good."))
    (tmp_path / "x.tar").write_bytes(out.getvalue())
    documents, problems = read(tmp_path / "x.tar")
    assert (set(documents), problems) == ({"a.txt"}, [])


def test_encrypted_and_damaged_members(tmp_path: Path, read: Read, make: Any, sentence: str) -> None:
    """A member with a password, one whose bytes were changed, and an archive that breaks off are problems; the rest is read."""
    content = bytearray(make.zip({"locked.txt": sentence, "broken.txt": sentence, "good.txt": sentence}, zipfile.ZIP_STORED))
    entry = content.index(b"PK\x01\x02")
    content[entry + 8] |= 1
    second = content.index(sentence.encode(), content.index(b"broken.txt"))
    content[second] ^= 1
    (tmp_path / "x.zip").write_bytes(content)
    documents, problems = read(tmp_path / "x.zip")
    assert set(documents) == {"good.txt"}
    assert told(problems) == [("broken.txt", "damaged"), ("locked.txt", "encrypted")]
    (tmp_path / "cut.zip").write_bytes(content[:200])
    assert told(read(tmp_path / "cut.zip")[1]) == [("cut", "damaged")]
    (tmp_path / "cut.tar.gz").write_bytes(gzip.compress(tar({"a.txt": os.urandom(9999).hex().encode()}))[:-3000])
    assert told(read(tmp_path / "cut.tar.gz")[1])[0][1] == "damaged"


def test_repeated_members(tmp_path: Path, read: Read, make: Any) -> None:
    """Two members of one path and other content, in one archive or two, are problems for both."""
    (tmp_path / "x.zip").write_bytes(make.zip({"a.txt": "One.", "b.txt": "Same."}))
    (tmp_path / "y.zip").write_bytes(make.zip({"a.txt": "Two.", "b.txt": "Same."}))
    documents, problems = read(tmp_path)
    assert set(documents) == {"b.txt"}
    assert told(problems) == [("a.txt", "duplicate-id")] * 2


def test_long_lines_take_little_memory(tmp_path: Path, read: Read) -> None:
    """A line far longer than a text may be is a problem by itself, in bounded memory; the lines beside it are read."""
    chosen = Settings().replace(document_characters=10_000)
    with (tmp_path / "l.jsonl").open("wb") as file:
        file.write(b'{"id": "first", "text": "One."}\n{"id": "long", "text": "' + b"a" * 9999)
        file.seek(2**27, os.SEEK_CUR)  # a hole: nothing is written
        file.write(b'"}\n{"id": "last", "text": "Two."}\n')
    for name in ("t.txt", "p.html", "c.csv"):
        with (tmp_path / name).open("wb") as file:
            file.write(b"id,text\n1," + b"a" * 99_999)
            file.seek(2**27, os.SEEK_CUR)
            file.write(b".\n")
    tracemalloc.start()
    documents, problems = read(tmp_path, settings=chosen)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert set(documents) == {"first", "last"}
    assert told(problems) == [("c", "too-long"), ("l:2", "too-long"), ("p", "too-long"), ("t", "too-long")]
    assert peak < 2**25


def test_memory_stays_flat(tmp_path: Path, make: Any) -> None:
    """Reading four times as many records takes no more memory: one is held at a time."""
    peaks = []
    for count in (200, 800):
        text = "Velmont makes bags. " * 500
        (tmp_path / "a.jsonl").write_text("".join(f'{{"id": "{number}", "text": "{text}"}}\n' for number in range(count)))
        (tmp_path / "a.zip").write_bytes(make.zip({f"{number}.txt": f"{text}{number}" for number in range(count)}))
        pages = ((f"https://a.example/{number}", f"{text}{number}") for number in range(count))
        (tmp_path / "a.wet.gz").write_bytes(make.warc(*pages, kind="conversion", media="text/plain", packed=True))
        tracemalloc.start()
        reading = read_paths([str(tmp_path)], Settings())
        assert sum(isinstance(item, Document) for item in reading) == 3 * count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 2**21


def test_dates_to_come(tmp_path: Path, read: Read) -> None:
    """A document whose clock is wrong is a problem; the setting says how far off a date may be."""
    (tmp_path / "a.txt").write_text("date 2999-01-01 Velmont makes bags.")
    (tmp_path / "b.txt").write_text("date 2024-01-24 Velmont makes bags.")
    documents, problems = read(tmp_path)
    assert (set(documents), told(problems)) == ({"b"}, [("a", "future-date")])
    assert set(read(tmp_path, settings=Settings().replace(future_days=400_000))[0]) == {"a", "b"}


def test_names_that_belie_the_content(tmp_path: Path, read: Read, make: Any, sentence: str) -> None:
    """A wrong suffix is told with the right one."""
    (tmp_path / "a.txt").write_bytes(make.pdf([sentence]) + bytes(9))
    (tmp_path / "b.pdf").write_bytes(make.zip({"a.txt": sentence}))
    _, problems = read(tmp_path)
    assert [problem.document_id for problem in problems] == ["a", "b"]
    assert ".pdf file: rename it" in problems[0].message
    assert ".zip file: rename it" in problems[1].message
