"""Sitemaps (sitemaps.org 0.9): the pages that they list, fetched one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice
from xml.etree.ElementTree import Element

from kg.errors import UnreadableDocument
from kg.model import Problem, Source
from kg.read.content import as_problem, require_content
from kg.read.fetch import Fetcher
from kg.read.markup import local, walk_xml
from kg.read.metadata import web_address
from kg.read.readers import Item, Readers
from kg.settings import Settings

__all__ = ["Sitemaps"]

_LARGEST_ENTRY = 2**20
_DEEPEST = 2  # an index of sitemaps lists sitemaps, and these list pages

_NAMESPACES = ("", "{http://www.sitemaps.org/schemas/sitemap/0.9", "{http://www.google.com/schemas/sitemap/0.84")

Events = Iterator[tuple[str, Element]]


class Sitemaps:
    """Fetches what sitemaps list: those that were fetched themselves, and saved ones where the setting `fetch_links` allows it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._fetcher = Fetcher(settings)
        self._readers = Readers(settings)

    def ids(self, source: Source, events: Events) -> Iterator[str]:
        """The addresses of the pages, which are the ids of their documents, and "" for each problem."""
        for found in self._pages(source, events, 1):
            yield found if isinstance(found, str) else ""

    def documents(self, source: Source, events: Events) -> Iterator[Item]:
        """The pages as documents, and a Problem for each that can't be fetched or read."""
        for found in self._pages(source, events, 1):
            if isinstance(found, Problem):
                yield found
                continue
            page = Source(found, name=found)
            try:
                fetched = self._fetcher.fetch(found)
            except UnreadableDocument as error:
                yield as_problem(page, error)
            else:
                page = replace(fetched, name=found)
                yield from self._readers.items(self._readers.of(page), page)

    def _pages(self, source: Source, events: Events, depth: int) -> Iterator[str | Problem]:
        if not source.origin.startswith(("http://", "https://")) and not self._settings.fetch_links:
            message = "is a sitemap: it lists pages and holds none"
            raise UnreadableDocument(message, category="not-fetched", hint="build its address, or set KG_FETCH_LINKS=1 to fetch them")
        listed = (web_address(each) for each in _addresses(events))
        seen: set[str] = set()
        for address in self._followed(listed, depth):
            if isinstance(address, Problem):
                yield address
            elif address not in seen:
                seen.add(address)
                if len(seen) > self._settings.fetch_pages:
                    message = f"lists more than the {self._settings.fetch_pages:,} pages that the setting fetch_pages allows"
                    error = UnreadableDocument(message, category="too-long", hint="raise KG_FETCH_PAGES; the first ones were read")
                    yield as_problem(source, error)
                    return
                yield address

    def _followed(self, listed: Iterator[str | None], depth: int) -> Iterator[str | Problem]:
        """Each address, or what the sitemap behind it lists."""
        for address in listed:
            if address is None:
                continue
            if not address.split("?")[0].endswith((".xml", ".xml.gz")) or depth >= _DEEPEST:
                yield address
                continue
            try:
                page = self._fetcher.fetch(address)
                with page.open() as stream, closing(walk_xml(stream, _LARGEST_ENTRY)) as events:
                    require_content(stream.read(4096))
                    stream.seek(0)
                    next(events)
                    yield from islice(self._pages(page, events, depth + 1), self._settings.fetch_pages + 1)
            except UnreadableDocument as error:
                yield as_problem(Source(address, name=address), error)


def _addresses(events: Events) -> Iterator[str]:
    """What the elements `loc` say, those of pictures and films aside; each entry is forgotten when it is passed."""
    for event, element in events:
        if event == "end" and local(element) == "loc" and element.tag.rpartition("}")[0] in _NAMESPACES:
            yield (element.text or "").strip()
        elif event == "end" and local(element) in ("url", "sitemap"):
            element.clear()
