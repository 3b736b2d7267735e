"""What the rest of the project asks of a graph, and the text of a difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import pyoxigraph as ox

__all__ = ["Answer", "Graph", "GraphName", "Node", "Value", "difference"]

Node = ox.NamedNode | ox.BlankNode | ox.Triple
"""What can be a subject."""

Value = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
"""What can be an object."""

GraphName = ox.NamedNode | ox.BlankNode | ox.DefaultGraph
"""Name of a graph of the dataset."""

Answer = ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples
"""Answer of a query: rows, a yes or no, or triples."""


@runtime_checkable
class Graph(Protocol):
    """A dataset that can be asked and changed: the part of `pyoxigraph.Store` that is used, with its meanings."""

    def query(
        self,
        query: str,
        *,
        base_iri: str | None = None,
        prefixes: dict[str, str] | None = None,
        default_graph: Any = None,
        named_graphs: Any = None,
    ) -> Answer:
        """The answer of a query; SyntaxError where it doesn't parse."""

    def quads_for_pattern(
        self, subject: Node | None, predicate: ox.NamedNode | None, object: Value | None, graph_name: GraphName | None = None
    ) -> Iterable[ox.Quad]:
        """Quads with these parts; None is any."""

    def named_graphs(self) -> Iterable[ox.NamedNode | ox.BlankNode]:
        """Names of the graphs beside the default graph."""

    def update(self, update: str) -> None:
        """Takes a SPARQL update."""

    def flush(self) -> None:
        """Returns when everything is durable."""

    def __iter__(self) -> Iterator[ox.Quad]: ...

    def __len__(self) -> int: ...


def difference(removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> str:
    """One SPARQL update that takes quads out and puts others in; empty where there are none."""
    parts = []
    for verb, quads in (("DELETE DATA", removed), ("INSERT DATA", added)):
        body = _blocks(sorted((_name(quad), f"{quad.triple} .\n") for quad in quads))
        if body:
            parts.append(f"{verb} {{\n{body}}}")
    return " ;\n".join(parts)


def _name(quad: ox.Quad) -> str:
    return "" if isinstance(quad.graph_name, ox.DefaultGraph) else str(quad.graph_name)


def _blocks(lines: Sequence[tuple[str, str]]) -> str:
    graphs: dict[str, list[str]] = {}
    for name, line in lines:
        graphs.setdefault(name, []).append(line)
    return "".join("".join(each) if not name else f"GRAPH {name} {{\n{''.join(each)}}}\n" for name, each in graphs.items())
