"""SPARQL 1.1 Protocol: queries by GET, by form and by direct POST; the service description; the page to type one in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import unquote_to_bytes

import pyoxigraph as ox
from flask import Blueprint, Response, make_response, render_template, request

from kg.errors import KgError
from kg.query.guard import is_repeatable
from kg.query.library import load_queries
from kg.query.results import Results, prefixes
from kg.query.run import WHOLE, Dataset, answer_query, run_query
from kg.service.description import describe_service, describe_void
from kg.service.encoding import stream_of
from kg.service.faults import Fault, HttpFault, fault_of
from kg.service.graph import as_block
from kg.service.negotiate import GRAPHS, ROWS, choose, media_type_of, prefers_page
from kg.service.state import NOTE, current, state_tag, store

__all__ = ["answer", "create_blueprint", "send", "update_text"]

_DIRECT = "application/sparql-query"
_FORM = "application/x-www-form-urlencoded"
_GRAPH_PARAMETERS = ("default-graph-uri", "named-graph-uri")
_MOST_SHOWN = 1000
_IN_MEMORY = 4 * 1024 * 1024
_MOST_NOTED = 2000
_OUTSIDE_ASCII = re.compile(rb"%[89A-Fa-f]|[\x80-\xff]")
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
    blueprint.add_url_rule("/.well-known/void", view_func=_void)
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
        if "update" in request.args:
            raise HttpFault(400, "update-by-get", "an update can't be sent by GET", hint="send it by POST to /update")
        return _single(request.args.getlist("query"))
    kind = request.mimetype
    _check_charset()
    if kind == _DIRECT:
        if "query" in request.args:
            raise HttpFault(400, "query-twice", "the query is sent in the body and as a parameter", hint="send it once")
        _check_encoding(request.query_string)
        return _decoded(request.get_data())
    if kind == _FORM:
        _check_encoding(request.get_data())
        if "update" in request.form:
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
        _check_charset()
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
    if _OUTSIDE_ASCII.search(parameters):
        _decoded(unquote_to_bytes(parameters))


def _check_charset() -> None:
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if charset not in ("utf-8", "utf8"):
        raise HttpFault(415, "unsupported-media-type", f"SPARQL can't be sent in {charset[:40]}", hint="send UTF-8")
    coding = request.headers.get("Content-Encoding", "identity").lower()
    if coding != "identity":
        raise HttpFault(415, "unsupported-media-type", f"SPARQL can't be sent as {coding[:40]}", hint="send it without Content-Encoding")


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise HttpFault(400, "encoding", "the query is not UTF-8", hint="encode it as UTF-8 before it is percent-encoded") from error


def _dataset() -> Dataset:
    """The graphs that this request wants to see (SPARQL 1.1 Protocol, section 2.1.4); they go before FROM in the query."""
    default, named = (request.values.getlist(name) for name in _GRAPH_PARAMETERS)
    if not default and not named:
        return WHOLE
    try:
        return Dataset([ox.NamedNode(iri) for iri in default], [ox.NamedNode(iri) for iri in named])
    except ValueError as error:
        raise HttpFault(400, "graph-iri", "a graph's name is no IRI", hint="send an absolute IRI") from error


# -- answers ----------------------------------------------------------------------------------------------------


def answer(query: str) -> Response:
    """The answer of a query, in the representation that the client wants."""
    if prefers_page(_ALL):
        return _answer_page(query)
    settings, dataset, etag = current().settings, _dataset(), None
    note = request.environ.get(NOTE, {})
    note |= {"query": blake2b(query.encode(), digest_size=8).hexdigest(), "query_text": query[:_MOST_NOTED]}
    if is_repeatable(query) and state_tag(store()):
        note["repeatable"] = True
        etag = _etag() if request.method != "POST" else None
        if etag and "HTTP_IF_NONE_MATCH" in request.environ and request.if_none_match.contains_weak(etag):
            return _tagged(Response(status=304), etag)
    found = answer_query(store(), query, settings=settings, dataset=dataset)
    offered = GRAPHS if found.form == "graph" else ROWS
    name = choose(offered)
    spool = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # closed below, or when the response is
    try:
        note["rows"] = found.write(name, spool, settings=settings)
        response = stream_of(spool, _IN_MEMORY)
    except BaseException:
        spool.close()
        raise
    response.headers["Content-Type"] = _content_type(offered, name)
    return _tagged(response, etag)


_ALL = {**ROWS, **GRAPHS}


def _etag() -> str:
    """A tag of what is asked, how, and of the store's state. It is weak: the engine may give the same rows in another order."""
    asked = (request.query_string, request.environ.get("HTTP_ACCEPT", "").encode())
    return f"{state_tag(store())}-{blake2b(b' '.join(asked), digest_size=9).hexdigest()}"


def _tagged(response: Response, etag: str | None) -> Response:
    if etag is not None:
        response.headers["ETag"] = f'W/"{etag}"'
        response.headers["Cache-Control"] = "no-cache"
    return response


def _answer_page(query: str) -> Response:
    dataset = _dataset()
    try:
        results = run_query(store(), query, settings=current().settings, default_graphs=dataset.default, named_graphs=dataset.named)
    except KgError as error:
        fault = fault_of(error)
        return make_response(_page(query, fault=fault), fault.status)
    return make_response(_page(query, results=results))


def _content_type(offered: Mapping[str, str], name: str) -> str:
    media_type = media_type_of(offered, name)
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type


def send(results: Results) -> Response:
    """Results in the data format that the client wants most."""
    offered = GRAPHS if results.form == "graph" else ROWS
    name = choose(offered)
    return Response(results.serialize(name), content_type=_content_type(offered, name))


def _without_query() -> Response:
    """The service description (SPARQL 1.1 Service Description, section 2), or for browsers the page to type a query in."""
    if prefers_page(GRAPHS):
        queries = load_queries(current().settings)
        chosen = queries.get(request.args.get("example", ""))
        return make_response(_page(chosen.text if chosen else _STARTER))
    name = choose(GRAPHS)
    content = describe_service(request.base_url, name, store(), tag=state_tag(store()), settings=current().settings)
    return Response(content, content_type=_content_type(GRAPHS, name))


def _void() -> Response:
    """What is in the dataset, in figures (VoID, section 6.2: the well-known address)."""
    name = choose(GRAPHS)
    endpoint = f"{request.url_root}sparql"
    return Response(describe_void(endpoint, name, store(), tag=state_tag(store())), content_type=_content_type(GRAPHS, name))


def _page(query: str, *, results: Results | None = None, fault: Fault | None = None) -> str:
    rows = [row for row, _ in zip(results, range(_MOST_SHOWN), strict=False)] if results is not None else []
    return render_template(
        "sparql.html",
        query=query,
        results=results,
        rows=rows,
        fault=fault,
        examples=load_queries(current().settings).values(),
        hidden=_hidden(),
        words=as_block(_words()),
    )


def _words() -> dict[str, Any]:
    """What the editor completes, and the examples."""
    ontology, settings = current().ontology, current().settings
    return {
        "base": store().namespace.base,
        "prefixes": prefixes(store().namespace),
        "classes": [[f"kg:{name}", term.label, term.comment] for name, term in ontology.classes.items()],
        "properties": [[f"kg:{name}", term.label, term.comment] for name, term in ontology.properties.items()],
        "examples": {query.name: query.text for query in load_queries(settings).values()},
        "given": _hidden(),
    }


def _hidden() -> list[tuple[str, str]]:
    """Parameters of the request that go with the query when a link asks it again."""
    return [(name, value) for name in _GRAPH_PARAMETERS for value in request.args.getlist(name)]
