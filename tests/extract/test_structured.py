"""The structured extractor: facts of a page's own data, with the stretch of JSON that states them."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from kg.extract.structured import METADATA, RULES, Structured
from kg.model import Document, Extraction, Source, Text
from kg.read import read_source
from kg.resources import resource
from kg.settings import Settings

PAGE = """<html><head><script type="application/ld+json">
{"@context": "https://schema.org", "@graph": [
 {"@type": "Product", "name": "Le Marin", "brand": {"@type": "Brand", "name": "Velmont"}},
 {"@type": ["Corporation"], "name": "Aubrecht Group", "founder": [{"@type": "Person", "name": "Ada Holm"}, "Bo Lind"],
  "parentOrganization": {"@type": "Organization"}},
 {"@type": "Product", "name": "Other", "brand": "https://velmont.example/"}]}
</script></head><body><article><p>Velmont shows Le Marin.</p>
<div itemscope itemtype="https://schema.org/Movie"><b itemprop="name">Tide</b><i itemprop="actor">Liv Vane</i></div>
</article></body></html>"""


def claims(document: Document) -> set[tuple[str, str, object]]:
    found = Structured()(document, Extraction(document.id))
    for claim in found.claims:
        [evidence] = claim.evidence
        assert document.text(evidence.text).content[evidence.span.start : evidence.span.end] == evidence.quote
        assert evidence.extractor == "structured"
        names = {mention.referent for mention in found.mentions}
        assert {claim.subject, claim.object} <= names
    for mention in found.mentions:
        assert document.text(mention.text).content[mention.span.start : mention.span.end] == mention.surface
    return {(claim.subject.name, claim.predicate, getattr(claim.object, "name", None)) for claim in found.claims}


def test_facts_of_a_page() -> None:
    """Products, founders and casts come out of JSON-LD and microdata; a value without a name gives nothing."""
    [document] = read_source(Source("a.html", PAGE.encode()), Settings())
    assert isinstance(document, Document)
    assert claims(document) == {
        ("Le Marin", "madeBy", "Velmont"),
        ("Ada Holm", "founderOf", "Aubrecht Group"),
        ("Bo Lind", "founderOf", "Aubrecht Group"),
        ("Liv Vane", "castMemberOf", "Tide"),
    }
    assert not claims(Document("plain", (Text("body", "Velmont"),)))


def test_the_mapping_is_that_of_the_ontology() -> None:
    """Each property stands beside its predicate in the mappings, as an inverse match where the value is the subject."""
    mappings = Path(resource("ontology")) / "mappings.ttl"
    clauses = {clause.split()[0]: clause for clause in mappings.read_text(encoding="utf-8").split("\nkg:")}
    for _, field, predicate, *_, reverse in RULES:
        assert f"schema:{field}" in clauses[predicate]
        assert ("kg:inverseMatch" in clauses[predicate]) == reverse


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner)
)


@settings(deadline=None)
@given(JSON, st.text(alphabet='{}[]",: a\\', max_size=20))
def test_any_json(value: object, broken: str) -> None:
    """Whatever the data, whole or broken: claims or none, never a crash."""
    for content in (json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True), broken):
        document = Document("a", (Text("body", "A"), Text(METADATA, content)))
        claims(document)
