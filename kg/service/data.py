"""Answers of named queries, and exports."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from typing import Any, BinaryIO, cast

from flask import Blueprint, Response, jsonify, make_response, render_template, request, send_file

from kg.errors import UsageError
from kg.export.formats import list_formats, load_exporter
from kg.export.view import Selection
from kg.query.library import NamedQuery, ask, find_query, load_queries
from kg.service.negotiate import GRAPHS, PAGE, ROWS, choose, prefers_page
from kg.service.sparql import send
from kg.service.state import current, store

__all__ = ["create_blueprint"]

_IN_MEMORY = 8 * 1024 * 1024


def create_blueprint() -> Blueprint:
    """The routes."""
    blueprint = Blueprint("data", __name__)
    blueprint.add_url_rule("/queries", view_func=_queries)
    blueprint.add_url_rule("/queries/<name>", view_func=_query)
    blueprint.add_url_rule("/export", view_func=_formats)
    blueprint.add_url_rule("/export/<name>", view_func=_export)
    return blueprint


def _queries() -> Response:
    """The named queries with their parameters."""
    queries = load_queries(current().settings).values()
    if choose({"text/html": PAGE, "application/json": "json"}) == PAGE:
        return make_response(render_template("queries.html", queries=queries))
    return jsonify([_described(query) for query in queries])


def _described(query: NamedQuery) -> dict[str, Any]:
    parameters = [
        {
            "name": each.name,
            "type": each.type,
            "classes": list(each.classes),
            "required": each.default is None,
            "default": each.default,
            "description": each.description,
        }
        for each in query.parameters
    ]
    path = f"/queries/{query.name}"
    return {"name": query.name, "title": query.title, "question": query.question, "path": path, "parameters": parameters}


def _given() -> dict[str, str]:
    """The parameters of the URL for a named query; an empty one counts as not given. UsageError for one that is given twice."""
    for name, values in request.args.lists():
        if len(values) > 1:
            raise UsageError(f"{name} is given {len(values)} times", hint="give every parameter once")
    return {key: value for key, value in request.args.items() if key != "format" and value}


def _query(name: str) -> Response:
    """A named query; its parameters are those of the URL, and an empty one counts as not given."""
    query = find_query(current().settings, name)
    given = _given()
    missing = [parameter.name for parameter in query.parameters if parameter.default is None and parameter.name not in given]
    page = prefers_page({**ROWS, **GRAPHS})
    if page and missing:
        return make_response(render_template("query.html", query=query, given=given, results=None))
    results = ask(store(), name, given, settings=current().settings)
    if page:
        return make_response(render_template("query.html", query=query, given=given, results=results, rows=list(results)))
    return send(results)


def _formats() -> Response:
    return make_response(render_template("export.html", formats=list_formats()))


def _export(name: str) -> Response:
    exporter = load_exporter(name, current().settings)
    with ExitStack() as stack:
        stream = cast(BinaryIO, stack.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY)))
        exporter(store(), _selection(), stream)
        stream.seek(0)
        response = send_file(stream, mimetype=exporter.media_type, as_attachment=True, download_name=f"kg{exporter.suffix}")
        response.call_on_close(stack.pop_all().close)
    return response


def _selection() -> Selection:
    """The selection that the URL's parameters name."""
    return Selection(
        about=tuple(request.args.getlist("about")),
        hops=int(_number("hops", 1)),
        types=frozenset(request.args.getlist("types")),
        predicates=frozenset(request.args.getlist("predicates")),
        since=request.args.get("since"),
        until=request.args.get("until"),
        min_confidence=_number("min_confidence", 0),
    )


def _number(name: str, default: float) -> float:
    try:
        return float(request.args.get(name, default))
    except ValueError as error:
        raise UsageError(f"{name} takes a number, not {request.args[name]!r}", hint=f"write {name}=1") from error
