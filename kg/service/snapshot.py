"""The graph in memory, as a store that can be asked: how it is loaded, and how it follows what others write."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pyoxigraph as ox

from kg.duplicates import Duplicates
from kg.errors import KgError, StoreError
from kg.fulltext import FullText
from kg.graph.embedded import apply_difference
from kg.graph.protocol import Graph
from kg.graph.remote import RemoteGraph
from kg.ledger import Ledger
from kg.settings import Settings
from kg.store import Store, open_ledger, open_store, read_manifest, remote_graph

__all__ = ["Proxy", "Snapshot", "load"]

_ATTEMPTS, _PAUSE = 5, 0.3


class Snapshot(Store):
    """A store for reading, whose graph lies in memory and is that of difference `number`.

    It opens its ledger when first used: a process that forks others must hold no handle of it.
    """

    def __init__(self, path: Path, graph: ox.Store | None, number: int, manifest: dict[str, object] | None = None) -> None:
        self.path = path
        self.read_only = True
        self.number = number
        self._memory: ox.Store | None = graph
        self._ledger: Ledger | None = None
        self._describe(manifest or read_manifest(path))

    @property
    def graph(self) -> Graph:
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
            self._ledger = open_ledger(self.path, self._manifest, read_only=True)
        return self._ledger

    @property
    def words(self) -> FullText:  # type: ignore[override]
        """The full-text index, which lies beside the ledger."""
        return FullText(self.ledger.connection)

    @property
    def duplicates(self) -> Duplicates:  # type: ignore[override]
        """Which documents are one source."""
        return Duplicates(self.ledger.connection)

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
            apply_difference(self.engine, _parsed(removed), _parsed(added))
            self.number = each
            size += len(removed) + len(added)
        return size

    def close(self) -> None:
        """Closes the ledger; it is opened again when it is needed."""
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None


class Proxy(Snapshot):
    """A store for reading whose graph stays on a server, which is asked anew each time. Nothing of it is held in memory.

    Connections are those of the process that asks: they are made when they are first needed.
    """

    def __init__(self, path: Path, manifest: dict[str, object], settings: Settings) -> None:
        super().__init__(path, None, 0, manifest)
        self._access = settings
        self._remote: RemoteGraph | None = None

    @property
    def graph(self) -> Graph:
        """The dataset, for queries."""
        if self._remote is None:
            self._remote = remote_graph(self._manifest, self._access)
        if self._remote is None:
            raise StoreError(f"the graph of {self.path} is on no server", hint="restore store.json from a backup")
        return self._remote

    @property
    def state(self) -> str:
        """Nothing: others may change the server's graph, unseen."""
        return ""

    def follow(self, number: int | None = None) -> int | None:
        """Notes how far the ledger is; the server shows it already."""
        former, newest = self.number, max(self.number, number or 0) if _is_absent(self.path) else self.ledger.newest()
        self.number = max(former, newest, number or 0)
        return self.number - former

    def close(self) -> None:
        """Closes the ledger and the connections; they are opened again when they are needed."""
        super().close()
        if self._remote is not None:
            self._remote.close()
            self._remote = None


def _is_absent(place: Path) -> bool:
    return not (place / "store.json").is_file()


def _parsed(nquads: str) -> list[ox.Quad]:
    return [quad for quad in ox.parse(nquads, format=ox.RdfFormat.N_QUADS) if isinstance(quad, ox.Quad)]


def load(path: Path, manifest: dict[str, object], settings: Settings) -> Snapshot:
    """The graph of the store in a folder, in memory; where a server holds it, a proxy of it.

    Another process opens it, since the engine's threads would not survive the forks that follow. Raises StoreError.
    """
    if remote_graph(manifest, settings) is not None:
        proxy = Proxy(path, manifest, settings)
        proxy.follow()
        proxy.close()
        return proxy
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
