"""What the routes that change the store take and give, as OpenAPI 3.1 writes it."""

from __future__ import annotations

from collections.abc import Mapping

from kg.service.negotiate import GRAPHS
from kg.service.operations import Data, answers

__all__ = ["WRITING"]

_STRING: Data = {"type": "string"}
_IRI: Data = {"type": "string", "format": "iri"}
_RDF: Data = {media_type: {"schema": _STRING} for media_type in GRAPHS if media_type != "text/plain"}
_BODY: Data = {"required": True, "content": _RDF}
_TOKEN: Data = {"security": [{"token": []}], "tags": ["sparql"]}
_WHICH: list[Data] = [
    {"name": "graph", "in": "query", "description": "The graph's IRI", "schema": _IRI},
    {"name": "default", "in": "query", "description": "The default graph", "schema": _STRING, "allowEmptyValue": True},
]
_STORED: Data = {"201": {"description": "A new graph"}, "204": {"description": "Done"}}
_FAILS = (400, 401, 403, 404, 413, 415, 422, 503)
_HERE: list[Data] = [
    {"name": "path", "in": "path", "required": True, "description": "The rest of the graph's own address", "schema": _STRING}
]
_FORM: Data = {
    "type": "object",
    "required": ["update"],
    "properties": {"update": _STRING, "using-graph-uri": {"type": "array", "items": _IRI}},
}
_DOCUMENT: Data = {
    "type": "object",
    "required": ["text"],
    "properties": {"id": _STRING, "text": _STRING, "title": _STRING, "published": _STRING, "url": _STRING},
}


def _graph_store(path: str, parameters: list[Data]) -> dict[tuple[str, str], Data]:
    read = {"200": {"description": "The graph", "content": _RDF}, **answers(400, 404, 406)}
    return {
        (path, "GET"): {"summary": "Graph Store Protocol: a graph", "tags": ["sparql"], "parameters": parameters, "responses": read},
        (path, "PUT"): _change("Graph Store Protocol: a graph in place of what it held", parameters),
        (path, "POST"): _change("Graph Store Protocol: triples are added to a graph", parameters),
        (path, "DELETE"): {**_TOKEN, "summary": "Graph Store Protocol: a graph goes", "parameters": parameters, "responses": _done()},
    }


def _change(summary: str, parameters: list[Data]) -> Data:
    return {**_TOKEN, "summary": summary, "parameters": parameters, "requestBody": _BODY, "responses": {**_STORED, **answers(*_FAILS)}}


def _done() -> Data:
    return {"204": {"description": "Done"}, **answers(*_FAILS)}


WRITING: Mapping[tuple[str, str], Data] = {
    ("/update", "POST"): {
        **_TOKEN,
        "summary": "SPARQL 1.1 Update, as one step: all of it or nothing",
        "requestBody": {
            "required": True,
            "content": {
                "application/sparql-update": {"schema": _STRING},
                "application/x-www-form-urlencoded": {"schema": _FORM},
            },
        },
        "responses": _done(),
    },
    **_graph_store("/store", _WHICH),
    **_graph_store("/store/{path}", _HERE),
    ("/documents", "POST"): {
        **_TOKEN,
        "summary": "A document goes in, in place of a former one of the same id; its facts come back",
        "tags": ["data"],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": _DOCUMENT},
                "application/x-www-form-urlencoded": {"schema": _DOCUMENT},
                **{kind: {"schema": _STRING} for kind in ("text/plain", "text/markdown", "text/html")},
            },
        },
        "responses": {"200": {"description": "What it says"}, "201": {"description": "What it says"}, **answers(*_FAILS)},
    },
    ("/documents/{path}", "DELETE"): {
        **_TOKEN,
        "summary": "A document goes out, exactly",
        "tags": ["data"],
        "parameters": [{"name": "path", "in": "path", "required": True, "description": "Id of the document", "schema": _STRING}],
        "responses": _done(),
    },
    ("/documents/new", "GET"): {
        "summary": "A page to paste a text into",
        "tags": ["data"],
        "responses": {"200": {"description": "The page", "content": {"text/html": {"schema": _STRING}}}, **answers()},
    },
}
"""(path, method) → operation."""
