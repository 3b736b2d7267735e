"""Reader of JSON Lines (one document a line, plain or gzipped) and of JSON files with one document or a list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BufferedReader, BytesIO
from itertools import islice
from pathlib import PurePath
from typing import BinaryIO

from kg.errors import UnreadableDocument
from kg.model import BODY, Document, Problem, Source, Text
from kg.read.content import BOM, Notes, as_problem, decode, document_id, require_id, require_no_binary, require_text, too_long
from kg.read.metadata import leading_date, stated_by
from kg.read.unpacking import Allowance, bounded_lines, unpack
from kg.settings import Settings

__all__ = ["JsonLines", "create"]

_GZIP = b"\x1f\x8b"
_LARGEST = 2**28  # of one JSON value, which is read as a whole
_SAMPLE = 4096
_MANY = 1000
_MOST_BYTES = 12  # a character as JSON: a pair of \uXXXX
_SHAPE = 'each document is an object like {"id": "a-1", "text": "…", "title": "…", "date": "2024-01-24"}'

Record = tuple[int, "object | UnreadableDocument"]


class JsonLines:
    """Makes a document of each line. A line that can't be read is a Problem with its number; the others are read."""

    suffixes = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz")
    media_types = ("application/jsonl", "application/x-ndjson", "application/x-jsonlines", "application/json")
    one_each = False
    streams = True

    def __init__(self, limit: int, most: int) -> None:
        self._limit = limit
        self._most = most
        self._note = Notes()

    def __call__(self, source: Source) -> Iterator[Document | Problem]:
        """Yields documents, and a Problem for each line without one; raises UnreadableDocument where nothing can be read."""
        with source.open() as stored, self._unpacked(stored, source) as stream:
            head = stream.peek(_SAMPLE)
            if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")):
                stream = BufferedReader(BytesIO(decode(self._all(stream), source, self._note).removeprefix(BOM).encode()))
                head = stream.peek(_SAMPLE)
            if b"\0" in head:
                raise UnreadableDocument("is binary, not JSON", category="binary", hint="save it as JSON Lines in UTF-8")
            stem = document_id(source, self.suffixes)
            whole = source.media_type == "application/json" or PurePath(source.origin).suffix.lower() == ".json"
            alone, unit, records = self._whole(stream, source) if whole else (False, "line", self._lines(stream, source))
            if source.id is not None:
                yield self._only(list(islice(records, _MANY)), source, unit)
                return
            number = 0
            for number, record in records:
                yield self._item(record, stem if alone else f"{stem}:{number}", source, "" if alone else f"{unit} {number}")
            if not number:
                raise UnreadableDocument("has no documents", category="empty", hint=_SHAPE)

    def ids(self, source: Source) -> Iterator[str]:
        """The ids of the documents, by their fields `id`."""
        stem = document_id(source, self.suffixes)
        if source.id is not None or PurePath(source.origin).suffix.lower() == ".json":
            yield from (getattr(item, "id", "") for item in self(source))
            return
        with source.open() as stored, self._unpacked(stored, source) as stream:
            for number, record in self._lines(stream, source):
                own = record.get("id") if isinstance(record, dict) else None
                told = str(own).strip() if isinstance(own, str | int) and not isinstance(own, bool) else ""
                yield (told or f"{stem}:{number}") if isinstance(record, dict) else ""

    def _unpacked(self, stored: BinaryIO, source: Source) -> BufferedReader:
        plain = stored
        if stored.read(2) == _GZIP:
            stored.seek(0)
            plain = unpack(stored, ".gz", Allowance(source.size, self._most))
        else:
            stored.seek(0)
        return plain if isinstance(plain, BufferedReader) else BufferedReader(plain)  # type: ignore[arg-type]

    def _all(self, stream: BinaryIO) -> bytes:
        content = stream.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise UnreadableDocument(f"has more than {_LARGEST:,} bytes", category="too-long", hint="save it as JSON Lines in UTF-8")
        return content

    def _lines(self, stream: BinaryIO, source: Source) -> Iterator[Record]:
        for number, line in bounded_lines(stream, _MOST_BYTES * self._limit + 2**20):
            try:
                if isinstance(line, int):
                    raise too_long(f"{line:,} bytes", self._limit)
                line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if line.strip():
                    yield number, _parsed(decode(line, source, self._note), "broken-line", "mend or remove the line")
            except UnreadableDocument as error:
                yield number, error

    def _whole(self, stream: BinaryIO, source: Source) -> tuple[bool, str, Iterator[Record]]:
        """Whether the file is one document, what its parts are called, and the parts."""
        content = self._all(stream).removeprefix(b"\xef\xbb\xbf")
        if not content.strip():
            return False, "item", iter(())
        try:
            value = _parsed(decode(content, source, self._note), "broken-json", "mend it")
        except UnreadableDocument as error:
            if "Extra data" in error.message:  # JSON Lines under the name of JSON
                return False, "line", self._lines(BytesIO(content), source)
            raise
        if isinstance(value, list):
            return False, "item", iter(enumerate(value, start=1))
        return True, "item", iter([(1, value)])

    def _only(self, records: list[Record], source: Source, unit: str) -> Document | Problem:
        """The one document of a source whose id was given."""
        if len(records) != 1:
            message = f"holds {len(records)} documents, and --id names one"
            raise UnreadableDocument(message, category="duplicate-id", hint="leave --id out and give each its field `id`")
        [(number, record)] = records
        if isinstance(record, dict):
            record = {**record, "id": source.id}
        return self._item(record, source.id or "", source, f"{unit} {number}")

    def _item(self, record: object, id: str, source: Source, place: str) -> Document | Problem:
        try:
            if isinstance(record, UnreadableDocument):
                raise record
            return self._document(record, id, source, place)
        except UnreadableDocument as error:
            stated = record.get("id") if isinstance(record, dict) else None
            return as_problem(source, error, id=stated if isinstance(stated, str) and stated.strip() else id, place=place)

    def _document(self, record: object, id: str, source: Source, place: str) -> Document:
        text = record.get("text") if isinstance(record, dict) else None
        if not isinstance(record, dict) or not isinstance(text, str):
            raise UnreadableDocument("is no document: its field `text` is missing", category="broken-line", hint=_SHAPE)
        require_no_binary(text)
        published, end = leading_date(text)
        require_text(text, self._limit, start=end)
        stated = stated_by(record)
        given = record.get("published") or record.get("date")
        if given and not stated["published"]:
            self._note(source, f"{place}{': ' if place else ''}its date is left out, being no ISO date (write YYYY-MM-DD)")
        stated["published"] = stated["published"] or published
        own = record.get("id")
        if isinstance(own, int) and not isinstance(own, bool):
            own = str(own)
        if own is not None and not isinstance(own, str):
            raise UnreadableDocument("its field `id` is neither text nor a number", category="bad-id", hint=_SHAPE)
        _require_unicode(text, own, *stated.values())
        return Document(require_id(own) if own and own.strip() else id, (Text(BODY, text, end),), **stated)


def _parsed(text: str, category: str, hint: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}" if error.lineno > 1 else f"column {error.colno}"
        raise UnreadableDocument(f"is no JSON: {error.msg} at {where}", category=category, hint=hint) from error
    except (ValueError, RecursionError) as error:
        raise UnreadableDocument("holds a number too long or lists too deep", category=category, hint=hint) from error


def _require_unicode(*values: object) -> None:
    for value in values:
        try:
            str(value).encode()
        except UnicodeEncodeError as error:
            message = f"holds half a character (\\u{ord(error.object[error.start]):04x} alone)"
            raise UnreadableDocument(message, category="encoding", hint="write it again from the source") from error


def create(settings: Settings) -> JsonLines:
    """The reader, as the settings in force want it."""
    return JsonLines(settings.document_characters, settings.archive_bytes)
