"""SPARQL 1.1 Update by its protocol, and the Graph Store HTTP Protocol."""

from __future__ import annotations

import tempfile
import uuid
from contextlib import ExitStack
from dataclasses import asdict
from typing import BinaryIO, cast

import pyoxigraph as ox
from flask import Blueprint, Response, jsonify, make_response, request, send_file

from kg.errors import NotFound, RejectedByShapes
from kg.query.results import FORMATS, prefixes
from kg.service.changes import authorize, writable
from kg.service.faults import HttpFault, fault_of
from kg.service.negotiate import GRAPHS, choose, media_type_of
from kg.service.sparql import update_text
from kg.service.state import current, store
from kg.update.content import DATASETS, MEDIA_TYPES, Part
from kg.update.pending import GraphName, is_known
from kg.update.sparql import Using
from kg.update.writing import Outcome
from kg.validate import report_turtle

__all__ = ["create_blueprint"]

_IN_MEMORY = 8 * 1024 * 1024
_CHUNK = 1024 * 1024
_DATASET_FORMATS = {media_type: name for media_type, name in GRAPHS.items() if name in ("trig", "nquads")}
_MULTIPART = "multipart/form-data"


def create_blueprint() -> Blueprint:
    """The routes."""
    blueprint = Blueprint("writing", __name__)
    blueprint.add_url_rule("/update", view_func=_update, methods=["POST"])
    for rule, endpoint in (("/store", "store"), ("/store/<path:path>", "graph")):
        blueprint.add_url_rule(rule, endpoint, _read, methods=["GET"])
        blueprint.add_url_rule(rule, f"change_{endpoint}", _change, methods=["PUT", "POST", "DELETE"])
    return blueprint


# -- update -----------------------------------------------------------------------------------------------------


def _update() -> Response:
    """An update by form or sent directly (SPARQL 1.1 Protocol, section 2.2)."""
    authorize()
    text = update_text()
    default, named = (request.args.getlist(name) + request.form.getlist(name) for name in ("using-graph-uri", "using-named-graph-uri"))
    using = Using(tuple(map(_iri, default)), tuple(map(_iri, named))) if default or named else None
    try:
        with writable() as target:
            outcome = current().changes.update(target, text, using=using)
    except RejectedByShapes as error:
        return _report(error)
    return _done(outcome)


def _iri(text: str) -> ox.NamedNode:
    try:
        return ox.NamedNode(text)
    except ValueError as error:
        raise HttpFault(400, "graph-iri", "a graph's name is no IRI", hint="send an absolute IRI") from error


def _done(outcome: Outcome, status: int = 204, location: str = "") -> Response:
    """Nothing to say, but where a part of the change was held back."""
    if outcome.held:
        response = jsonify({"quarantined": [asdict(violation) for violation in outcome.held]})
        response.status_code = 201 if status == 201 else 200
    else:
        response = Response(status=status)
    if location:
        response.headers["Location"] = location
    return response


def _report(error: RejectedByShapes) -> Response:
    """What breaks which shape: a sh:ValidationReport for those who ask for RDF, else the one shape of errors with a list."""
    offered = ["application/json", "text/turtle"]
    if request.accept_mimetypes.best_match(offered) == "text/turtle":
        return Response(report_turtle(error.violations), 422, mimetype="text/turtle")
    fault = fault_of(error)
    body = {**fault.as_data(), "violations": [asdict(violation) for violation in error.violations]}
    return make_response(jsonify(body), fault.status)


# -- which graph ------------------------------------------------------------------------------------------------


def _graph(path: str) -> GraphName | None:
    """The graph that the request names (Graph Store HTTP Protocol, section 4); None where it names none."""
    names = request.args.getlist("graph")
    if len(names) + ("default" in request.args) + bool(path) > 1:
        raise HttpFault(400, "graph-twice", "more than one graph is named", hint="name it by ?default, ?graph=IRI or the path")
    if path:
        raw = str(request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or "").partition("?")[0].partition("/store/")[2]
        return _iri(f"{request.root_url}store/{raw}" if raw else request.base_url)
    if names:
        return _iri(names[0])
    return ox.DefaultGraph() if "default" in request.args else None


def _read(path: str = "") -> Response:
    """A graph (section 5.2); the whole dataset where none is named."""
    name = _graph(path)
    graph = store().graph
    if name is not None and not isinstance(name, ox.DefaultGraph) and not is_known(graph, name):
        raise NotFound(f"there is no graph {name}", hint="ask for SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }")
    offered = GRAPHS if name is not None else _DATASET_FORMATS
    wanted = choose(offered)
    kind = media_type_of(offered, wanted)
    kind = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
    if request.method == "HEAD":
        return Response(content_type=kind)
    form = cast(ox.RdfFormat, FORMATS[wanted].writer)
    with ExitStack() as stack:
        stream = cast(BinaryIO, stack.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY)))
        if isinstance(graph, ox.Store):
            graph.dump(stream, form, from_graph=name, prefixes=prefixes(store().namespace))
        else:
            quads = graph if name is None else (quad.triple for quad in graph.quads_for_pattern(None, None, None, name))
            ox.serialize(quads, stream, form, prefixes=prefixes(store().namespace))
        stream.seek(0)
        response = send_file(stream, mimetype=kind)
        response.call_on_close(stack.pop_all().close)
    return response


# -- changes ----------------------------------------------------------------------------------------------------


def _change(path: str = "") -> Response:
    authorize()
    name = _graph(path)
    try:
        if request.method == "DELETE":
            return _delete(name)
        return _send(name)
    except RejectedByShapes as error:
        return _report(error)


def _delete(name: GraphName | None) -> Response:
    if name is None:
        raise HttpFault(400, "graph-missing", "no graph is named", hint="name it by ?default or ?graph=IRI; `DROP ALL` empties all")
    with writable() as target:
        if not isinstance(name, ox.DefaultGraph) and not is_known(target.graph, name):
            raise NotFound(f"there is no graph {name}", hint="it holds nothing")
        return _done(current().changes.delete(target, name))


def _send(name: GraphName | None) -> Response:
    """PUT and POST (sections 5.3 and 5.5); a POST of triples without a graph makes one."""
    request.max_content_length = request.max_form_memory_size = int(current().settings.upload_bytes)
    location = ""
    if name is None and not _is_dataset():
        if request.method == "PUT":
            raise HttpFault(400, "graph-missing", "no graph is named", hint="name it by ?default or ?graph=IRI, or send a dataset")
        location = f"{request.root_url}store/{uuid.uuid4()}"
        name = ox.NamedNode(location)
    base = name.value if isinstance(name, ox.NamedNode) else request.base_url
    with ExitStack() as stack:
        body = cast(BinaryIO, stack.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY)))
        parts = _parts(body)
        with writable() as target:
            write = current().changes.put if request.method == "PUT" else current().changes.post
            written = write(target, name, parts, base=base)
    return _done(written.outcome, 201 if written.created else 204, location)


def _is_dataset() -> bool:
    kinds = {part.mimetype for part in request.files.values()} if request.mimetype == _MULTIPART else {request.mimetype}
    return bool(kinds) and kinds <= DATASETS


def _parts(body: BinaryIO) -> list[Part]:
    """The request's body, copied to the file `body`, or the parts of a form, which are files already."""
    if request.content_encoding not in (None, "", "identity"):
        raise HttpFault(415, "unsupported-media-type", f"a body can't be sent as {request.content_encoding}", hint="send it as it is")
    if request.mimetype == _MULTIPART:
        files = [file for _, file in request.files.items(multi=True)]
        if not files:
            raise HttpFault(400, "parts-missing", "the form has no file", hint="send each part with a file name and its Content-Type")
        return [_part(cast(BinaryIO, file.stream), _format(file.mimetype)) for file in files]
    form = _format(request.mimetype)
    if not request.environ.get("CONTENT_LENGTH") and "chunked" not in request.headers.get("Transfer-Encoding", "").lower():
        raise HttpFault(411, "length-required", "the body's length is not known", hint="send Content-Length, or the body in chunks")
    while chunk := request.stream.read(_CHUNK):
        body.write(chunk)
    return [_part(body, form)]


def _part(stream: BinaryIO, form: ox.RdfFormat) -> Part:
    size = stream.seek(0, 2)
    stream.seek(0)
    return Part(stream, form, size)


def _format(media_type: str) -> ox.RdfFormat:
    form = MEDIA_TYPES.get(media_type)
    if form is None:
        hint = f"send one of {', '.join(MEDIA_TYPES)}, or {_MULTIPART} of these"
        raise HttpFault(415, "unsupported-media-type", f"RDF can't be sent as {media_type or 'nothing'}", hint=hint)
    return form
