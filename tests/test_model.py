"""The nouns: what can't be constructed, and what is the same thing."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, is_dataclass, replace

import pytest

from kg import model
from kg.model import (
    BuildReport,
    Claim,
    Document,
    Evidence,
    Literal,
    Name,
    Problem,
    Span,
    Statement,
    Text,
    content_hash,
    fact_id,
)

DOCUMENT = Document("a", (Text("body", "Liv Vane left."), Text("data", "{}")))
EVIDENCE = DOCUMENT.evidence(Span(0, 8), extractor="x", version="1", confidence=0.126)


@pytest.mark.parametrize(("start", "end"), [(-1, 3), (3, 3), (4, 3)])
def test_a_span_is_not_empty(start: int, end: int) -> None:
    """A span holds at least one character and begins in the text."""
    with pytest.raises(ValueError, match="span"):
        Span(start, end)


@pytest.mark.parametrize("ident", ["", " a", "a\n", "\t"])
def test_an_id_has_no_space_at_its_ends(ident: str) -> None:
    """Ids that look alike are the same."""
    with pytest.raises(ValueError, match="id"):
        Document(ident, DOCUMENT.texts)


def test_a_document_has_texts_of_different_names() -> None:
    """A document without a text, or with two of one name, can't be made."""
    for texts in ((), (Text("body", "x"), Text("body", "y"))):
        with pytest.raises(ValueError, match="texts"):
            Document("a", texts)


def test_the_body_is_what_people_read() -> None:
    """The text called body, wherever it stands; else the first one."""
    assert Document("a", DOCUMENT.texts[::-1]).body.content == "Liv Vane left."
    assert Document("a", (Text("data", "{}"),)).body.name == "data"
    assert DOCUMENT.text("data").content == "{}"
    with pytest.raises(KeyError):
        DOCUMENT.text("none")


def test_a_quote_is_the_text() -> None:
    """Evidence quotes its span and rounds its confidence to two decimals."""
    assert (EVIDENCE.quote, EVIDENCE.confidence) == ("Liv Vane", 0.13)
    for span in (Span(0, 15), Span(14, 15)):
        with pytest.raises(ValueError, match="beyond"):
            DOCUMENT.evidence(span, extractor="x", version="1", confidence=1)
    with pytest.raises(KeyError):
        DOCUMENT.evidence(Span(0, 1), extractor="x", version="1", confidence=1, text="none")


@pytest.mark.parametrize("change", [{"quote": "Liv"}, {"confidence": 1.1}, {"confidence": -0.1}, {"confidence": float("nan")}])
def test_evidence_keeps_its_promises(change: dict[str, object]) -> None:
    """A quote as long as its span, a confidence from 0 to 1."""
    with pytest.raises(ValueError):
        replace(EVIDENCE, **change)


def test_a_claim_needs_evidence_of_one_document() -> None:
    """Neither a claim nor a statement can be made without evidence."""
    other = replace(DOCUMENT, id="b").evidence(Span(0, 8), extractor="x", version="1", confidence=1)
    person = Name("Person", "Liv Vane")
    for evidence in ((), (EVIDENCE, other)):
        with pytest.raises(ValueError, match=r"evidence|one document"):
            Claim(person, "said", Literal("x"), evidence)
    with pytest.raises(ValueError, match="evidence"):
        Statement("a", "person/liv-vane", "said", Literal("x"), ())


def test_a_fact_id_tells_values_apart() -> None:
    """An entity, a string and a date that read alike are different values."""
    values = ("1998", Literal("1998"), Literal("1998", "gYear"))
    assert len({fact_id("a", "b", value) for value in values}) == 3
    assert fact_id("a", "b", "c") != fact_id("ab", "", "c")
    assert content_hash("a", "b") != content_hash("ab")
    assert len(content_hash("a")) == 20


def test_the_digest_covers_everything_a_document_says() -> None:
    """Any change of texts or metadata is another digest."""
    changes = [
        {"id": "b"},
        {"texts": (Text("body", "Liv Vane left!"), Text("data", "{}"))},
        {"texts": (Text("body", "Liv Vane left.", 3), Text("data", "{}"))},
        *({field: "x"} for field in ("published", "title", "author", "publisher", "url", "language")),
    ]
    assert {field.name for field in fields(Document)} == {name for change in changes for name in change}
    digests = {replace(DOCUMENT, **change).digest for change in changes} | {DOCUMENT.digest}
    assert len(digests) == len(changes) + 1
    assert replace(DOCUMENT).digest == DOCUMENT.digest


def test_a_report_tells_how_a_build_ended() -> None:
    """Failed only where there are problems and nothing is built or was there."""
    problem = (Problem("read", "a", "empty", "it is empty"),)
    assert BuildReport().status == "ok"
    assert BuildReport(problems=problem).status == "failed"
    assert BuildReport(documents=1, problems=problem).status == "partial"
    assert BuildReport(unchanged=1, problems=problem).status == "partial"


def test_nouns_are_frozen() -> None:
    """Every class of the module is a frozen dataclass with slots, and all that is public is listed in order."""
    classes = [each for each in vars(model).values() if isinstance(each, type) and each.__module__ == model.__name__]
    assert len(classes) > 15
    for each in classes:
        if issubclass(each, tuple):  # made by the thousand, and as immutable
            continue
        assert is_dataclass(each)
        assert each.__dataclass_params__.frozen
        assert "__slots__" in vars(each)
    with pytest.raises(FrozenInstanceError):
        EVIDENCE.quote = "x"
    assert isinstance(EVIDENCE, Evidence)
    assert sorted(model.__all__) == model.__all__
    assert {each.__name__ for each in classes} <= set(model.__all__)
