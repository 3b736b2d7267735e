"""A store's graphs in parts that shapes can be checked on one by one, in memory that does not grow with the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

import pyoxigraph as ox

from kg.rdf.write import as_ntriples

__all__ = ["PART", "parts"]

PART = 50_000
"""Most triples of the default graph's own that a part has, what is around them not counted."""

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_TYPE, _OBJECT = ox.NamedNode(f"{_RDF}type"), ox.NamedNode(f"{_RDF}object")
_HERE = ox.DefaultGraph()
_MENTIONED = "mentionedIn"

Node = ox.NamedNode | ox.BlankNode


def parts(graph: ox.Store, most: int = PART) -> Iterator[tuple[str, frozenset[str] | None]]:
    """Every graph of a store on disk as N-Triples, the default graph first: that in parts where it has more than `most` triples.

    A part comes with the nodes that results are to be taken of (IRIs, ``_:blank`` for any blank node; None: of all). What shapes look
    at from these nodes is in it: their triples, the triples of what they point to, the types of what those point to, what
    points to them, and the facts of which they are the object. A shape that looks further sees less of a part than of the whole.
    """
    groups = (list(quads) for _, quads in groupby(graph.quads_for_pattern(None, None, None, _HERE), key=lambda quad: quad.subject))
    batch: list[ox.Quad] = []
    first = True
    for group in groups:
        if len(batch) + len(group) > most and batch:
            yield _part(graph, batch)
            batch, first = [], False
        batch += group
    yield (as_ntriples(batch), None) if first else _part(graph, batch)
    for name in sorted(graph.named_graphs(), key=str):
        yield as_ntriples(graph.quads_for_pattern(None, None, None, name)), None


def _part(graph: ox.Store, own: list[ox.Quad]) -> tuple[str, frozenset[str]]:
    """Triples with what is around them, and their subjects."""
    subjects = {quad.subject for quad in own}
    found = set(own)
    pointing = [quad for node in subjects for quad in graph.quads_for_pattern(None, None, node, _HERE) if not _is_list(quad)]
    found.update(pointing)
    inbound = {quad.subject for quad in pointing if quad.predicate == _OBJECT}
    near = (inbound | _objects(own)) - subjects
    around = [quad for node in near for quad in graph.quads_for_pattern(node, None, None, _HERE) if not _is_list(quad)]
    found.update(around)
    for node in _objects(around) - subjects - near:
        found.update(graph.quads_for_pattern(node, _TYPE, None, _HERE))
    return as_ntriples(found), frozenset(each.value if isinstance(each, ox.NamedNode) else "_:blank" for each in subjects)


def _objects(quads: Iterable[ox.Quad]) -> set[Node]:
    return {quad.object for quad in quads if isinstance(quad.object, Node) and quad.predicate != _TYPE}


def _is_list(quad: ox.Quad) -> bool:
    """The documents of an entity, of which there may be very many, are looked at from that entity only."""
    return str(quad.predicate).endswith(f"#{_MENTIONED}>")
