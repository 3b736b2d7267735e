"""Clients that others wrote, and a service that queries ask, over real servers on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
import rdflib
from flask import Flask, Response, request
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import CSV, JSON, POST, POSTDIRECTLY, RDFXML, TSV, TURTLE, XML, SPARQLWrapper
from SPARQLWrapper.SPARQLExceptions import QueryBadFormed
from werkzeug.serving import make_server

from kg.service import create_app
from kg.settings import Settings
from kg.store import Store

pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")  # SPARQLWrapper makes one

NAMES = "SELECT ?name WHERE { ?person kg:founderOf ?o ; rdfs:label ?name }"


def served(app: Flask) -> Iterator[str]:
    """The app at an address of its own, until the test is done."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join(timeout=20)
        server.server_close()


@pytest.fixture(scope="module")
def url(app: Flask) -> Iterator[str]:
    yield from served(app)


# -- SPARQLWrapper and rdflib -----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", POST])
@pytest.mark.parametrize("way", ["urlencoded", POSTDIRECTLY])
def test_sparqlwrapper_asks_in_each_way(url: str, method: str, way: str) -> None:
    client = SPARQLWrapper(f"{url}/sparql")
    client.setMethod(method)
    client.setRequestMethod(way)
    client.setQuery(NAMES)
    client.setReturnFormat(JSON)
    found = client.queryAndConvert()
    assert [row["name"]["value"] for row in found["results"]["bindings"]] == ["Hugo Valmy"]


def test_sparqlwrapper_reads_each_format(url: str) -> None:
    client = SPARQLWrapper(f"{url}/sparql")
    client.setQuery(NAMES)
    for form in (XML, CSV, TSV):
        client.setReturnFormat(form)
        found = client.queryAndConvert()
        assert "Hugo Valmy" in (found.toxml() if form == XML else found.decode())
    client.setQuery("CONSTRUCT WHERE { ?person kg:founderOf ?o }")
    client.setReturnFormat(TURTLE)
    assert len(rdflib.Graph().parse(data=client.queryAndConvert(), format="turtle")) == 1
    client.setReturnFormat(RDFXML)
    assert len(client.queryAndConvert()) == 1
    client.setReturnFormat(JSON)
    client.setQuery("SELECT nonsense")
    with pytest.raises(QueryBadFormed):
        client.query()


def test_rdflib_reads_the_store_from_afar(url: str, store: Store) -> None:
    graph = rdflib.Graph(SPARQLStore(f"{url}/sparql"))
    label, kind = rdflib.RDFS.label, rdflib.URIRef(store.namespace.term("founderOf"))
    ((person, _),) = graph.subject_objects(kind)
    assert str(graph.value(person, label)) == "Hugo Valmy"
    assert (person, kind, None) in graph
    rows = graph.query("SELECT ?n { ?p ?founder ?o ; ?label ?n }", initBindings={"founder": kind, "label": label})
    assert [str(row.n) for row in rows] == ["Hugo Valmy"]
    assert graph.query("ASK { ?p ?founder ?o }", initBindings={"founder": kind}).askAnswer is True


# -- SERVICE ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def far(store: Store) -> Iterator[str]:
    """Another server: an endpoint, and addresses that answer wrongly."""
    app = create_app(store, Settings())
    app.add_url_rule("/broken", view_func=lambda: Response("boo", 500), methods=["POST"], endpoint="broken")
    app.add_url_rule("/page", view_func=lambda: Response("<p>boo", 200), methods=["POST"], endpoint="page")
    app.add_url_rule("/cut", view_func=lambda: Response('{"head"', 200, mimetype="application/json"), methods=["POST"], endpoint="cut")
    app.add_url_rule("/moved", view_func=lambda: Response("", 302, {"Location": request.url_root + "sparql"}), methods=["POST"])
    yield from served(app)


def asked(store: Store, services: str, query: str) -> Response:
    return create_app(store, Settings().replace(services=services)).test_client().post("/sparql", data={"query": query})  # type: ignore[return-value]


def federated(address: str, silent: str = "") -> str:
    return f"SELECT ?n {{ SERVICE {silent} <{address}> {{ ?p <http://localhost:8000/ontology#founderOf> ?o ; a ?t . BIND(1 AS ?n) }} }}"


def test_a_listed_service_is_asked(store: Store, far: str) -> None:
    response = asked(store, f"https://other.example/sparql, {far}/sparql", federated(f"{far}/sparql"))
    assert (response.status_code, len(response.get_json()["results"]["bindings"])) == (200, 1)


@pytest.mark.parametrize("silent", ["", "SILENT"])
@pytest.mark.parametrize(
    ("listed", "named"),
    [
        ("", "<{far}/sparql>"),
        ("{far}/other", "<{far}/sparql>"),
        ("{far}/sparql", "<{far}/sparql?x>"),
        ("{far}/sparql", "<{far}/sp\\u0061rql>"),
        ("{far}/sparql", "?where"),
        ("{far}/sparql", "far:sparql"),
        ("{far}/sparql", "<sparql>"),
    ],
)
def test_nothing_else_is_asked(store: Store, far: str, listed: str, named: str, silent: str) -> None:
    """Neither another address nor a variable, nor what only resolves to a listed one; SILENT makes no difference."""
    prologue = f"BASE <{far}/> PREFIX far: <{far}/>"
    query = f"{prologue} SELECT * {{ VALUES ?where {{ <{far}/sparql> }} SERVICE {silent} {named.format(far=far)} {{ ?s ?p ?o }} }}"
    response = asked(store, listed.format(far=far), query)
    assert (response.status_code, response.get_json()["error"]["code"]) == (403, "query-refused")


@pytest.mark.parametrize("place", ["broken", "page", "cut", "moved", "nowhere"])
def test_a_service_that_fails_is_502(store: Store, far: str, place: str) -> None:
    """No redirection is followed; SILENT gives one empty row."""
    response = asked(store, f"{far}/{place}", federated(f"{far}/{place}"))
    assert (response.status_code, response.get_json()["error"]["code"]) == (502, "service-failed")
    silent = asked(store, f"{far}/{place}", federated(f"{far}/{place}", "SILENT"))
    assert (silent.status_code, silent.get_json()["results"]["bindings"]) == (200, [{}])


def test_a_name_that_leads_into_a_private_network_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address may be private only where it is spelt out."""
    known = {"inside.example": "10.1.2.3", "mapped.example": "::ffff:127.0.0.1", "link.example": "fe80::1%eth0"}

    def lookup(host: str, port: int, **options: object) -> list[tuple[object, ...]]:
        if host not in known:
            raise socket.gaierror
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (known[host], port))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    for host in known:
        assert asked(store, f"http://{host}/sparql", federated(f"http://{host}/sparql")).status_code == 403
    assert asked(store, "http://unknown.example/", federated("http://unknown.example/")).status_code == 502
