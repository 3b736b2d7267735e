"""Reader of PDF files: the text layer, lines joined to paragraphs, with the title, author and date that the file states."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from statistics import median, median_low
from typing import Any

from kg.errors import UnreadableDocument
from kg.model import BODY, Document, Source, Text
from kg.read.content import document_id, require_content, require_text, tidy, too_long
from kg.read.metadata import Stated, leading_date, one_line
from kg.settings import Settings

__all__ = ["Pdf", "create"]

_SOFT_HYPHEN = "\ufffe\x02\xad"  # what PDFium gives for the hyphen of a word that goes on in the next line
_WIDE = 1.35  # a distance of lines beyond so many times the usual one separates paragraphs
_MOST_PAGES = 20_000


class Pdf:
    """Makes one document of one PDF file, by PDFium. What has no text layer is a problem: characters are not recognised in pictures."""

    suffixes = (".pdf",)
    media_types = ("application/pdf",)
    one_each = True
    streams = True

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def __call__(self, source: Source) -> Iterator[Document]:
        """Yields the document; raises UnreadableDocument (``encrypted``, ``damaged``, ``no-text``, ``empty``, ``too-long``)."""
        with source.open() as stream:
            head = stream.read(4096)
            require_content(head)
            if b"%PDF-" not in head[:1024]:
                raise UnreadableDocument("is no PDF", category="damaged", hint="check its name, or fetch it again")
            text, told = self._content(stream)
        published, end = leading_date(text)
        require_text(text, self._limit, start=end)
        yield Document(document_id(source, self.suffixes), (Text(BODY, text, end),), **_stated(told, published))

    def _content(self, stream: Any) -> tuple[str, dict[str, str]]:
        import pypdfium2

        stream.seek(0)
        try:
            with closing(pypdfium2.PdfDocument(stream)) as pdf:
                return self._text(pdf), dict(pdf.get_metadata_dict())
        except pypdfium2.PdfiumError as error:
            if "password" in str(error).lower() or "security" in str(error).lower():
                message = "is encrypted: it opens with a password only"
                raise UnreadableDocument(message, category="encrypted", hint="save it without a password") from error
            raise UnreadableDocument("is damaged: it can't be opened", category="damaged", hint="fetch or save it again") from error

    def _text(self, pdf: Any) -> str:
        import pypdfium2

        pages: list[str] = []
        length = broken = 0
        for number in range(min(len(pdf), _MOST_PAGES)):
            try:
                with closing(pdf[number]) as page, closing(page.get_textpage()) as content:
                    pages.append(_paragraphs(_lines(content)))
            except pypdfium2.PdfiumError:
                broken += 1
                continue
            length += len(pages[-1])
            if length > self._limit:
                raise too_long(f"more than {length:,} characters", self._limit)
        if broken:
            raise UnreadableDocument(f"is damaged: {broken} of {len(pdf)} pages can't be read", category="damaged", hint="save it again")
        text = tidy("\n\n".join(page for page in pages if page))
        if not text:
            hint = "let a program for text recognition (OCR) add one"
            raise UnreadableDocument("has no text layer: its pages are pictures, or blank", category="no-text", hint=hint)
        return text


def _lines(content: Any) -> list[tuple[str, float, float]]:
    """The lines of a page: text, where the baseline box begins (points from the bottom), and its height."""
    text = content.get_text_range()
    lines, start = [], 0
    aligned = len(text) == content.count_chars()  # not so where characters lie beyond the basic plane
    for line in text.split("\n"):
        stripped = line.rstrip("\r")
        if stripped.strip():
            first = start + len(stripped) - len(stripped.lstrip())
            _, bottom, _, top = content.get_charbox(first, loose=True) if aligned else (0, 0, 0, 0)
            lines.append((stripped.strip(" \t"), bottom, top - bottom))
        start += len(line) + 1
    return lines


def _paragraphs(lines: list[tuple[str, float, float]]) -> str:
    """Lines joined where one goes on in the next: no wider apart than most, set in the same size."""
    if not lines:
        return ""
    gaps = [above[1] - below[1] for above, below in pairwise(lines) if above[1] > below[1]]
    usual = min(median_low(gaps), 2 * median(height for *_, height in lines)) if gaps else 0.0
    text = lines[0][0]
    for above, below in pairwise(lines):
        gap = above[1] - below[1]
        same_size = abs(above[2] - below[2]) <= 0.15 * max(above[2], below[2], 1)
        if text[-1:] in _SOFT_HYPHEN and text:
            text = text[:-1] + below[0]
        elif same_size and 0 < gap <= _WIDE * usual:
            text += " " + below[0]
        else:
            text += "\n\n" + below[0]
    return text


def _stated(told: dict[str, str], leading: str | None) -> Stated:
    title, author = (one_line(tidy(told.get(key, ""))) for key in ("Title", "Author"))
    return Stated(published=leading, title=title, author=author, publisher=None, url=None, language=None)


def create(settings: Settings) -> Pdf:
    """The reader, as the settings in force want it."""
    return Pdf(settings.document_characters)
