"""A template of quads with variables, and what it becomes for a solution (SPARQL 1.1 Update, section 4.1.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import pyoxigraph as ox

from kg.update.pending import GraphName

__all__ = ["Template"]

Values = Mapping[str, Any]


class Template:
    """Quads in which IRIs stand for variables; `parsed` is these quads, and the variable that each such IRI stands for.

    What lies in no GRAPH goes to the graph `target`. Blank nodes are new ones for each solution.
    """

    def __init__(self, parsed: tuple[list[ox.Quad], Mapping[str, str]], target: GraphName) -> None:
        self._quads, self._names = parsed
        self._target = target
        self.variables = frozenset(self._names.values())
        self.has_blank = any(_blank(term) for quad in self._quads for term in (quad.subject, quad.object))

    def quads(self, values: Values) -> Iterator[ox.Quad]:
        """The quads for one solution; those are left out in which a variable is not bound, or that would be no RDF."""
        fresh: dict[str, ox.BlankNode] = {}
        for quad in self._quads:
            subject, predicate, object_ = (self._filled(term, values, fresh) for term in (quad.subject, quad.predicate, quad.object))
            graph = self._target
            if not isinstance(quad.graph_name, ox.DefaultGraph):
                graph = self._filled(quad.graph_name, values, fresh)
            if (
                isinstance(subject, ox.NamedNode | ox.BlankNode)
                and isinstance(predicate, ox.NamedNode)
                and object_ is not None
                and isinstance(graph, ox.NamedNode | ox.BlankNode | ox.DefaultGraph)
            ):
                yield ox.Quad(subject, predicate, object_, graph)

    def _filled(self, term: object, values: Values, fresh: dict[str, ox.BlankNode]) -> Any:
        """The term for this solution; None where there is none."""
        if isinstance(term, ox.NamedNode):
            name = self._names.get(term.value)
            return term if name is None else values[name]
        if isinstance(term, ox.BlankNode):
            return fresh.setdefault(term.value, ox.BlankNode())
        if isinstance(term, ox.Triple):
            subject, predicate, object_ = (self._filled(part, values, fresh) for part in (term.subject, term.predicate, term.object))
            whole = isinstance(subject, ox.NamedNode | ox.BlankNode) and isinstance(predicate, ox.NamedNode) and object_ is not None
            return ox.Triple(subject, predicate, object_) if whole else None
        return cast(ox.Literal, term)


def _blank(term: object) -> bool:
    if isinstance(term, ox.Triple):
        return _blank(term.subject) or _blank(term.object)
    return isinstance(term, ox.BlankNode)
