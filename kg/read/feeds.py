"""Reader of feeds (RSS 0.9 to 2.0, RSS 1.0, Atom), an entry a document, and of sitemaps, whose pages are fetched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from xml.etree.ElementTree import Element, tostring

from kg.errors import UnreadableDocument
from kg.model import BODY, Document, Problem, Source, Text
from kg.read.content import as_problem, document_id, require_content, require_id, require_text
from kg.read.markup import local, text_of_html, walk_xml
from kg.read.metadata import Stated, iso_date, language_tag, one_line, web_address
from kg.read.readers import unknown_type
from kg.read.sitemaps import Sitemaps
from kg.settings import Settings

__all__ = ["Feeds", "create"]

_FEEDS = ("rss", "feed", "rdf")
_SITEMAPS = ("urlset", "sitemapindex")
_ENTRIES = ("item", "entry")
_BODIES = ("encoded", "content", "description", "summary")
_DATES = ("pubdate", "published", "issued", "date", "created", "updated")
_MARKUP = 16
_ABOUT = ("title", "language", "publisher", "author")


class Feeds:
    """Makes a document of each entry: its content, else its summary. An entry is called as its link, else as its own id."""

    suffixes = (".rss", ".atom", ".xml")
    media_types = ("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/xml", "text/xml")
    one_each = False
    streams = True

    def __init__(self, limit: int, sitemaps: Sitemaps) -> None:
        self._limit = limit
        self._sitemaps = sitemaps

    def __call__(self, source: Source) -> Iterator[Document | Problem]:
        """Yields documents, and a Problem for each entry without one; raises UnreadableDocument (``unsafe-xml``, ``damaged``, …)."""
        with source.open() as stream, closing(walk_xml(stream, _MARKUP * self._limit)) as events:
            require_content(stream.read(4096))
            stream.seek(0)
            root = next(events)[1]
            kind = local(root)
            if kind in _SITEMAPS:
                yield from self._sitemaps.documents(source, events)
            elif kind in _FEEDS:
                if source.id is not None:
                    message = "holds a document an entry, and --id names one"
                    raise UnreadableDocument(message, category="duplicate-id", hint="leave --id out")
                yield from self._entries(source, events, root)
            else:
                raise unknown_type()

    def ids(self, source: Source) -> Iterator[str]:
        """The ids of the entries, or the addresses of a sitemap's pages."""
        with source.open() as stream, closing(walk_xml(stream, _MARKUP * self._limit)) as events:
            root = next(events)[1]
            if local(root) in _SITEMAPS:
                yield from self._sitemaps.ids(source, events)
                return
            stem = document_id(source, self.suffixes)
            for number, entry in enumerate(_each_entry(events, root, {}), start=1):
                yield _id(entry, f"{stem}:{number}")

    def _entries(self, source: Source, events: Iterator[tuple[str, Element]], root: Element) -> Iterator[Document | Problem]:
        stem = document_id(source, self.suffixes)
        about: dict[str, str] = {}
        number = 0
        for number, entry in enumerate(_each_entry(events, root, about), start=1):
            id = _id(entry, f"{stem}:{number}")
            try:
                text = _text(entry)
                require_text(text, self._limit)
                yield Document(require_id(id), (Text(BODY, text),), **_stated(entry, about))
            except UnreadableDocument as error:
                yield as_problem(source, error, id=id, place=f"entry {number}")
        if not number:
            raise UnreadableDocument("has no entries", category="empty", hint="leave it out")


def _each_entry(events: Iterator[tuple[str, Element]], root: Element, about: dict[str, str]) -> Iterator[Element]:
    """Every entry, forgotten when it is passed; what the feed says of itself before them is gathered in `about`."""
    depth, holder = 1, [root]
    inside = 0
    for event, element in events:
        if event == "start":
            depth += 1
            inside += local(element) in _ENTRIES
            holder.append(element)
            continue
        depth -= 1
        holder.pop()
        if local(element) in _ENTRIES:
            inside -= 1
            if not inside:
                yield element
                if holder:
                    holder[-1].remove(element)
        elif not inside and local(element) in _ABOUT and len(holder) <= 2:
            about.setdefault(local(element), "".join(element.itertext()))


def _children(entry: Element, name: str) -> list[Element]:
    return [child for child in entry if local(child) == name]


def _words(entry: Element, *names: str) -> Iterator[str]:
    for name in names:
        for child in _children(entry, name):
            if said := "".join(child.itertext()).strip():
                yield said


def _link(entry: Element) -> str | None:
    """The address of the entry: RSS `link` or a permanent `guid`, Atom `link rel="alternate"`."""
    links = [child.get("href") or child.text for child in _children(entry, "link") if child.get("rel", "alternate") == "alternate"]
    guids = [child.text for child in _children(entry, "guid") if child.get("isPermaLink", "true") == "true"]
    return next((address for value in (*links, *guids) if (address := web_address(value))), None)


def _id(entry: Element, default: str) -> str:
    return _link(entry) or one_line(next(_words(entry, "guid", "id"), None)) or default


def _text(entry: Element) -> str:
    """The longest of what the entry's elements for content and summary say, with its paragraphs."""
    found = [_shown(child) for name in _BODIES for child in _children(entry, name)]
    return max(found, key=len, default="") or one_line(next(_words(entry, "title"), "")) or ""


def _shown(element: Element) -> str:
    if len(element):  # Atom's XHTML
        for inner in element.iter():
            inner.tag = local(inner)
        return text_of_html(tostring(element, encoding="unicode"))
    return text_of_html(element.text or "")


def _stated(entry: Element, about: dict[str, str]) -> Stated:
    dates = (iso_date(value) for value in _words(entry, *_DATES))
    people = [next(_words(child, "name"), "".join(child.itertext())) for child in _children(entry, "author")]
    title = one_line(next(_words(entry, "title"), None))
    return Stated(
        published=next((date for date in dates if date), None),
        title=one_line(text_of_html(title)) if title else None,
        author=one_line([*people, *_words(entry, "creator")]) or one_line(about.get("author")),
        publisher=one_line(next(_words(entry, "publisher"), None)) or one_line(about.get("publisher")) or one_line(about.get("title")),
        url=_link(entry),
        language=language_tag(next(_words(entry, "language"), None)) or language_tag(about.get("language")),
    )


def create(settings: Settings) -> Feeds:
    """The reader, as the settings in force want it."""
    return Feeds(settings.document_characters, Sitemaps(settings))
