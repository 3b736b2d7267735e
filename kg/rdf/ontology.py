"""Reads the ontology: classes, predicates, their domains, ranges and kinds, as typed values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rdflib import OWL, RDF, RDFS, BNode, Graph, URIRef
from rdflib import Literal as RdfLiteral
from rdflib.collection import Collection
from rdflib.exceptions import ParserError
from rdflib.plugins.parsers.notation3 import BadSyntax

from kg.errors import OntologyError
from kg.resources import resource
from kg.settings import Settings

__all__ = ["Ontology", "OntologyClass", "Property", "jsonld_context", "load_ontology", "ontology_folder", "read_turtle"]


@dataclass(frozen=True, slots=True)
class OntologyClass:
    """A class; `parents` and `may_share_name` are local names, the latter of classes whose members often bear one name."""

    name: str
    iri: str
    label: str
    comment: str
    parents: tuple[str, ...] = ()
    may_share_name: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Property:
    """A property; `domain` and `range` are local names of classes, any one of which will do (empty: no restriction).

    `literal` is ``date``, ``string``, ``integer`` or ``decimal`` for values that are no entity, else None; `fact` says that facts use it as
    predicate. `single_valued`: two different values from different documents are a conflict. `takes_period`: statements may have a start
    and an end.
    """

    name: str
    iri: str
    label: str
    comment: str
    domain: tuple[str, ...] = ()
    range: tuple[str, ...] = ()
    literal: str | None = None
    fact: bool = False
    functional: bool = False
    symmetric: bool = False
    single_valued: bool = False
    takes_period: bool = False


@dataclass(frozen=True, slots=True)
class Ontology:
    """The vocabulary under one base IRI, by local name, in alphabetical order."""

    base: str
    classes: Mapping[str, OntologyClass]
    properties: Mapping[str, Property]

    @property
    def entity_types(self) -> tuple[str, ...]:
        """Names of the classes that entities have (subclasses of Entity)."""
        return tuple(name for name, term in self.classes.items() if "Entity" in term.parents)

    @property
    def predicates(self) -> Mapping[str, Property]:
        """The properties that facts use as predicate."""
        return MappingProxyType({name: term for name, term in self.properties.items() if term.fact})

    @property
    def single_valued(self) -> frozenset[str]:
        """Predicates for which two different values from different documents are a conflict."""
        return frozenset(name for name, term in self.predicates.items() if term.single_valued)

    @property
    def signatures(self) -> dict[str, tuple[frozenset[str], frozenset[str] | None]]:
        """Types that each predicate's subject and object may have; None where the object is a literal."""
        everything = frozenset(self.entity_types)
        return {
            name: (frozenset(term.domain) or everything, None if term.literal else frozenset(term.range) or everything)
            for name, term in self.predicates.items()
        }


def ontology_folder(settings: Settings) -> Path:
    """Folder of the ontology in force: the setting's, else the one that is shipped."""
    return Path(settings.ontology) if settings.ontology else resource("ontology")


def read_turtle(path: Path, base: str) -> Graph:
    """The triples of a Turtle file whose relative IRIs are resolved against `base`.

    Raises OntologyError, which names file and line, where it is missing or doesn't parse.
    """
    try:
        return Graph().parse(data=path.read_text(encoding="utf-8"), format="turtle", publicID=base)
    except BadSyntax as error:
        reason = " ".join(str(error._why).split())
        raise OntologyError(f"{path}, line {error.lines + 1}: {reason}", hint="mend the Turtle there") from error
    except (OSError, UnicodeDecodeError, ParserError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise OntologyError(f"{path} can't be read: {reason}", hint="check the file, or unset KG_ONTOLOGY") from error


def load_ontology(settings: Settings) -> Ontology:
    """The ontology of ``kg.ttl`` under the base IRI of the settings.

    Raises OntologyError, which names file and line, where it doesn't parse.
    """
    graph = read_turtle(ontology_folder(settings) / "kg.ttl", settings.base)
    reader = _Reader(graph, f"{settings.base}ontology#")
    classes = {name: reader.read_class(node) for name, node in reader.named(OWL.Class)}
    properties = {
        name: reader.read_property(node)
        for name, node in sorted([*reader.named(OWL.ObjectProperty), *reader.named(OWL.DatatypeProperty)])
        if name not in ("factProperty", "factValue")
    }
    return Ontology(settings.base, MappingProxyType(classes), MappingProxyType(properties))


def jsonld_context(settings: Settings) -> dict[str, Any]:
    """The content of ``context.jsonld``, with the base IRI of the settings put in (JSON-LD 1.1, section 4.1.3).

    Raises OntologyError where the file is missing or no JSON.
    """
    path = ontology_folder(settings) / "context.jsonld"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise OntologyError(f"{path}, line {error.lineno}: {error.msg}", hint="mend the JSON there") from error
    except (OSError, UnicodeDecodeError) as error:
        raise OntologyError(f"{path} can't be read: {error}", hint="check the file, or unset KG_ONTOLOGY") from error
    terms: dict[str, Any] = content["@context"]
    return {"@context": {"@base": settings.base, **terms, "@vocab": settings.base + terms["@vocab"], "kg": settings.base + terms["@vocab"]}}


class _Reader:
    """Reads terms of one namespace out of a graph."""

    def __init__(self, graph: Graph, namespace: str) -> None:
        self.graph = graph
        self.namespace = namespace

    def term(self, local: str) -> URIRef:
        return URIRef(self.namespace + local)

    def local(self, node: object) -> str:
        return str(node).removeprefix(self.namespace)

    def named(self, kind: URIRef) -> list[tuple[str, URIRef]]:
        nodes = (node for node in self.graph.subjects(RDF.type, kind) if isinstance(node, URIRef))
        return sorted((self.local(node), node) for node in nodes)

    def read_class(self, node: URIRef) -> OntologyClass:
        parents = tuple(sorted(self.local(parent) for parent in self.graph.objects(node, RDFS.subClassOf)))
        return OntologyClass(*self.words(node), parents, tuple(sorted(self.sharing(node))))

    def sharing(self, node: URIRef) -> Iterator[str]:
        share = self.term("mayShareName")
        for other in {*self.graph.objects(node, share), *self.graph.subjects(share, node)}:
            yield self.local(other)

    def read_property(self, node: URIRef) -> Property:
        values = list(self.graph.objects(node, RDFS.range))
        literal = (node, RDF.type, OWL.DatatypeProperty) in self.graph
        parents = {self.local(parent) for parent in self.graph.objects(node, RDFS.subPropertyOf)}
        return Property(
            *self.words(node),
            domain=self.members(node, RDFS.domain),
            range=() if literal else self.members(node, RDFS.range),
            literal=self.literal_kind(values) if literal else None,
            fact=bool(parents & {"factProperty", "factValue"}),
            functional=(node, RDF.type, OWL.FunctionalProperty) in self.graph,
            symmetric=(node, RDF.type, OWL.SymmetricProperty) in self.graph,
            single_valued=self.flag(node, "singleValued"),
            takes_period=self.flag(node, "takesPeriod"),
        )

    def words(self, node: URIRef) -> tuple[str, str, str, str]:
        label, comment = self.graph.value(node, RDFS.label), self.graph.value(node, RDFS.comment)
        return self.local(node), str(node), str(label or ""), str(comment or "")

    def members(self, node: URIRef, path: URIRef) -> tuple[str, ...]:
        """Local names of the classes that a domain or range allows, in the file's order."""
        found: list[str] = []
        for value in self.graph.objects(node, path):
            listed = self.graph.value(value, OWL.unionOf)
            parts = Collection(self.graph, listed) if isinstance(value, BNode) and listed is not None else [value]
            found += [self.local(part) for part in parts]
        return tuple(found)

    def literal_kind(self, ranges: list[Any]) -> str:
        kinds = ["date" if value == self.term("PartialDate") else str(value).rpartition("#")[2] for value in ranges]
        return kinds[0] if kinds else "string"

    def flag(self, node: URIRef, local: str) -> bool:
        return (node, self.term(local), RdfLiteral(True)) in self.graph
