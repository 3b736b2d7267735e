"""Asks a server that speaks the chat completions protocol: paced, with retries, each answer kept on disk and asked for once."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from kg.errors import ChatError

__all__ = ["Access", "BadAnswer", "Chat", "Usage"]

_ATTEMPTS = 5
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 120.0
_LONGEST_ANSWER = 16 * 2**20
_SHOWN = 300
_PASSING = frozenset({408, 425, 429})
_OF_THE_DOCUMENT = frozenset({400, 413, 422})

Value = TypeVar("Value")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """Where to ask and how: address, key, requests a minute (0: no limit), prices of a million tokens, folder of kept answers."""

    url: str
    key: str = field(default="", repr=False)
    requests_per_minute: float = 0.0
    price_in: float = 0.0
    price_out: float = 0.0
    cache: Path | None = None
    timeout: float = 120.0


@dataclass(slots=True)
class Usage:
    """What has been used so far: requests sent (repeated ones too), answers taken from the cache, tokens, cost."""

    requests: int = 0
    cached: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0

    def __str__(self) -> str:
        """One line for people."""
        tokens = f"{self.prompt_tokens:,} tokens in, {self.completion_tokens:,} out"
        return f"{self.requests:,} requests, {self.cached:,} cached, {tokens}, cost {self.cost:.4f}"


class BadAnswer(Exception):
    """An answer that can't be used, or a request that the server can't take: a matter of one document, not of the run."""

    def __init__(self, category: str, message: str) -> None:
        super().__init__(message)
        self.category = category
        self.message = message


class _Passing(Exception):
    """A failure that may pass; `wait` is what the server asks for, in seconds."""

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


class _NoRedirect(HTTPRedirectHandler):
    """Follows no redirection: the key and the documents go to the address that was set, and nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """None: the redirection is an error."""


class Chat:
    """One server. Requests go one after the other; `usage` counts them."""

    def __init__(self, access: Access, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.access = access
        self.usage = Usage()
        self._sleep = sleep
        self._opener = build_opener(_NoRedirect)
        self._next = 0.0

    def ask(self, body: Mapping[str, Any], read: Callable[[str], Value]) -> Value:
        """What `read` makes of the answer's text; an answer that it can read is kept and never asked for again.

        Raises BadAnswer where the answer can't be used (`read` may raise it, too) and ChatError where the server can't be.
        """
        payload = json.dumps(body).encode()  # in its own order: a model fills in a schema's fields in theirs
        path = self._path(payload)
        kept = _kept(path) if path else None
        if kept is not None:
            try:
                value = read(kept)
            except BadAnswer:
                _log.debug("%s can't be read and is asked for again", path)
            else:
                self.usage.cached += 1
                return value
        content = self._complete(payload)
        value = read(content)
        if path:
            _keep(path, content)
        return value

    def _path(self, payload: bytes) -> Path | None:
        if self.access.cache is None:
            return None
        digest = hashlib.sha256(self.access.url.encode() + b"\n" + payload).hexdigest()
        return self.access.cache / digest[:2] / f"{digest}.json"

    # -- requests ----------------------------------------------------------------------------------------------

    def _complete(self, payload: bytes) -> str:
        for attempt in range(1, _ATTEMPTS + 1):
            self._pace()
            self.usage.requests += 1
            try:
                answer = self._send(payload)
            except _Passing as trouble:
                self._back_off(attempt, trouble)
            else:
                return self._content(answer)
        raise AssertionError("the last attempt returns or raises")

    def _pace(self) -> None:
        """Waits until the rate allows one more request."""
        if self.access.requests_per_minute:
            now = time.monotonic()
            if self._next > now:
                self._sleep(self._next - now)
            self._next = max(now, self._next) + 60 / self.access.requests_per_minute

    def _back_off(self, attempt: int, trouble: _Passing) -> None:
        if trouble.wait > _LONGEST_WAIT:
            raise ChatError(
                f"{self.access.url} asks to wait {trouble.wait:.0f} s: {trouble}", hint="run the same command again later"
            ) from trouble
        if attempt == _ATTEMPTS:
            hint = "check llm_url and the server, then run the same command again; what is done is kept"
            raise ChatError(f"{self.access.url} failed {attempt} times: {trouble}", hint=hint) from trouble
        wait = max(_FIRST_WAIT * 2 ** (attempt - 1), trouble.wait)
        _log.info("%s: %s; again in %.0f s", self.access.url, trouble, wait)
        self._sleep(wait)

    def _send(self, payload: bytes) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "kg"}
        if self.access.key:
            headers["Authorization"] = f"Bearer {self.access.key}"
        request = Request(self.access.url, data=payload, headers=headers, method="POST")
        try:
            with self._opener.open(request, timeout=self.access.timeout) as response:
                answer: bytes = response.read(_LONGEST_ANSWER + 1)
        except HTTPError as error:
            with error:
                self._refused(error)
        except (HTTPException, OSError) as error:
            reason = error.reason if isinstance(error, URLError) else error
            raise _Passing(self._without_key(str(reason) or type(reason).__name__)) from error
        if len(answer) > _LONGEST_ANSWER:
            raise BadAnswer("llm-answer", "the language model's answer is too long; split the text")
        return answer

    def _refused(self, error: HTTPError) -> NoReturn:
        """The error that a status stands for."""
        try:
            said = _message(error.read(_LONGEST_ANSWER))
        except (HTTPException, OSError):
            said = ""
        reason = self._without_key(f"status {error.code} {error.reason}{f', {said}' if said else ''}")
        if error.code in _PASSING or error.code >= 500:
            raise _Passing(reason, _retry_after(error.headers.get("Retry-After", ""))) from None
        if error.code in _OF_THE_DOCUMENT:
            hint = "split the text where it is too long, or name a model that takes a JSON schema (llm_model)"
            raise BadAnswer("llm-refused", f"the language model's server refused the request: {reason}; {hint}") from None
        hints = {401: "check llm_key", 403: "check llm_key", 404: "check llm_url and llm_model"}
        hint = hints.get(error.code, "check llm_url; redirections are not followed" if error.code < 400 else "check llm_url")
        raise ChatError(f"{self.access.url} refused the request: {reason}", hint=hint) from None

    def _without_key(self, text: str) -> str:
        return text.replace(self.access.key, "(key)") if self.access.key else text

    def _content(self, answer: bytes) -> str:
        """The text of the first choice; counts tokens and cost."""
        try:
            data = json.loads(answer)
            choice = data["choices"][0]
            content, reason = choice["message"].get("content"), choice.get("finish_reason")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise BadAnswer("llm-answer", "the server's answer is no chat completion; check llm_url") from error
        self._count(data.get("usage"))
        if reason == "length":
            raise BadAnswer("llm-answer", "the language model's answer was cut off; split the text, or allow the server longer answers")
        if not isinstance(content, str) or not content.strip():
            raise BadAnswer("llm-answer", "the language model gave no answer; build the document again, or name another model (llm_model)")
        return content

    def _count(self, usage: object) -> None:
        if isinstance(usage, dict):
            sent, received = (_number(usage.get(key)) for key in ("prompt_tokens", "completion_tokens"))
            self.usage.prompt_tokens += sent
            self.usage.completion_tokens += received
            self.usage.cost += (sent * self.access.price_in + received * self.access.price_out) / 1e6


def _number(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _message(answer: bytes) -> str:
    """What the server says of an error, in one short line."""
    try:
        data = json.loads(answer)
        found = data["error"]
        text = found["message"] if isinstance(found, dict) else found
    except (ValueError, LookupError, TypeError, RecursionError):
        text = answer.decode("utf-8", "replace")
    return " ".join(str(text).split())[:_SHOWN]


def _retry_after(value: str) -> float:
    """Seconds of a Retry-After header, which gives seconds or a date."""
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


# -- kept answers ------------------------------------------------------------------------------------------------


def _kept(path: Path) -> str | None:
    """The text of a kept answer; None where there is none, or it is damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))["content"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return content if isinstance(content, str) else None


def _keep(path: Path, content: str) -> None:
    """Writes an answer beside its place and moves it there, so that it is whole or absent."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        part = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({"content": content}, file)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise ChatError(f"{path} can't be written: {error.strerror}", hint="set llm_cache to a folder that can be written") from error
