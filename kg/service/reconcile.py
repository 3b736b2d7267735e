"""The graph as a reconciliation service: Reconciliation Service API 0.2 at ``/reconcile``, which OpenRefine speaks."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, request
from markupsafe import escape

from kg.errors import NotFound, UsageError
from kg.query.reconcile import Condition, GraphProperty, Reconciler, Sought, Value
from kg.service import reconciliation as forms
from kg.service.state import current, store

__all__ = ["Columns", "create_blueprint", "extension", "meta", "row", "suggestions"]

_KINDS = "there are entity, property and type"
_STRICT = ("any", "should", "all")

Columns = list[tuple[GraphProperty, int]]
"""Properties with the most values that are wanted of each; 0 for all."""


def create_blueprint() -> Blueprint:
    """The routes."""
    blueprint = Blueprint("reconcile", __name__, url_prefix="/reconcile")
    blueprint.add_url_rule("", view_func=_endpoint, methods=["GET", "POST"], strict_slashes=False)
    blueprint.add_url_rule("/preview", view_func=_preview)
    blueprint.add_url_rule("/extend/propose", view_func=_propose)
    blueprint.add_url_rule("/suggest/<kind>", view_func=_suggest)
    blueprint.add_url_rule("/flyout/<kind>", view_func=_flyout)
    return blueprint


def _endpoint() -> Response:
    """Manifest, match or extension, by what is sent."""
    if request.values.get("queries"):
        return _answer(_match(request.values["queries"]))
    if request.values.get("extend"):
        return _answer(_extend(request.values["extend"]))
    return _answer(_manifest())


def _manifest() -> dict[str, Any]:
    here, namespace = f"{forms.root()}/reconcile", store().namespace
    suggest = {
        kind: {"service_url": here, "service_path": f"/suggest/{kind}", "flyout_service_path": f"/flyout/{kind}?id=${{id}}"}
        for kind in ("entity", "property", "type")
    }
    limit = {"name": "limit", "label": "Limit", "type": "number", "default": 0, "help_text": "Most values a row; 0 for all"}
    return {
        "versions": ["0.1", "0.2"],
        "identifierSpace": f"{namespace.base}resource/",
        "schemaSpace": namespace.term(""),
        "view": {"url": f"{forms.root()}/resource/{{{{id}}}}"},
        "preview": {"url": f"{here}/preview?id={{{{id}}}}", **forms.PREVIEW},
        "suggest": suggest,
        "extend": {"propose_properties": {"service_url": here, "service_path": "/extend/propose"}, "property_settings": [limit]},
        **forms.description(),
    }


def _answer(data: Any) -> Response:
    """JSON, or where a callback is named a script that calls it (JSONP)."""
    response = forms.as_json(data)
    callback = request.args.get("callback")
    if callback is None:
        return response
    if not re.fullmatch(r"[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*", callback, re.ASCII):
        raise UsageError("the callback is no name of a function", hint="letters, digits, _, $ and dots")
    body = response.get_data(as_text=True).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return Response(f"/**/{callback}({body});", mimetype="text/javascript")


# -- match -------------------------------------------------------------------------------------------------------


def _match(text: str) -> dict[str, Any]:
    batch = forms.read_json(text, dict)
    forms.check_batch(len(batch))
    queries = {name: _sought(name, query) for name, query in batch.items()}
    matcher = forms.reconciler()
    return {
        name: {"result": [forms.candidate_data(matcher, each, named_features=False) for each in matcher.match(query)]}
        for name, query in queries.items()
    }


def _sought(name: str, query: Any) -> Sought:
    """One query of a batch. UsageError says what of it can't be used."""
    known = {"query", "type", "limit", "properties", "type_strict"}
    if not isinstance(query, dict) or set(query) - known:
        raise UsageError(f"query {name!r} is no object with {', '.join(sorted(known))}", hint="see docs/reconciliation.md")
    text, kinds, strict = query.get("query", ""), query.get("type") or [], query.get("type_strict", "any")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    properties = query.get("properties") or []
    if not isinstance(text, str) or not (text or properties or "query" in query):
        raise UsageError(f"query {name!r} asks for nothing", hint="give a query or properties")
    if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds) or strict not in _STRICT:
        raise UsageError(f"query {name!r} has types of a wrong form", hint="type is an id or a list of ids, type_strict any, should or all")
    if not isinstance(properties, list):
        raise UsageError(f"query {name!r} has properties of a wrong form", hint="a list of objects with pid and v")
    conditions = tuple(_condition(name, each) for each in properties)
    return Sought((text,) if text else (), (), tuple(kinds), strict, conditions, forms.size_of(query.get("limit"), 10))


def _condition(name: str, data: Any) -> Condition:
    if not isinstance(data, dict) or not isinstance(data.get("pid"), str) or "v" not in data:
        raise UsageError(f"query {name!r} has a property without pid or v", hint="properties are objects with pid and v")
    return Condition(data["pid"], forms.as_texts(data["v"]))


# -- extension ---------------------------------------------------------------------------------------------------


def _extend(text: str) -> dict[str, Any]:
    ids, columns, matcher = extension(forms.read_json(text, dict))
    rows: dict[str, Any] = {}
    for ident in ids:
        rows[ident] = {of.id: [forms.as_value(value) for value in values] for of, values in row(matcher, ident, columns)}
    return {"meta": meta(columns), "rows": rows}


def extension(data: dict[str, Any]) -> tuple[list[str], Columns, Reconciler]:
    """What an extension asks for: ids, and properties with the most values of each (0: all). Of both versions."""
    ids, properties = data.get("ids"), data.get("properties")
    if not isinstance(ids, list) or not isinstance(properties, list) or not all(isinstance(ident, str) for ident in ids):
        raise UsageError("an extension needs lists of ids and properties", hint="see docs/reconciliation.md")
    forms.check_batch(len(ids))
    matcher = forms.reconciler()
    columns: Columns = []
    for each in properties:
        if not isinstance(each, dict) or not isinstance(each.get("id"), str):
            raise UsageError("a property of an extension is an object with an id", hint="see docs/reconciliation.md")
        settings = each.get("settings")
        most = forms.size_of(settings.get("limit") if isinstance(settings, dict) else None, 0)
        columns.append((matcher.find_property(each["id"]), most))
    return ids, columns, matcher


def row(matcher: Reconciler, ident: str, columns: Columns) -> list[tuple[GraphProperty, list[Value]]]:
    """An entity's values of each property; none where the id is not known."""
    entity = matcher.entity(ident)
    found = [(of, matcher.values(entity, of) if entity else [], most) for of, most in columns]
    return [(of, values[:most] if most else values) for of, values, most in found]


def meta(columns: Columns) -> list[dict[str, Any]]:
    """The properties of an extension, with the class of their values where it is one."""
    known = current().ontology.entity_types
    return [
        {"id": of.id, "name": of.name, **({"type": forms.as_type(of.range[0])} if len(of.range) == 1 and of.range[0] in known else {})}
        for of, _ in columns
    ]


def _propose() -> Response:
    kind = request.args.get("type", "")
    found = [{"id": each.id, "name": each.name} for each in forms.proposed(forms.reconciler(), kind)]
    return _answer({"properties": found, **({"type": kind} if kind else {}), "limit": len(found)})


# -- suggestions and previews ------------------------------------------------------------------------------------


def _suggest(kind: str) -> Response:
    return _answer({"result": suggestions(kind)})


def suggestions(kind: str) -> list[dict[str, Any]]:
    """What fits the prefix of the URL. Of both versions."""
    prefix = request.args.get("prefix", "")
    if kind == "type":
        return forms.suggested_types(prefix)
    matcher = forms.reconciler()
    if kind == "property":
        return forms.suggested_properties(matcher, prefix)
    if kind == "entity":
        return forms.suggested_entities(matcher, prefix)
    raise NotFound(f"there are no suggestions of a {kind!r}", hint=_KINDS)


def _preview() -> Response:
    return forms.preview(forms.reconciler(), request.args.get("id", ""))


def _flyout(kind: str) -> Response:
    """A few words about one suggestion, as HTML in JSON."""
    ident, ontology = request.args.get("id", ""), current().ontology
    matcher = forms.reconciler()
    if kind == "property":
        found = matcher.find_property(ident)
        name, words = found.name, found.description
    elif kind == "type":
        term = ontology.classes.get(matcher.local(ident))
        if term is None:
            raise UsageError(f"there is no type {ident!r}", hint=f"there are {', '.join(ontology.entity_types)}")
        name, words = term.label, term.comment
    elif kind == "entity":
        entity = forms.entity_or_fault(matcher, ident)
        name, words = entity.label, matcher.describe(entity)
    else:
        raise NotFound(f"there are no flyouts of a {kind!r}", hint=_KINDS)
    return _answer({"id": ident, "html": f"<p><strong>{escape(name)}</strong> {escape(words)}</p>"})
