"""What every extractor promises, for each that is registered."""

from __future__ import annotations

import copy
import importlib.util
import time

import pytest

from kg.extract.structured import METADATA
from kg.model import Document, Extraction, Name, Text
from kg.plugins import Extractor, list_plugins, load_plugin
from kg.rdf.ontology import load_ontology
from kg.resources import resource
from kg.settings import Settings

NEWS = (
    "date 2024-03-12 Balenciaga names Liv Vane its face\n\nThe house of Gucci left in 1998. “I grew up with this bag,” Liv Vane said. "
    "Last May she wore Prada at the Cannes Film Festival.\n\n“We never planned an icon,” added Anselm Roy, creative director of Balenciaga."
)
ODD = {
    "empty": "",
    "spaces": " \n\t\r\n\u00a0\u2003 ",
    "one letter": "A",
    "emoji": "😀👩‍👩‍👧 Balenciaga 🏳️‍🌈 “Hello 😀 there,” said Liv Vane 👍🏽. " * 5,
    "right to left": "\u202eBalenciaga\u202c قالت دار الأزياء \u200f“שלום לכולם,”\u200e said Liv Vane.",
    "control characters": "Balenciaga\x00 \x01opened\x0b in\x1b[31m 1998\x7f.\x85 “Hello\x00 there,” said\x02 Liv Vane.",
    "combining": "Ba\u0301lenciaga “He\u0300llo the\u0308re,” said Li\u0301v Va\u0308ne.\ufeff\ufffe",
    "markup": "<b>Balenciaga</b> &amp; \"<script>alert('x')</script>\" said Liv Vane; \\u0022 {{x}} %s",
    "long line": "Balenciaga opened in 1998 and Liv Vane came. " * 2_500,
    "long word": "A" * 200_000,
    "all capitals": "BALENCIAGA NAMES LIV VANE ITS FACE IN MAY " * 500,
    "thousand marks": "“" * 1_000 + '"' * 1_000 + "Balenciaga" + "’" * 1_000 + "'a " * 1_000,
    "many quotations": "“I grew up with this,” said Liv Vane. " * 300,
    "many lines": "Balenciaga\n" * 2_000,
    "numbers": "1998 2,000 3.14 " * 500,
}
PRODUCT = '{"@type": "Product", "name": "Le Marin", "brand": {"@type": "Brand", "name": "Gucci"}}'
SECONDS = 60
NEEDS_A_SERVER = {"llm"}  # test_llm.py checks it against a server of its own


def available() -> list[str]:
    """Registered extractors whose module is there."""
    plugins = [plugin for plugin in list_plugins(["extractors"]) if plugin.origin == "kg" and plugin.name not in NEEDS_A_SERVER]
    return [plugin.name for plugin in plugins if importlib.util.find_spec(plugin.entry.module)]


@pytest.fixture(scope="module", params=available())
def extractor(request: pytest.FixtureRequest) -> Extractor:
    """Every extractor of the registry, made once."""
    if request.param == "encoder" and not resource("seeds", "model", "model.json").is_file():
        pytest.skip("this checkout ships no model")
    return load_plugin("extractors", request.param, Settings())


def document(text: str, **metadata: str) -> Document:
    end = len("date 2024-03-12") if text.startswith("date ") else 0
    texts = (Text("body", text, end), Text("data", '{"name": "Gucci"}'), Text(METADATA, PRODUCT))
    return Document("a", texts, published="2024-03-12", **metadata)


def check(source: Document, found: Extraction) -> None:
    """Everything found stands in the document, verbatim, and not in its metadata."""
    assert found.document_id == source.id
    for claim in found.claims:
        for evidence in claim.evidence:
            text = source.text(evidence.text)
            assert text.content[evidence.span.start : evidence.span.end] == evidence.quote
            assert evidence.document_id == source.id
            assert evidence.confidence == round(evidence.confidence, 2)
    for mention in found.mentions:
        text = source.text(mention.text)
        assert text.content[mention.span.start : mention.span.end] == mention.surface
        assert mention.span.start >= text.metadata_end
        assert mention.kind in ("name", "nominal", "pronoun")


def test_it_says_what_it_is(extractor: Extractor) -> None:
    """Name, version and fingerprint are texts; the name is that of the registry and of its evidence."""
    assert isinstance(extractor, Extractor)
    assert extractor.name in available()
    assert isinstance(extractor.version, str)
    assert isinstance(extractor.fingerprint, str)
    source = document(NEWS)
    claims = extractor(source, Extraction("a")).claims
    assert claims
    assert {(e.extractor, e.version) for claim in claims for e in claim.evidence} == {(extractor.name, extractor.version)}


def test_it_is_a_pure_function(extractor: Extractor) -> None:
    """Twice the same document gives the same, whatever came between; the document and the draft are as before."""
    source, draft = document(NEWS), Extraction("a")
    before = copy.deepcopy((source, draft))
    first = extractor(source, draft)
    extractor(document("Prada closed. “It is all over,” said Noor Marsh."), draft)
    assert extractor(source, draft) == first
    assert (source, draft) == before
    check(source, first)


def test_two_of_a_kind_agree(extractor: Extractor) -> None:
    """An extractor that is made again finds the same and has the same fingerprint."""
    other = load_plugin("extractors", extractor.name, Settings())
    assert (other.version, other.fingerprint) == (extractor.version, extractor.fingerprint)
    assert other(document(NEWS), Extraction("a")) == extractor(document(NEWS), Extraction("a"))


def test_its_words_are_those_of_the_ontology(extractor: Extractor) -> None:
    """Types are classes of entities and predicates are properties of the ontology."""
    ontology = load_ontology(Settings())
    found = extractor(document(NEWS), Extraction("a"))
    names = {end for claim in found.claims for end in (claim.subject, claim.object) if isinstance(end, Name)}
    names |= {mention.referent for mention in found.mentions}
    assert names
    assert {name.type for name in names} <= set(ontology.entity_types)
    assert {claim.predicate for claim in found.claims} <= set(ontology.predicates)


def test_what_a_claim_names_is_mentioned(extractor: Extractor) -> None:
    """Every end of a claim has a mention, so that its type and name lead to the text."""
    found = extractor(document(NEWS), Extraction("a"))
    mentioned = {mention.referent for mention in found.mentions}
    assert {end for claim in found.claims for end in (claim.subject, claim.object) if isinstance(end, Name)} <= mentioned


def test_what_it_adds_is_not_there_twice(extractor: Extractor) -> None:
    """Run after itself, an extractor has no second opinion about the same words."""
    source = document(NEWS)
    found = extractor(source, Extraction("a"))
    again = extractor(source, found)
    check(source, again)
    spans = {(mention.text, mention.span): mention.referent for mention in found.mentions}
    assert all(spans.get((mention.text, mention.span), mention.referent) == mention.referent for mention in again.mentions)


@pytest.mark.parametrize("name", sorted(ODD))
def test_odd_documents_do_no_harm(extractor: Extractor, name: str) -> None:
    """No text breaks an extractor or takes it for ever, and what it finds is verbatim."""
    source = document(ODD[name])
    begin = time.process_time()
    found = extractor(source, Extraction("a"))
    assert time.process_time() - begin < SECONDS
    check(source, found)


def test_a_document_without_body_or_date(extractor: Extractor) -> None:
    """A document of one text of another name, with no date, is read all the same."""
    source = Document("a", (Text("data", "Balenciaga opened last May. “I grew up with this bag,” said Liv Vane."),))
    check(source, extractor(source, Extraction("a")))
