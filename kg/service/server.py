"""Runs the service: an acceptor in front, a keeper with its evaluators, and a process that writes."""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TextIO

from flask import Flask

from kg.errors import StoreError, StoreLocked, UsageError
from kg.service.acceptor import Acceptor, Options
from kg.service.channel import Channel
from kg.service.evaluator import Limits
from kg.service.keeper import SLOTS, become, keep
from kg.service.snapshot import Snapshot, load
from kg.service.watch import Watch
from kg.service.writer import WrittenStore, write
from kg.settings import Settings
from kg.store import Store, locate

__all__ = ["serve"]

_log = logging.getLogger(__name__)

_MEGABYTE = 1024 * 1024
_BACKLOG = 1024


def serve(store_path: str | Path, settings: Settings, *, announce: Callable[[str], None] = _log.info) -> None:
    """Serves a store, or the graph that a server holds, until SIGTERM or Ctrl-C, and tells `announce` the URL once queries are answered.

    Raises StoreMissing and StoreVersionError before anything is started, StoreLocked where another server has the store,
    UsageError where the address can't be listened on, StoreError where the graph can't be loaded.
    """
    path, manifest = locate(store_path, settings)
    with ExitStack() as stack:
        stack.enter_context(_claimed(path))
        listener = stack.enter_context(_listening(settings.host, settings.port))
        watch = Watch(_access_log(settings.access_log, stack), slow_seconds=settings.slow_seconds)
        slots = mmap.mmap(-1, 2 * SLOTS + 1)
        start = _Start(path, manifest, settings, slots)
        acceptor = Acceptor(
            listener,
            _options(settings),
            slots,
            watch,
            start_keeper=start.keeper,
            start_writer=start.writer if settings.token else None,
            ready=lambda: announce(f"http://{_bracketed(settings.host)}:{listener.getsockname()[1]}/"),
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, frame: acceptor.stop())
        acceptor.run()
    if not acceptor.served:
        raise StoreError(f"{path} can't be served", hint="`kg doctor` tells more")


def _options(settings: Settings) -> Options:
    workers = settings.serve_workers or max(2, os.cpu_count() or 1)
    return Options(
        workers=workers,
        most_workers=min(4 * workers, SLOTS),
        queue=settings.queue,
        seconds=settings.query_seconds,
        cache_bytes=settings.cache_megabytes * _MEGABYTE,
    )


class _Start:
    """Forks the processes that hold a store."""

    def __init__(self, path: Path, manifest: dict[str, object], settings: Settings, slots: mmap.mmap) -> None:
        self.path = path
        self.manifest = manifest
        self.settings = settings
        self.slots = slots
        memory = settings.query_megabytes * _MEGABYTE
        self.limits = Limits(settings.query_seconds, max(settings.query_seconds, settings.document_seconds), memory)

    def keeper(self, serial: int) -> tuple[Channel, int]:
        """A process that holds the graph, by channel and number; keepers that follow each other have slots of their own."""
        first = serial % 2 * SLOTS
        return self._fork(lambda channel: keep(self._loaded, self._reading, channel, self.slots, first, self.limits))

    def writer(self) -> tuple[Channel, int, int]:
        """The process that writes: its channel, its number and its slot."""
        slot, seconds = 2 * SLOTS, self.limits.long_seconds
        limits = Limits(seconds, seconds, self.limits.memory)
        source = WrittenStore(self.path, self.settings, patience=seconds)
        channel, pid = self._fork(lambda channel: write(source, self._writing, channel, self.slots, slot, limits))
        return channel, pid, slot

    def _loaded(self) -> Snapshot:
        return load(self.path, self.manifest, self.settings)

    def _reading(self, store: Store) -> Flask:
        from kg.service.app import create_app

        app = create_app(store, self.settings)
        for name in app.jinja_env.list_templates():  # before the forks, so that no evaluator's first page has to wait for it
            app.jinja_env.get_template(name)
        return app

    def _writing(self, source: WrittenStore) -> Flask:
        from kg.service.app import create_app

        return create_app(source, self.settings, writing=source.writing)

    def _fork(self, work: Callable[[Channel], None]) -> tuple[Channel, int]:
        ours, theirs = Channel.pair()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            become(lambda: work(theirs), theirs)
        theirs.close()
        return ours, pid


@contextmanager
def _claimed(path: Path) -> Iterator[None]:
    """Holds the lock of a store's server. Raises StoreLocked where another one serves it."""
    try:
        handle = os.open(path / "server.lock", os.O_RDWR | os.O_CREAT, 0o644)
    except (PermissionError, FileNotFoundError):  # what can only be read can be served as often as one likes
        yield
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(handle, 200, 0).decode(errors="replace").strip()
        os.close(handle)
        raise StoreLocked(f"{path} is already served by {holder or 'another process'}", hint="end that one first, or ask it") from error
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"process {os.getpid()}\n".encode(), 0)
    try:
        yield
    finally:
        os.close(handle)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"can't listen on {host}, port {port}: {reason}", hint="name another with --port, or --host") from error
    try:
        yield listener
    finally:
        with suppress(OSError):
            listener.close()


def _access_log(place: str, stack: ExitStack) -> TextIO | None:
    if place in ("", "-"):
        return sys.stderr if place else None
    try:
        return stack.enter_context(Path(place).open("a", encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"the access log {place} can't be written: {error.strerror}", hint="name another with KG_ACCESS_LOG") from error


def _bracketed(host: str) -> str:
    """A host as URLs write it: addresses of IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host
