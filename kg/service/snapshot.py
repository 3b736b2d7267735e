"""The graph in memory, as a store that can be asked: how it is loaded, and how it follows what others write."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pyoxigraph as ox

from kg.errors import KgError, StoreError
from kg.fulltext import FullText
from kg.ledger import Ledger
from kg.store import Store, apply_difference, open_store, read_manifest

__all__ = ["Snapshot", "load"]

_ATTEMPTS, _PAUSE = 5, 0.3


class Snapshot(Store):
    """A store for reading, whose graph lies in memory and is that of difference `number`.

    It opens its ledger when first used: a process that forks others must hold no handle of it.
    """

    def __init__(self, path: Path, graph: ox.Store, number: int) -> None:
        self.path = path
        self.read_only = True
        self.number = number
        self._memory: ox.Store | None = graph
        self._ledger: Ledger | None = None
        self._describe(read_manifest(path))

    @property
    def graph(self) -> ox.Store:
        """The dataset, for queries."""
        if self._memory is None:
            raise StoreError(f"{self.path} is closed", hint="open it again")
        return self._memory

    @property
    def state(self) -> str:
        """A short word that is another one after every change."""
        return f"{self._manifest['graph']}-{self.number:x}"

    @property
    def ledger(self) -> Ledger:  # type: ignore[override]  # a store on disk holds it from the beginning
        """What documents say."""
        if self._ledger is None:
            self._ledger = Ledger(self.path / "ledger.sqlite", read_only=True)
        return self._ledger

    @property
    def words(self) -> FullText:  # type: ignore[override]
        """The full-text index, which lies beside the ledger."""
        return FullText(self.ledger.connection)

    def follow(self, number: int | None = None) -> int | None:
        """Takes what was written since, at least up to a difference; how many characters that was.

        None where differences in between are no longer kept, or the store is another one: the graph must be loaded anew.
        """
        newest = self.ledger.newest()
        if newest < max(self.number, number or 0):
            return None
        if newest == self.number:
            return 0
        size = 0
        differences = self.ledger.since(self.number)
        if differences is None:
            return None
        for each, removed, added in differences:
            apply_difference(self.graph, _parsed(removed), _parsed(added))
            self.number = each
            size += len(removed) + len(added)
        return size

    def close(self) -> None:
        """Closes the ledger; it is opened again when it is needed."""
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None


def _parsed(nquads: str) -> list[ox.Quad]:
    return [quad for quad in ox.parse(nquads, format=ox.RdfFormat.N_QUADS) if isinstance(quad, ox.Quad)]


def load(path: Path) -> Snapshot:
    """The graph of the store in a folder, in memory.

    Another process opens it, since the engine's threads would not survive the forks that follow. Raises StoreError.
    """
    for attempt in range(_ATTEMPTS):
        graph = ox.Store()
        reader, writer = os.pipe()
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            os.close(reader)
            _dump(path, writer)
        os.close(writer)
        with os.fdopen(reader, "rb") as stream:
            number = int(stream.readline() or 0)
            graph.load(stream, format=ox.RdfFormat.N_QUADS)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            snapshot = Snapshot(path, graph, number)
            snapshot.follow()
            snapshot.close()
            return snapshot
        time.sleep(_PAUSE * (attempt + 1))  # a writer may just be replacing the files
    raise StoreError(f"{path} can't be read", hint="`kg doctor` tells more")


def _dump(path: Path, descriptor: int) -> None:
    """Writes number and graph to a pipe and ends the process."""
    status = 1
    try:
        with os.fdopen(descriptor, "wb") as stream:
            store = open_store(path, read_only=True)
            stream.write(b"%d\n" % store.ledger.applied())
            store.engine.dump(stream, format=ox.RdfFormat.N_QUADS)
        status = 0
    except (KgError, OSError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
    finally:
        os._exit(status)
