"""The rules extractor: brands of the index, and quotations with their speakers."""

from __future__ import annotations

import pytest

from kg.extract.rules import Rules
from kg.link import Index, Item
from kg.model import Claim, Document, Extraction, Literal, Mention, Name, Span, Text

INDEX = Index(
    [
        Item("Q1", "Tidewell", (), "Brand"),
        Item("Q2", "Maison Orsenne", ("Orsenne",), "Brand"),
        Item("Q3", "Lacombe & Fils", (), "Brand"),
        Item("Q4", "Mint", (), "Brand"),
        Item("Q5", "Mint", (), "Brand"),
    ],
    name="test",
    digest="0",
)
RULES = Rules(INDEX)


def read(text: str, draft: Extraction | None = None, start: int = 0) -> Extraction:
    return RULES(Document("a", (Text("body", text, start),)), draft or Extraction("a"))


def brands(text: str) -> list[str]:
    found = [mention for mention in read(text).mentions if mention.referent.type == "Brand"]
    assert all(text[mention.span.start : mention.span.end] == mention.surface for mention in found)
    return [mention.surface for mention in sorted(found)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("She wore Maison Orsenne and Tidewell.", ["Maison Orsenne", "Tidewell"]),
        ("Orsenne’s bag, Tidewell's watch", ["Orsenne", "Tidewell"]),
        ("The new Lacombe & Fils shop", ["Lacombe & Fils"]),
        ("At TIDEWELL", ["TIDEWELL"]),
        ("Liv Vane Tidewell Orsenne Yes", ["Tidewell", "Orsenne"]),
        ("a mint tidewell and Mint", []),
        ("Tidewells and Untidewell", []),
        ("", []),
    ],
)
def test_brands_of_the_index_are_mentions(text: str, expected: list[str]) -> None:
    """Capitalised names that the index knows once, the longest first, none inside another, without a genitive."""
    assert brands(text) == expected


@pytest.mark.parametrize(
    ("text", "speaker", "words"),
    [
        ("“It is new,” said Liv Vane.", "Liv Vane", "It is new,"),
        ("“It is new,” Liv Vane said on Tuesday.", "Liv Vane", "It is new,"),
        ('"It is new," added Liv Vane.', "Liv Vane", "It is new,"),
        ("Liv Vane came. “It is new,” Vane explained.", "Liv Vane", "It is new,"),
        ("Liv Vane came. Vane’s Liv. “It is new,” Vane explained.", "Liv Vane", "It is new,"),
        ("The Vane bag. “It is new,” said Vane.", "Vane", "It is new,"),
        ("«It is new», noted Eva van Dyk.", None, None),
        ("“It is new”\n said Eva van Dyk.", "Eva van Dyk", "It is new"),
        ("“It is new,” she said.", None, None),
        ("“It is new,” He said.", None, None),
        ("“It is new.” Liv Vane left.", None, None),
        ("“New,” said Liv Vane.", None, None),
        ("“It is new.”\n\nLiv Vane said no.", None, None),
    ],
)
def test_quotations_have_the_speaker_beside_them(text: str, speaker: str | None, words: str | None) -> None:
    """Who is named beside a quotation by a verb of saying said it; pronouns and neighbours of another paragraph did not."""
    found = [(claim.subject, claim.predicate, claim.object) for claim in read(text).claims]
    assert found == ([] if speaker is None else [(Name("Person", speaker), "said", Literal(str(words)))])


def test_evidence_is_the_sentence_with_its_speaker() -> None:
    """The quote runs from the sentence's beginning to the speaker, and the speaker is a mention."""
    text = "date 2024-01-01 Yes. At home, “it is new,” said Liv Vane on Tuesday."
    found = read(text, start=15)
    (claim,) = found.claims
    assert [evidence.quote for evidence in claim.evidence] == ["At home, “it is new,” said Liv Vane"]
    assert [(mention.surface, mention.referent) for mention in found.mentions] == [("Liv Vane", claim.subject)]


def test_metadata_is_not_read() -> None:
    """What stands before the text begins is no sentence of it."""
    assert read("Tidewell “It is new,” said Liv Vane. Nothing.", start=36) == Extraction("a")


def test_what_is_found_already_is_left_alone() -> None:
    """Words that an earlier extractor took are not taken again, nor quotations where it found some."""
    text = "Tidewell and Orsenne. “It is new,” said Liv Vane."
    taken = Mention("body", Span(0, 8), "Tidewell", Name("Organization", "Tidewell"))
    evidence = Document("a", (Text("body", text),)).evidence(Span(0, 8), extractor="x", version="1", confidence=1)
    said = Claim(Name("Person", "Somebody"), "said", Literal("x"), (evidence,))
    found = read(text, Extraction("a", (taken,), (said,)))
    assert [mention.surface for mention in found.mentions] == ["Orsenne"]
    assert found.claims == ()


def test_its_fingerprint_is_that_of_the_index() -> None:
    """Another index is another extractor."""
    assert RULES.fingerprint == INDEX.digest
