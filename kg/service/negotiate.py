"""Which representation a client wants: by `format`, else by Accept, which Werkzeug reads."""

from __future__ import annotations

from collections.abc import Mapping

from flask import request

from kg.service.faults import HttpFault

__all__ = ["GRAPHS", "PAGE", "ROWS", "choose", "media_type_of", "prefers_page"]

PAGE = "html"
"""Name of the representation for people."""

ROWS: Mapping[str, str] = {
    "application/sparql-results+json": "json",
    "application/sparql-results+xml": "xml",
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/json": "json",
    "application/xml": "xml",
    "text/xml": "xml",
}
"""Media type → format of rows and of yes or no, in order of preference; the first of a format is what is sent."""

GRAPHS: Mapping[str, str] = {
    "text/turtle": "turtle",
    "application/n-triples": "ntriples",
    "application/ld+json": "jsonld",
    "application/rdf+xml": "rdfxml",
    "application/trig": "trig",
    "application/n-quads": "nquads",
    "application/x-turtle": "turtle",
    "application/json": "jsonld",
    "application/xml": "rdfxml",
    "text/plain": "ntriples",
}
"""Media type → format of graphs."""

_HTML = "text/html"


def choose(offered: Mapping[str, str]) -> str:
    """The name of the representation that the client wants most; 406 where it wants none of them."""
    given = request.args.get("format") or request.form.get("format")
    if given:
        found = offered.get(given) or (given if given in offered.values() else None)
    elif not request.accept_mimetypes:
        found = next(iter(offered.values()))
    else:
        with_charset = [f"{media_type}; charset=utf-8" for media_type in offered]  # some clients ask for what they expect to get
        found = offered.get((request.accept_mimetypes.best_match([*offered, *with_charset]) or "").partition(";")[0])
    if found is None:
        names = ", ".join(f"{media_type} ({name})" for media_type, name in offered.items() if media_type_of(offered, name) == media_type)
        raise HttpFault(406, "not-acceptable", "there is no representation of this kind", hint=f"there are {names}")
    return found


def media_type_of(offered: Mapping[str, str], name: str) -> str:
    """The media type that a representation is sent with."""
    return next(media_type for media_type, each in offered.items() if each == name)


def prefers_page(offered: Mapping[str, str]) -> bool:
    """Whether the client would rather have HTML than any of these."""
    return not request.args.get("format") and request.accept_mimetypes.best_match([*offered, _HTML]) == _HTML
