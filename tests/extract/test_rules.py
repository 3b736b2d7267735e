"""The rules extractor: brands of the index, and quotations with their speakers."""

from __future__ import annotations

import re

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
LIV = Name("Person", "Liv Vane")


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
    """After an extractor that found names no brand is looked up, and a quotation that has its speaker gets no other."""
    text = "Tidewell and Orsenne. “It is new,” said Liv Vane. “We begin again,” she added."
    taken = (Mention("body", Span(0, 8), "Tidewell", Name("Brand", "Tidewell")), Mention("body", Span(40, 48), "Liv Vane", LIV))
    evidence = Document("a", (Text("body", text),)).evidence(Span(0, 8), extractor="x", version="1", confidence=1)
    said = Claim(Name("Person", "Somebody"), "said", Literal("It is new,"), (evidence,))
    found = read(text, Extraction("a", taken, (said,)))
    assert [(claim.subject, claim.object) for claim in found.claims] == [(LIV, Literal("We begin again,"))]
    assert [(mention.surface, mention.kind) for mention in found.mentions] == [("she", "pronoun")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Liv Vane came. The Harbour Law star poses for the house’s Night Ferry campaign.", {("castMemberOf", "Harbour Law")}),
        ("Liv Vane came. The French star left, the Hollywood star stayed.", set()),
        (
            "Tidewell is old. Liv Vane stars in the brand’s Night Ferry campaign.",
            {("campaignFor", "Tidewell"), ("starsIn", "Night Ferry campaign")},
        ),
        ("“A day,” said a man. Orsenne’s Night Ferry campaign is out.", {("campaignFor", "Orsenne")}),
        ("“A day,” said a man. Nobody’s Night Ferry campaign is out.", set()),
    ],
)
def test_formulaic_phrases(text: str, expected: set[tuple[str, str]]) -> None:
    """A star of X is in the cast of X, "the brand's X campaign" is for the brand named last; adjectives of countries are no works."""
    mentions = [Mention("body", Span(m.start(), m.end()), m.group(), LIV) for m in re.finditer("Liv Vane", text)]
    mentions += [Mention("body", Span(m.start(), m.end()), m.group(), Name("Brand", m.group())) for m in re.finditer("Tidewell", text)]
    found = read(text, Extraction("a", tuple(mentions)))
    assert {(claim.predicate, claim.object.name) for claim in found.claims if isinstance(claim.object, Name)} == expected


@pytest.mark.parametrize(
    ("text", "start"), [("Tidewell has named Liv Vane its face.", "2024-03"), ("Liv Vane was its face for years.", None)]
)
def test_posts_that_are_being_given_begin_now(text: str, start: str | None) -> None:
    """A post that the sentence gives begins in the month of publication, one that it remembers has no such date."""
    source = Document("a", (Text("body", text),), published="2024-03-12")
    evidence = source.evidence(Span(0, len(text)), extractor="x", version="1", confidence=0.9)
    draft = Extraction("a", (), (Claim(LIV, "ambassadorOf", Name("Brand", "Tidewell"), (evidence,)),))
    assert [dict(claim.qualifiers).get("start") for claim in RULES(source, draft).claims] == ([start] if start else [])


def test_its_fingerprint_is_that_of_the_index() -> None:
    """Another index is another extractor."""
    assert RULES.fingerprint == INDEX.digest
