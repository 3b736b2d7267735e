"""Keys: what is one thing in one document, and so in all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kg.link import Index, Item
from kg.model import Claim, Document, Extraction, Literal, Mention, Name, Span, Text
from kg.resolve import resolve

INDEX = Index(
    [
        Item("Q1", "Yves Saint Laurent", ("Saint Laurent", "YSL"), "Brand"),
        Item("Q2", "Mint", (), "Brand"),
        Item("Q3", "Mint", (), "Brand"),
    ],
    name="test",
    digest="0",
)
DOCUMENT = Document("a", (Text("body", "x" * 200),))


def evidence(start: int, confidence: float = 0.9, extractor: str = "t") -> tuple:
    return (DOCUMENT.evidence(Span(start, start + 5), extractor=extractor, version="1", confidence=confidence),)


def extraction(names: list[Name], claims: list[Claim] = (), kinds: str = "name") -> Extraction:
    mentions = [Mention("body", Span(10 * i, 10 * i + len(n.name)), n.name, n, kinds) for i, n in enumerate(names)]
    return Extraction("a", tuple(mentions), tuple(claims))


def people(*names: str) -> dict[str, set[str]]:
    """Ids of the people, each with the surfaces that mention it."""
    found = resolve(extraction([Name("Person", name) for name in names]), INDEX)
    return {entity.id: {mention.surface for mention in entity.mentions} for entity in found.entities}


def test_parts_of_a_name_are_the_person() -> None:
    """First and last name, in any case and with a genitive, are mentions of the one full name."""
    assert people("Kim Kardashian", "Kim", "KARDASHIAN", "Kardashian’s", "Demna") == {
        "person/kim-kardashian": {"Kim Kardashian", "Kim", "KARDASHIAN", "Kardashian’s"},
        "person/demna": {"Demna"},
    }


def test_parts_of_parts_are_the_person() -> None:
    """A name that is part of a part is the fullest one, however many steps away."""
    names = ("Kardashian", "Kim Kardashian", "Kim Kardashian West", "Kim", "West")
    assert people(*names) == {"person/kim-kardashian-west": set(names)}


def test_a_part_of_two_names_is_neither() -> None:
    """An ambiguous part stays an entity of its own."""
    assert set(people("Kim Kardashian", "Kris Kardashian", "Kardashian")) == {
        "person/kim-kardashian",
        "person/kris-kardashian",
        "person/kardashian",
    }


def test_only_people_have_parts() -> None:
    """A brand's name within another one is another brand."""
    found = resolve(extraction([Name("Brand", "Orsenne"), Name("Brand", "Maison Orsenne")]), INDEX)
    assert [entity.id for entity in found.entities] == ["brand/maison-orsenne", "brand/orsenne"]


def test_types_keep_names_apart() -> None:
    """A person and a brand of one name are two entities."""
    found = resolve(extraction([Name("Brand", "Ella Bow"), Name("Person", "Ella Bow")]), INDEX)
    assert [entity.id for entity in found.entities] == ["brand/ella-bow", "person/ella-bow"]


def test_the_index_gives_the_key() -> None:
    """Two forms of one item are one entity, named by its fullest form, with the item's label as key."""
    found = resolve(extraction([Name("Brand", "YSL"), Name("Brand", "Saint Laurent"), Name("Brand", "Mint")]), INDEX)
    mint, saint = found.entities
    assert (saint.id, saint.name, saint.aliases) == ("brand/yves-saint-laurent", "Saint Laurent", ("YSL",))
    assert {mention.referent for mention in saint.mentions} == {Name("Brand", "Saint Laurent")}
    assert mint.id == "brand/mint"


def test_the_longest_form_names_the_entity() -> None:
    """Of forms that fold alike the longest is the name, the others are aliases."""
    (entity,) = resolve(extraction([Name("Brand", form) for form in ("Orsenne", "The Orsenne", "ORSENNE")]), INDEX).entities
    assert (entity.name, entity.aliases) == ("The Orsenne", ("ORSENNE", "Orsenne"))


def test_nominals_and_pronouns_are_no_names() -> None:
    """What stands for a thing without naming it is a mention, but no alias."""
    person = Name("Person", "Liv Vane")
    mention = Mention("body", Span(50, 53), "She", person, "pronoun")
    found = extraction([person])
    (entity,) = resolve(replace(found, mentions=(*found.mentions, mention)), INDEX).entities
    assert (entity.aliases, len(entity.mentions)) == ((), 2)


def test_claims_of_one_statement_join() -> None:
    """Claims under different forms of the same names are one statement with all the evidence and the fullest dates."""
    full, part, brand = Name("Person", "Liv Vane"), Name("Person", "Vane"), Name("Brand", "Tidewell")
    claims = [
        Claim(full, "ambassadorOf", brand, evidence(0), (("start", "2024"),)),
        Claim(part, "ambassadorOf", brand, evidence(20), (("end", "2025"), ("start", "2024-03"))),
        Claim(part, "ambassadorOf", brand, evidence(20, 0.4)),
        Claim(part, "said", Literal("Hello"), evidence(40)),
    ]
    found = resolve(extraction([full, part, brand], claims), INDEX)
    said, face = sorted(found.statements, key=lambda statement: statement.predicate, reverse=True)
    assert (said.subject, said.object) == ("person/liv-vane", Literal("Hello"))
    assert (face.subject, face.object) == ("person/liv-vane", "brand/tidewell")
    assert [(each.span.start, each.confidence) for each in face.evidence] == [(0, 0.9), (20, 0.9)]
    assert face.qualifiers == (("end", "2025"), ("start", "2024-03"))


def test_two_extractors_at_one_place_are_two_pieces_of_evidence() -> None:
    """The same sentence read by two extractors counts for both."""
    person, brand = Name("Person", "Liv Vane"), Name("Brand", "Tidewell")
    claims = [Claim(person, "wore", brand, evidence(0, extractor=name)) for name in ("b", "a")]
    (statement,) = resolve(extraction([person, brand], claims), INDEX).statements
    assert [each.extractor for each in statement.evidence] == ["a", "b"]


def test_nothing_is_said_of_itself() -> None:
    """A claim whose ends turn out to be one entity is no statement."""
    claims = [Claim(Name("Brand", "YSL"), "collaboratedWith", Name("Brand", "Saint Laurent"), evidence(0))]
    assert resolve(extraction([Name("Brand", "YSL")], claims), INDEX).statements == ()


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_the_order_of_findings_does_not_matter(turn: int) -> None:
    """The same mentions and claims in another order resolve to the same."""
    names = [Name("Person", "Liv Vane"), Name("Person", "Vane"), Name("Brand", "YSL"), Name("Brand", "Saint Laurent")]
    claims = [Claim(names[i], "wore", names[j], evidence(10 * i + j)) for i in (0, 1) for j in (2, 3)]
    one = extraction(names, claims)
    other = replace(one, mentions=one.mentions[turn:] + one.mentions[:turn], claims=one.claims[turn:] + one.claims[:turn])
    assert resolve(one, INDEX) == resolve(other, INDEX)


def test_nothing_comes_of_nothing() -> None:
    """An empty extraction resolves to no entities."""
    assert resolve(Extraction("a"), INDEX).entities == ()
