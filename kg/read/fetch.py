"""Fetches pages over HTTP, politely and within bounds: robots.txt, a pause for each host, conditional requests, no private addresses."""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import json
import shutil
import socket
import tempfile
import time
import weakref
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from kg.errors import UnreadableDocument
from kg.model import Source
from kg.read.content import shown
from kg.settings import Settings

__all__ = ["Fetcher", "user_agent"]

_MOST_REDIRECTS = 5
_LONGEST_PAUSE = 60.0
_LARGEST_ROBOTS = 512 * 1024  # RFC 9309, section 2.5: at least 500 KiB
_MOVED = (301, 302, 303, 307, 308)
_CHUNK = 2**16
_WRONG = (OSError, http.client.HTTPException, ValueError)


@dataclass(frozen=True, slots=True)
class _Answer:
    """A response: its status, headers (names in lower case), body, and the address that gave it after redirects."""

    status: int
    headers: dict[str, str]
    body: bytes
    address: str


class Fetcher:
    """Fetches pages; each once in its life, and from the cache what the server says has not changed (RFC 9110, section 13)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._agent = user_agent(settings.fetch_contact)
        self._sources: dict[str, Source | UnreadableDocument] = {}
        self._robots: dict[str, Any] = {}
        self._last: dict[str, float] = {}

    def fetch(self, address: str) -> Source:
        """The page behind an address, as a source whose content is a file; raises UnreadableDocument, with the reason as category."""
        address = address.partition("#")[0]
        if address not in self._sources:
            try:
                self._sources[address] = self._fetched(address)
            except UnreadableDocument as error:
                self._sources[address] = error
        found = self._sources[address]
        if isinstance(found, UnreadableDocument):
            raise found
        return found

    def _fetched(self, address: str) -> Source:
        body, about = self._cached(address)
        kept = json.loads(about.read_text(encoding="utf-8")) if about.is_file() and body.is_file() else {}
        conditions = {"If-None-Match": kept.get("etag"), "If-Modified-Since": kept.get("last-modified")}
        answer = self._answer(address, {name: value for name, value in conditions.items() if value})
        if answer.status != 304 or not kept:
            if answer.status != 200:
                raise _failed(f"the server answers {answer.status} {http.client.responses.get(answer.status, '')}".rstrip())
            kept = {name: answer.headers[name] for name in ("etag", "last-modified", "content-type") if name in answer.headers}
            _write(body, answer.body)
            _write(about, json.dumps({"address": address, **kept}).encode())
        media_type = str(kept.get("content-type", "")).partition(";")[0].strip().lower() or None
        return Source(address, media_type=media_type, name=address, path=str(body))

    def _cached(self, address: str) -> tuple[Path, Path]:
        name = hashlib.sha256(address.encode("utf-8", "backslashreplace")).hexdigest()
        return self._folder / name, self._folder / f"{name}.json"

    @cached_property
    def _folder(self) -> Path:
        if not self._settings.fetch_cache:
            temporary = tempfile.mkdtemp(prefix="kg-fetch-")
            weakref.finalize(self, shutil.rmtree, temporary, ignore_errors=True)
            return Path(temporary)
        folder = Path(self._settings.fetch_cache)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _answer(self, address: str, headers: dict[str, str]) -> _Answer:
        """The last answer of a chain of redirects, each of which is checked like the first address."""
        deadline = time.monotonic() + self._settings.fetch_seconds
        for _ in range(_MOST_REDIRECTS + 1):
            pause = self._allowed(address, deadline)
            answer = self._request(address, headers, deadline, self._settings.fetch_bytes, pause)
            if answer.status not in _MOVED or "location" not in answer.headers:
                return answer
            address = urljoin(address, answer.headers["location"]).partition("#")[0]
        raise _failed(f"more than {_MOST_REDIRECTS} redirects")

    # -- Politeness --------------------------------------------------------------------------------------------------

    def _allowed(self, address: str, deadline: float) -> float:
        """Seconds between requests that robots.txt asks for; raises UnreadableDocument (``robots``) where it refuses (RFC 9309)."""
        host = "{0.scheme}://{0.netloc}".format(urlsplit(address))
        if host not in self._robots:
            self._robots[host] = self._rules(host, deadline)
        rules = self._robots[host]
        if rules is None:
            raise _failed("its robots.txt can't be fetched, which counts as a refusal", category="robots")
        if not rules.can_fetch(address, self._agent):
            hint = "leave it out, or ask its owner"
            raise UnreadableDocument("its robots.txt asks programs not to fetch it", category="robots", hint=hint)
        return min(float(rules.crawl_delay(self._agent) or 0), _LONGEST_PAUSE)

    def _rules(self, host: str, deadline: float) -> Any:
        """The rules of a host: none where it has none (4xx), None where it can't tell (5xx)."""
        from protego import Protego

        address = f"{host}/robots.txt"
        for _ in range(_MOST_REDIRECTS):
            answer = self._request(address, {}, deadline, _LARGEST_ROBOTS, 0.0)
            if answer.status not in _MOVED or "location" not in answer.headers:
                break
            address = urljoin(address, answer.headers["location"])
        if answer.status >= 500:
            return None
        return Protego.parse(answer.body.decode("utf-8", "replace") if answer.status == 200 else "")

    def _wait(self, host: str, pause: float) -> None:
        since = time.monotonic() - self._last.get(host, float("-inf"))
        pause = max(pause, self._settings.fetch_pause)
        if since < pause:
            time.sleep(pause - since)
        self._last[host] = time.monotonic()

    # -- One request -------------------------------------------------------------------------------------------------

    def _request(self, address: str, headers: dict[str, str], deadline: float, most: int, pause: float) -> _Answer:
        try:
            parts = urlsplit(address)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
                raise _failed(f"{shown(address)[:200]!r} is no address of the web")
            waiting = time.monotonic()
            self._wait(parts.netloc, pause)
            left = deadline - waiting  # the pause is no fault of the server
            if left <= 0:
                raise _failed("it takes longer than the setting fetch_seconds allows")
            return self._ask(address, headers, left, most)
        except _WRONG as error:
            raise _failed(str(error) or type(error).__name__) from error

    def _ask(self, address: str, headers: dict[str, str], seconds: float, most: int) -> _Answer:
        parts = urlsplit(address)
        deadline = time.monotonic() + seconds
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=seconds)
        connection._create_connection = self._connected  # type: ignore[attr-defined, unused-ignore]
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            path = "".join(char if "!" <= char <= "~" else "".join(f"%{byte:02X}" for byte in char.encode()) for char in path)
            connection.request("GET", path, headers={"User-Agent": self._agent, "Accept-Encoding": "identity", **headers})
            response = connection.getresponse()
            body = bytearray()
            while chunk := response.read1(_CHUNK):
                body += chunk
                if len(body) > most:
                    raise UnreadableDocument(f"has more than {most:,} bytes", category="too-long", hint="raise KG_FETCH_BYTES")
                if time.monotonic() > deadline:
                    raise _failed("it takes longer than the setting fetch_seconds allows")
            if response.length:
                raise _failed(f"the answer breaks off: {response.length:,} bytes are missing")
            return _Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, bytes(body), address)
        finally:
            connection.close()

    def _connected(self, place: tuple[str, int], timeout: float | None = None, source: Any = None) -> socket.socket:
        """A connection to the first address of a host, none of which may be private: what was checked is what is connected to."""
        found = socket.getaddrinfo(*place, type=socket.SOCK_STREAM)
        for *_, address in found:
            if not self._settings.fetch_private and not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_global:
                message = f"{place[0]} is an address of this machine or of a private network"
                raise UnreadableDocument(message, category="private-address", hint="set KG_FETCH_PRIVATE=1 if it shall be fetched")
        return socket.create_connection((str(found[0][4][0]), place[1]), timeout, source)


def user_agent(contact: str) -> str:
    """How requests introduce themselves: name, version, and whom to ask."""
    return f"kg/{version('kg')}" + (f" (+{' '.join(contact.split())})" if contact.strip() else "")


def _failed(reason: str, *, category: str = "not-fetched") -> UnreadableDocument:
    return UnreadableDocument(f"can't be fetched: {reason}", category=category, hint="try again later, or save it and build the file")


def _write(path: Path, content: bytes) -> None:
    """Writes a file as a whole, so that a run that is stopped leaves no half of it."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    Path(file.name).replace(path)
