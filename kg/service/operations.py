"""What each route takes and gives, as OpenAPI 3.1 writes it. A new route gets its rows here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kg.query.search import KINDS, MOST, MOST_CHARACTERS
from kg.service.negotiate import GRAPHS, PAGE, ROWS
from kg.service.network import MOST_NODES
from kg.service.searching import ALL, DEFAULT_LIMIT, MOST_SUGGESTED, SUGGESTIONS

__all__ = ["COMPONENTS", "OPERATIONS", "ROWS_OR_GRAPH", "TAGS", "Data", "answers", "query_parameter"]

Data = dict[str, Any]

TAGS: Mapping[str, str] = {
    "sparql": "SPARQL 1.1 Protocol and Graph Store HTTP Protocol",
    "queries": "Named queries with typed parameters",
    "search": "Full-text search",
    "data": "Entities, facts, documents, terms and exports",
    "operation": "Readiness and description",
    "more": "What else there is",
}
"""Groups of routes."""

_SAID = {
    400: "What was asked can't be understood; the message says where.",
    401: "A token is needed.",
    403: "It is not allowed.",
    404: "There is no such thing.",
    405: "Not with this method.",
    406: "There is no representation of this kind; the hint lists those that there are.",
    413: "Too long.",
    415: "It can't be sent in this media type.",
    422: "It breaks a rule of the ontology or can't be read.",
    503: "Too long or too much at a time, or the store is being written; try again later.",
}
_TEXT: Data = {"schema": {"type": "string"}}
_HTML: Data = {"text/html": _TEXT}
_STRING: Data = {"type": "string"}


def _json(schema: Data) -> Data:
    return {"application/json": {"schema": schema}}


def answers(*statuses: int) -> Data:
    """The answers of these statuses, and any other failure, in the one shape of errors."""
    named = {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}
    return {**named, "default": {"$ref": "#/components/responses/failure"}}


def query_parameter(name: str) -> Data:
    """A parameter of the URL that several routes share."""
    return {"$ref": f"#/components/parameters/{name}"}


def _parameter(name: str, description: str, schema: Data, *, required: bool = False, example: Any = None) -> Data:
    found = {"name": name, "in": "query", "description": description, "required": required, "schema": schema}
    return found if example is None else {**found, "example": example}


def _format(*names: str) -> Data:
    schema = {"type": "string", "enum": list(dict.fromkeys(names))}
    return _parameter("format", "Name of the representation; it goes before Accept", schema)


def _path(name: str, description: str, example: str) -> Data:
    return {
        "name": name,
        "in": "path",
        "description": description,
        "required": True,
        "schema": {"type": "string", "minLength": 1},
        "example": example,
    }


def _sent(names: Mapping[str, str], *, known: Data) -> Data:
    """The media types that are sent (the first of each format), of strings but for those whose schema is known."""
    first = {name: media_type for media_type, name in reversed(tuple(names.items()))}
    return {media_type: known.get(media_type, _TEXT) for media_type in names if media_type in first.values()}


_RESULTS: Data = {"schema": {"$ref": "#/components/schemas/SparqlResults"}}
_JSON_LD: Data = {"schema": {"type": ["object", "array"]}}
_GRAPH = _sent(GRAPHS, known={"application/ld+json": _JSON_LD})
_PAGE_OR_JSON, _PAGE_OR_GRAPH, _ANY = (query_parameter(f"format-of-{each}") for each in ("data", "things", "answers"))
_ONTOLOGY = {media_type: each for media_type, each in _GRAPH.items() if GRAPHS[media_type] not in ("trig", "nquads")}
_ROWS = _sent(ROWS, known={"application/sparql-results+json": _RESULTS})
_HITS: Data = {"type": "array", "items": {"$ref": "#/components/schemas/Hit"}}
_COUNTS: Data = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}

ROWS_OR_GRAPH: Data = {
    "description": "Rows, a yes or no, or a graph, in the representation that Accept or `format` names; for browsers a page.",
    "content": {**_ROWS, **_GRAPH, **_HTML},
}
"""The answer of a query."""


def _ok(description: str, content: Data) -> Data:
    return {"200": {"description": description, "content": content}}


def _get(tag: str, summary: str, content: Data, parameters: list[Data], *statuses: int) -> Data:
    return {"summary": summary, "tags": [tag], "parameters": parameters, "responses": {**_ok(summary, content), **answers(*statuses)}}


_GRAPH_IRIS: Data = {"type": "array", "items": {"type": "string", "format": "iri"}}
_DATASET = [
    _parameter("default-graph-uri", "Graphs that make the default graph; may be repeated", _GRAPH_IRIS),
    _parameter("named-graph-uri", "Graphs that GRAPH sees; may be repeated", _GRAPH_IRIS),
]
_QUERY: Data = {"type": "string", "description": "A SPARQL 1.1 query"}
_EXAMPLE = "SELECT ?person ?name WHERE { ?person a kg:Person ; rdfs:label ?name } LIMIT 10"
_FORM: Data = {
    "type": "object",
    "required": ["query"],
    "properties": {"query": _QUERY, "default-graph-uri": _GRAPH_IRIS, "named-graph-uri": _GRAPH_IRIS, "format": _STRING},
}
_LIMIT: Data = {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT_LIMIT}
_WORDS: Data = {"type": "string", "maxLength": MOST_CHARACTERS}
_NUMBER: Data = {"type": "number", "minimum": 0, "maximum": 1, "default": 0}
_LIST: Data = {"type": "array", "items": _STRING}
_SELECTION = [
    _parameter("about", "Names, ids or IRIs of entities; may be repeated", _LIST),
    _parameter("hops", "How far from them", {"type": "integer", "minimum": 0, "maximum": 10, "default": 1}),
    _parameter("types", "Classes of entities; may be repeated", _LIST),
    _parameter("predicates", "Predicates of facts; may be repeated", _LIST),
    _parameter("since", "Facts that hold at or after this date", _STRING),
    _parameter("until", "Facts that hold at or before this date", _STRING),
    _parameter("min_confidence", "Least confidence", _NUMBER),
]
_PAGE = _parameter("page", "Which part of a long list", {"type": "integer", "minimum": 1, "maximum": 9_999_999, "default": 1})
_RETRACTION: Data = {
    "type": "object",
    "required": ["action"],
    "properties": {"action": {"const": "retract"}, "token": {"type": "string"}},
}
_DECISION: Data = {
    "type": "object",
    "required": ["decision"],
    "properties": {
        "decision": {"type": "string", "description": "`accept QID ENTITY`, `reject QID ENTITY` or `none - ENTITY`", "maxLength": 2000},
        "agent": {"type": "string", "description": "Who decides"},
        "token": {"type": "string", "description": "The token, where no Authorization header has it"},
    },
}

OPERATIONS: Mapping[tuple[str, str], Data] = {
    ("/", "GET"): _get(
        "data",
        "How many documents, entities and facts there are",
        {**_json({"$ref": "#/components/schemas/Counts"}), **_HTML},
        [_PAGE_OR_JSON],
        406,
    ),
    ("/sparql", "GET"): {
        "summary": "Answers a SPARQL query; without one the service description, or for browsers a page to write one",
        "tags": ["sparql"],
        "parameters": [_parameter("query", "A SPARQL 1.1 query", _STRING, example=_EXAMPLE), *_DATASET, _ANY],
        "responses": {"200": ROWS_OR_GRAPH, **answers(400, 403, 406, 413, 503)},
    },
    ("/sparql", "POST"): {
        "summary": "Answers a SPARQL query, of a form or sent directly",
        "tags": ["sparql"],
        "parameters": [*_DATASET, _ANY],
        "requestBody": {
            "required": True,
            "content": {
                "application/x-www-form-urlencoded": {"schema": _FORM, "example": {"query": _EXAMPLE}},
                "application/sparql-query": {"schema": _QUERY, "example": _EXAMPLE},
            },
        },
        "responses": {"200": ROWS_OR_GRAPH, **answers(400, 403, 406, 413, 415, 503)},
    },
    ("/queries", "GET"): _get(
        "queries",
        "The named queries with their parameters",
        {**_json({"type": "array", "items": {"$ref": "#/components/schemas/NamedQuery"}}), **_HTML},
        [_PAGE_OR_JSON],
        406,
    ),
    ("/search", "GET"): _get(
        "search",
        "Entities by their names, sentences, and documents by their titles and texts",
        {**_json(_HITS), **_HTML},
        [
            _parameter("q", 'Words; those in "quotation marks" stand in a row; the last may be begun only', _WORDS, example="fashion"),
            _parameter(
                "kind",
                "What to search; without it data have entities and pages all",
                {"type": "string", "enum": [*KINDS, ALL]},
            ),
            _parameter("limit", "Most hits of each kind", _LIMIT),
            _PAGE_OR_JSON,
        ],
        400,
        406,
    ),
    ("/suggest", "GET"): _get(
        "search",
        "Entities whose names begin with a text, as OpenSearch Suggestions: the text, labels, types, IRIs",
        {SUGGESTIONS: {"schema": {"$ref": "#/components/schemas/Suggestions"}}},
        [
            _parameter("q", "The text so far", _WORDS, example="ba"),
            _parameter("limit", "Most suggestions", {"type": "integer", "minimum": 1, "maximum": MOST_SUGGESTED, "default": 10}),
        ],
        400,
    ),
    ("/resource/{path}", "GET"): _get(
        "data",
        "What an IRI of the store names, as a page or as data; a suffix such as .ttl goes before Accept",
        {**_HTML, **_GRAPH},
        [_path("path", "What follows resource/ in the IRI", "person/kim-kardashian"), _PAGE_OR_GRAPH],
        404,
        406,
    ),
    ("/documents", "GET"): _get(
        "data",
        "The documents, the newest first",
        {**_json({"type": "array", "items": {"$ref": "#/components/schemas/DocumentName"}}), **_HTML},
        [_PAGE_OR_JSON],
        406,
    ),
    ("/documents/{path}", "GET"): _get(
        "data",
        "A document with its text, evidence and mentions marked, or its graph",
        {**_HTML, **_GRAPH},
        [_path("path", "Id of the document", "balenciaga-le-city"), _PAGE_OR_GRAPH],
        404,
        406,
    ),
    ("/documents/{path}", "POST"): {
        "summary": "Takes a document out, as DELETE does, for forms",
        "tags": ["data"],
        "security": [{"token": []}],
        "parameters": [_path("path", "Id of the document", "balenciaga-le-city")],
        "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": _RETRACTION}}},
        "responses": {"303": {"description": "It is out; leads to the documents."}, **answers(400, 401, 403, 404)},
    },
    ("/validation", "GET"): _get(
        "data",
        "What was kept out of the graph and why; with `check` what breaks a shape in the fused view and in 50 documents a page",
        {**_json({"type": "object", "required": ["refused", "violations"]}), **_HTML},
        [_parameter("check", "Check a part of the store now", {"type": "string"}), _PAGE, _PAGE_OR_JSON],
        400,
        406,
    ),
    ("/review", "GET"): _get(
        "data",
        "Entities in doubt with their Wikidata candidates, those that most documents mention first",
        {**_json({"type": "object", "required": ["count", "entities"]}), **_HTML},
        [_PAGE, _PAGE_OR_JSON],
        400,
        406,
    ),
    ("/review", "POST"): {
        "summary": "Records a decision about a Wikidata candidate",
        "tags": ["data"],
        "security": [{"token": []}],
        "parameters": [_PAGE, _PAGE_OR_JSON],
        "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": _DECISION}}},
        "responses": {
            **_ok("What was decided, and how many entities are left", {**_json({"type": "object"}), **_HTML}),
            **answers(400, 401, 403, 404),
        },
    },
    ("/types.css", "GET"): _get("operation", "Colours of the types of entities", {"text/css": _TEXT}, []),
    ("/ontology", "GET"): _get("data", "The ontology", {**_HTML, **_ONTOLOGY}, [_PAGE_OR_GRAPH], 406),
    ("/ontology.{suffix}", "GET"): _get(
        "data", "The ontology in the format of a suffix", {**_HTML, **_ONTOLOGY}, [_path("suffix", "ttl, jsonld, rdf, nt …", "ttl")], 404
    ),
    ("/export", "GET"): _get("data", "The formats of export", _HTML, []),
    ("/export/{name}", "GET"): _get(
        "data",
        "The graph, or a part of it, as a file",
        {"*/*": {}},
        [_path("name", "A format that /export lists", "graphml"), *_SELECTION],
        400,
        404,
    ),
    ("/.well-known/void", "GET"): _get("sparql", "The dataset in figures (VoID)", _GRAPH, [], 406),
    ("/graph", "GET"): _get(
        "data",
        "A part of the graph, or what a CONSTRUCT gives, to draw: nodes and facts with their sentences",
        {**_json({"$ref": "#/components/schemas/Network"}), **_HTML},
        [
            *_SELECTION,
            _parameter("nodes", "Most nodes", {"type": "integer", "minimum": 1, "maximum": MOST_NODES}),
            _parameter("path", "The two ends of a shortest way: names, ids or IRIs of entities", _LIST),
            _parameter("query", "A CONSTRUCT or DESCRIBE query to draw instead", _STRING),
            _PAGE_OR_JSON,
        ],
        400,
        404,
        406,
    ),
    ("/vendor/{name}", "GET"): _get(
        "operation",
        "Scripts of others that the pages use",
        {"text/javascript": _TEXT},
        [_path("name", "Name of the file", "sigma/sigma.min.js")],
        404,
    ),
    ("/healthz", "GET"): _get(
        "operation", "200 when queries are answered", _json({"type": "object", "properties": {"status": {"const": "ok"}}}), [], 503
    ),
    ("/openapi.json", "GET"): _get("operation", "This description", _json({"type": "object", "required": ["openapi", "paths"]}), []),
    ("/static/{filename}", "GET"): _get(
        "operation", "Style and icon of the pages", {"*/*": {}}, [_path("filename", "Name of the file", "kg.css")], 404
    ),
}
"""(path, method) → operation."""

_TERM: Data = {
    "type": "object",
    "required": ["type", "value"],
    "properties": {"type": {"enum": ["uri", "literal", "bnode", "triple"]}, "value": {"type": ["string", "object"]}},
}
_SCHEMAS: Data = {
    "Error": {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["status", "code", "message", "hint"],
                "properties": {"status": {"type": "integer"}, "code": _STRING, "message": _STRING, "hint": _STRING},
            }
        },
    },
    "SparqlResults": {
        "description": "SPARQL 1.1 Query Results JSON Format",
        "type": "object",
        "required": ["head"],
        "properties": {
            "head": {"type": "object", "properties": {"vars": _LIST}},
            "boolean": {"type": "boolean"},
            "results": {
                "type": "object",
                "required": ["bindings"],
                "properties": {"bindings": {"type": "array", "items": {"type": "object", "additionalProperties": _TERM}}},
            },
        },
    },
    "Counts": {
        "type": "object",
        "required": ["documents", "entities", "facts"],
        "properties": {"documents": {"type": "integer", "minimum": 0}, "entities": _COUNTS, "facts": _COUNTS},
    },
    "DocumentName": {
        "type": "object",
        "required": ["iri", "label"],
        "properties": {"iri": {"type": "string", "format": "iri"}, "label": _STRING, "published": {"type": ["string", "null"]}},
    },
    "Hit": {
        "type": "object",
        "required": ["kind", "iri", "label", "name", "type", "document", "score"],
        "properties": {
            "kind": {"enum": list(KINDS)},
            "iri": {"type": "string", "format": "iri", "description": "The entity, the evidence or the document"},
            "label": {"type": "string", "description": "Of the entity or the document"},
            "name": {"type": "string", "description": "The name, sentence or words that fit"},
            "type": {"type": "string", "description": "Class of the entity"},
            "document": {"type": "string", "description": "IRI of the document, empty for entities"},
            "score": {"type": "number", "minimum": 0, "maximum": 1},
        },
    },
    "Suggestions": {
        "description": "The text, then labels, types and IRIs, each as a list",
        "type": "array",
        "items": {"type": ["string", "array"], "items": _STRING},
        "minItems": 4,
        "maxItems": 4,
    },
    "Network": {
        "type": "object",
        "required": ["nodes", "facts", "colours", "left_out"],
        "properties": {
            "nodes": {"type": "array", "items": {"type": "object", "required": ["id", "label", "type", "href"]}},
            "facts": {"type": "array", "items": {"type": "object", "required": ["id", "subject", "predicate", "object", "literal"]}},
            "colours": {"type": "object", "additionalProperties": _LIST},
            "left_out": {"type": "integer", "minimum": 0, "description": "Nodes past the bound"},
        },
    },
    "NamedQuery": {
        "type": "object",
        "required": ["name", "title", "question", "path", "parameters"],
        "properties": {
            "name": _STRING,
            "title": _STRING,
            "question": _STRING,
            "path": _STRING,
            "parameters": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["name", "type", "required", "description"],
                    "properties": {
                        "name": _STRING,
                        "type": _STRING,
                        "classes": _LIST,
                        "required": {"type": "boolean"},
                        "default": {"type": ["string", "null"]},
                        "description": _STRING,
                    },
                },
            },
        },
    },
}
_FAILURE: Data = {"content": {**_json({"$ref": "#/components/schemas/Error"}), **_HTML}}

COMPONENTS: Data = {
    "schemas": _SCHEMAS,
    "responses": {
        **{str(status): {"description": text, **_FAILURE} for status, text in _SAID.items()},
        "failure": {"description": "What went wrong.", **_FAILURE},
    },
    "parameters": {
        "format-of-data": _format(PAGE, "json"),
        "format-of-things": _format(PAGE, *GRAPHS.values()),
        "format-of-answers": _format(*ROWS.values(), *GRAPHS.values()),
    },
    "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
}
"""What operations share."""
