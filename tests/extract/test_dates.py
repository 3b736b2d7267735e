"""Dates: found, normalised, in the precision of the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.extract.dates import find_dates

PUBLISHED = "2024-03-12"  # a Tuesday

ABSOLUTE = {
    "12 March 2024": "2024-03-12",
    "12th of March, 2024": "2024-03-12",
    "March 12, 2024": "2024-03-12",
    "March 12th 2024": "2024-03-12",
    "MARCH 12, 2024": "2024-03-12",
    "Mar. 5 2024": "2024-03-05",
    "Sept. 30, 2019": "2019-09-30",
    "31 February 2020": "2020-02",
    "2024-01-22": "2024-01-22",
    "2024-01": "2024-01",
    "January 2024": "2024-01",
    "January of 2024": "2024-01",
    "Dec 1999": "1999-12",
    "1947": "1947",
}
RELATIVE = {
    "today": "2024-03-12",
    "Yesterday": "2024-03-11",
    "tomorrow": "2024-03-13",
    "tonight": "2024-03-12",
    "last night": "2024-03-11",
    "two days ago": "2024-03-10",
    "a week ago": "2024-03",
    "three weeks earlier": "2024-02",
    "four months ago": "2023-11",
    "10 years ago": "2014",
    "a decade ago": "2014",
    "a couple of years ago": "2022",
    "last week": "2024-03",
    "last month": "2024-02",
    "next month": "2024-04",
    "earlier this year": "2024",
    "last year": "2023",
    "next year": "2025",
    "later this month": "2024-03",
    "last May": "2023-05",
    "last January": "2024-01",
    "this June": "2024-06",
    "next February": "2025-02",
    "March of last year": "2023-03",
    "last summer": "2023",
    "this spring": "2024",
    "next spring": "2025",
    "last winter": "2023",
    "Monday": "2024-03-11",
    "Tuesday": "2024-03-12",
    "Friday": "2024-03-08",
    "last Tuesday": "2024-03-05",
    "this Friday": "2024-03-15",
    "next Friday": "2024-03-15",
    "March 5": "2024-03-05",
    "5 December": "2023-12-05",
    "1st of June": "2024-06-01",
}


@pytest.mark.parametrize(("text", "value"), [*ABSOLUTE.items(), *RELATIVE.items()])
def test_a_date_is_found_and_normalised(text: str, value: str) -> None:
    """The whole expression is found, whatever stands around it, and has its value in ISO 8601."""
    for sentence in (f"It opened {text}.", f"({text})", text, f"{text}, she said", f"“{text}”"):
        (found,) = find_dates(sentence, published=PUBLISHED)
        assert (sentence[found.span.start : found.span.end], found.value) == (text, value)


@pytest.mark.parametrize("text", sorted(RELATIVE))
@pytest.mark.parametrize("published", [None, "", "2024", "2024-03", "2024-13-45", "0001-01-01", "soon, says"])
def test_relative_dates_need_a_whole_publication_date(text: str, published: str | None) -> None:
    """Without one, or with one that is no day, there is none to count from."""
    assert find_dates(f"It opened {text}.", published=published) == []


@pytest.mark.parametrize("text", sorted(ABSOLUTE))
def test_absolute_dates_need_none(text: str) -> None:
    """What the text says in full needs no publication date."""
    assert [found.value for found in find_dates(f"It opened {text}.")] == [ABSOLUTE[text]]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("in May", "2024-05"),
        ("in early October", "2023-10"),
        ("since June", "2023-06"),
        ("Since March", "2024-03"),
        ("until April", "2024-04"),
        ("by December she", "2023-12"),
    ],
)
def test_months_alone_need_a_preposition(text: str, value: str) -> None:
    """A month by itself is a date only after a word that says so; the nearest one is meant, after *since* a past one."""
    assert [found.value for found in find_dates(text, published=PUBLISHED)] == [value]


@pytest.mark.parametrize(
    "text",
    [
        "2,000 bags", "2000 bags", "$2000", "€1998", "2000 euros", "1998 people", "#1999", "the 1990s", "2050-piece", "20245", "1999%",
        "they may 5 times", "we march 12 miles", "in Marrakech", "last Marathon", "last weekend", "by June Ambrose", "June Ambrose",
        "May I", "Fridays", "1599", "3.1999", "1/2000",
        "900 decades ago", "999 months", "secondary 5", "yesterdays", "next decade", "model A2024",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_date(text: str) -> None:
    """Amounts, verbs, names and parts of words are no dates."""
    assert find_dates(text, published=PUBLISHED) == []


def test_dates_are_in_order_and_apart() -> None:
    """Several dates of a text are found once each, from the start that is given."""
    text = "date 2024-03-12\nFrom 12 March 2024 to May 2025, as last year, in 1999 or 1998-05."
    assert [found.value for found in find_dates(text, 15, published=PUBLISHED)] == ["2024-03-12", "2025-05", "2023", "1999", "1998-05"]
    assert find_dates(text, published=PUBLISHED)[0].value == "2024-03-12"
    assert find_dates("") == []


fragments = st.sampled_from(
    [*ABSOLUTE, *RELATIVE, "in May", " ", ", ", "-", "5", "20", "last ", "th", "of ", "ago", "\n", "May", "999 years ago"]
)


@given(st.lists(fragments, max_size=8).map("".join), st.dates().map(str) | st.none())
def test_whatever_stands_together(text: str, published: str | None) -> None:
    """Any text and any publication date give dates that are apart, inside the text, and of a known precision."""
    found = find_dates(text, published=published)
    taken = [position for each in found for position in range(each.span.start, each.span.end)]
    assert len(set(taken)) == len(taken)
    assert taken == sorted(taken)
    assert all(position < len(text) for position in taken)
    assert all(len(each.value) in (4, 7, 10) and each.value[:4].isdigit() for each in found)
