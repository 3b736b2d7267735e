"""How answers travel: compressed as the client takes them, tagged by the store's state, refused where they would be too much."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pyoxigraph as ox
import pytest
import zstandard
from flask import Flask
from flask.testing import FlaskClient

from kg.service import create_app
from kg.settings import Settings
from kg.store import Store, open_store

EVERYTHING = {"query": "SELECT * { ?s ?p ?o }"}
ONE = {"query": "SELECT ?n { ?p kg:founderOf ?o ; rdfs:label ?n }"}


def plain(coding: str | None, content: bytes) -> bytes:
    return (
        {"gzip": gzip.decompress, "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data)}[coding](content)
        if coding
        else content
    )  # type: ignore[no-any-return,operator]


# -- compression ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip", "gzip"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1, zstd;q=0.5", "gzip"),
        ("zstd;q=0, gzip", "gzip"),
        ("br", None),
        ("identity, gzip;q=0.1", None),
        ("gzip;q=0", None),
        ("", None),
        ("nonsense;q=x, ,;", None),
    ],
)
def test_answers_are_compressed_as_the_client_takes_them(client: FlaskClient, accept: str, coding: str | None) -> None:
    whole = client.get("/sparql", query_string=EVERYTHING).data
    for method in ("GET", "POST"):
        response = client.open(
            "/sparql",
            method=method,
            query_string=EVERYTHING if method == "GET" else None,
            data=EVERYTHING if method == "POST" else None,
            headers={"Accept-Encoding": accept},
        )
        assert response.headers.get("Content-Encoding") == coding
        assert sorted(plain(coding, response.data)) == sorted(whole)
        assert "Accept-Encoding" in response.headers["Vary"]


def test_what_is_short_stays_as_it_is(client: FlaskClient) -> None:
    response = client.get("/sparql", query_string=ONE, headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in response.headers
    assert response.content_length == len(response.data)


def test_long_answers_pass_through_a_file(store: Store) -> None:
    """Past 4 MB nothing is held in memory; the length is told all the same, and the bytes are the same."""
    client = create_app(store, Settings()).test_client()
    values = " ".join(map(str, range(200)))
    asked = urlencode({"query": f"SELECT * {{ VALUES ?a {{ {values} }} VALUES ?b {{ {values} }} }} ORDER BY ?a ?b"})
    response = client.get(f"/sparql?{asked}", headers={"Accept": "text/csv"})
    assert response.content_length == len(response.data) == sum(len(f"{a},{b}\r\n") for a in range(200) for b in range(200)) + 5
    long = client.get(f"/sparql?{asked}", headers={"Accept": "application/sparql-results+json"})
    assert long.content_length == len(long.data) > 5_000_000
    assert client.head(f"/sparql?{asked}", buffered=True).content_length == len(long.data)
    for coding in ("gzip", "zstd"):
        packed = client.get(f"/sparql?{asked}", headers={"Accept-Encoding": coding})
        assert packed.headers["Content-Encoding"] == coding
        assert "Content-Length" not in packed.headers
        assert plain(coding, packed.data) == long.data


# -- tags -------------------------------------------------------------------------------------------------------


def test_an_answer_that_is_still_right_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get("/sparql", query_string=ONE)
    again = client.get("/sparql", query_string=ONE, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert "Accept" in again.headers["Vary"]
    assert client.head("/sparql", query_string=ONE, headers={"If-None-Match": f'"x", {first.headers["ETag"]}'}).status_code == 304


def test_tags_differ_by_query_format_and_graphs(client: FlaskClient) -> None:
    asked = [ONE, EVERYTHING, {**ONE, "format": "csv"}, {**ONE, "default-graph-uri": "http://x.example/"}]
    tags = [client.get("/sparql", query_string=each).headers["ETag"] for each in asked]
    tags.append(client.get("/sparql", query_string=ONE, headers={"Accept": "text/csv"}).headers["ETag"])
    assert len(set(tags)) == 5


@pytest.mark.parametrize("call", ["NOW()", "rand()", "STRUUID()", "UUID()", "BNODE()"])
def test_what_differs_each_time_has_no_tag(client: FlaskClient, call: str) -> None:
    assert "ETag" not in client.get("/sparql", query_string={"query": f"SELECT ({call} AS ?x) {{}}"}).headers
    assert "ETag" not in client.post("/sparql", data=ONE).headers
    assert "ETag" not in client.get("/sparql", query_string={"query": "SELECT"}).headers


def test_a_change_of_the_store_changes_the_tag(tmp_path: Path) -> None:
    with open_store(tmp_path / "store", create=True) as store:
        client = create_app(store, Settings()).test_client()
        first = client.get("/sparql", query_string=EVERYTHING)
        assert client.get("/sparql", query_string=EVERYTHING, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
        quad = ox.Quad(ox.NamedNode("http://x.example/s"), ox.NamedNode("http://x.example/p"), ox.Literal("new"))
        store.take(lambda: (set(), {quad}))
        second = client.get("/sparql", query_string=EVERYTHING, headers={"If-None-Match": first.headers["ETag"]})
        assert (second.status_code, b"new" in second.data) == (200, True)
        assert second.headers["ETag"] != first.headers["ETag"]


def test_a_handle_that_shows_a_former_state_keeps_its_tag(tmp_path: Path) -> None:
    """Else its answers would be taken for those of the newest state, for ever."""
    quad = ox.Quad(ox.NamedNode("http://x.example/s"), ox.NamedNode("http://x.example/p"), ox.Literal("new"))
    with open_store(tmp_path / "store", create=True) as store:
        former = store.state
    with open_store(tmp_path / "store", read_only=True) as handle:
        with open_store(tmp_path / "store") as writer:
            writer.take(lambda: (set(), {quad}))
            assert writer.state != former
        assert (handle.state, len(handle.graph)) == (former, 0)


# -- bounds -----------------------------------------------------------------------------------------------------


@pytest.fixture
def bounded(store: Store) -> Callable[..., FlaskClient]:
    """A client of an app with other settings."""
    return lambda **changes: create_app(store, Settings().replace(**changes)).test_client()


@pytest.mark.parametrize("change", [{"query_rows": 3}, {"query_bytes": 1000}])
@pytest.mark.parametrize("accept", ["application/sparql-results+json", "text/csv", "text/html"])
def test_too_much_is_an_error_that_says_so(bounded: Callable[..., FlaskClient], change: dict[str, int], accept: str) -> None:
    response = bounded(**change).get("/sparql", query_string=EVERYTHING, headers={"Accept": accept})
    assert response.status_code == 422
    assert "more than" in response.text
    assert "http://localhost:8000/resource/person/" not in response.text


def test_a_query_that_is_too_long_is_413(bounded: Callable[..., FlaskClient]) -> None:
    response = bounded(query_characters=5000).post("/sparql", data={"query": f"ASK {{}} # {'x' * 5000}"})
    assert (response.status_code, response.get_json()["error"]["code"]) == (413, "query-too-long")


def test_a_query_that_is_too_deep_has_its_own_code(client: FlaskClient) -> None:
    response = client.post("/sparql", data={"query": f"SELECT * WHERE {'{' * 3000}{'}' * 3000}"})
    assert (response.status_code, response.get_json()["error"]["code"]) == (400, "query-too-deep")


# -- figures ----------------------------------------------------------------------------------------------------


def test_the_dataset_is_told_in_figures(app: Flask, store: Store) -> None:
    client = app.test_client()
    graph = list(ox.parse(client.get("/.well-known/void", headers={"Accept": "application/n-triples"}).data, format=ox.RdfFormat.N_TRIPLES))
    void = "http://rdfs.org/ns/void#"

    def values(name: str) -> list[str]:
        return sorted(t.object.value for t in graph if t.predicate.value == void + name)  # type: ignore[union-attr]

    size = len(list(store.graph.quads_for_pattern(None, None, None, ox.DefaultGraph())))
    people = len(list(store.graph.quads_for_pattern(None, None, ox.NamedNode(store.namespace.term("Person")), ox.DefaultGraph())))
    assert str(size) in values("triples")
    assert sum(int(value) for value in values("triples")) == 2 * size  # all, and by property
    assert store.namespace.term("Person") in values("class")
    assert str(people) in values("entities")
    assert values("sparqlEndpoint") == ["http://localhost/sparql"]
    assert client.get("/.well-known/void", headers={"Accept": "text/csv"}).status_code == 406


@pytest.mark.parametrize(
    ("changes", "told"), [({}, set()), ({"token": "x"}, {"SPARQL11Update"}), ({"services": "http://x.example/"}, {"BasicFederatedQuery"})]
)
def test_the_description_tells_what_is_switched_on(bounded: Callable[..., FlaskClient], changes: dict[str, str], told: set[str]) -> None:
    text = bounded(**changes).get("/sparql", headers={"Accept": "application/n-triples"}).text
    assert {name for name in ("SPARQL11Update", "BasicFederatedQuery") if f"#{name}>" in text} == told
    assert "void#triples" in text
    assert "namedGraph" in text
