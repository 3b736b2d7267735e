"""Metadata as sources state it, made uniform: ISO dates, single lines, addresses, language tags."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import TypedDict
from urllib.parse import urlsplit

from kg.read.content import BOM

__all__ = ["Stated", "iso_date", "language_tag", "leading_date", "one_line", "stated_by", "web_address"]

_LEADING_DATE = re.compile(r"\s*(?i:date)[ \t]*:?[ \t]+([0-9]{4}-[0-9]{2}-[0-9]{2})(?![\w-])")
_ISO = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:[T ].*)?)?)?", re.DOTALL)
_YEAR_FIRST = re.compile(r"([0-9]{4})(?:/([0-9]{1,2})/([0-9]{1,2})|([0-9]{2})([0-9]{2}))(?![0-9]).*", re.DOTALL)
_DAY_MONTH = re.compile(r"(?:[A-Za-z]+,?\s+)?([0-9]{1,2})\s+([A-Za-z]{3,9})\.?,?\s+([0-9]{4})(?![0-9]).*", re.DOTALL)
_MONTH_DAY = re.compile(r"(?:[A-Za-z]+,\s+)?([A-Za-z]{3,9})\.?\s+([0-9]{1,2}),?\s+([0-9]{4})(?![0-9]).*", re.DOTALL)
_MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"]
_ADDRESS = re.compile(r"https?://[^\s<>\"{}|\\^`\[\]\x00-\x20]+", re.IGNORECASE)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


class Stated(TypedDict):
    """The metadata fields of a document."""

    published: str | None
    title: str | None
    author: str | None
    publisher: str | None
    url: str | None
    language: str | None


def leading_date(text: str, start: int = 0) -> tuple[str | None, int]:
    """The date of a leading ``date YYYY-MM-DD`` and where it ends; without one, None and `start` (past a byte order mark)."""
    start += text.startswith(BOM, start)
    match = _LEADING_DATE.match(text, start)
    if match and (found := iso_date(match[1])):
        return found, match.end()
    return None, start


def iso_date(value: object) -> str | None:
    """A stated date in ISO 8601: ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``, as precise as stated; a time of day is dropped.

    Read are ISO 8601, year-first numbers, and English or RFC 5322 day and month. What is ambiguous (3/4/2024) is no date.
    """
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if match := _ISO.fullmatch(text):
        return _checked(match[1], match[2], match[3])
    if match := _YEAR_FIRST.fullmatch(text):
        return _checked(match[1], match[2] or match[4], match[3] or match[5])
    if match := _DAY_MONTH.fullmatch(text):
        return _checked(match[3], _month(match[2]), match[1])
    if match := _MONTH_DAY.fullmatch(text):
        return _checked(match[3], _month(match[1]), match[2])
    return None


def _month(word: str) -> str:
    matching = [number for number, name in enumerate(_MONTHS, start=1) if name.startswith(word.lower()) or word.lower() == name[:3] + "t"]
    return str(matching[0]) if len(matching) == 1 else "0"


def _checked(year: str, month: str | None, day: str | None) -> str | None:
    try:
        found = date(int(year), int(month or 1), int(day or 1)).isoformat()
    except ValueError:
        return None
    return found if day else found[:7] if month else found[:4]


def one_line(value: object) -> str | None:
    """A stated value as one line; several (or things with a name) joined by ``;``; None where nothing is said."""
    if isinstance(value, Mapping):
        value = value.get("name")
    if isinstance(value, list):
        parts = [one_line(part) for part in value if isinstance(part, str | Mapping) and not _nested(part)]
        return "; ".join(dict.fromkeys(part for part in parts if part)) or None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    return " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", value).split()) or None


def _nested(part: str | Mapping[str, object]) -> bool:
    return isinstance(part, Mapping) and not isinstance(part.get("name"), str)


def web_address(value: object) -> str | None:
    """An absolute address of the web, as stated, that can be an IRI; None for anything else."""
    text = value.strip() if isinstance(value, str) else ""
    if not _ADDRESS.fullmatch(text):
        return None
    try:
        parts = urlsplit(text)
        return text if parts.hostname and parts.port != 0 else None
    except ValueError:  # no port or no host
        return None


def language_tag(value: object) -> str | None:
    """A language tag (BCP 47: ``en``, ``pt-BR``), ``_`` read as ``-``; None for anything else."""
    text = value.strip().replace("_", "-") if isinstance(value, str) else ""
    if not _LANGUAGE.fullmatch(text):
        return None
    primary, dash, rest = text.partition("-")
    return primary.lower() + dash + rest


def stated_by(fields: Mapping[str, object]) -> Stated:
    """The metadata that named fields state, as in a JSON line or the front matter of a Markdown file."""
    lower = {str(key).lower(): value for key, value in fields.items()}

    def first(*names: str) -> object:
        return next((lower[name] for name in names if lower.get(name) not in (None, "", [])), None)

    return Stated(
        published=iso_date(first("published", "date")),
        title=one_line(first("title")),
        author=one_line(first("author", "authors")),
        publisher=one_line(first("publisher", "source")),
        url=web_address(first("url")),
        language=language_tag(first("language", "lang")),
    )
