"""Which representation a client wants: by `format`, else by Accept, which Werkzeug reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from flask import request
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from kg.service.faults import HttpFault

__all__ = ["GRAPHS", "PAGE", "ROWS", "best_of", "choose", "media_type_of", "prefers_page"]

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
_CHARSET = re.compile(r';\s*charset\s*=\s*"?utf-?8"?', re.IGNORECASE)


def choose(offered: Mapping[str, str]) -> str:
    """The name of the representation that the client wants most; 406 where it wants none of them."""
    given = request.values.getlist("format")  # some clients send it twice, as a word of their own and as a media type
    if given:
        found = next((offered.get(each, each) for each in given if each in offered or each in offered.values()), None)
    else:
        found = offered.get(best_of(request.environ.get("HTTP_ACCEPT", ""), tuple(offered)))
    if found is None:
        names = ", ".join(f"{media_type} ({name})" for media_type, name in offered.items() if media_type_of(offered, name) == media_type)
        raise HttpFault(406, "not-acceptable", "there is no representation of this kind", hint=f"there are {names}")
    return found


@lru_cache(maxsize=1024)
def best_of(accept: str, media_types: tuple[str, ...]) -> str:
    """The one of some media types that an Accept header wants most, empty where it wants none; without a header the first.

    A charset in the header says what the client expects to get, and every text is sent in UTF-8.
    """
    wanted = parse_accept_header(_CHARSET.sub("", accept), MIMEAccept)
    return (wanted.best_match(media_types) or "") if wanted else media_types[0]


def media_type_of(offered: Mapping[str, str], name: str) -> str:
    """The media type that a representation is sent with."""
    return next(media_type for media_type, each in offered.items() if each == name)


def prefers_page(offered: Mapping[str, str]) -> bool:
    """Whether the client would rather have HTML than any of these."""
    accept = request.environ.get("HTTP_ACCEPT", "")
    return _HTML in accept.lower() and not request.args.get("format") and best_of(accept, (*offered, _HTML)) == _HTML
