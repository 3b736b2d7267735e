"""Text and structure out of HTML parts and XML files: no entity is expanded, nothing is fetched."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element, ParseError

from kg.errors import UnreadableDocument
from kg.read.content import tidy, too_long

__all__ = ["local", "parse_xml", "text_of_html", "walk_xml"]

_HTML_ERRORS = (ValueError, TypeError, AssertionError, RecursionError)


def text_of_html(markup: str) -> str:
    """The visible text of a piece of HTML, a paragraph a block; empty where it can't be parsed."""
    import html_text
    from lxml.etree import LxmlError  # type: ignore[import-untyped, unused-ignore]

    if not markup.strip():
        return ""
    try:
        return tidy(html_text.extract_text(markup))
    except (*_HTML_ERRORS, LxmlError):
        return ""


def local(element: Element) -> str:
    """The name of an element without its namespace, in lower case."""
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def parse_xml(content: bytes) -> Element:
    """The root of an XML file; raises UnreadableDocument (``unsafe-xml``, ``damaged``)."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(content)
        return root
    except DefusedXmlException as error:
        raise _unsafe() from error
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        raise _broken(error) from error


def walk_xml(stream: BinaryIO, limit: int) -> Generator[tuple[str, Element], None, None]:
    """The elements of an XML file as they begin (``start``) and end (``end``), read as they come.

    Whoever walks clears what it is done with. Raises UnreadableDocument: ``unsafe-xml`` for declared entities, ``damaged``, and
    ``too-long`` where `limit` bytes pass without an element's end.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import iterparse

    metered = _Metered(stream, limit)
    try:
        for event, element in iterparse(metered, events=("start", "end")):
            if event == "end":
                metered.passed = 0
            yield event, element
    except DefusedXmlException as error:
        raise _unsafe() from error
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        raise _broken(error) from error


class _Metered:
    """A stream that stops where too much passes between two marks."""

    def __init__(self, stream: Any, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self.passed = 0

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._stream.read(size)
        self.passed += len(data)
        if self.passed > self._limit:
            raise too_long(f"an element of more than {self._limit:,} bytes", self._limit)
        return data


def _unsafe() -> UnreadableDocument:
    message = "declares entities, which can read other files or grow without end"
    return UnreadableDocument(message, category="unsafe-xml", hint="remove its DTD")


def _broken(error: Exception) -> UnreadableDocument:
    return UnreadableDocument(f"is no whole XML: {error}", category="damaged", hint="fetch or save it again")
