"""Runs a SPARQL query on a store, within bounds, with parameters that can't change what it asks."""

from __future__ import annotations

import io
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pyoxigraph as ox

from kg.errors import QuerySyntaxError, UsageError
from kg.query.answer import Answer, Solutions, engine_errors
from kg.query.federate import allowed_services, check_addresses, narrow_services
from kg.query.guard import Token, check, is_plain, iter_tokens, position
from kg.query.matching import expand, misplaced
from kg.query.mend import mend
from kg.query.results import Results, prefixes
from kg.rdf.iris import Namespace
from kg.settings import Settings
from kg.store import Store

__all__ = ["Dataset", "Value", "answer_query", "evaluate", "run_query"]

Value = ox.NamedNode | ox.Literal
"""What a parameter can be."""

_NONE: Mapping[str, Value] = MappingProxyType({})
_PLACE = re.compile(r"error at (\d+):(\d+):")
_PADDING = " " * 40
_SENTENCE = re.compile(r"\b(?!OF\b)[A-Z][A-Za-z]*(?: [^\s,\"'\[\]]+){2,}")


Graphs = Sequence[ox.NamedNode]
"""Names of graphs, as the SPARQL protocol lets a request give them."""

_DEFAULTS = Settings()


def run_query(
    store: Store,
    text: str,
    *,
    settings: Settings,
    parameters: Mapping[str, Value] = _NONE,
    default_graphs: Graphs | None = None,
    named_graphs: Graphs | None = None,
) -> Results:
    """The answer of a query, held in memory and sorted.

    Relative IRIs and undeclared well-known prefixes are understood. Graphs that are given go before FROM in the query.
    Raises QuerySyntaxError with line and column of `text`, QueryTooLong, QueryTooDeep, QueryRefused for LOAD, and for SERVICE that
    the settings don't allow, UsageError for an update, ResultTooLarge for more rows or bytes than the settings allow, ServiceFailed.
    """
    options = Dataset(default_graphs, named_graphs)
    answer = answer_query(store, text, settings=settings, parameters=parameters, dataset=options)
    stream = io.BytesIO()
    answer.write("ntriples" if answer.form == "graph" else "tsv", stream, settings=settings)
    content = stream.getvalue()
    if answer.form == "graph":
        content = b"".join(sorted(set(content.splitlines(keepends=True))))
    elif answer.form == "rows" and not _is_ordered(text):
        content = _sorted_rows(content)
    return Results(answer.form, content, store.namespace)


@dataclass(frozen=True, slots=True)
class Dataset:
    """The graphs that a query sees: merged to the default graph, and as named graphs. Both None: the store's own.

    Where only one of them is given, the other is empty (SPARQL 1.1 Protocol, section 2.1.4).
    """

    default: Graphs | None = None
    named: Graphs | None = None

    def options(self) -> dict[str, Any]:
        """What the engine takes."""
        if self.default is None and self.named is None:
            return {}
        return {"default_graph": list(self.default or ()), "named_graphs": list(self.named or ())}


WHOLE = Dataset()


def answer_query(
    store: Store, text: str, *, settings: Settings, parameters: Mapping[str, Value] = _NONE, dataset: Dataset = WHOLE
) -> Answer:
    """The answer of a query, to be written as it comes. Raises what run_query raises, here or while it is written."""
    solutions, reaches_out = _asked(store, text, settings, parameters, dataset)
    return Answer(solutions, store.namespace, reaches_out)


def evaluate(
    store: Store, text: str, *, parameters: Mapping[str, Value] = _NONE, settings: Settings = _DEFAULTS, dataset: Dataset = WHOLE
) -> Solutions:
    """The engine's own answer, without a limit of rows."""
    return _asked(store, text, settings, parameters, dataset)[0]


def _asked(store: Store, text: str, settings: Settings, parameters: Mapping[str, Value], dataset: Dataset) -> tuple[Solutions, bool]:
    """What the engine answers, and whether the query asks other services. This is the one place where a query meets the engine."""
    if not parameters and is_plain(text) and "matches" not in text:
        return _solved(store, _Bound(text, text), dataset.options()), False
    services = allowed_services(settings.services)
    tokens = check(text, services=services, longest=settings.query_characters)
    reaches_out = bool(services) and any(token.kind == "word" and token.text.upper() == "SERVICE" for token in tokens)
    if reaches_out:
        check_addresses(tokens)
    options = dataset.options()
    expanded = _expanded(store, text, tokens, parameters)
    bound = _bound(expanded, tokens if expanded is text else list(iter_tokens(expanded)), parameters)
    told = bound.text
    if reaches_out:
        told = narrow_services(told, list(iter_tokens(told)), lambda ask: _terms(store, ask, options))
    mended = mend(told, tokens if told is text else list(iter_tokens(told)), lambda ask: _terms(store, ask, options))
    if mended is not bound.text:
        try:
            with engine_errors(reaches_out):
                return _engine(store, mended, options), reaches_out
        except SyntaxError:
            pass  # what is wrong is told of the text that was given
    try:
        return _solved(store, bound, options, reaches_out), reaches_out
    except QuerySyntaxError:
        if expanded is text:
            raise
    raise _fault_of(store, text, tokens, parameters) or misplaced(text, tokens)


def _expanded(store: Store, text: str, tokens: Sequence[Token], parameters: Mapping[str, Value]) -> str:
    """The query with what its searches found; the very same text where it has none."""
    try:
        expanded = expand(store, text, tokens, parameters)
    except QuerySyntaxError as error:
        raise _fault_of(store, text, tokens, parameters) or error from None
    return text if expanded == text else expanded


def _fault_of(store: Store, text: str, tokens: Sequence[Token], parameters: Mapping[str, Value]) -> QuerySyntaxError | None:
    """What is wrong with the query with its searches still in it, which are triples to the engine; None where it parses."""
    bound = _bound(text, tokens, parameters)
    try:
        ox.Store().query(bound.text, base_iri=store.namespace.base, prefixes=prefixes(store.namespace))
    except SyntaxError as error:
        return _explained(store, bound, str(error))
    return None


def _engine(store: Store, text: str, options: Mapping[str, Any]) -> Solutions:
    used = {name: iri for name, iri in prefixes(store.namespace).items() if f"{name}:" in text}  # each costs the engine a microsecond
    return store.graph.query(text, base_iri=store.namespace.base, prefixes=used, **options)


def _solved(store: Store, bound: _Bound, options: Mapping[str, Any], reaches_out: bool = False) -> Solutions:
    try:
        with engine_errors(reaches_out):
            return _engine(store, bound.text, options)
    except SyntaxError as error:
        raise _explained(store, bound, str(error)) from error


def _terms(store: Store, text: str, options: Mapping[str, Any]) -> list[str]:
    """One column as SPARQL writes it; for ASK one term or none. Nothing where the engine can't read the text: its query is wrong too."""
    try:
        with engine_errors():
            found = _engine(store, text, options)
            if isinstance(found, ox.QuerySolutions):
                return [str(row[0]) for row in found]
            return ["true"] if isinstance(found, ox.QueryBoolean) and found else []
    except SyntaxError:
        return []


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
