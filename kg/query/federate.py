"""Which other SPARQL services a query may ask (SERVICE), and where they may lie."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from kg.errors import QueryRefused, ServiceFailed
from kg.query.guard import Token

__all__ = ["allowed_services", "check_addresses"]


@lru_cache(maxsize=16)
def allowed_services(setting: str) -> frozenset[str]:
    """The addresses that the setting `services` lists."""
    return frozenset(part.strip() for part in setting.split(",") if part.strip())


def check_addresses(tokens: Sequence[Token]) -> None:
    """Raises QueryRefused where a service's name leads into a private network: that is for addresses which the setting spells out.

    ServiceFailed for a name that nobody knows, unless the query says SILENT.
    """
    for number, token in enumerate(tokens):
        if token.kind == "word" and token.text.upper() == "SERVICE":
            is_silent = tokens[number + 1].text.upper() == "SILENT"
            _check(tokens[number + 1 + is_silent].text[1:-1], is_silent)


def _check(address: str, is_silent: bool) -> None:
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if host == "localhost" or _is_spelt_out(host):
            return
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        if is_silent:
            return
        raise ServiceFailed(f"the service {address} can't be found", hint="try again later") from error
    if any(not ipaddress.ip_address(str(each[4][0]).partition("%")[0]).is_global for each in found):
        raise QueryRefused(f"the name of the service {address} leads into a private network", hint="ask that server itself")


def _is_spelt_out(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
