"""Names of a store's entities: found exactly, by a part, with a typing error, or by how they begin."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import pyoxigraph as ox
from rapidfuzz import fuzz, process

from kg.names import fold, is_part
from kg.store import Store

__all__ = ["NameIndex", "Named", "Similar"]

_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
_ALIAS = "http://www.w3.org/2004/02/skos/core#altLabel"
_DEFAULT = ox.DefaultGraph()

_EXACT_ALIAS = 0.95
_PARTIAL_ALIAS = 0.85  # "Kim" of Kim Kardashian: right in its document, yet a name that many bear
_TYPO = 0.9
_LEAST_RATIO = 75
_PART, _COVERED = 0.6, 0.2
_MOST = 50


@dataclass(frozen=True, slots=True)
class Named:
    """An entity of the fused view: its id (``person/liv-vane``), names and types, and how many documents mention it."""

    id: str
    iri: str
    label: str
    aliases: tuple[str, ...]
    types: tuple[str, ...]
    documents: int


@dataclass(frozen=True, slots=True)
class Similar:
    """An entity with how like its name is to what was sought, 0 to 1; 1 is its label, but for case, accents and punctuation."""

    entity: Named
    similarity: float


class NameIndex:
    """The names of one state of a store. `types` are the local names of the classes whose members are entities."""

    def __init__(self, store: Store, types: Collection[str]) -> None:
        self.entities = {entity.id: entity for entity in _read(store, frozenset(types))}
        self._holders: dict[str, dict[str, float]] = defaultdict(dict)
        for entity in self.entities.values():
            for name, weight in _weighted(entity):
                holders = self._holders[name]
                holders[entity.id] = max(weight, holders.get(entity.id, 0.0))
        self._names = sorted(self._holders)
        words: dict[str, list[int]] = defaultdict(list)
        for place, name in enumerate(self._names):
            for word in set(name.split()):
                words[word].append(place)
        self._words = dict(words)
        self._vocabulary = sorted(words)

    def exactly(self, name: str) -> list[Named]:
        """Entities that bear this name, but for case, accents and punctuation."""
        return [self.entities[ident] for ident in self._holders.get(fold(name), ())]

    def similar(self, name: str) -> list[Similar]:
        """Entities whose name is like this one, the likest first: the same, with a typing error, or one a part of the other."""
        folded = fold(name)
        found: dict[str, float] = {}
        for form, likeness in self._forms(folded):
            for ident, weight in self._holders[form].items():
                found[ident] = max(found.get(ident, 0.0), round(weight * likeness, 4))
        rated = (Similar(self.entities[ident], value) for ident, value in found.items())
        return sorted(rated, key=lambda each: (-each.similarity, -each.entity.documents, each.entity.id))

    def _forms(self, folded: str) -> Iterator[tuple[str, float]]:
        """Names of the index that are like a folded name, with how like they are."""
        if not folded:
            return
        if folded in self._holders:
            yield folded, 1.0
        for form, ratio, _ in process.extract(folded, self._names, scorer=fuzz.ratio, score_cutoff=_LEAST_RATIO, limit=_MOST):
            if form != folded:
                yield form, _TYPO * ratio / 100
        yield from self._parts(folded.split())

    def _parts(self, words: list[str]) -> Iterator[tuple[str, float]]:
        """Names that have all these words, or of which these words have all."""
        known = [set(self._words[word]) for word in words if word in self._words]
        if len(known) == len(words):
            for place in sorted(set.intersection(*known))[:_MOST]:
                yield self._names[place], _PART + _COVERED * len(words) / max(len(words), len(self._names[place].split()))
        for place in sorted(set().union(*known))[: _MOST * _MOST]:
            parts = self._names[place].split()
            if len(parts) < len(words) and set(parts) <= set(words):
                yield self._names[place], _PART + _COVERED * len(parts) / len(words)

    def beginning(self, prefix: str) -> list[Named]:
        """Entities of which a name, or a word in one, begins like this; those whose label does first, then the best known."""
        folded = fold(prefix) if prefix.strip() else ""
        first = {ident for name in _starting(self._names, folded) for ident in self._holders[name]}
        within = {
            ident
            for word in (_starting(self._vocabulary, folded) if folded and " " not in folded else ())
            for place in self._words[word]
            for ident in self._holders[self._names[place]]
        }

        def order(entity: Named) -> tuple[object, ...]:
            return not fold(entity.label).startswith(folded), entity.id not in first, -entity.documents, entity.label, entity.id

        return sorted((self.entities[ident] for ident in first | within), key=order)


def _starting(ordered: list[str], prefix: str) -> Iterator[str]:
    for place in range(bisect_left(ordered, prefix), len(ordered)):
        if not ordered[place].startswith(prefix):
            return
        yield ordered[place]


def _weighted(entity: Named) -> Iterator[tuple[str, float]]:
    yield fold(entity.label), 1.0
    for alias in entity.aliases:
        yield fold(alias), _PARTIAL_ALIAS if is_part(alias, entity.label) else _EXACT_ALIAS


def _read(store: Store, types: frozenset[str]) -> Iterator[Named]:
    """Every entity under the store's own base."""
    namespace = store.namespace
    kinds: dict[str, list[str]] = defaultdict(list)
    for kind in sorted(types):
        for quad in store.graph.quads_for_pattern(None, _TYPE, ox.NamedNode(namespace.term(kind)), _DEFAULT):
            if isinstance(quad.subject, ox.NamedNode):
                kinds[quad.subject.value].append(kind)
    labels, aliases, documents = (_column(store, name) for name in (_LABEL, _ALIAS, namespace.term("mentionedIn")))
    for iri in sorted(kinds.keys() & labels.keys()):
        ident = namespace.entity_id(iri)
        if ident:
            yield Named(ident, iri, min(labels[iri]), tuple(sorted(aliases.get(iri, ()))), tuple(kinds[iri]), len(documents.get(iri, ())))


def _column(store: Store, predicate: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    quads: Iterable[ox.Quad] = store.graph.quads_for_pattern(None, ox.NamedNode(predicate), None, _DEFAULT)
    for quad in quads:
        if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.object, ox.NamedNode | ox.Literal):
            found[quad.subject.value].append(quad.object.value)
    return found
