"""Runs the service: gunicorn with threads, whose workers show a new state of the store soon after it was written."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from kg.errors import StoreError
from kg.ledger import Ledger
from kg.service.app import create_app
from kg.settings import Settings
from kg.store import Store, check_store, open_store

__all__ = ["NewestStore", "serve"]

_SECONDS = 0.2
"""How often at most a worker looks whether the store was changed."""

_log = logging.getLogger(__name__)


class NewestStore:
    """The store of a folder, opened read-only and opened again after another process changed it.

    A request keeps the handle that it began with. While a change is under way and the folder can't be opened, the
    former state is shown.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._watch = Ledger(path / "ledger.sqlite", read_only=True)
        self._seen = self._state()
        self._store = open_store(path, read_only=True)
        self._looked = time.monotonic()

    def __call__(self) -> Store:
        """The store in its newest state."""
        with self._lock:
            if time.monotonic() - self._looked >= _SECONDS:
                self._look()
                self._looked = time.monotonic()
            return self._store

    def _state(self) -> tuple[int, int]:
        """What differs after every change: the ledger's version, and when the manifest was written."""
        return self._watch.version(), (self.path / "store.json").stat().st_mtime_ns

    def _look(self) -> None:
        state = self._state()
        if state == self._seen:
            return
        try:
            self._store = open_store(self.path, read_only=True)
        except StoreError as error:
            _log.info("the former state is shown: %s", error)
        else:
            self._seen = state


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn, told everything here: no file and no environment variable of its own is read."""

    def __init__(self, make: Callable[[], Flask], options: dict[str, Any]) -> None:
        self.make = make
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        """Takes the options."""
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The app, made in each worker after the fork, so that no handle of the store is shared."""
        return self.make()


def serve(store_path: str | Path, settings: Settings, *, workers: int = 2, announce: Callable[[str], None] = _log.info) -> None:
    """Serves a store until SIGTERM or Ctrl-C, and tells `announce` the URL once connections are taken.

    Raises StoreMissing and StoreVersionError before anything is started.
    """
    path = Path(store_path)
    check_store(path)

    def when_ready(server: Any) -> None:
        announce(f"http://{_bracketed(settings.host)}:{server.LISTENERS[0].sock.getsockname()[1]}/")

    _Server(lambda: create_app(NewestStore(path), settings), _options(settings, workers, when_ready)).run()


def _options(settings: Settings, workers: int, when_ready: Callable[[Any], None]) -> dict[str, Any]:
    return {
        "bind": [f"{_bracketed(settings.host)}:{settings.port}"],
        "workers": workers,
        "worker_class": "gthread",
        "threads": 8,
        "graceful_timeout": 10,
        "limit_request_line": 8190,
        "control_socket_disable": True,
        "loglevel": "warning",
        "when_ready": when_ready,
    }


def _bracketed(host: str) -> str:
    """A host as URLs write it: addresses of IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host
