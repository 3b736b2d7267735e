"""Asks a server that speaks the chat completions protocol: paced, with retries, each answer kept on disk and asked for once."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from kg.errors import ChatError
from kg.http import Answer, Call, Kept, Line, Oversized, Refused, Unanswered, in_short

__all__ = ["Access", "BadAnswer", "Chat", "Usage"]

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


class Chat:
    """One server. Requests go one after the other; `usage` counts them."""

    def __init__(self, access: Access, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.access = access
        self.usage = Usage()
        self.line = Line(requests_per_minute=access.requests_per_minute, timeout=access.timeout, hidden=access.key, sleep=sleep)
        self._kept = Kept(access.cache) if access.cache else None

    def ask(self, body: Mapping[str, Any], read: Callable[[str], Value]) -> Value:
        """What `read` makes of the answer's text; an answer that it can read is kept and never asked for again.

        Raises BadAnswer where the answer can't be used (`read` may raise it, too) and ChatError where the server can't be.
        """
        payload = json.dumps(body).encode()  # in its own order: a model fills in a schema's fields in theirs
        kept = self._kept.get(self.access.url, payload).get("content") if self._kept else None
        if isinstance(kept, str):
            try:
                value = read(kept)
            except BadAnswer:
                _log.debug("a kept answer can't be read and is asked for again")
            else:
                self.usage.cached += 1
                return value
        content = self._complete(payload)
        value = read(content)
        self._keep(payload, content)
        return value

    def _keep(self, payload: bytes, content: str) -> None:
        if self._kept:
            try:
                self._kept.put(self.access.url, payload, {"content": content})
            except OSError as error:
                message = f"{self._kept.folder} can't be written: {error.strerror}"
                raise ChatError(message, hint="set llm_cache to a folder that can be written") from error

    # -- requests ----------------------------------------------------------------------------------------------

    def _complete(self, payload: bytes) -> str:
        headers = [("Content-Type", "application/json"), ("Accept", "application/json"), ("User-Agent", "kg")]
        if self.access.key:
            headers.append(("Authorization", f"Bearer {self.access.key}"))
        before = self.line.requests
        try:
            return self.line.send(Call(self.access.url, payload, tuple(headers)), self._content)
        except Oversized as error:
            raise BadAnswer("llm-answer", "the language model's answer is too long; split the text") from error
        except Unanswered as error:
            again = "run the same command again later"
            hint = again if error.wait else "check llm_url and the server, then run the same command again; what is done is kept"
            raise ChatError(str(error), hint=hint) from error
        except Refused as error:
            raise self._refused(error) from None
        finally:
            self.usage.requests += self.line.requests - before

    def _refused(self, error: Refused) -> BadAnswer | ChatError:
        """The error that a status stands for."""
        said = self.line.without_secret(in_short(error.said))
        reason = f"{error}{f', {said}' if said else ''}"
        if error.status in _OF_THE_DOCUMENT:
            hint = "split the text where it is too long, or name a model that takes a JSON schema (llm_model)"
            return BadAnswer("llm-refused", f"the language model's server refused the request: {reason}; {hint}")
        hints = {401: "check llm_key", 403: "check llm_key", 404: "check llm_url and llm_model"}
        hint = hints.get(error.status, "check llm_url; redirections are not followed" if error.status < 400 else "check llm_url")
        return ChatError(f"{self.access.url} refused the request: {reason}", hint=hint)

    def _content(self, answer: Answer) -> str:
        """The text of the first choice; counts tokens and cost."""
        try:
            data = json.loads(answer.body)
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
