"""The W3C's tests of SPARQL 1.1 Update, evaluation and syntax, through our own way to compute a difference."""

from __future__ import annotations

from collections import Counter
from types import ModuleType
from typing import Any

import pyoxigraph as ox
import pytest

from kg.errors import KgError
from kg.store import Store
from kg.update.sparql import run_update
from tests_shared import SUITE

EVALUATION, SYNTAX = 94, 54 + 1


class Engine:
    """A store in the place of the runner's engines."""

    def __init__(self, store: Store, runners: dict[str, ModuleType]) -> None:
        self.store, self.engines, self.model = store, runners["engines"], runners["model"]

    def reset(self) -> None:
        self.store.graph.clear()

    def load(self, path: str, iri: str, graph: str | None = None) -> None:
        form = self.model.FORMATS[path[path.rfind(".") :]]
        target = ox.NamedNode(graph) if graph else ox.DefaultGraph()
        scratch = ox.Store()
        scratch.load(path=path, format=form, base_iri=iri, **({"to_graph": target} if graph else {}))
        self.store.take(lambda: (set(), set(scratch)))

    def update(self, text: str, base: str) -> None:
        try:
            pending = run_update(self.store, self.engines.based(text, base))
        except KgError as error:
            raise self.engines.SyntaxRejected(str(error)) from error
        self.store.take(lambda: (pending.removed, pending.added))

    check_update = update

    def dump(self) -> list[tuple[Any, ...]]:
        return [tuple(self.model.from_ox(term) for term in (q.graph_name, q.subject, q.predicate, q.object)) for q in self.store.graph]
