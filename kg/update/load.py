"""LOAD: fetches an RDF document from a host that the settings let through, and from nowhere else."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import tempfile
from collections.abc import Callable
from typing import BinaryIO, cast
from urllib.parse import SplitResult, urlsplit

from kg.errors import LoadFailed, QueryRefused
from kg.settings import Settings
from kg.update.content import MEDIA_TYPES, Part

__all__ = ["Fetch", "fetcher", "is_public"]

Fetch = Callable[[str], Part]
"""Gives the document at an IRI; raises QueryRefused and LoadFailed."""

_SECONDS = 30
_CHUNK = 1024 * 1024
_IN_MEMORY = 8 * 1024 * 1024


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet: neither private nor loopback, link-local, shared or reserved."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_global and not found.is_multicast


def fetcher(settings: Settings, *, allowed: Callable[[str], bool] = is_public) -> Fetch:
    """What LOAD fetches documents with: `load_hosts` of the settings are let through where their `allowed` addresses are.

    The connection goes to the very address that was judged, and no redirect is followed, so that a name can't lead elsewhere.
    """
    hosts = {host.strip().lower() for host in settings.load_hosts.split(",") if host.strip()}

    def fetch(iri: str) -> Part:
        place = _split(iri)
        if (place.hostname or "") not in hosts:
            raise QueryRefused(
                f"LOAD of {iri} is not allowed, for it reaches outside the store",
                hint="send the file itself to the graph store, or let its host through with the setting load_hosts",
            )
        if place.scheme not in ("http", "https"):
            raise LoadFailed(f"{iri} can't be loaded: {place.scheme} is no way to fetch it", hint="name an address with https://")
        try:
            return _fetched(place, int(settings.upload_bytes), allowed)
        except (OSError, http.client.HTTPException) as error:
            raise LoadFailed(f"{iri} can't be loaded: {error}", hint="try again later, or send the file itself") from error

    return fetch


def _split(iri: str) -> SplitResult:
    try:
        return urlsplit(iri)
    except ValueError as error:
        raise QueryRefused(f"{iri} is no address", hint="name one with https://") from error


def _fetched(place: SplitResult, most: int, allowed: Callable[[str], bool]) -> Part:
    connection = _connected(place, allowed)
    try:
        path = (place.path or "/") + (f"?{place.query}" if place.query else "")
        connection.request("GET", path, headers={"Host": place.netloc.rpartition("@")[2], "Accept": ", ".join(MEDIA_TYPES)})
        answer = connection.getresponse()
        kind = (answer.headers.get_content_type() or "").lower()
        if answer.status != 200:
            raise LoadFailed(f"{place.geturl()} can't be loaded: it answers {answer.status}", hint="name the document's own address")
        if kind not in MEDIA_TYPES:
            raise LoadFailed(f"{place.geturl()} can't be loaded: it is {kind}, which is no RDF", hint="name the document's own address")
        body = cast(BinaryIO, tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115  (read, and closed, by the caller)
        while chunk := answer.read(_CHUNK):
            body.write(chunk)
            if body.tell() > most:
                body.close()
                raise LoadFailed(f"{place.geturl()} is longer than {most:,} bytes", hint="raise the setting upload_bytes")
        return Part(body, MEDIA_TYPES[kind], body.tell())
    finally:
        connection.close()


def _connected(place: SplitResult, allowed: Callable[[str], bool]) -> http.client.HTTPConnection:
    """A connection to one of the host's addresses; none is allowed but all of them are."""
    host = place.hostname or ""
    port = place.port or (443 if place.scheme == "https" else 80)
    addresses = [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not addresses or not all(allowed(address) for address in addresses):
        raise QueryRefused(f"LOAD from {host} is not allowed, for its address is private", hint="send the file itself to the graph store")
    connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
    plain = socket.create_connection((addresses[0], port), timeout=_SECONDS)
    secure = place.scheme == "https"
    connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if secure else plain
    return connection
