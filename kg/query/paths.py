"""Property paths, read from tokens: which of them may have length zero, and how often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kg.query.guard import Token

__all__ = ["EmptyPath", "shortest_paths"]

_ENDS = frozenset({".", "}", "{"})
_CONSTANTS = ("iri", "name")


@dataclass(frozen=True, slots=True)
class EmptyPath:
    """A triple pattern, tokens `start` to `end`, whose path may be empty and has a constant at one end or the same at both.

    `ways` is how many solutions an empty path gives (alternatives add up); `variable` is empty where both ends are constant.
    """

    start: int
    end: int
    constant: str
    variable: str
    ways: int


def shortest_paths(tokens: Sequence[Token], partners: Mapping[int, int]) -> Iterator[EmptyPath]:
    """Every triple pattern by itself (no ``;`` or ``,``: its other triples would have the constant in them) with such a path."""
    seen = set()
    for number, token in enumerate(tokens):
        if token.kind == "mark" and token.text in ("*", "?"):
            start = _start(tokens, partners, number)
            if start is not None and start not in seen:
                seen.add(start)
                found = _pattern(tokens, start)
                if found is not None:
                    yield found


def _start(tokens: Sequence[Token], partners: Mapping[int, int], number: int) -> int | None:
    """Where the pattern around a modifier begins: behind a brace, a full stop or a constraint."""
    jumped = None
    while number > 0:
        number -= 1
        token = tokens[number]
        if token.kind == "mark" and token.text in ("{", "}", "."):
            return number + 1
        if token.kind == "word" and token.text != "a":
            return jumped
        if token.kind == "mark" and token.text == ")":
            if number not in partners:
                return None
            jumped = number + 1
            number = partners[number]
    return None


def _pattern(tokens: Sequence[Token], start: int) -> EmptyPath | None:
    reader = _Reader(tokens, start + 1)
    ways = reader.alternative()
    end = reader.number + 1
    if not ways or end > len(tokens):
        return None
    after = tokens[end] if end < len(tokens) else None
    if after is None or not (after.kind == "word" or (after.kind == "mark" and after.text in _ENDS)):
        return None
    first, last = tokens[start], tokens[end - 1]
    if first.text.startswith("_:") or last.text.startswith("_:"):
        return None
    if first.kind in _CONSTANTS and last.kind == "variable":
        return EmptyPath(start, end, first.text, last.text, ways)
    if first.kind == "variable" and last.kind in _CONSTANTS:
        return EmptyPath(start, end, last.text, first.text, ways)
    if first.kind in _CONSTANTS and first.text == last.text:
        return EmptyPath(start, end, first.text, "", ways)
    return None


class _Reader:
    """Reads a path from a token on (SPARQL 1.1, grammar rules 88 to 96). Each method gives how often it may be empty, None for no path."""

    def __init__(self, tokens: Sequence[Token], number: int) -> None:
        self.tokens = tokens
        self.number = number

    def _is(self, *marks: str) -> bool:
        here = self.tokens[self.number] if self.number < len(self.tokens) else None
        return here is not None and here.kind == "mark" and here.text in marks

    def alternative(self) -> int | None:
        """Sequences, of which any may be taken."""
        total = self._sequence()
        while total is not None and self._is("|"):
            self.number += 1
            more = self._sequence()
            total = None if more is None else total + more
        return total

    def _sequence(self) -> int | None:
        product = self._element()
        while product is not None and self._is("/"):
            self.number += 1
            more = self._element()
            product = None if more is None else product * more
        return product

    def _element(self) -> int | None:
        if self._is("^"):
            self.number += 1
        ways = self._primary()
        if ways is not None and self._is("*", "?", "+"):
            ways = min(ways, 1) if self._is("+") else 1
            self.number += 1
        return ways

    def _primary(self) -> int | None:
        if self._is("("):
            self.number += 1
            ways = self.alternative()
            if not self._is(")"):
                return None
        elif self._is("!"):
            self.number += 1
            ways = None if self._primary() is None else 0
            self.number -= 1
        elif self.number < len(self.tokens) and (self.tokens[self.number].kind in _CONSTANTS or self.tokens[self.number].text == "a"):
            ways = 0
        else:
            return None
        self.number += 1
        return ways
