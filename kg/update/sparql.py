"""SPARQL 1.1 Update as differences of quads. The engine parses and asks; what is to change is computed here and written once."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, cast

import pyoxigraph as ox

from kg.errors import InputError, LoadFailed, QuerySyntaxError, StoreError, UsageError
from kg.query.guard import Token, check_update, position
from kg.query.results import prefixes
from kg.query.run import evaluate
from kg.rdf.iris import Namespace
from kg.settings import Settings
from kg.store import Store
from kg.update.content import parsed
from kg.update.load import Fetch, fetcher
from kg.update.pending import GraphName, Pending
from kg.update.template import Template

__all__ = ["Using", "run_update"]

_DEFAULT = ox.DefaultGraph()
_PLACE = re.compile(r"error at (\d+):(\d+): ?(.*)", re.DOTALL)
_PROLOGUE = {"BASE": 2, "PREFIX": 3, "VERSION": 2}
_PATTERNS = frozenset({"WITH", "INSERT", "DELETE"})


@dataclass(frozen=True, slots=True)
class Using:
    """The graphs that an operation's pattern sees (SPARQL 1.1 Update, section 3.1.3): the default graph is joined of `default`.

    None stands for what the store has: its default graph, all its named graphs.
    """

    default: tuple[GraphName, ...] | None = None
    named: tuple[ox.NamedNode, ...] | None = None

    @property
    def is_given(self) -> bool:
        """Whether anything is named."""
        return self.default is not None or self.named is not None


@dataclass(slots=True)
class _Operation:
    """One operation of a request: its tokens, and the text with all prologues before it."""

    source: str
    prologue: str
    tokens: list[Token] = field(default_factory=list)

    @property
    def words(self) -> list[str]:
        """Its keywords and other tokens in upper case."""
        return [token.text.upper() for token in self.tokens]

    def cut(self, first: int, last: int) -> str:
        """The source from one token to another, both included."""
        return self.source[self.tokens[first].start : self.tokens[last].start + len(self.tokens[last].text)]

    @property
    def text(self) -> str:
        """The operation as a request of its own."""
        return self.prologue + self.cut(0, len(self.tokens) - 1)


def run_update(store: Store, text: str, *, using: Using | None = None, fetch: Fetch | None = None) -> Pending:
    """What an update request changes, as one net difference; the store is not touched.

    Each operation sees the effects of those before it. A pattern's solutions, with RAND, UUID and NOW in them, are computed once.
    LOAD asks `fetch` for the document, by default one that refuses all. Raises QuerySyntaxError with line and column, QueryRefused
    for LOAD and SERVICE, LoadFailed for a LOAD that is let through and fails without SILENT, UsageError for a graph that COPY, MOVE
    or ADD do not find and one that CREATE finds, and where `using` meets USING or WITH in the text (SPARQL 1.1 Protocol, section 2.2.3).
    """
    pending = Pending(store)
    request = _Request(pending, text, using or Using(), fetch or fetcher(Settings()))
    for operation in list(_operations(text, check_update(text))):  # a stray semicolon is found before anything runs
        request.run(operation)
    return pending


def _operations(text: str, tokens: Sequence[Token]) -> Iterator[_Operation]:
    """The request cut at its outermost semicolons; the last part may be empty or a prologue alone."""
    prologue, depth, number = "", 0, 0
    current: list[Token] = []
    while number < len(tokens):
        token = tokens[number]
        word = token.text.upper()
        if not current and token.kind == "word" and word in _PROLOGUE:
            length = _PROLOGUE[word]
            last = tokens[min(number + length, len(tokens)) - 1]
            prologue += text[token.start : last.start + len(last.text)] + "\n"
            number += length
            continue
        depth += (token.text == "{") - (token.text == "}") if token.kind == "mark" else 0
        if token.text == ";" and token.kind == "mark" and depth <= 0:
            if not current:
                raise _fault(text, token.start, "“;” is not expected here")
            yield _Operation(text, prologue, current)
            current = []
        else:
            current.append(token)
        number += 1
    if current or prologue:
        yield _Operation(text, prologue, current)


def _fault(text: str, offset: int, message: str) -> QuerySyntaxError:
    line, column = position(text, offset)
    return QuerySyntaxError(f"line {line}, column {column}: {message}", line=line, column=column, hint="mend the update there")


class _Request:
    """A request while it is computed: blank node labels of DATA blocks may not be used in two of them."""

    def __init__(self, pending: Pending, text: str, using: Using, fetch: Fetch) -> None:
        self.fetch = fetch
        self.pending = pending
        self.text = text
        self.using = using
        self.namespace: Namespace = pending.store.namespace
        self.known = dict(prefixes(self.namespace))
        self.labels: set[str] = set()

    def run(self, operation: _Operation) -> None:
        """Adds the operation's effect to the change."""
        if not operation.tokens:
            self._engine(operation.prologue + "INSERT DATA {}")
            return
        verb, *rest = operation.words
        following = rest[0] if rest else ""
        if verb in ("INSERT", "DELETE") and following == "DATA":
            self._data(operation, verb)
        elif verb == "DELETE" and following == "WHERE":
            self._engine(operation.text)
            group = operation.cut(2, len(operation.tokens) - 1)
            self._solve(operation, group, self.using, (Template(self._template(operation, 2), _DEFAULT), None))
        elif verb in _PATTERNS:
            self._modify(operation)
        elif verb == "LOAD":
            self._load(operation)
        else:
            self._engine(operation.text)
            self._manage(operation, verb)

    # -- the engine as a parser --------------------------------------------------------------------------------

    def _engine(self, text: str) -> ox.Store:
        """What a request makes of an empty dataset; raises QuerySyntaxError where it doesn't parse."""
        scratch = ox.Store()
        try:
            scratch.update(text, base_iri=self.namespace.base, prefixes=self.known)
        except SyntaxError as error:
            raise self._explained(str(error)) from error
        except (OSError, RuntimeError, ValueError):
            pass  # it parsed: there is no graph to drop or copy in an empty dataset
        return scratch

    def _explained(self, reason: str) -> QuerySyntaxError:
        """The error with its place in the whole request, which the engine doesn't run since it doesn't parse.

        Should it parse after all, it must not reach outside: a request with such words is not read again.
        """
        try:
            if not re.search("load|service", self.text, re.IGNORECASE):
                ox.Store().update(self.text, base_iri=self.namespace.base, prefixes=self.known)
        except SyntaxError as error:
            reason = str(error)
        except (OSError, RuntimeError, ValueError):
            pass
        match = _PLACE.match(reason)
        message = " ".join((match[3] if match else reason).split())
        if not match:
            return QuerySyntaxError(f"the update does not parse: {message}", hint="mend the update")
        line, column = int(match[1]), int(match[2])
        return QuerySyntaxError(f"line {line}, column {column}: {message}", line=line, column=column, hint="mend the update there")

    # -- data --------------------------------------------------------------------------------------------------

    def _data(self, operation: _Operation, verb: str) -> None:
        labels = {token.text for token in operation.tokens if token.kind == "name" and token.text.startswith("_:")}
        if labels & self.labels:
            label = min(labels & self.labels)
            place = next(token.start for token in operation.tokens if token.text == label)
            raise _fault(self.text, place, f"{label} is a blank node of another operation, and can't be in two")
        self.labels |= labels
        if verb == "INSERT":
            self.pending.change((), self._engine(operation.text))
            return
        self._engine(operation.text)
        self.pending.change(self._engine(f"{operation.prologue}INSERT {operation.cut(1, len(operation.tokens) - 1)}"), ())

    # -- patterns ----------------------------------------------------------------------------------------------

    def _modify(self, operation: _Operation) -> None:
        """[WITH] [DELETE] [INSERT] [USING …] WHERE (SPARQL 1.1 Update, section 3.1.3)."""
        clauses = _clauses(operation)
        if clauses is None:
            self._engine(operation.text)
            raise _fault(self.text, operation.tokens[0].start, "the update does not parse")
        start, end = clauses["WHERE"][0]
        self._engine(f"{operation.prologue}{operation.cut(0, start - 1)} {{}} {_rest(operation, end)}")
        with_graph = self._graph(operation, clauses["WITH"][0][0]) if clauses["WITH"] else None
        using = self._using(operation, clauses, with_graph)
        target = with_graph or _DEFAULT
        templates = [
            Template(self._template(operation, clauses[name][0][0]), target) if clauses[name] else None for name in ("DELETE", "INSERT")
        ]
        self._solve(operation, operation.cut(start, end), using, (templates[0], templates[1]))

    def _using(self, operation: _Operation, clauses: Mapping[str, list[tuple[int, int]]], with_graph: ox.NamedNode | None) -> Using:
        own = bool(clauses["USING"] or clauses["NAMED"])
        if self.using.is_given and (own or with_graph is not None):
            raise UsageError(
                "the graphs are named in the request's parameters and by USING or WITH in the update",
                hint="name them in one of the two places",
            )
        if own:
            default, named = (tuple(self._graph(operation, place) for place, _ in clauses[name]) for name in ("USING", "NAMED"))
            return Using(default, named)
        return Using((with_graph,)) if with_graph is not None else self.using

    def _template(self, operation: _Operation, first: int) -> tuple[list[ox.Quad], dict[str, str]]:
        """The quads of the template whose brace is this token, with IRIs in place of variables, and which variable each stands for."""
        last = _closing(operation.tokens, first)
        start = operation.tokens[first].start
        mark, parts, names = f"urn:uuid:{uuid.uuid4()}:", [], {}
        for token in operation.tokens[first : last + 1]:
            if token.kind == "variable":
                names[mark + token.text[1:]] = token.text[1:]
                parts += [operation.source[start : token.start], f"<{mark}{token.text[1:]}>"]
                start = token.start + len(token.text)
        end = operation.tokens[last].start + 1
        text = "".join((*parts, operation.source[start:end]))
        return list(self._engine(f"{operation.prologue}INSERT DATA {text}")), names

    def _solve(self, operation: _Operation, group: str, using: Using, templates: tuple[Template | None, Template | None]) -> None:
        delete, insert = templates
        names = sorted({name for template in templates if template for name in template.variables})
        fresh = insert is not None and insert.has_blank
        head = " ".join(f"?{name}" for name in names) or f"(1 AS ?{_unused(group)})"
        text = f"{operation.prologue}SELECT {'' if fresh else 'DISTINCT '}{head} WHERE {group}"
        with self.pending.outlook() as graph:
            removed, added = self._filled(self._ask(graph, text, using), names, delete, insert)
            del graph
        self.pending.change(removed, added)

    @staticmethod
    def _filled(
        solutions: ox.QuerySolutions, names: list[str], delete: Template | None, insert: Template | None
    ) -> tuple[set[ox.Quad], set[ox.Quad]]:
        """What the templates become for all solutions."""
        removed: set[ox.Quad] = set()
        added: set[ox.Quad] = set()
        try:
            for solution in solutions:
                values = {name: solution[name] for name in names}
                if delete is not None:
                    removed.update(delete.quads(values))
                if insert is not None:
                    added.update(insert.quads(values))
        except (OSError, RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise StoreError(f"the update could not be run: {reason}", hint="`kg doctor` checks the store") from error
        return removed, added

    def _ask(self, graph: ox.Store, text: str, using: Using) -> ox.QuerySolutions:
        narrowed = _Narrowed(graph, self.namespace, using)
        try:
            return cast(ox.QuerySolutions, evaluate(cast(Store, narrowed), text))
        except QuerySyntaxError as error:
            raise self._explained(error.message) from error

    # -- whole graphs ------------------------------------------------------------------------------------------

    def _manage(self, operation: _Operation, verb: str) -> None:
        """CLEAR, DROP, CREATE, COPY, MOVE, ADD (SPARQL 1.1 Update, section 3.2)."""
        words = operation.words
        silent = words[1] == "SILENT"
        first = 1 + silent
        if verb in ("CLEAR", "DROP"):
            self.pending.change(list(self._covered(operation, first)), ())
        elif verb == "CREATE":
            name = self._graph(operation, first + 1)
            if not silent and self.pending.is_known(name):
                raise UsageError(f"the graph {name} is there already", hint="leave CREATE out, or write CREATE SILENT")
        else:
            middle = next(number for number in range(first + 1, len(words)) if words[number] == "TO")
            ends = [self._end(operation, first), self._end(operation, middle + 1)]
            self._transfer(verb, ends[0], ends[1], silent=silent)

    def _covered(self, operation: _Operation, number: int) -> Iterator[ox.Quad]:
        word = operation.words[number]
        if word == "GRAPH":
            yield from self.pending.quads(self._graph(operation, number + 1))
        elif word == "DEFAULT":
            yield from self.pending.quads(_DEFAULT)
        else:
            yield from (quad for quad in self.pending.quads() if word == "ALL" or quad.graph_name != _DEFAULT)

    def _end(self, operation: _Operation, number: int) -> GraphName:
        word = operation.words[number]
        return _DEFAULT if word == "DEFAULT" else self._graph(operation, number + (word == "GRAPH"))

    def _transfer(self, verb: str, source: GraphName, target: GraphName, *, silent: bool) -> None:
        if source == target:
            return
        if source != _DEFAULT and not self.pending.is_known(source):
            if not silent:
                raise UsageError(f"there is no graph {source} to {verb.lower()}", hint=f"write {verb} SILENT where it may be missing")
            return
        moved = list(self.pending.quads(source))
        replaced = [] if verb == "ADD" else list(self.pending.quads(target))
        copies = [ox.Quad(quad.subject, quad.predicate, quad.object, target) for quad in moved]
        self.pending.change([*replaced, *moved] if verb == "MOVE" else replaced, copies)

    def _load(self, operation: _Operation) -> None:
        """LOAD (section 3.1.4), which the engine never sees, since it would fetch by itself."""
        words = operation.words
        first = 1 + (len(words) > 1 and words[1] == "SILENT")
        target = words[first + 1 :]
        if len(words) <= first or not (target == [] or (len(target) == 3 and target[:2] == ["INTO", "GRAPH"])):
            raise _fault(self.text, operation.tokens[0].start, "LOAD needs an IRI, and INTO GRAPH one more")
        source = self._graph(operation, first).value
        name: GraphName = self._graph(operation, first + 3) if target else _DEFAULT
        try:
            part = self.fetch(source)
            with closing(part.stream), parsed([part], base=source, target=name, folder=self.pending.store.path) as content:
                self.pending.change((), content)
        except (LoadFailed, InputError):
            if words[1] != "SILENT":
                raise

    def _graph(self, operation: _Operation, number: int) -> ox.NamedNode:
        """The IRI that a token stands for, by the operation's prologue."""
        term = operation.tokens[number].text
        (quad,) = self._engine(f"{operation.prologue}INSERT DATA {{ GRAPH {term} {{ <urn:x> <urn:x> <urn:x> }} }}")
        return cast(ox.NamedNode, quad.graph_name)


@dataclass(frozen=True, slots=True)
class _Narrowed:
    """A graph whose queries see what an operation's pattern sees; in place of a store where a query meets the engine."""

    whole: ox.Store
    namespace: Namespace
    using: Using

    @property
    def graph(self) -> _Narrowed:
        return self

    def query(self, text: str, **options: Any) -> Any:
        default, named = self.using.default, self.using.named
        return self.whole.query(
            text,
            default_graph=None if default is None else list(default),
            named_graphs=None if named is None else list(named),
            **options,
        )


def _closing(tokens: Sequence[Token], first: int) -> int:
    """The brace that closes the one at this place; the last token where none does."""
    depth = 0
    for number in range(first, len(tokens)):
        if tokens[number].kind == "mark":
            depth += (tokens[number].text == "{") - (tokens[number].text == "}")
            if depth == 0:
                return number
    return len(tokens) - 1


def _clauses(operation: _Operation) -> dict[str, list[tuple[int, int]]] | None:
    """First and last token of what follows each keyword of an operation with a pattern; None where it isn't one."""
    found: dict[str, list[tuple[int, int]]] = {name: [] for name in ("WITH", "DELETE", "INSERT", "USING", "NAMED", "WHERE")}
    number, words = 0, operation.words
    while number < len(words) - 1:
        name = words[number]
        if name == "USING" and words[number + 1] == "NAMED":
            name, number = "NAMED", number + 1
        if name not in found or number + 1 >= len(words):
            return None
        braced = name in ("DELETE", "INSERT", "WHERE")
        if braced != (words[number + 1] == "{"):
            return None
        last = _closing(operation.tokens, number + 1) if braced else number + 1
        found[name].append((number + 1, last))
        number = last + 1
        if name == "WHERE":
            break
    return found if found["WHERE"] else None


def _rest(operation: _Operation, end: int) -> str:
    """What follows the pattern, which should be nothing."""
    return operation.cut(end + 1, len(operation.tokens) - 1) if end + 1 < len(operation.tokens) else ""


def _unused(group: str) -> str:
    """A variable's name that a pattern doesn't have."""
    name = "any"
    while name in group:
        name += "_"
    return name
