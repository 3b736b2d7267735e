"""LOAD fetches from the hosts that are let through, never from a private address."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kg.errors import InputError, LoadFailed, QueryRefused
from kg.settings import Settings
from kg.store import Store
from kg.update.load import fetcher, is_public
from kg.update.sparql import run_update


class Handler(BaseHTTPRequestHandler):
    """Serves a graph, a page, a broken graph and a redirect."""

    def do_GET(self) -> None:
        kind, body = {
            "/graph": ("text/turtle; charset=utf-8", "<> <http://a.example/p> 1 ."),
            "/broken": ("text/turtle", "<> <http://a.example/p> ."),
        }.get(self.path, ("text/html", "<p>"))
        self.send_response(302 if self.path == "/moved" else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Location", "/graph")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Address of a real server on loopback."""
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join()
    made.server_close()


OPEN = Settings().replace(load_hosts="127.0.0.1, other.example")


def test_a_host_that_is_let_through_is_asked(empty: Store, server: str) -> None:
    """The document's base is its address; it goes where INTO GRAPH says."""
    fetch = fetcher(OPEN, allowed=lambda address: True)
    pending = run_update(empty, f"LOAD <{server}/graph> INTO GRAPH <http://a.example/g>", fetch=fetch)
    assert [str(quad) for quad in pending.added] == [
        f'<{server}/graph> <http://a.example/p> "1"^^<http://www.w3.org/2001/XMLSchema#integer> <http://a.example/g>'
    ]


def test_private_addresses_are_refused_even_of_hosts_that_are_let_through(empty: Store, server: str) -> None:
    for text in (f"LOAD <{server}/graph>", f"LOAD SILENT <{server}/graph>"):
        with pytest.raises(QueryRefused, match="private"):
            run_update(empty, text, fetch=fetcher(OPEN))


def test_hosts_that_are_not_let_through_are_refused(empty: Store, server: str) -> None:
    for iri in (f"{server}/graph", "file:///etc/hostname", "http://a.example@127.0.0.2/"):
        with pytest.raises(QueryRefused, match="not allowed"):
            run_update(empty, f"LOAD SILENT <{iri}>", fetch=fetcher(Settings().replace(load_hosts="a.example")))


@pytest.mark.parametrize(("path", "error"), [("/page", LoadFailed), ("/moved", LoadFailed), ("/broken", InputError)])
def test_what_cannot_be_loaded_is_an_error_or_silence(empty: Store, server: str, path: str, error: type[Exception]) -> None:
    fetch = fetcher(OPEN, allowed=lambda address: True)
    with pytest.raises(error):
        run_update(empty, f"LOAD <{server}{path}>", fetch=fetch)
    assert not run_update(empty, f"LOAD SILENT <{server}{path}>", fetch=fetch)


def test_a_document_past_the_limit_is_not_loaded(empty: Store, server: str) -> None:
    fetch = fetcher(OPEN.replace(upload_bytes=5), allowed=lambda address: True)
    with pytest.raises(LoadFailed, match="longer"):
        run_update(empty, f"LOAD <{server}/graph>", fetch=fetch)


@pytest.mark.parametrize(
    ("address", "public"),
    [("1.1.1.1", True), ("127.0.0.1", False), ("10.1.2.3", False), ("169.254.169.254", False), ("::1", False), ("::ffff:10.0.0.1", False),
     ("fe80::1%eth0", False), ("100.64.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False), ("2606:4700:4700::1111", True)],
)  # fmt: skip
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public
