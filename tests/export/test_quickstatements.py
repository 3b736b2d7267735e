"""Commands for Wikidata: statements with their sources, new items, and a listing that leaves nothing unsaid."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.cli.main import main
from kg.errors import OntologyError
from kg.export import Selection, load_exporter
from kg.export.quickstatements import Proposal, create, read_terms
from kg.gold import GoldDocument, GoldEntity, GoldFact
from kg.model import Document, Text
from kg.revise import Reviser
from kg.settings import Settings
from kg.store import Store, open_store

LABELS = Path(__file__).parents[3] / "shared" / "wikidata" / "kgtk-arnold" / "labels.en.tsv.gz"
# Numbers beyond those that are in use: people and brands of these tests are invented.
ITEMS = {"person/liv-vane": "Q999000001", "brand/orsenne": "Q999000002", "person/hugo-valmy": "Q999000003", "country/france": "Q999000004"}
TEXT = (
    "Orsenne of France was founded by Hugo Valmy. Liv Vane is the face of Orsenne. "
    "The Corda bag by Orsenne came out in May 2023. Tidewell was founded by Hugo Valmy. "
    "The campaign Blue Hour for Orsenne shows the Corda. The Lumen is a lamp."
)


def fact(subject: str, predicate: str, value: str, quote: str) -> GoldFact:
    return GoldFact(subject, predicate, value, quote)


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory, put_annotated: Callable[[Reviser, Document, GoldDocument], None]) -> Iterator[Store]:
    """A store of three documents, one without an address, whose people and brands are linked, but for one."""
    kinds = {"Orsenne": "Brand", "France": "Country", "Hugo Valmy": "Person", "Liv Vane": "Person", "Corda": "Product"}
    kinds |= {"Tidewell": "Brand", "Blue Hour": "Campaign", "Lumen": "Product"}
    entities = tuple(GoldEntity(name, kind) for name, kind in kinds.items())
    facts = (
        fact("Hugo Valmy", "founderOf", "Orsenne", "Orsenne of France was founded by Hugo Valmy"),
        fact("Orsenne", "countryOfOrigin", "France", "Orsenne of France"),
        fact("Liv Vane", "ambassadorOf", "Orsenne", "Liv Vane is the face of Orsenne"),
        fact("Corda", "madeBy", "Orsenne", "The Corda bag by Orsenne"),
        fact("Corda", "launchDate", "2023-05", "The Corda bag by Orsenne came out in May 2023"),
        fact("Hugo Valmy", "founderOf", "Tidewell", "Tidewell was founded by Hugo Valmy"),
        fact("Blue Hour", "campaignFor", "Orsenne", "The campaign Blue Hour for Orsenne"),
        fact("Blue Hour", "promotes", "Corda", "The campaign Blue Hour for Orsenne shows the Corda"),
    )
    with open_store(tmp_path_factory.mktemp("quickstatements") / "store", create=True) as made:
        reviser = Reviser(made, single_valued=frozenset())
        documents = (
            Document("one", (Text("body", TEXT),), published="2024-01-24", url='https://news.example/a?b="c" d'),
            Document("two", (Text("body", TEXT),), url="https://other.example/é"),
            Document("three", (Text("body", "Orsenne of France."),)),
        )
        for document in documents[:2]:
            put_annotated(reviser, document, GoldDocument(document.id, None, entities, facts))
        for key, qid in ITEMS.items():
            entity = made.namespace.entity(key)
            same = ox.NamedNode("http://www.w3.org/2002/07/owl#sameAs")
            for linked in list(made.graph.quads_for_pattern(ox.NamedNode(entity), same, None)):
                made.graph.remove(linked)
            made.graph.add(ox.Quad(ox.NamedNode(entity), same, ox.NamedNode(f"http://www.wikidata.org/entity/{qid}")))
        yield made


@pytest.fixture(scope="module")
def commands(linked: Store) -> list[list[str]]:
    """What is written, split into parts."""
    stream = io.BytesIO()
    load_exporter("quickstatements", Settings())(linked, Selection(), stream)
    return [line.split("\t") for line in stream.getvalue().decode().splitlines()]


def test_facts_between_items_become_statements_with_sources(commands: list[list[str]]) -> None:
    """One command a source, with address and date of publication; founders are stated of what they founded."""
    valmy, orsenne = ITEMS["person/hugo-valmy"], ITEMS["brand/orsenne"]
    first = ["S854", '"https://news.example/a?b=%22c%22%20d"', "S577", "+2024-01-24T00:00:00Z/11"]
    second = ["S854", '"https://other.example/%C3%A9"']
    assert [each[3:] for each in commands if each[:3] == [orsenne, "P112", valmy]] == [first, second]
    assert first in [each[3:] for each in commands if each[:2] == [orsenne, "P495"]]


def test_products_and_campaigns_become_new_items(commands: list[list[str]]) -> None:
    """Label, description, what it is where that has a checked number, and its facts, all behind CREATE."""
    starts = [place for place, command in enumerate(commands) if command == ["CREATE"]]
    items = [commands[start:end] for start, end in zip(starts, [*starts[1:], len(commands)], strict=True)]
    blue, corda = ({tuple(command[:3]) for command in item} for item in items)
    orsenne = ITEMS["brand/orsenne"]
    assert {("LAST", "Len", '"Corda"'), ("LAST", "Den", '"product by Orsenne"'), ("LAST", "P176", orsenne)} <= corda
    assert {("LAST", "P571", "+2023-05-00T00:00:00Z/10"), ("LAST", "P31", "Q2424752")} <= corda
    assert {("LAST", "Len", '"Blue Hour"'), ("LAST", "Den", '"advertising campaign for Orsenne"'), ("LAST", "P6291", orsenne)} <= blue
    assert not any(command[1:2] == ["P31"] for command in items[0])


def test_every_command_has_the_form_of_the_language(commands: list[list[str]]) -> None:
    """Items, properties, texts in quotes and times; every statement has a source; nothing was read today."""
    value = r'(Q\d+|LAST|"[^\t]+"|\+\d{4}-\d\d-\d\dT00:00:00Z/(9|10|11))'
    source = rf'\tS854\t"[^\t]+"(\tS577\t{value})?'
    statement = rf"(Q\d+|LAST)\tP\d+\t{value}(\tP58[02]\t{value})*{source}"
    line = rf'CREATE|LAST\t[LDA]en\t"[^\t]+"|LAST\tP31\tQ\d+|{statement}'
    for command in commands:
        assert re.fullmatch(line, "\t".join(command)), command
        assert "S813" not in command


def test_what_is_left_out_says_why(linked: Store, commands: list[list[str]]) -> None:
    """Each fact is written or listed with its reason; the listing has a row for every statement."""
    listed = list(create(Settings()).propose(linked, Selection()))
    reasons = {(each.subject, each.property, each.value): each.reason for each in listed if each.action == "left out"}
    assert reasons == {
        ("Liv Vane", "ambassadorOf", "Orsenne"): "has no property of the same meaning",
        ("Hugo Valmy", "founderOf", "Tidewell"): "is linked to no item: Tidewell",
        ("Blue Hour", "promotes", "Corda"): "is linked to no item: Corda",
    } | {key: reason for key, reason in reasons.items() if key[0] in ("Lumen", "Corda")}
    assert reasons["Lumen", "", ""] == "no fact about it can be stated with a source"
    assert Proposal("new item", "Corda", "", "product by Orsenne") in listed
    assert sum(each.action == "new item" for each in listed) == sum(command == ["CREATE"] for command in commands) == 2


def test_without_an_address_nothing_is_stated(store: Store) -> None:
    """A statement needs a source that others can open."""
    stream = io.BytesIO()
    create(Settings())(store, Selection(), stream)
    assert stream.getvalue() == b""


def test_the_command_lists_before_it_writes(linked: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """`--dry-run` gives the table; other formats have none."""
    linked.checkpoint()
    assert main(["--store", str(linked.path), "export", "--format", "quickstatements", "--dry-run"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["action"] for row in rows} == {"new item", "statement", "left out"}
    assert main(["--store", str(linked.path), "export", "--format", "turtle", "--dry-run"]) == 2
    assert "quickstatements" in capsys.readouterr().err


def test_numbers_are_those_of_the_data() -> None:
    """Every number and label of the table is in Wikidata's own labels."""
    if not LABELS.is_file():
        pytest.skip("the labels of Wikidata's properties are not here")
    with gzip.open(LABELS, "rt", encoding="utf-8") as file:
        known = dict(line.split("\t")[0::2][:2] for line in file if line[0] in "PQ")
    terms = [term for use in read_terms(Settings()).values() for term in use.values()]
    assert len(terms) > 15
    for term in terms:
        assert known[term.property] == f"'{term.label}'@en"


def test_a_table_that_is_none_is_named(tmp_path: Path) -> None:
    """The ontology's folder lacks it, or it is something else."""
    with pytest.raises(OntologyError, match=r"quickstatements\.tsv"):
        read_terms(Settings().replace(ontology=str(tmp_path)))
    (tmp_path / "quickstatements.tsv").write_text("a\tb\n1\t2\n", encoding="utf-8")
    with pytest.raises(OntologyError):
        read_terms(Settings().replace(ontology=str(tmp_path)))
