"""A graph in the store's own folder: how it takes differences, and N-Quads in bulk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

import pyoxigraph as ox

from kg.graph.protocol import difference

__all__ = ["apply_difference", "load_quads"]

_SLICE = 1 << 26


def apply_difference(graph: ox.Store, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> None:
    """Gives a graph a difference. Blank nodes keep their labels; a named graph that has become empty is forgotten."""
    lost, gained = list(removed), list(added)
    if not lost:
        graph.extend(gained)
        return
    update = difference((quad for quad in lost if not _has_blank(quad)), (quad for quad in gained if not _has_blank(quad)))
    if update:
        graph.update(update)
    for quad in filter(_has_blank, lost):
        graph.remove(quad)
    graph.extend(filter(_has_blank, gained))
    for name in {quad.graph_name for quad in lost}:
        if not isinstance(name, ox.DefaultGraph) and next(iter(graph.quads_for_pattern(None, None, None, name)), None) is None:
            graph.remove_graph(name)


def _has_blank(quad: ox.Quad) -> bool:
    return any(_is_blank(term) for term in (quad.subject, quad.object, quad.graph_name))


def _is_blank(term: object) -> bool:
    """Whether a term is a blank node, or a triple that holds one."""
    if isinstance(term, ox.Triple):
        return _is_blank(term.subject) or _is_blank(term.object)
    return isinstance(term, ox.BlankNode)


def load_quads(graph: ox.Store, quads: BinaryIO) -> None:
    """Gives a graph N-Quads by the engine's bulk loader, a slice at a time: as one whole it would take 1 GB for a million of them."""
    while lines := quads.read(_SLICE):
        graph.bulk_load(input=lines + quads.readline(), format=ox.RdfFormat.N_QUADS)
    graph.flush()
