"""What was kept out of the graph and why, and a check of what is in, part by part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

import pyoxigraph as ox
from flask import Blueprint, Response, jsonify, render_template, request

from kg.model import Violation
from kg.rdf.write import as_ntriples
from kg.service.negotiate import PAGE, choose
from kg.service.pages import number_of_page
from kg.service.reading import Named, Reading
from kg.service.state import current, store
from kg.settings import Settings
from kg.store import Store
from kg.validate import Shapes, check, load_shapes

__all__ = ["MOST_DOCUMENTS", "MOST_TRIPLES", "create_blueprint", "refused_of"]

MOST_DOCUMENTS = 50
"""How many documents' graphs one request checks."""

MOST_TRIPLES = 50_000
"""The fused view is checked by a request where it has no more triples than this."""

_MOST_REFUSED = 100
_OFFERED = {"text/html": PAGE, "application/json": "json"}


@dataclass(frozen=True, slots=True)
class _Refused:
    """Something kept out: what it is in words, its sentence where it has one, and the reasons."""

    document: Named | None
    what: str
    quote: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Checked:
    """What a check found in one graph; None where the graph is too large to be checked here."""

    graph: Named
    found: tuple[Violation, ...] | None


def create_blueprint() -> Blueprint:
    """The routes."""
    blueprint = Blueprint("validation", __name__)
    blueprint.add_url_rule("/validation", view_func=_validation)
    return blueprint


def _validation() -> Response:
    """What was kept out; with `check` also what breaks a shape in the fused view and in some documents' graphs."""
    page, wanted = number_of_page(), "check" in request.args
    reading = Reading(store())
    kept_out, count = _kept_out(reading, 0 if wanted else (page - 1) * _MOST_REFUSED)
    names = store().ledger.ids()
    checked = list(_checked(reading, names, page)) if wanted else []
    if choose(_OFFERED) == "json":
        refused = [{"doc": each.document.label if each.document else None, "what": each.what, "reasons": each.reasons} for each in kept_out]
        violations = [_as_data(violation) for each in checked for violation in each.found or ()]
        return jsonify({"refused": refused, "refused_count": count, "checked": len(checked), "violations": violations})
    return Response(
        render_template(
            "validation.html",
            kept_out=kept_out,
            count=count,
            documents=len(names),
            checked=checked,
            wanted=wanted,
            page=page,
            pages=-(-len(names) // MOST_DOCUMENTS) if wanted else -(-count // _MOST_REFUSED),
            batch=MOST_DOCUMENTS,
        ),
        mimetype="text/html",
    )


def _as_data(violation: Violation) -> dict[str, Any]:
    names = ("focus", "path", "value", "shape", "severity", "message")
    return {name: getattr(violation, name) for name in names}


def _kept_out(reading: Reading, start: int) -> tuple[list[_Refused], int]:
    """So much of the quarantine as a page shows, and how many there are."""
    found: list[_Refused] = []
    count = 0
    for document_id, refusals in reading.store.ledger.refusals():
        for refusal in refusals:
            if start <= count < start + _MOST_REFUSED:
                found.append(_refused(refusal, reading.named(reading.namespace.document(document_id))))
            count += 1
    for _, _, violations in reading.store.ledger.held():
        if start <= count < start + _MOST_REFUSED:
            foci = sorted({violation["focus"] for violation in violations})
            found.append(_Refused(None, ", ".join(foci), "", tuple(dict.fromkeys(each["message"] for each in violations))))
        count += 1
    return found, count


def refused_of(reading: Reading, document_id: str) -> list[_Refused]:
    """What was kept out of one document."""
    row = reading.store.ledger.row(document_id)
    return [_refused(refusal, None) for refusal in row.refused] if row else []


def _refused(refusal: dict[str, Any], document: Named | None) -> _Refused:
    statement = refusal["statement"]
    what, quote = refusal["entity"] or "the document", ""
    if statement is not None:
        value = statement["object"]
        what = f"{statement['subject']} {statement['predicate']} {value['value'] if isinstance(value, dict) else value}"
        quote = statement["evidence"][0]["quote"] if statement["evidence"] else ""
    return _Refused(document, what, quote, tuple(dict.fromkeys(each["message"] for each in refusal["violations"])))


# -- checking ---------------------------------------------------------------------------------------------------


@lru_cache(maxsize=2)
def _shapes(settings: Settings) -> Shapes:
    return load_shapes(settings)


def _checked(reading: Reading, ids: list[str], page: int) -> Iterator[_Checked]:
    """The fused view first, on the first page; then so many documents."""
    shapes = _shapes(current().settings)
    if page == 1:
        yield _check(reading.store, ox.DefaultGraph(), Named("", "The fused view"), shapes)
    for each in ids[(page - 1) * MOST_DOCUMENTS : page * MOST_DOCUMENTS]:
        iri = reading.namespace.document(each)
        yield _check(reading.store, ox.NamedNode(iri), reading.named(iri), shapes)


def _check(opened: Store, graph: ox.NamedNode | ox.DefaultGraph, named: Named, shapes: Shapes) -> _Checked:
    quads = list(islice(opened.graph.quads_for_pattern(None, None, None, graph), MOST_TRIPLES + 1))
    return _Checked(named, None if len(quads) > MOST_TRIPLES else tuple(check(as_ntriples(quads), shapes)))
