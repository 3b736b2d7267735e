"""What every reader of the registry promises; whoever registers a reader inherits these tests."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import UnreadableDocument
from kg.model import Document, Problem, Source
from kg.plugins import Reader, list_plugins, load_plugin
from kg.settings import Settings

NAMES = [plugin.name for plugin in list_plugins(["readers"])]
DATA = Path(__file__).parents[1] / "data" / "read"

pytestmark = pytest.mark.parametrize("name", NAMES)


@pytest.fixture
def reader(name: str) -> Reader:
    return load(name)


def load(name: str) -> Reader:
    return load_plugin("readers", name, Settings())


def items(reader: Reader, source: Source) -> list[Document | Problem] | UnreadableDocument:
    try:
        return list(reader(source))
    except UnreadableDocument as error:
        return error


def own_files(reader: Reader, files: list[Path]) -> list[Path]:
    return [path for path in files if path.name.endswith(reader.suffixes)]


def test_shipped_readers_are_registered(name: str) -> None:
    """The shipped readers come in through entry points."""
    assert {"archive", "epub", "feeds", "jsonlines", "mail", "pdf", "plaintext", "tables", "warc", "webpage", "word"} <= set(NAMES)


def test_says_what_is_its_own(reader: Reader) -> None:
    """A reader has suffixes, in lower case and with a dot, and media types."""
    assert isinstance(reader, Reader)
    assert reader.suffixes
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in reader.suffixes)
    assert reader.media_types
    assert all("/" in media_type for media_type in reader.media_types)


def test_same_bytes_same_documents(reader: Reader, files: list[Path]) -> None:
    """Reading twice, by the same or another instance, gives the same digests."""
    other = load_plugin("readers", next(name for name in NAMES if isinstance(load(name), type(reader))), Settings())
    for path in own_files(reader, files):
        source = Source(str(path), path.read_bytes())
        assert str(items(reader, source)) == str(items(reader, source)) == str(items(other, source))


def test_place_of_a_file_does_not_matter(reader: Reader, files: list[Path]) -> None:
    """Documents do not depend on the folder that a file lies in."""
    for path in own_files(reader, files):
        here = items(reader, Source(str(path), path.read_bytes()))
        there = items(reader, Source(f"elsewhere/{path.name}", path.read_bytes()))
        if isinstance(here, list):
            assert isinstance(there, list)
            assert [item for item in here if isinstance(item, Document)] == [item for item in there if isinstance(item, Document)]


def test_has_an_example(reader: Reader, files: list[Path]) -> None:
    """The test data hold a file that the reader makes a document of."""
    found = [items(reader, Source(str(path), path.read_bytes())) for path in own_files(reader, files)]
    assert any(isinstance(item, Document) for made in found if isinstance(made, list) for item in made)


def test_metadata_end_lies_in_the_text(reader: Reader, files: list[Path]) -> None:
    """Leading metadata ends within the text, and something is left to be said."""
    for path in own_files(reader, files):
        made = items(reader, Source(str(path), path.read_bytes()))
        for document in made if isinstance(made, list) else []:
            if isinstance(document, Document):
                assert 0 <= document.body.metadata_end < len(document.body.content)
                assert document.body.content[document.body.metadata_end :].strip()


def test_given_id_is_kept(reader: Reader, files: list[Path]) -> None:
    """A source that says its id gives a document of that id, or says that it holds many."""
    for path in own_files(reader, files):
        made = items(reader, Source(str(path), path.read_bytes(), "asked for"))
        if isinstance(made, list):
            assert {item.id for item in made if isinstance(item, Document)} <= {"asked for"}
        else:
            assert made.category != "damaged"


@pytest.mark.parametrize("content", [b"", b" \n\t\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_nothing_is_told(reader: Reader, content: bytes) -> None:
    """A source without text is an error with a category and a hint, on one line."""
    error = items(reader, Source(f"x{reader.suffixes[0]}", content))
    assert isinstance(error, UnreadableDocument)
    assert error.category in {"empty", "no-text"}
    assert error.hint
    assert "\n" not in str(error)


@pytest.mark.parametrize("file", ["not-text.txt"])
def test_binary_is_told(reader: Reader, file: str) -> None:
    """Bytes that are no text are an error that says so."""
    error = items(reader, Source(f"x{reader.suffixes[0]}", (DATA / file).read_bytes()))
    assert isinstance(error, UnreadableDocument)
    assert error.category in {"binary", "damaged"}


def test_no_network(reader: Reader, files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading opens no socket."""

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for path in own_files(reader, files):
        items(reader, Source(str(path), path.read_bytes()))


FRAGMENTS = st.sampled_from(
    [
        *(b"<html>", b"<body>", b"<p>", b"</p>", b"<div itemscope itemprop='author'>", b"<time datetime='2024-01-02' pubdate>", b"<!--"),
        *(
            b'<script type="application/ld+json">',
            b"</script>",
            b'{"@type": "NewsArticle", "datePublished": ',
            b"<meta property='og:title' content='x'>",
        ),
        *(
            b'{"text": "',
            b'"}',
            b"\n",
            b"[",
            b"{",
            b"1e999",
            b"\\ud800",
            b"date 2024-01-24 ",
            b"---\n",
            b"title: x\n",
            b"a: &a [*a]\n",
            b"# Heading\n",
        ),
        *(
            b"\xff",
            b"\xfe",
            b"\0",
            b"\xe2\x80\xa8",
            b"\x1f\x8b\x08",
            b"&#xD800;",
            b"<!DOCTYPE html [<!ENTITY x SYSTEM 'file:///x'>]>",
            b"&x;",
            b"\xef\xbb\xbf",
        ),
        *(
            b"<?xml version='1.0' encoding='idna'?>",
            b"<meta charset='utf-16'>",
            b"<table><tr><td>",
            b"<link rel='canonical' href='http://[x'>",
        ),
    ]
)


@settings(deadline=None, max_examples=60)
@given(content=st.one_of(st.binary(max_size=200), st.lists(st.one_of(FRAGMENTS, st.binary(max_size=8)), max_size=24).map(b"".join)))
def test_any_bytes_are_documents_or_problems(name: str, content: bytes) -> None:
    """Whatever the bytes: documents that can be written down, problems, or the one kind of error; never a crash."""
    reader = load(name)
    for suffix in reader.suffixes:
        made = items(reader, Source(f"x{suffix}", content))
        for item in made if isinstance(made, list) else []:
            if isinstance(item, Document):
                "".join(
                    [item.id, *(text.content for text in item.texts), *(str(value) for value in (item.title, item.author, item.url))]
                ).encode()
            else:
                assert "\n" not in item.message
