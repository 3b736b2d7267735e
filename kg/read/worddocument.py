"""Reader of Word documents (DOCX): paragraphs and tables in their order, and the properties of the document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kg.errors import UnreadableDocument
from kg.model import BODY, Document, Source, Text
from kg.read.content import document_id, require_content, require_text, tidy, too_long
from kg.read.metadata import Stated, language_tag, leading_date, one_line
from kg.read.unpacking import DAMAGE, damaged, open_package
from kg.settings import Settings

__all__ = ["WordDocument", "create"]

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_BREAKS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_WRONG = (KeyError, ValueError, AttributeError, TypeError, LookupError, NotImplementedError, AssertionError, *DAMAGE)


class WordDocument:
    """Makes one document of one DOCX file. Changes that are tracked are read as accepted; comments and notes are left out."""

    suffixes = (".docx",)
    media_types = ("application/vnd.openxmlformats-officedocument.wordprocessingml.document",)
    one_each = True
    streams = True

    def __init__(self, limit: int, most_bytes: int) -> None:
        self._limit = limit
        self._most_bytes = most_bytes

    def __call__(self, source: Source) -> Iterator[Document]:
        """Yields the document; raises UnreadableDocument (``damaged``, ``encrypted``, ``archive-bomb``, ``empty``, ``too-long``)."""
        with source.open() as stream:
            head = stream.read(4096)
            require_content(head)
            if head.startswith(b"\xd0\xcf\x11\xe0"):  # a package in an OLE file is one with a password, or an old .doc
                hint = "save it as .docx without a password"
                raise UnreadableDocument("is encrypted, or of Word's old format", category="encrypted", hint=hint)
            open_package(stream, source.size, self._most_bytes).close()
            stream.seek(0)
            text, stated = self._content(stream)
        published, end = leading_date(text)
        require_text(text, self._limit, start=end)
        stated["published"] = published
        yield Document(document_id(source, self.suffixes), (Text(BODY, text, end),), **stated)

    def _content(self, stream: Any) -> tuple[str, Stated]:
        import docx
        from docx.opc.exceptions import OpcError
        from lxml.etree import LxmlError  # type: ignore[import-untyped, unused-ignore]

        try:
            word = docx.Document(stream)
            return self._text(word.element.body), _stated(word.core_properties)
        except (OpcError, LxmlError, *_WRONG) as error:
            raise damaged("is damaged, or no Word document") from error

    def _text(self, body: Any) -> str:
        paragraphs: list[str] = []
        length = 0
        for paragraph in body.iter(f"{_W}p"):
            if any(above.tag == _FALLBACK for above in paragraph.iterancestors()):
                continue
            paragraphs.append(_words(paragraph))
            length += len(paragraphs[-1])
            if length > self._limit:
                raise too_long(f"more than {length:,} characters", self._limit)
        return tidy("\n".join(paragraphs))


def _words(paragraph: Any) -> str:
    """The text of a paragraph, without that of paragraphs inside it (text boxes), which come after it."""
    parts: list[str] = []
    waiting = list(reversed(paragraph))
    while waiting:
        element = waiting.pop()
        if element.tag == f"{_W}t":
            parts.append(element.text or "")
        elif element.tag in _BREAKS:
            parts.append(_BREAKS[element.tag])
        elif element.tag not in (f"{_W}p", f"{_W}pPr", f"{_W}rPr", f"{_W}del"):
            waiting.extend(reversed(element))
    return "".join(parts)


def _stated(properties: Any) -> Stated:
    return Stated(
        published=None,
        title=one_line(properties.title),
        author=one_line(properties.author) if properties.author != "python-docx" else None,
        publisher=None,
        url=None,
        language=language_tag(properties.language),
    )


def create(settings: Settings) -> WordDocument:
    """The reader, as the settings in force want it."""
    return WordDocument(settings.document_characters, settings.archive_bytes)
