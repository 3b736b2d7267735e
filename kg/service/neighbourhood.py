"""An entity between what it has facts with: a small drawing that needs no script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pyoxigraph as ox

from kg.export.lettering import shortened, width_of
from kg.service.reading import EntityCard, Named, Reading

__all__ = ["MOST_NEIGHBOURS", "Neighbourhood", "neighbourhood"]

MOST_NEIGHBOURS = 12
"""How many other entities are drawn."""

_WIDE, _ROW, _HEAD = 600.0, 56.0, 34.0
_SIZE, _SMALL = 14.0, 11.5
_SIDE = 190.0
"""Width of the left and of the right column."""


@dataclass(slots=True)
class _Neighbour:
    """Another entity; `said` is what facts say of both (predicate, whether it leads here)."""

    named: Named
    said: list[tuple[str, bool]] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0
    half: float = 0.0

    @property
    def label(self) -> str:
        """The name, as long as there is room for it."""
        return shortened(self.named.label, (_SIDE - 28) / _SIZE)

    @property
    def inner(self) -> float:
        """Where lines end: the edge that faces the middle."""
        return self.x + self.half if self.x < _WIDE / 2 else self.x - self.half


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Places in a drawing; `links` are pairs of places of neighbours that have a fact with each other; `more` were left out."""

    label: str
    kind: str
    width: float
    height: float
    half: float
    neighbours: tuple[_Neighbour, ...]
    links: tuple[tuple[_Neighbour, _Neighbour], ...]
    more: int


def neighbourhood(reading: Reading, card: EntityCard) -> Neighbourhood | None:
    """Those neighbours with most facts, in two columns; None where there is none. Its cost does not grow with the entity."""
    found: dict[str, _Neighbour] = {}
    for predicate, inverse, named in _ends(card):
        neighbour = found.setdefault(named.iri, _Neighbour(named))
        if (predicate, inverse) not in neighbour.said:
            neighbour.said.append((predicate, inverse))
    if not found:
        return None
    order = sorted(found.values(), key=lambda each: (-len(each.said), each.named.label.casefold(), each.named.iri))
    shown = order[:MOST_NEIGHBOURS]
    left = (len(shown) + 1) // 2
    height = _HEAD + _ROW * left
    for column in (shown[:left], shown[left:]):
        for number, each in enumerate(column):
            each.half = width_of(each.label) * _SIZE / 2 + 12
            each.x = 8 + each.half if column[0] is shown[0] else _WIDE - 8 - each.half
            each.y = (height - _ROW * len(column)) / 2 + _ROW * (number + 0.5) + 8
    label = shortened(card.label, 10)
    links = tuple(_links(reading, shown))
    half = width_of(label) * (_SIZE + 1) / 2 + 14
    return Neighbourhood(label, card.types[0] if card.types else "", _WIDE, height, half, tuple(shown), links, len(order) - len(shown))


def _ends(card: EntityCard) -> Iterator[tuple[str, bool, Named]]:
    for groups, inverse in ((card.facts, False), (card.facts_of_others, True)):
        for group in groups:
            for fact in group.facts:
                other = fact.subject if inverse else fact.object
                if other and other.iri != card.iri:
                    yield group.predicate, inverse, other


def _links(reading: Reading, shown: Iterable[_Neighbour]) -> Iterator[tuple[_Neighbour, _Neighbour]]:
    """Pairs that some fact joins, by one look-up a pair and direction."""
    several = list(shown)
    for number, one in enumerate(several):
        for other in several[number + 1 :]:
            ends = ox.NamedNode(one.named.iri), ox.NamedNode(other.named.iri)
            for subject, value in (ends, ends[::-1]):
                if next(iter(reading.graph.quads_for_pattern(subject, None, value, ox.DefaultGraph())), None) is not None:
                    yield one, other
                    break
