"""Polite HTTP for all that asks other servers: one request after the other, at a pace, again after what may pass, answers kept on disk."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

__all__ = ["Answer", "Call", "Kept", "Line", "Oversized", "Passing", "Refused", "Unanswered", "in_short", "is_web_address", "retry_after"]

_ATTEMPTS = 5
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 120.0
_LONGEST_ANSWER = 16 * 2**20
_SHOWN = 300
_PASSING = frozenset({408, 425, 429})

Value = TypeVar("Value")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """One request; with a body it is a POST."""

    url: str
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; names of headers are in lower case."""

    body: bytes
    headers: Mapping[str, str]


class Passing(Exception):
    """A failure that may pass, so that the request is sent again; `wait` is what the server asks for, in seconds."""

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


class Refused(Exception):
    """A status that asking again won't change; `said` is the answer's body."""

    def __init__(self, status: int, reason: str, said: bytes) -> None:
        super().__init__(f"status {status} {reason}")
        self.status = status
        self.said = said


class Unanswered(Exception):
    """All attempts failed, or the server asks for a longer wait (`wait`, in seconds) than a run should take."""

    def __init__(self, message: str, *, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


class Oversized(Exception):
    """An answer of more than 16 MiB."""


class _Redirects(HTTPRedirectHandler):
    """Follows redirections of the web only, or none at all, so that a key goes to the address that was set and nowhere else."""

    def __init__(self, *, follow: bool) -> None:
        self.follow = follow

    def redirect_request(self, *arguments: Any) -> Request | None:
        """The request to the new place, or None: the redirection is an error."""
        return super().redirect_request(*arguments) if self.follow and is_web_address(arguments[-1]) else None


class Line:
    """The way to one server. `requests` counts what was sent, repeated ones too.

    `hidden` is a secret that stands in no message. Several lines to one server don't know of each other.
    """

    def __init__(
        self,
        *,
        requests_per_minute: float = 0.0,
        timeout: float = 120.0,
        follow: bool = False,
        hidden: str = "",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.requests = 0
        self.sleep = sleep
        self._requests_per_minute = requests_per_minute
        self._timeout = timeout
        self._hidden = hidden
        self._opener: OpenerDirector = build_opener(_Redirects(follow=follow))
        self._next = 0.0

    def send(self, call: Call, read: Callable[[Answer], Value]) -> Value:
        """What `read` makes of the answer; it may raise Passing where the answer itself says that one should ask again.

        Raises Refused, Unanswered and Oversized.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            self._pace()
            self.requests += 1
            try:
                return read(self._open(call))
            except Passing as trouble:
                self._back_off(call, attempt, trouble)
        raise AssertionError("the last attempt returns or raises")

    def _pace(self) -> None:
        """Waits until the rate allows one more request."""
        if self._requests_per_minute:
            now = time.monotonic()
            if self._next > now:
                self.sleep(self._next - now)
            self._next = max(now, self._next) + 60 / self._requests_per_minute

    def _back_off(self, call: Call, attempt: int, trouble: Passing) -> None:
        place = call.url.partition("?")[0]
        if trouble.wait > _LONGEST_WAIT:
            raise Unanswered(f"{place} asks to wait {trouble.wait:.0f} s: {trouble}", wait=trouble.wait) from trouble
        if attempt == _ATTEMPTS:
            raise Unanswered(f"{place} failed {attempt} times: {trouble}") from trouble
        wait = max(_FIRST_WAIT * 2 ** (attempt - 1), trouble.wait)
        _log.info("%s: %s; again in %.0f s", place, trouble, wait)
        self.sleep(wait)

    def _open(self, call: Call) -> Answer:
        request = Request(call.url, data=call.body, headers=dict(call.headers))
        try:
            with self._opener.open(request, timeout=self._timeout) as response:
                headers = _lower(response.headers.items())
                body: bytes = response.read(_LONGEST_ANSWER + 1)
        except HTTPError as error:
            with error:
                raise self._refusal(error) from None
        except (HTTPException, OSError) as error:
            reason = error.reason if isinstance(error, URLError) else error
            raise Passing(self.without_secret(str(reason) or type(reason).__name__)) from error
        if headers.get("content-encoding", "") == "gzip":
            body = _unpacked(body)
        if len(body) > _LONGEST_ANSWER:
            raise Oversized(f"{call.url.partition('?')[0]} answered more than {_LONGEST_ANSWER // 2**20} MiB")
        return Answer(body, headers)

    def _refusal(self, error: HTTPError) -> Passing | Refused:
        """The error that a status stands for."""
        try:
            said = error.read(_LONGEST_ANSWER)
        except (HTTPException, OSError):
            said = b""
        if error.code in _PASSING or error.code >= 500:
            more = self.without_secret(in_short(said))
            return Passing(f"status {error.code} {error.reason}{f', {more}' if more else ''}", retry_after(_lower(error.headers.items())))
        return Refused(error.code, str(error.reason), said)

    def without_secret(self, text: str) -> str:
        """A text in which the secret is covered."""
        return text.replace(self._hidden, "(key)") if self._hidden else text


def is_web_address(url: str) -> bool:
    """Whether a text is an http or https URL with a host and, where it names a port, a possible one; no user, no white space."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.username is None
            and (parts.port is None or parts.port > 0)
            and not any(char.isspace() or ord(char) < 32 for char in url)
        )
    except ValueError:
        return False


def in_short(answer: bytes) -> str:
    """What a server says of an error, in one short line: the message of a JSON object, else the text."""
    try:
        found = json.loads(answer)["error"]
        text = (found.get("message") or found["info"]) if isinstance(found, dict) else found
    except (ValueError, LookupError, TypeError, RecursionError):
        text = answer.decode("utf-8", "replace")
    return " ".join(str(text).split())[:_SHOWN]


def _lower(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds of a Retry-After header, which gives seconds or a date (RFC 9110, section 10.2.3); 0 where it says nothing."""
    value = headers.get("retry-after", "")
    try:
        return max(0.0, float(int(value)))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return 0.0
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _unpacked(body: bytes) -> bytes:
    """The content of a gzip stream, at most one byte more than an answer may have."""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(body, _LONGEST_ANSWER + 1)
    except zlib.error as error:
        raise Passing(f"the answer is no gzip stream: {error}") from error


class Kept:
    """A folder of kept answers, each a JSON object in a file of its own that is whole or absent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, url: str, body: bytes) -> Path:
        """Where the answer to a request lies."""
        digest = hashlib.sha256(url.encode() + b"\n" + body).hexdigest()
        return self.folder / digest[:2] / f"{digest}.json"

    def get(self, url: str, body: bytes) -> dict[str, Any]:
        """A kept answer; empty where there is none, or it is damaged."""
        try:
            found = json.loads(self.path(url, body).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def put(self, url: str, body: bytes, answer: Mapping[str, Any]) -> None:
        """Writes an answer beside its place and moves it there. OSError where that can't be done."""
        path = self.path(url, body)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        part = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(answer, file)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
