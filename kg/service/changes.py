"""Who may change the store over HTTP, and the store that is open for it."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from flask import request

from kg.service.faults import HttpFault
from kg.service.state import current
from kg.store import Store

__all__ = ["OwnWriter", "authorize", "writable"]

_HINT = "set a token for the service with --token or KG_TOKEN, or change the store with `kg build` and `kg retract`"


def authorize(*, form_field: str = "") -> None:
    """Lets a request pass that may change the store: by ``Authorization: Bearer``, or by a field of a form that a person filled in.

    Never by a cookie, so that no page of another host can make a browser write. Raises 403 where the service takes no changes,
    401 for a token that is missing or wrong (RFC 6750, section 3).
    """
    token = str(current().settings.token)
    if not token or current().writing is None:
        raise HttpFault(403, "read-only", "this service doesn't take changes", hint=_HINT)
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        given = request.form.get(form_field, "") if form_field else ""
    if not hmac.compare_digest(given.strip().encode(), token.encode()):
        wrong = "the token is not the one of this service" if given else "this needs the service's token"
        raise HttpFault(401, "unauthorized", wrong, hint="send Authorization: Bearer TOKEN")


@contextmanager
def writable() -> Iterator[Store]:
    """The store, open for writing for as long as the block lasts; one at a time."""
    source = current().writing
    if source is None:
        raise HttpFault(403, "read-only", "this service doesn't take changes", hint=_HINT)
    with source() as store:
        yield store


class OwnWriter:
    """Gives a store that this process has open for writing, to one thread at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()

    def __call__(self) -> AbstractContextManager[Store]:
        """The store for the length of a block."""
        return self._turn()

    @contextmanager
    def _turn(self) -> Iterator[Store]:
        with self._lock:
            yield self._store
