"""What pages show of the graph: an entity with its facts, a fact with its sentences, a document with its words marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import pyoxigraph as ox

from kg.model import Literal, fact_id
from kg.rdf.iris import WIKIDATA
from kg.service.passages import Passage, Piece, mark, split
from kg.store import Store

__all__ = ["MOST", "DocumentCard", "EntityCard", "FactCard", "Group", "Named", "Reading", "Rival", "Sentence"]

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
_ALIAS = "http://www.w3.org/2004/02/skos/core#altLabel"
_SAME_AS = "http://www.w3.org/2002/07/owl#sameAs"
_DEFAULT = ox.DefaultGraph()

MOST = 200
"""Most facts of one group, or documents, that a page shows."""

_FIRST = 25
"""How many of each group the page of an entity begins with."""
_FEW = 400
"""An entity with more facts than this has them taken from the graph as they come, unsorted, since sorting needs all of them."""
_SENTENCES = 20
_NAMES = 40

Graph = ox.NamedNode | ox.DefaultGraph | None


@dataclass(frozen=True, slots=True)
class Named:
    """Something with an IRI and a name for people; `kind` is the local name of an entity's type."""

    iri: str
    label: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One piece of evidence: the quote, the same with the fact's words marked, and the document where it stands."""

    iri: str
    quote: str
    pieces: tuple[tuple[str, str], ...]
    document: Named
    published: str
    extractor: str
    confidence: str

    @property
    def anchor(self) -> str:
        """Where the quote begins on the page of its document."""
        return self.iri.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Rival:
    """A fact that says otherwise, by its value, and how many sources say so."""

    iri: str
    label: str
    sources: int


@dataclass(frozen=True, slots=True)
class FactCard:
    """A fact: `value` is text or a date where `object` is None; `conflicts` are rival facts; `more` sentences were left out.

    Of a statement in a document's graph `fact` is the fact that it states; else it is the fact itself.
    """

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
    conflicts: tuple[Rival, ...] = ()
    more: int = 0
    fact: str = ""
    dated: bool = False

    @property
    def rivals(self) -> tuple[Rival, ...]:
        """This fact and those in conflict with it, the one that most sources state first; nothing where none is."""
        own = Rival(self.iri, self.object.label if self.object else self.value, self.sources)
        return tuple(sorted((own, *self.conflicts), key=lambda rival: (-rival.sources, rival.label))) if self.conflicts else ()


@dataclass(frozen=True, slots=True)
class Group:
    """Facts of one predicate in one direction; `count` is how many there are, of which `facts` may be some."""

    predicate: str
    facts: tuple[FactCard, ...]
    count: int

    @property
    def more(self) -> int:
        """How many were left out."""
        return self.count - len(self.facts)

    @property
    def disputes(self) -> tuple[tuple[FactCard, tuple[Rival, ...]], ...]:
        """Facts in conflict with their rivals, each dispute once."""
        found = {frozenset(rival.iri for rival in fact.rivals): (fact, fact.rivals) for fact in reversed(self.facts) if fact.conflicts}
        return tuple(reversed(found.values()))


@dataclass(frozen=True, slots=True)
class EntityCard:
    """An entity with its facts in both directions; `documents` may be the first of `document_count`, `doubtful` an item that it may be."""

    iri: str
    label: str
    types: tuple[str, ...]
    aliases: tuple[str, ...]
    wikidata: tuple[str, ...]
    documents: tuple[Named, ...]
    document_count: int
    facts: tuple[Group, ...]
    facts_of_others: tuple[Group, ...]
    doubtful: bool = False

    @property
    def every(self) -> tuple[FactCard, ...]:
        """All facts that are shown."""
        return tuple(fact for group in (*self.facts, *self.facts_of_others) for fact in group.facts)


@dataclass(frozen=True, slots=True)
class DocumentCard:
    """A document: what is known of it, its texts in pieces, and the facts it states; `numbers` leads from evidence to the fact."""

    iri: str
    id: str
    label: str
    metadata: tuple[tuple[str, str], ...]
    texts: tuple[tuple[str, tuple[Piece, ...]], ...]
    facts: tuple[FactCard, ...]
    numbers: dict[str, int]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Types of what is mentioned, sorted."""
        return tuple(sorted({piece.kind for _, pieces in self.texts for piece in pieces if piece.kind}))


class Reading:
    """Looks things up in one store; every look-up is by index, so that a large graph costs no more than a small one."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.graph = store.graph
        self.namespace = store.namespace
        self._named: dict[tuple[str, Graph], Named] = {}
        self._forms: dict[tuple[str, Graph], dict[str, str]] = {}
        self._loaded: dict[tuple[str, Graph], dict[str, list[ox.NamedNode | ox.Literal]]] = {}

    # -- single look-ups ---------------------------------------------------------------------------------------

    def term(self, local: str) -> str:
        """IRI of a term of ours."""
        return self.namespace.term(local)

    def objects(self, subject: str, predicate: str, graph: Graph = _DEFAULT) -> list[ox.NamedNode | ox.Literal]:
        """Values of a property, sorted."""
        if (subject, graph) in self._loaded:
            return self._loaded[subject, graph].get(predicate, [])
        quads = self.graph.quads_for_pattern(ox.NamedNode(subject), ox.NamedNode(predicate), None, graph)
        return sorted((q.object for q in quads if isinstance(q.object, ox.NamedNode | ox.Literal)), key=str)

    def _load(self, subject: str, graph: Graph) -> None:
        """Takes all properties of a small node in one look-up, which is quicker than one by one."""
        if (subject, graph) not in self._loaded:
            found: dict[str, list[ox.NamedNode | ox.Literal]] = {}
            for quad in self.graph.quads_for_pattern(ox.NamedNode(subject), None, None, graph):
                if isinstance(quad.object, ox.NamedNode | ox.Literal):
                    found.setdefault(quad.predicate.value, []).append(quad.object)
            for values in found.values():
                values.sort(key=str)
            self._loaded[subject, graph] = found

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
        if (iri, graph) not in self._named:
            label = self.text(iri, _LABEL, graph) or self.text(iri, _LABEL) or self.text(iri, self.term("title"))
            kind = self.text(iri, f"{_RDF}type", graph) or self.text(iri, f"{_RDF}type")
            label = label or self.text(iri, self.term("identifier")) or iri.rpartition("/")[2]
            self._named[iri, graph] = Named(iri, label, kind.removeprefix(self.term("")))
        return self._named[iri, graph]

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
        documents, count = self.documents_of(iri, 0, _FIRST)
        return EntityCard(
            iri=iri,
            label=label,
            types=tuple(value.removeprefix(prefix) for value in self.texts(iri, f"{_RDF}type") if value.startswith(prefix)),
            aliases=self.texts(iri, _ALIAS),
            wikidata=tuple(value for value in self.texts(iri, _SAME_AS) if value.startswith(WIKIDATA)),
            documents=documents,
            document_count=count,
            facts=tuple(self._groups(iri, inverse=False)),
            facts_of_others=tuple(self._groups(iri, inverse=True)),
            doubtful=bool(self.texts(iri, self.term("match"))) and not self.texts(iri, _SAME_AS),
        )

    def documents_of(self, iri: str, start: int, most: int) -> tuple[tuple[Named, ...], int]:
        """So many documents that mention an entity, from a place on, and how many there are."""
        found = self.texts(iri, self.term("mentionedIn"))
        return tuple(self.named(each) for each in found[start : start + most]), len(found)

    def group(self, iri: str, predicate: str, start: int, *, inverse: bool) -> Group | None:
        """So many facts of one predicate as a page shows, from a place on; None where there are none."""
        groups = self._groups(iri, inverse=inverse, only=predicate, start=start, most=MOST)
        return next(iter(groups), None)

    def _groups(self, iri: str, *, inverse: bool, only: str = "", start: int = 0, most: int = _FIRST) -> Iterator[Group]:
        """Facts that have an entity at one end, by predicate, sorted by name."""
        end = ox.NamedNode(f"{_RDF}{'object' if inverse else 'subject'}")
        quads = self.graph.quads_for_pattern(None, end, ox.NamedNode(iri), _DEFAULT)
        facts = [q.subject.value for q in islice(quads, _FEW + 1) if isinstance(q.subject, ox.NamedNode)]
        if len(facts) > _FEW:
            yield from self._groups_of_hub(iri, inverse, only, start, most)
            return
        found: dict[str, list[str]] = {}
        for fact in facts:
            found.setdefault(self.text(fact, f"{_RDF}predicate").removeprefix(self.term("")), []).append(fact)
        for predicate in sorted(found):
            if only in ("", predicate):
                cards = sorted((self.fact(fact) for fact in found[predicate]), key=_order)
                yield Group(predicate, tuple(cards[start : start + most]), len(cards))

    def _groups_of_hub(self, iri: str, inverse: bool, only: str, start: int, most: int) -> Iterator[Group]:
        """The same by the direct triples, whose index is sorted by predicate; the fact of a triple has an IRI made of it."""
        pattern = f"?other ?predicate <{iri}>" if inverse else f"<{iri}> ?predicate ?other"
        counted = self.graph.query(f"SELECT ?predicate (COUNT(*) AS ?count) {{ {pattern} }} GROUP BY ?predicate")
        assert isinstance(counted, ox.QuerySolutions)
        counts = {row["predicate"].value: int(row["count"].value) for row in counted}
        node = ox.NamedNode(iri)
        for predicate in sorted(counts):
            name = predicate.removeprefix(self.term(""))
            if name == predicate or only not in ("", name):
                continue
            subject, value = (None, node) if inverse else (node, None)
            triples = islice(self.graph.quads_for_pattern(subject, ox.NamedNode(predicate), value, _DEFAULT), start, start + most)
            facts = [fact for fact in map(self._fact_of, triples) if fact and self.text(fact, f"{_RDF}type")]
            if facts:
                yield Group(name, tuple(sorted(map(self.fact, facts), key=_order)), counts[predicate])

    def _fact_of(self, quad: ox.Quad) -> str:
        """IRI of the fact that a direct triple belongs to; nothing where it can't belong to one."""
        subject, value = self.namespace.entity_id(quad.subject.value) if isinstance(quad.subject, ox.NamedNode) else None, quad.object
        name = quad.predicate.value.removeprefix(self.term(""))
        if subject is None:
            return ""
        if isinstance(value, ox.Literal):
            return self.namespace.fact(fact_id(subject, name, Literal(value.value, value.datatype.value.rpartition("#")[2])))
        other = self.namespace.entity_id(value.value) if isinstance(value, ox.NamedNode) else None
        return "" if other is None else self.namespace.fact(fact_id(subject, name, other))

    def fact(self, iri: str, graph: Graph = _DEFAULT, *, most: int = _SENTENCES) -> FactCard:
        """A fact of the fused view, or a statement in its document's graph, with at most so many sentences."""
        self._load(iri, graph)
        values = self.objects(iri, f"{_RDF}object", graph)
        value = values[0] if values else None
        subject = self.named(self.text(iri, f"{_RDF}subject", graph), graph)
        forms = {**self._names(subject.iri, graph), **self._value_forms(value, graph)}
        evidence = self.texts(iri, self.term("evidence"), graph)
        return FactCard(
            iri=iri,
            subject=subject,
            predicate=self.text(iri, f"{_RDF}predicate", graph).removeprefix(self.term("")),
            object=self.named(value.value, graph) if isinstance(value, ox.NamedNode) else None,
            value=value.value if isinstance(value, ox.Literal) else "",
            start=self.text(iri, self.term("startDate"), graph),
            end=self.text(iri, self.term("endDate"), graph),
            confidence=self.text(iri, self.term("confidence"), graph),
            documents=int(self.text(iri, self.term("documentCount"), graph) or 1),
            sources=int(self.text(iri, self.term("sourceCount"), graph) or 1),
            sentences=tuple(self.sentence(each, graph, forms) for each in evidence[:most]),
            conflicts=tuple(self._rival(rival) for rival in self.texts(iri, self.term("conflictsWith"), graph)),
            more=max(0, len(evidence) - most),
            fact=self.text(iri, self.term("statementOf"), graph) or iri,
            dated=_is_date(value),
        )

    def _rival(self, iri: str) -> Rival:
        value = next(iter(self.objects(iri, f"{_RDF}object")), None)
        label = self.named(value.value).label if isinstance(value, ox.NamedNode) else value.value if value else iri
        return Rival(iri, label, int(self.text(iri, self.term("sourceCount")) or 1))

    def _names(self, iri: str, graph: Graph) -> dict[str, str]:
        """What an entity is called, with its type: its label and other names."""
        if (iri, graph) not in self._forms:
            named = self.named(iri, graph)
            self._forms[iri, graph] = dict.fromkeys((named.label, *self.texts(iri, _ALIAS, graph)[:_NAMES]), named.kind)
        return self._forms[iri, graph]

    def _value_forms(self, value: ox.NamedNode | ox.Literal | None, graph: Graph) -> dict[str, str]:
        """How the object of a fact may stand in a sentence."""
        if isinstance(value, ox.NamedNode):
            return self._names(value.value, graph)
        if value is None:
            return {}
        return dict.fromkeys((value.value, value.value[:4]) if _is_date(value) else (value.value,), "value")

    def sentence(self, iri: str, graph: Graph = _DEFAULT, forms: dict[str, str] | None = None) -> Sentence:
        """A piece of evidence; `forms` are the words to be marked in it, each with its type."""
        self._load(iri, graph)
        document = self.text(iri, self.term("inDocument"), graph)
        quote = self.text(iri, self.term("quote"), graph)
        return Sentence(
            iri=iri,
            quote=quote,
            pieces=mark(quote, forms or {}),
            document=self.named(document),
            published=self.text(document, self.term("published")),
            extractor=self.text(iri, self.term("extractor"), graph),
            confidence=self.text(iri, self.term("confidence"), graph),
        )

    def first_sentence(self, iri: str) -> Sentence | None:
        """A sentence of some fact about an entity."""
        for end in ("subject", "object"):
            quads = self.graph.quads_for_pattern(None, ox.NamedNode(f"{_RDF}{end}"), ox.NamedNode(iri), _DEFAULT)
            for quad in islice(quads, 1):
                if isinstance(quad.subject, ox.NamedNode) and (found := self.fact(quad.subject.value, most=1).sentences):
                    return found[0]
        return None

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
        shown = facts[: 5 * MOST]
        return DocumentCard(
            iri=iri,
            id=identifier,
            label=self.named(iri).label,
            metadata=tuple((name, value) for name, value in known if value),
            texts=tuple((self.text(place, self.term("name"), own), self._pieces(place, own)) for place in texts),
            facts=tuple(shown),
            numbers={sentence.anchor: number for number, fact in enumerate(shown, 1) for sentence in fact.sentences},
        )

    def _place(self, card: FactCard, graph: ox.NamedNode) -> tuple[int, str, str]:
        starts = (self.text(sentence.iri, self.term("startPosition"), graph) for sentence in card.sentences)
        return min((int(start or 0) for start in starts), default=0), card.predicate, card.iri

    def _pieces(self, text: str, graph: ox.NamedNode) -> tuple[Piece, ...]:
        return split(self.text(text, self.term("content"), graph), self._passages(text, graph))

    def _passages(self, text: str, graph: ox.NamedNode) -> Iterator[Passage]:
        """Evidence and mentions in a text."""
        for node in self.subjects(self.term("inText"), text, graph):
            self._load(node, graph)
            start, end = (self.text(node, self.term(f"{name}Position"), graph) for name in ("start", "end"))
            if start and end:
                referent = self.text(node, self.term("refersTo"), graph)
                named = self.named(referent, graph) if referent else Named("", "")
                yield Passage(int(start), int(end), node, named.label, referent, named.kind)

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


def _is_date(value: ox.NamedNode | ox.Literal | None) -> bool:
    return isinstance(value, ox.Literal) and value.datatype.value.rpartition("#")[2] in ("gYear", "gYearMonth", "date")
