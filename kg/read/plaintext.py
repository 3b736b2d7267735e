"""Reader of plain text and Markdown: the stored text is the decoded file, unaltered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath

from kg.model import BODY, Document, Source, Text
from kg.read.content import BOM, Notes, decode, document_id, require_text, too_long
from kg.read.metadata import Stated, leading_date, one_line, stated_by
from kg.settings import Settings

__all__ = ["PlainText", "create"]

_MARKDOWN = (".md", ".markdown")
_HEADING = re.compile(r"^ {0,3}#[ \t]+(\S.*?)(?:[ \t]+#+)?[ \t]*\r?$", re.MULTILINE)
_FRONT_MATTER = re.compile(r"---[ \t]*\r?\n((?:(?!---|\.\.\.).*\n)*?)(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)")
_FRONT_LINE = re.compile(r"\s*(?:#.*|-(?:\s.*)?|[\w.-]+[ \t]*:(?:\s.*)?|)|[ \t]+.*")
_LONGEST_FRONT_MATTER = 64 * 1024


class PlainText:
    """Makes one document of one text. A byte order mark, front matter and a leading date are metadata, kept in the text."""

    suffixes = (".txt", ".text", *_MARKDOWN)
    media_types = ("text/plain", "text/markdown")
    one_each = True

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.most_bytes = 4 * limit + len(BOM.encode())  # no encoding has more bytes a character
        self._note = Notes()

    def __call__(self, source: Source) -> Iterator[Document]:
        """Yields the document; raises UnreadableDocument where the content is no text, or too much or none of it."""
        if len(source.content) > self.most_bytes:
            raise too_long(f"{len(source.content):,} bytes", self._limit)
        text = decode(source.content, source, self._note)
        markdown = source.media_type == "text/markdown" or PurePath(source.origin).suffix.lower() in _MARKDOWN
        fields, start = self._front_matter(text, source) if markdown else ({}, 0)
        published, end = leading_date(text, start)
        require_text(text, self._limit, start=end)
        stated = stated_by(fields)
        stated["published"] = stated["published"] or published
        if markdown and not stated["title"]:
            stated["title"] = _heading(text, end)
        yield _document(document_id(source, self.suffixes), text, end, stated)

    def _front_matter(self, text: str, source: Source) -> tuple[Mapping[str, object], int]:
        """The fields of a leading block between lines of ``---``, and where it ends; none where it holds prose."""
        start = int(text.startswith(BOM))
        match = _FRONT_MATTER.match(text, start, start + _LONGEST_FRONT_MATTER)
        if not match or not match[1].strip() or not all(_FRONT_LINE.fullmatch(line) for line in match[1].splitlines()):
            return {}, 0
        import yaml

        try:
            fields = yaml.load(match[1], Loader=yaml.BaseLoader)  # makes strings, lists and mappings only
        except (yaml.YAMLError, RecursionError, ValueError):
            self._note(source, "its front matter is no YAML and is left out (put values with a colon in quotes)")
            fields = {}
        return (fields, match.end()) if isinstance(fields, dict) else ({}, 0)


def _heading(text: str, start: int) -> str | None:
    match = _HEADING.search(text, start)
    return one_line(match[1]) if match else None


def _document(id: str, text: str, end: int, stated: Stated) -> Document:
    return Document(id, (Text(BODY, text, end),), **stated)


def create(settings: Settings) -> PlainText:
    """The reader, as the settings in force want it."""
    return PlainText(settings.document_characters)
