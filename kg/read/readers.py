"""Chooses the reader of a source, by media type or suffix, and reads with it: what fails becomes a problem."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path, PurePath
from urllib.parse import urlsplit

from kg.errors import UnreadableDocument
from kg.model import Document, Problem, Source
from kg.plugins import Reader, list_plugins
from kg.read.content import as_problem, document_id, looks_like
from kg.settings import Settings

__all__ = ["Item", "Readers", "expected_ids", "most_bytes", "streams", "unknown_type"]

Item = Document | Problem

_PACKED = (".gz", ".bz2", ".xz", ".zst")
_UNREAD = ("binary", "damaged", "encoding")


class Readers:
    """Every reader that is installed, loaded when the first source asks for one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def all(self) -> list[Reader]:
        """The readers by the names of their plug-ins."""
        return [plugin.make(self._settings) for plugin in list_plugins(["readers"])]

    def by_name(self, name: str) -> Reader | None:
        """The reader with the longest suffix that a file's name ends in; of a packed file (``.gz``) the content must have one too."""
        lower = name.lower()
        fitting = [(len(suffix), suffix, reader) for reader in self.all for suffix in reader.suffixes if lower.endswith(suffix)]
        if not fitting:
            return None
        _, suffix, reader = max(fitting, key=lambda fit: fit[0])
        return reader if suffix not in _PACKED or self.by_name(name[: -len(suffix)]) else None

    def by_type(self, media_type: str | None) -> Reader | None:
        """The reader that a media type belongs to."""
        return next((reader for reader in self.all if media_type in reader.media_types), None)

    def of(self, source: Source) -> Reader | None:
        """The reader of a source: by its media type, else by the suffix of its origin."""
        path = urlsplit(source.origin).path if source.origin.startswith(("http://", "https://")) else source.origin
        return self.by_type(source.media_type) or self.by_name(PurePath(path).name)

    def items(self, reader: Reader | None, source: Source) -> Iterator[Item]:
        """What a reader makes of a source; errors become problems, and a name that belies the content is told."""
        try:
            if reader is None:
                raise unknown_type()
            if not streams(reader) and source.path is not None:
                source = replace(source, content=_loaded(reader, source), path=None)
            for item in reader(source):
                yield self._dated(item, source)
        except UnreadableDocument as error:
            yield as_problem(source, _named_wrongly(error, source))
        except OSError as error:
            yield as_problem(source, _unreadable(error))

    def _dated(self, item: Item, source: Source) -> Item:
        """The document, or a problem where its date has not come yet: its clock is wrong, or the date is of something else."""
        if isinstance(item, Problem) or item.published is None or item.published <= self._latest[: len(item.published)]:
            return item
        message = f"is dated {item.published}, which is yet to come"
        hint = "mend its date, or raise KG_FUTURE_DAYS"
        return as_problem(source, UnreadableDocument(message, category="future-date", hint=hint), id=item.id)

    @cached_property
    def _latest(self) -> str:
        try:
            return (datetime.now(UTC).date() + timedelta(days=self._settings.future_days)).isoformat()
        except OverflowError:
            return date.max.isoformat()


def streams(reader: Reader) -> bool:
    """Whether a reader opens its source itself."""
    return bool(getattr(reader, "streams", False))


def expected_ids(reader: Reader, source: Source) -> Iterator[str] | None:
    """The ids of what a reader will give, where it can tell without reading; None where it can't."""
    if getattr(reader, "one_each", False):
        return iter((document_id(source, reader.suffixes),))
    tell = getattr(reader, "ids", None)
    return tell(source) if tell else None


def unknown_type() -> UnreadableDocument:
    """The error for what no reader is for."""
    return UnreadableDocument("is of a type that no reader knows", category="unknown-type", hint="`kg plugins` lists readers")


def most_bytes(reader: Reader | None) -> int:
    """The largest source that a reader takes; one that streams takes any."""
    return 2**62 if reader is not None and streams(reader) else int(getattr(reader, "most_bytes", 2**30))


def _loaded(reader: Reader, source: Source) -> bytes:
    most = most_bytes(reader)
    if source.size > most:
        raise UnreadableDocument(f"has more than {most:,} bytes", category="too-long", hint="split it, or raise KG_DOCUMENT_CHARACTERS")
    return Path(source.path or "").read_bytes()


def _unreadable(error: OSError) -> UnreadableDocument:
    reason = error.strerror or type(error).__name__
    return UnreadableDocument(f"can't be read: {reason}", category="unreadable", hint="check its permissions")


def _named_wrongly(error: UnreadableDocument, source: Source) -> UnreadableDocument:
    """The error, which says what the content looks like where the name says something else."""
    if error.category not in _UNREAD:
        return error
    try:
        with source.open() as stream:
            found = looks_like(stream.read(1024))
    except OSError:
        return error
    if found is None or PurePath(source.origin).name.lower().endswith(found):
        return error
    if found == ".zip" and PurePath(source.origin).suffix.lower() in {".docx", ".epub", ".wacz"}:
        return error
    return UnreadableDocument(error.message, category=error.category, hint=f"by its content it is a {found} file: rename it")
