"""Matches names and property values with a store's entities, as the Reconciliation Service API asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import pyoxigraph as ox
from rapidfuzz import fuzz

from kg.errors import UsageError
from kg.names import fold
from kg.query.names import Named, NameIndex
from kg.rdf.iris import WIKIDATA
from kg.rdf.ontology import Ontology
from kg.store import Store

__all__ = ["Candidate", "Condition", "GraphProperty", "Reconciler", "Sought", "Value"]

INVERSE = "^"
"""Before a predicate's name: read from its object's end, as in SPARQL's property paths."""

ALIAS, WIKIDATA_ITEM, DOCUMENT = "altLabel", "sameAs", "mentionedIn"

_OWN = {
    ALIAS: ("other name", "http://www.w3.org/2004/02/skos/core#altLabel"),
    WIKIDATA_ITEM: ("Wikidata item", "http://www.w3.org/2002/07/owl#sameAs"),
    DOCUMENT: ("document", None),
}
_DATE = "http://www.w3.org/2001/XMLSchema#date"
_DEFAULT = ox.DefaultGraph()

# A candidate is certain from 95 points on, less five for each condition, and ten ahead of the next.
_CERTAIN, _LESS, _AHEAD = 95.0, 5.0, 10.0
_CONDITION_WEIGHT = 0.4
_UNKNOWN = 0.5
_OTHER_TYPE = 0.8
_LEAST_RATIO = 75


@dataclass(frozen=True, slots=True)
class GraphProperty:
    """Something that entities may have values of; `range` is the one class that the values have, where there is one."""

    id: str
    name: str
    description: str
    predicate: str
    inverse: bool = False
    symmetric: bool = False
    domain: frozenset[str] = frozenset()
    range: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Value:
    """A value of an entity: another entity, or text; a whole day where `date` is true."""

    text: str
    entity: Named | None = None
    date: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """Values that a property should have; `quantifier` is ``any``, ``all`` or ``none`` of them."""

    property: str
    values: tuple[str, ...]
    quantifier: str = "any"
    required: bool = False
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Sought:
    """One query, for any of some names. `strict` says how types count: ``any`` or ``all`` of them must be there, or one ``should``."""

    names: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    strict: str = "any"
    conditions: tuple[Condition, ...] = ()
    limit: int = 10


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entity with its score (0 to 100), what made it, and whether it is certain; at most one of a query is."""

    entity: Named
    score: float
    match: bool
    features: tuple[tuple[str, float], ...]


class Reconciler:
    """Answers queries over one state of a store."""

    def __init__(self, store: Store, ontology: Ontology, names: NameIndex) -> None:
        self.store = store
        self.ontology = ontology
        self.names = names
        self.properties: Mapping[str, GraphProperty] = {each.id: each for each in _properties(ontology, store)}

    # -- what there is -----------------------------------------------------------------------------------------

    def entity(self, ident: str) -> Named | None:
        """The entity of an id, an IRI, or a Wikidata item that it is linked to."""
        known = self.names.entities.get(ident) or self.names.entities.get(self.store.namespace.entity_id(ident) or "")
        if known:
            return known
        item = ident if ident.startswith(WIKIDATA) else f"{WIKIDATA}{ident}" if ident[:1] == "Q" and ident[1:].isdigit() else ""
        found = self._subjects(_OWN[WIKIDATA_ITEM][1] or "", ox.NamedNode(item)) if item and _is_iri(item) else []
        return next((entity for iri in found if (entity := self._named(iri))), None)

    def find_property(self, ident: str) -> GraphProperty:
        """The property of an id or an IRI of ours. UsageError where there is none."""
        found = self.properties.get(ident) or self.properties.get(ident.removeprefix(self.store.namespace.term("")))
        if found is None:
            near = get_close_matches(ident, self.properties, n=3, cutoff=0.5)
            raise UsageError(
                f"there is no property {ident!r}", hint=f"did you mean {', '.join(near)}?" if near else "see /suggest/property"
            )
        return found

    def describe(self, entity: Named) -> str:
        """A few words that tell namesakes apart: types, and one fact."""
        kinds = ", ".join(self.ontology.classes[kind].label for kind in entity.types)
        for name in self.ontology.predicates:
            value = next(iter(self.values(entity, self.properties[name])), None)
            if value is not None:
                words = value.text if len(value.text) <= 80 else f"{value.text[:79]}…"
                return f"{kinds}; {self.properties[name].name} {words}"
        return kinds

    def values(self, entity: Named, of: GraphProperty) -> list[Value]:
        """What an entity has of a property, sorted."""
        node, found = ox.NamedNode(entity.iri), set[Value]()
        if not of.inverse:
            quads = self.store.graph.quads_for_pattern(node, ox.NamedNode(of.predicate), None, _DEFAULT)
            found |= {value for quad in quads if (value := self._value(quad.object))}
        if of.inverse or of.symmetric:
            found |= {Value(each.label, each) for iri in self._subjects(of.predicate, node) if (each := self._named(iri))}
        return sorted(found, key=lambda each: (each.text, each.entity.id if each.entity else ""))

    def _subjects(self, predicate: str, value: ox.NamedNode) -> list[str]:
        quads = self.store.graph.quads_for_pattern(None, ox.NamedNode(predicate), value, _DEFAULT)
        return sorted(quad.subject.value for quad in quads if isinstance(quad.subject, ox.NamedNode))

    def _named(self, iri: str) -> Named | None:
        return self.names.entities.get(self.store.namespace.entity_id(iri) or "")

    def _value(self, term: object) -> Value | None:
        if isinstance(term, ox.Literal):
            return Value(term.value, date=term.datatype.value == _DATE)
        if not isinstance(term, ox.NamedNode):
            return None
        entity = self._named(term.value)
        if entity:
            return Value(entity.label, entity)
        base = f"{self.store.namespace.base}resource/document/"
        return Value(term.value.removeprefix(WIKIDATA).removeprefix(base))

    # -- matching ----------------------------------------------------------------------------------------------

    def match(self, sought: Sought) -> list[Candidate]:
        """The best candidates of a query, at most `limit`; one is certain only if it is clearly ahead of the next.

        Of a property that is not known nothing is known: it speaks neither for nor against an entity.
        """
        prefix = self.store.namespace.term("")
        of = [self.properties.get(condition.property.removeprefix(prefix)) for condition in sought.conditions]
        rated = [rating for entity, features in self._pool(sought) if (rating := self._rated(sought, of, entity, features))]
        rated.sort(key=lambda each: (-each[1], -each[0].documents, each[0].id))
        least = _CERTAIN - _LESS * len(sought.conditions)
        ahead = len(rated) == 1 or (len(rated) > 1 and rated[0][1] - rated[1][1] >= _AHEAD)
        certain = bool(rated) and ahead and rated[0][1] >= least and bool(sought.names or sought.ids)
        kept = rated[: sought.limit]
        return [Candidate(entity, score, certain and place == 0, features) for place, (entity, score, features) in enumerate(kept)]

    def _pool(self, sought: Sought) -> Iterator[tuple[Named, dict[str, float]]]:
        """Entities that may be meant, with how like their name is."""
        wanted = {self.local(kind) for kind in sought.types}
        for entity, features in self._found(sought):
            shared = wanted & set(entity.types)
            fits = not wanted or (shared == wanted if sought.strict == "all" else bool(shared))
            if fits or sought.strict == "should":
                yield entity, {**features, **({"type": float(fits)} if wanted else {})}

    def _found(self, sought: Sought) -> Iterator[tuple[Named, dict[str, float]]]:
        if not sought.names and not sought.ids:
            yield from ((entity, {}) for entity in self._holders(sought.conditions))
            return
        found: dict[str, float] = {}
        for ident in (*sought.ids, *sought.names):
            entity = self.entity(ident)
            if entity:
                found[entity.id] = 1.0
        for name in sought.names:
            for each in self.names.similar(name):
                found[each.entity.id] = max(each.similarity, found.get(each.entity.id, 0.0))
        yield from ((self.names.entities[ident], {"name": value}) for ident, value in found.items())

    def _holders(self, conditions: Iterable[Condition]) -> Iterable[Named]:
        """Entities that have some value of what values are sought of; all, where values are only to be absent."""
        of = [self.properties.get(each.property) for each in conditions if each.quantifier != "none"]
        found: dict[str, Named] = {}
        for each in of:
            quads = self.store.graph.quads_for_pattern(None, ox.NamedNode(each.predicate), None, _DEFAULT) if each else ()
            for quad in quads:
                ends = (quad.subject, quad.object) if each and each.symmetric else (quad.object if each and each.inverse else quad.subject,)
                for end in ends:
                    entity = self._named(end.value) if isinstance(end, ox.NamedNode) else None
                    if entity:
                        found[entity.id] = entity
        return found.values() if of else self.names.entities.values()

    def local(self, kind: str) -> str:
        """The local name of a class, which may be given as an IRI."""
        return kind.removeprefix(self.store.namespace.term(""))

    def _rated(
        self, sought: Sought, of: list[GraphProperty | None], entity: Named, features: dict[str, float]
    ) -> tuple[Named, float, tuple[tuple[str, float], ...]] | None:
        """A candidate's score; None where it lacks what is required, or has nothing of what is asked for."""
        total, weight = (features["name"], 1.0) if "name" in features else (0.0, 0.0)
        found = dict(features)
        for condition, prop in zip(sought.conditions, of, strict=True):
            fit = self._fit(condition, self.values(entity, prop) if prop else [])
            if condition.required and (fit is None or fit < 1):
                return None
            found[condition.property] = _UNKNOWN if fit is None else fit
            total += _CONDITION_WEIGHT * found[condition.property]
            weight += _CONDITION_WEIGHT
        if "name" not in features and not any(found[each.property] > _UNKNOWN for each in sought.conditions):
            return None
        share = total / weight if weight else 0.0
        if found.get("type") == 0.0:
            share *= _OTHER_TYPE
        return entity, round(100 * share, 2), tuple((name, round(value, 4)) for name, value in found.items())

    def _fit(self, condition: Condition, values: list[Value]) -> float | None:
        """How well values meet a condition, 0 to 1; None where there are no values to compare."""
        if not values:
            return 1.0 if condition.quantifier == "none" else None
        likeness = [max(_likeness(wanted, value, exact=condition.exact) for value in values) for wanted in condition.values]
        if not likeness:
            return None
        if condition.quantifier == "none":
            return 1.0 - max(likeness)
        return min(likeness) if condition.quantifier == "all" else max(likeness)


def _likeness(wanted: str, value: Value, *, exact: bool) -> float:
    """How like a value is to the one that is wanted: an id or a name of the entity, a date in common precision, a text."""
    if value.entity and wanted in (value.entity.id, value.entity.iri):
        return 1.0
    names = (value.entity.label, *value.entity.aliases) if value.entity else (value.text,)
    given = wanted.removeprefix(WIKIDATA)
    if any(fold(name) == fold(given) for name in names) or (value.text[:4].isdigit() and _same_date(given, value.text)):
        return 1.0
    best = max(fuzz.ratio(fold(name), fold(given)) for name in names)
    return best / 100 if not exact and best >= _LEAST_RATIO else 0.0


def _same_date(one: str, other: str) -> bool:
    common = min(len(one), len(other))
    return common in (4, 7, 10) and one[:common] == other[:common]


def _is_iri(text: str) -> bool:
    try:
        ox.NamedNode(text)
    except ValueError:
        return False
    return True


def _properties(ontology: Ontology, store: Store) -> Iterable[GraphProperty]:
    for name, term in ontology.predicates.items():
        iri = store.namespace.term(name)
        domain, reach = frozenset(term.domain), frozenset(term.range)
        yield GraphProperty(name, term.label, term.comment, iri, False, term.symmetric, domain=domain, range=term.range)
        if not term.literal and not term.symmetric:
            words = f"{term.label} (read from the other end)"
            yield GraphProperty(f"{INVERSE}{name}", words, f"What “{term.label}” leads from.", iri, True, domain=reach, range=term.domain)
    for name, (label, place) in _OWN.items():
        yield GraphProperty(name, label, "", place or store.namespace.term(name))
