"""The graph as a reconciliation service: Reconciliation Service API 1.0-draft at ``/reconcile/1.0``."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from kg.errors import UsageError
from kg.query.reconcile import Condition, Sought
from kg.service import reconciliation as forms
from kg.service.reconcile import extension, meta, row, suggestions

__all__ = ["create_blueprint"]

_MATCH_TYPES, _QUANTIFIERS = ("name", "id", "property"), ("any", "all", "none")
_QUALIFIERS = [{"id": "exact", "name": "the same, but for case, accents and punctuation"}, {"id": "fuzzy", "name": "alike"}]


def create_blueprint() -> Blueprint:
    """The routes."""
    blueprint = Blueprint("reconcile_draft", __name__, url_prefix="/reconcile/1.0")
    blueprint.add_url_rule("", view_func=_manifest, strict_slashes=False)
    blueprint.add_url_rule("/match", view_func=_match, methods=["POST"])
    blueprint.add_url_rule("/extend", view_func=_extend, methods=["POST"])
    blueprint.add_url_rule("/extend/propose", view_func=_propose)
    blueprint.add_url_rule("/suggest/<kind>", view_func=_suggest)
    blueprint.add_url_rule("/preview", view_func=_preview)
    return blueprint


def _manifest() -> Response:
    limit = {"id": "limit", "name": "Limit", "type": "number", "default": 0, "helpText": "Most values a row; 0 for all"}
    return forms.as_json(
        {
            "versions": ["1.0-draft"],
            "view": {"url": f"{forms.root()}/resource/{{id}}"},
            "preview": forms.PREVIEW,
            "suggest": {"entity": True, "property": True, "type": True},
            "extend": {"proposeProperties": True, "propertySettings": [limit]},
            "standardizedScore": True,
            "lang": "en",
            **forms.description(),
        }
    )


def _match() -> Response:
    queries = forms.read_json(request.get_data(), dict).get("queries")
    if not isinstance(queries, list):
        raise UsageError("the request has no list of queries", hint="see docs/reconciliation.md")
    forms.check_batch(len(queries))
    sought = [_sought(number, query) for number, query in enumerate(queries)]
    matcher = forms.reconciler()
    results = [[forms.candidate_data(matcher, each, named_features=True) for each in matcher.match(query)] for query in sought]
    return forms.as_json({"results": [{"candidates": candidates} for candidates in results]})


def _sought(number: int, query: Any) -> Sought:
    """One query. UsageError says what of it can't be used."""
    known = {"type", "limit", "lang", "dir", "conditions"}
    conditions = query.get("conditions") if isinstance(query, dict) else None
    if not isinstance(query, dict) or set(query) - known or not isinstance(conditions, list) or not conditions:
        raise UsageError(f"query {number} is no object with {', '.join(sorted(known))}", hint="conditions is a list that is not empty")
    kind = query.get("type", "")
    if not isinstance(kind, str):
        raise UsageError(f"query {number} has a type that is no id", hint="one type a query")
    names: list[str] = []
    ids: list[str] = []
    others: list[Condition] = []
    for each in conditions:
        match_type, values = _checked(number, each)
        if match_type == "name":
            names += values
        elif match_type == "id":
            ids += values
        else:
            others.append(_condition(number, each, values))
    limit = forms.size_of(query.get("limit"), 10)
    return Sought(tuple(names), tuple(ids), (kind,) if kind else (), "any", tuple(others), limit)


def _checked(number: int, condition: Any) -> tuple[str, tuple[str, ...]]:
    if not isinstance(condition, dict) or condition.get("matchType") not in _MATCH_TYPES or "propertyValue" not in condition:
        raise UsageError(f"query {number} has a condition without matchType or propertyValue", hint=f"{', '.join(_MATCH_TYPES)} are known")
    return condition["matchType"], forms.as_texts(condition["propertyValue"])


def _condition(number: int, data: dict[str, Any], values: tuple[str, ...]) -> Condition:
    quantifier, ident = data.get("matchQuantifier", "any"), data.get("propertyId")
    if not isinstance(ident, str) or quantifier not in _QUANTIFIERS:
        raise UsageError(f"query {number} has a condition without propertyId, or of an unknown quantifier", hint="any, all or none")
    exact = str(data.get("matchQualifier", "")).casefold() in ("exact", "exactmatch")
    return Condition(ident, values, quantifier, data.get("required") is True, exact)


def _extend() -> Response:
    ids, columns, matcher = extension(forms.read_json(request.get_data(), dict))
    rows = [
        {
            "id": ident,
            "properties": [{"id": of.id, "values": [forms.as_value(v) for v in values]} for of, values in row(matcher, ident, columns)],
        }
        for ident in ids
    ]
    return forms.as_json({"meta": meta(columns), "rows": rows})


def _propose() -> Response:
    kind = request.args.get("type", "")
    found = [{"id": each.id, "name": each.name, "description": each.description} for each in forms.proposed(forms.reconciler(), kind)]
    return forms.as_json({"properties": found, **({"type": kind} if kind else {}), "limit": len(found)})


def _suggest(kind: str) -> Response:
    found = suggestions(kind)
    return forms.as_json({"result": [{**each, "matchQualifiers": _QUALIFIERS} for each in found] if kind == "property" else found})


def _preview() -> Response:
    return forms.preview(forms.reconciler(), request.args.get("id", ""))
