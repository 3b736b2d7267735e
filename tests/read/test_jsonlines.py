"""JSON Lines and JSON: fields, ids, broken lines, packed files."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import UnreadableDocument
from kg.model import Document, Problem, Source
from kg.read.jsonlines import create
from kg.settings import Settings


def items(content: bytes | str, name: str = "x.jsonl", id: str | None = None, settings: Settings | None = None) -> list[Document | Problem]:
    raw = content.encode() if isinstance(content, str) else content
    return list(create(settings or Settings())(Source(name, raw, id)))


def one(record: object) -> Document | Problem:
    [item] = items(json.dumps(record))
    return item


def test_fields(data: Path) -> None:
    """Every field of a line comes out; a broken line and one without text are problems with their numbers."""
    made = items((data / "agency.jsonl").read_bytes(), "agency.jsonl")
    first, broken, second, textless, third = made
    assert first == Document(
        "agency-1",
        first.texts,
        published="2024-03-11",
        title="Velmont names Okafor",
        author="Lena Brandt",
        publisher="Hem Agency",
        url="https://hem-agency.example/1",
        language="en",
    )
    assert isinstance(broken, Problem)
    assert (broken.document_id, broken.category) == ("agency:2", "broken-line")
    assert "agency.jsonl, line 2: " in broken.message
    assert isinstance(second, Document)
    assert (second.published, second.author, second.body.metadata_end) == ("2024-03", "Lena Brandt; Tomás Ríos", 15)
    assert isinstance(textless, Problem)
    assert (textless.document_id, textless.category) == ("agency-without-text", "broken-line")
    assert "line 5" in textless.message
    assert "`text`" in textless.message
    assert isinstance(third, Document)
    assert third.id == "agency:6"


def test_json_files(data: Path) -> None:
    """A JSON file holds one document, or a list of them."""
    [single] = items((data / "single.json").read_bytes(), "single.json")
    assert isinstance(single, Document)
    assert (single.id, single.published, single.publisher) == ("single", "2021-05-12", "The Daily Hem")
    assert [item.id for item in items((data / "several.json").read_bytes(), "several.json") if isinstance(item, Document)] == [
        "list-1",
        "several:2",
    ]


def test_json_lines_named_json() -> None:
    """JSON Lines in a file called .json are read as lines."""
    made = items('{"text": "a b"}\n{"text": "c d"}\n', "x.json")
    assert [item.id for item in made if isinstance(item, Document)] == ["x:1", "x:2"]


def test_broken_json_file() -> None:
    """A JSON file that is none says where it breaks."""
    with pytest.raises(UnreadableDocument, match="line 2, column 11") as caught:
        items('{\n  "text": x}', "x.json")
    assert caught.value.category == "broken-json"


def test_packed_files(data: Path) -> None:
    """A gzipped file is read under the stem without both suffixes; a damaged one is told."""
    packed = (data / "agency-packed.jsonl.gz").read_bytes()
    assert [item.id for item in items(packed, "agency-packed.jsonl.gz") if isinstance(item, Document)] == ["packed-1", "packed-2"]
    [unnamed] = items(gzip.compress(b'{"text": "a b"}'), "x.jsonl.gz")
    assert isinstance(unnamed, Document)
    assert unnamed.id == "x:1"
    for damaged in (packed[:-10], packed[:20] + b"xx" + packed[22:], b"\x1f\x8b"):
        with pytest.raises(UnreadableDocument) as caught:
            items(damaged)
        assert caught.value.category == "damaged"


@pytest.mark.parametrize(
    ("record", "category"),
    [
        ("text", "broken-line"),
        ([], "broken-line"),
        ({"text": None}, "broken-line"),
        ({"text": ""}, "empty"),
        ({"text": "date 2024-01-24 "}, "empty"),
        ({"text": "bag\0"}, "binary"),
        ({"text": "\ud800 bag"}, "encoding"),
        ({"text": "bag", "title": "\udfff"}, "encoding"),
        ({"text": "bag", "id": "\udfff"}, "encoding"),
        ({"text": "bag", "id": {"a": 1}}, "bad-id"),
        ({"text": "bag", "id": True}, "bad-id"),
        ({"text": "bag", "id": "a\nb"}, "bad-id"),
    ],
)
def test_unusable_records(record: object, category: str) -> None:
    """What can't be used is a problem of its line, told on one line."""
    problem = one(record)
    assert isinstance(problem, Problem)
    assert problem.category == category
    assert "line 1" in problem.message
    assert "\n" not in problem.message
    (problem.document_id + problem.message).encode()


@pytest.mark.parametrize(
    ("id", "expected"),
    [(7, "7"), (" a ", "a"), ("", "x:1"), (" ", "x:1"), (None, "x:1"), ("https://a.example/1?b=c", "https://a.example/1?b=c")],
)
def test_ids(id: object, expected: str) -> None:
    """The id is the field, as text, else the place."""
    assert isinstance(made := one({"id": id, "text": "Velmont"}), Document)
    assert made.id == expected


def test_lines_are_those_of_the_format() -> None:
    """Only a line feed ends a line; empty lines count but hold nothing."""
    made = items(b'\xef\xbb\xbf{"text": "a\xe2\x80\xa8b\xc2\x85c"}\r\n\r\n{"text": "d e"}')
    assert [(item.id, item.body.content) for item in made if isinstance(item, Document)] == [("x:1", "a\u2028b\x85c"), ("x:3", "d e")]


def test_hostile_lines() -> None:
    """Depth, long numbers and long lines are problems, and what follows is read."""
    settings = Settings().replace(document_characters=1000)
    lines = [
        "[" * 200_000,
        '{"text": "a", "n": ' + "9" * 10_000 + "}",
        '{"text": "' + "a" * 1001 + '"}',
        '"' + "a" * 1_200_000 + '"',
        '{"text": "good one"}',
    ]
    *broken, good = items("\n".join(lines), settings=settings)
    assert [item.category for item in broken if isinstance(item, Problem)] == ["broken-line", "broken-line", "too-long", "too-long"]
    assert isinstance(good, Document)


def test_encodings(caplog: pytest.LogCaptureFixture) -> None:
    """A byte order mark is heeded; a line that is not UTF-8 is read by itself, with a warning."""
    [made] = items('{"text": "Solène"}'.encode("utf-16"))
    assert isinstance(made, Document)
    assert made.body.content == "Solène"
    assert not caplog.records
    mixed = '{"text": "Solène Marchetti quitte la maison Aubrecht après six ans."}\n'
    made = items(mixed.encode() + mixed.encode("cp1252"))
    assert [item.body.content for item in made if isinstance(item, Document)] == [json.loads(mixed)["text"]] * 2
    assert caplog.text.count("cp1252") == 1


def test_unreadable_date_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """A date that can't be read is left out with a warning, not guessed."""
    made = one({"text": "Velmont", "date": "03/04/2024"})
    assert isinstance(made, Document)
    assert made.published is None
    assert "line 1" in caplog.text


def test_given_id_names_one_document() -> None:
    """An id for the source is that of its only document; with more it is an error."""
    [made] = items('{"id": "own", "text": "Velmont"}', id="asked")
    assert isinstance(made, Document)
    assert made.id == "asked"
    with pytest.raises(UnreadableDocument, match="--id names one"):
        items('{"text": "a b"}\n{"text": "c d"}', id="asked")


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\r\n\t"), min_size=1), st.booleans())
def test_text_is_what_the_line_says(text: str, ascii: bool) -> None:
    """The text of a line is stored as it stands."""
    [item] = items(json.dumps({"text": text}, ensure_ascii=ascii))
    if isinstance(item, Document):
        assert item.body.content == text
    else:
        assert item.category == "empty"
