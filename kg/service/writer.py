"""The process that writes: one at a time, with the store open only while writes come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from mmap import mmap
from pathlib import Path

from flask import Flask

from kg.errors import StoreLocked
from kg.service.channel import Channel
from kg.service.evaluator import Evaluator, Limits
from kg.settings import Settings
from kg.store import Store, open_store

__all__ = ["WrittenStore", "write"]

_HELD = 5.0
"""Seconds after which the store is given free between two writes, so that a build that waits has its turn."""

_PAUSE = 0.02


class WrittenStore:
    """The store of a folder, opened for writing when it is needed, and closed when no write came for a while."""

    def __init__(self, path: Path, settings: Settings, *, patience: float) -> None:
        self.path = path
        self.settings = settings
        self.patience = patience
        self.number = 0
        self._store: Store | None = None
        self._since = 0.0

    def __call__(self) -> Store:
        """The open store. Waits while another process writes; raises StoreLocked where that takes too long."""
        until = time.monotonic() + self.patience
        while self._store is None:
            try:
                self._store = open_store(self.path, settings=self.settings)
                self._since = time.monotonic()
            except StoreLocked:
                if time.monotonic() > until:
                    raise
                time.sleep(_PAUSE)
        return self._store

    @contextmanager
    def writing(self) -> Iterator[Store]:
        """The store for the length of a change."""
        store = self()
        try:
            yield store
        finally:
            self.number = store.ledger.newest()

    def advance(self, number: int) -> bool:
        """A store that is open for writing shows everything."""
        self.number = max(self.number, number)
        if time.monotonic() - self._since > _HELD:
            self.rest()
        return True

    def rest(self) -> None:
        """Gives the store free."""
        if self._store is not None:
            self._store.close()
            self._store = None


def write(source: WrittenStore, make: Callable[[WrittenStore], Flask], channel: Channel, slots: mmap, slot: int, limits: Limits) -> None:
    """Answers writing requests that come through a channel, until it is closed."""
    try:
        Evaluator(channel, make(source), source, limits, slots, slot).run()
    finally:
        source.rest()
