"""Dates, lines, addresses and languages as sources state them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.read.metadata import iso_date, language_tag, one_line, stated_by, web_address


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("2024-01-24", "2024-01-24"),
        (" 2024-01-24T23:59:59+09:00 ", "2024-01-24"),
        ("2024-01-24 08:00", "2024-01-24"),
        ("2024-01", "2024-01"),
        ("2024", "2024"),
        (2024, "2024"),
        ("20240124", "2024-01-24"),
        ("2024/1/4", "2024-01-04"),
        ("24 January 2024", "2024-01-24"),
        ("January 24, 2024", "2024-01-24"),
        ("Jan. 4, 2024", "2024-01-04"),
        ("Sept. 4, 2024, 8 p.m.", "2024-09-04"),
        ("Wed, 24 Jan 2024 08:00:00 GMT", "2024-01-24"),
        ("Wednesday, January 24, 2024", "2024-01-24"),
        ("2024-13-45", None),
        ("2023-02-29", None),
        ("2024-00", None),
        ("0000", None),
        ("03/04/2024", None),
        ("Ma 4, 2024", None),
        ("Juju 4, 2024", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (True, None),
        (["2024"], None),
        ("٢٠٢٤", None),
    ],
)
def test_dates(stated: object, expected: str | None) -> None:
    """A stated date keeps its precision; what is ambiguous or no date is none."""
    assert iso_date(stated) == expected


@given(st.dates())
def test_iso_dates_stay(day: date) -> None:
    """Every ISO date is read as itself, in each precision."""
    text = day.isoformat()
    assert [iso_date(text), iso_date(text[:7]), iso_date(text[:4])] == [text, text[:7], text[:4]]


@given(st.text())
def test_any_text_is_a_date_or_none(text: str) -> None:
    """What comes out is ISO 8601 in one of three precisions."""
    found = iso_date(text)
    assert found is None or len(found) in {4, 7, 10}


def test_lines() -> None:
    """Values are one line; lists of names are joined; anything else is none."""
    assert one_line(" a\n b\x00 ") == "a b"
    assert one_line(["A", {"name": "B"}, "A", {"x": 1}, ["C"]]) == "A; B"
    assert one_line({"name": "A"}) == "A"
    assert [one_line(value) for value in (None, "", [], {}, True, 1.5)] == [None] * 6


def test_addresses_and_languages() -> None:
    """Only absolute addresses of the web and language tags are taken."""
    assert web_address(" https://a.example/b?c=d#e ") == "https://a.example/b?c=d#e"
    assert [
        web_address(value)
        for value in ("/b", "javascript:alert(1)", "http://a b", "https://a.example/<", "http://[", "http://a:x/", 1, None)
    ] == [None] * 8
    assert [language_tag(value) for value in ("EN", "pt_BR", "zh-Hant-TW")] == ["en", "pt-BR", "zh-Hant-TW"]
    assert [language_tag(value) for value in ("English", "", "e", None, 1)] == [None] * 5


def test_names_of_fields() -> None:
    """Either name of a field will do, whatever its case; the first that says something counts."""
    assert stated_by({"Date": "2024", "published": "", "SOURCE": "Hem", "authors": ["A", "B"], "lang": "en"}) == {
        "published": "2024",
        "title": None,
        "author": "A; B",
        "publisher": "Hem",
        "url": None,
        "language": "en",
    }
