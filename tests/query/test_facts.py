"""The facts view holds what the documents state, as the contract writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kg.errors import NotFound, UsageError
from kg.model import Correction, Document, Entity, Literal, Resolution, Span, Statement, Text
from kg.query.facts import facts
from kg.revise import Reviser
from kg.store import Store, open_store
from kg.validate import Verdict

KEYS = ["doc", "predicate", "subject", "object", "qualifiers", "evidence", "span", "confidence", "extractor", "documents", "sources"]


def _put(reviser: Reviser, document: Document, *entities: Entity, statements: tuple[Statement, ...]) -> None:
    resolution = Resolution(document.id, entities, statements)
    reviser.put(document, Verdict(resolution, ()), fingerprint="test")


def _short(rows: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(row["subject"]["label"], row["predicate"], row["object"].get("label", row["object"].get("value"))) for row in rows]


def test_line_has_the_keys_of_the_contract(library: Store) -> None:
    """Keys and their order are those that users' scripts read."""
    rows = list(facts(library))

    assert len(rows) == 45
    for row in rows:
        assert list(row) == KEYS
        assert list(row["subject"]) == ["label", "type", "iri", "wikidata"]
        assert list(row["object"]) in (["label", "type", "iri", "wikidata"], ["value", "datatype"])
        assert set(row["qualifiers"]) <= {"start", "end"}


def test_line_opens_its_sentence(library: Store) -> None:
    """Every quote is found at its span in the stored text."""
    for row in facts(library, all_evidence=True):
        stored = library.ledger.row(row["doc"])
        assert stored is not None
        assert stored.document.body.content[row["span"][0] : row["span"][1]] == row["evidence"]


def test_values(library: Store) -> None:
    """Entities, dates, texts, qualifiers, identifiers and counts come as the contract has them."""
    found = {(row["doc"], *_short([row])[0]): row for row in facts(library)}

    face = found["vane-wire", "Liv Vane", "ambassadorOf", "Maison Orsenne"]
    assert face == {
        "doc": "vane-wire",
        "predicate": "ambassadorOf",
        "subject": {"label": "Liv Vane", "type": "Person", "iri": "http://localhost:8000/resource/person/liv-vane", "wikidata": None},
        "object": {
            "label": "Maison Orsenne",
            "type": "Brand",
            "iri": "http://localhost:8000/resource/brand/maison-orsenne",
            "wikidata": None,
        },
        "qualifiers": {"start": "2024-03-12"},
        "evidence": "Liv Vane is the new ambassador of Maison Orsenne",
        "span": [24, 72],
        "confidence": 1.0,
        "extractor": "gold",
        "documents": 2,
        "sources": 2,
    }
    assert found["orsenne-vane-face", "Liv Vane", "ambassadorOf", "Maison Orsenne"]["qualifiers"] == {"start": "2024-03"}
    assert found["carrel-history", "Carrel bag", "launchDate", "1999"]["object"] == {"value": "1999", "datatype": "gYear"}
    assert found["orsenne-vane-face", "Night Ferry", "campaignDate", "2024-03"]["object"] == {"value": "2024-03", "datatype": "gYearMonth"}
    assert found["vane-wire", "Liv Vane", "occupation", "actress"]["object"] == {"value": "actress", "datatype": "string"}
    assert found["tidewell-marsh", "Balenciaga", "collaboratedWith", "Tidewell"]["subject"]["wikidata"].startswith("Q")


def test_lines_are_sorted(library: Store) -> None:
    """By document, predicate, subject and object."""
    keys = [(row["doc"], row["predicate"], *_short([row])[0][::2]) for row in facts(library)]

    assert keys == sorted(keys)


@pytest.mark.parametrize("about", ["Tidewell", "brand/tidewell", "http://localhost:8000/resource/brand/tidewell"])
def test_about_looks_at_both_ends(library: Store, about: str) -> None:
    """Facts from and to the entity, as name, id or IRI."""
    rows = list(facts(library, about=about))

    assert rows == [row for row in facts(library) if "Tidewell" in (row["subject"]["label"], row["object"].get("label"))]
    assert len(rows) == 6


def test_restrictions_join(library: Store) -> None:
    """Document, entity and predicate restrict together."""
    assert _short(list(facts(library, document="vane-wire", about="Tidewell"))) == [
        ("Liv Vane", "ambassadorOf", "Tidewell"),
        ("Greta Holm", "executiveOf", "Tidewell"),
    ]
    assert [row["doc"] for row in facts(library, predicate="occupation", about="Liv Vane")] == [
        "orsenne-vane-face",
        "rumours-only",
        "vane-wire",
    ]
    assert list(facts(library, predicate="styledBy")) == []


def test_what_is_not_there(library: Store) -> None:
    """Unknown documents and entities are told with near names, a date that is none with the right form."""
    with pytest.raises(NotFound, match="did you mean vane-wire"):
        facts(library, document="vane-wir")
    with pytest.raises(NotFound, match="no entity 'Tidewall'"):
        facts(library, about="Tidewall")
    with pytest.raises(UsageError, match="at takes a date"):
        facts(library, at="yesterday")


@pytest.mark.parametrize(
    ("date", "directors"),
    [
        ("2009", ["Odile Sarr"]),
        ("2010", ["Bram Tolvanen", "Odile Sarr"]),
        ("2010-06-01", ["Bram Tolvanen", "Odile Sarr"]),
        ("2015-01", ["Bram Tolvanen"]),
        ("2020", ["Anselm Roy", "Bram Tolvanen"]),
        ("2024-01-01", ["Anselm Roy"]),
    ],
)
def test_at_compares_partial_dates_as_far_as_both_go(library: Store, date: str, directors: list[str]) -> None:
    """A year contains its months; an end that is not known is open."""
    rows = facts(library, predicate="creativeDirectorOf", at=date)

    assert sorted({row["subject"]["label"] for row in rows}) == directors


def test_at_leaves_out_what_has_no_period(library: Store) -> None:
    """Of a fact without start and end nothing is known of its time."""
    assert {row["predicate"] for row in facts(library, at="2024-04")} == {"ambassadorOf", "creativeDirectorOf"}


def test_label_is_the_document_s_and_iri_the_fused_one(tmp_path: Path) -> None:
    """After a merge by hand, each document keeps its own name and type of the thing."""
    with open_store(tmp_path / "store", create=True) as made:
        reviser = Reviser(made, single_valued=frozenset())
        for ident, key, name in (("one", "person/liv-vane", "Liv Vane"), ("two", "person/l-vane", "L. Vane")):
            document = Document(ident, (Text("body", f"{name} is an actress."),))
            evidence = document.evidence(Span(0, len(name)), extractor="e", version="1", confidence=0.5)
            statement = Statement(ident, key, "occupation", Literal("actress"), (evidence,))
            _put(reviser, document, Entity(key, "Person", name), statements=(statement,))
        reviser.correct(Correction("merge", ("person/liv-vane", "person/l-vane"), "me", "2026-01-01"))
        rows = list(facts(made, about="Liv Vane"))
        reviser.correct(Correction("reject", (_fact(made),), "me", "2026-01-02"))

        assert [(row["doc"], row["subject"]["label"], row["documents"]) for row in rows] == [("one", "Liv Vane", 2), ("two", "L. Vane", 2)]
        assert {row["subject"]["iri"] for row in rows} == {"http://localhost:8000/resource/person/liv-vane"}
        assert list(facts(made)) == []


def _fact(store: Store) -> str:
    rows = list(store.graph.query("SELECT ?f { ?f a <http://localhost:8000/ontology#Fact> }"))
    return str(rows[0]["f"].value).rpartition("/")[2]


def test_best_sentence_is_the_surest_then_the_earliest(tmp_path: Path) -> None:
    """One line shows the best sentence, all evidence every one; merged statements of one document are one line."""
    document = Document("one", (Text("body", "Liv acts. Liv acted. Vane acts."),), published="2024")

    def evidence(start: int, end: int, confidence: float) -> Any:
        return document.evidence(Span(start, end), extractor="e", version="1", confidence=confidence)

    with open_store(tmp_path / "store", create=True) as made:
        reviser = Reviser(made, single_valued=frozenset())
        said = (
            Statement(
                "one", "person/liv", "memberOf", "organization/o", (evidence(10, 20, 0.7), evidence(0, 9, 0.6)), (("start", "2020"),)
            ),
            Statement(
                "one", "person/vane", "memberOf", "organization/o", (evidence(21, 31, 0.7),), (("start", "2020-02"), ("end", "2021"))
            ),
        )
        entities = (
            Entity("organization/o", "Organization", "O"),
            Entity("person/liv", "Person", "Liv"),
            Entity("person/vane", "Person", "Vane"),
        )
        _put(reviser, document, *entities, statements=said)
        reviser.correct(Correction("merge", ("person/liv", "person/vane"), "me", "2026-01-01"))
        best, every = list(facts(made)), list(facts(made, all_evidence=True))

        assert [(row["evidence"], row["confidence"]) for row in best] == [("Liv acted.", 0.7)]
        assert best[0]["qualifiers"] == {"start": "2020-02", "end": "2021"}
        assert [(row["subject"]["label"], row["span"]) for row in every] == [("Liv", [0, 9]), ("Liv", [10, 20]), ("Vane", [21, 31])]
        assert {row["subject"]["iri"] for row in every} == {"http://localhost:8000/resource/person/liv"}
