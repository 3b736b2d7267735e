"""What pages show of the graph: an entity with its facts, a fact with its sentences, a document with its words marked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyoxigraph as ox

from kg.rdf.iris import WIKIDATA
from kg.service.passages import Passage, Piece, split
from kg.store import Store

__all__ = ["DocumentCard", "EntityCard", "FactCard", "Group", "Named", "Reading", "Sentence"]

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
_ALIAS = "http://www.w3.org/2004/02/skos/core#altLabel"
_SAME_AS = "http://www.w3.org/2002/07/owl#sameAs"
_DEFAULT = ox.DefaultGraph()
_MOST = 200

Graph = ox.NamedNode | ox.DefaultGraph | None


@dataclass(frozen=True, slots=True)
class Named:
    """Something with an IRI and a name for people."""

    iri: str
    label: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One piece of evidence: the quote, and the document where it stands."""

    iri: str
    quote: str
    document: Named
    published: str
    extractor: str
    confidence: str

    @property
    def anchor(self) -> str:
        """Where the quote begins on the page of its document."""
        return self.iri.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class FactCard:
    """A fact: `value` is text or a date where `object` is None; `conflicts` are rival facts."""

    iri: str
    subject: Named
    predicate: str
    object: Named | None
    value: str
    start: str
    end: str
    confidence: str
    documents: int
    sources: int
    sentences: tuple[Sentence, ...]
    conflicts: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Facts of one predicate in one direction; `more` were left out."""

    predicate: str
    facts: tuple[FactCard, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class EntityCard:
    """An entity with its facts in both directions."""

    iri: str
    label: str
    types: tuple[str, ...]
    aliases: tuple[str, ...]
    wikidata: tuple[str, ...]
    documents: tuple[Named, ...]
    facts: tuple[Group, ...]
    facts_of_others: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class DocumentCard:
    """A document: what is known of it, its texts in pieces, and the facts it states."""

    iri: str
    label: str
    metadata: tuple[tuple[str, str], ...]
    texts: tuple[tuple[str, tuple[Piece, ...]], ...]
    facts: tuple[FactCard, ...]


class Reading:
    """Looks things up in one store; every look-up is by index, so that a large graph costs no more than a small one."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.graph = store.graph
        self.namespace = store.namespace

    # -- single look-ups ---------------------------------------------------------------------------------------

    def term(self, local: str) -> str:
        """IRI of a term of ours."""
        return self.namespace.term(local)

    def objects(self, subject: str, predicate: str, graph: Graph = _DEFAULT) -> list[ox.NamedNode | ox.Literal]:
        """Values of a property, sorted."""
        quads = self.graph.quads_for_pattern(ox.NamedNode(subject), ox.NamedNode(predicate), None, graph)
        return sorted((q.object for q in quads if isinstance(q.object, ox.NamedNode | ox.Literal)), key=str)

    def texts(self, subject: str, predicate: str, graph: Graph = _DEFAULT) -> tuple[str, ...]:
        """Values of a property as texts, each once."""
        return tuple(dict.fromkeys(term.value for term in self.objects(subject, predicate, graph)))

    def text(self, subject: str, predicate: str, graph: Graph = _DEFAULT) -> str:
        """The first value of a property, or nothing."""
        return next(iter(self.texts(subject, predicate, graph)), "")

    def subjects(self, predicate: str, value: str, graph: Graph = _DEFAULT) -> list[str]:
        """What has this value, sorted."""
        quads = self.graph.quads_for_pattern(None, ox.NamedNode(predicate), ox.NamedNode(value), graph)
        return sorted({q.subject.value for q in quads if isinstance(q.subject, ox.NamedNode)})

    def named(self, iri: str, graph: Graph = _DEFAULT) -> Named:
        """The thing of an IRI with its label, or where it has none the end of the IRI."""
        label = self.text(iri, _LABEL, graph) or self.text(iri, _LABEL) or self.text(iri, self.term("title"))
        return Named(iri, label or self.text(iri, self.term("identifier")) or iri.rpartition("/")[2])

    def kinds(self, iri: str) -> set[str]:
        """Local names of the types of an IRI, in whatever graph."""
        prefix = self.term("")
        return {value.removeprefix(prefix) for value in self.texts(iri, f"{_RDF}type", None) if value.startswith(prefix)}

    # -- cards -------------------------------------------------------------------------------------------------

    def entity(self, iri: str) -> EntityCard | None:
        """An entity of the fused view, None where there is none."""
        label = self.text(iri, _LABEL)
        if not label:
            return None
        prefix = self.term("")
        return EntityCard(
            iri=iri,
            label=label,
            types=tuple(value.removeprefix(prefix) for value in self.texts(iri, f"{_RDF}type") if value.startswith(prefix)),
            aliases=self.texts(iri, _ALIAS),
            wikidata=tuple(value for value in self.texts(iri, _SAME_AS) if value.startswith(WIKIDATA)),
            documents=tuple(self.named(document) for document in self.texts(iri, self.term("mentionedIn"))),
            facts=self._groups(self.subjects(f"{_RDF}subject", iri)),
            facts_of_others=self._groups(self.subjects(f"{_RDF}object", iri)),
        )

    def _groups(self, facts: Iterable[str]) -> tuple[Group, ...]:
        found: dict[str, list[str]] = {}
        for fact in facts:
            found.setdefault(self.text(fact, f"{_RDF}predicate").removeprefix(self.term("")), []).append(fact)
        return tuple(self._group(predicate, found[predicate]) for predicate in sorted(found))

    def _group(self, predicate: str, facts: list[str]) -> Group:
        cards = sorted((self.fact(fact) for fact in facts[:_MOST]), key=_order)
        return Group(predicate, tuple(cards), max(0, len(facts) - _MOST))

    def fact(self, iri: str, graph: Graph = _DEFAULT) -> FactCard:
        """A fact of the fused view, or a statement in its document's graph."""
        values = self.objects(iri, f"{_RDF}object", graph)
        value = values[0] if values else None
        rivals = (self.fact_name(rival) for rival in self.texts(iri, self.term("conflictsWith"), graph))
        return FactCard(
            iri=iri,
            subject=self.named(self.text(iri, f"{_RDF}subject", graph), graph),
            predicate=self.text(iri, f"{_RDF}predicate", graph).removeprefix(self.term("")),
            object=self.named(value.value, graph) if isinstance(value, ox.NamedNode) else None,
            value=value.value if isinstance(value, ox.Literal) else "",
            start=self.text(iri, self.term("startDate"), graph),
            end=self.text(iri, self.term("endDate"), graph),
            confidence=self.text(iri, self.term("confidence"), graph),
            documents=int(self.text(iri, self.term("documentCount"), graph) or 1),
            sources=int(self.text(iri, self.term("sourceCount"), graph) or 1),
            sentences=tuple(self.sentence(evidence, graph) for evidence in self.texts(iri, self.term("evidence"), graph)),
            conflicts=tuple(rivals),
        )

    def fact_name(self, iri: str) -> Named:
        """A fact named by its object."""
        value = next(iter(self.objects(iri, f"{_RDF}object")), None)
        label = self.named(value.value).label if isinstance(value, ox.NamedNode) else value.value if value else iri
        return Named(iri, label)

    def sentence(self, iri: str, graph: Graph = _DEFAULT) -> Sentence:
        """A piece of evidence."""
        document = self.text(iri, self.term("inDocument"), graph)
        return Sentence(
            iri=iri,
            quote=self.text(iri, self.term("quote"), graph),
            document=self.named(document),
            published=self.text(document, self.term("published")),
            extractor=self.text(iri, self.term("extractor"), graph),
            confidence=self.text(iri, self.term("confidence"), graph),
        )

    # -- documents ---------------------------------------------------------------------------------------------

    def document(self, iri: str) -> DocumentCard | None:
        """A document with its texts and what it states, None where there is none."""
        identifier = self.text(iri, self.term("identifier"))
        if not identifier:
            return None
        own = ox.NamedNode(iri)
        names = ("published", "author", "publisher", "language", "url", "identifier")
        known = ((name, self.text(iri, self.term(name))) for name in names)
        statements = self.subjects(f"{_RDF}type", self.term("Statement"), own)
        facts = sorted((self.fact(statement, own) for statement in statements), key=lambda card: self._place(card, own))
        texts = sorted(
            self.texts(iri, self.term("text"), own), key=lambda place: (self.text(place, self.term("name"), own) != "body", place)
        )
        return DocumentCard(
            iri=iri,
            label=self.named(iri).label,
            metadata=tuple((name, value) for name, value in known if value),
            texts=tuple((self.text(place, self.term("name"), own), self._pieces(place, own)) for place in texts),
            facts=tuple(facts),
        )

    def _place(self, card: FactCard, graph: ox.NamedNode) -> tuple[int, str, str]:
        starts = (self.text(sentence.iri, self.term("startPosition"), graph) for sentence in card.sentences)
        return min((int(start or 0) for start in starts), default=0), card.predicate, card.iri

    def _pieces(self, text: str, graph: ox.NamedNode) -> tuple[Piece, ...]:
        return split(self.text(text, self.term("content"), graph), self._passages(text, graph))

    def _passages(self, text: str, graph: ox.NamedNode) -> Iterator[Passage]:
        """Evidence and mentions in a text."""
        for node in self.subjects(self.term("inText"), text, graph):
            start, end = (self.text(node, self.term(f"{name}Position"), graph) for name in ("start", "end"))
            if start and end:
                referent = self.text(node, self.term("refersTo"), graph)
                yield Passage(int(start), int(end), node, self.named(referent, graph).label if referent else "", referent)

    def documents(self) -> list[tuple[Named, str]]:
        """Every document with its date, the newest first."""
        nodes = self.subjects(f"{_RDF}type", self.term("Document"))
        found = [(self.named(node), self.text(node, self.term("published"))) for node in nodes]
        return sorted(sorted(found, key=lambda pair: pair[0].label.casefold()), key=lambda pair: pair[1], reverse=True)

    # -- data --------------------------------------------------------------------------------------------------

    def describe(self, iri: str) -> frozenset[ox.Triple]:
        """What is said of an IRI: its own triples, the graph that it names, and for entities and facts what they rest on."""
        nodes = {iri, *self.subjects(f"{_RDF}subject", iri), *self.subjects(f"{_RDF}object", iri), *self.texts(iri, self.term("match"))}
        nodes |= {evidence for node in nodes for evidence in self.texts(node, self.term("evidence"), None)}
        quads = [quad for node in nodes for quad in self.graph.quads_for_pattern(ox.NamedNode(node), None, None, None)]
        quads += self.graph.quads_for_pattern(None, None, None, ox.NamedNode(iri))
        return frozenset(quad.triple for quad in quads)

    def properties(self, iri: str) -> list[tuple[str, list[ox.NamedNode | ox.Literal]]]:
        """Every property of an IRI with its values, in whatever graph."""
        found: dict[str, set[ox.NamedNode | ox.Literal]] = {}
        for quad in self.graph.quads_for_pattern(ox.NamedNode(iri), None, None, None):
            if isinstance(quad.object, ox.NamedNode | ox.Literal):
                found.setdefault(quad.predicate.value, set()).add(quad.object)
        return [(name, sorted(found[name], key=str)) for name in sorted(found)]

    def is_known(self, iri: str) -> bool:
        """Whether anything is said of an IRI, or in the graph of this name."""
        node = ox.NamedNode(iri)
        patterns = ((node, None, None, None), (None, None, None, node))
        return any(next(iter(self.graph.quads_for_pattern(*pattern)), None) is not None for pattern in patterns)


def _order(card: FactCard) -> tuple[str, str, str]:
    """Dated facts by date, then the others by name."""
    return (card.start or card.end or card.value or "9"), (card.object.label if card.object else card.value), card.iri
