"""The shapes' guard: what a change breaks in the nodes of our classes that it touches, found before it is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import pyoxigraph as ox

from kg.model import Violation
from kg.rdf.iris import Namespace
from kg.rdf.ontology import load_ontology
from kg.rdf.write import as_ntriples
from kg.settings import Settings
from kg.update.pending import GraphName, Pending
from kg.validate import Shapes, check, load_shapes

__all__ = ["Guard"]

_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_WHOLE = 5000
"""A named graph of so many triples is judged as a whole; of a larger one, and of the fused view, what the shapes look at."""

_MANY = 500
"""Past so many objects of a node only their types are looked at."""

_AT_ONCE = 1000
"""Nodes that are judged together."""

Look = Callable[[ox.NamedNode | ox.BlankNode | None, ox.NamedNode | None, object], Iterable[ox.Quad]]
"""The quads of one graph with this subject, predicate and object, in one of its states."""

Node = ox.NamedNode | ox.BlankNode


class Guard:
    """Judges changes by the shapes under one base IRI, which are loaded when they are first needed."""

    def __init__(self, settings: Settings, namespace: Namespace) -> None:
        self._settings = settings.replace(base=namespace.base)
        self._namespace = namespace
        self._shapes: Shapes | None = None
        ontology = load_ontology(self._settings)
        self._classes = frozenset(ox.NamedNode(namespace.term(name)) for name in ontology.classes)
        self._inverse = tuple(ox.NamedNode(namespace.term(name)) for name in ("refersTo", "text"))

    def violations(self, pending: Pending) -> tuple[Violation, ...]:
        """What the change breaks at severity Violation: in the graphs that it changes, each by itself (SHACL, section 3.4).

        Only violations of touched nodes that have one of our classes count, and only those that were not there before.
        """
        touched: dict[GraphName, set[Node]] = {}
        for quad in (*pending.removed, *pending.added):
            nodes = touched.setdefault(quad.graph_name, set())
            nodes.update(term for term in (quad.subject, quad.object) if isinstance(term, ox.NamedNode | ox.BlankNode))
        found: set[Violation] = set()
        for name in touched:
            found |= self.judge(touched[name], _before(pending, name), _after(pending, name), whole=not isinstance(name, ox.DefaultGraph))
        return tuple(sorted(found, key=lambda each: (each.focus, each.path or "", each.value or "", each.shape)))

    def judge(self, touched: Iterable[Node], before: Look, after: Look, *, whole: bool) -> set[Violation]:
        """What one graph's new state breaks in these nodes that its former one did not."""
        ours = [node for node in touched if self._is_ours(node, after) or self._is_ours(node, before)]
        found: set[Violation] = set()
        for start in range(0, len(ours), _AT_ONCE):
            nodes = ours[start : start + _AT_ONCE]
            broken = self._broken(nodes, after, whole=whole)
            if broken:
                found |= broken - self._broken(nodes, before, whole=whole)
        return found

    def is_ours(self, kind: object) -> bool:
        """Whether this is one of our classes."""
        return kind in self._classes

    def _is_ours(self, node: Node, look: Look) -> bool:
        return any(quad.object in self._classes for quad in look(node, _TYPE, None))

    def _broken(self, nodes: list[Node], look: Look, *, whole: bool) -> set[Violation]:
        if self._shapes is None:
            self._shapes = load_shapes(self._settings)
        everything = list(islice(look(None, None, None), _WHOLE + 1)) if whole else []
        quads = everything if 0 < len(everything) <= _WHOLE else self._neighbourhood(nodes, look)
        focus = {"_:blank" if isinstance(node, ox.BlankNode) else node.value for node in nodes}
        found = check(as_ntriples(quads), self._shapes)
        return {violation for violation in found if violation.severity == "Violation" and violation.focus in focus}

    def _neighbourhood(self, nodes: Iterable[Node], look: Look) -> Iterator[ox.Quad]:
        """What the shapes look at: a node's triples, those of its objects, and the mentions and documents that lead to them."""
        seen: set[Node] = set()
        ends = list(dict.fromkeys(nodes))
        for node in ends:
            yield from self._led_to(node, look)
        for node in ends:
            objects = [quad.object for quad in look(node, None, None) if isinstance(quad.object, ox.NamedNode | ox.BlankNode)]
            yield from look(node, None, None)
            for term in objects:
                if term in seen or not isinstance(term, ox.NamedNode | ox.BlankNode):
                    continue
                seen.add(term)
                yield from look(term, None if len(objects) <= _MANY else _TYPE, None)
                if len(objects) <= _MANY:
                    yield from self._led_to(term, look)

    def _led_to(self, node: Node, look: Look) -> Iterator[ox.Quad]:
        for predicate in self._inverse:
            for quad in islice(look(None, predicate, node), 1):
                yield quad
                yield from look(quad.subject, _TYPE, None)  # type: ignore[arg-type, unused-ignore]


def _before(pending: Pending, name: GraphName) -> Look:
    return lambda s, p, o: pending.graph.quads_for_pattern(s, p, o, name)  # type: ignore[arg-type]


def _after(pending: Pending, name: GraphName) -> Look:
    fresh = ox.Store()
    fresh.extend(quad for quad in pending.added if quad.graph_name == name)

    def look(s: Node | None, p: ox.NamedNode | None, o: object) -> Iterator[ox.Quad]:
        for quad in pending.graph.quads_for_pattern(s, p, o, name):  # type: ignore[arg-type]
            if quad not in pending.removed:
                yield quad
        yield from fresh.quads_for_pattern(s, p, o, name)  # type: ignore[arg-type]

    return look
