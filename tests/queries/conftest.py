"""A store for the named queries: the annotated documents, and one more that brings a chain of owners."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kg.gold import GoldDocument, GoldEntity, GoldFact, read_gold
from kg.model import Document, Text
from kg.rdf.ontology import load_ontology
from kg.revise import Reviser
from kg.settings import Settings
from kg.store import Store, open_store

_FOLDER = Path(__file__).parents[1] / "data" / "annotated"
_OWNERS = """Perrin Watches, which belongs to Société Perrin, owns Tidewell. The Night Ferry film was styled by Ada Quill.
“Tidewell keeps its own time,” said Greta Holm, who came in a Carrel bag to the Basel Fair. Noor Marsh met her there."""


def _owners() -> tuple[Document, GoldDocument]:
    entities = (
        *(GoldEntity(name, "Person") for name in ("Ada Quill", "Greta Holm", "Noor Marsh")),
        *(GoldEntity(name, "Organization") for name in ("Perrin Watches", "Société Perrin")),
        GoldEntity("Tidewell", "Brand"),
        GoldEntity("Night Ferry", "Campaign"),
        GoldEntity("Carrel bag", "Product"),
        GoldEntity("Basel Fair", "Event"),
    )
    facts = (
        GoldFact("Perrin Watches", "ownedBy", "Société Perrin", "Perrin Watches, which belongs to Société Perrin"),
        GoldFact("Tidewell", "ownedBy", "Perrin Watches", "owns Tidewell"),
        GoldFact("Night Ferry", "styledBy", "Ada Quill", "The Night Ferry film was styled by Ada Quill"),
        GoldFact("Greta Holm", "said", "Tidewell keeps its own time,", "Tidewell keeps its own time,"),
        GoldFact("Greta Holm", "wore", "Carrel bag", "who came in a Carrel bag"),
        GoldFact("Greta Holm", "attended", "Basel Fair", "came in a Carrel bag to the Basel Fair"),
        GoldFact("Noor Marsh", "attended", "Basel Fair", "Noor Marsh met her there"),
        GoldFact("Noor Marsh", "succeeds", "Liv Vane", "not in the text, so it is left out"),
    )
    document = Document("perrin-owners", (Text("body", _OWNERS),), published="2024-06-20", title="Who owns Tidewell")
    return document, GoldDocument(document.id, document.published, entities, facts)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory, put_annotated: Callable[[Reviser, Document, GoldDocument], None]) -> Iterator[Store]:
    """The documents, built once. Tests must not change it."""
    with open_store(tmp_path_factory.mktemp("queries") / "store", create=True) as made:
        reviser = Reviser(made, single_valued=load_ontology(Settings()).single_valued)
        for gold in read_gold(_FOLDER / "gold"):
            content = (_FOLDER / "docs" / f"{gold.id}.txt").read_text(encoding="utf-8")
            end = len(f"date {gold.published}") if gold.published else 0
            put_annotated(reviser, Document(gold.id, (Text("body", content, end),), published=gold.published), gold)
        put_annotated(reviser, *_owners())
        yield made
