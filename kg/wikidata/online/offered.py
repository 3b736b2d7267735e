"""What an online service answers as candidates of the offline kind, so that one ranking and one gate of types do for both."""

from __future__ import annotations

from collections.abc import Iterator

from rapidfuzz.distance import OSA

from kg.names import fold
from kg.wikidata.classes import load_classes, types_of
from kg.wikidata.index import Candidate, Item
from kg.wikidata.online.answers import Reply
from kg.wikidata.online.finding import Found

__all__ = ["SERVICE_TYPES", "as_candidates"]

_CERTAIN = 0.98
"""Prior of a candidate that the service itself holds for certain; such a service says nothing of how well known an item is."""

_SAME = 0.95
"""From this score on a reconciliation service has found the name itself, though another one than the label."""

SERVICE_TYPES = {types[0]: item for item, types in load_classes().items() if types in (("Person",),)}
"""Classes of the ontology that one class of Wikidata stands for; of the others the candidates' own types decide."""


def as_candidates(reply: Reply) -> list[Candidate]:
    """The candidates of an answer, those whose name is not like the one asked for left out. `index` is the service's address.

    They are made of what the answers' file keeps and of nothing else, so that an answer read again ranks as it did at first.
    """
    return list(_candidates(reply))


def _candidates(reply: Reply) -> Iterator[Candidate]:
    name = fold(reply.wanted.name)
    for found in reply.candidates:
        how, similarity = _likeness(name, found)
        if how:
            yield Candidate(_item(found), found.label, how, similarity, reply.service)


def _likeness(name: str, found: Found) -> tuple[str, float]:
    """How an item's name is the one asked for, and how much alike; ("", 0) where it is another name."""
    label = fold(found.label)
    if label == name:
        return "label", 1.0
    if found.features.get("exact") or found.accepted or ("exact" not in found.features and found.score >= _SAME):
        return "alias", 1.0
    edits = OSA.distance(label, name)
    if len(name) > 3 and edits <= max(1, len(name) // 6):
        return "typo", round(1 - edits / max(len(label), len(name)), 4)
    return "", 0.0


def _item(found: Found) -> Item:
    """Classes that the table doesn't hold may be subclasses of what it holds: of such an item no type is known."""
    return Item(
        found.qid,
        found.label,
        description=found.description,
        types=types_of(found.types, load_classes()) or None,
        prior=_CERTAIN if found.accepted else _prior(found.features.get("sitelinks", 0.0)),
    )


def _prior(sitelinks: float) -> float:
    """Were sitelinks spread by Zipf's law, one item in 1 + n would have more than n of them."""
    return round(1 - 1 / (1 + sitelinks), 4)
