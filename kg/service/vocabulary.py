"""What the page of the ontology shows: each term with its rules, its counterparts and examples from the store, and a diagram."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

import pyoxigraph as ox

from kg.rdf.mapping import Correspondence, Demand, load_correspondences, load_demands
from kg.rdf.ontology import Ontology, OntologyClass, Property
from kg.service.reading import FactCard, Named, Reading
from kg.settings import Settings

__all__ = ["Diagram", "Term", "diagram", "terms"]

_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_PREDICATE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#predicate")
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Term:
    """A class or property with what belongs to it; examples are entities of a class, or facts with a predicate."""

    term: OntologyClass | Property
    demands: tuple[Demand, ...]
    counterparts: tuple[Correspondence, ...]
    entities: tuple[Named, ...] = ()
    facts: tuple[FactCard, ...] = ()


@lru_cache(maxsize=4)
def _rules(settings: Settings) -> tuple[dict[str, tuple[Demand, ...]], dict[str, tuple[Correspondence, ...]]]:
    """What files of the ontology say beside ``kg.ttl``; read once, since they don't change while the service runs."""
    return dict(load_demands(settings)), dict(load_correspondences(settings))


def terms(reading: Reading, ontology: Ontology, settings: Settings) -> dict[str, Term]:
    """Every term by its local name. Its cost does not grow with the store."""
    demands, counterparts = _rules(settings)
    known: dict[str, OntologyClass | Property] = {**ontology.classes, **ontology.properties}
    return {
        name: Term(
            term,
            demands.get(name, ()),
            counterparts.get(name, ()),
            tuple(_entities(reading, name)) if name in ontology.entity_types else (),
            tuple(_facts(reading, name)) if name in ontology.predicates else (),
        )
        for name, term in known.items()
    }


def _entities(reading: Reading, name: str) -> Iterator[Named]:
    typed = reading.graph.quads_for_pattern(None, _TYPE, ox.NamedNode(reading.term(name)), ox.DefaultGraph())
    for quad in islice(typed, _EXAMPLES):
        if isinstance(quad.subject, ox.NamedNode):
            yield reading.named(quad.subject.value)


def _facts(reading: Reading, name: str) -> Iterator[FactCard]:
    said = reading.graph.quads_for_pattern(None, _PREDICATE, ox.NamedNode(reading.term(name)), ox.DefaultGraph())
    for quad in islice(said, _EXAMPLES):
        if isinstance(quad.subject, ox.NamedNode):
            yield reading.fact(quad.subject.value, most=1)


# -- diagram --------------------------------------------------------------------------------------------------

_WIDE, _ROW, _BOX = 760.0, 26.0, 34.0
_LEFT, _MIDDLE, _RIGHT = 80.0, 380.0, 680.0


@dataclass(frozen=True, slots=True)
class _Place:
    """A box or a word with its middle."""

    name: str
    x: float
    y: float
    is_class: bool = False


@dataclass(frozen=True, slots=True)
class Diagram:
    """Classes left and right of the predicates that lead from one to the other; `lines` are (class, from, to)."""

    width: float
    height: float
    subjects: tuple[_Place, ...]
    predicates: tuple[_Place, ...]
    objects: tuple[_Place, ...]
    lines: tuple[tuple[str, _Place, _Place], ...]


def diagram(ontology: Ontology) -> Diagram:
    """Where each class and predicate stands: predicates in the order of what they are about, so that few lines cross."""
    kinds = list(ontology.entity_types)
    ends = {
        name: ([kind for kind in kinds if not term.domain or kind in term.domain], _targets(term, kinds))
        for name, term in ontology.predicates.items()
    }
    order = sorted(ends, key=lambda name: (sum(map(kinds.index, ends[name][0])) / max(1, len(ends[name][0])), name))
    lefts = [kind for kind in kinds if any(kind in domain for domain, _ in ends.values())]
    rights = list(
        dict.fromkeys(kind for kind in (*kinds, "date", "string", "integer", "decimal") for _, far in ends.values() if kind in far)
    )
    height = max(_ROW * len(order), _BOX * max(len(lefts), len(rights), 1)) + 20
    subjects, words, objects = _column(lefts, _LEFT, height), _column(order, _MIDDLE, height), _column(rights, _RIGHT, height)
    lines = [
        *((kind, subjects[kind], words[name]) for name in order for kind in ends[name][0]),
        *((kind, words[name], objects[kind]) for name in order for kind in ends[name][1]),
    ]
    return Diagram(_WIDE, height, tuple(subjects.values()), tuple(words.values()), tuple(objects.values()), tuple(lines))


def _targets(term: Property, kinds: list[str]) -> list[str]:
    return [term.literal] if term.literal else [kind for kind in kinds if not term.range or kind in term.range]


def _column(names: list[str], x: float, height: float) -> dict[str, _Place]:
    step = height / max(1, len(names))
    return {name: _Place(name, x, round(step * (number + 0.5), 1), name[:1].isupper()) for number, name in enumerate(names)}
