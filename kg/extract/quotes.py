"""Finds what stands between quotation marks, in any of the usual forms."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from kg.model import Span

__all__ = ["find_quotes"]

_PAIRS = {"“": "”", "«": "»", "„": "“”", '"': '"'}
_OPENING = re.compile(r'[“«„]|(?<!\w)"')
_ENDS = {opening: re.compile(rf"[{closing}]|\n\s*") for opening, closing in _PAIRS.items()}
_LONGEST = 4000


def find_quotes(text: str, start: int = 0) -> list[Span]:
    """What stands between quotation marks from `start` on, without the marks, in order.

    Curly, straight, angle and low-high marks, and single ones where they can't be apostrophes. A quotation that goes
    on over paragraphs opens each of them anew and closes once: each paragraph of it is one span. Marks that
    never close (within 4,000 characters) open nothing.
    """
    spans = _double(text, start)
    starts = [span.start for span in spans]
    singles = []
    for span in _single(text, start):
        before = bisect_right(starts, span.start) - 1
        if before < 0 or spans[before].end <= span.start:
            singles.append(span)
    return sorted(spans + singles)


def _double(text: str, start: int) -> list[Span]:
    spans: list[Span] = []
    ends = {mark: _Ends(text, pattern) for mark, pattern in _ENDS.items() if mark in text}
    opening = _OPENING.search(text, start)
    while opening:
        end = _closing(text, ends[opening.group()], opening)
        if end is not None:
            spans += _paragraphs(text, opening.end(), end)
        opening = _OPENING.search(text, opening.end() if end is None else end + 1)
    return spans


class _Ends:
    """Where quotations of one kind may close or go over to the next paragraph, found once for the whole text."""

    def __init__(self, text: str, pattern: re.Pattern[str]) -> None:
        self.matches = list(pattern.finditer(text))
        self.starts = [match.start() for match in self.matches]

    def after(self, position: int) -> Iterator[re.Match[str]]:
        for number in range(bisect_left(self.starts, position), bisect_left(self.starts, position + _LONGEST)):
            yield self.matches[number]


def _closing(text: str, ends: _Ends, opening: re.Match[str]) -> int | None:
    """Where the quotation that begins here closes, or a paragraph ends that the next one goes on with."""
    for match in ends.after(opening.end()):
        if not match.group().isspace():
            return match.start()
        if text[match.end() : match.end() + 1] == opening.group():
            return match.start()  # the next paragraph opens the same quotation anew
        if opening.group() == '"':
            return None  # a straight mark that a paragraph does not close is an inch or a slip
    return None


def _paragraphs(text: str, start: int, end: int) -> list[Span]:
    found = []
    for piece in re.finditer(r"[^\n]+", text[start:end]):
        words = piece.group().strip()
        if words:
            begin = start + piece.start() + len(piece.group()) - len(piece.group().lstrip())
            found.append(Span(begin, begin + len(words)))
    return found


def _single(text: str, start: int) -> list[Span]:
    pattern = re.compile(r"(?<![\w’'])[‘'](?=[\w“(])(?!(?:n|em|til|tis|twas|cause)\b)([^‘\n]{2,1500}?[\w.,!?…)])[’'](?!\w)")
    return [Span(m.start(1), m.end(1)) for m in pattern.finditer(text, start)]
