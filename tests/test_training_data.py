"""The training articles: every annotation reads, quotes its article to the letter and keeps to the ontology."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from kg.gold import GoldDocument, read_gold
from kg.rdf.ontology import Ontology, load_ontology
from kg.settings import Settings

TRAINING = Path(__file__).parent.parent / "training"


@cache
def articles() -> dict[str, tuple[str, GoldDocument]]:
    """Text and annotation of every article."""
    return {gold.id: ((TRAINING / "docs" / f"{gold.id}.txt").read_bytes().decode("utf-8"), gold) for gold in read_gold(TRAINING / "gold")}


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology(Settings())


def test_articles_and_annotations_are_pairs() -> None:
    """No article without its annotation, none the other way round, and the file's name is the id."""
    assert set(articles()) == {path.stem for path in (TRAINING / "docs").iterdir()} == {path.stem for path in (TRAINING / "gold").iterdir()}
    assert len(articles()) > 500


def test_dated_articles_begin_with_their_date() -> None:
    """The date of the annotation is that of the first line."""
    wrong = [name for name, (text, gold) in articles().items() if gold.published and text.split("\n")[0] != f"date {gold.published}"]
    assert wrong == []


def test_evidence_is_the_articles_own_words() -> None:
    """Every fact has a sentence that stands in its article, character by character."""
    wrong = [
        (name, fact) for name, (text, gold) in articles().items() for fact in gold.facts if not fact.evidence or fact.evidence not in text
    ]
    assert wrong == []


def test_types_are_those_of_the_ontology(ontology: Ontology) -> None:
    types = set(ontology.entity_types)
    wrong = [
        (name, entity)
        for name, (_, gold) in articles().items()
        for entity in gold.entities
        if not {entity.type, *entity.alt_types} <= types
    ]
    assert wrong == []


def test_facts_keep_to_the_signatures(ontology: Ontology) -> None:
    """Predicates exist; subjects and objects are declared, with a type that the predicate takes; text is not empty."""
    signatures, wrong = ontology.signatures, []
    for name, (_, gold) in articles().items():
        for fact in gold.facts:
            subjects, objects = signatures.get(fact.predicate, (frozenset[str](), frozenset[str]()))
            subject = gold.entity(fact.subject, subjects, fact.subject_type)
            value = fact.object if objects is None else gold.entity(fact.object, objects, fact.object_type)
            if not subject or not value:
                wrong.append((name, fact))
    assert wrong == []


def test_only_some_predicates_have_periods(ontology: Ontology) -> None:
    """Start and end stand only where the ontology has them."""
    for name, (_, gold) in articles().items():
        for fact in gold.facts:
            keys = {key for key, _ in fact.qualifiers}
            assert keys <= ({"start", "end"} if ontology.predicates[fact.predicate].takes_period else set()), (name, fact)
