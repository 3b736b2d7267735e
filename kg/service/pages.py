"""Pages to begin with: what is in, the documents."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import pyoxigraph as ox
from flask import Blueprint, Response, jsonify, render_template, request

from kg.errors import UsageError
from kg.query.library import load_queries
from kg.query.run import run_query
from kg.service.negotiate import PAGE, choose
from kg.service.reading import MOST, Reading
from kg.service.state import current, state_tag, store
from kg.store import Store

__all__ = ["create_blueprint", "number_of_page"]

_OFFERED = {"text/html": PAGE, "application/json": "json"}

_TYPES = "SELECT ?type (COUNT(DISTINCT ?entity) AS ?count) WHERE { ?entity a ?type ; rdfs:label ?label } GROUP BY ?type"
_PREDICATES = "SELECT ?predicate (COUNT(?fact) AS ?count) WHERE { ?fact a kg:Fact ; rdf:predicate ?predicate } GROUP BY ?predicate"
_DOCUMENTS = "SELECT (COUNT(DISTINCT ?document) AS ?count) WHERE { ?document a kg:Document }"
_LATEST = """SELECT ?document ?date WHERE { ?document a kg:Document OPTIONAL { ?document kg:published ?date } }
ORDER BY DESC(STR(?date)) ?document LIMIT 10"""


def create_blueprint() -> Blueprint:
    """The routes."""
    blueprint = Blueprint("pages", __name__)
    blueprint.add_url_rule("/", view_func=_home)
    blueprint.add_url_rule("/documents", view_func=_documents)
    return blueprint


def _rows(query: str, **parameters: ox.Literal) -> list[list[str]]:
    """Rows of a query as texts."""
    results = run_query(store(), query, settings=current().settings, parameters=parameters)
    return [[term.value if isinstance(term, ox.NamedNode | ox.Literal) else "" for term in row] for row in results]


def _counts(query: str) -> list[tuple[str, int]]:
    """Local names of our terms with their counts, the most frequent first."""
    prefix = store().namespace.term("")
    rows = [(row[0].removeprefix(prefix), int(row[1])) for row in _rows(query) if row[0].startswith(prefix)]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


@dataclass(frozen=True, slots=True)
class _Counts:
    """What is in a store in the state that `tag` names; `latest` are documents (IRI, date)."""

    tag: str
    documents: int
    types: list[tuple[str, int]]
    predicates: list[tuple[str, int]]
    latest: list[tuple[str, str]]


_counted: WeakKeyDictionary[Store, _Counts] = WeakKeyDictionary()


def _count() -> _Counts:
    """Figures of the store, counted once for each state."""
    tag = state_tag(store())
    known = _counted.get(store())
    if known is None or known.tag != tag:
        latest = [(iri, date) for iri, date in _rows(_LATEST)]
        known = _Counts(tag, int(_rows(_DOCUMENTS)[0][0]), _counts(_TYPES), _counts(_PREDICATES), latest)
        _counted[store()] = known
    return known


def _home() -> Response:
    name, counts = choose(_OFFERED), _count()
    if name == "json":
        return jsonify({"documents": counts.documents, "entities": dict(counts.types), "facts": dict(counts.predicates)})
    queries = load_queries(current().settings).values()
    latest = [(Reading(store()).named(iri), date) for iri, date in counts.latest]
    return Response(render_template("home.html", counts=counts, queries=queries, latest=latest), mimetype="text/html")


def number_of_page() -> int:
    """Which page of a long list is asked for; UsageError where it is no number."""
    given = request.args.get("page", "1")
    if not (given.isascii() and given.isdecimal() and 0 < len(given) < 8 and int(given)):
        raise UsageError(f"page takes a whole number from 1 on, not {given!r}", hint="write page=1")
    return int(given)


def _documents() -> Response:
    if choose(_OFFERED) == "json":
        found = Reading(store()).documents()
        return jsonify([{"iri": named.iri, "label": named.label, "published": date or None} for named, date in found])
    page = number_of_page()
    found = Reading(store()).documents()
    shown = found[(page - 1) * MOST : page * MOST]
    text = render_template("documents.html", documents=shown, count=len(found), page=page, pages=-(-len(found) // MOST))
    return Response(text, mimetype="text/html")
