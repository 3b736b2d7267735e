"""Quotations: between which marks, and where not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.extract.quotes import find_quotes


def quotes(text: str, start: int = 0) -> list[str]:
    return [text[span.start : span.end] for span in find_quotes(text, start)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“Yes,” she said.", ["Yes,"]),
        ('"Yes," she said.', ["Yes,"]),
        ("«Oui», dit-elle.", ["Oui"]),
        ("« Oui », dit-elle.", ["Oui"]),
        ("„Ja“, sagte sie.", ["Ja"]),
        ("„Ja”, mondta.", ["Ja"]),
        ("‘I grew up with it,’ she said.", ["I grew up with it,"]),
        ("'I grew up with it,' she said.", ["I grew up with it,"]),
        ("“One,” she said, “and two.”", ["One,", "and two."]),
        ("“A “b” c”", ["A “b"]),
        ("“She said ‘yes please’ to me”", ["She said ‘yes please’ to me"]),
        ("“It’s the Kardashians’ bag”", ["It’s the Kardashians’ bag"]),
        ("‘It isn’t so,’ he said", ["It isn’t so,"]),
        ("“  padded  ”", ["padded"]),
        ("“” and “ ”", []),
        ("“x”", ["x"]),
    ],
)
def test_marks_of_all_kinds(text: str, expected: list[str]) -> None:
    """What stands between the marks, without them and without white space at its ends."""
    assert quotes(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "It’s the dogs’ bag, isn’t it? The ’90s.",
        "It's the dogs' bag, isn't it? rock 'n' roll",
        "“She never closed it",
        "closed”, but never opened",
        '6" by 7"',
        '"A line that ends\nwithout closing"',
        "“" + "x" * 5000 + "”",
        "",
    ],
)
def test_what_is_no_quotation(text: str) -> None:
    """Apostrophes, inches, and marks that don't close open nothing."""
    assert quotes(text) == []


def test_quotations_over_paragraphs() -> None:
    """Each paragraph opens anew, the last one closes: one span each; a mark that stands open ends with its paragraph's successor."""
    assert quotes("“One.\n\n“Two.\n\n“Three,” said Vane. “Four.”") == ["One.", "Two.", "Three,", "Four."]
    assert quotes('"One.\n\n"Two," said Vane.') == ["One.", "Two,"]
    assert quotes("“One.\n\nTwo,” said Vane.") == ["One.", "Two,"]


def test_an_open_mark_swallows_nothing_after_its_reach() -> None:
    """A mark that never closes leaves later quotations alone."""
    assert quotes("“" + "x" * 4500 + " “Yes,” she said.") == ["Yes,"]
    assert quotes('6" tall and "quoted"') == ["quoted"]
    assert quotes("rock 'n' roll, 'quoted words' follow") == ["quoted words"]


def test_reading_starts_where_it_is_told() -> None:
    """Marks before the start are metadata."""
    assert quotes("“a” “b”", 3) == ["b"]


@pytest.mark.parametrize("mark", ["“", '"', "«", "„", "'", "‘", "“”", "“\n", '" ', "'a ", "“a” 'bcd' "])
def test_many_marks_are_quick(mark: str) -> None:
    """A thousand marks take no time, thirty thousand not long."""
    for count, limit in ((1_000, 1.0), (30_000, 10.0)):
        begin = time.process_time()
        find_quotes(mark * count)
        assert time.process_time() - begin < limit


@given(st.text(alphabet=st.sampled_from("“”\"«»„‘’' \nab.,"), max_size=40), st.integers(0, 5))
def test_quotations_are_apart(text: str, start: int) -> None:
    """Any marks in any order give spans inside the text, in order, that hold words."""
    found = find_quotes(text, start)
    assert found == sorted(found)
    assert all(start <= span.start and span.end <= len(text) for span in found)
    assert all(text[span.start : span.end].strip() == text[span.start : span.end] != "" for span in found)
    assert all("\n" not in text[span.start : span.end] for span in found)
