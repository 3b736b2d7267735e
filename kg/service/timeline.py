"""Dated facts on one scale of time, in percent of its width."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kg.service.reading import FactCard

__all__ = ["MOST_BARS", "Bar", "Timeline", "timeline"]

MOST_BARS = 40
"""Most facts of a timeline."""

_STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000)
_TICKS = 6


@dataclass(frozen=True, slots=True)
class Bar:
    """A fact from `left` over `width` percent; `opens` and `ends` tell whether its beginning and its end are known."""

    fact: FactCard
    left: float
    width: float
    opens: bool
    ends: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """Bars, the earliest first, with years as ticks (text, percent); `more` facts were left out."""

    bars: tuple[Bar, ...]
    ticks: tuple[tuple[str, float], ...]
    more: int = 0


def timeline(facts: Iterable[FactCard]) -> Timeline:
    """The dated ones among some facts, each once."""
    dated = {fact.iri: fact for fact in facts if fact.start or fact.end or fact.dated}
    spans = sorted(((*_span(fact), fact) for fact in dated.values()), key=lambda span: (span[0], span[1], span[2].iri))
    shown = spans[:MOST_BARS]
    if not shown:
        return Timeline((), ())
    first, last = int(min(start for start, _, _ in shown)), int(max(end for _, end, _ in shown) + 0.999)
    wide = max(1, last - first)
    bars = (
        Bar(
            fact,
            _percent(start - first, wide),
            max(0.8, _percent((last if fact.start and not fact.end else end) - start, wide)),
            bool(fact.start) or fact.dated,
            bool(fact.end) or fact.dated,
        )
        for start, end, fact in shown
    )
    step = next((each for each in _STEPS if wide / each <= _TICKS), _STEPS[-1])
    ticks = ((str(year), _percent(year - first, wide)) for year in range(-(-first // step) * step, last + 1, step))
    return Timeline(tuple(bars), tuple(ticks), len(spans) - len(shown))


def _percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 2)


def _span(fact: FactCard) -> tuple[float, float]:
    """Years from the first to the last day that a fact names; where it names one end only, both are there."""
    ends = [fact.value] if fact.dated else [each for each in (fact.start, fact.end) if each]
    return _years(ends[0])[0], _years(ends[-1])[1]


def _years(date: str) -> tuple[float, float]:
    """A date of any precision as fractions of years: where it begins and ends.

    >>> _years("2024"), _years("2024-07")
    ((2024.0, 2025.0), (2024.5, 2024.5833333333333))
    """
    parts = [int(part) for part in date.split("-") if part.isdecimal()]
    year, month, day = (*parts, 0, 0, 0)[:3]
    if not month:
        return float(year), year + 1.0
    start = year + (month - 1) / 12
    return (start + (day - 1) / 372, start + day / 372) if day else (start, start + 1 / 12)
