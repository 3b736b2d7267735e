"""SPARQL 1.1 Protocol: queries by GET, by form and by direct POST; the service description; the page to type one in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import unquote_to_bytes

import pyoxigraph as ox
from flask import Blueprint, Response, make_response, render_template, request

from kg.errors import KgError, QuerySyntaxError
from kg.query.guard import iter_tokens
from kg.query.library import load_queries
from kg.query.results import Results
from kg.query.run import run_query
from kg.service.description import describe_service
from kg.service.faults import HttpFault, fault_of
from kg.service.negotiate import GRAPHS, ROWS, choose, media_type_of, prefers_page
from kg.service.state import current, store
from kg.store import Store

__all__ = ["answer", "create_blueprint", "send", "update_text"]

_DIRECT = "application/sparql-query"
_FORM = "application/x-www-form-urlencoded"
_GRAPH_PARAMETERS = ("default-graph-uri", "named-graph-uri")
_MOST_SHOWN = 1000
_STARTER = """SELECT ?person ?name ?brand WHERE {
  ?person kg:ambassadorOf ?brand ; rdfs:label ?name .
}
ORDER BY ?name
LIMIT 100
"""


def create_blueprint() -> Blueprint:
    """The routes."""
    blueprint = Blueprint("sparql", __name__)
    blueprint.add_url_rule("/sparql", view_func=_sparql, methods=["GET", "POST"])
    return blueprint


def _refuse_update() -> None:
    raise HttpFault(403, "read-only", "this address doesn't take changes", hint="send updates to /update, with the service's token")


def _sparql() -> Response:
    query = _query_text()
    if query is None:
        return _without_query()
    return answer(query)


def _query_text() -> str | None:
    """The query of the request (SPARQL 1.1 Protocol, section 2.1), None where it asks for none."""
    if request.method != "POST":
        _check_encoding(request.query_string)
        return _single(request.args.getlist("query"))
    kind = request.mimetype
    if kind == _DIRECT:
        if request.args.getlist("query"):
            raise HttpFault(400, "query-twice", "the query is sent in the body and as a parameter", hint="send it once")
        return _decoded(request.get_data())
    if kind == _FORM:
        _check_encoding(request.get_data())
        if request.form.getlist("update"):
            _refuse_update()
        found = _single(request.form.getlist("query"))
        if found is None:
            raise HttpFault(400, "query-missing", "the form has no query", hint="send it as the parameter query")
        return found
    if kind == "application/sparql-update":
        _refuse_update()
    hint = f"send the query as {_DIRECT}, or as the parameter query of {_FORM}"
    raise HttpFault(415, "unsupported-media-type", f"a query can't be sent as {kind or 'nothing'}", hint=hint)


def update_text() -> str:
    """The update of a request to /update (SPARQL 1.1 Protocol, section 2.2): by form or sent directly."""
    kind = request.mimetype
    if kind == "application/sparql-update":
        return _decoded(request.get_data())
    if kind == _FORM:
        _check_encoding(request.get_data())
        found = _single(request.form.getlist("update"))
        if found is None:
            raise HttpFault(400, "update-missing", "the form has no update", hint="send it as the parameter update")
        return found
    hint = f"send the update as application/sparql-update, or as the parameter update of {_FORM}"
    raise HttpFault(415, "unsupported-media-type", f"an update can't be sent as {kind or 'nothing'}", hint=hint)


def _single(values: list[str]) -> str | None:
    if len(values) > 1:
        raise HttpFault(400, "query-twice", "there is more than one query", hint="send one at a time")
    return values[0] if values else None


def _check_encoding(parameters: bytes) -> None:
    """Refuses parameters whose bytes are no UTF-8, which Werkzeug would leave percent-encoded."""
    try:
        unquote_to_bytes(parameters).decode()
    except UnicodeDecodeError as error:
        raise HttpFault(400, "encoding", "the query is not UTF-8", hint="encode it as UTF-8 before it is percent-encoded") from error


def _decoded(body: bytes) -> str:
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if charset not in ("utf-8", "utf8"):
        raise HttpFault(415, "unsupported-media-type", f"a query can't be sent in {charset}", hint="send UTF-8")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise HttpFault(400, "encoding", "the query is not UTF-8", hint="send UTF-8") from error


# -- which graphs -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Narrowed:
    """A store whose queries see only the graphs that the request names (SPARQL 1.1 Protocol, section 2.1.4)."""

    whole: Store
    default: list[ox.NamedNode | ox.BlankNode | ox.DefaultGraph]
    named: list[ox.NamedNode | ox.BlankNode]

    @property
    def namespace(self) -> Any:
        return self.whole.namespace

    @property
    def graph(self) -> _Narrowed:
        return self

    def query(self, text: str, **options: Any) -> Any:
        return self.whole.graph.query(text, default_graph=self.default, named_graphs=self.named, **options)


def _dataset() -> Store:
    """The store as this request wants to see it; what the request names goes before FROM in the query."""
    default, named = (request.args.getlist(name) + request.form.getlist(name) for name in _GRAPH_PARAMETERS)
    if not default and not named:
        return store()
    try:
        narrowed = _Narrowed(store(), [ox.NamedNode(iri) for iri in default], [ox.NamedNode(iri) for iri in named])
    except ValueError as error:
        raise HttpFault(400, "graph-iri", "a graph's name is no IRI", hint="send an absolute IRI") from error
    return cast(Store, narrowed)


# -- answers ----------------------------------------------------------------------------------------------------


def answer(query: str) -> Response:
    """The answer of a query, in the representation that the client wants."""
    page = prefers_page({**ROWS, **GRAPHS})
    try:
        results = run_query(_dataset(), query, settings=current().settings)
    except KgError as error:
        fault = _explained(error, query)
        if not page:
            raise fault from error
        return make_response(_page(query, fault=fault), fault.code)
    if page:
        return make_response(_page(query, results=results))
    return send(results)


def _explained(error: KgError, query: str) -> HttpFault:
    """SERVICE and LOAD are not wrong but forbidden; a syntax error has its place."""
    words = {token.text.upper() for token in iter_tokens(query) if token.kind == "word"}
    fault = fault_of(error)
    if not isinstance(error, QuerySyntaxError) and fault.status == 400 and words & {"SERVICE", "LOAD"}:
        return HttpFault(403, "query-refused", fault.message, hint=fault.hint)
    return HttpFault(fault.status, fault.code, fault.message, hint=fault.hint)


def send(results: Results) -> Response:
    """Results in the data format that the client wants most."""
    offered = GRAPHS if results.form == "graph" else ROWS
    name = choose(offered)
    media_type = media_type_of(offered, name)
    kind = f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type
    return Response(results.serialize(name), content_type=kind)


def _without_query() -> Response:
    """The service description (SPARQL 1.1 Service Description, section 2), or for browsers the page to type a query in."""
    if prefers_page(GRAPHS):
        queries = load_queries(current().settings)
        chosen = queries.get(request.args.get("example", ""))
        return make_response(_page(chosen.text if chosen else _STARTER))
    name = choose(GRAPHS)
    media_type = media_type_of(GRAPHS, name)
    return Response(describe_service(request.base_url, name), mimetype=media_type)


def _page(query: str, *, results: Results | None = None, fault: HttpFault | None = None) -> str:
    rows = [row for row, _ in zip(results, range(_MOST_SHOWN), strict=False)] if results is not None else []
    return render_template(
        "sparql.html",
        query=query,
        results=results,
        rows=rows,
        fault=fault.fault if fault else None,
        examples=load_queries(current().settings).values(),
        hidden=_hidden(),
    )


def _hidden() -> list[tuple[str, str]]:
    """Parameters of the request that go with the query when a link asks it again."""
    return [(name, value) for name in _GRAPH_PARAMETERS for value in request.args.getlist(name)]
