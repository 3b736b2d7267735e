"""What the endpoint can do (SPARQL 1.1 Service Description) and what is in it, in figures (VoID)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from weakref import WeakKeyDictionary

import pyoxigraph as ox

from kg.graph.protocol import Graph
from kg.query.federate import allowed_services
from kg.query.results import FORMATS, prefixes
from kg.settings import Settings
from kg.store import Store

__all__ = ["describe_service", "describe_void"]

_SD = "http://www.w3.org/ns/sparql-service-description#"
_VOID = "http://rdfs.org/ns/void#"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_TYPE = ox.NamedNode(f"{_RDF}type")
_SIMPLE = ox.NamedNode("http://www.w3.org/ns/entailment/Simple")
_MOST_GRAPHS = 100
"""How many named graphs are listed; where there are more, none is."""

_PROPERTIES = "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p"
_CLASSES = "SELECT ?c (COUNT(?s) AS ?n) { ?s a ?c } GROUP BY ?c"
_SUBJECTS = "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s ?p ?o }"

_counted: WeakKeyDictionary[Store, tuple[str, list[ox.Triple]]] = WeakKeyDictionary()


def describe_service(endpoint: str, format: str, store: Store, *, tag: str, settings: Settings) -> bytes:
    """The description of the endpoint at this address, in a format of graphs by its name.

    `tag` names the state of the store, and is empty where it is not known.
    """
    return _written(
        itertools.chain(_service(endpoint, settings), _dataset(endpoint, store), _statistics(endpoint, store, tag)), format, store
    )


def describe_void(endpoint: str, format: str, store: Store, *, tag: str) -> bytes:
    """The dataset in figures: triples, entities, and how many there are of each class and property, in the default graph."""
    dataset, default = _nodes(endpoint)[1:]
    told = (
        ox.Triple(dataset, _TYPE, _void("Dataset")),
        ox.Triple(dataset, _void("sparqlEndpoint"), ox.NamedNode(endpoint)),
        ox.Triple(dataset, _void("uriSpace"), ox.Literal(f"{store.namespace.base}resource/")),
        ox.Triple(dataset, _void("vocabulary"), ox.NamedNode(f"{store.namespace.base}ontology#")),
        ox.Triple(dataset, _void("subset"), default),
    )
    return _written(itertools.chain(told, _statistics(endpoint, store, tag)), format, store)


def _written(triples: Iterator[ox.Triple], format: str, store: Store) -> bytes:
    form = FORMATS[format].writer
    if not isinstance(form, ox.RdfFormat):
        raise TypeError(f"{format} holds no graph")
    known = {"sd": _SD, "void": _VOID, "kg": prefixes(store.namespace)["kg"]}
    return bytes(ox.serialize(triples, format=form, prefixes=known) or b"")


def _sd(local: str) -> ox.NamedNode:
    return ox.NamedNode(_SD + local)


def _void(local: str) -> ox.NamedNode:
    return ox.NamedNode(_VOID + local)


def _nodes(endpoint: str) -> list[ox.NamedNode]:
    """The service, its dataset, its default graph."""
    return [ox.NamedNode(f"{endpoint}#{part}") for part in ("service", "dataset", "default-graph")]


def _service(endpoint: str, settings: Settings) -> Iterator[ox.Triple]:
    service, dataset, _ = _nodes(endpoint)
    yield ox.Triple(service, _TYPE, _sd("Service"))
    yield ox.Triple(service, _sd("endpoint"), ox.NamedNode(endpoint))
    yield ox.Triple(service, _sd("supportedLanguage"), _sd("SPARQL11Query"))
    for each in FORMATS.values():
        yield ox.Triple(service, _sd("resultFormat"), ox.NamedNode(each.writer.iri))
    if settings.token:
        yield ox.Triple(service, _sd("supportedLanguage"), _sd("SPARQL11Update"))
        for each in FORMATS.values():
            if each.graphs:
                yield ox.Triple(service, _sd("inputFormat"), ox.NamedNode(each.writer.iri))
    yield ox.Triple(service, _sd("feature"), _sd("EmptyGraphs"))
    if allowed_services(settings.services):
        yield ox.Triple(service, _sd("feature"), _sd("BasicFederatedQuery"))
    yield ox.Triple(service, _sd("defaultEntailmentRegime"), _SIMPLE)
    yield ox.Triple(service, _sd("defaultDataset"), dataset)


def _dataset(endpoint: str, store: Store) -> Iterator[ox.Triple]:
    _, dataset, default = _nodes(endpoint)
    yield ox.Triple(dataset, _TYPE, _sd("Dataset"))
    yield ox.Triple(dataset, _sd("defaultGraph"), default)
    yield ox.Triple(default, _TYPE, _sd("Graph"))
    names = list(itertools.islice(store.graph.named_graphs(), _MOST_GRAPHS + 1))
    for number, name in enumerate(sorted(names, key=str) if len(names) <= _MOST_GRAPHS else ()):
        if isinstance(name, ox.NamedNode):
            named = ox.NamedNode(f"{endpoint}#graph-{number + 1}")
            yield ox.Triple(dataset, _sd("namedGraph"), named)
            yield ox.Triple(named, _TYPE, _sd("NamedGraph"))
            yield ox.Triple(named, _sd("name"), name)


def _statistics(endpoint: str, store: Store, tag: str) -> Iterator[ox.Triple]:
    """Figures of the default graph, counted once for each state of the store, where that is known."""
    key = f"{tag} {endpoint}"
    known = _counted.get(store)
    if known is None or known[0] != key or not tag:
        known = (key, list(_count(_nodes(endpoint)[2], store.graph)))
        _counted[store] = known
    yield from known[1]


def _count(default: ox.NamedNode, graph: Graph) -> Iterator[ox.Triple]:
    properties, classes = (dict(_numbers(graph, query)) for query in (_PROPERTIES, _CLASSES))
    ((entities,),) = _rows(graph, _SUBJECTS)
    yield ox.Triple(default, _TYPE, _void("Dataset"))
    yield ox.Triple(default, _void("triples"), ox.Literal(sum(properties.values())))
    yield ox.Triple(default, _void("entities"), entities)
    for kind, part, figure, found in (
        ("class", "classPartition", "entities", classes),
        ("property", "propertyPartition", "triples", properties),
    ):
        yield ox.Triple(default, _void("classes" if kind == "class" else "properties"), ox.Literal(len(found)))
        for number, name in enumerate(sorted(found, key=str)):
            node = ox.NamedNode(f"{default.value}-{kind}-{number + 1}")
            yield ox.Triple(default, _void(part), node)
            yield ox.Triple(node, _void(kind), name)
            yield ox.Triple(node, _void(figure), ox.Literal(found[name]))


def _numbers(graph: Graph, query: str) -> Iterator[tuple[ox.NamedNode, int]]:
    for name, number in _rows(graph, query):
        if isinstance(name, ox.NamedNode):
            yield name, int(number.value)


def _rows(graph: Graph, query: str) -> Iterator[list[ox.Literal]]:
    found = graph.query(query)
    if isinstance(found, ox.QuerySolutions):
        yield from (list(row) for row in found)
