"""Splits a text at its marked passages, which may overlap, into pieces that can be written one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Passage", "Piece", "split"]


@dataclass(frozen=True, slots=True, order=True)
class Passage:
    """``text[start:end]`` is evidence, or a mention where `referent` is the IRI of what is meant."""

    start: int
    end: int
    iri: str
    label: str = ""
    referent: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text in which nothing begins or ends. `anchors` are ids of passages that begin here."""

    text: str
    anchors: tuple[str, ...] = ()
    is_evidence: bool = False
    referent: str = ""
    label: str = ""


def split(text: str, passages: Iterable[Passage]) -> tuple[Piece, ...]:
    """The whole text in pieces. Of mentions inside each other the shortest is linked.

    >>> [(piece.text, piece.is_evidence) for piece in split("abcd", [Passage(1, 3, "e")])]
    [('a', False), ('bc', True), ('d', False)]
    """
    found = sorted(p for p in passages if 0 <= p.start < p.end <= len(text))
    cuts = sorted({0, len(text), *(p.start for p in found), *(p.end for p in found)})
    pieces, active, following = [], list[Passage](), 0
    for start, end in pairwise(cuts):
        active = [p for p in active if p.end > start]
        begun = []
        while following < len(found) and found[following].start == start:
            begun.append(found[following])
            following += 1
        active += begun
        mention = min((p for p in active if p.referent), key=lambda p: (p.end - p.start, p.iri), default=None)
        pieces.append(
            Piece(
                text[start:end],
                tuple(p.iri.rpartition("/")[2] for p in begun),
                any(not p.referent for p in active),
                mention.referent if mention else "",
                mention.label if mention else "",
            )
        )
    return tuple(pieces)
