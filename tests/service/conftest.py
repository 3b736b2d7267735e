"""An app over a store of annotated documents and one document that is full of markup."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kg.gold import GoldDocument, GoldEntity, GoldFact, read_gold
from kg.model import Document, Entity, Evidence, Link, Literal, Mention, Name, Resolution, Span, Statement, Text, Violation
from kg.revise import Reviser
from kg.service import create_app
from kg.settings import Settings
from kg.store import Store, open_store
from kg.validate import Refusal, Verdict

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


NASTY = (
    '<script>alert("1")</script>',
    "\"><img src=x onerror='alert(2)'>",
    "a ]]> b & c &lt; d",
    "שלום \u202eabc",
    "👩🏽\u200d🎤 دار الأزياء",
    "Long " + "x" * 4990 + " name",
)
"""Names that break pages which don't escape them, or that are too long for a line."""


def nasty_document() -> tuple[Document, Verdict]:
    """A document about people with nasty names: each is an ambassador of the next, may be two Wikidata items, and said something."""
    text = " ".join(f"{name} is the face of it." for name in NASTY)
    spans = [Span(text.index(name), text.index(name) + len(name)) for name in NASTY]
    entities, statements = [], []
    for number, (name, span) in enumerate(zip(NASTY, spans, strict=True)):
        kind = "Brand" if number % 2 else "Person"
        links = tuple(
            Link(f"Q{number + 1}{each}", name[:500], 0.5, "name", "made", f"{name[:500]} item", (("label", 0.5),)) for each in (1, 2)
        )
        mention = Mention("body", span, name, Name(kind, name))
        entities.append(Entity(f"{kind.lower()}/n{number}", kind, name, (), (mention,), None, links))
    for number in range(0, len(NASTY) - 1, 2):
        quote = Span(spans[number].start, spans[number + 1].end)
        evidence = Evidence("nasty", "body", quote, text[quote.start : quote.end], "made", "1", 0.9)
        ends = f"person/n{number}", f"brand/n{number + 1}"
        statements.append(Statement("nasty", ends[0], "ambassadorOf", ends[1], (evidence,), (("start", str(2000 + number)),)))
        statements.append(Statement("nasty", ends[0], "said", Literal(NASTY[number], "string"), (evidence,)))
    violation = Violation("urn:x", None, None, "urn:shape", "Violation", f"Not so: {NASTY[0]}")
    refused = Refusal(statements[0], None, (violation,))
    document = Document("nasty", (Text("body", text),), title=NASTY[1], published="2024-01-31")
    return document, Verdict(Resolution("nasty", tuple(entities), tuple(statements)), (refused,))


@pytest.fixture
def nasty_store(tmp_path: Path) -> Iterator[Store]:
    """A store that holds the document of nasty names, open for writing."""
    with open_store(tmp_path / "nasty", create=True) as made:
        document, verdict = nasty_document()
        Reviser(made, single_valued=frozenset()).put(document, verdict, fingerprint="test")
        yield made
