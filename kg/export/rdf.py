"""RDF files: the whole dataset, or the fused view that lies in the default graph."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyoxigraph as ox

from kg.export.view import Edge, Selection, View, read_view
from kg.rdf.iris import WIKIDATA
from kg.settings import Settings
from kg.store import Store

__all__ = [
    "create_nquads",
    "create_ntriples",
    "create_rdfxml",
    "create_trig",
    "create_turtle",
    "prefixes",
    "selected_quads",
]

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DEFAULT = ox.DefaultGraph()
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def prefixes(base: str) -> dict[str, str]:
    """The prefixes that our files bind."""
    return {
        "kg": f"{base}ontology#",
        "owl": "http://www.w3.org/2002/07/owl#",
        "rdf": _RDF,
        "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        "schema": "https://schema.org/",
        "skos": "http://www.w3.org/2004/02/skos/core#",
        "wd": WIKIDATA,
        "xsd": "http://www.w3.org/2001/XMLSchema#",
    }


# -- which quads ------------------------------------------------------------------------------------------------


def selected_quads(store: Store, selection: Selection, *, dataset: bool) -> Iterator[ox.Quad]:
    """The quads of a selection: of the fused view, and with `dataset` of the documents' own graphs too.

    A selection by `triples` is these triples and nothing else. Any other takes in what its entities and facts lead to:
    matches, statements, evidence, mentions, the metadata of documents and the texts that are quoted.
    """
    if selection.triples is not None:
        yield from (ox.Quad(t.subject, t.predicate, t.object) for t in selection.triples)
    elif selection.is_everything:
        yield from store.graph if dataset else store.graph.quads_for_pattern(None, None, None, _DEFAULT)
    else:
        closure = _Closure(store, read_view(store, selection))
        yield from closure.fused()
        if dataset:
            yield from closure.documents()


@dataclass(slots=True)
class _Closure:
    """What a view leads to."""

    store: Store
    view: View

    @property
    def facts(self) -> tuple[Edge, ...]:
        return self.view.edges + self.view.literals

    def objects(self, subjects: Iterable[str], predicate: str, graph: Any = _DEFAULT) -> set[str]:
        term = ox.NamedNode(predicate)
        found = (q for s in subjects for q in self.store.graph.quads_for_pattern(ox.NamedNode(s), term, None, graph))
        return {quad.object.value for quad in found if isinstance(quad.object, ox.NamedNode)}

    def term(self, local: str) -> str:
        return self.store.namespace.term(local)

    def of(self, subjects: Iterable[str], graph: ox.NamedNode | ox.DefaultGraph) -> Iterator[ox.Quad]:
        for subject in sorted(subjects):
            yield from self.store.graph.quads_for_pattern(ox.NamedNode(subject), None, None, graph)

    def fused(self) -> Iterator[ox.Quad]:
        entities = {node.iri for node in self.view.nodes}
        facts = {edge.iri for edge in self.facts}
        leads = self.objects(entities, self.term("match")) | self.objects(facts, self.term("evidence"))
        papers = self.objects(entities, self.term("mentionedIn")) | self.objects(facts, self.term("statedIn"))
        triples, predicates = {edge.triple for edge in self.facts}, self._fact_predicates()
        for quad in self.of(entities | facts | leads | papers, _DEFAULT):
            if _iri(quad.subject) in entities and quad.predicate.value in predicates and quad.triple not in triples:
                continue
            if quad.predicate.value != self.term("conflictsWith") or _iri(quad.object) in facts:
                yield quad

    def _fact_predicates(self) -> set[str]:
        quads = self.store.graph.quads_for_pattern(None, ox.NamedNode(f"{_RDF}predicate"), None, _DEFAULT)
        return {quad.object.value for quad in quads if isinstance(quad.object, ox.NamedNode)}

    def documents(self) -> Iterator[ox.Quad]:
        """What the selected facts' documents say of them, each in its own graph."""
        statements = self.objects((edge.iri for edge in self.facts), self.term("statement"))
        graphs: dict[str, set[str]] = {}
        for statement in statements:
            for document in self.objects([statement], self.term("statedIn"), None):
                graphs.setdefault(document, set()).add(statement)
        predicates = self._fact_predicates()
        for name in sorted(graphs):
            yield from self._document(ox.NamedNode(name), graphs[name], predicates)

    def _document(self, graph: ox.NamedNode, statements: set[str], predicates: set[str]) -> Iterator[ox.Quad]:
        evidence = self.objects(statements, self.term("evidence"), graph)
        texts = self.objects(evidence, self.term("inText"), graph)
        ends = [self.objects(statements, f"{_RDF}{end}", graph) for end in ("subject", "object")]
        entities = ends[0] | ends[1]
        said = {
            tuple(str(self._value(statement, f"{_RDF}{part}", graph)) for part in ("subject", "predicate", "object"))
            for statement in statements
        }
        mentions = {
            quad.subject.value
            for entity in entities
            for quad in self.store.graph.quads_for_pattern(None, ox.NamedNode(self.term("refersTo")), ox.NamedNode(entity), graph)
            if isinstance(quad.subject, ox.NamedNode)
        }
        for quad in self.of({graph.value} | statements | evidence | texts | entities | mentions, graph):
            if _iri(quad.subject) in entities and quad.predicate.value in predicates:
                if (str(quad.subject), str(quad.predicate), str(quad.object)) in said:
                    yield quad
            elif quad.predicate.value != self.term("text") or _iri(quad.object) in texts:
                yield quad

    def _value(self, subject: str, predicate: str, graph: ox.NamedNode) -> object:
        quads = self.store.graph.quads_for_pattern(ox.NamedNode(subject), ox.NamedNode(predicate), None, graph)
        return next((quad.object for quad in quads), None)


def _iri(term: object) -> str:
    """The IRI, or nothing where the term is no IRI."""
    return term.value if isinstance(term, ox.NamedNode) else ""


# -- how they are written ---------------------------------------------------------------------------------------


class _Rdf:
    """An exporter by the engine's own serialisers. The whole graph is streamed; a selection is sorted."""

    def __init__(self, name: str, form: ox.RdfFormat, *, suffix: str, dataset: bool) -> None:
        self.name = name
        self.media_type = form.media_type
        self.suffix = suffix
        self.form = form
        self.dataset = dataset

    def __call__(self, store: Store, selection: Selection, stream: BinaryIO) -> None:
        base = store.namespace.base
        quads: Iterable[ox.Quad] = selected_quads(store, selection, dataset=self.dataset)
        if not selection.is_everything:
            quads = sorted(set(quads), key=lambda quad: (str(quad.graph_name), str(quad)))
        xml = self.form == ox.RdfFormat.RDF_XML
        if xml:
            quads = (_for_xml(quad) for quad in quads)
        content: Iterable[Any] = quads if self.dataset else (quad.triple for quad in quads)
        # absolute IRIs: against a base even the prefixes' namespaces would be written as references
        ox.serialize(content, stream, self.form, prefixes=prefixes(base))


def _for_xml(quad: ox.Quad) -> ox.Quad:
    """The quad with U+FFFD for characters that XML 1.0 forbids."""
    value = quad.object
    if isinstance(value, ox.Literal) and _FORBIDDEN.search(value.value):
        clean = _FORBIDDEN.sub("\ufffd", value.value)
        language = value.language
        made = ox.Literal(clean, language=language) if language else ox.Literal(clean, datatype=value.datatype)
        return ox.Quad(quad.subject, quad.predicate, made, quad.graph_name)
    return quad


def create_nquads(settings: Settings) -> _Rdf:
    """The exporter of the dataset as N-Quads."""
    return _Rdf("nquads", ox.RdfFormat.N_QUADS, suffix=".nq", dataset=True)


def create_trig(settings: Settings) -> _Rdf:
    """The exporter of the dataset as TriG."""
    return _Rdf("trig", ox.RdfFormat.TRIG, suffix=".trig", dataset=True)


def create_turtle(settings: Settings) -> _Rdf:
    """The exporter of the fused view as Turtle."""
    return _Rdf("turtle", ox.RdfFormat.TURTLE, suffix=".ttl", dataset=False)


def create_ntriples(settings: Settings) -> _Rdf:
    """The exporter of the fused view as N-Triples."""
    return _Rdf("ntriples", ox.RdfFormat.N_TRIPLES, suffix=".nt", dataset=False)


def create_rdfxml(settings: Settings) -> _Rdf:
    """The exporter of the fused view as RDF/XML."""
    return _Rdf("rdfxml", ox.RdfFormat.RDF_XML, suffix=".rdf", dataset=False)
