"""What of a store is exported: entities as nodes and facts as edges, narrowed by a selection."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypedDict

import pyoxigraph as ox

from kg.errors import NotFound
from kg.rdf.iris import WIKIDATA
from kg.store import Store

__all__ = ["Edge", "Node", "Options", "Selection", "View", "best_connected", "find_nodes", "read_view", "words_of"]

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
_ALIAS = "http://www.w3.org/2004/02/skos/core#altLabel"
_SAME_AS = "http://www.w3.org/2002/07/owl#sameAs"
_DEFAULT = ox.DefaultGraph()


class Options(TypedDict, total=False):
    """The fields of Selection, for functions that take them as keyword arguments."""

    about: Iterable[str] | str | None
    hops: int
    types: Iterable[str] | None
    predicates: Iterable[str] | None
    since: str | None
    until: str | None
    min_confidence: float
    triples: Iterable[ox.Triple] | None
    measures: bool


@dataclass(frozen=True, slots=True)
class Selection:
    """Which part of a graph is meant; nothing given means all of it.

    `about` are entities by IRI, id (``person/liv-vane``) or name, and `hops` is how many facts away from them is still in.
    `since` and `until` are ISO 8601 dates of any precision: a fact is in when its period overlaps theirs; where it has no
    dates of its own, those of its documents count. `triples` are the result of a query: facts and entities found in it are in.
    `measures` adds the measures of kg.export.measures to the nodes; it narrows nothing.
    """

    about: tuple[str, ...] = ()
    hops: int = 1
    types: frozenset[str] = frozenset()
    predicates: frozenset[str] = frozenset()
    since: str | None = None
    until: str | None = None
    min_confidence: float = 0.0
    triples: frozenset[ox.Triple] | None = None
    measures: bool = False

    @classmethod
    def from_options(cls, options: Options) -> Selection:
        """A selection of keyword arguments, in which None and nothing are the same."""
        about = options.get("about") or ()
        triples = options.get("triples")
        return cls(
            (about,) if isinstance(about, str) else tuple(about),
            options.get("hops", 1),
            frozenset(options.get("types") or ()),
            frozenset(options.get("predicates") or ()),
            options.get("since"),
            options.get("until"),
            options.get("min_confidence", 0.0),
            None if triples is None else frozenset(triples),
            options.get("measures", False),
        )

    @property
    def is_everything(self) -> bool:
        """Whether nothing was narrowed."""
        return self == Selection(hops=self.hops, measures=self.measures)

    @property
    def narrows_facts(self) -> bool:
        """Whether facts were left out for what they are, so that entities without any are left out too."""
        return bool(self.predicates or self.since or self.until or self.min_confidence > 0)


@dataclass(frozen=True, slots=True)
class Node:
    """One entity; `documents` are ids, `values` its facts whose object is text or a date, by predicate, `measures` where asked for."""

    iri: str
    label: str
    types: tuple[str, ...]
    aliases: tuple[str, ...]
    wikidata: str | None
    documents: tuple[str, ...]
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    measures: tuple[tuple[str, int | float], ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """One fact; `object` is an IRI, or the value where `literal` is true; `sentence` is its most confident quote."""

    id: str
    iri: str
    subject: str
    predicate: str
    object: str
    literal: bool
    triple: ox.Triple
    start: str | None
    end: str | None
    confidence: float
    documents: tuple[str, ...]
    sources: int
    sentence: str

    @property
    def label(self) -> str:
        """The predicate in words."""
        return words_of(self.predicate)


@dataclass(frozen=True, slots=True)
class View:
    """Nodes and edges, sorted by IRI; `literals` are the facts that went into the nodes' values."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    literals: tuple[Edge, ...]

    @property
    def value_names(self) -> tuple[str, ...]:
        """Predicates that some node has a value of, sorted."""
        return tuple(sorted({name for node in self.nodes for name, _ in node.values}))


def words_of(local: str) -> str:
    """A predicate's local name in words.

    >>> words_of("creativeDirectorOf")
    'creative director of'
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", local).lower()


def best_connected(view: View, most: int) -> View:
    """The view with at most so many nodes: those with most facts to others, then most documents, then by IRI."""
    if len(view.nodes) <= most:
        return view
    degrees = Counter(end for edge in view.edges for end in {edge.subject, edge.object})
    order = sorted(view.nodes, key=lambda node: (-degrees[node.iri], -len(node.documents), node.iri))
    kept = {node.iri for node in order[:most]}
    return View(
        tuple(node for node in view.nodes if node.iri in kept),
        tuple(edge for edge in view.edges if {edge.subject, edge.object} <= kept),
        tuple(edge for edge in view.literals if edge.subject in kept),
    )


def read_view(store: Store, selection: Selection | None = None) -> View:
    """The selected part of a store's fused view. NotFound for an entity of `about` that is not there."""
    wanted = selection or Selection()
    reader = _Reader(store)
    nodes = {node.iri: node for node in reader.nodes()}
    facts = [edge for edge in reader.edges() if _admits(wanted, edge, reader.published)]
    kept = _kept_nodes(wanted, nodes, facts)
    facts = [edge for edge in facts if edge.subject in kept and (edge.literal or edge.object in kept)]
    values: dict[str, dict[str, list[str]]] = {}
    for edge in facts:
        if edge.literal:
            values.setdefault(edge.subject, {}).setdefault(edge.predicate, []).append(edge.object)
    edges = tuple(edge for edge in facts if not edge.literal)
    measured = _measured(sorted(kept), edges) if wanted.measures else {}
    return View(
        tuple(_completed(nodes[iri], values.get(iri, {}), measured.get(iri, {})) for iri in sorted(kept)),
        edges,
        tuple(edge for edge in facts if edge.literal),
    )


def _measured(kept: Iterable[str], edges: Iterable[Edge]) -> Mapping[str, Mapping[str, int | float]]:
    from kg.export.measures import measure  # networkx takes a while to load

    return measure(kept, ((edge.subject, edge.object) for edge in edges))


def _completed(node: Node, values: dict[str, list[str]], measures: Mapping[str, int | float]) -> Node:
    pairs = tuple((name, tuple(sorted(values[name]))) for name in sorted(values))
    return replace(node, values=pairs, measures=tuple(measures.items()))


# -- what is in -------------------------------------------------------------------------------------------------


def _admits(selection: Selection, edge: Edge, published: dict[str, str]) -> bool:
    if selection.predicates and edge.predicate not in selection.predicates:
        return False
    if edge.confidence < selection.min_confidence:
        return False
    if selection.triples is not None and edge.triple not in selection.triples:
        return False
    if selection.since is None and selection.until is None:
        return True
    return any(_overlaps(period, selection) for period in _periods(edge, published))


def _periods(edge: Edge, published: dict[str, str]) -> Iterator[tuple[str, str]]:
    """When a fact holds, as (start, end), either of which may be empty; else when documents said it."""
    if edge.start or edge.end:
        yield edge.start or "", edge.end or ""
    elif edge.literal and re.fullmatch(r"\d{4}(-\d\d){0,2}", edge.object):
        yield edge.object, edge.object
    else:
        for document in edge.documents:
            if document in published:
                yield published[document], published[document]


def _overlaps(period: tuple[str, str], selection: Selection) -> bool:
    start, end = period
    return not (_before(end, selection.since or "") or _before(selection.until or "", start))


def _before(one: str, other: str) -> bool:
    """Whether a date is earlier in the precision that both have; no date is never earlier."""
    common = min(len(one), len(other))
    return one[:common] < other[:common]


def _kept_nodes(selection: Selection, nodes: dict[str, Node], facts: list[Edge]) -> set[str]:
    kept = {iri for iri, node in nodes.items() if not selection.types or selection.types & set(node.types)}
    if selection.triples is not None:
        ends = {term.value for t in selection.triples for term in (t.subject, t.object) if isinstance(term, ox.NamedNode)}
        kept &= ends
    if selection.narrows_facts:
        kept &= {iri for edge in facts for iri in (edge.subject, edge.object)}
    if selection.about:
        kept &= _within(selection.hops, {iri for name in selection.about for iri in find_nodes(nodes, name)}, facts, kept)
    return kept


def _within(hops: int, centres: set[str], facts: list[Edge], allowed: set[str]) -> set[str]:
    """What is at most so many facts away; the centres themselves are in whatever their type."""
    reached, frontier = set(centres), set(centres)
    allowed |= centres
    for _ in range(hops):
        near = {other for e in facts if not e.literal for one, other in ((e.subject, e.object), (e.object, e.subject)) if one in frontier}
        frontier = (near & allowed) - reached
        if not frontier:
            break
        reached |= frontier
    return reached


def find_nodes(nodes: Mapping[str, Node], name: str) -> list[str]:
    """IRIs of the entities that an IRI, id or name means. NotFound suggests near names."""
    if name in nodes:
        return [name]
    by_id = [iri for iri in nodes if iri.partition("/resource/")[2] == name]
    if by_id:
        return by_id
    folded = name.casefold()
    found = [iri for iri, node in nodes.items() if folded == node.label.casefold()]
    found = found or [iri for iri, node in nodes.items() if folded in (alias.casefold() for alias in node.aliases)]
    if not found:
        raise NotFound.among("entity", name, {node.label for node in nodes.values()})
    return found


# -- reading ----------------------------------------------------------------------------------------------------


class _Reader:
    """Reads columns (subject → objects) of the default graph."""

    def __init__(self, store: Store) -> None:
        self.graph = store.graph
        self.namespace = store.namespace
        self.identifiers = {iri: terms[0].value for iri, terms in self.column(self.term("identifier")).items()}
        dates = self.column(self.term("published"))
        self.published = {self.identifiers[iri]: terms[0].value for iri, terms in dates.items() if iri in self.identifiers}

    def term(self, local: str) -> str:
        return self.namespace.term(local)

    def column(self, predicate: str) -> dict[str, list[ox.NamedNode | ox.Literal]]:
        found: dict[str, list[ox.NamedNode | ox.Literal]] = {}
        for quad in self.graph.quads_for_pattern(None, ox.NamedNode(predicate), None, _DEFAULT):
            if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.object, ox.NamedNode | ox.Literal):
                found.setdefault(quad.subject.value, []).append(quad.object)
        for terms in found.values():
            terms.sort(key=str)
        return found

    def nodes(self) -> Iterator[Node]:
        """Every entity: whatever has a label and a type of the ontology."""
        kinds, aliases = self.column(f"{_RDF}type"), self.column(_ALIAS)
        items, documents = self.column(_SAME_AS), self.column(self.term("mentionedIn"))
        prefix = self.term("")
        for iri, labels in sorted(self.column(_LABEL).items()):
            types = tuple(t.value.removeprefix(prefix) for t in kinds.get(iri, ()) if t.value.startswith(prefix))
            if not types:
                continue
            qids = [item.value.removeprefix(WIKIDATA) for item in items.get(iri, ()) if item.value.startswith(WIKIDATA)]
            yield Node(
                iri,
                labels[0].value,
                types,
                tuple(alias.value for alias in aliases.get(iri, ())),
                qids[0] if qids else None,
                self.ids(documents.get(iri, ())),
            )

    def ids(self, documents: Iterable[ox.NamedNode | ox.Literal]) -> tuple[str, ...]:
        return tuple(sorted(self.identifiers[d.value] for d in documents if d.value in self.identifiers))

    def edges(self) -> Iterator[Edge]:
        """Every fact node of the fused view."""
        names = ("startDate", "endDate", "confidence", "sourceCount", "statedIn", "evidence", "quote")
        columns = {name: self.column(self.term(name)) for name in names}
        subjects, objects = self.column(f"{_RDF}subject"), self.column(f"{_RDF}object")
        prefix, place = self.term(""), self.namespace.fact("")
        for iri, predicates in sorted(self.column(f"{_RDF}predicate").items()):
            predicate = predicates[0]
            if iri not in subjects or iri not in objects or not isinstance(predicate, ox.NamedNode):
                continue
            subject, value = subjects[iri][0], objects[iri][0]
            if not isinstance(subject, ox.NamedNode):
                continue
            yield Edge(
                id=iri.removeprefix(place),
                iri=iri,
                subject=subject.value,
                predicate=predicate.value.removeprefix(prefix),
                object=value.value,
                literal=isinstance(value, ox.Literal),
                triple=ox.Triple(subject, predicate, value),
                documents=self.ids(columns["statedIn"].get(iri, ())),
                start=_first(columns["startDate"], iri),
                end=_first(columns["endDate"], iri),
                confidence=float(_first(columns["confidence"], iri) or 0),
                sources=int(_first(columns["sourceCount"], iri) or 1),
                sentence=_sentence(columns, iri),
            )


def _first(column: dict[str, list[ox.NamedNode | ox.Literal]], iri: str) -> str | None:
    terms = column.get(iri)
    return terms[0].value if terms else None


def _sentence(columns: dict[str, dict[str, list[ox.NamedNode | ox.Literal]]], fact: str) -> str:
    """The most confident quote of a fact; among equals the first by text."""
    quotes = [
        (-float(_first(columns["confidence"], place.value) or 0), quote.value)
        for place in columns["evidence"].get(fact, ())
        for quote in columns["quote"].get(place.value, ())
    ]
    return min(quotes)[1] if quotes else ""
