"""Chooses among candidates: by name, how well known they are, type, context and what stands beside; or chooses none."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kg.names import fold
from kg.wikidata.classes import INTERNAL
from kg.wikidata.index import Candidate, Item, WikidataIndex

__all__ = ["ACCEPT", "GAP", "REVIEW", "Match", "cohere", "find", "rank"]

ACCEPT = 0.75
"""Least score of an accepted match."""

REVIEW = 0.3
"""Least score of a match that is shown to a person; below it a candidate says nothing."""

GAP = 0.3
"""The runner-up's weight may be at most this part of the best one's, or none is accepted."""

_HOW = {"label": 1.0, "alias": 0.97, "other": 0.92, "typo": 0.72}
_FAVOUR = {"label": 1.0, "alias": 0.6, "other": 0.3, "typo": 0.3}
_LEAST = 1.02
"""Popularity falls with rank as Zipf's law has it: an item better known than the part p of all weighs 1 / (`_LEAST` - p)."""

_CONTEXT, _COHERENCE = 6.0, 4.0
"""Weights of context and coherence, as exponents."""

_UNKNOWN_TYPE, _NO_TYPE = 0.7, 0.95
_TIES, _ASKED = 100, 50
_STOP = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be been but by for from had has have he her his in is it its of on or she that the their they this to was were"
        " who will with",
    )
)


@dataclass(frozen=True, slots=True)
class Match:
    """A candidate with its score (0 to 1), the features (each 0 to 1) that made it, and whether it is accepted."""

    candidate: Candidate
    score: float
    accepted: bool
    features: dict[str, float] = field(default_factory=dict)

    @property
    def qid(self) -> str:
        """The item's identifier."""
        return self.candidate.qid


def rank(
    name: str,
    type: str | None,
    context: str,
    candidates: Iterable[Candidate],
    *,
    coherence: Mapping[str, float] | None = None,
) -> list[Match]:
    """The candidates, best first, at most one of them accepted; candidates of another type are left out.

    `context` is text that the name stands in. `coherence` gives each item's tie (0 to 1) to what is named beside it.
    The score is the quality of the name (label, alias, typing error; a word alone says little of a person) times the share
    that a candidate has of all candidates' weights, which are made of prior, context and coherence.
    Accepted is the best one, where its score reaches `ACCEPT` and the runner-up is behind by `GAP`.
    """
    found = [each for each in _joined(candidates) if type is None or each.item.types is None or type in each.item.types]
    likeness = _likeness(name, context, found)
    ties = coherence or {}
    rows = []
    for each in found:
        alike, tied = likeness[each.qid], ties.get(each.qid, 0.0)
        weight = _FAVOUR[each.how] * each.similarity / (_LEAST - each.item.prior) * math.exp(_CONTEXT * alike + _COHERENCE * tied)
        features = {
            "name": round(_HOW[each.how] * each.similarity, 4),
            "type": 1.0 if type and each.item.types else _UNKNOWN_TYPE if type else _NO_TYPE,
            "prior": round(each.item.prior, 4),
            "context": round(alike, 4),
            "coherence": round(tied, 4),
            "surety": round(_surety(name, type, each, alike, tied), 4),
        }
        rows.append((weight, each, features))
    return _matches(rows)


def _matches(rows: list[tuple[float, Candidate, dict[str, float]]]) -> list[Match]:
    total = sum(weight for weight, _, _ in rows)
    scored = []
    for weight, each, features in rows:
        features["share"] = round(weight / total, 4)
        # What a type leaves open matters less where none was asked for.
        score = features["name"] * features["surety"] * features["share"] * features["type"]
        scored.append((round(score, 4), each, features))
    scored.sort(key=lambda row: (-row[0], -row[1].item.prior, int(row[1].qid[1:])))
    rest = scored[1][2]["share"] if len(scored) > 1 else 0.0
    matches = []
    for number, (score, each, features) in enumerate(scored):
        sure = number == 0 and score >= ACCEPT and rest <= GAP * features["share"]
        matches.append(Match(each, score, sure and not each.item.description.startswith(INTERNAL), features))
    return matches


def _joined(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Each item once, though several indexes know it: as the one that fits the name best, with what all say of its type."""
    groups: dict[str, list[Candidate]] = {}
    for each in candidates:
        groups.setdefault(each.qid, []).append(each)
    found = []
    for group in groups.values():
        best = max(group, key=lambda each: (_HOW[each.how] * each.similarity, each.item.prior, each.index))
        kinds = [each.item.types for each in group if each.item.types is not None]
        types = (("Person",) if ("Person",) in kinds else tuple(sorted({kind for each in kinds for kind in each}))) if kinds else None
        prior = max(each.item.prior for each in group)
        description = best.item.description or max(each.item.description for each in group)
        found.append(replace(best, item=replace(best.item, types=types, prior=prior, description=description)))
    return sorted(found, key=lambda each: int(each.qid[1:]))


def _surety(name: str, type: str | None, candidate: Candidate, alike: float, tied: float) -> float:
    """How much the name alone says, 0 to 1: a first name or a letter may be anyone, unless it fits its context.

    One word is enough for a person whose item has no other label (a stage name), but not as an alias.
    """
    words = fold(name).split()
    support = min(0.3, alike + 0.3 * tied)
    if len(words) < 2 and candidate.how == "typo":
        return 0.6 + support
    if len(words) > 1 or type in ("Brand", "Organization", "Country"):
        return 1.0 if len(fold(name)) > 1 else 0.7 + support
    if len(fold(name)) <= 2:
        return min(1.0, 0.5 + support)
    if type == "Person":
        return min(1.0, (0.85 if candidate.how == "label" else 0.5) + support)
    start = 0.75 if candidate.how == "label" else 0.6
    return min(1.0, start + 0.2 * candidate.item.prior + support)


# -- context -----------------------------------------------------------------------------------------------------


def _words(text: str) -> Counter[str]:
    found = (word.removesuffix("s") if len(word) > 3 else word for word in re.findall(r"\w+", fold(text)))
    return Counter(word for word in found if word not in _STOP)


def _likeness(name: str, context: str, candidates: Sequence[Candidate]) -> dict[str, float]:
    """Cosine of TF-IDF vectors of the context and each item's label and description; document frequencies are the candidates'."""
    own = set(_words(name))
    said = _words(context)
    texts = {each.qid: _words(f"{each.item.label} {each.item.description}") for each in candidates}
    frequency = Counter(word for text in texts.values() for word in text)
    rarity = {word: math.log(1 + (1 + len(texts)) / (1 + frequency[word])) for word in {*frequency, *said} - own}

    def vector(words: Counter[str]) -> dict[str, float]:
        return {word: (1 + math.log(number)) * rarity[word] for word, number in words.items() if word in rarity}

    asked = vector(said)
    return {qid: _cosine(asked, vector(text)) for qid, text in texts.items()}


def _cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    lengths = math.sqrt(math.fsum(v * v for v in one.values()) * math.fsum(v * v for v in other.values()))
    return math.fsum(one[word] * other[word] for word in sorted(one.keys() & other.keys())) / lengths if lengths else 0.0


# -- coherence ---------------------------------------------------------------------------------------------------


def cohere(
    candidates: Sequence[Candidate], indexes: Sequence[WikidataIndex], *, context: str = "", beside: Iterable[str] = ()
) -> dict[str, float]:
    """Each candidate's tie to what is named beside it: items that its claims name or that name it, whose names stand there.

    0.5 for one such item, 1 for two or more. `beside` are names in the same document, `context` is text around the name.
    """
    names = {fold(each) for each in beside}
    text = f" {fold(context)} "
    ties: dict[str, float] = {}
    for each in candidates:
        named = set()
        for index in indexes:
            for qid in sorted(index.edges([each.qid])[each.qid], key=lambda other: int(other[1:]))[:_TIES]:
                item = index.item(qid)
                if item and (_stands(item, names, text)):
                    named.add(qid)
        ties[each.qid] = min(1.0, len(named) / 2)
    return ties


def _stands(item: Item, names: set[str], text: str) -> bool:
    """Whether an item is among some names, or its label or an alias of more than three letters in a text."""
    folded = [fold(name) for name in (item.label, *item.aliases)]
    return any(name in names or (len(name) > 3 and f" {name} " in text) for name in folded)


def find(
    name: str,
    indexes: Sequence[WikidataIndex],
    *,
    type: str | None = None,
    context: str = "",
    beside: Iterable[str] = (),
    limit: int = 10,
    more: Iterable[Candidate] = (),
) -> list[Match]:
    """What a name means, by several indexes together: look-up, ranking and choice in one. `more` are candidates from elsewhere."""
    found = [each for index in indexes for each in index.candidates(name, type=type, limit=max(limit, _ASKED))]
    found += more
    if any(each.how != "typo" for each in found):
        found = [each for each in found if each.how != "typo"]
    around = list(beside)
    ties = cohere(found, indexes, context=context, beside=around) if context or around else {}
    return rank(name, type, context, found, coherence=ties)[:limit]
