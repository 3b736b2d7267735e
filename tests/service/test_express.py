"""The short way gives the very answers of the app, or none."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kg.service.express import EXPRESS, Express

SELECT = "SELECT ?b ?n { ?b a kg:Brand ; rdfs:label ?n } ORDER BY ?n LIMIT 3"
MANY = "SELECT ?s ?o { ?s rdfs:label ?o } ORDER BY ?s ?o"
GRAPH = "CONSTRUCT { ?b rdfs:label ?n } { ?b a kg:Brand ; rdfs:label ?n } ORDER BY ?n LIMIT 1"


@pytest.fixture
def express(app: Flask) -> Express:
    found: Express = app.extensions[EXPRESS]
    return found


def request_of(target: str, *headers: str) -> bytes:
    lines = (f"GET {target} HTTP/1.1", "Host: localhost", *headers)
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@pytest.mark.parametrize("query", [SELECT, MANY, GRAPH, "ASK { ?s ?p ?o }", "SELECT * { ?s ?p 'é' }", "SELECT+1"])
@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "text/csv",
        "application/sparql-results+xml;q=0.5, text/tab-separated-values",
        "application/json",
        "text/turtle, */*;q=0.1",
    ],
)
@pytest.mark.parametrize("encoding", ["", "identity", "gzip, deflate", "zstd"])
def test_it_answers_as_the_app_does(express: Express, client: FlaskClient, query: str, accept: str, encoding: str) -> None:
    headers = {name: value for name, value in (("Accept", accept), ("Accept-Encoding", encoding)) if value}
    target = f"/sparql?query={quote(query)}"
    note: dict[str, Any] = {}
    answer = express.answer(request_of(target, *(f"{name}: {value}" for name, value in headers.items())), note)
    wanted = client.get(target, headers=headers)
    if answer is None:
        assert query == "SELECT+1" or not query.isascii() or wanted.status_code == 406 or query in (MANY, SELECT, GRAPH)
        return
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    assert status == "HTTP/1.1 200 OK"
    assert wanted.status_code == 200
    found = dict(line.split(": ", 1) for line in lines)
    theirs = dict(wanted.headers)
    assert found.pop("Server") == "kg"
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT", found.pop("Date"))
    assert found.pop("Connection") == "keep-alive"
    assert found == theirs
    assert body == wanted.data
    assert note["status"] == 200


def test_plain_queries_are_answered(express: Express) -> None:
    assert express.answer(request_of("/sparql?query=" + quote("SELECT ?s { ?s ?p ?o } LIMIT 2")), {}) is not None


@pytest.mark.parametrize(
    "request_bytes",
    [
        request_of("/sparql?query=ASK%7B%7D&format=csv"),
        request_of("/sparql?query="),
        request_of("/sparql?query=ASK%7B%7D", "Accept: text/html"),
        request_of("/sparql?query=ASK%7B%7D", "Accept: image/png"),
        request_of("/sparql?query=ASK%7B%7D", "Authorization: Bearer x"),
        request_of("/sparql?query=ASK%7B%7D", "If-None-Match: *"),
        request_of("/sparql?query=ASK%7B%7D", "Connection: close"),
        request_of("/sparql?query=ASK%7B%7D", "Content-Length: 0"),
        request_of("/sparql?query=ASK%7B%7D", "Host: other"),
        request_of("/sparql?query=ASK%7B%7D", " folded: x"),
        request_of("/sparql?query=ASK%7B%7D", "no colon"),
        request_of("/sparql?query=%ff"),
        request_of("/sparql?query=ASK{ "),
        request_of("/sparql?query=" + quote("SELECT (NOW() AS ?now) {}")),
        request_of("/sparql?query=" + quote("SELECT ?s { ?s kg:matches 'a' }")),
        request_of("/sparql?query=" + quote("SELECT ?s { SERVICE <http://x.example/> { ?s ?p ?o } }")),
        b"GET /sparql?query=ASK%7B%7D HTTP/1.0\r\nHost: x\r\n\r\n",
        b"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\n\r\n",
    ],
)
def test_the_rest_is_left_to_the_app(express: Express, request_bytes: bytes) -> None:
    assert express.answer(request_bytes, {}) is None
