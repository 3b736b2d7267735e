"""Reader of tables with a document a row: CSV, TSV and Parquet, whose columns the setting `columns` maps."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any, BinaryIO

from kg.errors import InvalidSetting, UnreadableDocument
from kg.model import BODY, Document, Problem, Source, Text
from kg.read.content import (
    Notes,
    as_problem,
    decode,
    document_id,
    require_content,
    require_id,
    require_no_binary,
    require_text,
    tidy,
    too_long,
)
from kg.read.metadata import leading_date, stated_by
from kg.read.unpacking import bounded_lines
from kg.settings import Settings

__all__ = ["FIELDS", "Tables", "create"]

FIELDS = ("id", "text", "title", "author", "publisher", "url", "language", "date")
"""What a column may hold."""

_NAMES = {"text": ("text", "content", "body", "article")}
_BATCH = 64
_MOST_BYTES = 4
_MOST_COLUMNS = 10_000
_SAMPLE = 2**16

Row = Mapping[str, object]


class Tables:
    """Makes a document of each row. The text column is `text`, `content`, `body` or `article` where the setting names none."""

    suffixes = (".csv", ".tsv", ".parquet")
    media_types = ("text/csv", "text/tab-separated-values", "application/vnd.apache.parquet")
    one_each = False
    streams = True

    def __init__(self, limit: int, columns: Mapping[str, str]) -> None:
        self._limit = limit
        self._columns = columns
        self._note = Notes()

    def __call__(self, source: Source) -> Iterator[Document | Problem]:
        """Yields documents, and a Problem for each row without one; raises UnreadableDocument where nothing can be read."""
        stem = document_id(source, self.suffixes)
        if source.id is not None:
            raise UnreadableDocument("holds a document a row, and --id names one", category="duplicate-id", hint="give it a column `id`")
        with source.open() as stream:
            head = stream.read(4096)
            require_content(head)
            stream.seek(0)
            parquet = head.startswith(b"PAR1") or PurePath(source.origin).suffix.lower() == ".parquet"
            rows = self._parquet(stream) if parquet else self._lines(stream, source)
            for number, row in rows:
                id = f"{stem}:{number}"
                try:
                    if isinstance(row, UnreadableDocument):
                        raise row
                    yield self._document(row, id)
                except UnreadableDocument as error:
                    told = row.get("id") if isinstance(row, Mapping) else None
                    yield as_problem(source, error, id=str(told) if told else id, place=f"row {number}")

    def _document(self, row: Row, id: str) -> Document:
        text = row.get("text")
        if not isinstance(text, str) or not text.strip():
            raise UnreadableDocument("has no text", category="empty", hint="fill in its text, or remove the row")
        require_no_binary(text)
        published, end = leading_date(text)
        require_text(text, self._limit, start=end)
        stated = stated_by({key: value for key, value in row.items() if key not in ("id", "text")})
        stated["published"] = stated["published"] or published
        own = row.get("id")
        return Document(require_id(str(own)) if own not in (None, "") else id, (Text(BODY, text, end),), **stated)

    # -- CSV -------------------------------------------------------------------------------------------------------

    def _lines(self, stream: BinaryIO, source: Source) -> Iterator[tuple[int, Row | UnreadableDocument]]:
        sample = stream.read(_SAMPLE)
        stream.seek(0)
        if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise UnreadableDocument("is UTF-16", category="encoding", hint="save it as UTF-8")
        require_no_binary(decode(sample[: sample.rfind(b"\n") + 1] or sample, source, self._note))
        csv.field_size_limit(max(csv.field_size_limit(), _MOST_BYTES * self._limit))
        rows = csv.reader(self._decoded(stream, source), delimiter=_delimiter(sample, source), strict=False)
        number, names = 0, list[str]()
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                message = f"can't be read as CSV: {error}"
                yield number, UnreadableDocument(message, category="broken-line", hint="put fields with quotes or line ends in quotes")
                continue
            if not any(row):
                continue
            if not names:
                names = self._mapped([name.strip() for name in row[:_MOST_COLUMNS]])
                continue
            number += 1
            yield number, _row(names, row)

    def _decoded(self, stream: BinaryIO, source: Source) -> Iterator[str]:
        """The lines as text; a quoted field may go over many, but no line and no field may be longer than a text."""
        for number, line in bounded_lines(stream, _MOST_BYTES * self._limit):
            if isinstance(line, int):
                raise too_long(f"line {number} has {line:,} bytes", self._limit)
            yield decode(line, source, self._note).removeprefix("\ufeff" if number == 1 else "\0").replace("\0", "\ufffd")

    def _mapped(self, names: list[str]) -> list[str]:
        """What each column holds, "" for nothing; UnreadableDocument where none is the text."""
        lower = [name.lower() for name in names]
        held = [""] * len(names)
        for field in FIELDS:
            wanted = [self._columns[field].lower()] if field in self._columns else [*_NAMES.get(field, (field,)), *_aliases(field)]
            place = next((lower.index(name) for name in wanted if name in lower), None)
            if place is not None:
                held[place] = field
            elif field in self._columns or field == "text":
                few = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
                message = f"has no column {wanted[0]!r}" + (" for the text" if field == "text" else "") + f", but {tidy(few)}"
                raise UnreadableDocument(
                    message, category="unknown-columns", hint="say which it is, as in KG_COLUMNS=text=article,id=number"
                )
        return held

    # -- Parquet ---------------------------------------------------------------------------------------------------

    def _parquet(self, stream: BinaryIO) -> Iterator[tuple[int, Row | UnreadableDocument]]:
        try:
            import pyarrow
            from pyarrow.parquet import ParquetFile
        except ImportError as error:
            message = "is Parquet, for which the package pyarrow is not installed"
            raise UnreadableDocument(message, category="unknown-type", hint="pip install 'kg[parquet]'") from error
        try:
            table: Any = ParquetFile(stream)
            held = self._mapped([str(name) for name in table.schema_arrow.names])
            chosen = {name: field for name, field in zip(table.schema_arrow.names, held, strict=True) if field}
            number = 0
            for batch in table.iter_batches(batch_size=_BATCH, columns=list(chosen)):
                for row in batch.to_pylist():
                    number += 1
                    yield number, {chosen[name]: _plain(value) for name, value in row.items()}
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            reason = " ".join(str(error).split())[:120]
            raise UnreadableDocument(f"is damaged: {reason}", category="damaged", hint="write it again") from error


def _aliases(field: str) -> tuple[str, ...]:
    return {"date": ("published",), "language": ("lang",), "publisher": ("source",), "author": ("authors",)}.get(field, ())


def _plain(value: object) -> object:
    """A value as it could stand in JSON: dates in ISO 8601."""
    as_iso = getattr(value, "isoformat", None)
    return as_iso() if as_iso else value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _row(names: list[str], row: list[str]) -> Row | UnreadableDocument:
    if len(row) > len(names):
        message = f"has {len(row)} fields, and the first line names {len(names)}"
        return UnreadableDocument(message, category="broken-line", hint="put fields that hold the separator in quotes")
    return {field: value for field, value in zip(names, row, strict=False) if field}


def _delimiter(sample: bytes, source: Source) -> str:
    """The character that separates the names of the first line most often."""
    if PurePath(source.origin).suffix.lower() == ".tsv" or source.media_type == "text/tab-separated-values":
        return "\t"
    first = io.BytesIO(sample).readline()
    return max(",;\t|", key=lambda mark: (first.count(mark.encode()), -",;\t|".index(mark)))


def _columns(setting: str) -> dict[str, str]:
    """The setting `columns` as a mapping of fields to columns; raises InvalidSetting."""
    columns = {}
    for pair in filter(None, (part.strip() for part in setting.split(","))):
        field, equals, name = (part.strip() for part in pair.partition("="))
        field = "date" if field == "published" else field
        if not equals or not name or field not in FIELDS:
            hint = f"write FIELD=COLUMN, … where FIELD is one of {', '.join(FIELDS)}"
            raise InvalidSetting(f"columns can't hold {pair!r}", hint=hint)
        columns[field] = name
    return columns


def create(settings: Settings) -> Tables:
    """The reader, as the settings in force want it."""
    return Tables(settings.document_characters, _columns(settings.columns))
