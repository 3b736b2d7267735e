"""`/openapi.json`: every route of the app in OpenAPI 3.1, the named queries one by one with their typed parameters.

What a route takes and gives stands in the tables of `operations.py` and its neighbours; a route that isn't there is described by
what Flask knows of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import version
from itertools import islice
from typing import Any
from urllib.parse import unquote

import pyoxigraph as ox
from flask import Blueprint, Response, current_app, jsonify, request
from werkzeug.routing import Rule

from kg.export.formats import list_formats
from kg.query.library import NamedQuery, load_queries
from kg.query.parameters import TYPES, Parameter
from kg.service.operations import COMPONENTS, OPERATIONS, ROWS_OR_GRAPH, TAGS, answers, query_parameter
from kg.service.operations_reconcile import RECONCILE
from kg.service.operations_writing import WRITING
from kg.service.resources import SUFFIXES
from kg.service.state import current, store
from kg.store import Store

__all__ = ["EVERY", "create_blueprint", "describe"]

EVERY = {**OPERATIONS, **WRITING, **RECONCILE}
"""(path, method) → operation, of all routes."""

_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_AUTOMATIC = ("HEAD", "OPTIONS")
_SCHEMAS: dict[str, dict[str, Any]] = {
    "integer": {"type": "integer", "minimum": -(10**18) + 1, "maximum": 10**18 - 1},
    "date": {"type": "string", "pattern": r"^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$"},
    "iri": {"type": "string", "format": "iri"},
}
_EXAMPLES = {"integer": 10, "date": "2024-01", "string": "dress", "iri": "http://www.w3.org/2000/01/rdf-schema#label"}
_SAMPLE = 20


def create_blueprint() -> Blueprint:
    """The route."""
    blueprint = Blueprint("openapi", __name__)
    blueprint.add_url_rule("/openapi.json", view_func=_openapi)
    return blueprint


def _openapi() -> Response:
    """This description."""
    return jsonify(describe())


def describe() -> dict[str, Any]:
    """The description of the app that answers this request, with examples of its store."""
    paths: dict[str, dict[str, Any]] = {}
    for rule in sorted(current_app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if rule.rule == "/queries/<name>":
            paths.update({f"/queries/{query.name}": {"get": _named(query)} for query in load_queries(current().settings).values()})
            continue
        path = re.sub(r"<(?:[^<>:]*:)?([^<>]*)>", r"{\1}", rule.rule)
        for method in sorted(set(rule.methods or ()) - set(_AUTOMATIC)):
            paths.setdefault(path, {})[method.lower()] = _operation(rule, path, method)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "kg",
            "version": version("kg"),
            "summary": "A knowledge graph that opens the sentence behind every edge",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": _root()}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": COMPONENTS,
    }


def _root() -> str:
    return request.script_root or "/"


def _operation(rule: Rule, path: str, method: str) -> dict[str, Any]:
    """A route's operation: that of the table, else what Flask knows."""
    known = EVERY.get((path, method))
    if known is None:
        said = (current_app.view_functions[rule.endpoint].__doc__ or "").strip().partition("\n")[0]
        known = {"summary": said or path, "tags": ["more"], "responses": {"200": {"description": "The answer."}, **answers()}}
    found = {"operationId": f"{method.lower()}_{re.sub('[^A-Za-z0-9]+', '_', path).strip('_') or 'home'}", **known}
    parameters = [_with_example(path, each) for each in found.get("parameters", ())]
    given = {each.get("name") for each in parameters}
    plain = {"in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    missing = [{"name": name, **plain} for name in re.findall(r"\{([^}]*)\}", path) if name not in given]
    return {**found, "parameters": [*missing, *parameters]}


def _with_example(path: str, parameter: dict[str, Any]) -> dict[str, Any]:
    """The parameter, with what the store has as the example where it is the path of a thing."""
    names = {"/export/{name}": list_formats, "/ontology.{suffix}": _suffixes}.get(path)
    if names is not None and parameter.get("in") == "path":
        return {**parameter, "schema": {"type": "string", "enum": list(names())}}
    kind = {"/resource/{path}": "Fact", "/documents/{path}": "Document"}.get(path)
    if kind is None or parameter.get("in") != "path":
        return parameter
    namespace, graph = store().namespace, store().graph
    typed = graph.quads_for_pattern(None, ox.NamedNode(_TYPE), ox.NamedNode(namespace.term(kind)), ox.DefaultGraph())
    known = [quad.subject.value for quad in islice(typed, 1) if isinstance(quad.subject, ox.NamedNode)]
    before = namespace.base + ("resource/document/" if kind == "Document" else "resource/")
    return {**parameter, "example": unquote(known[0].removeprefix(before))} if known else parameter


def _named(query: NamedQuery) -> dict[str, Any]:
    """A named query as an operation."""
    return {
        "operationId": f"query_{query.name.replace('-', '_')}",
        "summary": query.title,
        "description": query.question or query.title,
        "tags": ["queries"],
        "parameters": [*(_typed(store(), parameter) for parameter in query.parameters), query_parameter("format-of-answers")],
        "responses": {"200": ROWS_OR_GRAPH, **answers(400, 404, 406, 503)},
    }


def _typed(opened: Store, parameter: Parameter) -> dict[str, Any]:
    """A parameter with its type, default and an example."""
    schema = dict(_SCHEMAS.get(parameter.type, {"type": "string"}))
    if parameter.default:
        schema["default"] = int(parameter.default) if parameter.type == "integer" else parameter.default
    if parameter.default is None:
        schema.setdefault("minLength", 1) if schema["type"] == "string" else None
    example = schema.get("default", _EXAMPLES.get(parameter.type)) or next(_labels(opened, parameter.classes), None)
    classes = f" One of: {', '.join(parameter.classes)}." if parameter.classes else ""
    empty = " Left out or empty: no restriction." if parameter.default == "" else ""
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.default is None,
        "description": f"{parameter.description}; {TYPES[parameter.type]}.{classes}{empty}",
        "schema": schema,
        **({"example": example} if example is not None else {}),
    }


def _labels(opened: Store, classes: tuple[str, ...]) -> Iterator[str]:
    """Labels of some entities of these classes, of any where none is named."""
    kinds = [ox.NamedNode(opened.namespace.term(name)) for name in classes or sorted(current().ontology.entity_types)]
    for kind in kinds:
        typed = opened.graph.quads_for_pattern(None, ox.NamedNode(_TYPE), kind, ox.DefaultGraph())
        for quad in islice(typed, _SAMPLE):
            labels = opened.graph.quads_for_pattern(quad.subject, ox.NamedNode(_LABEL), None, ox.DefaultGraph())
            yield from (label.object.value for label in labels if isinstance(label.object, ox.Literal))


def _suffixes() -> tuple[str, ...]:
    return tuple(each.removeprefix(".") for each in SUFFIXES)
