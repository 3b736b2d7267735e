"""IRIs to links: what lies under the store's base IRI is linked to this server, whatever host it has."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pyoxigraph as ox
from flask import Flask, request

from kg.export.view import words_of
from kg.service.colours import class_of
from kg.service.state import current, store

__all__ = ["href", "register", "shown"]


def href(iri: str) -> str:
    """Where a link to an IRI leads; nothing for an IRI that a browser should not follow."""
    base = store().namespace.base
    if iri.startswith(base):
        return f"{request.script_root}/{iri.removeprefix(base)}"
    return iri if urlsplit(iri).scheme in ("http", "https") else ""


def shown(iri: str) -> str:
    """An IRI in short: without our base, or with a prefix that everybody knows."""
    namespace = store().namespace
    for prefix, name in ((f"{namespace.base}resource/", ""), (namespace.term(""), "kg:"), *_WELL_KNOWN):
        if iri.startswith(prefix):
            return name + unquote(iri.removeprefix(prefix))
    return iri


_WELL_KNOWN = (
    ("http://www.w3.org/1999/02/22-rdf-syntax-ns#", "rdf:"),
    ("http://www.w3.org/2000/01/rdf-schema#", "rdfs:"),
    ("http://www.w3.org/2001/XMLSchema#", "xsd:"),
    ("http://www.w3.org/2002/07/owl#", "owl:"),
    ("http://www.w3.org/2004/02/skos/core#", "skos:"),
    ("http://www.w3.org/ns/prov#", "prov:"),
    ("http://www.w3.org/ns/oa#", "oa:"),
    ("http://www.wikidata.org/entity/", "wd:"),
    ("https://schema.org/", "schema:"),
)


def _predicate_label(name: str) -> str:
    """A predicate in the ontology's words."""
    known = current().ontology.properties.get(name)
    return known.label if known and known.label else words_of(name)


def register(app: Flask) -> None:
    """Gives the templates these functions."""
    app.jinja_env.globals.update(href=href, shown=shown, predicate_label=_predicate_label, site=_site, type_class=class_of)
    app.jinja_env.tests["iri"] = lambda term: isinstance(term, ox.NamedNode)


def _site(path: str) -> str:
    """A path of this server."""
    return f"{request.script_root}/{path}"
