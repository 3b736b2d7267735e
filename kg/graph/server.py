"""Which server it is, what its URLs are, and in which folder the ledger of its graph lies."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kg.errors import InvalidSetting, StoreMissing
from kg.graph.http import Access, Connection
from kg.settings import Settings

__all__ = ["KINDS", "Kind", "Server", "access_of", "find_server", "is_url", "ledger_folder"]


@dataclass(frozen=True, slots=True)
class Kind:
    """What is peculiar to a server.

    `update` and `store` are put behind the URL after `cut` was cut off its end. `fused` tells that the server's default graph is the
    union of all graphs, so that the fused view needs a graph with a name. `own` matches graphs that the server keeps for itself.
    `whole` tells that one request gives the whole dataset.
    """

    name: str
    query: str
    update: str
    store: str
    cut: str = ""
    fused: bool = False
    whole: bool = False
    own: str = ""


_VIRTUOSO_OWN = (
    r"http://www\.openlinksw\.com/schemas/.*|http://www\.w3\.org/ns/ldp#|http://localuriqaserver/.*|.*/DAV/?|urn:(core|rules|virtuoso).*"
)
KINDS = {
    kind.name: kind
    for kind in (
        Kind("oxigraph", "/query", "/update", "/store", cut="/query", whole=True),
        Kind("virtuoso", "/sparql", "/sparql-auth", "/sparql-graph-crud-auth", cut="/sparql", fused=True, own=_VIRTUOSO_OWN),
        Kind("fuseki", "/query", "/update", "/data", cut="/(query|sparql)"),
        Kind("graphdb", "", "/statements", "/rdf-graphs/service", fused=True),
        Kind("qlever", "", "", "", fused=True),
        Kind("sparql", "", "", ""),
    )
}
"""Kinds of servers by their names; `sparql` is any other."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server as a store's manifest names it. No secret is in here.

    `url` is what --store took; `query`, `update`, `store` are the URLs of the protocols, `store` empty where there is none;
    `fused` is the graph that holds the fused view, empty for the default graph.
    """

    url: str
    kind: str
    query: str
    update: str
    store: str
    fused: str = ""
    rules: Kind = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", KINDS.get(self.kind, KINDS["sparql"]))

    def as_data(self) -> dict[str, str]:
        """Plain data for the manifest."""
        return {name: value for name, value in asdict(self).items() if name != "rules"}

    @classmethod
    def from_data(cls, data: Any) -> Server:
        """A server of plain data; InvalidSetting for anything else."""
        try:
            return cls(**data)
        except TypeError as error:
            raise InvalidSetting(f"the manifest names no server: {error}", hint="restore store.json from a backup") from error

    def is_own(self, graph: str) -> bool:
        """Whether the server keeps this graph for itself."""
        return bool(self.rules.own and re.fullmatch(self.rules.own, graph))


def is_url(place: str | Path) -> bool:
    """Whether a store is named by the URL of a server."""
    return "://" in str(place)


def access_of(settings: Settings) -> Access:
    """How a server is spoken to."""
    return Access(settings.server_user, settings.server_password, settings.server_token, settings.server_seconds)


def ledger_folder(url: str, settings: Settings) -> Path:
    """Folder of the ledger that belongs to a server's graph: the setting's, else one in the working folder named after the URL."""
    if settings.ledger:
        return Path(settings.ledger)
    parts = urlsplit(url)
    name = re.sub(r"[^A-Za-z0-9]+", "-", f"{parts.netloc}{parts.path}").strip("-")
    return Path(f"kg-ledger-{name}")


def checked_url(url: str) -> str:
    """A URL without the slash at its end. InvalidSetting for what is none, or has a password in it."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) and not parts.fragment
    except ValueError:
        good = False
    if not good:
        raise InvalidSetting(f"{url!r} is no URL of a server", hint="name one like http://localhost:7878, or a folder, with --store")
    if parts.username or parts.password:
        raise InvalidSetting("the URL of the server holds a password", hint="set KG_SERVER_USER and KG_SERVER_PASSWORD instead")
    return url.rstrip("/")


def find_server(url: str, settings: Settings, *, base: str) -> Server:
    """The server behind a URL: what the settings say of it, else what it says of itself.

    `base` is the base IRI of the store, under which the fused view has its graph where the server has no default graph of its own.
    Raises InvalidSetting, ServerError, ServerRefused, and StoreMissing where nothing there answers queries.
    """
    url = checked_url(url)
    chosen = settings.server
    if chosen and chosen not in KINDS:
        raise InvalidSetting(f"server is one of {', '.join(KINDS)}, not {chosen!r}", hint="unset KG_SERVER to have it found out")
    kind = KINDS[chosen or _detected(url, settings)]
    root = re.sub(f"{kind.cut}$", "", url) if kind.cut else url
    urls = [given or root + path for given, path in zip(_given(settings), (kind.query, kind.update, kind.store), strict=True)]
    if kind.name in ("qlever", "sparql"):
        urls[2] = settings.server_store
    fused = settings.server_graph or (f"{base}resource/fused" if kind.fused else "")
    server = Server(url, kind.name, urls[0], urls[1], urls[2], fused)
    _require_answers(server, settings)
    return server


def _given(settings: Settings) -> tuple[str, str, str]:
    return settings.server_query, settings.server_update, settings.server_store


def _detected(url: str, settings: Settings) -> str:
    """What the server calls itself in the header of an answer, whatever that answer is."""
    if "/repositories/" in url:
        return "graphdb"
    with Connection(access_of(settings)) as connection:
        names = connection.headers(url)
    said = f"{names.get('Server', '')} {'Fuseki' if 'Fuseki-Request-Id' in names else ''}".lower()
    return next((name for name in ("oxigraph", "virtuoso", "fuseki", "qlever") if name in said), "sparql")


def _require_answers(server: Server, settings: Settings) -> None:
    with Connection(access_of(settings)) as connection:
        answer = connection.ask(server.query, "ASK {}")
    if b"ASK_RETVAL" not in answer and b'"boolean"' not in answer:
        raise StoreMissing(
            f"{server.query} answers no SPARQL query", hint="name the URL of a SPARQL server with --store, or KG_SERVER_QUERY"
        )
