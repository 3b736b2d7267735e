"""Answers kept by the very bytes of their requests, as long as the store's state stays the same."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

__all__ = ["Cache"]

_DATE = re.compile(rb"\r\nDate: [^\r]*\r\n")


@dataclass(frozen=True, slots=True)
class _Kept:
    before: bytes
    after: bytes
    note: dict[str, Any]
    size: int


class Cache:
    """At most `most` bytes of requests and answers; those not asked for longest go first."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.size = 0
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()

    def get(self, request: bytes) -> tuple[bytes, dict[str, Any]] | None:
        """The answer with the present date, and what was noted when it was made."""
        kept = self._kept.get(request)
        if kept is None:
            return None
        self._kept.move_to_end(request)
        return b"".join((kept.before, b"\r\nDate: ", formatdate(usegmt=True).encode(), b"\r\n", kept.after)), kept.note

    def put(self, request: bytes, answer: bytes, note: dict[str, Any]) -> None:
        """Keeps an answer that has a date."""
        date = _DATE.search(answer)
        if date is None or request in self._kept:
            return
        size = len(request) + len(answer)
        self._kept[request] = _Kept(answer[: date.start()], answer[date.end() :], note, size)
        self.size += size
        while self.size > self.most:
            _, former = self._kept.popitem(last=False)
            self.size -= former.size

    def clear(self) -> None:
        """The state is another one."""
        self._kept.clear()
        self.size = 0
