"""The one step by which a store changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.duplicates import sign
from kg.fuse import Identity
from kg.gold import GoldDocument, GoldEntity, GoldFact
from kg.model import Correction, Document, Literal, Text, fact_id
from kg.rdf.write import as_nquads
from kg.revise import Reviser
from kg.store import Store, open_store

SINGLE = frozenset({"launchDate"})
Put = Callable[[Reviser, Document, GoldDocument], None]


def correction(kind: str, *arguments: str) -> Correction:
    return Correction(kind, arguments, "reader", "2026-01-01")


def page(ident: str, text: str, *facts: GoldFact) -> tuple[Document, GoldDocument]:
    entities = tuple(GoldEntity(name, kind) for name, kind in (("Liv Vane", "Person"), ("Tidewell", "Brand")) if name in text)
    return Document(ident, (Text("body", text),)), GoldDocument(ident, None, entities, facts)


SENTENCE = "Liv Vane is the face of Tidewell."
FACE = GoldFact("Liv Vane", "ambassadorOf", "Tidewell", SENTENCE)
FACE_ID = fact_id("person/liv-vane", "ambassadorOf", "brand/tidewell")


@pytest.fixture
def reviser(tmp_path: Path) -> Iterator[Reviser]:
    """Of an empty store."""
    with open_store(tmp_path / "small", create=True) as made:
        yield Reviser(made, single_valued=SINGLE)


def value(store: Store, property_: str, *, subject: str | None = None) -> list[str]:
    """Objects of a property in the default graph, sorted."""
    node = ox.NamedNode(store.namespace.fact(subject)) if subject else None
    quads = store.graph.quads_for_pattern(node, ox.NamedNode(store.namespace.term(property_)), None, ox.DefaultGraph())
    return sorted(quad.object.value for quad in quads)


def test_a_fact_counts_documents_and_sources(reviser: Reviser, put_annotated: Put) -> None:
    """Two documents of one text are one source, as far as case and white space go; metadata is no part of it."""
    for ident, text in (
        ("a", SENTENCE),
        ("b", f" {SENTENCE.replace(' is', chr(10) + 'is')}\n"),
        ("c", f"{SENTENCE} Nobody else was ever asked to be."),
    ):
        fact = GoldFact("Liv Vane", "ambassadorOf", "Tidewell", text.strip())
        put_annotated(reviser, *page(ident, text, fact))
    assert value(reviser.store, "documentCount") == ["3"]
    assert value(reviser.store, "sourceCount") == ["2"]
    reviser.retract("c")
    assert (value(reviser.store, "documentCount"), value(reviser.store, "sourceCount")) == (["2"], ["1"])
    dated = Document("d", (Text("body", f"date 2024-01-01 {SENTENCE}", 16),))
    assert sign(dated) == sign(page("a", SENTENCE.upper())[0])


def test_a_new_version_replaces_the_former(reviser: Reviser, put_annotated: Put) -> None:
    """What only the former version said is gone."""
    put_annotated(reviser, *page("a", SENTENCE, FACE))
    put_annotated(reviser, *page("a", "Tidewell closed."))
    assert "liv-vane" not in as_nquads(reviser.store.graph)
    assert "Tidewell closed." in as_nquads(reviser.store.graph)
    assert set(reviser.store.graph) == reviser.derive_all()


def test_retracting_what_is_not_there_changes_nothing(store: Store) -> None:
    """An unknown id leaves every byte as it was."""
    before = as_nquads(store.graph)
    Reviser(store, single_valued=store.ledger.single_valued()).retract("unknown")
    assert as_nquads(store.graph) == before


def test_a_rejected_fact_stays_rejected(reviser: Reviser, put_annotated: Put) -> None:
    """A rejection holds for documents that come later, and the document still says what it says."""
    put_annotated(reviser, *page("a", SENTENCE, FACE))
    reviser.correct(correction("reject", FACE_ID))
    put_annotated(reviser, *page("b", SENTENCE, FACE))
    assert value(reviser.store, "ambassadorOf") == []
    assert len(list(reviser.store.graph.quads_for_pattern(None, ox.NamedNode(reviser.store.namespace.term("ambassadorOf")), None))) == 2
    assert set(reviser.store.graph) == reviser.derive_all()


def test_a_document_fact_can_be_rejected_after_a_merge(reviser: Reviser, put_annotated: Put) -> None:
    """The id that a fact has in one document works where the fused fact has another."""
    put_annotated(reviser, *page("a", SENTENCE, FACE))
    reviser.correct(correction("merge", "brand/other", "brand/tidewell"))
    merged = fact_id("person/liv-vane", "ambassadorOf", "brand/other")
    assert value(reviser.store, "documentCount", subject=merged) == ["1"]
    reviser.correct(correction("reject", FACE_ID))
    assert value(reviser.store, "documentCount", subject=merged) == []
    assert set(reviser.store.graph) == reviser.derive_all()


def test_corrections_are_recorded_with_who_and_when(reviser: Reviser) -> None:
    """A decision stands in its own graph, in the ledger, and in what a new reviser does."""
    decision = correction("merge", "person/a", "person/b")
    reviser.correct(decision)
    graph = ox.NamedNode(reviser.store.namespace.corrections)
    said = {quad.object.value for quad in reviser.store.graph.quads_for_pattern(None, None, None, graph)}
    assert {"merge", "person/a", "person/b", "reader", "2026-01-01"} < said
    assert reviser.ledger.corrections() == [decision]
    assert Reviser(reviser.store, single_valued=SINGLE).identity.of("person/b", "x") == "person/a"


def test_a_correction_that_is_none_is_not_recorded(reviser: Reviser) -> None:
    """An unknown kind of decision fails before anything is written."""
    with pytest.raises(ValueError, match="correction"):
        reviser.correct(correction("praise", "person/a"))
    assert reviser.ledger.corrections() == []


def test_splitting_tells_documents_apart(reviser: Reviser, put_annotated: Put) -> None:
    """After a split each document's namesake is an entity of its own, with its own facts."""
    for ident in ("a", "b"):
        put_annotated(reviser, *page(ident, SENTENCE, FACE))
    reviser.correct(correction("split", "person/liv-vane"))
    subjects = {
        quad.subject.value
        for quad in reviser.store.graph.quads_for_pattern(
            None, ox.NamedNode(reviser.store.namespace.term("ambassadorOf")), None, ox.DefaultGraph()
        )
    }
    assert subjects == {reviser.store.namespace.entity(f"person/liv-vane@{ident}") for ident in ("a", "b")}
    assert value(reviser.store, "documentCount") == ["1", "1"]


def test_rivals_are_marked_and_unmarked(reviser: Reviser, put_annotated: Put) -> None:
    """A conflict comes with the second value and goes with it."""
    documents = []
    for ident, year in (("a", "1998"), ("b", "1999")):
        text = f"Tidewell began in {year}."
        documents.append(page(ident, text, GoldFact("Tidewell", "launchDate", year, text)))
        put_annotated(reviser, *documents[-1])
    first, second = (fact_id("brand/tidewell", "launchDate", Literal(year, "gYear")) for year in ("1998", "1999"))
    space = reviser.store.namespace
    assert value(reviser.store, "conflictsWith", subject=first) == [space.fact(second)]
    assert value(reviser.store, "conflictsWith", subject=second) == [space.fact(first)]
    reviser.retract("b")
    assert value(reviser.store, "conflictsWith") == []


def test_an_identity_without_corrections_is_the_entity_itself() -> None:
    """Nothing is looked up where nothing was decided."""
    assert Identity([]).of("a/b@c", "d") == "a/b@c"
    assert Identity([]).members("a/b@c") == {"a/b@c"}


# -- what a step costs -----------------------------------------------------------------------------------------------


class Work:
    """Counts what the ledger is asked and what is derived."""

    def __init__(self, reviser: Reviser, monkeypatch: pytest.MonkeyPatch) -> None:
        self.statements = self.rows = self.sentences = self.quads = 0
        space = reviser.ledger
        ask, whole = space._rows, space.statements
        derive = reviser._derive_part

        def rows(sql: str, *values: object) -> list[tuple]:
            found = ask(sql, *values)
            self.statements, self.rows = self.statements + 1, self.rows + len(found)
            return found

        def sentences(facts: Iterable[str]) -> list:
            found = whole(facts)
            self.sentences += len(found)
            return found

        def derived(*arguments: object) -> list:
            found = list(derive(*arguments))
            self.quads += len(found)
            return found

        monkeypatch.setattr(space, "_rows", rows)
        monkeypatch.setattr(space, "statements", sentences)
        monkeypatch.setattr(reviser, "_derive_part", derived)


@pytest.mark.parametrize("corrected", [0, 30])
def test_a_step_derives_no_more_in_a_large_store(
    corrected: int, reviser: Reviser, put_annotated: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many documents state the same fact, a step reads one short row of each, and derives what one document says."""

    def measured(name: str) -> Work:
        with monkeypatch.context() as patch:
            work = Work(reviser, patch)
            put_annotated(reviser, *page(name, SENTENCE, FACE))
            reviser.retract(name)
        return work

    put_annotated(reviser, *page("first", SENTENCE, FACE))
    small = measured("x")
    for number in range(40):
        put_annotated(reviser, *page(f"more-{number}", SENTENCE, FACE))
    for number in range(corrected):
        reviser.correct(Correction("reject", (f"{number:020x}",), "a reader", "2026-01-01"))
    large = measured("x")
    assert (large.statements, large.quads, large.sentences) == (small.statements, small.quads, 0)
    assert large.rows - small.rows == 40 * 4  # the fact's testimonies, before and after each of both steps
    assert set(reviser.store.graph) == reviser.derive_all()


def test_the_journal_is_shortened_while_a_store_is_built(reviser: Reviser, put_annotated: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    """It never holds much more than readers who follow it need, however long a run is."""
    monkeypatch.setattr("kg.ledger._KEPT", 20_000)
    for number in range(30):
        put_annotated(reviser, *page(f"page-{number}", SENTENCE, FACE))
    sizes = [len(removed) + len(added) for _, removed, added in reviser.ledger.since(reviser.ledger.newest() - 1) or []]
    kept = reviser.ledger._rows("SELECT sum(length(removed) + length(added)) FROM journal")[0][0]
    assert kept < 40_000 + max(sizes)
    assert reviser.ledger.newest() == 30 + 1  # the first notes which predicates are single-valued
