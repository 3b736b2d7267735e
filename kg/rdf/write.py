"""Writes documents, facts, profiles and corrections as quads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyoxigraph as ox

from kg.model import Correction, Document, Entity, Evidence, Fact, Literal, Profile, Resolution, Statement
from kg.rdf.iris import WIKIDATA, Namespace, statement_id

__all__ = ["QUALIFIERS", "Writer", "as_nquads", "as_ntriples", "date_literal"]

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_TYPE = ox.NamedNode(f"{_RDF}type")
_SUBJECT, _PREDICATE, _OBJECT = (ox.NamedNode(_RDF + local) for local in ("subject", "predicate", "object"))
_LABEL = ox.NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
_ALIAS = ox.NamedNode("http://www.w3.org/2004/02/skos/core#altLabel")
_SAME_AS = ox.NamedNode("http://www.w3.org/2002/07/owl#sameAs")
_SCHEMA_SAME_AS = ox.NamedNode("https://schema.org/sameAs")
"""For readers of web pages, who know no OWL: in the graph, so that every format says the same."""
_INTEGER, _DECIMAL = ox.NamedNode(f"{_XSD}integer"), ox.NamedNode(f"{_XSD}decimal")
_DATE_TYPES = {4: "gYear", 7: "gYearMonth", 10: "date"}

QUALIFIERS = {"start": "startDate", "end": "endDate"}
"""Qualifier of a fact → property of the ontology."""


def _integer(value: int) -> ox.Literal:
    return ox.Literal(str(value), datatype=_INTEGER)


def _decimal(value: float) -> ox.Literal:
    """The canonical form that engines keep: no trailing zeros (XML Schema 2, section 3.2.3.2, but ``1`` for ``1.0``)."""
    return ox.Literal(f"{value:.2f}".rstrip("0").rstrip("."), datatype=_DECIMAL)


def date_literal(value: str) -> ox.Literal:
    """An ISO 8601 date as gYear, gYearMonth or date by its length; anything else as a string."""
    kind = _DATE_TYPES.get(len(value))
    return ox.Literal(value, datatype=ox.NamedNode(_XSD + kind)) if kind else ox.Literal(value)


def _literal(value: Literal) -> ox.Literal:
    return ox.Literal(value.value) if value.datatype == "string" else ox.Literal(value.value, datatype=ox.NamedNode(_XSD + value.datatype))


class Writer:
    """Quads under one base IRI. Every method is a pure function of its arguments."""

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self._terms: dict[str, ox.NamedNode] = {}

    def term(self, local: str) -> ox.NamedNode:
        """A term of the ontology as a node."""
        return self._terms.setdefault(local, ox.NamedNode(self.namespace.term(local)))

    def _value(self, value: str | Literal) -> ox.NamedNode | ox.Literal:
        return _literal(value) if isinstance(value, Literal) else ox.NamedNode(self.namespace.entity(value))

    # -- one document's own graph ------------------------------------------------------------------------------

    def document_graph(self, document: Document, resolution: Resolution) -> Iterator[ox.Quad]:
        """What the document says, in the named graph of its IRI."""
        graph = ox.NamedNode(self.namespace.document(document.id))
        for s, p, o in self._document_triples(document, resolution):
            yield ox.Quad(s, p, o, graph)

    def _document_triples(
        self, document: Document, resolution: Resolution
    ) -> Iterator[tuple[ox.NamedNode, ox.NamedNode, ox.NamedNode | ox.Literal]]:
        yield from self._metadata(document)
        node = ox.NamedNode(self.namespace.document(document.id))
        for text in document.texts:
            place = ox.NamedNode(self.namespace.text(document.id, text.name))
            yield node, self.term("text"), place
            yield place, _TYPE, self.term("Text")
            yield place, self.term("name"), ox.Literal(text.name)
            yield place, self.term("content"), ox.Literal(text.content)
        for entity in resolution.entities:
            yield from self._entity(document.id, entity)
        for statement in resolution.statements:
            yield from self._statement(statement)

    def _metadata(self, document: Document) -> Iterator[tuple[ox.NamedNode, ox.NamedNode, ox.NamedNode | ox.Literal]]:
        node = ox.NamedNode(self.namespace.document(document.id))
        yield node, _TYPE, self.term("Document")
        yield node, self.term("identifier"), ox.Literal(document.id)
        for name in ("title", "author", "publisher", "url", "language"):
            value = getattr(document, name)
            if value:
                yield node, self.term(name), ox.Literal(value)
        if document.published:
            yield node, self.term("published"), date_literal(document.published)

    def _entity(self, document_id: str, entity: Entity) -> Iterator[tuple[ox.NamedNode, ox.NamedNode, ox.NamedNode | ox.Literal]]:
        node = ox.NamedNode(self.namespace.entity(entity.id))
        yield node, _TYPE, self.term(entity.type)
        yield node, _LABEL, ox.Literal(entity.name)
        for alias in entity.aliases:
            yield node, _ALIAS, ox.Literal(alias)
        for mention in entity.mentions:
            place = ox.NamedNode(self.namespace.mention(document_id, mention, entity.id))
            yield place, _TYPE, self.term("Mention")
            yield place, self.term("refersTo"), node
            yield place, self.term("surface"), ox.Literal(mention.surface)
            yield place, self.term("inText"), ox.NamedNode(self.namespace.text(document_id, mention.text))
            yield place, self.term("startPosition"), _integer(mention.span.start)
            yield place, self.term("endPosition"), _integer(mention.span.end)

    def _statement(self, statement: Statement) -> Iterator[tuple[ox.NamedNode, ox.NamedNode, ox.NamedNode | ox.Literal]]:
        ident = statement_id(statement)
        node = ox.NamedNode(self.namespace.statement(ident))
        subject = ox.NamedNode(self.namespace.entity(statement.subject))
        predicate, value = self.term(statement.predicate), self._value(statement.object)
        yield subject, predicate, value
        yield node, _TYPE, self.term("Statement")
        yield node, self.term("statementOf"), ox.NamedNode(self.namespace.fact(statement.fact))
        yield node, self.term("statedIn"), ox.NamedNode(self.namespace.document(statement.document_id))
        yield node, _SUBJECT, subject
        yield node, _PREDICATE, predicate
        yield node, _OBJECT, value
        for name, date in statement.qualifiers:
            yield node, self.term(QUALIFIERS[name]), date_literal(date)
        for evidence in statement.evidence:
            place = ox.NamedNode(self.namespace.evidence(ident, evidence))
            yield node, self.term("evidence"), place
            yield from self._evidence(place, evidence)

    def _evidence(self, node: ox.NamedNode, evidence: Evidence) -> Iterator[tuple[ox.NamedNode, ox.NamedNode, ox.NamedNode | ox.Literal]]:
        yield node, _TYPE, self.term("Evidence")
        yield node, self.term("inDocument"), ox.NamedNode(self.namespace.document(evidence.document_id))
        yield node, self.term("inText"), ox.NamedNode(self.namespace.text(evidence.document_id, evidence.text))
        yield node, self.term("quote"), ox.Literal(evidence.quote)
        yield node, self.term("startPosition"), _integer(evidence.span.start)
        yield node, self.term("endPosition"), _integer(evidence.span.end)
        yield node, self.term("extractor"), ox.Literal(evidence.extractor)
        yield node, self.term("extractorVersion"), ox.Literal(evidence.version)
        yield node, self.term("confidence"), _decimal(evidence.confidence)

    # -- the fused view, in the default graph ------------------------------------------------------------------

    def metadata(self, document: Document) -> Iterator[ox.Quad]:
        """A document's metadata, without its texts."""
        return (ox.Quad(s, p, o) for s, p, o in self._metadata(document))

    def profile(self, profile: Profile) -> Iterator[ox.Quad]:
        """An entity: types, names, where it is mentioned, its Wikidata item, or matches with what might be it."""
        node = ox.NamedNode(self.namespace.entity(profile.id))
        for kind in profile.types:
            yield ox.Quad(node, _TYPE, self.term(kind))
        yield ox.Quad(node, _LABEL, ox.Literal(profile.label))
        for alias in profile.aliases:
            yield ox.Quad(node, _ALIAS, ox.Literal(alias))
        for document_id in profile.documents:
            yield ox.Quad(node, self.term("mentionedIn"), ox.NamedNode(self.namespace.document(document_id)))
        if profile.link:
            for same in (_SAME_AS, _SCHEMA_SAME_AS):
                yield ox.Quad(node, same, ox.NamedNode(WIKIDATA + profile.link.qid))
        for link in (profile.link,) if profile.link else profile.candidates:
            match = ox.NamedNode(self.namespace.match(profile.id, link.qid))
            yield ox.Quad(node, self.term("match"), match)
            yield ox.Quad(match, _TYPE, self.term("Match"))
            yield ox.Quad(match, self.term("candidate"), ox.NamedNode(WIKIDATA + link.qid))
            yield ox.Quad(match, self.term("matchLabel"), ox.Literal(link.label or profile.label))
            yield ox.Quad(match, self.term("score"), _decimal(link.score))
            yield ox.Quad(match, self.term("method"), ox.Literal(link.method))
            yield ox.Quad(match, self.term("index"), ox.Literal(link.index))

    def fact(self, fact: Fact) -> Iterator[ox.Quad]:
        """A fact: the direct triple, its node, and every document's evidence."""
        node = ox.NamedNode(self.namespace.fact(fact.id))
        subject = ox.NamedNode(self.namespace.entity(fact.subject))
        predicate, value = self.term(fact.predicate), self._value(fact.object)
        yield ox.Quad(subject, predicate, value)
        yield ox.Quad(node, _TYPE, self.term("Fact"))
        yield ox.Quad(node, _SUBJECT, subject)
        yield ox.Quad(node, _PREDICATE, predicate)
        yield ox.Quad(node, _OBJECT, value)
        for name, date in fact.qualifiers:
            yield ox.Quad(node, self.term(QUALIFIERS[name]), date_literal(date))
        yield ox.Quad(node, self.term("confidence"), _decimal(fact.confidence))
        yield ox.Quad(node, self.term("documentCount"), _integer(fact.documents))
        yield ox.Quad(node, self.term("sourceCount"), _integer(fact.sources))
        for document_id in {statement.document_id for statement in fact.statements}:
            yield ox.Quad(node, self.term("statedIn"), ox.NamedNode(self.namespace.document(document_id)))
        for rival in fact.conflicts:
            yield ox.Quad(node, self.term("conflictsWith"), ox.NamedNode(self.namespace.fact(rival)))
        for statement in fact.statements:
            ident = statement_id(statement)
            yield ox.Quad(node, self.term("statement"), ox.NamedNode(self.namespace.statement(ident)))
            for evidence in statement.evidence:
                place = ox.NamedNode(self.namespace.evidence(ident, evidence))
                yield ox.Quad(node, self.term("evidence"), place)
                for s, p, o in self._evidence(place, evidence):
                    yield ox.Quad(s, p, o)

    def correction(self, correction: Correction) -> Iterator[ox.Quad]:
        """A decision, in the graph of corrections."""
        node = ox.NamedNode(self.namespace.correction(correction))
        graph = ox.NamedNode(self.namespace.corrections)
        yield ox.Quad(node, _TYPE, self.term("Correction"), graph)
        yield ox.Quad(node, self.term("kind"), ox.Literal(correction.kind), graph)
        for argument in filter(None, correction.arguments):
            yield ox.Quad(node, self.term("argument"), ox.Literal(argument), graph)
        yield ox.Quad(node, self.term("agent"), ox.Literal(correction.agent), graph)
        yield ox.Quad(node, self.term("decided"), date_literal(correction.date), graph)


def as_nquads(quads: Iterable[ox.Quad]) -> str:
    """Canonical N-Quads: one line a quad, sorted by code point (no blank nodes, so this is RDFC-1.0's form)."""
    return "".join(sorted(f"{quad} .\n" for quad in set(quads)))


def as_ntriples(quads: Iterable[ox.Quad]) -> str:
    """The quads' triples as sorted N-Triples, whatever graph they are in."""
    return "".join(sorted(f"{quad.triple} .\n" for quad in set(quads)))
