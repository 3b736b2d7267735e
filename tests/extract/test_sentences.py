"""Sentences: where they end, and where they don't. (That they leave nothing out is a property.)"""

from __future__ import annotations

import pytest

from kg.extract.sentences import Sentences
from kg.model import Span


def split(text: str, start: int = 0) -> list[str]:
    return [text[span.start : span.end] for span in Sentences(text, start).spans]


@pytest.mark.parametrize(
    "sentence",
    [
        "Mr. Vane met Mrs. Okoye and Dr. Roy of Tidewell Inc. in New York.",
        "J. K. Rowling and J.W. Anderson met at 3 p.m. on Monday.",
        "The U.S. Open and the U.K. Tour began on Jan. 5 and Sept. 7.",
        "It cost 1.5 million, i.e. a lot.",
        "“Why?” she asked.",
        "Wait... what did she say?",
        "See example.org for more!",
        "Versace vs. Prada, No. 5 and St. Moritz?",
        "What‽",
    ],
)
def test_a_sentence_stays_whole(sentence: str) -> None:
    """Abbreviations, initials, numbers and quotations inside end no sentence."""
    assert split(f"Before it. {sentence} After it.")[1:-1] == [sentence] or split(sentence) == [sentence]
    assert split(sentence) == [sentence]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four… Five", ["One.", "Two!", "Three?", "Four…", "Five"]),
        ("“One.” “Two.” She left.", ["“One.”", "“Two.”", "She left."]),
        ("(One.) [Two.] Three.", ["(One.)", "[Two.]", "Three."]),
        ("A heading\n\nA text. And\nmore", ["A heading", "A text.", "And", "more"]),
        ("  One.  \r\n\r\n  Two.  ", ["One.", "Two."]),
        ("She closed. 1998 came.", ["She closed.", "1998 came."]),
        ("She is the best. Then she left.", ["She is the best.", "Then she left."]),
        ("", []),
        (" \n\t ", []),
        ("…", ["…"]),
    ],
)
def test_where_sentences_end(text: str, expected: list[str]) -> None:
    """At marks before white space, at closing quotation marks behind them, at the end of each line."""
    assert split(text) == expected


def test_reading_starts_where_it_is_told() -> None:
    """Metadata in front is no sentence, and spans count from the text's beginning."""
    assert split("date 2024-01-24 One. Two.", 15) == ["One.", "Two."]


def test_the_sentence_that_holds_a_span() -> None:
    """From the beginning of the first to the end of the last sentence that a span touches."""
    text = "One is here. Two is there. Three."
    sentences = Sentences(text)
    holding = {
        (4, 6): "One is here.",
        (4, 15): "One is here. Two is there.",
        (0, 33): text,
        (11, 13): "One is here.",
        (12, 13): "One is here. ",
    }
    for (start, end), expected in holding.items():
        span = sentences.holding(Span(start, end))
        assert text[span.start : span.end].strip() == expected.strip()
    assert [sentences.number(position) for position in (0, 12, 13, 30, 99)] == [0, 0, 1, 2, 2]


def test_a_text_without_sentences_holds_the_span_itself() -> None:
    """Where nothing is but white space, a span is its own sentence."""
    assert Sentences("   ").holding(Span(1, 2)) == Span(1, 2)
