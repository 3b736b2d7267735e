"""What both versions of the reconciliation service share: the state of names, reading of requests, and forms of answers."""

from __future__ import annotations

import json
import weakref
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, TypeVar

from flask import Response, current_app, render_template, request

from kg.errors import NotFound, UsageError
from kg.query.names import Named, NameIndex
from kg.query.reconcile import Candidate, GraphProperty, Reconciler, Value
from kg.service.faults import HttpFault
from kg.service.state import current, store
from kg.store import Store

__all__ = [
    "BATCH",
    "FEATURES",
    "as_json",
    "as_texts",
    "as_type",
    "as_value",
    "candidate_data",
    "check_batch",
    "description",
    "entity_or_fault",
    "first",
    "preview",
    "proposed",
    "read_json",
    "reconciler",
    "root",
    "size_of",
    "suggested_entities",
    "suggested_properties",
    "suggested_types",
]

BATCH = 50
"""Most queries, or ids to extend, of one request; past it the answer is 413."""

PREVIEW = {"width": 430, "height": 200}
"""Size of a preview, in CSS pixels."""

FEATURES = {"name": "likeness of the name", "type": "whether the type is the one sought"}
"""What a candidate's features are called; those that are not here are the likeness of a property's values."""

_MOST = 100
_FRAMED = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *"

Item = TypeVar("Item")
_Cached = tuple["weakref.ref[Store]", Reconciler]


def reconciler() -> Reconciler:
    """The matcher of this request's state of the store.

    Names are read once a state: a read-only handle never changes, so its matcher is kept as long as it is the newest. A handle
    that can write is read anew for each request.
    """
    here = store()
    kept: _Cached | None = current_app.extensions.get("kg.names")
    if kept and kept[0]() is here:
        return kept[1]
    ontology = current().ontology
    made = Reconciler(here, ontology, NameIndex(here, ontology.entity_types))
    if here.read_only:
        current_app.extensions["kg.names"] = (weakref.ref(here), made)
    return made


# -- requests ----------------------------------------------------------------------------------------------------


def read_json(text: str | bytes, kind: type[Item]) -> Item:
    """The JSON of a request; UsageError where it is none, or of another kind."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the request is no JSON: {error}", hint="see docs/reconciliation.md") from error
    if not isinstance(data, kind):
        raise UsageError(f"the request is JSON, but no {_WORDS[kind]}", hint="see docs/reconciliation.md")
    return data


_WORDS: Mapping[type, str] = {dict: "object", list: "list"}


def check_batch(size: int) -> None:
    """413 for more than one request may hold."""
    if size > BATCH:
        raise HttpFault(
            413, "request-entity-too-large", f"{size} is more than one request may hold", hint=f"send at most {BATCH} at a time"
        )


def size_of(value: Any, default: int) -> int:
    """How many answers are wanted: at least one, at most 100."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return default
    return min(max(number, 1), _MOST) if number else default


def as_texts(value: Any) -> tuple[str, ...]:
    """A property's value or values as texts: texts, numbers, truth values, or objects with an id."""
    found = []
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict) and isinstance(each.get("id"), str):
            found.append(each["id"])
        elif isinstance(each, bool):
            found.append(str(each).lower())
        elif isinstance(each, str | int | float):
            found.append(str(each))
        else:
            raise UsageError(f"{each!r} is no value", hint="values are texts, numbers, true, false, or objects with an id")
    return tuple(found)


def first(items: Sequence[Item], *, limit: int = 20) -> Sequence[Item]:
    """The part of a list that `limit` and `offset` (in 0.2 `cursor`) of the URL ask for."""
    given = request.args.get("offset") or request.args.get("cursor") or "0"
    start = int(given) if given.isdecimal() and len(given) < 9 else 0
    return items[start : start + size_of(request.args.get("limit"), limit)]


# -- answers -----------------------------------------------------------------------------------------------------


def root() -> str:
    """The address of this server as the client sees it, without a slash at its end."""
    return request.url_root.rstrip("/")


def description() -> dict[str, Any]:
    """What both manifests say."""
    return {
        "name": f"kg: {store().namespace.base}",
        "documentation": f"{root()}/ontology",
        "serviceVersion": version("kg"),
        "defaultTypes": [as_type(name) for name in current().ontology.entity_types],
        "batchSize": BATCH,
    }


def as_type(name: str) -> dict[str, Any]:
    """A class by its local name."""
    return {"id": name, "name": current().ontology.classes[name].label}


def as_value(value: Value) -> dict[str, Any]:
    """A value as an entity, a day or a text; a day is given as midnight in UTC, the only form that the schema has."""
    if value.entity:
        return {"id": value.entity.id, "name": value.entity.label}
    return {"date": f"{value.text}T00:00:00Z"} if value.date and len(value.text) == 10 else {"str": value.text}


def candidate_data(matcher: Reconciler, candidate: Candidate, *, named_features: bool) -> dict[str, Any]:
    """A candidate; 1.0-draft wants names of features, too."""
    features: list[dict[str, Any]] = []
    for name, value in candidate.features:
        words = FEATURES.get(name) or f"likeness of {matcher.properties[name].name if name in matcher.properties else name}"
        features.append({"id": name, **({"name": words} if named_features else {}), "value": value})
    return {
        "id": candidate.entity.id,
        "name": candidate.entity.label,
        "description": matcher.describe(candidate.entity),
        "score": candidate.score,
        "match": candidate.match,
        "type": [as_type(name) for name in candidate.entity.types],
        "features": features,
    }


def entity_or_fault(matcher: Reconciler, ident: str) -> Named:
    """The entity of an id. NotFound where there is none."""
    found = matcher.entity(ident)
    if found is None:
        raise NotFound(f"nothing has the id {ident!r}", hint="look for its name at /search?q=…")
    return found


def suggested_entities(matcher: Reconciler, prefix: str) -> list[dict[str, Any]]:
    """Entities of which a name begins like this."""
    kind = matcher.local(request.args.get("type", ""))
    found = [each for each in matcher.names.beginning(prefix) if not kind or kind in each.types]
    return [
        {"id": each.id, "name": each.label, "description": matcher.describe(each), "notable": [as_type(name) for name in each.types]}
        for each in first(found)
    ]


def suggested_properties(matcher: Reconciler, prefix: str) -> list[dict[str, Any]]:
    """Properties of which the name or a word in it begins like this."""
    found = [each for each in matcher.properties.values() if _begins((each.id.lstrip("^"), each.name), prefix)]
    return [{"id": each.id, "name": each.name, "description": each.description} for each in first(found)]


def suggested_types(prefix: str) -> list[dict[str, Any]]:
    """Classes of which the name begins like this."""
    classes = [current().ontology.classes[name] for name in current().ontology.entity_types]
    found = [each for each in classes if _begins((each.name, each.label), prefix)]
    return [{"id": each.name, "name": each.label, "description": each.comment} for each in first(found)]


def _begins(names: Iterable[str], prefix: str) -> bool:
    wanted = prefix.strip().casefold()
    return any(name.casefold().startswith(wanted) or f" {wanted}" in name.casefold() for name in names)


def proposed(matcher: Reconciler, kind: str) -> list[GraphProperty]:
    """Properties that entities of a class may have; of all classes, where none is given."""
    wanted = matcher.local(kind)
    found = [each for each in matcher.properties.values() if not wanted or not each.domain or wanted in each.domain]
    return list(first(found, limit=_MOST))


def preview(matcher: Reconciler, ident: str) -> Response:
    """A small page about an entity, which other pages may show in a frame."""
    entity = entity_or_fault(matcher, ident)
    rows = [(of.name, [value.text for value in values[:5]]) for of in matcher.properties.values() if (values := matcher.values(entity, of))]
    page = render_template("preview.html", entity=entity, kinds=[as_type(name)["name"] for name in entity.types], rows=rows[:6])
    return Response(page, mimetype="text/html", headers={"Content-Security-Policy": _FRAMED})


def as_json(data: Any) -> Response:
    """An answer as JSON."""
    return Response(json.dumps(data, ensure_ascii=False), mimetype="application/json")
