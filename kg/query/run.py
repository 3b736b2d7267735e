"""Runs a SPARQL query on a store, within bounds, with parameters that can't change what it asks."""

from __future__ import annotations

import io
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pyoxigraph as ox

from kg.errors import QuerySyntaxError, StoreError, UsageError
from kg.query.guard import Token, check, iter_tokens, position
from kg.query.matching import expand, misplaced
from kg.query.results import Results, prefixes
from kg.rdf.iris import Namespace
from kg.settings import Settings
from kg.store import Store

__all__ = ["Value", "evaluate", "run_query"]

Value = ox.NamedNode | ox.Literal
"""What a parameter can be."""

_NONE: Mapping[str, Value] = MappingProxyType({})
_PLACE = re.compile(r"error at (\d+):(\d+):")
_PADDING = " " * 40
_SENTENCE = re.compile(r"\b(?!OF\b)[A-Z][A-Za-z]*(?: [^\s,\"'\[\]]+){2,}")


def run_query(store: Store, text: str, *, settings: Settings, parameters: Mapping[str, Value] = _NONE) -> Results:
    """The answer of a query.

    Relative IRIs and undeclared well-known prefixes are understood. Raises QuerySyntaxError with line and column of `text`,
    UsageError for an update, SERVICE, LOAD, and for an answer of more rows than the settings allow.
    """
    solutions = evaluate(store, text, parameters=parameters)
    with _engine_errors():
        if isinstance(solutions, ox.QueryBoolean):
            return Results("boolean", b"true" if solutions else b"false", store.namespace)
        sink = _Sink(settings.query_rows + isinstance(solutions, ox.QuerySolutions))
        try:
            if isinstance(solutions, ox.QuerySolutions):
                solutions.serialize(sink, format=ox.QueryResultsFormat.TSV)
            else:
                solutions.serialize(sink, format=ox.RdfFormat.N_TRIPLES)
        except _Full as full:
            raise UsageError(
                f"the answer has more than {settings.query_rows:,} rows", hint="narrow it or add LIMIT, or raise the setting query_rows"
            ) from full
    content = sink.getvalue()
    if isinstance(solutions, ox.QueryTriples):
        return Results("graph", b"".join(sorted(set(content.splitlines(keepends=True)))), store.namespace)
    return Results("rows", content if _is_ordered(text) else _sorted_rows(content), store.namespace)


def evaluate(store: Store, text: str, *, parameters: Mapping[str, Value] = _NONE) -> ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples:
    """The engine's own answer, without a limit of rows. This is the one place where a query meets the engine."""
    tokens = check(text)
    try:
        expanded = expand(store, text, tokens, parameters)
    except QuerySyntaxError:
        plain = _bound(text, tokens, parameters)
        if reason := _fault_of(store, plain):
            raise _explained(store, plain, reason) from None
        raise
    bound = _bound(expanded, tokens if expanded == text else list(iter_tokens(expanded)), parameters)
    with _engine_errors():
        try:
            return store.graph.query(bound.text, base_iri=store.namespace.base, prefixes=prefixes(store.namespace))
        except SyntaxError as error:
            reason = str(error)
        if expanded != text:
            bound = _bound(text, tokens, parameters)
            reason = _fault_of(store, bound)
        raise _explained(store, bound, reason) if reason else misplaced(text, tokens)


def _fault_of(store: Store, bound: _Bound) -> str:
    """What the engine says of the query with its searches still in it, which are triples to it; nothing where it parses."""
    try:
        ox.Store().query(bound.text, base_iri=store.namespace.base, prefixes=prefixes(store.namespace))
    except SyntaxError as error:
        return str(error)
    return ""


# -- parameters ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Bound:
    """A query with a VALUES clause put in at `offset`, `length` characters long."""

    text: str
    original: str
    offset: int = 0
    length: int = 0


def _bound(text: str, tokens: Sequence[Token], parameters: Mapping[str, Value]) -> _Bound:
    return _bind(text, tokens, parameters) if parameters else _Bound(text, text)


def _bind(text: str, tokens: Sequence[Token], parameters: Mapping[str, Value]) -> _Bound:
    """Joins the parameters to the query's outermost group, as VALUES of whole terms that the engine's own writer escapes."""
    for name, value in parameters.items():
        if not re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII) or not isinstance(value, ox.NamedNode | ox.Literal):
            raise UsageError(f"{name} = {value!r} can't be a parameter", hint="a name of letters and digits, an IRI or a literal")
    names = sorted(parameters)
    clause = f" VALUES ({' '.join(f'?{name}' for name in names)}) {{ ({' '.join(str(parameters[name]) for name in names)}) }} "
    offset = _group(tokens)
    return _Bound(text[:offset] + clause + text[offset:], text, offset, len(clause))


def _group(tokens: Sequence[Token]) -> int:
    """Where the outermost group begins: behind its brace, past the template of CONSTRUCT."""
    depth, template = 0, False
    for number, token in enumerate(tokens):
        if depth == 0 and token.kind == "word" and token.text.upper() == "CONSTRUCT":
            template = tokens[number + 1 : number + 2] != [] and tokens[number + 1].text == "{"
            if not template:
                break
        if token.kind != "mark" or token.text not in "{}":
            continue
        if token.text == "{" and depth == 0 and not template:
            if tokens[number + 1 : number + 2] != [] and tokens[number + 1].text.upper() == "SELECT":
                break
            return token.start + 1
        depth += 1 if token.text == "{" else -1
        template = template and depth > 0
    raise UsageError("this form of query takes no parameters", hint="it needs WHERE { … } that doesn't begin with SELECT")


# -- answers -------------------------------------------------------------------------------------------------------


class _Full(Exception):
    """More lines came than are allowed."""


class _Sink(io.BytesIO):
    """Collects what the engine writes, one line a row, and stops it past a number of lines."""

    def __init__(self, lines: int) -> None:
        super().__init__()
        self.left = lines

    def write(self, part: Any) -> int:
        """Takes a part."""
        self.left -= part.count(b"\n")
        if self.left < 0:
            raise _Full
        return super().write(part)


def _is_ordered(text: str) -> bool:
    """Whether the query itself, not only a query inside it, orders its rows."""
    depth, before = 0, ""
    for token in iter_tokens(text):
        depth += (token.text == "{") - (token.text == "}") if token.kind == "mark" else 0
        word = token.text.upper() if token.kind == "word" else ""
        if depth == 0 and (before, word) == ("ORDER", "BY"):
            return True
        before = word
    return False


def _sorted_rows(content: bytes) -> bytes:
    header, *lines = content.split(b"\n")[:-1]
    return b"".join(line + b"\n" for line in (header, *sorted(lines)))


# -- errors --------------------------------------------------------------------------------------------------------


@contextmanager
def _engine_errors() -> Iterator[None]:
    """Errors of the engine become errors of the tree."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        raise StoreError(f"the query could not be run: {' '.join(str(error).split())}", hint="`kg doctor` checks the store") from error


def _explained(store: Store, bound: _Bound, reason: str) -> QuerySyntaxError:
    """What is wrong with the user's own text, in one line.

    The engine tells how far it looked ahead, which is behind the fault, so the fault is sought anew.
    """
    tokens = list(iter_tokens(bound.text))
    good = _viable_tokens(store.namespace, bound.text, tokens)
    sentence = _SENTENCE.search(reason)
    here = tokens[good] if good < len(tokens) else tokens[-1] if sentence and tokens else None
    opened = next((token for token in tokens if token.kind == "mark" and token.text in "\"'"), None)
    if opened and (here is None or opened.start <= here.start):
        here, message = opened, "the string that begins here is not closed"
    elif sentence:
        message = sentence[0][0].lower() + sentence[0][1:] if sentence[0][1].islower() else sentence[0]
        message = f"{_quoted(here.text)}: {message}" if here and good < len(tokens) else message
    else:
        message = f"{_quoted(here.text)} is not expected here" if here else "the query ends too early"
    offset = here.start if here else len(bound.text.rstrip())
    if offset > bound.offset:
        offset = max(offset - bound.length, bound.offset)
    line, column = position(bound.original, offset)
    return QuerySyntaxError(f"line {line}, column {column}: {message}", line=line, column=column, hint="mend the query there")


def _viable_tokens(namespace: Namespace, text: str, tokens: Sequence[Token]) -> int:
    """How many tokens a query that doesn't parse can begin with: what is cut off there only lacks its end."""
    nothing, known = ox.Store(), prefixes(namespace)

    def viable(number: int) -> bool:
        end = tokens[number - 1].start + len(tokens[number - 1].text)
        try:
            nothing.query(text[:end] + _PADDING, base_iri=namespace.base, prefixes=known)
        except SyntaxError as error:
            match = _PLACE.match(str(error))
            lines = text[:end].count("\n") + 1
            last = end - (text.rfind("\n", 0, end) + 1)
            return match is not None and (int(match[1]), int(match[2])) >= (lines, last + len(_PADDING))
        return True

    return bisect_left(range(1, len(tokens) + 1), True, key=lambda number: not viable(number))


def _quoted(text: str) -> str:
    short = " ".join(text.split())
    return f"“{short if len(short) <= 40 else short[:39] + '…'}”"
