"""Reader of web archives (WARC, WET): every page that was answered with 200 is a document, called as its address."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, BinaryIO, cast

from kg.errors import UnreadableDocument
from kg.model import Document, Problem, Source
from kg.read.content import as_problem, document_id, require_content
from kg.read.readers import Item, Readers
from kg.read.unpacking import DAMAGE, Allowance, Unpacked
from kg.settings import Settings

__all__ = ["WebArchive", "create"]

_KINDS = ("response", "conversion", "resource")
_MARKUP = 16
_FETCHED = re.compile(r"(https?|ftp)://", re.IGNORECASE)
_WRONG = (OSError, ValueError, AttributeError, TypeError, LookupError, *DAMAGE)


class WebArchive:
    """Reads record by record, so that memory stays flat; each record's content goes to the reader of its media type.

    Other answers than 200, requests, metadata and what no reader is for (pictures, scripts) are left out and counted. An archive
    whose last record breaks off, or that is damaged in the middle, is a problem; what stands before is read.
    """

    suffixes = (".warc", ".warc.gz", ".wet", ".wet.gz")
    media_types = ("application/warc",)
    one_each = False
    streams = True

    def __init__(self, settings: Settings) -> None:
        self._limit = settings.document_characters
        self._most = settings.archive_bytes
        self._readers = Readers(settings)
        self.skip: Callable[[str], bool] = lambda id: False
        self.left_out: Counter[str] = Counter()

    def __call__(self, source: Source) -> Iterator[Item]:
        """Yields documents, and a Problem for each record without one; raises UnreadableDocument where it is no web archive."""
        if source.id is not None:
            message = "holds a document a record, and --id names one"
            raise UnreadableDocument(message, category="duplicate-id", hint="leave --id out")
        self.left_out.pop(source.origin, None)
        for record, page in self._pages(source):
            if isinstance(page, UnreadableDocument):
                yield as_problem(source, page, id=record)
            elif not self.skip(record):
                yield from self._read(source, page)

    def ids(self, source: Source) -> Iterator[str]:
        """The addresses of the pages, without their content being read."""
        for address, page in self._pages(source, content=False):
            yield address if isinstance(page, Source) else ""

    def _read(self, source: Source, page: Source) -> Iterator[Item]:
        reader = self._readers.by_type(page.media_type)
        for item in self._readers.items(reader, page):
            if isinstance(item, Document):
                yield item if item.url else replace(item, url=page.name)
            else:
                yield Problem(item.stage, item.document_id, item.category, f"{source.origin}, {item.message}")

    def _pages(self, source: Source, *, content: bool = True) -> Iterator[tuple[str, Source | UnreadableDocument]]:
        """Each page's address with its source (empty without `content`), or what is wrong with its record."""
        from warcio.archiveiterator import ArchiveIterator
        from warcio.exceptions import ArchiveLoadFailed

        number, place = 0, ""
        with source.open() as stream:
            require_content(stream.read(4096))
            stream.seek(0)
            try:
                for record in ArchiveIterator(_plain(stream, source.size, self._most), no_record_parse=False):
                    if record.format != "warc" or record.rec_type is None:
                        raise ValueError("a record has no type")
                    number += 1
                    place = _address(record) or f"{document_id(source, self.suffixes)}:{number}"
                    page = self._page(record, place, source, content)
                    missing = _rest(record)
                    if missing:
                        message = f"breaks off: {missing:,} bytes of record {number} are missing"
                        yield place, UnreadableDocument(message, category="truncated", hint="fetch it again; what stands before was read")
                        return
                    if page is not None:
                        yield place, page
            except (UnreadableDocument, ArchiveLoadFailed, *_WRONG) as error:
                if not number:
                    raise UnreadableDocument("is no web archive", category="damaged", hint="check its name, or fetch it again") from error
                category = error.category if isinstance(error, UnreadableDocument) else "damaged"
                message = f"can't be read on after record {number}: {getattr(error, 'message', str(error)) or type(error).__name__}"
                yield place, UnreadableDocument(message, category=category, hint="fetch it again; what stands before was read")
                return
        if not number:
            raise UnreadableDocument("is no web archive: it has no records", category="damaged", hint="check its name")

    def _page(self, record: Any, address: str, source: Source, content: bool) -> Source | UnreadableDocument | None:
        """The page of a record; None where it holds none."""
        if record.rec_type not in _KINDS or not _FETCHED.match(_address(record)):
            return None
        headers = record.http_headers
        if record.rec_type == "response" and (headers is None or headers.get_statuscode() != "200"):
            return None
        media_type = (headers or record.rec_headers).get_header("content-type") or ""
        media_type = "text/plain" if record.rec_type == "conversion" else media_type.partition(";")[0].strip().lower()
        if self._readers.by_type(media_type) is None or media_type in self.media_types:
            self.left_out[source.origin] += content
            return None
        page = Source(address, media_type=media_type, name=address)
        if not content:
            return page
        try:
            body = record.content_stream().read(_MARKUP * self._limit + 1)
        except DAMAGE as error:
            return UnreadableDocument(f"can't be unpacked: {error}", category="damaged", hint="leave it out")
        if len(body) > _MARKUP * self._limit:
            message = f"has more than {_MARKUP * self._limit:,} bytes"
            return UnreadableDocument(message, category="too-long", hint="raise KG_DOCUMENT_CHARACTERS")
        return replace(page, content=body)


def _plain(stream: BinaryIO, size: int, most: int) -> BinaryIO:
    """The stream with what it unpacks to being bounded: warcio unpacks by itself, so an archive as a whole is handed on unpacked."""
    head = stream.read(2)
    stream.seek(0)
    if head != b"\x1f\x8b":
        return stream
    return cast(BinaryIO, Unpacked(gzip.GzipFile(fileobj=stream, mode="rb"), Allowance(size, most)))


def _address(record: Any) -> str:
    uri = record.rec_headers.get_header("WARC-Target-URI") or ""
    return uri.strip().strip("<>")


def _rest(record: Any) -> int:
    """Reads on to the end of a record, and tells how many bytes of it there should still be."""
    stream = record.raw_stream
    while stream.read(2**16):
        pass
    return int(getattr(stream, "limit", 0))


def create(settings: Settings) -> WebArchive:
    """The reader, as the settings in force want it."""
    return WebArchive(settings)
