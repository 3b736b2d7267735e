"""Full-text search in SPARQL: triples with `kg:matches` become VALUES of what the index found, before the engine sees the query.

`?thing kg:matches "words"`, `(?thing ?score) kg:matches ("words" 20)`; docs/search.md tells all forms. What is put in are whole
terms that the engine's own writer escapes, and the text to search for is a literal of the query's own or a bound parameter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

import pyoxigraph as ox

from kg.errors import QuerySyntaxError, UsageError
from kg.query.guard import Token, position
from kg.query.results import prefixes
from kg.query.search import KINDS, find_nodes
from kg.rdf.iris import Namespace
from kg.store import Store

__all__ = ["MOST_SEARCHES", "PROPERTIES", "expand", "misplaced"]

PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "matches": tuple(KINDS),
    "matchesName": ("entity",),
    "matchesSentence": ("sentence",),
    "matchesDocument": ("document",),
}
"""Property of the ontology's namespace → what it searches."""

MOST_SEARCHES = 16
"""Most of these triples in one query."""

_DEFAULT_MOST = 100
_ENDS = frozenset({".", "{", "}"})
_OPEN, _CLOSED = frozenset({"(", "[", "{"}), frozenset({")", "]", "}"})
_HINT = 'write ?thing kg:matches "words", or (?thing ?score) kg:matches ("words" 20); see docs/search.md'


@dataclass(frozen=True, slots=True)
class _Edit:
    """Characters from `start` to `end` become `text`."""

    start: int
    end: int
    text: str


def expand(store: Store, text: str, tokens: Sequence[Token], parameters: Mapping[str, ox.NamedNode | ox.Literal]) -> str:
    """The query with what the searches in it found; the query itself where there are none.

    Raises QuerySyntaxError, with line and column, for a search that is not written as docs/search.md says.
    """
    if not any("matches" in token.text for token in tokens if token.kind in ("name", "iri")):
        return text
    query = _Query(store.namespace, text, tokens, parameters)
    edits = [edit for number, kinds in query.searches() for edit in query.edits(store, number, kinds)]
    for edit in sorted(edits, key=lambda each: (each.start, each.end), reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def misplaced(text: str, tokens: Sequence[Token]) -> QuerySyntaxError:
    """What is wrong with a query that is SPARQL, but no longer where its searches are replaced."""
    place = next((token.start for token in tokens if token.kind in ("name", "iri") and "matches" in token.text), 0)
    line, column = position(text, place)
    return QuerySyntaxError(f"line {line}, column {column}: a search can't stand here", line=line, column=column, hint=_HINT)


class _Query:
    """One query, as its tokens."""

    def __init__(
        self, namespace: Namespace, text: str, tokens: Sequence[Token], parameters: Mapping[str, ox.NamedNode | ox.Literal]
    ) -> None:
        self.text, self.tokens, self.parameters = text, tokens, parameters
        self.properties = {namespace.term(name): kinds for name, kinds in PROPERTIES.items()}
        self.base, self.prefixes = namespace.base, dict(prefixes(namespace))
        self.statements: set[int] = set()
        self._declare()

    def _declare(self) -> None:
        """Takes BASE and PREFIX, wherever they stand; the query has them at its beginning only."""
        for number, token in enumerate(self.tokens):
            word = token.text.upper() if token.kind == "word" else ""
            after = self.tokens[number + 1 : number + 3]
            if word == "BASE" and after[:1] and after[0].kind == "iri":
                self.base = _resolved(self.base, after[0])
            elif word == "PREFIX" and len(after) == 2 and after[0].kind == "name" and after[1].kind == "iri":
                self.prefixes[after[0].text.partition(":")[0]] = _resolved(self.base, after[1])

    def _iri(self, token: Token) -> str:
        """The IRI that a token means, or nothing."""
        if token.kind == "iri":
            return _resolved(self.base, token)
        prefix, colon, local = token.text.partition(":")
        return self.prefixes.get(prefix, "") + local if token.kind == "name" and colon else ""

    def searches(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Tokens that are such a property in a pattern, with what each searches. In a template it is a property like any other."""
        depth, template, found = 0, False, 0
        before = ""
        for number, token in enumerate(self.tokens):
            if token.kind == "mark" and token.text in "{}":
                template = template or (depth == 0 and before == "CONSTRUCT")
                depth += 1 if token.text == "{" else -1
                template = template and depth > 0
            elif depth and not template and token.kind in ("name", "iri") and self._iri(token) in self.properties and before != "PREFIX":
                found += 1
                if found > MOST_SEARCHES:
                    raise self._fault(token, f"a query can search {MOST_SEARCHES} times", "ask in several queries")
                yield number, self.properties[self._iri(token)]
            before = token.text.upper() if token.kind == "word" else token.text

    # -- one search --------------------------------------------------------------------------------------------

    def edits(self, store: Store, number: int, kinds: tuple[str, ...]) -> Iterator[_Edit]:
        """VALUES before the statement, and the statement without the search."""
        token = self.tokens[number]
        begin = self._statement(number)
        first, names = self._subject(begin, token)
        if number != first and self.tokens[number - 1].text != ";":
            raise self._fault(token, f"{token.text} can't stand here", _HINT)
        if begin in self.statements:
            raise self._fault(token, "one statement can search once", "begin another one with a full stop")
        self.statements.add(begin)
        words, most, last = self._object(number, token)
        try:
            found = find_nodes(store, words, kinds=kinds, most=most)
        except UsageError as error:
            raise self._fault(token, error.message, error.hint) from error
        start = self.tokens[begin].start
        yield _Edit(start, start, f" VALUES {_values(names, found)} ")
        alone = number == first
        after = self.tokens[last + 1] if last + 1 < len(self.tokens) else None
        if after is not None and after.text == ",":
            raise self._fault(after, f"{token.text} takes one text", _HINT)
        if alone and after is not None and after.text == ";":
            if len(names) > 1:
                raise self._fault(after, "nothing can follow a search with a score in one statement", "begin another one with a full stop")
            yield _Edit(token.start, after.start + 1, "")
        elif alone:
            yield _Edit(start, self._end(last), "")
        else:
            yield _Edit(token.start, self._end(last), "")

    def _statement(self, number: int) -> int:
        """Number of the token with which the statement begins: behind the last full stop or brace, past filters."""
        depth, begin = 0, number
        while begin > 0:
            before = self.tokens[begin - 1]
            if depth == 0 and before.kind == "mark" and before.text in _ENDS:
                break
            if before.kind == "mark":
                depth += (before.text in _CLOSED) - (before.text in _OPEN)
            if depth < 0:
                raise self._fault(self.tokens[number], f"{self.tokens[number].text} can't stand inside brackets", _HINT)
            begin -= 1
        while self.tokens[begin].kind == "word" and self.tokens[begin].text.upper() in ("FILTER", "BIND"):
            while begin < number and self.tokens[begin].text != "(":
                begin += 1
            begin = self._behind(begin)
        return begin

    def _behind(self, number: int) -> int:
        """Number of the token behind the bracket that opens here."""
        depth = 0
        for here in range(number, len(self.tokens)):
            depth += (self.tokens[here].text in _OPEN) - (self.tokens[here].text in _CLOSED) if self.tokens[here].kind == "mark" else 0
            if depth == 0:
                return here + 1
        return len(self.tokens) - 1

    def _subject(self, begin: int, token: Token) -> tuple[int, tuple[str, ...]]:
        """Number of the token behind the subject, and its one or two variables."""
        here = self.tokens[begin]
        if here.kind == "variable":
            return begin + 1, (here.text[1:],)
        end = self._behind(begin) if here.text == "(" else begin
        inside = self.tokens[begin + 1 : end - 1]
        if len(inside) != 2 or any(each.kind != "variable" for each in inside):
            raise self._fault(token, f"{token.text} needs a variable before it", _HINT)
        return end, (inside[0].text[1:], inside[1].text[1:])

    def _object(self, number: int, token: Token) -> tuple[str, int, int]:
        """The text, how many hits at most, and the number of the object's last token."""
        here = number + 1
        listed = here < len(self.tokens) and self.tokens[here].text == "("
        end = self._behind(here) if listed else here + 1
        inside = list(self.tokens[here + 1 : end - 1]) if listed else list(self.tokens[here:end])
        most, last = _DEFAULT_MOST, end - 1
        if listed and len(inside) == 2 and inside[1].kind == "number" and inside[1].text.isdecimal():
            most = int(inside.pop().text[:9])
        if len(inside) != 1:
            raise self._fault(token, f"{token.text} needs a text after it", _HINT)
        if not listed and end < len(self.tokens) and self.tokens[end].kind == "language":
            last = end
        return self._text(inside[0], token), most, last

    def _text(self, token: Token, search: Token) -> str:
        if token.kind == "variable":
            value = self.parameters.get(token.text[1:])
            if isinstance(value, ox.Literal):
                return value.value
            raise self._fault(search, f"{search.text} takes a text, not the variable {token.text}", _HINT)
        if token.kind == "string":
            try:
                (quad,) = ox.parse(f"<x:x> <x:x> {token.text} .", format=ox.RdfFormat.TURTLE)
            except (SyntaxError, ValueError):
                raise self._fault(token, "this string has an escape that is none", "mend the query there") from None
            return quad.object.value if isinstance(quad.object, ox.Literal) else ""
        raise self._fault(search, f"{search.text} needs a text after it", _HINT)

    def _end(self, number: int) -> int:
        return self.tokens[number].start + len(self.tokens[number].text)

    def _fault(self, token: Token, message: str, hint: str) -> QuerySyntaxError:
        line, column = position(self.text, token.start)
        return QuerySyntaxError(f"line {line}, column {column}: {message}", line=line, column=column, hint=hint)


def _resolved(base: str, token: Token) -> str:
    """The IRI of a token, with the empty fragment that `urljoin` would drop."""
    reference = token.text[1:-1]
    return urljoin(base, reference) + "#" * reference.endswith("#")


def _values(names: tuple[str, ...], found: Sequence[tuple[str, float]]) -> str:
    """A VALUES block of what was found, for the node or for node and score."""
    decimal = ox.NamedNode("http://www.w3.org/2001/XMLSchema#decimal")
    rows = [(ox.NamedNode(iri), ox.Literal(f"{score:.4f}", datatype=decimal)) for iri, score in found]
    lines = " ".join(f"({' '.join(str(term) for term in row[: len(names)])})" for row in rows)
    return f"({' '.join(f'?{name}' for name in names)}) {{ {lines} }}"
