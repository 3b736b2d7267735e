"""An app over a store of annotated documents and one document that is full of markup."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kg.gold import GoldDocument, GoldEntity, GoldFact, read_gold
from kg.model import Document, Text
from kg.revise import Reviser
from kg.service import create_app
from kg.settings import Settings
from kg.store import Store, open_store

ANNOTATED = Path(__file__).parent.parent / "data" / "annotated"


@dataclass(frozen=True)
class Hostile:
    """Strings of the document that is full of markup."""

    id: str = 'https://x.example/a?b="><script>.ttl'
    title: str = "<img src=x onerror=alert(1)>"
    url: str = "javascript:alert(1)"
    person: str = 'Bobby "<script>alert(1)</script>" Neil ]]> 😀'
    brand: str = "دار الأزياء & Söhne"
    said: str = "</textarea></script><script>alert(2)</script>"

    @property
    def text(self) -> str:
        return f"{self.person} is the face of {self.brand}. “{self.said}”, said {self.person}."


@pytest.fixture(scope="session")
def hostile() -> Hostile:
    """The strings."""
    return Hostile()


@pytest.fixture(scope="session")
def store(
    tmp_path_factory: pytest.TempPathFactory, put_annotated: Callable[[Reviser, Document, GoldDocument], None], hostile: Hostile
) -> Iterator[Store]:
    """A store that holds every annotated document and the hostile one."""
    with open_store(tmp_path_factory.mktemp("service") / "store", create=True) as made:
        reviser = Reviser(made, single_valued=frozenset({"launchDate"}))
        for gold in read_gold(ANNOTATED / "gold"):
            content = (ANNOTATED / "docs" / f"{gold.id}.txt").read_text(encoding="utf-8")
            put_annotated(reviser, Document(gold.id, (Text("body", content),), published=gold.published), gold)
        facts = (
            GoldFact(hostile.person, "ambassadorOf", hostile.brand, f"{hostile.person} is the face of {hostile.brand}"),
            GoldFact(hostile.person, "said", hostile.said, f"“{hostile.said}”, said {hostile.person}"),
        )
        gold = GoldDocument(hostile.id, None, (GoldEntity(hostile.person, "Person"), GoldEntity(hostile.brand, "Brand")), facts)
        put_annotated(reviser, Document(hostile.id, (Text("body", hostile.text),), title=hostile.title, url=hostile.url), gold)
        yield made


@pytest.fixture(scope="session")
def app(store: Store) -> Flask:
    """The app."""
    return create_app(store, Settings())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of the app."""
    return app.test_client()
