"""A process that answers requests, one at a time, each on the client's own connection.

It is forked from the keeper and shares its graph copy-on-write. At a request's time limit the system ends it, whatever
it is doing; it is cheap to replace. Before the first byte of an answer leaves, it marks its slot in memory shared with
the acceptor, which answers in its place where it ended unmarked.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from mmap import mmap
from typing import Any, Protocol

from flask import Flask
from gunicorn.config import Config
from gunicorn.http import RequestParser
from gunicorn.http.errors import ConfigurationProblem, LimitRequestHeaders, LimitRequestLine, NoMoreData, ParseException
from gunicorn.http.wsgi import Response, create

from kg.service.channel import LARGEST, Channel, Message
from kg.service.express import EXPRESS, Express
from kg.service.state import NOTE

__all__ = ["Evaluator", "Limits", "Source", "raw_error"]

_PATIENCE = 30.0
"""Seconds for which a client may keep an answer waiting."""

_BATCH = 65_536
_TOLD_MS = 500


class Source(Protocol):
    """Where the app's store comes from."""

    def advance(self, number: int) -> bool:
        """Shows at least the state of this difference; False where that can't be."""

    def rest(self) -> None:
        """No request came for a while."""

    @property
    def number(self) -> int:
        """The difference whose state is shown."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may take: seconds, more of them where its path begins with one of the `long` ones, and bytes of memory."""

    seconds: float
    long_seconds: float
    memory: int
    long: tuple[str, ...] = ("/export",)

    def of(self, target: str) -> float:
        """The limit for a request's target."""
        return self.long_seconds if target.startswith(self.long) else self.seconds


def raw_error(status: str, code: str, message: str, hint: str, *headers: str) -> bytes:
    """A whole answer of the service's error shape, after which the connection is closed. `status` is like `503 Service Unavailable`."""
    error = {"status": int(status[:3]), "code": code, "message": message, "hint": hint}
    body = json.dumps({"error": error}).encode()
    lines = (
        f"HTTP/1.1 {status}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Access-Control-Allow-Origin: *",
        "Connection: close",
        *headers,
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class _Wire:
    """The client's connection as gunicorn's parts use it: small answers leave in one piece, and are kept for the acceptor."""

    def __init__(self, client: socket.socket, mark: Callable[[], None]) -> None:
        self.client = client
        self.mark = mark
        self.waiting = bytearray()
        self.whole = True
        self.sent = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def sendall(self, data: bytes) -> None:
        """Takes a part of the answer."""
        self.waiting += data
        if len(self.waiting) > _BATCH:
            self.whole = False
            self.flush()

    send = sendall

    def flush(self) -> None:
        """Sends what waits."""
        if self.waiting:
            self.mark()
            self.client.sendall(self.waiting)
            self.sent += len(self.waiting)
            if not self.whole:
                self.waiting.clear()

    def take(self) -> bytes:
        """The whole answer, where it was small; forgets it."""
        answer = bytes(self.waiting) if self.whole else b""
        self.waiting.clear()
        self.whole = True
        return answer


class Evaluator:
    """Serves connections that come through a channel, until it is closed."""

    def __init__(self, channel: Channel, app: Flask, source: Source, limits: Limits, slots: mmap, slot: int) -> None:
        self.channel = channel
        self.app = app
        self.express: Express = app.extensions[EXPRESS]
        self.source = source
        self.limits = limits
        self.slots = slots
        self.slot = slot
        self._config = Config()
        for name, value in {"sendfile": False, "limit_request_line": 0, "limit_request_field_size": 0}.items():
            self._config.set(name, value)

    def run(self) -> None:
        """Serves until the acceptor closes the channel."""
        while True:
            self.channel.socket.settimeout(1.0)
            try:
                message = self.channel.receive()
            except TimeoutError:
                self.source.rest()
                continue
            if message is None:
                return
            self._serve(message)

    def _serve(self, message: Message) -> None:
        if not self.source.advance(message.fields["number"]):
            self.channel.send({"behind": True})
        elif not (message.payload and self._answer_at_once(message)):
            self._answer_on(message)

    def _answer_at_once(self, message: Message) -> bool:
        """Answers a request that came in the message through the acceptor; False where it must be answered on its connection."""
        began = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, self.limits.seconds)
        note: dict[str, Any] = {}
        answer = self.express.answer(message.payload, note)
        signal.setitimer(signal.ITIMER_REAL, 0)
        if answer is None or len(answer) > LARGEST:
            return False
        os.close(message.files[0])
        note |= {"ms": round((time.perf_counter() - began) * 1000, 2), "bytes": len(answer), "keep": True, "whole": True}
        self.channel.send({**note, "number": self.source.number}, answer)
        return True

    def _answer_on(self, message: Message) -> None:
        """Answers on the client's own connection."""
        with socket.socket(fileno=message.files[0]) as client:
            client.settimeout(_PATIENCE)
            wire = _Wire(client, self._mark)
            parser = RequestParser(self._config, wire, tuple(message.fields["address"]))
            local = client.getsockname()
            while True:
                fields, answer = self._answer(parser, wire, local)
                pipelined = fields["keep"] and parser.unreader.buf.getbuffer().nbytes > 0
                signal.setitimer(signal.ITIMER_REAL, 0)
                self.slots[self.slot] = 0
                if not pipelined:
                    break
                self.channel.send({**fields, "more": True})
        self.channel.send({**fields, "number": self.source.number}, answer)

    def _mark(self) -> None:
        self.slots[self.slot] = 1

    def _answer(self, parser: RequestParser, wire: _Wire, local: tuple[Any, ...]) -> tuple[dict[str, Any], bytes]:
        """One request of the connection: what to note of it, and the whole answer where it may be given again for the same bytes."""
        signal.setitimer(signal.ITIMER_REAL, self.limits.seconds)
        began = time.perf_counter()
        note: dict[str, Any] = {"keep": False}
        answer = b""
        try:
            request = next(parser)
            signal.setitimer(signal.ITIMER_REAL, self.limits.of(request.uri))
            response, environ = create(request, wire, parser.source_addr, local, self._config)
            response.version = "kg"
            environ[NOTE] = note
            self._respond(environ, response)
            wire.flush()
            drained = parser.finish_body(deadline=time.monotonic() + 1)
            note |= {"status": response.status_code, "method": request.method, "path": request.path[:500], "bytes": wire.sent}
            note["keep"] = drained and not response.should_close()
            whole = wire.take()
            if _is_repeatable(request, response, note) and note["keep"] and len(whole) <= LARGEST - 4000:
                answer = whole
        except (NoMoreData, StopIteration, OSError):  # the client left
            note["status"] = 499
        except (ParseException, LimitRequestHeaders, LimitRequestLine, ConfigurationProblem) as error:
            note["status"] = 400
            wire.take()
            with suppress(OSError):
                wire.sendall(raw_error("400 Bad Request", "request", f"the request can't be read: {error}", "send HTTP/1.1"))
                wire.flush()
        wire.sent = 0
        note["ms"] = round((time.perf_counter() - began) * 1000, 2)
        if note["ms"] < _TOLD_MS:
            note.pop("query_text", None)
        return note, answer

    def _respond(self, environ: dict[str, Any], response: Response) -> None:
        parts = self.app(environ, response.start_response)
        try:
            for part in parts:
                response.write(part)
            response.close()
        finally:
            close = getattr(parts, "close", None)
            if close is not None:
                close()


def _is_repeatable(request: Any, response: Response, note: dict[str, Any]) -> bool:
    """Whether equal bytes of a request would get this answer again in the same state."""
    repeatable = note.pop("repeatable", False)
    if response.status_code not in (200, 304):
        return False
    tagged = request.method == "GET" and any(name.lower() == "etag" for name, _ in response.headers)
    return (repeatable or tagged) and not any(name.upper() == "AUTHORIZATION" for name, _ in request.headers)
