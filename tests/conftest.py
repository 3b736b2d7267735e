"""Fixtures: small annotated documents, invented for these tests, and stores built from them without a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kg.gold import GoldDocument, as_extraction, read_gold
from kg.link import load_index
from kg.model import Document, Text
from kg.rdf.iris import Namespace
from kg.rdf.ontology import load_ontology
from kg.resolve import resolve
from kg.revise import Reviser
from kg.settings import Settings
from kg.store import Store, open_store
from kg.validate import judge, load_shapes
from kg.wikidata.linking import load_linker

DATA = Path(__file__).parent / "data"
BASE = "http://localhost:8000/"


def annotated() -> list[tuple[Document, GoldDocument]]:
    """Every annotated document of tests/data/annotated."""
    found = []
    for gold in read_gold(DATA / "annotated" / "gold"):
        content = (DATA / "annotated" / "docs" / f"{gold.id}.txt").read_text(encoding="utf-8")
        end = len(f"date {gold.published}") if gold.published else 0
        found.append((Document(gold.id, (Text("body", content, end),), published=gold.published), gold))
    return found


@pytest.fixture(scope="session")
def put_annotated() -> Callable[[Reviser, Document, GoldDocument], None]:
    """Puts one annotated document into a store, as if an extractor had found exactly what is annotated."""
    settings = Settings()
    ontology, index, shapes = load_ontology(settings), load_index("shipped"), load_shapes(settings)
    linker = load_linker("shipped")

    def put(reviser: Reviser, document: Document, gold: GoldDocument) -> None:
        extraction = as_extraction(document, gold, ontology.signatures)
        verdict = judge(document, linker(document, resolve(extraction, index)), shapes, Namespace(BASE))
        reviser.put(document, verdict, fingerprint="test")

    return put


@pytest.fixture
def store(tmp_path: Path, put_annotated: Callable[[Reviser, Document, GoldDocument], None]) -> Iterator[Store]:
    """A writable store that holds every annotated document."""
    with open_store(tmp_path / "store", create=True) as made:
        reviser = Reviser(made, single_valued=load_ontology(Settings()).single_valued)
        for document, gold in annotated():
            put_annotated(reviser, document, gold)
        yield made
