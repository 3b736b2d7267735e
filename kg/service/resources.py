"""Dereferencing: every IRI of the store as a page or as data, whatever host it is asked on."""

from __future__ import annotations

import io
from collections.abc import Iterator
from urllib.parse import quote, unquote

from flask import Blueprint, Response, render_template, request

from kg.errors import NotFound
from kg.export.formats import load_exporter
from kg.export.view import Selection
from kg.rdf.ontology import ontology_folder, read_turtle
from kg.service.negotiate import GRAPHS, PAGE, choose, media_type_of
from kg.service.neighbourhood import neighbourhood
from kg.service.pages import number_of_page
from kg.service.reading import MOST, Reading
from kg.service.state import current, state_tag, store
from kg.service.timeline import timeline
from kg.service.validation import refused_of
from kg.service.vocabulary import diagram, terms

__all__ = ["OFFERED", "create_blueprint", "show"]

OFFERED = {"text/html": PAGE, "application/xhtml+xml": PAGE, **GRAPHS}
"""A page, or the data in any format of graphs."""

SUFFIXES = {".html": PAGE, ".ttl": "turtle", ".jsonld": "jsonld", ".nt": "ntriples", ".rdf": "rdfxml", ".trig": "trig", ".nq": "nquads"}
"""Suffix of an IRI → representation, for those who can't send Accept."""

_ONTOLOGY_FORMATS = {"turtle": "turtle", "ntriples": "nt11", "jsonld": "json-ld", "rdfxml": "xml"}


def create_blueprint() -> Blueprint:
    """The routes."""
    blueprint = Blueprint("resources", __name__)
    blueprint.add_url_rule("/resource/<path:path>", view_func=_resource)
    blueprint.add_url_rule("/documents/<path:path>", view_func=_document)
    blueprint.add_url_rule("/ontology", view_func=_ontology)
    blueprint.add_url_rule("/ontology.<suffix>", view_func=_ontology, endpoint="ontology_file")
    return blueprint


def _resource(path: str) -> Response:
    return _deref(Reading(store()), list(_iris("resource/")), path)


def _document(path: str) -> Response:
    """A document by its id, which may hold slashes."""
    namespace = store().namespace
    return _deref(Reading(store()), [namespace.document(unquote(raw)) for raw in _raw_paths("documents/")], path)


def _deref(reading: Reading, iris: list[str], path: str) -> Response:
    """The thing of the first of these IRIs that is known, else of one whose suffix names a representation."""
    for iri in iris:
        if reading.is_known(iri):
            return show(reading, iri)
    for iri in iris:
        for suffix, name in SUFFIXES.items():
            if iri.endswith(suffix) and reading.is_known(iri.removesuffix(suffix)):
                return show(reading, iri.removesuffix(suffix), name)
    raise NotFound(f"nothing is called {path}", hint="search for its name at /search?q=…")


def _raw_paths(after: str) -> Iterator[str]:
    """What follows in the request's path, still percent-encoded where the server hands that on, then as Flask decoded it."""
    raw = str(request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or "").partition("?")[0]
    yield from ([raw.partition(f"/{after}")[2]] if f"/{after}" in raw else [])
    yield quote(request.path.partition(f"/{after}")[2])


def _iris(after: str) -> Iterator[str]:
    """The IRI that is asked for, in our way to percent-encode; then as a document whose id holds slashes."""
    base = store().namespace.base
    for raw in _raw_paths(after):
        yield base + after + "/".join(quote(unquote(part), safe="-._~@") for part in raw.split("/"))
        kind, _, rest = raw.partition("/")
        if kind == "document":
            yield store().namespace.document(unquote(rest))


def show(reading: Reading, iri: str, name: str = "") -> Response:
    """A thing in the representation of this name, else in the one that the client wants most."""
    wanted = name or choose(OFFERED)
    if wanted == PAGE:
        return Response(_page(reading, iri), mimetype="text/html")
    stream = io.BytesIO()
    load_exporter(wanted, current().settings)(store(), Selection(triples=reading.describe(iri)), stream)
    return Response(stream.getvalue(), mimetype=media_type_of(GRAPHS, wanted))


def _page(reading: Reading, iri: str) -> str:
    kinds = reading.kinds(iri)
    suffixes = [suffix for suffix in SUFFIXES if suffix != ".html"]
    if "Document" in kinds and (document := reading.document(iri)):
        writing = bool(current().settings.token) and current().writing is not None
        refused = refused_of(reading, document.id)
        return render_template("document.html", card=document, suffixes=suffixes, refused=refused, writable=writing)
    if "Fact" in kinds:
        return render_template("fact.html", card=reading.fact(iri, most=MOST), iri=iri, suffixes=suffixes, state=state_tag(reading.store))
    if kinds & set(current().ontology.entity_types):
        if any(name in request.args for name in ("facts", "inverse", "documents")):
            return _part_of_entity(reading, iri)
        if entity := reading.entity(iri):
            drawing, dates = neighbourhood(reading, entity), timeline(entity.every)
            tag = state_tag(reading.store)
            return render_template("entity.html", card=entity, suffixes=suffixes, drawing=drawing, timeline=dates, state=tag)
    return render_template(
        "thing.html", card=reading.named(iri), kinds=sorted(kinds), properties=reading.properties(iri), suffixes=suffixes
    )


def _part_of_entity(reading: Reading, iri: str) -> str:
    """One long list of an entity: its facts with a predicate (``facts=NAME``, ``inverse=NAME``), or its documents."""
    page = number_of_page()
    start, inverse = (page - 1) * MOST, "inverse" in request.args
    named, name = reading.named(iri), request.args.get("inverse" if inverse else "facts", "")
    if "documents" in request.args:
        documents, count = reading.documents_of(iri, start, MOST)
        group = None
    else:
        group, documents = reading.group(iri, name, start, inverse=inverse), ()
        count = group.count if group else 0
    if not count or start >= count:
        raise NotFound(f"there is no page {page} of this list", hint="the page of the entity leads to what there is")
    pages = -(-count // MOST)
    return render_template("group.html", card=named, group=group, inverse=inverse, documents=documents, count=count, page=page, pages=pages)


def _ontology(suffix: str = "") -> Response:
    """The ontology, which every term IRI leads to."""
    if suffix and f".{suffix}" not in SUFFIXES:
        raise NotFound(f"there is no ontology.{suffix}", hint=f"there are {', '.join(sorted(SUFFIXES))}")
    offered = {media_type: name for media_type, name in OFFERED.items() if name == PAGE or name in _ONTOLOGY_FORMATS}
    name = SUFFIXES[f".{suffix}"] if suffix else choose(offered)
    if name == PAGE:
        state = current()
        known = terms(Reading(store()), state.ontology, state.settings)
        page = render_template("ontology.html", ontology=state.ontology, terms=known, diagram=diagram(state.ontology))
        return Response(page, mimetype="text/html")
    settings = current().settings
    graph = read_turtle(ontology_folder(settings) / "kg.ttl", settings.base)
    content = graph.serialize(format=_ONTOLOGY_FORMATS.get(name, "turtle"), encoding="utf-8")
    return Response(content, mimetype=media_type_of(GRAPHS, name if name in _ONTOLOGY_FORMATS else "turtle"))
