"""Pages to begin with: what is in, the documents."""

from __future__ import annotations

import pyoxigraph as ox
from flask import Blueprint, Response, jsonify, render_template

from kg.query.library import load_queries
from kg.query.run import run_query
from kg.service.negotiate import PAGE, choose
from kg.service.reading import Reading
from kg.service.state import current, store

__all__ = ["create_blueprint"]

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


def _home() -> Response:
    documents = int(_rows(_DOCUMENTS)[0][0])
    types, predicates = _counts(_TYPES), _counts(_PREDICATES)
    if choose(_OFFERED) == "json":
        return jsonify({"documents": documents, "entities": dict(types), "facts": dict(predicates)})
    queries = load_queries(current().settings).values()
    latest = [(Reading(store()).named(iri), date) for iri, date in _rows(_LATEST)]
    page = render_template("home.html", documents=documents, types=types, predicates=predicates, queries=queries, latest=latest)
    return Response(page, mimetype="text/html")


def _documents() -> Response:
    found = Reading(store()).documents()
    if choose(_OFFERED) == "json":
        return jsonify([{"iri": named.iri, "label": named.label, "published": date or None} for named, date in found])
    return Response(render_template("documents.html", documents=found), mimetype="text/html")
