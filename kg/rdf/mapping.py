"""What terms of the ontology correspond to in other vocabularies, and what shapes ask of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from rdflib import RDFS, SH, Graph, URIRef
from rdflib.namespace import SKOS
from rdflib.term import Node

from kg.rdf.ontology import ontology_folder, read_turtle
from kg.settings import Settings

__all__ = ["Correspondence", "Demand", "load_correspondences", "load_demands"]

_WORDS = {
    str(RDFS.subClassOf): "is a kind of",
    str(RDFS.subPropertyOf): "is a kind of",
    str(SKOS.exactMatch): "is the same as",
    str(SKOS.closeMatch): "is close to",
    str(SKOS.broadMatch): "is narrower than",
    str(SKOS.narrowMatch): "is broader than",
    str(SKOS.relatedMatch): "is related to",
}


@dataclass(frozen=True, slots=True, order=True)
class Correspondence:
    """One term (by local name) and one of another vocabulary; `relation` is in words."""

    term: str
    relation: str
    iri: str


@dataclass(frozen=True, slots=True, order=True)
class Demand:
    """What one shape asks: its name, its severity and its message."""

    shape: str
    severity: str
    message: str


def load_correspondences(settings: Settings) -> Mapping[str, tuple[Correspondence, ...]]:
    """Correspondences of ``mappings.ttl`` by local name of our term. Raises OntologyError where it doesn't parse."""
    base = f"{settings.base}ontology#"
    graph = read_turtle(ontology_folder(settings) / "mappings.ttl", settings.base)
    found: dict[str, set[Correspondence]] = defaultdict(set)
    for subject, predicate, value in graph:
        term = str(subject).removeprefix(base)
        relation = "is the reverse of" if str(predicate) == f"{base}inverseMatch" else _WORDS.get(str(predicate))
        if relation and term != str(subject) and isinstance(value, URIRef):
            found[term].add(Correspondence(term, relation, str(value)))
    return {term: tuple(sorted(each)) for term, each in found.items()}


def load_demands(settings: Settings) -> Mapping[str, tuple[Demand, ...]]:
    """What the shapes ask, by local name of the class or predicate that they are about (SHACL, section 2.1.3).

    A shape with a path is about that, else about its targets. Raises OntologyError where ``shapes.ttl`` doesn't parse.
    """
    base = f"{settings.base}ontology#"
    graph = read_turtle(ontology_folder(settings) / "shapes.ttl", settings.base)
    found: dict[str, set[Demand]] = defaultdict(set)
    for shape, message in graph.subject_objects(SH.message):
        severity = str(graph.value(shape, SH.severity) or SH.Violation).rpartition("#")[2]
        demand = Demand(str(shape).rpartition("#")[2], severity, str(message))
        for term in _about(graph, shape):
            if term.startswith(base):
                found[term.removeprefix(base)].add(demand)
    return {term: tuple(sorted(each, key=lambda demand: (demand.severity, demand.message))) for term, each in found.items()}


def _about(graph: Graph, shape: Node) -> set[str]:
    own = {str(graph.value(shape, property)) for property in (SH.targetSubjectsOf, SH.targetObjectsOf)}
    path = {str(graph.value(shape, SH.path))}
    classes = {str(each) for each in graph.objects(shape, SH.targetClass)}
    return (own | path | (classes if len(classes) == 1 else set())) - {"None"}
