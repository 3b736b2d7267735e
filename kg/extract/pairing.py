"""Things in a window of text as the relator sees them: which tokens are whose, and which pairs may be related."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kg.extract.encoding import Tokens, Window
from kg.extract.schema import DOCUMENT_DATE, QUOTATION, Schema, distance_bucket

__all__ = ["Pairing", "pair_up", "places_in"]

Place = tuple[int, int]
"""First and last+1 position in a window."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """Inputs of the relator: `kinds` (length), `members` (things, length), `pairs` (pairs, 2), `distances` (pairs).

    `allowed` holds for each pair the numbers of the relations that its kinds allow.
    """

    kinds: npt.NDArray[np.int64]
    members: npt.NDArray[np.float32]
    pairs: npt.NDArray[np.int64]
    distances: npt.NDArray[np.int64]
    allowed: tuple[tuple[int, ...], ...]


def places_in(window: Window, tokens: Tokens, spans: Sequence[tuple[int, int]]) -> list[Place]:
    """Positions of the spans (characters) that stand in the window as a whole."""
    found = []
    for start, end in spans:
        span = tokens.between(start, end)
        if span and span[0] >= window.first and span[1] <= window.last:
            found.append((span[0] - window.first + 1, span[1] - window.first + 1))
    return found


def pair_up(schema: Schema, length: int, present: Sequence[tuple[str, Sequence[Place]]]) -> Pairing:
    """Pairs of the things (kind and places) in a window of `length` tokens, subject first, in a fixed order.

    Words inside a quotation keep the kind of the name that they are.
    """
    members = np.zeros((max(1, len(present)), length), np.float32)
    kinds = np.zeros(length, np.int64)
    numbers = {kind: 1 + number for number, kind in enumerate(schema.kinds)}
    for row, (kind, places) in enumerate(present):
        for first, last in places:
            members[row, first:last] = 1
            if kind != QUOTATION or not kinds[first:last].any():
                kinds[first:last] = numbers[kind]
    if not present:
        members[0, 0] = 1
    pairs, distances, allowed = [], [], []
    for one, (kind, places) in enumerate(present):
        for other, (other_kind, other_places) in enumerate(present):
            relations = schema.allowed(kind, other_kind) if one != other else []
            if relations:
                pairs.append((one, other))
                dated = DOCUMENT_DATE in (kind, other_kind)
                distances.append(distance_bucket(None if dated else _gap(places, other_places)))
                allowed.append(tuple(relations))
    return Pairing(kinds, members, np.array(pairs, np.int64).reshape(-1, 2), np.array(distances, np.int64), tuple(allowed))


def _gap(one: Sequence[Place], other: Sequence[Place]) -> int:
    """Signed distance of the two mentions that stand nearest to one another, from first token to first token."""
    return min((b[0] - a[0] for a in one for b in other), key=lambda gap: (abs(gap), gap))
