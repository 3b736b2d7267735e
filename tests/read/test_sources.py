"""Finding what is to be read: files, folders, patterns, standard input; ids within one run."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from io import BytesIO
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import NotFound, UsageError
from kg.model import Document, Problem, Source
from kg.read import read_paths, read_source
from kg.settings import Settings

Read = Callable[..., tuple[dict[str, Document], list[Problem]]]


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_everything_in_a_folder(data: Path, read: Read) -> None:
    """A folder is read with every reader; what can't be read is told, the rest is read."""
    documents, problems = read(data)
    assert {"news-page", "velmont-letter", "agency-1", "agency:6", "packed-2", "single", "windows-1252"} <= set(documents)
    assert sorted((problem.document_id, problem.category) for problem in problems) == [
        ("agency-without-text", "broken-line"),
        ("agency:2", "broken-line"),
        ("boilerplate-only", "no-text"),
        ("not-text", "binary"),
        ("only-spaces", "empty"),
    ]
    assert all(problem.stage == "read" for problem in problems)
    assert all("\n" not in problem.message and "(" in problem.message for problem in problems)


def test_folders_are_walked_in_order(tmp_path: Path) -> None:
    """Folders are read to the bottom, sorted by name; hidden files and folders are not; unknown types are counted."""
    write(tmp_path, b_txt="B", a__z_txt="Z", a__b__c_md="C", _hidden="x", d_bin="D", e="E")
    write(tmp_path / ".git", x_txt="X")
    (tmp_path / ".secret.txt").write_text("S")
    reading = read_paths([str(tmp_path)], Settings())
    assert [item.id for item in reading if isinstance(item, Document)] == ["b", "z", "c"]
    assert (reading.total, reading.ignored) == (3, 2)
    assert [item.id for item in reading if isinstance(item, Document)] == ["b", "z", "c"]


def test_unknown_type_named_is_a_problem(tmp_path: Path, read: Read) -> None:
    """A file of unknown type is a problem where it is named, by itself or beside its folder."""
    write(tmp_path, a_txt="A", d_bin="D")
    for paths in permutations([tmp_path, tmp_path / "d.bin"]):
        reading = read_paths([str(path) for path in paths], Settings())
        [problem] = [item for item in reading if isinstance(item, Problem)]
        assert (problem.document_id, problem.category, reading.ignored, reading.total) == ("d", "unknown-type", 0, 2)


def test_patterns(tmp_path: Path, read: Read) -> None:
    """Patterns are spelled out; a file whose name looks like one is itself."""
    write(tmp_path, a_txt="A", b_txt="B", c_md="C", sub__d_txt="D")
    (tmp_path / "[x].txt").write_text("X")
    assert set(read(tmp_path / "?.txt")[0]) == {"a", "b"}
    assert set(read(tmp_path / "**" / "*.txt")[0]) == {"a", "b", "[x]", "d"}
    assert set(read(tmp_path / "*")[0]) == {"a", "b", "c", "[x]", "d"}
    assert set(read(tmp_path / "[x].txt")[0]) == {"[x]"}


def test_missing_paths_are_told_before_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that isn't there is an error at once, with near names; nothing is read."""
    write(tmp_path, article_txt="A")
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail("something was read"))
    known = str(tmp_path / "article.txt")
    with pytest.raises(NotFound, match=r"did you mean .*article\.txt") as caught:
        read_paths([known, str(tmp_path / "artcle.txt")], Settings())
    assert caught.value.exit_code == 2
    for path in (str(tmp_path / "no" / "x.txt"), str(tmp_path / "*.html"), "", "a\0b"):
        with pytest.raises(NotFound):
            read_paths([known, path], Settings())


def test_standard_input(read: Read) -> None:
    """`-` reads text; its id is `stdin`, or what is asked for."""
    documents, _ = read("-", "-", stdin=BytesIO(b"date 2024-01-24 Velmont"))
    assert documents["stdin"].published == "2024-01-24"
    assert list(read("-", stdin=BytesIO(b"Velmont"), id="letter")[0]) == ["letter"]
    [problem] = read("-", stdin=BytesIO(b""))[1]
    assert (problem.document_id, problem.category) == ("stdin", "empty")
    assert problem.message.startswith("standard input: ")


def test_standard_input_can_be_read_over(tmp_path: Path) -> None:
    """Iterating twice gives the same, standard input included."""
    write(tmp_path, stdin_txt="Velmont", a_txt="A")
    reading = read_paths([str(tmp_path), "-"], Settings(), stdin=BytesIO(b"Velmont"))
    assert list(reading) == list(reading)
    assert [item.id for item in reading if isinstance(item, Document)] == ["a", "stdin"]


def test_given_id(tmp_path: Path, read: Read) -> None:
    """--id names the document of one file, and is refused with several or when it can't be an id."""
    write(tmp_path, a_txt="A", b_txt="B")
    assert list(read(tmp_path / "a.txt", id=" first ")[0]) == ["first"]
    for paths, id in (([tmp_path], "x"), ([tmp_path / "a.txt"], " "), ([tmp_path / "a.txt"], "a\nb")):
        with pytest.raises(UsageError, match="--id"):
            read(*paths, id=id)


def test_links(tmp_path: Path, read: Read) -> None:
    """Links are followed, loops end, links to nothing are told; a link with another name is another document."""
    write(tmp_path, a__x_txt="X")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "again").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "y.txt").symlink_to("x.txt")
    (tmp_path / "a" / "gone.txt").symlink_to("nothing.txt")
    (tmp_path / "a" / "loop.txt").symlink_to("loop.txt")
    for paths in ([tmp_path], [tmp_path / "a" / "up", tmp_path], [tmp_path / "a" / "again", tmp_path / "a" / "x.txt"]):
        documents, problems = read(*paths)
        assert sorted(documents) == ["x", "y"]
        assert sorted((problem.document_id, problem.category) for problem in problems) == [("gone", "unreadable"), ("loop", "unreadable")]


def test_unreadable_files(tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system refuses is a problem; so is what is no file."""
    write(tmp_path, a_txt="A", b_txt="B")
    os.mkfifo(tmp_path / "pipe.txt")
    plain = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "b.txt":
            raise PermissionError(13, "Permission denied")
        return plain(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    documents, problems = read(tmp_path)
    assert list(documents) == ["a"]
    assert [(problem.document_id, problem.category) for problem in problems] == [("b", "unreadable"), ("pipe", "unreadable")]
    assert "Permission denied" in problems[0].message


def test_unreadable_folder(tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that can't be listed is a problem, and the others are read."""
    write(tmp_path, a__x_txt="X", b__y_txt="Y")
    plain = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("a"):
            raise PermissionError(13, "Permission denied")
        return plain(path)

    monkeypatch.setattr(os, "scandir", refuse)
    documents, [problem] = read(tmp_path)
    assert (list(documents), problem.document_id, problem.category) == (["y"], "a", "unreadable")


@pytest.mark.skipif(os.name != "posix", reason="names of files are text elsewhere")
def test_name_that_is_no_text(tmp_path: Path, read: Read) -> None:
    """A file whose name can't be written is a problem that can be printed; with --id it is read."""
    name = os.fsdecode(os.fsencode(str(tmp_path)) + b"/caf\xe9\n.txt")
    Path(name).write_text("A")
    _, [problem] = read(tmp_path)
    assert problem.category == "bad-id"
    assert "\n" not in problem.message
    (problem.message + problem.document_id).encode()
    assert list(read(name, id="cafe")[0]) == ["cafe"]


def test_same_id_and_other_text(tmp_path: Path, read: Read) -> None:
    """Neither of two documents with one id is built, in any order, and the message names --id; the same one counts once."""
    write(tmp_path, a__x_txt="One", b__x_md="Two", c__x_txt="One", d__same_txt="Same", e__same_txt="Same", other_txt="Other")
    folders = [tmp_path / name for name in "abcde"]
    told = set()
    for paths in permutations([*folders, tmp_path / "other.txt"]):
        if random.Random(str(paths)).random() > 0.05:
            continue
        documents, problems = read(*paths)
        assert sorted(documents) == ["other", "same"]
        told.add(tuple(problems))
    [problems] = told
    assert [(problem.document_id, problem.category) for problem in problems] == [("x", "duplicate-id")] * 3
    assert [Path(problem.message.split(":")[0]).parent.name for problem in problems] == ["a", "b", "c"]
    assert all("--id" in problem.message for problem in problems)


def test_same_id_in_lines_and_files(tmp_path: Path, read: Read) -> None:
    """Ids of lines meet those of files and of other lines."""
    told = [("a", "One line"), ("b", "Two"), ("b", "Three"), ("c", "C"), ("c", "C")]
    lines = "".join(f'{{"id": "{id}", "text": "{text}"}}\n' for id, text in told)
    write(tmp_path, l_jsonl=lines, a_txt="One file", l__1_txt="no clash")
    for paths in (["a.txt", "l.jsonl"], ["l.jsonl", "a.txt"], [""]):
        documents, problems = read(*(tmp_path / path for path in paths))
        assert "c" in documents
        assert not {"a", "b"} & set(documents)
        assert sorted(problem.document_id for problem in problems) == ["a", "a", "b", "b"]


def test_what_is_alone_streams(tmp_path: Path) -> None:
    """A document whose id is its own is yielded before the next file is read."""
    write(tmp_path, a_txt="A", b_txt="B")
    reading = iter(read_paths([str(tmp_path)], Settings()))
    assert next(reading).id == "a"  # type: ignore[union-attr]
    (tmp_path / "b.txt").unlink()
    assert isinstance(next(reading), Problem)


def test_file_that_changes_while_read(tmp_path: Path) -> None:
    """A document that turns up late, with an id that was yielded, is a problem."""
    write(tmp_path, a_txt="A", b_jsonl='{"id": "b", "text": "B"}')
    reading = iter(read_paths([str(tmp_path)], Settings()))
    assert next(reading).id == "a"  # type: ignore[union-attr]
    write(tmp_path, b_jsonl='{"id": "a", "text": "B"}\n{"id": "new", "text": "N"}')
    late = list(reading)
    assert [type(item) for item in late] == [Problem, Document]


def test_warnings_come_once(tmp_path: Path, read: Read, caplog: pytest.LogCaptureFixture) -> None:
    """What a reader has to say of a file that is read twice is said once."""
    text = "Solène Marchetti quitte la maison Aubrecht après six ans."
    (tmp_path / "a.jsonl").write_bytes(f'{{"text": "{text}"}}'.encode("cp1252"))
    (tmp_path / "b.txt").write_bytes(text.encode("cp1252"))
    documents, problems = read(tmp_path)
    assert len(documents) == 2
    assert not problems
    assert len(caplog.records) == 2


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y"])), max_size=8), st.randoms())
def test_order_does_not_matter(lines: list[tuple[str, str]], shuffle: random.Random) -> None:
    """The documents of a run are those whose id is always told with one text, in any order."""
    shuffled = shuffle.sample(lines, len(lines))
    expected = {id: {text for other, text in lines if other == id} for id, _ in lines}
    for order in (lines, shuffled):
        content = "".join(f'{{"id": "{id}", "text": "{text}"}}\n' for id, text in order) or " "
        made = read_content(content)
        assert {item.id for item in made if isinstance(item, Document)} == {id for id, texts in expected.items() if len(texts) == 1}
        assert {item.document_id for item in made if isinstance(item, Problem)} - {"-"} == {
            id for id, texts in expected.items() if len(texts) > 1
        }


def read_content(content: str) -> list[Document | Problem]:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = Path(folder) / "-.jsonl"
        path.write_text(content, encoding="utf-8")
        return list(read_paths([str(path)], Settings()))


def test_source_by_media_type() -> None:
    """Bytes that came with a media type are read by it; without one, by their name."""
    [page] = read_source(Source("upload", b"<p>Velmont sells bags.</p>", "a", "text/html"), Settings())
    assert isinstance(page, Document)
    assert page.body.content == "Velmont sells bags."
    [line] = read_source(Source("b.jsonl", b'{"text": "Velmont"}'), Settings())
    assert isinstance(line, Document)
    [unknown] = read_source(Source("upload.xyz", b"%XYZ", "a", "application/x-xyz"), Settings())
    assert isinstance(unknown, Problem)
    assert unknown.category == "unknown-type"
