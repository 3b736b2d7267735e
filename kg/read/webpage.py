"""Reader of web pages: the main text without boilerplate, and the structured data of the page as a second text."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import unescape
from itertools import chain
from typing import Any, TypeVar
from urllib.parse import urlsplit

from kg.errors import UnreadableDocument
from kg.model import BODY, Document, Source, Text
from kg.read.content import BOM, Notes, decode, document_id, require_text, too_long
from kg.read.metadata import Stated, iso_date, language_tag, one_line, web_address
from kg.settings import Settings

__all__ = ["METADATA", "WebPage", "create"]

METADATA = "metadata"
"""Name of the second text: the page's JSON-LD, microdata and OpenGraph as sorted JSON."""

_MARKUP = 16  # a page may have so many bytes for each character that a text may have
_ARTICLE = re.compile(r"(?:Article|Posting|Report)$")
_PAGE = re.compile(r"Page$")
_DATE_NAMES = (
    *("article:published_time", "og:article:published_time", "og:published_time", "article.published", "citation_publication_date"),
    *("dc.date.issued", "dcterms.issued", "dcterms.date", "dc.date", "date", "pubdate", "publishdate", "publish-date", "publish_date"),
    *("published-date", "parsely-pub-date", "sailthru.date", "datepublished", "bt:pubdate", "dcterms.created"),
)
_DATED = (  # where a page without metadata states its date, the surest first
    "//*[@itemprop='datePublished']",
    "//time[@pubdate]",
    "//time[contains(@class, 'publish') or contains(@class, 'entry-date') or contains(@class, 'posted')]",
    "(//article|//main)//header//time",
)
_BOILERPLATE = (  # what trafilatura falls back to where a page has no article, and cookie bars
    "//nav",
    "//noscript",
    "//footer[not(ancestor::article)]",
    "//*[@role='navigation' or @role='dialog' or @role='alertdialog' or @role='contentinfo' or @role='search']",
)
# What trafilatura, extruct and lxml raise on damaged pages, besides lxml's own errors.
_DAMAGE = (ValueError, TypeError, AttributeError, LookupError, AssertionError, ArithmeticError, RecursionError)

_NO_TODAY = {"original_date": True, "extensive_search": False, "min_date": "1000-01-01", "max_date": "9999-12-31"}
"""For trafilatura's own search for dates, which is not used but would look at today's date."""

Node = Mapping[str, Any]
Result = TypeVar("Result")


class WebPage:
    """Makes one document of one page. Nothing is fetched, no entity of a DTD is expanded, no date is guessed."""

    suffixes = (".html", ".htm", ".xhtml")
    media_types = ("text/html", "application/xhtml+xml")
    one_each = True

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.most_bytes = _MARKUP * limit
        self._note = Notes()

    def __call__(self, source: Source) -> Iterator[Document]:
        """Yields the document; raises UnreadableDocument where the page has no main text or is too long."""
        from w3lib.encoding import html_body_declared_encoding

        if len(source.content) > _MARKUP * self._limit:
            raise too_long(f"{len(source.content):,} bytes", self._limit)
        html = decode(source.content, source, self._note, declared=html_body_declared_encoding(source.content[:4096])).removeprefix(BOM)
        require_text(html, _MARKUP * self._limit)
        tree = _attempt(_tree, html)
        data = self._structured(tree, source)
        stated = _attempt(_stated, tree, _nodes(data), data)
        text = _attempt(_main_text, tree)
        require_text(text, self._limit)
        texts = [Text(BODY, text)]
        if data and (shown := _as_json(data)):
            if len(shown) <= self._limit:
                texts.append(Text(METADATA, shown))
            else:
                self._note(source, "its structured data is left out, being longer than the setting document_characters")
        yield Document(document_id(source, self.suffixes), tuple(texts), **stated)

    def _structured(self, tree: Any, source: Source) -> dict[str, list[Any]]:
        """JSON-LD, microdata and OpenGraph; what can't be read is left out and noted."""
        from extruct.jsonld import JsonLdExtractor
        from extruct.opengraph import OpenGraphExtractor
        from extruct.w3cmicrodata import MicrodataExtractor

        scripts = tree.xpath("//script[@type='application/ld+json']")
        parts: list[tuple[str, Callable[[], Any]]] = [
            *(("json-ld", lambda script=script: JsonLdExtractor().extract_items(script)) for script in scripts),
            ("microdata", lambda: MicrodataExtractor().extract_items(tree, base_url="")),
            ("opengraph", lambda: list(OpenGraphExtractor().extract_items(tree))),
        ]
        found: dict[str, list[Any]] = {}
        for kind, extract in parts:
            try:
                items = extract()
            except _errors():
                self._note(source, f"some of its {kind} can't be read and is left out")
            else:
                found.setdefault(kind, []).extend(items)
        return {kind: items for kind, items in found.items() if items}


def _attempt(step: Callable[..., Result], *arguments: Any) -> Result:
    """What a step of reading makes of its arguments; UnreadableDocument (``damaged``) where the page breaks it."""
    try:
        return step(*arguments)
    except _errors() as error:
        hint = "open it in a browser and save it again, or save its text"
        raise UnreadableDocument("can't be read as a web page", category="damaged", hint=hint) from error


def _errors() -> tuple[type[Exception], ...]:
    from lxml.etree import LxmlError  # type: ignore[import-untyped, unused-ignore]

    return (*_DAMAGE, LxmlError)


def _no_text() -> UnreadableDocument:
    return UnreadableDocument("has no main text", category="no-text", hint="leave it out, or save the text of the article as .txt")


def _tree(html: str) -> Any:
    from trafilatura.utils import load_html

    tree = load_html(html)
    if tree is None or tree.tag != "html":  # a part of a page
        tree = load_html(f"<html><body>{html}</body></html>")
    if tree is None:
        raise _no_text()
    return tree


def _main_text(tree: Any) -> str:
    """The main text, a paragraph a line. Deduplication stays off: it remembers other pages."""
    from trafilatura import bare_extraction

    page = bare_extraction(
        tree, include_comments=False, deduplicate=False, prune_xpath=list(_BOILERPLATE), date_extraction_params=dict(_NO_TODAY)
    )
    if page is None or not (page.text or "").strip():
        raise _no_text()
    return str(page.text)


def _nodes(data: Mapping[str, list[Any]]) -> list[Node]:
    """Articles, then pages, that JSON-LD and microdata describe, with the references to other nodes resolved one step."""
    linked = [node for item in data.get("json-ld", []) for node in _flat(item)]
    by_id = {node["@id"]: node for node in linked if isinstance(node.get("@id"), str) and len(node) > 1}
    resolved = [{key: _resolved(value, by_id) for key, value in node.items()} for node in linked]
    micro = [_unfolded(item) for item in data.get("microdata", [])]
    described = [*resolved, *micro]
    return [node for kind in (_ARTICLE, _PAGE) for node in described if any(kind.search(name) for name in _types(node))]


def _flat(item: Any) -> list[Node]:
    if not isinstance(item, Mapping):
        return []
    inner = [item.get("@graph"), item.get("mainEntity")]
    parts = [part for value in inner for part in (value if isinstance(value, list) else [value])]
    return [item, *(part for part in parts if isinstance(part, Mapping))]


def _resolved(value: Any, by_id: Mapping[str, Node]) -> Any:
    if isinstance(value, list):
        return [_resolved(part, by_id) if isinstance(part, Mapping) else part for part in value]
    if isinstance(value, Mapping) and "name" not in value:
        id = value.get("@id")
        return by_id.get(id, value) if isinstance(id, str) else value
    return value


def _unfolded(item: Any) -> dict[str, Any]:
    """A microdata item in the shape of JSON-LD, two levels deep."""
    if not isinstance(item, Mapping):
        return {}
    properties = item.get("properties", {})
    inner = {
        key: {"name": value.get("properties", {}).get("name")} if isinstance(value, Mapping) and "properties" in value else value
        for key, value in (properties.items() if isinstance(properties, Mapping) else ())
    }
    return {**inner, "@type": item.get("type")}


def _types(node: Node) -> list[str]:
    kinds = node.get("@type")
    return [kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(kind, str)]


def _stated(tree: Any, nodes: list[Node], data: Mapping[str, list[Any]]) -> Stated:
    from trafilatura.metadata import extract_metadata

    found = extract_metadata(tree, date_config=dict(_NO_TODAY))
    graph = dict(pair for item in reversed(data.get("opengraph", [])) for pair in reversed(item["properties"]))
    canonical = tree.xpath("//link[@rel='canonical']/@href")
    languages = tree.xpath("/html/@lang | /html/@*[name()='xml:lang'] | //meta[@http-equiv='content-language']/@content")
    own_name = found.sitename if found.sitename and found.sitename not in _host(found.url) else None
    return Stated(
        published=_published(tree, nodes, graph),
        title=_first(_line, (*_values(nodes, "headline"), found.title)),
        author=_first(_line, (*_values(nodes, "author"), found.author)),
        publisher=_first(_line, (*_values(nodes, "publisher"), graph.get("og:site_name"), own_name)),
        url=_first(web_address, (*canonical, graph.get("og:url"), found.url)),
        language=_first(language_tag, (*languages, graph.get("og:locale"), *_values(nodes, "inLanguage"))),
    )


def _values(nodes: list[Node], key: str) -> list[Any]:
    return [node[key] for node in nodes if key in node]


def _first(read: Callable[[Any], str | None], values: Iterable[Any]) -> str | None:
    return next((found for value in values if (found := read(value))), None)


def _line(value: Any) -> str | None:
    """One line without references of HTML, lone halves of characters and addresses (that some put for an author)."""
    line = unescape(one_line(value) or "").encode("utf-8", "ignore").decode()
    return None if "://" in line else one_line(line)


def _host(url: str | None) -> str:
    try:
        return urlsplit(url or "").netloc
    except ValueError:
        return ""


def _published(tree: Any, nodes: list[Node], graph: Mapping[str, str]) -> str | None:
    """The date of publication that the page states: in structured data, in meta elements, or marked as such in its text.

    Never taken from an address, a copyright line, the date of a change or words of the text.
    """
    metas = {(meta.get("property") or meta.get("name") or "").lower(): meta.get("content") for meta in reversed(tree.xpath("//meta"))}
    named = (metas.get(name) for name in _DATE_NAMES)
    if date := _first(iso_date, chain(_values(nodes, "datePublished"), [graph.get("article:published_time")], named)):
        return date
    for path in _DATED:
        marked = tree.xpath(path)
        dates = {iso_date(mark.get("datetime") or mark.get("content") or mark.text_content()) for mark in marked} - {None}
        if len(dates) == 1:  # several are those of several articles
            return dates.pop()
    return None


def _as_json(data: object) -> str:
    try:
        shown = json.dumps(data, ensure_ascii=False, indent=2, sort_keys=True)
        shown.encode()
    except UnicodeEncodeError:  # half a character, written as an escape in JSON-LD
        return json.dumps(data, indent=2, sort_keys=True)
    except RecursionError:
        return ""
    return shown


def create(settings: Settings) -> WebPage:
    """The reader, as the settings in force want it; trafilatura's own messages are kept off, its results are told as problems."""
    for library in ("trafilatura", "htmldate", "courlan"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    return WebPage(settings.document_characters)
