"""Annotated documents as extractions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kg.errors import InputError
from kg.gold import GoldDocument, GoldEntity, GoldFact, as_extraction, find_name, read_gold
from kg.model import Document, Literal, Name, Text

SIGNATURES = {
    "wore": (frozenset({"Person"}), frozenset({"Brand", "Product"})),
    "launchDate": (frozenset({"Product"}), None),
    "said": (frozenset({"Person"}), None),
}
TEXT = "Liv Vane wore Levi’s jeans of 1998. “1998”, said Vane."
DOCUMENT = Document("a", (Text("body", TEXT),))
ENTITIES = (
    GoldEntity("Liv Vane", "Person", ("Vane",)),
    GoldEntity("Levi's", "Organization", (), ("Brand",)),
    GoldEntity("jeans", "Product"),
)


def extract(*facts: GoldFact) -> list[tuple[Name, str, Name | Literal]]:
    found = as_extraction(DOCUMENT, GoldDocument("a", None, ENTITIES, facts), SIGNATURES)
    assert all(TEXT[e.span.start : e.span.end] == e.quote for claim in found.claims for e in claim.evidence)
    return [(claim.subject, claim.predicate, claim.object) for claim in found.claims]


@pytest.mark.parametrize(
    ("text", "form", "found"),
    [
        ("Kim’s bag, Kimono, KIM, Kim", "Kim", [0, 24]),
        ("Levi’s and Levi's", "Levi's", [0, 11]),
        ("Levi’s and Levi's", "Levi’s", [0, 11]),
        ("Liv\n  Vane, Liv Vane", "Liv Vane", [0, 12]),
        ("A$AP (x) [y]", "(x) [y]", [5]),
        ("anything", "", []),
        ("any thing", " ", []),
    ],
)
def test_names_are_found_as_whole_words(text: str, form: str, found: list[int]) -> None:
    """Apostrophes and white space may differ, case and word ends may not."""
    assert [span.start for span in find_name(text, form)] == found


def test_mentions_are_every_form_at_every_place() -> None:
    """Each form of an entity is a mention of its full name, with the text's own spelling."""
    found = as_extraction(DOCUMENT, GoldDocument("a", None, ENTITIES, ()), SIGNATURES)
    assert [(mention.surface, mention.referent.name) for mention in found.mentions] == [
        ("Liv Vane", "Liv Vane"),
        ("Vane", "Liv Vane"),
        ("Levi’s", "Levi's"),
        ("jeans", "jeans"),
        ("Vane", "Liv Vane"),
    ]


def test_facts_become_claims() -> None:
    """Dates have the type of their precision, texts that look like dates stay texts, further types count."""
    assert extract(
        GoldFact("Liv Vane", "wore", "Levi's", "Liv Vane wore Levi’s"),
        GoldFact("jeans", "launchDate", "1998", "jeans of 1998"),
        GoldFact("Liv Vane", "said", "1998", "“1998”, said Vane"),
    ) == [
        (Name("Person", "Liv Vane"), "wore", Name("Organization", "Levi's")),
        (Name("Product", "jeans"), "launchDate", Literal("1998", "gYear")),
        (Name("Person", "Liv Vane"), "said", Literal("1998")),
    ]


@pytest.mark.parametrize(
    "fact",
    [
        GoldFact("Liv Vane", "wore", "jeans", "wore no jeans"),
        GoldFact("Liv Vane", "wore", "jeans", ""),
        GoldFact("Liv Vane", "wore", "jeans", "wore", optional=True),
        GoldFact("Nobody", "wore", "jeans", "wore"),
        GoldFact("Liv Vane", "wore", "Nothing", "wore"),
        GoldFact("jeans", "wore", "jeans", "wore"),
        GoldFact("Liv Vane", "wore", "jeans", "wore", object_type="Brand"),
    ],
)
def test_what_does_not_fit_is_left_out(fact: GoldFact) -> None:
    """Facts without their words in the text, optional ones, and those of unknown or unfit ends."""
    assert extract(fact) == []


def test_an_unknown_predicate_is_an_input_error() -> None:
    """A gold file for another ontology is named, with the predicate."""
    with pytest.raises(InputError, match="a: the ontology has no predicate 'ate'"):
        extract(GoldFact("Liv Vane", "ate", "jeans", "wore"))


def test_gold_files_are_read_in_order(tmp_path: Path) -> None:
    """Every field is read; what may be left out may be left out."""
    fact = {"subject": "A", "predicate": "wore", "object": {"x": 1}, "qualifiers": {"start": "2024", "end": "2025"}, "optional": True}
    for ident, facts in (("b", [fact]), ("a", [])):
        content = {"id": ident, "entities": [{"name": "A", "type": "Person", "alt_types": ["Brand"]}], "facts": facts}
        (tmp_path / f"{ident}.json").write_text(json.dumps(content), encoding="utf-8")
    first, second = read_gold(tmp_path)
    assert (first.id, first.published, first.facts, first.entities) == ("a", None, (), (GoldEntity("A", "Person", (), ("Brand",)),))
    assert second.facts == (GoldFact("A", "wore", "", "", (("end", "2025"), ("start", "2024")), True),)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"id": "a", "entities": [{}], "facts": []}', '{"id": "a", "entities": [], "facts": [1]}']
)
def test_a_broken_gold_file_is_named(tmp_path: Path, content: str) -> None:
    """What is no gold file is an input error with the path."""
    (tmp_path / "x.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"x\.json is no gold file"):
        read_gold(tmp_path)


def test_a_folder_without_gold_is_named(tmp_path: Path) -> None:
    """No file, no silence."""
    with pytest.raises(InputError, match="no gold files"):
        read_gold(tmp_path)
