"""A part of a store's dataset in memory, which can be read like the store itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import pyoxigraph as ox

from kg.ledger import Ledger, Row
from kg.store import Store

__all__ = ["Part"]


class _Nothing:
    """What the ledger tells of a part: nothing, for it knows documents as a whole, and of them what the graph doesn't hold."""

    def row(self, document_id: str) -> Row | None:
        """No document."""
        return None

    def ids(self) -> list[str]:
        """No document."""
        return []


class Part(Store):
    """Some quads of a store, for reading. Its ledger is empty, and search makes its index in memory."""

    def __init__(self, whole: Store, quads: Iterable[ox.Quad]) -> None:
        self.path = whole.path
        self.read_only = True
        self._describe(whole._manifest)
        self._whole = whole.state
        self._memory = ox.Store()
        self._memory.bulk_extend(quads)
        self.ledger = cast(Ledger, _Nothing())

    @property
    def graph(self) -> ox.Store:
        """The dataset, for queries."""
        return self._memory

    @property
    def state(self) -> str:
        """That of the whole when this was taken, and how large the part is."""
        return f"{self._whole}-{len(self._memory):x}"

    def close(self) -> None:
        """There is nothing to close."""
