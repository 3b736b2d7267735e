"""SPARQL 1.1 Service Description: what the endpoint can do."""

from __future__ import annotations

from collections.abc import Iterator

import pyoxigraph as ox

from kg.query.results import FORMATS

__all__ = ["describe_service"]

_SD = "http://www.w3.org/ns/sparql-service-description#"
_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")


def describe_service(endpoint: str, format: str) -> bytes:
    """The description of the endpoint at this address, in a format of graphs by its name."""
    form = FORMATS[format].writer
    if not isinstance(form, ox.RdfFormat):
        raise TypeError(f"{format} holds no graph")
    return bytes(ox.serialize(_triples(endpoint), format=form, prefixes={"sd": _SD}) or b"")


def _sd(local: str) -> ox.NamedNode:
    return ox.NamedNode(_SD + local)


def _triples(endpoint: str) -> Iterator[ox.Triple]:
    service, dataset, default = (ox.NamedNode(f"{endpoint}#{part}") for part in ("service", "dataset", "default-graph"))
    yield ox.Triple(service, _TYPE, _sd("Service"))
    yield ox.Triple(service, _sd("endpoint"), ox.NamedNode(endpoint))
    yield ox.Triple(service, _sd("supportedLanguage"), _sd("SPARQL11Query"))
    for each in FORMATS.values():
        yield ox.Triple(service, _sd("resultFormat"), ox.NamedNode(each.writer.iri))
    yield ox.Triple(service, _sd("defaultDataset"), dataset)
    yield ox.Triple(dataset, _TYPE, _sd("Dataset"))
    yield ox.Triple(dataset, _sd("defaultGraph"), default)
    yield ox.Triple(default, _TYPE, _sd("Graph"))
