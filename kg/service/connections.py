"""Connections of clients as the acceptor sees them: it looks at requests without taking them, until they are whole."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from typing import Any

__all__ = ["MOST_PEEKED", "Connection", "Head", "RequestTooLarge", "read_head"]

MOST_PEEKED = 60_000
"""Bytes of a request that are waited for before it is handed on; a longer body is read by the process that answers."""

_MOST_HEAD = 32_768
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*(?=\r\n)", re.IGNORECASE)
_EARLY = re.compile(rb"\r\n(?:transfer-encoding|expect):", re.IGNORECASE)
_READING = re.compile(r"/(?:sparql|reconcile|queries|search|graph)(?:[/?#]|$)")


class RequestTooLarge(Exception):
    """The lines before the body are longer than is read."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a request begins with. `length` is that of the whole request; None where it can't be told beforehand."""

    method: str
    target: str
    length: int | None

    @property
    def writes(self) -> bool:
        """Whether the request is one for the process that writes."""
        return self.method not in ("GET", "HEAD", "OPTIONS") and _READING.match(self.target) is None


@dataclass(slots=True, eq=False)
class Connection:
    """One client. `since` is when it was accepted, or was last answered.

    `request` is not empty while it is answered, `more` says that something may have come since then.
    """

    socket: socket.socket
    address: tuple[Any, ...]
    since: float
    head: Head | None = None
    request: bytes = b""
    more: bool = False
    unsent: bytes = b""
    awaits_room: bool = False
    left: float | None = None
    served: int = 0


def read_head(data: bytes) -> Head | None:
    """What a request begins with, None while lines before its body are missing. Raises RequestTooLarge."""
    end = data.find(b"\r\n\r\n")
    if end < 0 or end > _MOST_HEAD:
        if len(data) > _MOST_HEAD:
            raise RequestTooLarge
        return None
    method, _, rest = data[: data.find(b"\r\n")].partition(b" ")
    target = rest.partition(b" ")[0].decode("latin-1")
    head = data[: end + 4]
    length = None
    if _EARLY.search(head) is None:
        found = _LENGTH.findall(head)
        length = end + 4 + (int(found[0]) if len(found) == 1 and len(found[0]) < 16 else 0)
    return Head(method.decode("latin-1"), target, length)
