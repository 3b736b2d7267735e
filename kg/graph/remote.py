"""A graph on a SPARQL 1.1 server, asked and changed over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

import pyoxigraph as ox

from kg.errors import ServerError, UsageError
from kg.graph.http import Access, Connection
from kg.graph.protocol import Answer, GraphName, Node, Value, difference
from kg.graph.server import Server

__all__ = ["RemoteGraph", "read_base"]

_JSON, _NTRIPLES, _NQUADS = "application/sparql-results+json", "application/n-triples", "application/n-quads"
_DEFAULT = ox.DefaultGraph()
_MOST_TRIPLES, _MOST_CHARACTERS = 2_000, 2_000_000
_SILENT = re.compile(r"'{3}.*?'{3}|\"{3}.*?\"{3}|'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|<[^<>\s]*>|#[^\n]*", re.DOTALL)
_FROM, _GRAPH = (re.compile(rf"(?<![?$:\w-]){word}(?![\w:-])", re.IGNORECASE) for word in ("FROM", "GRAPH"))
_SIZES = "SELECT ?g (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"
_EVERYTHING = "{ { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } }"


class RemoteGraph:
    """The graph of a store, on a server. Several threads may ask; queries see what other programs write.

    The default graph of the dataset is the server's own, or a graph with a name where the server has none apart from the
    union of all graphs. Raises ServerError, ServerRefused and QueryTimeout.
    """

    def __init__(self, server: Server, access: Access) -> None:
        self.server = server
        self._connection = Connection(access)
        self._fused = ox.NamedNode(server.fused) if server.fused else None

    def close(self) -> None:
        """Closes the connections."""
        self._connection.close()

    # -- queries -----------------------------------------------------------------------------------------------

    def query(
        self,
        query: str,
        *,
        base_iri: str | None = None,
        prefixes: Mapping[str, str] | None = None,
        default_graph: Any = None,
        named_graphs: Any = None,
    ) -> Answer:
        """The answer of a query. SyntaxError, with the place, where it doesn't parse; the server never sees it then."""
        known = dict(prefixes or {})
        form = ox.Store().query(query, base_iri=base_iri, prefixes=known)
        text = _prologue(query, base_iri, known) + query
        dataset = self._dataset(query, _listed(default_graph), _listed(named_graphs))
        if isinstance(form, ox.QueryTriples):
            return _triples(self._connection.ask(self.server.query, text, accept=f"{_NTRIPLES}, text/plain;q=0.5", dataset=dataset))
        answer = _parsed(self._connection.ask(self.server.query, text, accept=_JSON, dataset=dataset), self.server)
        if isinstance(form, ox.QueryBoolean) and isinstance(answer, ox.QuerySolutions):
            return _boolean(answer)
        return answer

    def _dataset(self, query: str, default: list[str], named: list[str]) -> dict[str, list[str]]:
        """Parameters that say which graphs are asked; the dataset is the server's own where nothing has to be said."""
        if default or named:
            return {"default-graph-uri": default, "named-graph-uri": named}
        words = _SILENT.sub("<>", query)  # strings, IRIs and comments hold no keyword
        if self._fused is None or _FROM.search(words):
            return {}
        found = {"default-graph-uri": [self._fused.value]}
        if self.server.kind != "virtuoso" and _GRAPH.search(words):
            found["named-graph-uri"] = [str(getattr(name, "value", name)) for name in self.named_graphs()]
        return found

    def named_graphs(self) -> Iterator[ox.NamedNode]:
        """Names of the graphs beside the default graph, without those that the server keeps for itself."""
        for row in self._rows(_SIZES):  # Virtuoso 7 doesn't end SELECT DISTINCT ?g on 21,000 quads, but counts them in an instant
            name = row["g"]
            if isinstance(name, ox.NamedNode) and name != self._fused and not self.server.is_own(name.value):
                yield name

    def quads_for_pattern(
        self, subject: Node | None, predicate: ox.NamedNode | None, object: Value | None, graph_name: GraphName | None = None
    ) -> Iterator[ox.Quad]:
        """Quads with these parts; None is any."""
        parts: tuple[Any, ...] = (subject, predicate, object)
        if any(isinstance(part, ox.BlankNode) for part in (*parts, graph_name)):
            raise UsageError("blank nodes of a server have no names outside it", hint="ask for them by a property")
        if graph_name is not None and parts == (None, None, None):
            yield from (ox.Quad(t.subject, t.predicate, t.object, graph_name) for t in self._whole_graph(graph_name))
            return
        pattern = " ".join(f"?{name}" if part is None else str(part) for name, part in zip("spo", parts, strict=True))
        for row in self._rows(f"SELECT ?s ?p ?o ?g WHERE {self._group(pattern, graph_name)}"):
            found: list[Any] = [row[name] if part is None else part for name, part in zip("spo", parts, strict=True)]
            graph = _default(row["g"], self._fused) if graph_name is None else graph_name
            if graph is not None and not self.server.is_own(getattr(graph, "value", "")):
                yield ox.Quad(found[0], found[1], found[2], graph)

    def _group(self, pattern: str, graph: GraphName | None) -> str:
        if graph is None:
            every = f"GRAPH ?g {{ {pattern} }}"
            return f"{{ {every} }}" if self._fused else f"{{ {{ {pattern} }} UNION {{ {every} }} }}"
        name = self._named(graph)
        return f"{{ GRAPH {name} {{ {pattern} }} }}" if name else f"{{ {pattern} }}"

    def _named(self, graph: GraphName) -> GraphName | None:
        """The graph on the server; None for its default graph."""
        return self._fused if isinstance(graph, ox.DefaultGraph) else graph

    def _rows(self, query: str) -> ox.QuerySolutions:
        """Rows of a query on all of the server's graphs, whose names stand in it."""
        answer = _parsed(self._connection.ask(self.server.query, query), self.server)
        if not isinstance(answer, ox.QuerySolutions):
            raise ServerError(f"{self.server.query} answers a SELECT with a yes or no", hint="check --store")
        return answer

    # -- everything --------------------------------------------------------------------------------------------

    def _whole_graph(self, graph: GraphName) -> Iterator[ox.Triple | ox.Quad]:
        name = self._named(graph)
        if not self.server.store:
            text = f"CONSTRUCT {{ ?s ?p ?o }} WHERE {self._group('?s ?p ?o', graph)}"
            content = self._connection.ask(self.server.query, text, accept=f"{_NTRIPLES}, text/plain;q=0.5")
            yield from self._statements(content, ox.RdfFormat.N_TRIPLES)
            return
        which = {"default": ""} if name is None else {"graph": str(getattr(name, "value", name))}
        file = self._connection.download(self.server.store, accept=_NTRIPLES, graph=which)
        if file is not None:
            with file:
                yield from self._statements(file, ox.RdfFormat.N_TRIPLES)

    def _statements(self, source: bytes | IO[bytes], form: ox.RdfFormat) -> Iterator[ox.Quad]:
        try:
            yield from ox.parse(source, format=form)
        except (SyntaxError, ValueError) as error:
            raise ServerError(f"{self.server.url} gave a graph that doesn't parse: {error}", hint="run the same command again") from error

    def __iter__(self) -> Iterator[ox.Quad]:
        if self.server.rules.whole and self.server.store and self._fused is None:
            file = self._connection.download(self.server.store, accept=_NQUADS, graph={})
            if file is not None:
                with file:
                    yield from self._statements(file, ox.RdfFormat.N_QUADS)
            return
        names: list[GraphName] = [_DEFAULT, *self.named_graphs()]
        for name in names:
            yield from self.quads_for_pattern(None, None, None, name)

    def __len__(self) -> int:
        if self._fused is None:
            (row,) = self._rows(f"SELECT (COUNT(*) AS ?n) WHERE {_EVERYTHING}")
            return int(row["n"].value)
        rows = list(self._rows(_SIZES))
        return sum(int(row["n"].value) for row in rows if not self.server.is_own(getattr(row["g"], "value", "")))

    def __contains__(self, quad: ox.Quad) -> bool:
        return next(self.quads_for_pattern(quad.subject, quad.predicate, quad.object, quad.graph_name), None) is not None

    # -- changes -----------------------------------------------------------------------------------------------

    def apply(self, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> None:
        """Takes a difference, in updates of a bounded size. Doing it again after half of it was done does no harm."""
        for batch in _batches([(True, self._placed(quad)) for quad in removed] + [(False, self._placed(quad)) for quad in added]):
            text = difference((quad for out, quad in batch if out), (quad for out, quad in batch if not out))
            self._connection.update(self.server.update, text, repeat=True)

    def _placed(self, quad: ox.Quad) -> ox.Quad:
        if self._fused is None or not isinstance(quad.graph_name, ox.DefaultGraph):
            return quad
        return ox.Quad(quad.subject, quad.predicate, quad.object, self._fused)

    def update(self, update: str) -> None:
        """Sends an update as it is. UsageError where the server has no default graph that it could mean."""
        if self._fused is not None:
            raise UsageError(f"updates of {self.server.url} name their graphs", hint="send the update to the server itself")
        self._connection.update(self.server.update, update, repeat=False)

    def flush(self) -> None:
        """Nothing: what the server has answered is its own to keep."""


def read_base(server: Server, access: Access) -> str | None:
    """The base IRI of the graph on a server, as its documents show it; None where there are none."""
    text = 'SELECT ?type WHERE { GRAPH ?g { ?s a ?type FILTER(STRENDS(STR(?type), "ontology#Document")) } } LIMIT 1'  # any document will do
    with Connection(access) as connection:
        found = _parsed(connection.ask(server.query, text), server)
    return next((row["type"].value.removesuffix("ontology#Document") for row in found if row["type"]), None)  # type: ignore[union-attr]


def _prologue(query: str, base: str | None, prefixes: Mapping[str, str]) -> str:
    """BASE and those of the prefixes that the query may use."""
    used = "".join(f"PREFIX {name}: <{iri}> " for name, iri in prefixes.items() if f"{name}:" in query)
    return (f"BASE <{base}> " if base else "") + used + "\n"


def _listed(names: Any) -> list[str]:
    """IRIs of one graph or of several; the default graph itself has none."""
    if names is None:
        return []
    several = names if isinstance(names, list | tuple | set) else [names]
    return [name.value for name in several if isinstance(name, ox.NamedNode)]


def _default(name: Any, fused: ox.NamedNode | None) -> GraphName | None:
    """The graph of a row as the dataset knows it."""
    if name is None or name == fused:
        return _DEFAULT
    return name if isinstance(name, ox.NamedNode) else None


def _parsed(content: bytes, server: Server) -> ox.QuerySolutions | ox.QueryBoolean:
    try:
        return ox.parse_query_results(content, format=ox.QueryResultsFormat.JSON)
    except (SyntaxError, ValueError) as error:
        raise ServerError(f"{server.query} gave an answer that doesn't parse: {error}", hint="run the same command again") from error


def _boolean(rows: ox.QuerySolutions) -> ox.QueryBoolean:
    """A yes or no; Virtuoso 7 gives it as a row with 1, or as no row."""
    yes = any(row[0] is not None and row[0].value in ("1", "true") for row in rows)
    found = ox.parse_query_results(f'{{"head":{{}},"boolean":{str(yes).lower()}}}'.encode(), format=ox.QueryResultsFormat.JSON)
    assert isinstance(found, ox.QueryBoolean)
    return found


def _triples(content: bytes) -> ox.QueryTriples:
    store = ox.Store()
    try:
        store.load(content, format=ox.RdfFormat.N_TRIPLES)
    except (SyntaxError, ValueError) as error:
        raise ServerError(f"the server gave a graph that doesn't parse: {error}", hint="run the same command again") from error
    found = store.query("CONSTRUCT WHERE { ?s ?p ?o }")
    assert isinstance(found, ox.QueryTriples)
    return found


def _batches(changes: Iterable[tuple[bool, ox.Quad]]) -> Iterator[list[tuple[bool, ox.Quad]]]:
    """Changes in their order, cut so that a server takes each piece: Virtuoso's parser gives up behind 4,990 triples."""
    batch: list[tuple[bool, ox.Quad]] = []
    size = 0
    for change in changes:
        length = len(str(change[1]))
        if batch and (len(batch) == _MOST_TRIPLES or size + length > _MOST_CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(change)
        size += length
    if batch:
        yield batch
