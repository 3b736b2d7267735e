"""The client layer of all online services: paced, repeated where that helps, kept on disk with the day of the answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlencode

from kg.errors import InvalidSetting, ServiceUnavailable
from kg.http import Answer, Call, Kept, Line, Oversized, Passing, Refused, Unanswered, in_short, is_web_address, retry_after
from kg.settings import Settings

__all__ = ["Connection", "groups", "user_agent"]

Value = TypeVar("Value")
Check = Callable[[Any, float], None]
_AGAIN = "run the same command again later; what was answered is kept and is not asked for again"
_log = logging.getLogger(__name__)


def groups(items: Iterable[Value], size: int) -> Iterator[tuple[Value, ...]]:
    """Items in groups of at most `size`, in order, taken as they are needed."""
    stream = iter(items)
    while group := tuple(islice(stream, size)):
        yield group


def user_agent(settings: Settings) -> str:
    """What the client calls itself: name, version and, where it is set, whom to write to."""
    try:
        number = version("kg")
    except PackageNotFoundError:
        number = "0"
    contact = settings.contact.strip()
    if not contact.isascii() or not contact.isprintable():
        raise InvalidSetting("contact is plain ASCII: an address of a page or of mail", hint="set KG_CONTACT to one")
    return f"kg/{number} ({contact})" if contact else f"kg/{number}"


class Connection:
    """One service at one address. Requests go one after the other; `line.requests` and `kept_answers` count them.

    Everything that can't be answered is ServiceUnavailable: a service that is down, refuses, or answers what can't be read
    never looks like one that found nothing.
    """

    def __init__(self, url: str, settings: Settings) -> None:
        if not is_web_address(url):
            raise InvalidSetting(f"{url!r} is no address of a service", hint="give one that begins with http:// or https://")
        self.url = url
        self.kept_answers = 0
        self.line = Line(requests_per_minute=settings.online_requests_per_minute, timeout=settings.online_seconds, follow=True)
        self._kept = Kept(Path(settings.online_cache)) if settings.online_cache else None
        self._agent = user_agent(settings)
        if not settings.contact:
            _log.info("KG_CONTACT is not set; Wikimedia asks programs to say whom to write to")

    def get(self, parameters: Mapping[str, str] | None = None, *, check: Check, path: str = "") -> tuple[Any, str]:
        """The JSON of a GET request and the day (ISO 8601) on which it was answered.

        `check` is given the JSON and the seconds of Retry-After; it raises Passing where the answer says to ask again.
        """
        query = urlencode(parameters or {})
        url = self.url.rstrip("/") + path if path else self.url
        return self._ask(Call(f"{url}{'&' if '?' in url else '?'}{query}" if query else url), check)

    def post_form(self, fields: Mapping[str, str], *, check: Check) -> tuple[Any, str]:
        """The JSON of a POST request with a form, and its day."""
        headers = (("Content-Type", "application/x-www-form-urlencoded"),)
        return self._ask(Call(self.url, urlencode(fields).encode(), headers), check)

    def post_json(self, data: Any, *, check: Check, path: str) -> tuple[Any, str]:
        """The JSON of a POST request with JSON, to a path below the address, and its day."""
        body = json.dumps(data, ensure_ascii=False).encode()
        return self._ask(Call(self.url.rstrip("/") + path, body, (("Content-Type", "application/json"),)), check)

    # -- asking ------------------------------------------------------------------------------------------------

    def _ask(self, call: Call, check: Check) -> tuple[Any, str]:
        body = call.body or b""
        kept = self._kept.get(call.url, body) if self._kept else {}
        if "content" in kept:
            try:
                value = self._read(str(kept["content"]), 0.0, check)
            except Passing:
                _log.debug("a kept answer can't be read and is asked for again")
            else:
                self.kept_answers += 1
                return value, str(kept.get("asked", ""))
        headers = (*call.headers, ("Accept", "application/json"), ("Accept-Encoding", "gzip"), ("User-Agent", self._agent))
        value, content = self._send(Call(call.url, call.body, headers), lambda answer: self._received(answer, check))
        today = datetime.now(UTC).date().isoformat()
        if self._kept:
            try:
                self._kept.put(call.url, body, {"asked": today, "content": content})
            except OSError as error:
                message = f"{self._kept.folder} can't be written: {error.strerror}"
                raise ServiceUnavailable(message, hint="set online_cache to a folder that can be written") from error
        return value, today

    def _received(self, answer: Answer, check: Check) -> tuple[Any, str]:
        content = answer.body.decode("utf-8", "replace")
        return self._read(content, retry_after(answer.headers), check), content

    def _read(self, content: str, wait: float, check: Check) -> Any:
        try:
            value = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise Passing(f"the answer is no JSON: {in_short(content.encode()[:200])}", wait) from error
        check(value, wait)
        return value

    def _send(self, call: Call, read: Callable[[Answer], Value]) -> Value:
        try:
            return self.line.send(call, read)
        except Refused as error:
            self._refused(error)
        except (Unanswered, Oversized) as error:
            raise ServiceUnavailable(str(error), hint=_AGAIN) from error

    def _refused(self, error: Refused) -> NoReturn:
        said = in_short(error.said)
        hints = {403: "set KG_CONTACT, and ask less often", 404: "check the address of the service"}
        hint = hints.get(error.status, "check the address of the service, and that it speaks this protocol")
        message = f"{self.url} refused the request: {error}{f', {said}' if said else ''}"
        raise ServiceUnavailable(message, hint=hint, status=error.status) from None
