"""What the reconciliation service takes and gives, as OpenAPI 3.1 writes it; its own specifications say more."""

from __future__ import annotations

from collections.abc import Mapping

from kg.service.operations import Data, answers

__all__ = ["RECONCILE"]

_STRING: Data = {"type": "string"}
_ANY: Data = {"schema": {"type": ["object", "array"]}}
_PAGE: Data = {"text/html": {"schema": _STRING}}
_JSON: Data = {"application/json": _ANY}
_KIND: Data = {
    "name": "kind",
    "in": "path",
    "required": True,
    "description": "What is suggested",
    "schema": {"type": "string", "enum": ["entity", "type", "property"]},
}


def _query(name: str, description: str) -> Data:
    return {"name": name, "in": "query", "description": description, "schema": _STRING}


def _get(summary: str, content: Data, *parameters: Data) -> Data:
    answer = {"200": {"description": summary, "content": content}, **answers(400, 404)}
    return {"summary": summary, "tags": ["more"], "parameters": list(parameters), "responses": answer}


def _post(summary: str, body: Data) -> Data:
    answer = {"200": {"description": summary, "content": _JSON}, **answers(400, 413, 415)}
    return {"summary": summary, "tags": ["more"], "requestBody": {"required": True, "content": body}, "responses": answer}


_PREFIX = _query("prefix", "The text so far")
_TYPE = _query("type", "IRI of a class")
_ID = _query("id", "IRI of the entity, class or property")
_FORM: Data = {"type": "object", "properties": {"queries": _STRING, "extend": _STRING}}

RECONCILE: Mapping[tuple[str, str], Data] = {
    ("/reconcile", "GET"): _get(
        "Reconciliation API 0.2: the manifest, or candidates for a batch of names", _JSON, _query("queries", "The batch, in JSON")
    ),
    ("/reconcile", "POST"): _post(
        "Reconciliation API 0.2: candidates for a batch of names, or values of properties",
        {"application/x-www-form-urlencoded": {"schema": _FORM}},
    ),
    ("/reconcile/suggest/{kind}", "GET"): _get("Reconciliation API 0.2: suggestions", _JSON, _KIND, _PREFIX),
    ("/reconcile/flyout/{kind}", "GET"): _get("Reconciliation API 0.2: a few words on a suggestion", _JSON, _KIND, _ID),
    ("/reconcile/preview", "GET"): _get("Reconciliation API 0.2: a small page on an entity", _PAGE, _ID),
    ("/reconcile/extend/propose", "GET"): _get("Reconciliation API 0.2: properties of a class", _JSON, _TYPE),
    ("/reconcile/1.0", "GET"): _get("Reconciliation API 1.0 (draft): the manifest", _JSON),
    ("/reconcile/1.0/match", "POST"): _post("Reconciliation API 1.0 (draft): candidates for a batch of names", _JSON),
    ("/reconcile/1.0/suggest/{kind}", "GET"): _get("Reconciliation API 1.0 (draft): suggestions", _JSON, _KIND, _PREFIX),
    ("/reconcile/1.0/preview", "GET"): _get("Reconciliation API 1.0 (draft): a small page on an entity", _PAGE, _ID),
    ("/reconcile/1.0/extend", "POST"): _post("Reconciliation API 1.0 (draft): values of properties", _JSON),
    ("/reconcile/1.0/extend/propose", "GET"): _get("Reconciliation API 1.0 (draft): properties of a class", _JSON, _TYPE),
}
"""(path, method) → operation."""
