"""The choice among candidates: prior, type, context and coherence, or none. People and houses are invented."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.model import Document, Entity, Mention, Name, Resolution, Span, Text
from kg.wikidata.index import Candidate, Item, WikidataIndex, open_index
from kg.wikidata.linking import Linker
from kg.wikidata.rank import find, rank
from kg.wikidata.write import Origin, make_index
from tests.wikidata.test_index import entity, write_dump

TABLE = """qid\tlabel\taliases\ttype\tdescription\tprior
Q1\tOtto Vane\t\tPerson\tEnglish fashion designer\t0.5
Q2\tOtto Vane\tVANE\tBrand\tEnglish fashion house\t0.6
Q3\tOtto Vane\t\tWork\t2019 documentary film\t0.4
Q4\tMina Sol\t\tPerson\tAmerican singer and songwriter\t0.95
Q5\tMina Sol\t\tPerson\tlong-distance runner\t0.2
Q6\tAra Lind\t\tPerson\tSwedish actress in the series Nightfall\t0.5
Q7\tAra Lind\t\tPerson\tSwedish professor of chemistry\t0.5
Q8\tIskra\t\tPerson\tRussian singer\t0.6
Q9\tKim Seo-yun\tK|Yuna\tPerson\tmember of the group Halo Nine\t0.8
Q10\tTrench\t\tBrand\tcoat maker\t0.7
Q11\tTrench\t\t\tunknown thing\t0.7
"""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> WikidataIndex:
    folder = tmp_path_factory.mktemp("index")
    (folder / "t.tsv").write_text(TABLE, encoding="utf-8")
    make_index([Origin("tsv", folder / "t.tsv")], folder / "i.sqlite")
    return open_index(folder / "i.sqlite")


def accepted(index: WikidataIndex, name: str, kind: str | None, context: str = "", **more: list[str]) -> str | None:
    found = [each.qid for each in find(name, [index], type=kind, context=context, **more) if each.accepted]
    assert len(found) <= 1
    return found[0] if found else None


def test_types_are_never_violated(index: WikidataIndex) -> None:
    """Person, house and film of one name are three; what is none of the type is no candidate at all."""
    assert [accepted(index, "Otto Vane", kind) for kind in ("Person", "Brand", "Work", "Event")] == ["Q1", "Q2", "Q3", None]
    assert find("Otto Vane", [index], type="Event") == []
    assert accepted(index, "Otto Vane", None) is None


def test_the_far_better_known_namesake_is_meant(index: WikidataIndex) -> None:
    """Unless the context is the other's; two that are known alike are left open."""
    assert accepted(index, "Mina Sol", "Person") == "Q4"
    assert accepted(index, "Mina Sol", "Person", "Mina Sol, the long-distance runner, won the marathon.") != "Q4"
    assert accepted(index, "Ara Lind", "Person") is None
    assert accepted(index, "Ara Lind", "Person", "Ara Lind, the Swedish actress of the series Nightfall, came late.") == "Q6"
    assert accepted(index, "Ara Lind", "Person", "A professor of chemistry, Ara Lind teaches Swedish students.") == "Q7"


def test_one_word_says_little_of_a_person(index: WikidataIndex) -> None:
    """A stage name that is the item's label does; an alias or a letter does not, unless the context speaks for it."""
    assert accepted(index, "Iskra", "Person") == "Q8"
    assert accepted(index, "Yuna", "Person") is None
    assert accepted(index, "K", "Person") is None
    assert accepted(index, "Yuna", "Person", "Yuna, member of the group Halo Nine") == "Q9"


def test_a_typing_error_is_for_review(index: WikidataIndex) -> None:
    """It is shown with a score below acceptance."""
    (match,) = find("Otto Vanne", [index], type="Person")
    assert (match.qid, match.accepted, match.candidate.how) == ("Q1", False, "typo")


def test_what_is_of_unknown_type_is_never_accepted_as_one(index: WikidataIndex) -> None:
    """It is a candidate, and its features say why it scores less."""
    matches = {each.qid: each for each in find("Trench", [index], type="Brand")}
    assert matches["Q10"].features["type"] > matches["Q11"].features["type"]
    assert not matches["Q11"].accepted


items = st.builds(
    Item,
    st.integers(1, 6).map(lambda n: f"Q{n}"),
    st.sampled_from(("Liv Vane", "Vane", "Noor")),
    description=st.sampled_from(("", "actress", "Wikimedia disambiguation page")),
    types=st.sampled_from((None, (), ("Person",), ("Brand", "Organization"))),
    prior=st.sampled_from((0.0, 0.3, 0.999, 1.0)),
)
candidates = st.builds(
    Candidate, items, st.just("x"), st.sampled_from(("label", "alias", "other", "typo")), st.sampled_from((0.8, 1.0)), st.just("i")
)


@given(st.lists(candidates, max_size=6), st.sampled_from((None, "Person", "Brand")), st.sampled_from(("", "an actress")), st.randoms())
def test_ranking_knows_no_order(found: list[Candidate], kind: str | None, context: str, chance: object) -> None:
    """Scores lie between 0 and 1, best first, at most one accepted, never of another type; the order of candidates is nothing."""
    unique = list({each.qid: each for each in found}.values())
    matches = rank("Liv Vane", kind, context, unique)
    assert rank("Liv Vane", kind, context, unique[::-1]) == matches
    assert [each.score for each in matches] == sorted((each.score for each in matches), reverse=True)
    assert all(0 <= each.score <= 1 and all(0 <= value <= 1 for value in each.features.values()) for each in matches)
    assert sum(each.accepted for each in matches) <= 1
    assert all(kind in (each.candidate.item.types or ()) for each in matches if kind and each.accepted)
    assert not any(each.accepted and each.candidate.item.description.startswith("Wikimedia") for each in matches)


def test_what_stands_beside_decides(tmp_path: Path) -> None:
    """Of two namesakes known alike the one whose claims name what the document names; order is nothing."""
    dump = [
        entity(11, "Ida Brook", about="Q", P26=[13]),
        entity(12, "Ida Brook", about="R"),
        entity(13, "Teo Marchetti"),
    ]
    make_index([Origin("dump", write_dump(tmp_path / "d.json", dump))], tmp_path / "i.sqlite")
    linker = Linker([open_index(tmp_path / "i.sqlite")])

    def linked(text: str, *names: str) -> dict[str, tuple[str | None, int]]:
        document = Document("d", (Text("body", text),))
        entities = []
        for name in names:
            at = text.index(name)
            mention = Mention("body", Span(at, at + len(name)), name, Name("Person", name))
            entities.append(Entity(f"person/{name}", "Person", name, (), (mention,)))
        found = linker(document, Resolution("d", tuple(entities))).entities
        return {each.name: (each.link.qid if each.link else None, len(each.candidates)) for each in found}

    assert linked("Ida Brook came.", "Ida Brook") == {"Ida Brook": (None, 2)}
    assert linked("Ida Brook came with Teo Marchetti.", "Ida Brook", "Teo Marchetti") == {
        "Ida Brook": ("Q11", 0),
        "Teo Marchetti": ("Q13", 0),
    }
    assert linked("Ida Brook came with Teo Marchetti.", "Teo Marchetti", "Ida Brook")["Ida Brook"] == ("Q11", 0)


def test_several_indexes_are_asked_together(index: WikidataIndex, tmp_path: Path) -> None:
    """An item that two know is one candidate, with the better prior; each adds namesakes of its own."""
    (tmp_path / "t.tsv").write_text(
        "qid\tlabel\ttype\tprior\nQ4\tMina Sol\tPerson\t0.1\nQ50\tMina Sol\tPerson\t0.95\nQ51\tx\tPerson\t0.6\n", encoding="utf-8"
    )
    make_index([Origin("tsv", tmp_path / "t.tsv")], tmp_path / "i.sqlite")
    matches = find("Mina Sol", [index, open_index(tmp_path / "i.sqlite")], type="Person")
    assert sorted(each.qid for each in matches) == ["Q4", "Q5", "Q50"]
    assert {each.qid: each.features["prior"] for each in matches}["Q4"] == 0.95
    assert not any(each.accepted for each in matches)
    assert json.dumps([each.features for each in matches])
