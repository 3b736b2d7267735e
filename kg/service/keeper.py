"""The process that holds the graph in memory, forks evaluators from it and follows what others write to the store."""

from __future__ import annotations

import gc
import os
import resource
import selectors
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path

from flask import Flask

from kg.errors import KgError
from kg.service.channel import Channel, close_all_but
from kg.service.evaluator import Evaluator, Limits
from kg.service.snapshot import Snapshot

__all__ = ["SLOTS", "Keeper", "become", "keep"]

SLOTS = 128
"""Most evaluators of one keeper at a time."""

_LOOK = 0.1
"""Seconds between looks at the store."""

_REFRESH = 4_000_000
"""Characters of differences after which evaluators are forked anew, since what they took in themselves is not shared."""


class _Source:
    """An evaluator's snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    @property
    def number(self) -> int:
        """The difference whose state is shown."""
        return self.snapshot.number

    def advance(self, number: int) -> bool:
        """Takes what is newer."""
        return self.snapshot.number >= number or self.snapshot.follow(number) is not None

    def rest(self) -> None:
        """Nothing is held open."""


@dataclass(slots=True)
class _Child:
    slot: int
    generation: int
    since: float


class Keeper:
    """Forks evaluators over one snapshot, replaces those that end, and tells the acceptor through `control`."""

    def __init__(self, snapshot: Snapshot, app: Flask, control: Channel, slots: mmap, first: int, limits: Limits) -> None:
        self.snapshot = snapshot
        self.app = app
        self.control = control
        self.slots = slots
        self.first = first
        self.limits = limits
        self.wanted = 0
        self.generation = 0
        self.children: dict[int, _Child] = {}
        self._grown = 0
        self._seen: tuple[int, ...] = ()
        self._pause = 0.0

    def run(self) -> None:
        """Serves the acceptor until it is gone."""
        wake, woken = socket.socketpair()
        wake.setblocking(False)
        woken.setblocking(False)
        signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self.control.send({"loaded": self.snapshot.number})
        with selectors.DefaultSelector() as selector:
            selector.register(self.control, selectors.EVENT_READ)
            selector.register(wake, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select(_LOOK):
                    if key.fileobj is wake:
                        with suppress(BlockingIOError):
                            wake.recv(4096)
                    elif not self._obey():
                        return
                self._reap()
                self._look()
                self._fork_missing()

    def _obey(self) -> bool:
        """Takes one message of the acceptor; False when it is gone."""
        message = self.control.receive()
        if message is None:
            for pid in self.children:
                os.kill(pid, signal.SIGKILL)
            return False
        self.wanted = min(int(message.fields["wanted"]), SLOTS)
        return True

    def _reap(self) -> None:
        while self.children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            child = self.children.pop(pid, None)
            if child is None:
                continue
            code = os.waitstatus_to_exitcode(status)
            if code and time.monotonic() - child.since < 1:
                self._pause = time.monotonic() + 0.5  # whatever ends evaluators at once must not keep a processor busy
            self.control.send({"ended": pid, "signal": -code if code < 0 else 0})

    def _look(self) -> None:
        """Follows the store, so that the next fork is new."""
        seen = _traces(self.snapshot.path)
        if seen == self._seen:
            return
        try:
            size = self.snapshot.follow()
        except KgError:
            return  # a writer holds it just now; the next look comes soon
        finally:
            self.snapshot.close()
        self._seen = seen
        if size is None:
            self.control.send({"lost": True})
            return
        self._grown += size
        if self._grown > _REFRESH:
            self._grown = 0
            self.generation += 1
        if size:
            self.control.send({"number": self.snapshot.number, "generation": self.generation})

    def _fork_missing(self) -> None:
        if time.monotonic() < self._pause:
            return
        current = sum(child.generation == self.generation for child in self.children.values())
        free = [slot for slot in range(self.first, self.first + SLOTS) if slot not in {child.slot for child in self.children.values()}]
        for slot in free[: max(0, self.wanted - current)]:
            self._fork(slot)

    def _fork(self, slot: int) -> None:
        ours, theirs = Channel.pair()
        pid = os.fork()
        if pid == 0:
            become(lambda: self._evaluate(ours, slot), ours)
        ours.close()
        self.children[pid] = _Child(slot, self.generation, time.monotonic())
        self.control.send({"evaluator": pid, "slot": slot, "generation": self.generation}, files=[theirs.fileno()])
        theirs.close()

    def _evaluate(self, channel: Channel, slot: int) -> None:
        _limit_memory(self.limits.memory)
        self.slots[slot] = 0
        Evaluator(channel, self.app, _Source(self.snapshot), self.limits, self.slots, slot).run()


def become(work: Callable[[], None], channel: Channel) -> None:
    """Does the work of a forked process and ends it, with nothing of the parent's left but this channel."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        close_all_but([channel.fileno()])
        work()
        status = 0
    finally:
        os._exit(status)


def _limit_memory(allowed: int) -> None:
    """So many bytes may be taken beyond what the process has; past them the engine ends it."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  # one short line
        present = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (present + allowed, present + allowed))


def _traces(path: Path) -> tuple[int, ...]:
    """What differs after any change of the store."""
    found = []
    for name in ("ledger.sqlite", "ledger.sqlite-wal", "store.json"):
        with suppress(OSError):
            state = (path / name).stat()
            found += [state.st_ino, state.st_size, state.st_mtime_ns]
    return tuple(found)


def keep(
    load: Callable[[], Snapshot], make: Callable[[Snapshot], Flask], control: Channel, slots: mmap, first: int, limits: Limits
) -> None:
    """Loads a store, makes the app over it and forks evaluators until the acceptor is gone.

    Their slots are those from `first` on.
    """
    snapshot = load()
    app = make(snapshot)
    snapshot.close()
    gc.collect()
    gc.freeze()
    Keeper(snapshot, app, control, slots, first, limits).run()
