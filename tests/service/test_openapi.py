"""`/openapi.json` is valid, names every route, and says of each what it really takes and gives."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from kg.query.library import load_queries
from kg.service.openapi import EVERY
from kg.settings import Settings


@pytest.fixture(scope="module")
def description(app: Flask) -> dict[str, Any]:
    """The description of the app."""
    found: dict[str, Any] = app.test_client().get("/openapi.json").get_json()
    return found


def routes(app: Flask) -> set[tuple[str, str]]:
    """(path, method) of every route, as the app itself has them."""
    found = set()
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        found |= {(path, method) for method in rule.methods or () if method not in ("HEAD", "OPTIONS")}
    return found


def operations(description: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(path, method.upper()): each for path, methods in description["paths"].items() for method, each in methods.items()}


def test_it_is_valid(description: dict[str, Any]) -> None:
    """By the schema of OpenAPI 3.1, references and examples included."""
    assert description["openapi"] == "3.1.0"
    assert [error.message for error in OpenAPIV31SpecValidator(description).iter_errors()] == []


def test_every_route_is_described_and_nothing_else(app: Flask, description: dict[str, Any]) -> None:
    """Named queries are described one by one instead of by their pattern."""
    queries = {(f"/queries/{name}", "GET") for name in load_queries(Settings())}
    assert set(operations(description)) == routes(app) - {("/queries/{name}", "GET")} | queries


def test_every_route_has_its_own_row(app: Flask) -> None:
    """What Flask knows of a route is only a makeshift: a new route needs a row, and no row is left over."""
    assert set(EVERY) == routes(app) - {("/queries/{name}", "GET")}


def test_operation_ids_are_unique(description: dict[str, Any]) -> None:
    """Programs name their functions after them."""
    idents = [each["operationId"] for each in operations(description).values()]
    assert len(idents) == len(set(idents))
    assert all(re.fullmatch(r"[A-Za-z]\w*", ident) for ident in idents)


def test_named_queries_have_their_types(description: dict[str, Any]) -> None:
    """Names, types, defaults and examples are those of the headers."""
    for query in load_queries(Settings()).values():
        described = {
            each["name"]: each for each in operations(description)[f"/queries/{query.name}", "GET"]["parameters"] if "name" in each
        }
        assert set(described) == {parameter.name for parameter in query.parameters}
        for parameter in query.parameters:
            found = described[parameter.name]
            assert found["required"] == (parameter.default is None)
            assert found["schema"]["type"] == ("integer" if parameter.type == "integer" else "string")
            if parameter.default:
                assert str(found["schema"]["default"]) == parameter.default


def test_examples_of_named_queries_are_answered(client: FlaskClient, description: dict[str, Any]) -> None:
    """What the description shows as an example is an example: the store has it."""
    asked = 0
    for (path, _), each in operations(description).items():
        given = {p["name"]: p["example"] for p in each["parameters"] if "example" in p and p["in"] == "query"}
        needed = {p["name"] for p in each["parameters"] if p.get("required")}
        if path.startswith("/queries/") and needed <= set(given) and "wikidata" not in path:  # which asks another service
            asked += 1
            assert client.get(path, query_string=given).status_code == 200, (path, given)
    assert asked > 15


def test_described_media_types_are_those_that_come(client: FlaskClient, description: dict[str, Any]) -> None:
    """Asked for each of them, a route answers with it."""
    for path in ("/", "/queries", "/documents", "/search", "/suggest", "/ontology", "/queries/launches", "/resource/person/liv-vane"):
        described = path if path in description["paths"] else "/resource/{path}"
        for media_type in description["paths"][described]["get"]["responses"]["200"]["content"]:
            response = client.get(path, headers={"Accept": media_type})
            if response.status_code == 406:  # rows are no graph, and a graph holds no rows
                assert path == "/queries/launches"
            else:
                assert (response.status_code, response.mimetype) == (200, media_type), path
