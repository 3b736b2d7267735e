"""Answers of queries: rows, a yes or no, or a graph, in every format that SPARQL and RDF have for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import pyoxigraph as ox

from kg.errors import UsageError
from kg.rdf.iris import WIKIDATA, Namespace

__all__ = ["FORMATS", "Format", "Results", "Term", "prefixes"]

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
"""What a row holds; None where a variable is not bound."""


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write results: its media type, file suffix, and whether it is for rows or for graphs."""

    name: str
    media_type: str
    suffix: str
    writer: ox.QueryResultsFormat | ox.RdfFormat

    @property
    def graphs(self) -> bool:
        """Whether it writes graphs; else it writes rows and yes or no."""
        return isinstance(self.writer, ox.RdfFormat)


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        each.name: each
        for each in (
            Format("json", "application/sparql-results+json", "srj", ox.QueryResultsFormat.JSON),
            Format("xml", "application/sparql-results+xml", "srx", ox.QueryResultsFormat.XML),
            Format("csv", "text/csv", "csv", ox.QueryResultsFormat.CSV),
            Format("tsv", "text/tab-separated-values", "tsv", ox.QueryResultsFormat.TSV),
            Format("turtle", "text/turtle", "ttl", ox.RdfFormat.TURTLE),
            Format("ntriples", "application/n-triples", "nt", ox.RdfFormat.N_TRIPLES),
            Format("jsonld", "application/ld+json", "jsonld", ox.RdfFormat.JSON_LD),
            Format("rdfxml", "application/rdf+xml", "rdf", ox.RdfFormat.RDF_XML),
            Format("trig", "application/trig", "trig", ox.RdfFormat.TRIG),
            Format("nquads", "application/n-quads", "nq", ox.RdfFormat.N_QUADS),
        )
    }
)
"""Every format of results by its name."""

_WELL_KNOWN = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "schema": "https://schema.org/",
    "prov": "http://www.w3.org/ns/prov#",
    "oa": "http://www.w3.org/ns/oa#",
    "wd": WIKIDATA,
    "wdt": "http://www.wikidata.org/prop/direct/",
    "p": "http://www.wikidata.org/prop/",
    "ps": "http://www.wikidata.org/prop/statement/",
    "pq": "http://www.wikidata.org/prop/qualifier/",
}


@lru_cache(maxsize=16)
def prefixes(namespace: Namespace) -> dict[str, str]:
    """The prefixes that every query may use without declaring them; not to be changed."""
    return {"kg": f"{namespace.base}ontology#", "res": f"{namespace.base}resource/", **_WELL_KNOWN}


@dataclass(frozen=True, slots=True)
class Results:
    """What a query answered. `form` is ``rows``, ``boolean`` or ``graph``.

    `content` is SPARQL TSV for rows, ``true`` or ``false``, or N-Triples: bytes that can cross from one process to another.
    Where the query orders nothing, lines are sorted, so that the same answer is the same bytes.
    """

    form: str
    content: bytes
    namespace: Namespace

    def __bool__(self) -> bool:
        """The answer of ASK; else whether there is any row or triple."""
        if self.form == "boolean":
            return self.content == b"true"
        return len(self) > 0

    def __len__(self) -> int:
        """How many rows or triples there are; a yes or no is one."""
        return {"rows": self.content.count(b"\n") - 1, "graph": self.content.count(b"\n")}.get(self.form, 1)

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns."""
        if self.form == "rows":
            names = self.content.partition(b"\n")[0].decode()
            return tuple(name.removeprefix("?") for name in names.split("\t") if name)
        return ("answer",) if self.form == "boolean" else ("subject", "predicate", "object")

    def __iter__(self) -> Iterator[tuple[Term | None, ...]]:
        """Rows of terms, or triples; a yes or no is one row with one literal."""
        if self.form == "rows":
            yield from (tuple(solution) for solution in self._solutions())
        elif self.form == "graph":
            yield from ((triple.subject, triple.predicate, triple.object) for triple in self.triples())
        else:
            yield (ox.Literal(bool(self)),)

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Rows for people to read: literals bare, IRIs of the store without its base (``person/kim-kardashian``), others with a prefix."""
        shorten = _Shortener(self.namespace)
        for row in self:
            yield tuple(shorten(term) for term in row)

    def triples(self) -> list[ox.Triple]:
        """The triples of a graph; none for other forms."""
        if self.form != "graph":
            return []
        return [quad.triple for quad in ox.parse(self.content, format=ox.RdfFormat.N_TRIPLES)]

    @property
    def formats(self) -> tuple[str, ...]:
        """Names of the formats in which this can be written."""
        return tuple(name for name, each in FORMATS.items() if each.graphs == (self.form == "graph"))

    def serialize(self, format: str) -> bytes:
        """These results in a format by its name. UsageError, which lists the right ones, for one that doesn't fit."""
        if format not in self.formats:
            what = "a graph" if self.form == "graph" else "rows or yes and no"
            raise UsageError(f"{format} can't hold {what}", hint=f"one of {', '.join(self.formats)} can")
        writer = FORMATS[format].writer
        if isinstance(writer, ox.RdfFormat):
            return self._graph(writer)
        if self.form == "boolean":
            return _BOOLEANS[bool(self)].serialize(format=writer) or b""
        return self._solutions().serialize(format=writer) or b""

    def _solutions(self) -> ox.QuerySolutions:
        parsed = ox.parse_query_results(self.content, format=ox.QueryResultsFormat.TSV)
        if not isinstance(parsed, ox.QuerySolutions):
            raise TypeError("rows are solutions")
        return parsed

    def _graph(self, writer: ox.RdfFormat) -> bytes:
        text = self.content.decode()
        used = {name: iri for name, iri in prefixes(self.namespace).items() if name != "res" and f"<{iri}" in text}
        return ox.serialize(self.triples(), format=writer, prefixes=used) or b""


def _boolean(word: bytes) -> ox.QueryBoolean:
    parsed = ox.parse_query_results(b'{"head":{},"boolean":' + word + b"}", format=ox.QueryResultsFormat.JSON)
    if not isinstance(parsed, ox.QueryBoolean):
        raise TypeError("a yes or no is no solution")
    return parsed


_BOOLEANS = {True: _boolean(b"true"), False: _boolean(b"false")}


class _Shortener:
    """Writes terms for people."""

    def __init__(self, namespace: Namespace) -> None:
        self.resource = f"{namespace.base}resource/"
        self.prefixes = [(iri, name) for name, iri in prefixes(namespace).items()]

    def __call__(self, term: Term | None) -> str:
        if term is None:
            return ""
        if not isinstance(term, ox.NamedNode):
            return term.value if isinstance(term, ox.Literal) else str(term)
        if term.value.startswith(self.resource):
            return term.value.removeprefix(self.resource)
        found = max(((iri, name) for iri, name in self.prefixes if term.value.startswith(iri)), default=None)
        return f"{found[1]}:{term.value.removeprefix(found[0])}" if found else term.value
