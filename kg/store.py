"""A store: the ledger on disk, and the graph derived from it (pyoxigraph, or a SPARQL server), changed in whole steps only."""

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
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NoReturn, Self

import pyoxigraph as ox

from kg.duplicates import Duplicates
from kg.errors import InvalidSetting, StoreError, StoreFull, StoreLocked, StoreMissing, StoreVersionError, UsageError
from kg.fulltext import ALIAS, LABEL, QUOTE, TEXT, TITLE, Entry, FullText
from kg.graph.embedded import apply_difference, load_quads
from kg.graph.protocol import Graph
from kg.graph.remote import RemoteGraph, read_base
from kg.graph.server import Server, access_of, checked_url, find_server, is_url, ledger_folder
from kg.ledger import Ledger
from kg.rdf.iris import Namespace
from kg.rdf.write import Writer, as_nquads
from kg.settings import Settings, load_settings

__all__ = [
    "FORMAT",
    "Store",
    "check_store",
    "checked_base",
    "locate",
    "open_ledger",
    "open_store",
    "read_manifest",
    "remote_graph",
]

FORMAT = 2
"""Version of the layout of a store's folder."""

_DEFAULT_BASE = "http://localhost:8000/"
_ATTEMPTS, _PAUSE = 20, 0.05
_SCRUBBING = "scrubbing"
_LABEL, _ALIAS = "http://www.w3.org/2000/01/rdf-schema#label", "http://www.w3.org/2004/02/skos/core#altLabel"
_SERVER, _NO_LEDGER = "server", "no-ledger"


class Store:
    """One store. Read-only handles see the graph as it was when they were opened; that of a server they see as it is.

    A handle on a server's graph whose ledger is elsewhere (`settings` has no folder of it) answers what the graph can answer.
    """

    def __init__(self, path: Path, manifest: dict[str, object], *, read_only: bool, settings: Settings | None = None) -> None:
        self.path = path
        self._settings = settings
        self.read_only = read_only
        self._describe(manifest)
        self._behind = True
        self._graph: Graph | None = None
        self._lock = None if read_only else _acquire(path)
        try:
            if _NO_LEDGER not in manifest:
                self._manifest = read_manifest(path)
            self.ledger = open_ledger(path, self._manifest, read_only=read_only)
            if _NO_LEDGER not in manifest:
                self.words = FullText(self.ledger.connection)
                self.duplicates = Duplicates(self.ledger.connection)
            shown = read_only and _SERVER not in self._manifest  # a server's graph is seen as it is
            self._opened = self.ledger.newest() if shown else None  # before the graph, which may then be newer, never older
            self._graph = self._open_graph()
            if not read_only:
                self.duplicates.prepare()
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
    def open(
        cls,
        path: str | Path,
        *,
        base: str | None = None,
        create: bool = False,
        read_only: bool = False,
        settings: Settings | None = None,
    ) -> Self:
        """Opens the store in a folder or on a server, or makes one; see open_store."""
        create = create and not read_only
        if is_url(path):
            settings = settings or load_settings()
            place, manifest = _prepared_server(str(path), settings, base=base, create=create, read_only=read_only)
        else:
            place = Path(path)
            manifest = _prepared(place, base=base, create=create)
        return cls(place, manifest, read_only=read_only, settings=settings)

    def _open_graph(self) -> Graph:
        found = remote_graph(self._manifest, self._settings)
        if found is not None:
            return found
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
    def graph(self) -> Graph:
        """The dataset, for queries."""
        if self._graph is None:
            raise StoreError(f"{self.path} is closed", hint="open it again")
        return self._graph

    @property
    def state(self) -> str:
        """A short word that is another one after every change: the graph's folder and the newest difference that this handle can show.

        Empty where a server holds the graph: others may change it there, unseen.
        """
        if _SERVER in self._manifest:
            return ""
        newest = self.ledger.newest() if self._opened is None else self._opened
        return f"{self._manifest['graph']}-{newest:x}"

    @property
    def embedded(self) -> ox.Store | None:
        """The graph with all that its engine can do, where it lies in the store's folder; None where a server holds it."""
        return self.graph if isinstance(self.graph, ox.Store) else None

    @property
    def engine(self) -> ox.Store:
        """As `embedded`. UsageError where a server holds the graph."""
        found = self.embedded
        if found is None:
            place = self._manifest["graph"]
            raise UsageError(f"the graph lies on {place}, which takes updates and graphs itself", hint="send them there")
        return found

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
        if self.ledger.is_long():
            self.checkpoint()
        return len(removed), len(added)

    def take_parts(self, parts: Callable[[], Iterable[tuple[set[ox.Quad], set[ox.Quad]]]]) -> tuple[int, int]:
        """One step, as `take`, for a difference that is too large to be held at once: its parts are noted together, then applied.

        The memory needed is that of one part. A reader of the ledger sees all of them or none.
        """
        counts = [0, 0]
        with self.revision():
            with self.ledger.transaction():
                first = self.ledger.newest()
                for removed, added in parts():
                    self.ledger.log(as_nquads(removed), as_nquads(added))
                    self.index(removed, added)
                    counts[0] += len(removed)
                    counts[1] += len(added)
                last = self.ledger.newest()
            for number in range(first + 1, last + 1):
                lost, gained = self.ledger.difference(number)
                self.apply(_parse(lost), _parse(gained))
        return counts[0], counts[1]

    def apply(self, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> None:
        """Takes a difference: one transaction of the graph, and blank nodes, which no update can name, beside it.

        On a server it takes several, for which the journal makes up.
        """
        if self.read_only:
            raise StoreError(f"{self.path} is open for reading only", hint="open it for writing")
        if isinstance(self.graph, RemoteGraph):
            self.graph.apply(removed, added)
            return
        with _mapped(self.path):
            apply_difference(self.engine, removed, added)

    @contextmanager
    def filling(self, quads: BinaryIO) -> Iterator[None]:
        """Fills a store that is new and that nobody else knows yet: N-Quads by the engine's bulk loader, inside the block the ledger.

        Then the full-text index is made. There is no journal of it, and where it does not end well the folder is good for nothing.
        """
        with _mapped(self.path):
            load_quads(self.engine, quads)
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

        Where that is interrupted, whoever opens the store next for writing does it again. Files of a server are its own matter.
        """
        self.checkpoint()
        if self.embedded is None:
            self.ledger.scrub()
            return
        self._set({**self._manifest, _SCRUBBING: True})
        former = self.path / str(self._manifest["graph"])
        number = int(former.name.removeprefix("graph-")) + 1
        fresh = self.path / f"graph-{number}"
        with _mapped(self.path):
            copy = ox.Store(str(fresh))
            copy.bulk_extend(self.embedded)
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
        if isinstance(self._graph, RemoteGraph):
            self._graph.close()
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


class _AbsentLedger(Ledger):
    """Stands for a ledger that is on another machine: whatever is asked of it is an error."""

    def __init__(self, place: Path) -> None:
        self._missing = _missing_ledger(place)

    def __getattr__(self, name: str) -> NoReturn:
        raise self._missing

    def close(self) -> None:
        """Nothing is open."""


def open_ledger(place: Path, manifest: dict[str, object], *, read_only: bool) -> Ledger:
    """The ledger in a store's folder; where it is on another machine, one that says so whatever is asked of it."""
    return _AbsentLedger(place) if _NO_LEDGER in manifest else Ledger(place / "ledger.sqlite", read_only=read_only)


def remote_graph(manifest: dict[str, object], settings: Settings | None) -> RemoteGraph | None:
    """The graph where a server holds it, else None. Nothing is sent before it is asked."""
    if _SERVER not in manifest:
        return None
    return RemoteGraph(Server.from_data(manifest[_SERVER]), access_of(settings or load_settings()))


def _missing_ledger(place: Path) -> StoreMissing:
    hint = "set KG_LEDGER to its folder, or run it where the ledger is; query, facts, validate and export do without"
    return StoreMissing(f"this needs the ledger of the graph, which is not at {place}", hint=hint)


def open_store(
    path: str | Path,
    *,
    base: str | None = None,
    create: bool = False,
    read_only: bool = False,
    settings: Settings | None = None,
) -> Store:
    """Opens the store in a folder, or makes one; `path` may be the URL of a SPARQL server that holds the graph.

    `base` is the base IRI of a new store; the store keeps it. `settings` tell how to speak to a server and where its ledger is.
    Raises StoreMissing where there is none and `create` is false, StoreVersionError for another format or another base,
    StoreLocked while another process writes, ServerError where the server can't be reached.
    """
    return Store.open(path, base=base, create=create, read_only=read_only, settings=settings)


def check_store(path: str | Path) -> None:
    """Raises StoreMissing or StoreVersionError where a store can't be opened. Opens nothing."""
    locate(path)


def locate(path: str | Path, settings: Settings | None = None) -> tuple[Path, dict[str, object]]:
    """Folder and manifest of the store that a folder, or the URL of a server, names; without its ledger the folder may be absent.

    Raises StoreMissing, StoreVersionError, ServerError. Opens nothing: the engine's threads don't survive a fork, and a process that
    had the graph open must not fork workers.
    """
    if is_url(path):
        return _prepared_server(str(path), settings or load_settings(), base=None, create=False, read_only=True)
    return Path(path), _prepared(Path(path), base=None, create=False)


def _prepared_server(url: str, settings: Settings, *, base: str | None, create: bool, read_only: bool) -> tuple[Path, dict[str, object]]:
    """Folder and manifest of the store whose graph is on a server; the folder is made where it may be."""
    url = checked_url(url)
    place = ledger_folder(url, settings)
    if (place / "store.json").is_file():
        manifest = _prepared(place, base=base, create=create)
        known = manifest.get("graph")
        if known != url:
            hint = "name its own with --store, or another folder with KG_LEDGER; where the server has moved, change store.json"
            raise StoreVersionError(f"{place} is the ledger of {known}, not of {url}", hint=hint)
        return place, manifest
    if not create and not read_only:
        raise _missing_ledger(place)
    wanted = checked_base(base or settings.base)
    server = find_server(url, settings, base=wanted)
    found = read_base(server, access_of(settings))
    if found and not create:
        server = replace(server, fused=server.fused.replace(wanted, found)) if server.fused else server
        wanted = found
    manifest = {"format": FORMAT, "base": wanted, "graph": url, _SERVER: server.as_data()}
    if not create:
        return place, {**manifest, _NO_LEDGER: True}
    if found:
        raise _missing_ledger(place)  # a second ledger would not know what the documents there say
    _make_folder(place)
    _write_manifest(place, manifest)
    Ledger(place / "ledger.sqlite").close()
    return place, manifest


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
    _make_folder(place)
    _write_manifest(place, {"format": FORMAT, "base": base, "graph": "graph-1"})
    Ledger(place / "ledger.sqlite").close()
    with _mapped(place):
        ox.Store(str(place / "graph-1")).flush()


def _make_folder(place: Path) -> None:
    try:
        place.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise StoreMissing(f"{place} is no folder", hint="name another place with --store") from error
    except OSError as error:
        raise StoreError(f"{place} can't be made: {error.strerror}", hint="name another place with --store") from error
    if any(place.iterdir()):
        raise StoreMissing(f"{place} holds files but no store", hint="name an empty or new folder with --store")


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
