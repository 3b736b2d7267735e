"""The explorer: a part of the graph, or what a CONSTRUCT gives, as a picture to walk in and as JSON; the bundles of the pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request, send_from_directory

from kg.errors import NotFound, UsageError
from kg.export.view import Selection, words_of
from kg.query.parameters import read_date
from kg.query.run import run_query
from kg.service.links import href, shown
from kg.service.negotiate import PAGE, choose
from kg.service.network import MOST_NODES, as_data, draw, find_path, read_part
from kg.service.state import current, store

__all__ = ["VENDOR", "as_block", "create_blueprint"]

VENDOR = Path(__file__).parent.parent / "vendor"
"""Bundles of others; scripts and the WebAssembly module are served, nothing else."""

_OFFERED = {"text/html": PAGE, "application/json": "json"}
_FIRST = 300
_LISTED = 200
_MOST_HOPS = 10


def create_blueprint() -> Blueprint:
    """The routes."""
    blueprint = Blueprint("graph", __name__)
    blueprint.add_url_rule("/graph", view_func=_graph)
    blueprint.add_url_rule("/vendor/<path:name>", view_func=_vendor)
    return blueprint


def _vendor(name: str) -> Response:
    if not name.endswith(".js"):
        raise NotFound(f"there is no bundle {name}", hint="the pages name those that there are")
    response = send_from_directory(VENDOR, name, mimetype="text/javascript")
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response


def _graph() -> Response:
    page = choose(_OFFERED) == PAGE
    data = _found(_FIRST if page else MOST_NODES)
    if not page:
        return jsonify(data)
    names = {node["id"]: node for node in data["nodes"]}
    rows = [(names[fact["subject"]], fact, names.get(fact["object"])) for fact in data["facts"][:_LISTED]]
    given = {name: request.args.getlist(name) for name in request.args}
    types = current().ontology.entity_types
    html = render_template("graph.html", data=data, block=as_block(data), rows=rows, given=given, types=types, most=MOST_NODES)
    return Response(html, mimetype="text/html")


def _found(usual: int) -> dict[str, Any]:
    """The part of the graph that the request asks for. UsageError for parameters that don't fit, NotFound for an unknown entity."""
    most = _whole("nodes", usual, MOST_NODES)
    query, ends = request.args.get("query", ""), [each for each in request.args.getlist("path") if each]
    if query.strip():
        results = run_query(store(), query, settings=current().settings)
        if results.form != "graph":
            raise UsageError("only a graph can be drawn, and this query gives none", hint="write it as CONSTRUCT or DESCRIBE")
        return draw(results.triples(), store(), href, shown, most)
    if ends:
        if len(ends) != 2:
            raise UsageError("a path has two ends", hint="give path twice, as names, ids or IRIs of entities")
        return as_data(find_path(store(), *ends), store(), href, label=_label)
    view, left_out = read_part(store(), _selection(), most)
    return as_data(view, store(), href, label=_label, left_out=left_out)


def _label(name: str) -> str:
    known = current().ontology.properties.get(name)
    return known.label if known and known.label else words_of(name)


def _selection() -> Selection:
    """The selection of the URL; parameters that a form leaves empty are not given."""
    lists = {name: [each.strip() for each in request.args.getlist(name) if each.strip()] for name in ("about", "types", "predicates")}
    dates = {name: request.args.get(name, "").strip() for name in ("since", "until")}
    return Selection(
        about=tuple(lists["about"]),
        hops=_whole("hops", 1, _MOST_HOPS, least=0),
        types=frozenset(lists["types"]),
        predicates=frozenset(lists["predicates"]),
        since=read_date(dates["since"], name="since") if dates["since"] else None,
        until=read_date(dates["until"], name="until") if dates["until"] else None,
        min_confidence=_confidence(),
    )


def _whole(name: str, default: int, most: int, *, least: int = 1) -> int:
    text = request.args.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 9 and least <= int(text) <= most):
        raise UsageError(f"{name} is a whole number from {least} to {most}, not {text!r}", hint=f"write {name}={default}")
    return int(text)


def _confidence() -> float:
    text = request.args.get("min_confidence", "").strip()
    try:
        number = float(text or 0)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise UsageError(f"min_confidence is a number from 0 to 1, not {text!r}", hint="write min_confidence=0.8")
    return number


def as_block(data: dict[str, Any]) -> str:
    """JSON in which no character begins markup, for a data block of a page."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text.encode("utf-8", "replace").decode()
