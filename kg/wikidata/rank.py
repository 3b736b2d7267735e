"""Chooses among candidates: by name, how well known they are, type, context and what stands beside; or chooses none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kg.wikidata.index import Candidate, WikidataIndex

__all__ = ["Match", "find", "rank"]


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
    coherence: dict[str, float] | None = None,
) -> list[Match]:
    """The candidates, best first, at most one of them accepted. `coherence` gives each item's tie (0 to 1) to what stands beside."""
    raise NotImplementedError


def find(
    name: str, indexes: Sequence[WikidataIndex], *, type: str | None = None, context: str = "", limit: int = 10
) -> list[Match]:
    """What a name means, by several indexes together: look-up and ranking in one."""
    found = [each for index in indexes for each in index.candidates(name, type=type, limit=limit)]
    return rank(name, type, context, found)[:limit]
