"""The search, and what a search box suggests."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, render_template, request

from kg.errors import UsageError
from kg.query.search import KINDS, search, suggest
from kg.service.negotiate import PAGE, choose
from kg.service.state import store

__all__ = ["ALL", "DEFAULT_LIMIT", "MOST_SUGGESTED", "SUGGESTIONS", "create_blueprint"]

SUGGESTIONS = "application/x-suggestions+json"
"""Media type of OpenSearch Suggestions 1.0."""

ALL = "all"
DEFAULT_LIMIT = 100
MOST_SUGGESTED = 50

_OFFERED = {"text/html": PAGE, "application/json": "json"}


def create_blueprint() -> Blueprint:
    """The routes."""
    blueprint = Blueprint("searching", __name__)
    blueprint.add_url_rule("/search", view_func=_search)
    blueprint.add_url_rule("/suggest", view_func=_suggest)
    return blueprint


def _search() -> Response:
    """Entities, or what `kind` names; on the page entities, sentences and documents."""
    page = choose(_OFFERED) == PAGE
    text, limit = _text(), _limit(DEFAULT_LIMIT)
    kind = request.args.get("kind") or (ALL if page else "entity")
    found = search(store(), text, kinds=KINDS if kind == ALL else [kind], most=limit)
    if not page:
        return jsonify([hit.as_data() for hit in found])
    groups = {each: [hit for hit in found if hit.kind == each] for each in (KINDS if kind == ALL else (kind,))}
    return Response(render_template("search.html", text=text, groups=groups, most=limit), mimetype="text/html")


def _suggest() -> Response:
    """The text, then labels, types and IRIs of entities, each as a list (OpenSearch Suggestions 1.0)."""
    text = _text()
    limit = _limit(10)
    if limit > MOST_SUGGESTED:
        raise UsageError(f"limit is from 1 to {MOST_SUGGESTED}, not {limit}", hint="ask for fewer")
    found = suggest(store(), text, most=limit) if text else []
    response = jsonify([text, [hit.label for hit in found], [hit.type for hit in found], [hit.iri for hit in found]])
    response.mimetype = SUGGESTIONS
    return response


def _text() -> str:
    return request.args.get("q", "").replace("\0", " ").lstrip()


def _limit(default: int) -> int:
    given = request.args.get("limit", "")
    if given and not (given.isascii() and given.isdecimal() and len(given) < 9):
        raise UsageError(f"limit takes a whole number, not {given!r}", hint=f"write limit={default}")
    return int(given) if given else default
