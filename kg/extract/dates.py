"""Finds dates and normalises them to ISO 8601 in the precision of the text, relative ones against the publication date."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from kg.model import Span

__all__ = ["DateMention", "find_dates"]

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
_MONTH_NUMBER = {name[:3]: number for number, name in enumerate(_MONTHS, 1)}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_UNITS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBERS = {"a": 1, "an": 1} | {name: number for number, name in enumerate(_UNITS, 1)}
_NUMBERS |= {"couple of": 2, "a couple of": 2, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50}

# A month begins with a capital: "may" and "march" are verbs, too.
_MONTH = (
    r"(?-i:(?=[A-Z]))(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?|July?|Aug(?:ust|\.)?"
    r"|Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
)
_YEAR = r"(?:1[6-9]\d\d|20\d\d)"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_COUNT = rf"(?:a couple of|couple of|\d{{1,3}}|a|an|{'|'.join(_UNITS)}|fifteen|twenty|thirty|forty|fifty)"
_WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"

_COUNTED = "euros?|dollars?|pieces|people|stores|guests|copies|bags|pairs"
_NO_YEAR = rf"[\d,.]*\d|s\b|[-–]?(?:piece|strong|euro|dollar)| (?:{_COUNTED})\b|%"

_PATTERNS = [
    ("iso", rf"{_YEAR}-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?(?![\d-])"),
    ("day", rf"(?P<d1>{_DAY}) (?:of )?(?P<m1>{_MONTH}),? (?P<y1>{_YEAR})"),
    ("day", rf"(?P<m2>{_MONTH}) (?P<d2>{_DAY}),? (?P<y2>{_YEAR})"),
    ("month", rf"(?P<m3>{_MONTH}),? (?:of )?(?P<y3>{_YEAR})"),
    ("of_year", rf"(?P<m4>{_MONTH}) of (?P<r4>last|this|next|that|the same) year"),
    ("ago", rf"(?P<n5>{_COUNT}) (?P<u5>day|week|month|year|decade)s? (?:ago|earlier|before)"),
    ("relative", r"(?P<r6>earlier this|later this|last|this|next) (?P<u6>week|month|year|decade)"),
    ("relative_month", rf"(?P<r7>last|this|next|this past) (?P<m7>{_MONTH})(?: (?P<d7>{_DAY})(?!\d))?"),
    ("relative_season", r"(?P<r8>last|this|next) (?P<s8>spring|summer|autumn|fall|winter)"),
    ("relative_weekday", rf"(?P<r9>last|this|next) (?P<w9>{_WEEKDAY})"),
    ("day_of_month", rf"(?P<m10>{_MONTH}) (?P<d10>{_DAY})(?![\d-])"),
    ("day_of_month", rf"(?P<d11>{_DAY}) (?:of )?(?P<m11>{_MONTH})(?!\w)"),
    ("weekday", rf"(?P<w12>{_WEEKDAY})(?=\b)"),
    ("near", r"(?:today|yesterday|tomorrow|tonight|last night)"),
    ("bare_month", rf"(?<=[Ii]n )(?:early |late |mid-)?(?P<m13>{_MONTH})(?=\b)(?! \d)"),
    ("bare_month", rf"(?:(?P<r14>[Ss]ince)|[Uu]ntil|[Bb]y|[Ff]rom) (?P<m14>{_MONTH})(?=\b)(?! [A-Z\d])"),
    ("year", rf"(?P<y15>{_YEAR})(?!{_NO_YEAR})"),
]
_WORD_END = r"(?!\w)"
_CASED = ("iso", "bare_month", "year")
_ANY = [
    (kind, re.compile(rf"(?<![\w$€£¥#.,/-]){pattern}{'' if kind == 'iso' else _WORD_END}", 0 if kind in _CASED else re.IGNORECASE))
    for kind, pattern in _PATTERNS
]


@dataclass(frozen=True, slots=True)
class DateMention:
    """A date in a text; `value` is ISO 8601 (``2000``, ``2024-01``, ``2024-01-22``)."""

    span: Span
    value: str


def find_dates(text: str, start: int = 0, *, published: str | None = None) -> list[DateMention]:
    """Dates from `start` on, in order, none inside another; those that need the publication date only where it is given."""
    today = _as_date(published)
    taken: list[DateMention] = []
    occupied: set[int] = set()
    for kind, pattern in _ANY:
        for match in pattern.finditer(text, start):
            if match.start() in occupied or match.end() - 1 in occupied:
                continue
            value = _value(kind, match, today)
            if value is not None:
                taken.append(DateMention(Span(match.start(), match.end()), value))
                occupied.update(range(match.start(), match.end()))
    return sorted(taken, key=lambda mention: mention.span)


def _as_date(published: str | None) -> date | None:
    if not published or len(published) != 10:
        return None
    try:
        day = date.fromisoformat(published)
    except ValueError:
        return None
    return day if 1000 <= day.year <= 9000 else None


def _groups(match: re.Match[str]) -> Iterator[tuple[str, str]]:
    return ((name.rstrip("0123456789"), value) for name, value in match.groupdict().items() if value)


def _value(kind: str, match: re.Match[str], today: date | None) -> str | None:
    part = dict(_groups(match))
    month = _MONTH_NUMBER.get(part["m"].lower()[:3]) if "m" in part else None
    day = int(re.match(r"\d+", part["d"]).group()) if "d" in part else None  # type: ignore[union-attr]
    if kind == "iso":
        return match.group()
    if kind == "year":
        return part["y"]
    if kind in ("day", "month"):
        return _iso(int(part["y"]), month, day)
    return _relative(kind, part, month, day, today, match.group()) if today else None


def _relative(kind: str, part: dict[str, str], month: int | None, day: int | None, today: date, text: str) -> str | None:
    direction = part.get("r", "").lower()
    match kind:
        case "near":
            shift = {"yesterday": -1, "last night": -1, "tomorrow": 1}.get(text.lower(), 0)
            return (today + timedelta(days=shift)).isoformat()
        case "ago":
            return _ago(part["n"].lower(), part["u"].lower(), today)
        case "relative":
            return _unit(direction, part["u"].lower(), today)
        case "weekday" | "relative_weekday":
            return _weekday(direction, part["w"].lower(), today)
        case "relative_season":
            return _season(direction, part["s"].lower(), today)
        case "of_year":
            return _iso(today.year + {"last": -1, "next": 1}.get(direction, 0), month, None)
        case _:
            return _iso(_year_of(month or 1, day, direction, today), month, day)


def _iso(year: int, month: int | None, day: int | None) -> str | None:
    if month is None:
        return f"{year:04d}"
    if day is None:
        return f"{year:04d}-{month:02d}"
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return f"{year:04d}-{month:02d}"


def _year_of(month: int, day: int | None, direction: str, today: date) -> int:
    """The year of a month without one: *last* and *since* look back, *next* ahead, otherwise the nearest."""
    if direction in ("last", "this past"):
        return today.year if (month, day or 0) < (today.month, today.day if day else 0) else today.year - 1
    if direction == "next":
        return today.year if month > today.month else today.year + 1
    if direction == "since":
        return today.year if month <= today.month else today.year - 1
    if direction == "this":
        return today.year
    return min((today.year, today.year - 1, today.year + 1), key=lambda year: abs((date(year, month, min(day or 15, 28)) - today).days))


def _ago(count: str, unit: str, today: date) -> str | None:
    number = int(count) if count.isdigit() else _NUMBERS[count]
    if unit == "day":
        return (today - timedelta(days=number)).isoformat()
    if unit == "week":
        return (today - timedelta(weeks=number)).isoformat()[:7]
    if unit == "month":
        months = today.year * 12 + today.month - 1 - number
        return f"{months // 12:04d}-{months % 12 + 1:02d}"
    year = today.year - number * (10 if unit == "decade" else 1)
    return f"{year:04d}" if year > 0 else None


def _unit(direction: str, unit: str, today: date) -> str | None:
    shift = {"last": -1, "next": 1}.get(direction, 0)
    if unit == "week":
        return (today + timedelta(weeks=shift)).isoformat()[:7]
    if unit == "month":
        months = today.year * 12 + today.month - 1 + shift
        return f"{months // 12:04d}-{months % 12 + 1:02d}"
    return f"{today.year + shift:04d}" if unit == "year" else None


def _weekday(direction: str, name: str, today: date) -> str:
    """The last such day up to today; *next* is the one after it, *this* the first such day from today on."""
    if direction == "this":
        return (today + timedelta(days=(_DAYS.index(name) - today.weekday()) % 7)).isoformat()
    back = (today.weekday() - _DAYS.index(name)) % 7
    if direction == "last" and back == 0:
        back = 7
    return (today - timedelta(days=back) + timedelta(weeks=direction == "next")).isoformat()


def _season(direction: str, season: str, today: date) -> str:
    """Year of a season: *last summer* is that of the last summer that has begun."""
    begins = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}[season]
    if direction == "last":
        return f"{today.year if today.month > begins + 2 else today.year - 1:04d}"
    return f"{today.year + (direction == 'next' and today.month >= begins):04d}"
