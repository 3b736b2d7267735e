"""A store on disk: the ledger, and the graph derived from it (pyoxigraph), changed in whole steps only."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self

import pyoxigraph as ox

from kg.errors import InvalidSetting, StoreError, StoreFull, StoreLocked, StoreMissing, StoreVersionError
from kg.fulltext import ALIAS, LABEL, QUOTE, TEXT, TITLE, Entry, FullText
from kg.ledger import Ledger
from kg.rdf.iris import Namespace
from kg.rdf.write import Writer, as_nquads

__all__ = ["FORMAT", "Store", "apply_difference", "check_store", "checked_base", "load_quads", "open_store", "read_manifest"]

FORMAT = 1
"""Version of the layout of a store's folder."""

_DEFAULT_BASE = "http://localhost:8000/"
_ATTEMPTS, _PAUSE = 20, 0.05
_SCRUBBING = "scrubbing"
_SLICE = 1 << 26
_LABEL, _ALIAS = "http://www.w3.org/2000/01/rdf-schema#label", "http://www.w3.org/2004/02/skos/core#altLabel"


class Store:
    """One store. Read-only handles see the graph as it was when they were opened."""

    def __init__(self, path: Path, manifest: dict[str, object], *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self._describe(manifest)
        self._behind = True
        self._graph: ox.Store | None = None
        self._lock = None if read_only else _acquire(path)
        try:
            self._manifest = read_manifest(path)
            self.ledger = Ledger(path / "ledger.sqlite", read_only=read_only)
            self.words = FullText(self.ledger.connection)
            self._opened = self.ledger.newest() if read_only else None  # before the graph, which may then be newer, never older
            self._graph = self._open_graph()
            if not read_only:
                self._recover()
                if not self.words.is_in_step():
                    self.rebuild_index()
        except BaseException:
            self._release()
            raise

    def _describe(self, manifest: dict[str, object]) -> None:
        self.namespace = Namespace(str(manifest["base"]))
        self.writer = Writer(self.namespace)
        self._manifest = manifest

    @classmethod
    def open(cls, path: str | Path, *, base: str | None = None, create: bool = False, read_only: bool = False) -> Self:
        """Opens the store in a folder, or makes one; see open_store."""
        place = Path(path)
        manifest = _prepared(place, base=base, create=create and not read_only)
        return cls(place, manifest, read_only=read_only)

    def _open_graph(self) -> ox.Store:
        for _ in range(_ATTEMPTS if self.read_only else 0):
            try:
                return ox.Store.read_only(str(self.path / str(self._manifest["graph"])))
            except (OSError, RuntimeError):  # a writer may just be replacing the files
                time.sleep(_PAUSE)
                self._manifest = read_manifest(self.path)
        place = str(self.path / str(self._manifest["graph"]))
        with _mapped(self.path):
            return ox.Store.read_only(place) if self.read_only else ox.Store(place)

    @property
    def graph(self) -> ox.Store:
        """The dataset, for queries."""
        if self._graph is None:
            raise StoreError(f"{self.path} is closed", hint="open it again")
        return self._graph

    @property
    def state(self) -> str:
        """A short word that is another one after every change: the graph's folder and the newest difference that this handle can show."""
        newest = self.ledger.newest() if self._opened is None else self._opened
        return f"{self._manifest['graph']}-{newest:x}"

    # -- changes -----------------------------------------------------------------------------------------------

    @contextmanager
    def revision(self) -> Iterator[None]:
        """Until the block ends well the graph may lack what the journal holds; whatever comes next makes up for it first."""
        if self._behind:
            self._replay()
        self._behind = True
        yield
        self._behind = False

    def take(self, difference: Callable[[], tuple[set[ox.Quad], set[ox.Quad]]]) -> tuple[int, int]:
        """One step: what the call changes in the ledger, and what the graph is to lose and to gain for it. Counts both.

        The ledger comes first, with a note of the difference; then the graph.
        """
        with self.revision():
            with self.ledger.transaction():
                removed, added = difference()
                self.ledger.log(as_nquads(removed), as_nquads(added))
                self.index(removed, added)
            self.apply(removed, added)
        return len(removed), len(added)

    def apply(self, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> None:
        """Takes a difference: one transaction of the graph, and blank nodes, which no update can name, beside it."""
        if self.read_only:
            raise StoreError(f"{self.path} is open for reading only", hint="open it for writing")
        with _mapped(self.path):
            apply_difference(self.graph, removed, added)

    @contextmanager
    def filling(self, quads: BinaryIO) -> Iterator[None]:
        """Fills a store that is new and that nobody else knows yet: N-Quads by the engine's bulk loader, inside the block the ledger.

        Then the full-text index is made. There is no journal of it, and where it does not end well the folder is good for nothing.
        """
        with _mapped(self.path):
            load_quads(self.graph, quads)
        with self.ledger.filling():
            with self.ledger.transaction():
                yield
            self.rebuild_index()

    # -- the full-text index -----------------------------------------------------------------------------------

    def index(self, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> None:
        """Gives the full-text index a difference that the ledger has noted, in the ledger's transaction."""
        self.words.follow(self.entries(removed), self.entries(added))

    def rebuild_index(self) -> None:
        """Makes the full-text index anew from the graph."""
        with self.ledger.transaction():
            self.words.rebuild(self.all_entries())

    def all_entries(self) -> Iterator[Entry]:
        """Everything in the graph that a search can find."""
        for predicate in self._searched():
            yield from self.entries(self.graph.quads_for_pattern(None, ox.NamedNode(predicate), None, None))

    def entries(self, quads: Iterable[ox.Quad]) -> Iterator[Entry]:
        """What a search can find of these quads: of the fused view names, sentences and titles, of the documents' graphs texts."""
        searched, home = self._searched(), f"{self.namespace.base}resource/"
        for quad in quads:
            kind = searched.get(quad.predicate.value)
            if kind is None or not isinstance(quad.subject, ox.NamedNode) or not isinstance(quad.object, ox.Literal):
                continue
            if (kind == TEXT) != isinstance(quad.graph_name, ox.DefaultGraph):
                yield Entry(quad.subject.value.removeprefix(home), kind, quad.object.value)

    def _searched(self) -> dict[str, int]:
        term = self.namespace.term
        return {_LABEL: LABEL, _ALIAS: ALIAS, term("quote"): QUOTE, term("title"): TITLE, term("content"): TEXT}

    def _replay(self) -> None:
        """Gives the graph what the journal holds; applying differences twice, in their order, does no harm."""
        for removed, added in self.ledger.journal():
            self.apply(_parse(removed), _parse(added))
        self._behind = False

    def _recover(self) -> None:
        """Finishes what an interrupted run left."""
        self.checkpoint()
        current = str(self._manifest["graph"])
        for stale in self.path.glob("graph-*"):
            if stale.name != current:
                shutil.rmtree(stale)
        if self._manifest.get(_SCRUBBING):
            self.scrub()

    def checkpoint(self) -> None:
        """Everything is on disk: the journal is no longer needed."""
        if self._behind:
            self._replay()
        with _mapped(self.path):
            self.graph.flush()
        self.ledger.checkpoint()

    def scrub(self) -> None:
        """Rewrites graph and ledger so that no byte of what was removed stays under the folder.

        Where that is interrupted, whoever opens the store next for writing does it again.
        """
        self.checkpoint()
        self._set({**self._manifest, _SCRUBBING: True})
        former = self.path / str(self._manifest["graph"])
        number = int(former.name.removeprefix("graph-")) + 1
        fresh = self.path / f"graph-{number}"
        with _mapped(self.path):
            copy = ox.Store(str(fresh))
            copy.bulk_extend(self.graph)
            copy.flush()
            copy.optimize()
        del copy
        self._set({**self._manifest, "graph": fresh.name})
        self._graph = None
        self._graph = self._open_graph()
        shutil.rmtree(former)
        self.words.merge()
        self.ledger.scrub()
        self._set({key: value for key, value in self._manifest.items() if key != _SCRUBBING})

    def _set(self, manifest: dict[str, object]) -> None:
        _write_manifest(self.path, manifest)
        self._manifest = manifest

    def close(self) -> None:
        """Releases files and lock. What the graph could not take stays in the journal, for whoever opens the store next."""
        try:
            if self._graph is not None and not self.read_only:
                self.checkpoint()
        finally:
            self._release()

    def _release(self) -> None:
        self._graph = None
        if hasattr(self, "ledger"):
            self.ledger.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def open_store(path: str | Path, *, base: str | None = None, create: bool = False, read_only: bool = False) -> Store:
    """Opens the store in a folder, or makes one.

    `base` is the base IRI of a new store; the store keeps it. Raises StoreMissing where there is none and
    `create` is false, StoreVersionError for another format or another base, StoreLocked while another process writes.
    """
    return Store.open(path, base=base, create=create, read_only=read_only)


def check_store(path: str | Path) -> None:
    """Raises StoreMissing or StoreVersionError where a store can't be opened.

    Opens nothing: the engine's threads don't survive a fork, and a process that had the graph open must not fork workers.
    """
    _prepared(Path(path), base=None, create=False)


def _prepared(place: Path, *, base: str | None, create: bool) -> dict[str, object]:
    """The manifest of the store in a folder, which is made where it may be."""
    if not (place / "store.json").is_file():
        if not create:
            raise StoreMissing(f"there is no store at {place}", hint="`kg build PATH…` makes one, --store names another")
        _create(place, checked_base(base or _DEFAULT_BASE))
    manifest = read_manifest(place)
    if base is not None and create and checked_base(base) not in (manifest["base"], _DEFAULT_BASE):
        raise StoreVersionError(
            f"{place} has base IRI {manifest['base']}, not {base}", hint="build into another store, or leave KG_BASE unset"
        )
    return manifest


def checked_base(base: str) -> str:
    """A base IRI with the slash that it ends in."""
    try:
        ox.NamedNode(base)
    except ValueError as error:
        raise InvalidSetting(
            f"the base IRI {base!r} is none: {error}", hint="set KG_BASE to something like https://example.org/"
        ) from error
    if not re.match(r"https?://[^/?#]+[^?#]*$", base):
        raise InvalidSetting(f"the base IRI {base!r} is no web address", hint="set KG_BASE to something like https://example.org/")
    return base if base.endswith("/") else f"{base}/"


def _create(place: Path, base: str) -> None:
    try:
        place.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise StoreMissing(f"{place} is no folder", hint="name another place with --store") from error
    except OSError as error:
        raise StoreError(f"{place} can't be made: {error.strerror}", hint="name another place with --store") from error
    if any(place.iterdir()):
        raise StoreMissing(f"{place} holds files but no store", hint="name an empty or new folder with --store")
    _write_manifest(place, {"format": FORMAT, "base": base, "graph": "graph-1"})
    Ledger(place / "ledger.sqlite").close()
    with _mapped(place):
        ox.Store(str(place / "graph-1")).flush()


def read_manifest(place: Path) -> dict[str, object]:
    """What a store's folder says of itself. Raises StoreError and StoreVersionError."""
    try:
        manifest = json.loads((place / "store.json").read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise StoreError(f"{place / 'store.json'} can't be read: {error}", hint="restore it from a backup") from error
    if not isinstance(manifest, dict) or not {"format", "base", "graph"} <= set(manifest):
        raise StoreError(f"{place / 'store.json'} describes no store", hint="restore it from a backup")
    if manifest["format"] != FORMAT:
        raise StoreVersionError(
            f"{place} has format {manifest['format']}, this kg reads format {FORMAT}",
            hint="build the documents into a new store",
        )
    return dict(manifest)


def _write_manifest(place: Path, manifest: dict[str, object]) -> None:
    """Atomic: a reader sees the former or the new one."""
    fresh = place / "store.json.new"
    with _mapped(place):
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(manifest, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(place / "store.json")


def _acquire(place: Path) -> int:
    """The writer's lock, which the system drops when the process ends, however it ends."""
    with _mapped(place):
        handle = os.open(place / "writer.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(handle, 200, 0).decode(errors="replace").strip()
        os.close(handle)
        raise StoreLocked(f"{place} is being written by {holder or 'another process'}", hint="wait until it is done") from error
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"process {os.getpid()} ({Path(sys.argv[0]).name})\n".encode(), 0)
    return handle


def _update(removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> str:
    """One SPARQL update, which the engine runs as one transaction."""
    parts = []
    for verb, quads in (("DELETE DATA", removed), ("INSERT DATA", added)):
        graphs: dict[str, list[str]] = {}
        for quad in quads:
            name = "" if isinstance(quad.graph_name, ox.DefaultGraph) else str(quad.graph_name)
            graphs.setdefault(name, []).append(f"{quad.triple} .\n")
        body = "".join(
            "".join(sorted(lines)) if not name else f"GRAPH {name} {{\n{''.join(sorted(lines))}}}\n"
            for name, lines in sorted(graphs.items())
        )
        if body:
            parts.append(f"{verb} {{\n{body}}}")
    return " ;\n".join(parts)


def load_quads(graph: ox.Store, quads: BinaryIO) -> None:
    """Gives a graph N-Quads by the engine's bulk loader, a slice at a time: as one whole it would take 1 GB for a million of them."""
    while lines := quads.read(_SLICE):
        graph.bulk_load(input=lines + quads.readline(), format=ox.RdfFormat.N_QUADS)
    graph.flush()


def apply_difference(graph: ox.Store, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> None:
    """Gives a graph a difference. Blank nodes keep their labels."""
    lost, gained = list(removed), list(added)
    update = _update((quad for quad in lost if not _has_blank(quad)), (quad for quad in gained if not _has_blank(quad)))
    if update:
        graph.update(update)
    for quad in filter(_has_blank, lost):
        graph.remove(quad)
    graph.extend(filter(_has_blank, gained))


def _has_blank(quad: ox.Quad) -> bool:
    return isinstance(quad.subject, ox.BlankNode) or isinstance(quad.object, ox.BlankNode) or isinstance(quad.graph_name, ox.BlankNode)


def _parse(nquads: str) -> Iterator[ox.Quad]:
    return iter(ox.parse(nquads.encode(), format=ox.RdfFormat.N_QUADS))


@contextmanager
def _mapped(place: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:
        text = str(error)
        if "No space left" in text:
            raise StoreFull(f"{place}: no space left on the disk", hint="free some space and run the same command again") from error
        if "lock hold by" in text or "While lock file" in text:
            raise StoreLocked(f"{place} is being written by another process", hint="wait until it is done") from error
        raise StoreError(f"{place}: {text}", hint="`kg doctor` tells more") from error
