"""Answers the commonest request without a web framework: a query by GET, from a program, that is short and plain.

It gives the very answer that the app gives, in a third of the time, or none: then the app is asked.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from email.utils import formatdate
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from urllib.parse import unquote_to_bytes

from kg.errors import KgError
from kg.query.guard import is_plain, is_repeatable
from kg.query.run import answer_query
from kg.service.encoding import LEAST, coding_of, compressed
from kg.service.negotiate import GRAPHS, PAGE, ROWS, best_of, media_type_of
from kg.settings import Settings
from kg.store import Store

__all__ = ["BEGINNING", "EXPRESS", "MOST_BYTES", "Express"]

EXPRESS = "kg.express"
"""Where an app keeps its own among its extensions."""

BEGINNING = b"GET /sparql?query="
"""What such a request begins with."""

MOST_BYTES = 8192
"""Longest such request."""

_END = b" HTTP/1.1"
_UNREAD = frozenset((b"host", b"user-agent", b"accept-language", b"origin", b"referer", b"cache-control", b"pragma", b"dnt"))
_OFFERED = (*ROWS, *GRAPHS, f"text/{PAGE}")
_MOST_ANSWER = 4 * 1024 * 1024


class _TooLarge(Exception):
    """The answer does not fit."""


class _Kept(io.BytesIO):
    def write(self, part: Any) -> int:
        """Takes a part. Raises _TooLarge."""
        if self.tell() + len(part) > _MOST_ANSWER:
            raise _TooLarge
        return super().write(part)


@lru_cache(maxsize=256)
def _wanted(accept: str) -> tuple[str, str] | None:
    """Formats of rows and of graphs for an Accept header; None where a page, or nothing that there is, is wanted."""
    if best_of(accept, _OFFERED) in ("", f"text/{PAGE}"):
        return None
    return ROWS.get(best_of(accept, tuple(ROWS)), ""), GRAPHS.get(best_of(accept, tuple(GRAPHS)), "")


class Express:
    """Answers whole requests, as bytes, over what `source` gives. `headers` are those of every answer of the app."""

    def __init__(self, source: Callable[[], Store], settings: Settings, headers: Mapping[str, str]) -> None:
        self.source = source
        self.settings = settings
        self._tail = "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"

    def answer(self, request: bytes, note: dict[str, Any]) -> bytes | None:
        """The answer, and in `note` what is to be noted of it; None where the app must be asked."""
        line, _, rest = request[:-4].partition(b"\r\n")
        target = line[len(BEGINNING) : -len(_END)]
        if not line.endswith(_END) or b"&" in target or b" " in target or b"#" in target or b";" in target:
            return None
        read = _headers(rest)
        wanted = _wanted(read[0]) if read is not None else None
        if read is None or wanted is None:
            return None
        try:
            query = unquote_to_bytes(target.replace(b"+", b" ")).decode()
        except UnicodeDecodeError:
            return None
        if not query or not is_plain(query) or not is_repeatable(query) or "matches" in query:
            return None
        store = self.source()
        if not store.state:
            return None
        stream = _Kept()
        try:
            found = answer_query(store, query, settings=self.settings)
            offered, name = (GRAPHS, wanted[1]) if found.form == "graph" else (ROWS, wanted[0])
            if not name:
                return None
            note["rows"] = found.write(name, stream, settings=self.settings)
        except (KgError, _TooLarge):
            return None
        body = stream.getvalue()
        coding = coding_of(read[1]) if read[1] and len(body) >= LEAST else ""
        if coding:
            body = compressed(body, coding)
        asked = blake2b(line[12 : -len(_END)] + b" " + read[0].encode(), digest_size=9).hexdigest()
        note |= {"query": blake2b(query.encode(), digest_size=8).hexdigest(), "status": 200, "method": "GET", "path": "/sparql"}
        return self._head(media_type_of(offered, name), coding, len(body), f"{store.state}-{asked}") + body

    def _head(self, media_type: str, coding: str, size: int, tag: str) -> bytes:
        kind = f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type
        encoding = f"Content-Encoding: {coding}\r\n" if coding else ""
        return (
            f"HTTP/1.1 200 OK\r\nServer: kg\r\nDate: {formatdate(usegmt=True)}\r\nConnection: keep-alive\r\n"
            f'Content-Type: {kind}\r\nContent-Length: {size}\r\nETag: W/"{tag}"\r\nCache-Control: no-cache\r\n{encoding}{self._tail}'
        ).encode()


def _headers(lines: bytes) -> tuple[str, str] | None:
    """Accept and Accept-Encoding of a request; None where another header matters, or one is not written plainly."""
    accept = encoding = ""
    hosts = 0
    for line in lines.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        name = name.lower()
        if name == b"accept" and not accept:
            accept = value.strip().decode("latin-1")
        elif name == b"accept-encoding" and not encoding:
            encoding = value.strip().decode("latin-1")
        elif name == b"host":
            hosts += 1
        elif (name == b"connection" and value.strip().lower() == b"keep-alive") or name in _UNREAD:
            continue
        else:
            return None
        if not colon or not value.isascii() or b"\n" in line or b"\r" in line or b"\0" in line:
            return None
    return (accept, encoding) if hosts == 1 else None
