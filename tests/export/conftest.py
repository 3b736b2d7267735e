"""Stores for exports, made once: nothing here changes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kg.gold import GoldDocument, GoldEntity, GoldFact, read_gold
from kg.model import Document, Text
from kg.revise import Reviser
from kg.store import Store, open_store

ANNOTATED = Path(__file__).parent.parent / "data" / "annotated"


@dataclass(frozen=True)
class Hostile:
    """The store, and strings that are in it."""

    store: Store
    person: str = 'Bobby "<script>alert(1)</script>" Neil ]]> 😀'
    brand: str = "دار الأزياء & Söhne; \\N =1+1"
    quote: str = 'Bobby "<script>alert(1)</script>" Neil ]]> 😀 is the face of دار الأزياء & Söhne; \\N =1+1'
    words: str = 'I\'d said "<b>&amp;</b>", twice,\x0c in 2 lines'


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory, put_annotated: Callable[[Reviser, Document, GoldDocument], None]) -> Iterator[Store]:
    """A store that holds every annotated document."""
    with open_store(tmp_path_factory.mktemp("export") / "store", create=True) as made:
        for gold in read_gold(ANNOTATED / "gold"):
            content = (ANNOTATED / "docs" / f"{gold.id}.txt").read_text(encoding="utf-8")
            document = Document(gold.id, (Text("body", content),), published=gold.published)
            put_annotated(Reviser(made, single_valued=frozenset({"launchDate"})), document, gold)
        yield made


@pytest.fixture(scope="session")
def hostile(
    tmp_path_factory: pytest.TempPathFactory, put_annotated: Callable[[Reviser, Document, GoldDocument], None]
) -> Iterator[Hostile]:
    """A person and a brand with markup, quotes, emoji and right-to-left text in their names, and what the person said."""
    with open_store(tmp_path_factory.mktemp("export") / "hostile", create=True) as made:
        found = Hostile(made)
        text = f"{found.quote}. “{found.words}”, said {found.person}."
        facts = (
            GoldFact(found.person, "ambassadorOf", found.brand, found.quote, (("end", "2024-02"), ("start", "2023"))),
            GoldFact(found.person, "said", found.words, f"“{found.words}”, said {found.person}"),
        )
        gold = GoldDocument("hostile <1>", None, (GoldEntity(found.person, "Person"), GoldEntity(found.brand, "Brand")), facts)
        put_annotated(Reviser(made, single_valued=frozenset()), Document(gold.id, (Text("body", text),)), gold)
        yield found
