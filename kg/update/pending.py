"""A change in the making: a net difference beside a graph that is not touched, and the graph as it will be."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pyoxigraph as ox

from kg.graph.embedded import apply_difference
from kg.graph.protocol import Graph, GraphName
from kg.store import Store

__all__ = ["GraphName", "Pending", "is_known"]

_SMALL = 1000
"""Quads up to which a copy of a graph in memory is made sooner than one on disk."""


def is_known(graph: Graph, name: GraphName) -> bool:
    """Whether a graph holds anything; there are no empty named graphs."""
    return next(iter(graph.quads_for_pattern(None, None, None, name)), None) is not None


class Pending:
    """What is to be removed from a store's graph and added to it: every removed quad is in it, no added one is.

    The graph itself is not touched until the whole change is taken in one step.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.removed: set[ox.Quad] = set()
        self.added: set[ox.Quad] = set()

    @property
    def graph(self) -> ox.Store:
        """The graph as it is before the change. UsageError where a server holds it."""
        return self.store.engine

    def __bool__(self) -> bool:
        return bool(self.removed or self.added)

    def change(self, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> None:
        """Takes quads out, then puts quads in."""
        for quad in removed:
            if quad in self.added:
                self.added.discard(quad)
            elif quad in self.graph:
                self.removed.add(quad)
        for quad in added:
            if quad in self.removed:
                self.removed.discard(quad)
            elif quad not in self.graph:
                self.added.add(quad)

    def quads(self, name: GraphName | None = None) -> Iterator[ox.Quad]:
        """The quads of one graph, or of all, as they will be."""
        for quad in self.graph.quads_for_pattern(None, None, None, name):
            if quad not in self.removed:
                yield quad
        for quad in self.added:
            if name is None or quad.graph_name == name:
                yield quad

    def is_known(self, name: GraphName) -> bool:
        """Whether a graph will hold anything."""
        return next(iter(self.quads(name)), None) is not None

    @contextmanager
    def outlook(self) -> Iterator[ox.Store]:
        """The graph as it will be, to be asked.

        Without a change that is the graph itself. Else it is a copy with the change: in memory where it is small, else a checkpoint of
        the engine's files beside them, which are hard links. Should the process end here, the next writer removes the checkpoint.
        """
        if not self:
            yield self.graph
            return
        some = list(islice(self.graph, _SMALL + 1))
        if len(some) <= _SMALL:
            copy = ox.Store()
            copy.extend(some)
            apply_difference(copy, self.removed, self.added)
            yield copy
            return
        folder = Path(tempfile.mkdtemp(prefix="graph-outlook-", dir=self.store.path))
        try:
            self.graph.backup(str(folder / "copy"))
            copy = ox.Store(str(folder / "copy"))
            apply_difference(copy, self.removed, self.added)
            yield copy
            del copy  # the engine closes the files with the last reference; the caller keeps none
        finally:
            shutil.rmtree(folder, ignore_errors=True)  # what an error still holds open goes when the store is opened next
