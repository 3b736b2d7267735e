"""Names that mean several things: persons and their houses, stage names of one word, brands that are words.

Identifiers of the shipped index are looked up in it by label and description; those of people are invented, beyond those in use.
"""

from __future__ import annotations

import pytest

from kg.wikidata.index import WikidataIndex, open_index
from kg.wikidata.rank import Match, find
from kg.wikidata.write import Origin, make_index

HOUSES = {
    "Louis Vuitton": ("Louis Vuitton", "fashion house"),
    "Dior": ("Christian Dior", "fashion house"),
    "Tom Ford": ("Tom Ford", "fashion house"),
    "Calvin Klein": ("Calvin Klein", "fashion house"),
}
WORDS = {"Nike": "athletic equipment", "Coach": "design house", "Guess": "clothing line brand"}
PEOPLE = """qid\tlabel\taliases\ttype\tdescription\tprior
Q999000001\tLouis Vuitton\t\tPerson\tFrench trunk maker, born in the nineteenth century\t0.9
Q999000002\tChristian Dior\tDior\tPerson\tFrench fashion designer\t0.95
Q999000003\tTom Ford\t\tPerson\tAmerican fashion designer and film director\t0.97
Q999000004\tCalvin Klein\t\tPerson\tAmerican fashion designer\t0.95
Q999000011\tV\tKim Taehyung\tPerson\tmember of a South Korean group\t0.98
Q999000012\tLisa\t\tPerson\tThai rapper, member of a group with four singers\t0.98
Q999000013\tLisa\t\tPerson\tJapanese singer\t0.9
Q999000014\tRosé\t\tPerson\tNew Zealand singer, member of a group with four singers\t0.98
Q999000015\tLee Felix\tFelix\tPerson\tAustralian rapper, member of a group with eight singers\t0.9
Q999000016\tFelix\t\tPerson\tGerman singer\t0.3
Q999000021\tNike\t\tWork\tinvented opera about the goddess\t0.9
Q999000022\tRhode\t\tBrand\tAmerican skincare brand\t0.8
Q999000023\tRhode\t\tPerson\tnymph of the sea\t0.8
Q999000024\tCoach\t\tPerson\tinvented trainer\t0.6
"""


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> list[WikidataIndex]:
    """The shipped index, which holds houses and few people, beside one of namesakes."""
    folder = tmp_path_factory.mktemp("namesakes")
    (folder / "people.tsv").write_text(PEOPLE, encoding="utf-8")
    make_index([Origin("tsv", folder / "people.tsv")], folder / "people.sqlite")
    return [open_index(), open_index(folder / "people.sqlite")]


def accepted(indexes: list[WikidataIndex], name: str, kind: str | None, context: str = "") -> Match | None:
    found = [each for each in find(name, indexes, type=kind, context=context) if each.accepted]
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize("name", HOUSES)
def test_person_and_house_of_one_name(indexes: list[WikidataIndex], name: str) -> None:
    """The type tells them apart; without it the name alone is left open."""
    label, description = HOUSES[name]
    house, person = accepted(indexes, name, "Brand"), accepted(indexes, label, "Person")
    assert house is not None
    assert person is not None
    assert (house.candidate.item.label, description in house.candidate.item.description) == (label, True)
    assert person.qid.startswith("Q99900")
    assert person.candidate.item.types == ("Person",)
    assert house.qid != person.qid
    assert accepted(indexes, label, None) is None


@pytest.mark.parametrize("name", HOUSES)
def test_a_house_alone_is_nobody(indexes: list[WikidataIndex], name: str) -> None:
    """Where the index holds the house only, a person of that name has no item."""
    assert all("Person" in (each.candidate.item.types or ("Person",)) for each in find(name, indexes[:1], type="Person"))
    assert accepted(indexes[:1], name, "Person") is None


@pytest.mark.parametrize("name", WORDS)
def test_brands_that_are_words(indexes: list[WikidataIndex], name: str) -> None:
    """They are found as brands, never as what else bears the name."""
    brand = accepted(indexes, name, "Brand")
    assert brand is not None
    assert WORDS[name] in brand.candidate.item.description
    assert "Brand" not in {kind for each in find(name, indexes, type="Person") for kind in each.candidate.item.types or ()}


def test_a_brand_that_the_shipped_index_lacks(indexes: list[WikidataIndex]) -> None:
    """Rhode is not Rhodes, which is at one typing error; with the brand in an index it is that."""
    assert accepted(indexes[:1], "Rhode", "Brand") is None
    found = accepted(indexes, "Rhode", "Brand")
    assert found is not None
    assert found.qid == "Q999000022"


STAGE = {
    ("Rosé", ""): "Q999000014",
    ("rose", ""): "Q999000014",
    ("Lisa", ""): None,
    ("Lisa", "Lisa, the Thai rapper of the group, sat in the front row."): "Q999000012",
    ("Lisa", "The Japanese singer Lisa sang."): "Q999000013",
    ("V", ""): None,
    ("V", "V, a member of the South Korean group, came to Seoul."): "Q999000011",
    ("Felix", ""): None,
    ("Kim Taehyung", ""): "Q999000011",
}


@pytest.mark.parametrize(("name", "context"), STAGE)
def test_stage_names_of_one_word(indexes: list[WikidataIndex], name: str, context: str) -> None:
    """A letter needs a context that fits; of namesakes that are known alike none is meant without one."""
    found = accepted(indexes, name, "Person", context)
    assert (found.qid if found else None) == STAGE[name, context]
    assert accepted(indexes[:1], name, "Person", context) is None
