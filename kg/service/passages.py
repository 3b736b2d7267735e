"""Splits a text at its marked passages, which may overlap, into pieces that can be written one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Passage", "Piece", "mark", "split"]


@dataclass(frozen=True, slots=True, order=True)
class Passage:
    """``text[start:end]`` is evidence, or a mention where `referent` is the IRI of what is meant, of type `kind`."""

    start: int
    end: int
    iri: str
    label: str = ""
    referent: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text in which nothing begins or ends. `anchors` are ids of passages that begin here, `evidence` of those it is in."""

    text: str
    anchors: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    referent: str = ""
    label: str = ""
    kind: str = ""

    @property
    def is_evidence(self) -> bool:
        """Whether a fact rests on this."""
        return bool(self.evidence)


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
                tuple(p.iri.rpartition("/")[2] for p in active if not p.referent),
                mention.referent if mention else "",
                mention.label if mention else "",
                mention.kind if mention else "",
            )
        )
    return tuple(pieces)


def mark(text: str, forms: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The whole text in pieces, each with the type that `forms` give for it, or nothing where it is none of them; longer forms go first.

    >>> mark("Kim wore a City.", {"City": "Product", "Kim": "Person"})
    (('Kim', 'Person'), (' wore a ', ''), ('City', 'Product'), ('.', ''))
    """
    wanted = sorted(filter(None, forms), key=lambda form: (-len(form), form))
    if not wanted:
        return ((text, ""),)
    parts = re.split(rf"(?<!\w)({'|'.join(map(re.escape, wanted))})(?!\w)", text)
    return tuple((part, forms[part] if odd % 2 else "") for odd, part in enumerate(parts) if part)
