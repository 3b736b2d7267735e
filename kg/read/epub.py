"""Reader of EPUB books: the chapters in reading order as one text, and what the package file states of the book."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from kg.errors import UnreadableDocument
from kg.model import BODY, Document, Source, Text
from kg.read.content import Notes, decode, document_id, require_content, require_text, too_long
from kg.read.markup import local, parse_xml, text_of_html
from kg.read.metadata import Stated, iso_date, language_tag, leading_date, one_line, web_address
from kg.read.unpacking import DAMAGE, damaged, open_package
from kg.settings import Settings

__all__ = ["Epub", "create"]

_CONTAINER = "META-INF/container.xml"
_RIGHTS = ("META-INF/rights.xml", "META-INF/license.lcpl", "META-INF/sinf.xml")
_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")
_MARKUP = 16
_LARGEST_INDEX = 2**24


class Epub:
    """Makes one document of one book (EPUB 2 and 3: container, package file, spine)."""

    suffixes = (".epub",)
    media_types = ("application/epub+zip",)
    one_each = True
    streams = True

    def __init__(self, limit: int, most_bytes: int) -> None:
        self._limit = limit
        self._most_bytes = most_bytes
        self._note = Notes()

    def __call__(self, source: Source) -> Iterator[Document]:
        """Yields the document; raises UnreadableDocument (``damaged``, ``encrypted``, ``archive-bomb``, ``unsafe-xml``, …)."""
        with source.open() as stream:
            require_content(stream.read(4096))
            with open_package(stream, source.size, self._most_bytes) as book:
                if any(name in book.NameToInfo for name in _RIGHTS):
                    message = "is encrypted (it carries a licence for readers)"
                    raise UnreadableDocument(message, category="encrypted", hint="use a book without copy protection")
                path, package = _package(book)
                text = self._text(book, path, package, source)
        published, end = leading_date(text)
        require_text(text, self._limit, start=end)
        stated = _stated(package)
        stated["published"] = published or stated["published"]
        yield Document(document_id(source, self.suffixes), (Text(BODY, text, end),), **stated)

    def _text(self, book: zipfile.ZipFile, path: str, package: Element, source: Source) -> str:
        chapters: list[str] = []
        length = 0
        for name in _spine(path, package):
            page = decode(_member(book, name, _MARKUP * self._limit), source, self._note)
            chapters.append(text_of_html(page))
            length += len(chapters[-1])
            if length > self._limit:
                raise too_long(f"more than {length:,} characters", self._limit)
        return "\n\n".join(chapter for chapter in chapters if chapter)


def _package(book: zipfile.ZipFile) -> tuple[str, Element]:
    """The path of the package file, and its root."""
    container = parse_xml(_member(book, _CONTAINER, _LARGEST_INDEX))
    paths = [element.get("full-path") for element in container.iter() if local(element) == "rootfile"]
    path = next((path for path in paths if path), None)
    if path is None:
        raise damaged("names no package file")
    return path, parse_xml(_member(book, path, _LARGEST_INDEX))


def _spine(path: str, package: Element) -> Iterator[str]:
    """The paths of the chapters in reading order."""
    items = {element.get("id"): element for element in package.iter() if local(element) == "item"}
    for reference in package.iter():
        item = items.get(reference.get("idref")) if local(reference) == "itemref" else None
        if item is not None and item.get("media-type") in _PAGES and "nav" not in (item.get("properties") or "").split():
            yield posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(item.get("href") or "")))


def _member(book: zipfile.ZipFile, name: str, most: int) -> bytes:
    try:
        with book.open(name) as member:
            content = member.read(most + 1)
    except KeyError as error:
        raise damaged(f"lacks its part {name!r}") from error
    except (*DAMAGE, OSError, RuntimeError, ValueError, NotImplementedError) as error:
        raise damaged(f"is damaged: its part {name!r} can't be unpacked") from error
    if len(content) > most:
        raise too_long(f"a part of more than {most:,} bytes", most)
    return content


def _stated(package: Element) -> Stated:
    told: dict[str, list[str]] = {}
    for element in package.iter():
        if "purl.org/dc/" in str(element.tag) and element.text:
            told.setdefault(local(element), []).append(element.text)
    dates = (iso_date(value) for value in told.get("date", []))
    return Stated(
        published=next((date for date in dates if date), None),
        title=one_line(told.get("title", [])[:1]),
        author=one_line(told.get("creator", [])),
        publisher=one_line(told.get("publisher", [])),
        url=next((address for value in told.get("identifier", []) if (address := web_address(value))), None),
        language=next((tag for value in told.get("language", []) if (tag := language_tag(value))), None),
    )


def create(settings: Settings) -> Epub:
    """The reader, as the settings in force want it."""
    return Epub(settings.document_characters, settings.archive_bytes)
