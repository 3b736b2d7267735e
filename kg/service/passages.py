"""Splits a text at its marked passages, which may overlap, into pieces that can be written one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
    found: list[tuple[str, str]] = []
    done = 0
    wanted = sorted((form for form in forms if form and form in text), key=lambda form: (-len(form), form))
    places = sorted({place for form in wanted for place in _places(text, form)}, key=lambda place: (place[0], -place[1]))
    for at, end in places:
        if at >= done:
            found += [(text[done:at], "")] if at > done else []
            found.append((text[at:end], forms[text[at:end]]))
            done = end
    return (*found, (text[done:], "")) if done < len(text) or not found else tuple(found)


def _places(text: str, form: str) -> Iterator[tuple[int, int]]:
    """Where a form stands in a text as words of its own."""
    at = text.find(form)
    while at >= 0:
        end = at + len(form)
        if not (text[at - 1 : at].isalnum() and form[0].isalnum()) and not (text[end : end + 1].isalnum() and form[-1].isalnum()):
            yield at, end
        at = text.find(form, at + 1)
