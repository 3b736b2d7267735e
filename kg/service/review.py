"""Entities that may be a Wikidata item: their candidates, and what people decide about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyoxigraph as ox
from flask import Blueprint, Response, jsonify, make_response, render_template, request

from kg.errors import NotFound
from kg.model import Link
from kg.rdf.iris import WIKIDATA
from kg.rdf.ontology import load_ontology
from kg.review import decide, item_id
from kg.revise import Reviser
from kg.service.changes import authorize, writable
from kg.service.faults import Fault, HttpFault, fault_of
from kg.service.negotiate import PAGE, choose
from kg.service.pages import number_of_page
from kg.service.reading import Named, Reading, Sentence
from kg.service.state import current, store
from kg.store import Store
from kg.wikidata.index import open_indexes

__all__ = ["MOST_IN_DOUBT", "create_blueprint"]

MOST_IN_DOUBT = 20
"""Entities of one page."""

_OFFERED = {"text/html": PAGE, "application/json": "json"}
_KINDS = {"accept": "link", "reject": "unlink", "none": "no-link"}
_IN_DOUBT = """SELECT ?entity (COUNT(DISTINCT ?document) AS ?count) WHERE {
  ?match a <%(match)s> . ?entity <%(has)s> ?match ; <%(mentioned)s> ?document .
  FILTER NOT EXISTS { ?entity <http://www.w3.org/2002/07/owl#sameAs> ?item } }
GROUP BY ?entity ORDER BY DESC(?count) ?entity"""


@dataclass(frozen=True, slots=True)
class _Doubt:
    """An entity with its candidates, best first, and a sentence that shows what it is."""

    entity: Named
    id: str
    documents: int
    candidates: tuple[Link, ...]
    sentence: Sentence | None


def create_blueprint() -> Blueprint:
    """The routes."""
    blueprint = Blueprint("review", __name__)
    blueprint.add_url_rule("/review", view_func=_review)
    blueprint.add_url_rule("/review", view_func=_decide, methods=["POST"])
    return blueprint


def _review() -> Response:
    """What is in doubt, entities that most documents mention first."""
    found, count = _in_doubt(store(), number_of_page())
    if choose(_OFFERED) == "json":
        return jsonify({"count": count, "entities": [_as_data(each) for each in found]})
    return _page(found, count)


def _decide() -> Response:
    """Records one decision, and shows what is left; ``accept``, ``reject`` or ``none``, the entity's id and the item's identifier."""
    given = request.form.get("decision", "")
    try:
        authorize(form_field="token")
        word, _, rest = given.partition(" ")
        qid, _, entity = rest.partition(" ")
        if word not in _KINDS or not entity:
            hint = "send `accept QID ENTITY`, `reject QID ENTITY` or `none - ENTITY`"
            raise HttpFault(400, "usage", f"{given[:100]!r} is no decision", hint=hint)
        qid = "" if word == "none" else item_id(qid)
        with writable() as target:
            told = _record(target, _KINDS[word], entity, qid)
            found, count = _in_doubt(target, number_of_page())
    except HttpFault as error:
        if choose(_OFFERED) == "json":
            raise
        found, count = _in_doubt(store(), number_of_page())
        return _page(found, count, fault=fault_of(error))
    if choose(_OFFERED) == "json":
        return jsonify({"decided": told, "count": count})
    return _page(found, count, told=told)


def _record(target: Store, kind: str, entity: str, qid: str) -> str:
    """Takes the decision; what it was, in words. NotFound where there is no such entity."""
    if not target.ledger.entities([entity]):
        raise NotFound(f"no entity {entity!r}", hint="/review lists those in doubt")
    agent = " ".join(request.form.get("agent", "").split())[:200] or str(current().settings.agent) or "service"
    reviser = Reviser(target, single_valued=load_ontology(current().settings).single_valued)
    indexes = open_indexes(current().settings.wikidata_index) if kind == "link" else ()
    decide(reviser, kind, entity, qid, agent=agent, indexes=indexes)
    said = {"link": f"{entity} is {qid}", "unlink": f"{entity} is not {qid}", "no-link": f"Wikidata has no item for {entity}"}
    return said[kind]


def _page(found: list[_Doubt], count: int, *, told: str = "", fault: Fault | None = None) -> Response:
    """The page with what was typed in; no copy of it is kept where it holds the token."""
    state = current()
    page = render_template(
        "review.html",
        found=found,
        count=count,
        told=told,
        fault=fault,
        token=request.form.get("token", ""),
        agent=request.form.get("agent", ""),
        writable=bool(state.settings.token) and state.writing is not None,
        page=number_of_page(),
        pages=-(-count // MOST_IN_DOUBT),
    )
    response = make_response(page, fault.status if fault else 200)
    if request.method == "POST":
        response.headers["Cache-Control"] = "no-store"
    return response


# -- what is in doubt -------------------------------------------------------------------------------------------


def _in_doubt(opened: Store, page: int) -> tuple[list[_Doubt], int]:
    """So many entities as a page shows, and how many there are."""
    reading = Reading(opened)
    terms = {"match": reading.term("Match"), "has": reading.term("match"), "mentioned": reading.term("mentionedIn")}
    rows = opened.graph.query(_IN_DOUBT % terms)
    assert isinstance(rows, ox.QuerySolutions)
    listed = [(row["entity"].value, int(row["count"].value)) for row in rows]
    part = listed[(page - 1) * MOST_IN_DOUBT : page * MOST_IN_DOUBT]
    return [_doubt(reading, iri, count) for iri, count in part], len(listed)


def _doubt(reading: Reading, iri: str, documents: int) -> _Doubt:
    id = reading.namespace.entity_id(iri) or ""
    told = {link.qid: link for _, entity in reading.store.ledger.entities([id]) for link in entity.candidates}
    return _Doubt(reading.named(iri), id, documents, tuple(_candidates(reading, iri, told)), reading.first_sentence(iri))


def _candidates(reading: Reading, iri: str, told: dict[str, Link]) -> Iterator[Link]:
    """Those of the graph; the ledger knows their descriptions and what made their scores."""
    links = []
    for match in reading.texts(iri, reading.term("match")):
        qid = reading.text(match, reading.term("candidate")).removeprefix(WIKIDATA)
        label, method, index = (reading.text(match, reading.term(name)) for name in ("matchLabel", "method", "index"))
        links.append(told.get(qid) or Link(qid, label, float(reading.text(match, reading.term("score")) or 0), method, index))
    yield from sorted(links, key=lambda link: (-link.score, link.qid))


def _as_data(doubt: _Doubt) -> dict[str, object]:
    return {
        "entity": doubt.id,
        "iri": doubt.entity.iri,
        "name": doubt.entity.label,
        "type": doubt.entity.kind,
        "documents": doubt.documents,
        "candidates": [
            {"qid": each.qid, "label": each.label, "description": each.description, "score": each.score, "features": dict(each.features)}
            for each in doubt.candidates
        ],
    }
