"""SPARQL 1.1 Protocol and Service Description, rule by rule."""

from __future__ import annotations

import csv
import io
import json
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
import rdflib
from flask.testing import FlaskClient

pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")  # rdflib warns of its own calls

SELECT = "SELECT ?name WHERE { ?person kg:founderOf ?o ; rdfs:label ?name }"
CONSTRUCT = "CONSTRUCT WHERE { ?person kg:founderOf ?organization }"
FORM = "application/x-www-form-urlencoded"
DIRECT = "application/sparql-query"
GRAPH = "http://localhost:8000/resource/document/carrel-history"
HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def names(content: bytes) -> list[str]:
    return [row["name"]["value"] for row in json.loads(content)["results"]["bindings"]]


# -- 2.1 query operation ----------------------------------------------------------------------------------------


def test_query_via_get(client: FlaskClient) -> None:
    response = client.get("/sparql", query_string={"query": SELECT})
    assert (response.status_code, response.mimetype) == (200, "application/sparql-results+json")
    assert names(response.data) == ["Hugo Valmy"]


def test_query_via_url_encoded_post(client: FlaskClient) -> None:
    response = client.post("/sparql", data=urlencode({"query": SELECT}), content_type=FORM)
    assert names(response.data) == ["Hugo Valmy"]


def test_query_via_post_directly(client: FlaskClient) -> None:
    response = client.post("/sparql", data=SELECT.encode(), content_type=f"{DIRECT}; charset=utf-8")
    assert names(response.data) == ["Hugo Valmy"]


def test_a_query_of_a_megabyte_is_taken(client: FlaskClient) -> None:
    query = f"{SELECT} # {'x' * 1_100_000}"
    assert client.post("/sparql", data=query, content_type=DIRECT).status_code == 200
    assert client.post("/sparql", data=urlencode({"query": query}), content_type=FORM).status_code == 200


def test_a_query_past_the_limit_is_413(client: FlaskClient) -> None:
    response = client.post("/sparql", data=b"x" * (17 * 1024 * 1024), content_type=DIRECT)
    assert response.status_code == 413
    assert response.get_json()["error"]["status"] == 413


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_not_allowed(client: FlaskClient, method: str) -> None:
    response = client.open("/sparql", method=method)
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]


def test_more_than_one_query_is_bad(client: FlaskClient) -> None:
    twice = urlencode([("query", "ASK {}"), ("query", SELECT)])
    assert client.get(f"/sparql?{twice}").status_code == 400
    assert client.post("/sparql", data=twice, content_type=FORM).status_code == 400
    assert client.post("/sparql?query=ASK%20%7B%7D", data="ASK {}", content_type=DIRECT).status_code == 400


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "multipart/form-data; boundary=x"])
def test_another_content_type_is_unsupported(client: FlaskClient, kind: str) -> None:
    response = client.post("/sparql", data=SELECT, content_type=kind)
    assert response.status_code == 415
    assert DIRECT in response.get_json()["error"]["hint"]


def test_another_encoding_than_utf_8_is_refused(client: FlaskClient) -> None:
    assert client.post("/sparql", data=SELECT.encode("utf-16"), content_type=f"{DIRECT}; charset=utf-16").status_code == 415
    assert client.post("/sparql", data=b'ASK { ?s ?p "\xe9" }', content_type=DIRECT).status_code == 400
    assert client.get("/sparql?query=ASK%20%7B%20%3Fs%20%3Fp%20%22%E9%22%7D").status_code == 400


def test_a_form_without_a_query_is_bad(client: FlaskClient) -> None:
    response = client.post("/sparql", data="x=1", content_type=FORM)
    assert (response.status_code, response.get_json()["error"]["code"]) == (400, "query-missing")


def test_a_malformed_query_is_400_with_its_place(client: FlaskClient) -> None:
    error = client.get("/sparql", query_string={"query": "SELECT *\nWHERE { ?s ?p }"}).get_json()["error"]
    assert (error["status"], error["code"]) == (400, "query-syntax")
    assert "line 2" in error["message"]


def test_an_update_as_query_is_bad(client: FlaskClient) -> None:
    assert client.get("/sparql", query_string={"query": "DROP ALL"}).status_code == 400


def test_updates_are_refused_with_a_reason(client: FlaskClient) -> None:
    for response in (
        client.post("/update", data="DROP ALL", content_type="application/sparql-update"),
        client.post("/sparql", data="DROP ALL", content_type="application/sparql-update"),
        client.post("/sparql", data=urlencode({"update": "DROP ALL"}), content_type=FORM),
        client.put("/store?default", data="", content_type="text/turtle"),
        client.delete("/store?default"),
    ):
        assert (response.status_code, response.get_json()["error"]["code"]) == (403, "read-only")
    assert client.get("/update").status_code == 405


def test_service_and_load_are_forbidden(client: FlaskClient) -> None:
    query = "SELECT * WHERE { SERVICE SILENT <http://x.example/> { ?s ?p ?o } }"
    response = client.get("/sparql", query_string={"query": query})
    assert (response.status_code, response.get_json()["error"]["code"]) == (403, "query-refused")


# -- 2.1.4 specifying an RDF dataset ----------------------------------------------------------------------------


def test_the_default_graph_is_the_fused_view(client: FlaskClient) -> None:
    query = "ASK { ?m a kg:Mention }"
    assert client.get("/sparql", query_string={"query": query}).get_json()["boolean"] is False


@pytest.mark.parametrize("way", ["get", "form", "direct"])
def test_default_graph_uri_names_the_default_graph(client: FlaskClient, way: str) -> None:
    query, graphs = "ASK { ?m a kg:Mention }", {"default-graph-uri": GRAPH}
    if way == "get":
        response = client.get("/sparql", query_string={"query": query, **graphs})
    elif way == "form":
        response = client.post("/sparql", data=urlencode({"query": query, **graphs}), content_type=FORM)
    else:
        response = client.post(f"/sparql?{urlencode(graphs)}", data=query, content_type=DIRECT)
    assert response.get_json()["boolean"] is True


def test_several_default_graphs_are_merged(client: FlaskClient) -> None:
    other = "http://localhost:8000/resource/document/vane-wire"
    query = "SELECT DISTINCT ?d WHERE { ?d a kg:Document }"
    asked = urlencode([("query", query), ("default-graph-uri", GRAPH), ("default-graph-uri", other)])
    assert len(client.get(f"/sparql?{asked}").get_json()["results"]["bindings"]) == 2


def test_named_graph_uri_names_the_named_graphs_and_empties_the_default_graph(client: FlaskClient) -> None:
    query = "SELECT DISTINCT ?g WHERE { GRAPH ?g { ?s ?p ?o } }"
    rows = client.get("/sparql", query_string={"query": query, "named-graph-uri": GRAPH}).get_json()["results"]["bindings"]
    assert [row["g"]["value"] for row in rows] == [GRAPH]
    assert client.get("/sparql", query_string={"query": "ASK { ?s ?p ?o }", "named-graph-uri": GRAPH}).get_json()["boolean"] is False


def test_the_requests_dataset_goes_before_from_in_the_query(client: FlaskClient) -> None:
    query = "ASK FROM <http://nothing.example/> { ?m a kg:Mention }"
    assert client.get("/sparql", query_string={"query": query, "default-graph-uri": GRAPH}).get_json()["boolean"] is True


def test_a_graph_name_that_is_no_iri_is_bad(client: FlaskClient) -> None:
    response = client.get("/sparql", query_string={"query": "ASK {}", "default-graph-uri": "no iri"})
    assert (response.status_code, response.get_json()["error"]["code"]) == (400, "graph-iri")


# -- 2.1.6 success responses: content negotiation ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/sparql-results+json", "application/sparql-results+json"),
        ("application/json", "application/sparql-results+json"),
        ("application/sparql-results+xml", "application/sparql-results+xml"),
        ("application/xml", "application/sparql-results+xml"),
        ("text/csv", "text/csv"),
        ("text/tab-separated-values", "text/tab-separated-values"),
        ("*/*", "application/sparql-results+json"),
        ("text/*", "text/csv"),
        ("text/csv;q=0.5, application/sparql-results+xml;q=0.9", "application/sparql-results+xml"),
        ("image/png, text/csv;q=0.1", "text/csv"),
        (HTML, "text/html"),
    ],
)
def test_rows_by_accept(client: FlaskClient, accept: str, expected: str) -> None:
    response = client.get("/sparql", query_string={"query": SELECT}, headers={"Accept": accept})
    assert (response.status_code, response.mimetype) == (200, expected)
    assert "Hugo Valmy" in response.text
    assert "Accept" in response.headers["Vary"]


@pytest.mark.parametrize("name", ["json", "xml", "csv", "tsv"])
def test_the_format_parameter_goes_before_accept(client: FlaskClient, name: str) -> None:
    response = client.get("/sparql", query_string={"query": SELECT, "format": name}, headers={"Accept": HTML})
    readers = {
        "json": names,
        "xml": lambda data: [node.text for node in ElementTree.fromstring(data).iter("{http://www.w3.org/2005/sparql-results#}literal")],
        "csv": lambda data: [row["name"] for row in csv.DictReader(io.StringIO(data.decode()))],
        "tsv": lambda data: [line.strip('"') for line in data.decode().splitlines()[1:]],
    }
    assert readers[name](response.data) == ["Hugo Valmy"]


@pytest.mark.parametrize("accept", ["application/sparql-results+json", "application/sparql-results+xml"])
def test_ask_by_accept(client: FlaskClient, accept: str) -> None:
    response = client.get("/sparql", query_string={"query": "ASK { ?s ?p ?o }"}, headers={"Accept": accept})
    assert response.mimetype == accept
    assert "true" in response.text


@pytest.mark.parametrize(
    ("accept", "reader"),
    [
        ("text/turtle", "turtle"),
        ("application/n-triples", "nt11"),
        ("application/ld+json", "json-ld"),
        ("application/rdf+xml", "xml"),
        ("application/trig", "turtle"),
        ("application/n-quads", "nt11"),
    ],
)
def test_graphs_by_accept(client: FlaskClient, accept: str, reader: str) -> None:
    response = client.get("/sparql", query_string={"query": CONSTRUCT}, headers={"Accept": accept})
    assert (response.status_code, response.mimetype) == (200, accept)
    assert len(rdflib.Graph().parse(data=response.data, format=reader)) == 1


@pytest.mark.parametrize(
    ("query", "accept"), [(SELECT, "text/turtle"), (CONSTRUCT, "text/csv"), (SELECT, "image/png"), (SELECT, "text/csv;q=0")]
)
def test_an_accept_that_cannot_be_met_is_406(client: FlaskClient, query: str, accept: str) -> None:
    response = client.get("/sparql", query_string={"query": query}, headers={"Accept": accept})
    assert (response.status_code, response.get_json()["error"]["code"]) == (406, "not-acceptable")
    assert client.get("/sparql", query_string={"query": query, "format": "docx"}).status_code == 406


def test_head_is_get_without_a_body(client: FlaskClient) -> None:
    response = client.head("/sparql", query_string={"query": SELECT})
    assert (response.status_code, response.mimetype, response.data) == (200, "application/sparql-results+json", b"")


def test_options_and_cors_let_pages_of_other_hosts_ask(client: FlaskClient) -> None:
    response = client.options("/sparql", headers={"Origin": "http://other.example", "Access-Control-Request-Method": "POST"})
    assert response.status_code == 200
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert "Content-Type" in response.headers["Access-Control-Allow-Headers"]
    for each in (response, client.get("/sparql", query_string={"query": SELECT}), client.get("/sparql?query=x")):
        assert each.headers["Access-Control-Allow-Origin"] == "*"


# -- service description ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "reader"), [(None, "turtle"), ("*/*", "turtle"), ("text/turtle", "turtle"), ("application/rdf+xml", "xml")]
)
def test_without_a_query_the_service_is_described(client: FlaskClient, accept: str | None, reader: str) -> None:
    response = client.get("/sparql", headers={"Accept": accept} if accept else {})
    graph = rdflib.Graph().parse(data=response.data, format=reader)
    sd = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")
    (service,) = graph.subjects(rdflib.RDF.type, sd.Service)
    assert str(graph.value(service, sd.endpoint)) == "http://localhost/sparql"
    assert (service, sd.supportedLanguage, sd.SPARQL11Query) in graph


def test_browsers_get_a_form_without_a_query(client: FlaskClient) -> None:
    page = client.get("/sparql", headers={"Accept": HTML}).text
    assert "<textarea" in page
    assert "/sparql?example=ambassadors-of-brand" in page
    assert "SELECT" in client.get("/sparql?example=ambassadors-of-brand", headers={"Accept": HTML}).text


def test_browsers_get_the_error_beside_their_query(client: FlaskClient) -> None:
    response = client.get("/sparql", query_string={"query": "SELECT wrong"}, headers={"Accept": HTML})
    assert (response.status_code, response.mimetype) == (400, "text/html")
    assert 'role="alert"' in response.text
    assert "SELECT wrong" in response.text
