"""What the explorer draws: entities and facts of a selection, or the triples of a query, as JSON with a bound."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pyoxigraph as ox

from kg.export.palette import fill_of, ink_of
from kg.export.view import Edge, Node, Selection, View, read_view, words_of
from kg.query.parameters import find_entity
from kg.service.part import Part
from kg.service.reading import Reading, Sentence
from kg.store import Store

__all__ = ["MOST_NODES", "as_data", "connect", "draw", "find_path", "read_part"]

MOST_NODES = 5000
"""Most nodes of one answer."""

_MOST_FACTS = 100_000
_MOST_SENTENCES = 3
_MOST_STEPS = 12
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_NAMES = tuple(
    ox.NamedNode(iri)
    for iri in (
        "http://www.w3.org/2000/01/rdf-schema#label",
        "http://www.w3.org/2004/02/skos/core#prefLabel",
        "https://schema.org/name",
        "http://schema.org/name",
        "http://xmlns.com/foaf/0.1/name",
        "http://purl.org/dc/terms/title",
    )
)
_DEFAULT = ox.DefaultGraph()

Data = dict[str, Any]
Link = Callable[[str], str]
"""Where a page of an IRI is, empty where there is none."""


# -- parts of the graph -----------------------------------------------------------------------------------------


def read_part(store: Store, selection: Selection, most: int = MOST_NODES) -> tuple[View, int]:
    """The view of a selection with at most so many entities, and how many were left out: centres stay, then the best connected.

    What lies around a few entities is looked up by index, so that it costs the same in a large store. NotFound for an unknown entity.
    """
    centres = {find_entity(store, name).value for name in selection.about}
    wanted, source = replace(selection, about=tuple(sorted(centres))), store
    if centres:
        facts = _around(Reading(store), centres, selection.hops)
        if facts is not None:
            source = _part(store, facts, centres)
    elif selection.is_everything:
        ranked = _best(store, most)
        if ranked is not None:
            facts, known = ranked
            view = read_view(_part(store, facts, known), wanted)
            return _cut(view, centres, most), max(0, _number_of_entities(store) - min(len(view.nodes), most))
    view = read_view(source, wanted)
    return _cut(view, centres, most), max(0, len(view.nodes) - most)


def find_path(store: Store, one: str, other: str) -> View:
    """A shortest way over facts between two entities, in either direction; an empty view where there is none of at most 12 facts."""
    start, end = find_entity(store, one).value, find_entity(store, other).value
    reading, former = Reading(store), {start: start}
    frontier = [start]
    for _ in range(_MOST_STEPS):
        if end in former or not frontier or len(former) > _MOST_FACTS:
            break
        following: list[str] = []
        for entity in frontier:
            for near in sorted(_neighbours(reading, entity)):
                if near not in former:
                    former[near] = entity
                    following.append(near)
        frontier = following
    if end not in former:
        return View((), (), ())
    way = [end]
    while way[-1] != start:
        way.append(former[way[-1]])
    return connect(store, way)


def connect(store: Store, entities: list[str]) -> View:
    """Some entities with the facts between those that follow each other."""
    reading, pairs = Reading(store), {frozenset(pair) for pair in pairwise(entities)}
    facts = {fact for entity in entities for fact in _facts_of(reading, entity)}
    view = read_view(_part(store, facts, set(entities)))
    kept = tuple(edge for edge in view.edges if frozenset((edge.subject, edge.object)) in pairs)
    return View(tuple(node for node in view.nodes if node.iri in set(entities)), kept, ())


def _around(reading: Reading, centres: set[str], hops: int) -> set[str] | None:
    """Facts at most so many steps away, and those between what is reached; None where they are too many to look up one by one."""
    reached, frontier, facts = set(centres), set(centres), set[str]()
    for step in range(hops + 1):
        following = set[str]()
        for entity in frontier:
            facts |= _facts_of(reading, entity)
            if len(facts) > _MOST_FACTS:
                return None
            following |= _neighbours(reading, entity) if step < hops else set()
        frontier = following - reached
        reached |= frontier
    return facts


def _facts_of(reading: Reading, entity: str) -> set[str]:
    return {*reading.subjects(f"{_RDF}subject", entity), *reading.subjects(f"{_RDF}object", entity)}


def _neighbours(reading: Reading, entity: str) -> set[str]:
    """Entities that a fact joins with one."""
    ends = {
        *((fact, "object") for fact in reading.subjects(f"{_RDF}subject", entity)),
        *((fact, "subject") for fact in reading.subjects(f"{_RDF}object", entity)),
    }
    return {term.value for fact, end in ends for term in reading.objects(fact, f"{_RDF}{end}") if isinstance(term, ox.NamedNode)}


def _best(store: Store, most: int) -> tuple[set[str], set[str]] | None:
    """Facts between the best connected entities, and these; None where all entities are to be seen."""
    if _number_of_entities(store) <= most:
        return None
    ends: list[dict[str, str]] = []
    for name in ("subject", "object"):
        quads = store.graph.quads_for_pattern(None, ox.NamedNode(f"{_RDF}{name}"), None, _DEFAULT)
        ends.append(
            {q.subject.value: q.object.value for q in quads if isinstance(q.object, ox.NamedNode) and isinstance(q.subject, ox.NamedNode)}
        )
    subjects, objects = ends
    counts = Counter(end for fact, one in subjects.items() if fact in objects for end in {one, objects[fact]})
    kept = {iri for iri, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:most]}
    return {fact for fact, one in subjects.items() if one in kept and (fact not in objects or objects[fact] in kept)}, kept


def _number_of_entities(store: Store) -> int:
    place = f"{store.namespace.base}resource/"
    quads = store.graph.quads_for_pattern(None, _NAMES[0], None, _DEFAULT)
    return len({quad.subject.value for quad in quads if isinstance(quad.subject, ox.NamedNode) and quad.subject.value.startswith(place)})


def _part(store: Store, facts: Iterable[str], entities: Iterable[str]) -> Part:
    """What the fused view says of facts, their ends and their documents, and of these entities."""
    reading = Reading(store)
    nodes, papers = set(facts), set[str]()
    things = set(entities)
    for fact in nodes:
        things |= {t.value for end in ("subject", "object") for t in reading.objects(fact, f"{_RDF}{end}") if isinstance(t, ox.NamedNode)}
        papers |= set(reading.texts(fact, reading.term("statedIn")))
    evidence = {each for fact in nodes for each in reading.texts(fact, reading.term("evidence"))}
    for thing in things:
        papers |= set(reading.texts(thing, reading.term("mentionedIn")))
    every = sorted(nodes | things | papers | evidence)
    return Part(store, (q for iri in every for q in store.graph.quads_for_pattern(ox.NamedNode(iri), None, None, _DEFAULT)))


def _cut(view: View, centres: set[str], most: int) -> View:
    if len(view.nodes) <= most:
        return view
    degrees = Counter(end for edge in view.edges for end in {edge.subject, edge.object})
    order = sorted(view.nodes, key=lambda node: (node.iri not in centres, -degrees[node.iri], -len(node.documents), node.iri))
    kept = {node.iri for node in order[:most]}
    return View(
        tuple(node for node in view.nodes if node.iri in kept),
        tuple(edge for edge in view.edges if {edge.subject, edge.object} <= kept),
        tuple(edge for edge in view.literals if edge.subject in kept),
    )


# -- as JSON ----------------------------------------------------------------------------------------------------


def as_data(view: View, store: Store, link: Link, *, label: Callable[[str], str] = words_of, left_out: int = 0) -> Data:
    """A view as the explorer takes it; `label` gives a predicate's words."""
    reading = Reading(store)
    kinds = {kind for node in view.nodes for kind in node.types}
    return {
        "nodes": [_node(node, link) for node in view.nodes],
        "facts": [_fact(edge, reading, link, label) for edge in (*view.edges, *view.literals)],
        "colours": {kind: [fill_of(kind), ink_of(kind)] for kind in sorted(kinds)},
        "left_out": left_out,
    }


def _node(node: Node, link: Link) -> Data:
    return {
        "id": node.iri,
        "label": node.label,
        "type": node.types[0],
        "types": node.types,
        "aliases": node.aliases,
        "wikidata": node.wikidata,
        "documents": len(node.documents),
        "href": link(node.iri),
    }


def _fact(edge: Edge, reading: Reading, link: Link, label: Callable[[str], str]) -> Data:
    evidence = (reading.sentence(iri) for iri in reading.texts(edge.iri, reading.term("evidence")))
    sentences = sorted(evidence, key=lambda each: (each.confidence, each.quote), reverse=True)
    said = sorted(each.published for each in sentences if each.published)
    when = [edge.start or "", edge.end or ""] if edge.start or edge.end else [said[0], said[-1]] if said else None
    if edge.literal and re.fullmatch(r"\d{4}(-\d\d){0,2}", edge.object):
        when = [edge.object, edge.object]
    return {
        "id": edge.iri,
        "subject": edge.subject,
        "predicate": edge.predicate,
        "label": label(edge.predicate),
        "object": edge.object,
        "literal": edge.literal,
        "start": edge.start,
        "end": edge.end,
        "when": when,
        "confidence": edge.confidence,
        "documents": len(edge.documents),
        "sources": edge.sources,
        "href": link(edge.iri),
        "sentences": [_sentence(each, link) for each in sentences[:_MOST_SENTENCES]],
        "more": max(0, len(sentences) - _MOST_SENTENCES),
    }


def _sentence(sentence: Sentence, link: Link) -> Data:
    place = link(sentence.document.iri)
    return {
        "quote": sentence.quote,
        "document": sentence.document.label,
        "published": sentence.published,
        "href": f"{place}#{sentence.anchor}" if place else "",
    }


# -- triples of a query -----------------------------------------------------------------------------------------


def draw(triples: list[ox.Triple], store: Store, link: Link, shown: Callable[[str], str], most: int = MOST_NODES) -> Data:
    """The graph that triples make, of whatever vocabulary: IRIs and blank nodes are nodes, and what has an IRI or a blank node as its
    object is an edge. Types and names are those of the triples, else those of the store; other literals are values of their subject.
    """
    reading = Reading(store)
    names, kinds, edges, values = _sorted_out(triples)
    degrees = Counter(end for edge in edges for end in (edge.subject, edge.object))
    for end in (*kinds, *names, *(each.subject for each in values)):
        degrees.setdefault(end, 0)
    order = sorted(degrees, key=lambda term: (-degrees[term], str(term)))
    kept = order[:most]
    nodes = [_drawn(term, names.get(term), kinds.get(term, []), reading, link, shown) for term in kept]
    known = set(kept)
    facts = [
        _drawn_fact(n, t, shown, reading, link)
        for n, t in enumerate((*edges, *values))
        if t.subject in known and (t.object in known or isinstance(t.object, ox.Literal))
    ]
    found = sorted({kind for node in nodes for kind in node["types"]})
    return {
        "nodes": nodes,
        "facts": facts,
        "colours": {kind: [fill_of(kind), ink_of(kind)] for kind in found},
        "left_out": len(order) - len(kept),
    }


def _sorted_out(triples: list[ox.Triple]) -> tuple[dict[Any, str], dict[Any, list[str]], list[ox.Triple], list[ox.Triple]]:
    """Names, types, edges and values."""
    names: dict[Any, str] = {}
    kinds: dict[Any, list[str]] = {}
    edges, values = [], []
    for triple in sorted(triples, key=str):
        if triple.predicate in _NAMES and isinstance(triple.object, ox.Literal):
            names.setdefault(triple.subject, triple.object.value)
        elif triple.predicate.value == f"{_RDF}type" and isinstance(triple.object, ox.NamedNode):
            kinds.setdefault(triple.subject, []).append(re.split(r"[/#:]", triple.object.value)[-1] or triple.object.value)
        elif isinstance(triple.object, ox.NamedNode | ox.BlankNode):
            edges.append(triple)
        elif isinstance(triple.object, ox.Literal):
            values.append(triple)
    return names, kinds, edges, values


def _drawn(term: Any, name: str | None, kinds: list[str], reading: Reading, link: Link, shown: Callable[[str], str]) -> Data:
    iri = term.value if isinstance(term, ox.NamedNode) else ""
    ours = iri.startswith(reading.namespace.base)
    if ours and not kinds:
        kinds = sorted(reading.kinds(iri))
    label = name or (reading.named(iri).label if ours else shown(iri).rstrip("/").rpartition("/")[2] if iri else str(term))
    return {
        "id": iri or str(term),
        "label": label or iri,
        "type": kinds[0] if kinds else "Other",
        "types": kinds or ["Other"],
        "aliases": [],
        "wikidata": None,
        "documents": 0,
        "href": link(iri) if iri else "",
    }


def _drawn_fact(number: int, triple: ox.Triple, shown: Callable[[str], str], reading: Reading, link: Link) -> Data:
    """An edge of a query's graph; where it is a fact of ours, with what is known of the fact."""
    subject = triple.subject.value if isinstance(triple.subject, ox.NamedNode) else str(triple.subject)
    value = triple.object.value if isinstance(triple.object, ox.NamedNode | ox.Literal) else str(triple.object)
    prefix = reading.term("")
    local = triple.predicate.value.removeprefix(prefix)
    fact = next(_facts_saying(triple, reading), None) if local != triple.predicate.value else None
    found: Data = {
        "id": fact or f"t{number}",
        "subject": subject,
        "predicate": local if fact else shown(triple.predicate.value),
        "label": words_of(local) if local != triple.predicate.value else shown(triple.predicate.value),
        "object": value,
        "literal": isinstance(triple.object, ox.Literal),
        **dict.fromkeys(("start", "end", "when", "confidence"), None),
        "documents": 0,
        "sources": 0,
        "href": "",
        "sentences": [],
        "more": 0,
    }
    if fact:
        card = reading.fact(fact)
        told = [_sentence(each, link) for each in card.sentences]
        when = [card.start, card.end] if card.start or card.end else None
        found |= {"start": card.start or None, "end": card.end or None, "when": when, "confidence": float(card.confidence or 0)}
        found |= {"documents": card.documents, "sources": card.sources, "href": link(fact)}
        found |= {"sentences": told[:_MOST_SENTENCES], "more": max(0, len(told) - _MOST_SENTENCES)}
    return found


def _facts_saying(triple: ox.Triple, reading: Reading) -> Iterator[str]:
    if isinstance(triple.subject, ox.NamedNode):
        for fact in reading.subjects(f"{_RDF}subject", triple.subject.value):
            same = reading.text(fact, f"{_RDF}predicate") == triple.predicate.value
            if same and triple.object in reading.objects(fact, f"{_RDF}object"):
                yield fact
