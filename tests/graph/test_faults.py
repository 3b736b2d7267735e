"""Servers that vanish, refuse, cut answers short or are none: one clear line each, and nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from kg.build import build
from kg.errors import InvalidSetting, KgError, QueryTimeout, ServerError, ServerRefused, StoreMissing, StoreVersionError
from kg.graph.http import Access, Connection
from kg.graph.remote import RemoteGraph
from kg.graph.server import Server
from kg.model import Document, Text
from kg.query.run import run_query
from kg.revise import Reviser
from kg.settings import Settings
from kg.store import Store, open_store

DOCUMENTS = [Document(f"d{n}", (Text("body", f"Gucci opened in {n}. “We never planned it,” said Liv Vane."),)) for n in range(1990, 1996)]
RULES = Settings().replace(extractors="rules")


def consistent(store: Store) -> bool:
    return set(store.graph) == Reviser(store, single_valued=store.ledger.single_valued()).derive_all()


@pytest.mark.parametrize("kind", ["oxigraph", "virtuoso"])
def test_a_server_killed_in_mid_build(kind: str, fresh: Callable[[str], Any], tmp_path: Path) -> None:
    """The build ends with one line; after the server's restart the journal makes up, and the next build does the rest."""
    running = fresh(kind)
    settings = RULES.replace(store=running.url, ledger=str(tmp_path / "ledger"), server_user="dba", server_password="dba")
    open_store(running.url, create=True, settings=settings).close()

    def killing() -> Iterator[Document]:
        yield from DOCUMENTS[:3]
        running.kill()
        yield from DOCUMENTS[3:]

    with pytest.raises(ServerError, match="can't be reached"), open_store(running.url, settings=settings) as store:
        build(killing(), store, settings)
    with pytest.raises(ServerError, match="can't be reached"):
        open_store(running.url, settings=settings)
    running.start()
    with open_store(running.url, settings=settings) as store:
        assert store.ledger.journal() == []
        assert len(store.ledger.ids()) >= 3
        assert consistent(store)
        report = build(DOCUMENTS, store, settings)
        assert report.unchanged >= 3
        assert len(store.ledger.ids()) == len(DOCUMENTS)
        assert consistent(store)


def test_wrong_credentials(fresh: Callable[[str], Any], tmp_path: Path) -> None:
    """Virtuoso lets nobody write without a password; the message holds none."""
    url = fresh("virtuoso").url
    for user, password in (("", ""), ("dba", "a-wrong-secret")):
        settings = RULES.replace(store=url, ledger=str(tmp_path / f"l-{user}"), server_user=user, server_password=password)
        with pytest.raises(ServerRefused) as caught, open_store(url, create=True, settings=settings) as store:
            build(DOCUMENTS[:1], store, settings)
        assert "a-wrong-secret" not in str(caught.value)
        assert "KG_SERVER_USER" in caught.value.hint


def test_an_answer_that_the_server_cuts(fresh: Callable[[str], Any], tmp_path: Path) -> None:
    """Virtuoso with a limit of rows gives an error, never a part of the answer."""
    url = fresh("limited").url
    settings = RULES.replace(store=url, ledger=str(tmp_path / "ledger"), server_user="dba", server_password="dba")
    with open_store(url, create=True, settings=settings) as store:
        build(DOCUMENTS, store, settings)
        assert len(run_query(store, "SELECT * { ?s ?p ?o } LIMIT 10", settings=settings)) == 10
        for query in ("SELECT * { ?s ?p ?o }", "SELECT * { GRAPH ?g { ?s ?p ?o } }"):
            with pytest.raises(ServerError, match="50 rows"):
                run_query(store, query, settings=settings)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://127.0.0.1:9/", ServerError),
        ("ftp://127.0.0.1/", InvalidSetting),
        ("http://me:secret@127.0.0.1/", InvalidSetting),
        ("http://127.0.0.1:99999/", InvalidSetting),
        ("http:///nothing", InvalidSetting),
    ],
)
def test_urls_that_lead_nowhere(url: str, error: type[KgError], tmp_path: Path) -> None:
    """Each is one error of the tree, and no folder is made."""
    settings = RULES.replace(ledger=str(tmp_path / "ledger"))
    with pytest.raises(error) as caught:
        open_store(url, create=True, settings=settings)
    assert "secret" not in str(caught.value)
    assert not (tmp_path / "ledger").exists()


def test_the_ledger_of_another_server(fresh: Callable[[str], Any], tmp_path: Path) -> None:
    """A ledger belongs to one URL."""
    url = fresh("oxigraph").url
    settings = RULES.replace(ledger=str(tmp_path / "ledger"))
    open_store(url, create=True, settings=settings).close()
    with pytest.raises(StoreVersionError, match="is the ledger of"):
        open_store("http://127.0.0.1:9", settings=settings)


class Odd(BaseHTTPRequestHandler):
    """A server that does what its path says."""

    protocol_version = "HTTP/1.1"
    seen = 0

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_POST(self) -> None:
        """Answers oddly."""
        type(self).seen += 1
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        whole = b'{"head":{"vars":["s"]},"results":{"bindings":[]}}'
        status = {"/moved": 301, "/forbidden": 403, "/absent": 404, "/failing": 500, "/busy": 503}.get(self.path, 200)
        if self.path == "/busy" and self.seen % 3 == 0:
            status = 200
        body = whole[:20] if self.path == "/broken-json" else b"<html>" if self.path == "/html" else whole
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) + (50 if self.path == "/half" else 0)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.path == "/slow":
            threading.Event().wait(1)
        self.wfile.write(body)
        self.close_connection = True


@pytest.fixture
def odd() -> Iterator[str]:
    """URL of the odd server."""
    Odd.seen = 0
    with HTTPServer(("127.0.0.1", 0), Odd) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("moved", StoreMissing),
        ("forbidden", ServerRefused),
        ("absent", StoreMissing),
        ("failing", ServerError),
        ("half", ServerError),
        ("broken-json", ServerError),
        ("html", ServerError),
        ("slow", QueryTimeout),
    ],
)
def test_odd_answers(odd: str, path: str, error: type[KgError]) -> None:
    """What a server can do wrong is one line."""
    url = f"{odd}/{path}"
    graph = RemoteGraph(Server(url, "sparql", url, url, ""), Access(seconds=0.3))
    with pytest.raises(error) as caught:
        list(graph.query("SELECT ?s { ?s ?p ?o }"))  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    graph.close()


def test_what_may_be_repeated_is(odd: str) -> None:
    """A query is asked again of a busy server; an update by hand is not."""
    with Connection(Access()) as connection:
        assert b"bindings" in connection.ask(f"{odd}/busy", "ASK {}")
        assert Odd.seen == 3
        with pytest.raises(ServerError):
            connection.update(f"{odd}/busy", "INSERT DATA {}", repeat=False)
        assert Odd.seen == 4


def test_a_wrong_query_is_not_sent(odd: str) -> None:
    """Syntax is checked here, so that errors are the same everywhere."""
    graph = RemoteGraph(Server(odd, "sparql", odd, odd, ""), Access())
    with pytest.raises(SyntaxError):
        graph.query("SELECT ?s { ?s ?p }")
    assert Odd.seen == 0
    graph.close()
