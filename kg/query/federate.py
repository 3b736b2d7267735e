"""Which other SPARQL services a query may ask (SERVICE), and where they may lie."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from kg.errors import QueryRefused, ServiceFailed
from kg.query.guard import Token

__all__ = ["allowed_services", "check_addresses", "narrow_services"]

MOST_SENT = 500
"""Most values of a variable that a service is told; with more it is asked for everything."""

_PLAIN = frozenset({"A", "VALUES", "TRUE", "FALSE"})
"""Words of groups in which every variable has a value in every solution."""


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


def narrow_services(text: str, tokens: Sequence[Token], solve: Callable[[str], list[str]]) -> str:
    """The query in which each service is told, by VALUES, what the triples before it leave possible: a bound join.

    The engine itself sends a service the bare pattern, to which Wikidata would answer with everybody's birth date. Solutions are the same:
    each variable named has a value in every solution of the triples before, with which the service's solutions are joined.
    So this is done only where nothing but triples and VALUES stand before SERVICE in the outermost group, no subquery in it, and no FROM.
    """
    if "FROM" in _words(tokens):
        return text
    start, depth = 0, 0
    for number, token in enumerate(tokens):
        word = token.text.upper() if token.kind == "word" else ""
        if word == "SERVICE" and depth == 1 and start:
            before, (opening, closing) = tokens[start:number], _group_of(tokens, number)
            if not opening or not before or not _is_plain(before) or _words(tokens[opening:closing]) & {"SELECT"}:
                return text
            prologue = text[: _first(tokens, "SELECT", "CONSTRUCT", "ASK", "DESCRIBE")]
            pattern = text[before[0].start : token.start]
            shared = sorted(_variables(before) & _variables(tokens[opening:closing]))
            found = {name: solve(f"{prologue} SELECT DISTINCT ?{name} {{ {pattern} }} LIMIT {MOST_SENT + 1}") for name in shared}
            clauses = (f" VALUES ?{name} {{ {' '.join(values)} }} " for name, values in found.items() if len(values) <= MOST_SENT)
            at = tokens[opening].start + 1
            return text[:at] + "".join(clauses) + text[at:]
        depth += (token.text == "{") - (token.text == "}") if token.kind == "mark" else 0
        if token.text == "{" and depth == 1:
            start = number + 1
    return text


def _group_of(tokens: Sequence[Token], service: int) -> tuple[int, int]:
    """Numbers of the braces of a service's group; (0, 0) where they are not there."""
    opening = next((n for n in range(service, min(service + 4, len(tokens))) if tokens[n].text == "{"), 0)
    depth = 0
    for number in range(opening, len(tokens) if opening else 0):
        depth += (tokens[number].text == "{") - (tokens[number].text == "}")
        if depth == 0:
            return opening, number
    return 0, 0


def _is_plain(tokens: Sequence[Token]) -> bool:
    """Whether these are triples and VALUES without UNDEF."""
    groups = (number for number, token in enumerate(tokens) if token.text == "{")
    return _words(tokens) <= _PLAIN and all(tokens[at - 1].text == ")" or tokens[at - 2].text.upper() == "VALUES" for at in groups)


def _words(tokens: Sequence[Token]) -> set[str]:
    return {token.text.upper() for token in tokens if token.kind == "word"}


def _variables(tokens: Sequence[Token]) -> set[str]:
    return {token.text[1:] for token in tokens if token.kind == "variable"}


def _first(tokens: Sequence[Token], *words: str) -> int:
    return next((token.start for token in tokens if token.kind == "word" and token.text.upper() in words), 0)


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
