"""/search, /suggest and /queries over HTTP: by Accept, within bounds, and never as markup."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

JSON = {"Accept": "application/json"}
HTML = {"Accept": "text/html"}


def test_search_has_kinds(client: FlaskClient) -> None:
    """Data are entities unless another kind, or all, is asked for."""
    found = {
        kind: client.get("/search", query_string={"q": "tidewell", "kind": kind}, headers=JSON).get_json()
        for kind in ("entity", "sentence", "all")
    }
    assert {hit["kind"] for hit in found["entity"]} == {"entity"}
    assert {hit["kind"] for hit in found["sentence"]} == {"sentence"}
    assert {hit["kind"] for hit in found["all"]} == {"entity", "sentence", "document"}
    assert client.get("/search", query_string={"q": "tidewell", "format": "json"}).get_json() == found["entity"]


def test_the_page_shows_all_kinds_with_links(client: FlaskClient) -> None:
    """Entities, sentences and documents lead to their pages."""
    page = client.get("/search", query_string={"q": "tidewell"}, headers=HTML).text
    for path in ("/resource/brand/tidewell", "/resource/evidence/", "/resource/document/tidewell-marsh"):
        assert f'href="{path}' in page
    assert "Nothing fits" in client.get("/search?q=xyzzyx", headers=HTML).text


@pytest.mark.parametrize("query", ["q=a&limit=0", "q=a&limit=1001", "q=a&limit=x", "q=a&limit=-1", "q=a&kind=thing", f"q={'a' * 1001}"])
def test_bounds_are_kept(client: FlaskClient, query: str) -> None:
    """400 with a hint."""
    response = client.get(f"/search?{query}", headers=JSON)
    assert response.status_code == 400
    assert response.get_json()["error"]["hint"]


def test_suggestions_are_opensearch(client: FlaskClient) -> None:
    """The text, then three lists of one length."""
    response = client.get("/suggest?q=tid")
    assert response.mimetype == "application/x-suggestions+json"
    text, labels, types, iris = response.get_json()
    assert (text, labels, types) == ("tid", ["Tidewell", "Tidewell Undertow campaign"], ["Brand", "Campaign"])
    assert iris[0].endswith("/resource/brand/tidewell")
    assert client.get("/suggest").get_json() == ["", [], [], []]
    assert client.get("/suggest?q=a&limit=51").status_code == 400


def test_hostile_names_and_sentences_are_text(client: FlaskClient, hostile: Any) -> None:
    """What documents say in markup is found, and shown as text."""
    for text in ("Bobby", "alert", hostile.title, "<script>", '"><svg onload=x>'):
        page = client.get("/search", query_string={"q": text, "kind": "all"}, headers=HTML).text
        assert page.count("<script") == 1
        assert page.count("<img") == 1
        assert "<svg" not in page
    assert "&lt;script&gt;" in client.get("/search?q=Bobby", headers=HTML).text


def test_sparql_over_http_can_search_with_graphs_named(client: FlaskClient) -> None:
    """The search is of the whole; what it is joined with is of the graphs that the request names."""
    query = 'SELECT ?n { ?e kg:matchesName "vane" ; rdfs:label ?n }'
    graph = "http://localhost:8000/resource/document/vane-wire"
    for given in ({}, {"default-graph-uri": graph}):
        rows = client.get("/sparql", query_string={"query": query, **given}, headers=JSON).get_json()["results"]["bindings"]
        assert [row["n"]["value"] for row in rows] == ["Liv Vane"]
    none = {"query": query, "default-graph-uri": "http://localhost:8000/resource/document/none"}
    assert client.get("/sparql", query_string=none, headers=JSON).get_json()["results"]["bindings"] == []
    error = client.get("/sparql", query_string={"query": "ASK {\n ?e kg:matches ?x }"}, headers=JSON)
    assert (error.status_code, error.get_json()["error"]["code"]) == (400, "query-syntax")
    assert "line 2, column 5" in error.get_json()["error"]["message"]


def test_named_queries_are_listed(client: FlaskClient) -> None:
    """With the types of their parameters; on the page each is a link."""
    rows = {row["name"]: row for row in client.get("/queries", headers=JSON).get_json()}
    (brand,) = rows["ambassadors-of-brand"]["parameters"]
    assert (brand["type"], brand["classes"], brand["required"]) == ("entity", ["Brand"], True)
    assert client.get(rows["launches"]["path"]).status_code == 200
    assert 'href="/queries/launches"' in client.get("/queries", headers=HTML).text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("ambassadors-of-brand", "missing parameter brand"),
        ("ambassadors-of-brand?brand=Tidewell&x=1", "unknown parameter x"),
        ("ambassadors-of-brand?brand=Tidewell&brand=Carrel", "brand is given 2 times"),
        ("launches?since=yesterday", "takes a date"),
    ],
)
def test_parameters_that_do_not_fit_are_told(client: FlaskClient, query: str, said: str) -> None:
    """400, what is wrong, and what the query takes."""
    response = client.get(f"/queries/{query}", headers=JSON)
    assert response.status_code == 400
    assert said in response.get_json()["error"]["message"]
    assert response.get_json()["error"]["hint"]


def test_parameters_cannot_change_the_query(client: FlaskClient) -> None:
    """A value is a value, whatever it looks like."""
    for value in ('Tidewell" } UNION { ?a ?b ?c } #', "<http://x/>", "$brand", "\\", "res:brand/tidewell)"):
        assert client.get("/queries/ambassadors-of-brand", query_string={"brand": value}, headers=JSON).status_code in (400, 404)
