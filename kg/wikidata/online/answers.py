"""Answers of online services as data: a file of JSON Lines, one answer a line with its day, so that a build can be repeated from it."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kg.errors import InputError
from kg.wikidata.online.connection import groups
from kg.wikidata.online.finding import Finder, Found, Wanted

__all__ = ["Answers", "Reply", "ask_all"]

_log = logging.getLogger(__name__)
_Key = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a service said of a name, and on which day (ISO 8601). No candidates: it was asked and has none."""

    wanted: Wanted
    candidates: tuple[Found, ...]
    service: str
    asked: str

    def as_data(self) -> dict[str, Any]:
        """One line of the file."""
        return {
            "name": self.wanted.name,
            "type": self.wanted.type,
            "service": self.service,
            "asked": self.asked,
            "candidates": [each.as_data() for each in self.candidates],
        }


class Answers:
    """The file of answers. What is added is on disk before the next name is asked for; a line cut off by a kill is dropped.

    The last answer of a service to a name and type counts. InputError where the file is none or can't be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._replies: dict[_Key, Reply] = {}
        self._whole = 0
        try:
            content = path.read_bytes() if path.exists() else b""
        except OSError as error:
            raise InputError(f"{path} can't be read: {error.strerror}", hint="name another file of answers") from error
        for number, line in enumerate(content.splitlines(keepends=True), 1):
            if not line.endswith(b"\n"):
                _log.warning("%s, line %d is cut off and is dropped", path, number)
                break
            reply = self._read(number, line)
            self._replies[_key(reply.service, reply.wanted)] = reply
            self._whole += len(line)

    def __iter__(self) -> Iterator[Reply]:
        """Every answer that counts, in the order of the file."""
        return iter(self._replies.values())

    def __len__(self) -> int:
        """How many there are."""
        return len(self._replies)

    def get(self, service: str, wanted: Wanted) -> Reply | None:
        """What this service said of a name, or None."""
        return self._replies.get(_key(service, wanted))

    def add(self, replies: Iterable[Reply]) -> None:
        """Writes answers behind those that are there."""
        found = list(replies)
        content = "".join(json.dumps(each.as_data(), ensure_ascii=False) + "\n" for each in found).encode()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o644)
            try:
                os.ftruncate(handle, self._whole)
                os.pwrite(handle, content, self._whole)
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise InputError(f"{self.path} can't be written: {error.strerror}", hint="name another file of answers") from error
        self._whole += len(content)
        self._replies |= {_key(each.service, each.wanted): each for each in found}

    def _read(self, number: int, line: bytes) -> Reply:
        try:
            data = json.loads(line)
            candidates = tuple(
                Found(**{**each, "types": tuple(each["types"]), "features": dict(each["features"])}) for each in data["candidates"]
            )
            return Reply(Wanted(data["name"], data["type"]), candidates, data["service"], data["asked"])
        except (ValueError, LookupError, TypeError) as error:
            raise InputError(
                f"{self.path}, line {number} is no answer: {error!r}", hint="take the line out, or name another file"
            ) from error


def _key(service: str, wanted: Wanted) -> _Key:
    return service, wanted.name, wanted.type


def ask_all(finder: Finder, wanted: Iterable[Wanted], answers: Answers) -> Iterator[Reply]:
    """An answer for each name, in order: the recorded one, else the service's, which is recorded first.

    ServiceUnavailable ends it; what was answered until then is recorded, and the next run goes on there.
    """
    for group in groups(wanted, finder.size):
        missing = [each for each in dict.fromkeys(group) if answers.get(finder.place, each) is None]
        if missing:
            found = finder.find(missing)
            answers.add(Reply(each, candidates, finder.place, day) for each, (candidates, day) in zip(missing, found, strict=True))
        for each in group:
            reply = answers.get(finder.place, each)
            assert reply is not None
            yield reply
