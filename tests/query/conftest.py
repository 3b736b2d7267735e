"""A store of all annotated documents that tests only read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kg.gold import GoldDocument, read_gold
from kg.model import Document, Text
from kg.rdf.ontology import load_ontology
from kg.revise import Reviser
from kg.settings import Settings
from kg.store import Store, open_store

_FOLDER = Path(__file__).parents[1] / "data" / "annotated"


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory, put_annotated: Callable[[Reviser, Document, GoldDocument], None]) -> Iterator[Store]:
    """Every annotated document, built once. Tests must not change it."""
    with open_store(tmp_path_factory.mktemp("library") / "store", create=True) as made:
        reviser = Reviser(made, single_valued=load_ontology(Settings()).single_valued)
        for gold in read_gold(_FOLDER / "gold"):
            content = (_FOLDER / "docs" / f"{gold.id}.txt").read_text(encoding="utf-8")
            end = len(f"date {gold.published}") if gold.published else 0
            put_annotated(reviser, Document(gold.id, (Text("body", content, end),), published=gold.published), gold)
        yield made
