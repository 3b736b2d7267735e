"""A part of a store's dataset in memory, which can be read like the store itself."""

from __future__ import annotations

from collections.abc import Iterable

import pyoxigraph as ox

from kg.store import Store

__all__ = ["Part"]


class Part(Store):
    """Some quads of a store, for reading. It has no ledger, and search makes its index in memory."""

    def __init__(self, whole: Store, quads: Iterable[ox.Quad]) -> None:
        self.path = whole.path
        self.read_only = True
        self._describe(whole._manifest)
        self._whole = whole.state
        self._memory = ox.Store()
        self._memory.bulk_extend(quads)

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
