"""Splits a text into sentences: paragraphs always end one, abbreviations and initials don't."""

from __future__ import annotations

import re
from bisect import bisect_right

from kg.model import Span

__all__ = ["Sentences"]

_END = re.compile(r"[.!?…]+[”’\"'»)\]]*(?=\s)|\n\s*\n|\n")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|Ste|Sr|Jr|Inc|Co|Corp|Ltd|vs|No|Nos|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|approx|est|feat|Gen|Sen|Gov|Rev)"
    r"|\b\w|\b(?:[A-Za-z]\.)+[A-Za-z])\.$"
)
_LOWER = re.compile(r"\s+[a-z]")


class Sentences:
    """The sentences of ``text[start:]`` as spans, in order; together they hold every character that is not white space."""

    def __init__(self, text: str, start: int = 0) -> None:
        self.spans: list[Span] = []
        self._close(text, start, len(text))
        self._starts = [span.start for span in self.spans]

    def _close(self, text: str, start: int, end: int) -> None:
        begin = start
        for match in _END.finditer(text, start, end):
            if not match.group().isspace() and not self._ends(text, match):
                continue
            self._add(text, begin, match.end())
            begin = match.end()
        self._add(text, begin, end)

    @staticmethod
    def _ends(text: str, match: re.Match[str]) -> bool:
        mark = match.group()
        if mark.startswith(".") and not mark.startswith("..") and _ABBREVIATION.search(text, max(0, match.start() - 12), match.start() + 1):
            return False
        # After a quotation's closing mark a lower-case word goes on with the sentence: “Why?” she asked.
        return not _LOWER.match(text, match.end())

    def _add(self, text: str, start: int, end: int) -> None:
        piece = text[start:end]
        stripped = piece.strip()
        if stripped:
            begin = start + len(piece) - len(piece.lstrip())
            self.spans.append(Span(begin, begin + len(stripped)))

    def number(self, position: int) -> int:
        """Number of the sentence that holds a position (or stands before it)."""
        return max(0, bisect_right(self._starts, position) - 1)

    def holding(self, span: Span) -> Span:
        """From the beginning of the sentence in which a span starts to the end of the one in which it ends."""
        if not self.spans:
            return span
        first, last = self.spans[self.number(span.start)], self.spans[self.number(span.end - 1)]
        return Span(min(first.start, span.start), max(last.end, span.end))
