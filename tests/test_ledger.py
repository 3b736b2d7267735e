"""The ledger: what each document says, in whole transactions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kg.errors import StoreError
from kg.ledger import Ledger
from kg.model import Correction, Document, Entity, Link, Literal, Mention, Name, Resolution, Span, Statement, Text

DOCUMENT = Document("a", (Text("body", "Liv Vane wore Tidewell.\x00", 0), Text("data", "{}", 2)), "2024-03", title="A “title”")
EVIDENCE = (DOCUMENT.evidence(Span(0, 8), extractor="x", version="1", confidence=0.93),)
RESOLUTION = Resolution(
    "a",
    (
        Entity("brand/tidewell", "Brand", "Tidewell", (), (), Link("Q1", "Tidewell", 1.0, "unique-name", "i")),
        Entity("person/liv-vane", "Person", "Liv Vane", ("Vane",), (Mention("body", Span(0, 8), "Liv Vane", Name("Person", "Liv Vane")),)),
    ),
    (
        Statement("a", "person/liv-vane", "wore", "brand/tidewell", EVIDENCE, (("start", "2024"),)),
        Statement("a", "person/liv-vane", "said", Literal("Hello"), EVIDENCE),
    ),
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger in a file of its own."""
    made = Ledger(tmp_path / "ledger #1?.sqlite")
    yield made
    made.close()


def fill(ledger: Ledger) -> None:
    ledger.put(DOCUMENT, RESOLUTION, fingerprint="f", refused=[{"why": "…"}])


def test_what_goes_in_comes_out(ledger: Ledger) -> None:
    """Every question about a document is answered as it was put."""
    fill(ledger)
    row = ledger.row("a")
    assert row is not None
    assert (row.document, row.resolution, row.refused) == (DOCUMENT, RESOLUTION, [{"why": "…"}])
    assert ledger.state("a") == (DOCUMENT.digest, "f")
    assert (ledger.ids(), ledger.entity_ids()) == (["a"], ["brand/tidewell", "person/liv-vane"])
    wore, said = RESOLUTION.statements
    assert ledger.statements([wore.fact, "unknown", wore.fact]) == [wore]
    assert [(each.fact, each.confidence) for each in ledger.testimonies_about(["person/liv-vane"], "said")] == [
        (said.fact, said.confidence)
    ]
    assert ledger.facts_of("brand/tidewell") == [("person/liv-vane", "wore", "brand/tidewell")]
    assert len(ledger.facts_of("person/liv-vane")) == 2
    assert (ledger.row("unknown"), ledger.state("unknown")) == (None, None)


def test_removing_leaves_no_row(ledger: Ledger) -> None:
    """A document takes its entities and statements with it."""
    fill(ledger)
    ledger.remove("a")
    ledger.remove("unknown")
    assert (ledger.ids(), ledger.entity_ids(), ledger.facts_of("brand/tidewell")) == ([], [], [])


def test_a_transaction_is_whole_or_nothing(ledger: Ledger) -> None:
    """Whatever ends the block early, nothing inside it happened."""

    def fail(error: BaseException) -> None:
        with ledger.transaction():
            fill(ledger)
            raise error

    for error in (ValueError(), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            fail(error)
        assert ledger.ids() == []
    with ledger.transaction():
        fill(ledger)
    assert ledger.ids() == ["a"]


def test_a_document_is_there_once(ledger: Ledger) -> None:
    """Putting what is there already is an error of the tree."""
    fill(ledger)
    with pytest.raises(StoreError):
        fill(ledger)


def test_corrections_and_journal_keep_their_order(ledger: Ledger) -> None:
    """Decisions come back in the order in which they were taken, differences until the checkpoint."""
    decisions = [Correction("split", (f"a/{letter}",), "reader", "2026-01-01") for letter in "cab"]
    for decision in decisions:
        ledger.correct(decision)
    assert ledger.corrections() == decisions
    for number in range(3):
        ledger.log(f"-{number}", f"+{number}")
    assert ledger.journal() == [("-0", "+0"), ("-1", "+1"), ("-2", "+2")]
    ledger.checkpoint()
    assert ledger.journal() == []


def test_readers_follow_numbered_differences(ledger: Ledger) -> None:
    """Whoever has seen a difference gets those after it, checkpoints or not."""
    assert (ledger.newest(), ledger.since(0)) == (0, [])
    for number in range(3):
        ledger.log(f"-{number}", f"+{number}")
    ledger.checkpoint()
    assert ledger.newest() == 3
    assert ledger.since(1) == [(2, "-1", "+1"), (3, "-2", "+2")]
    assert ledger.since(3) == []


def test_readers_too_far_behind_are_told_so(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the newest differences are kept past a checkpoint, and none past a scrubbing; the numbers go on."""
    monkeypatch.setattr("kg.ledger._KEPT", 9)
    for number in range(3):
        ledger.log(f"-{number}", f"+{number}")
    ledger.checkpoint()
    assert ledger.since(0) is None
    assert ledger.since(1) == [(2, "-1", "+1"), (3, "-2", "+2")]
    ledger.log("", "+ longer than is kept")
    ledger.checkpoint()
    assert (ledger.since(3), ledger.newest()) == (None, 4)
    ledger.log("", "+")
    ledger.scrub()
    assert (ledger.since(4), ledger.since(5), ledger.newest()) == (None, [], 5)


def test_single_valued_predicates_are_replaced(ledger: Ledger) -> None:
    """The ledger knows with which predicates the graph was derived."""
    assert ledger.single_valued() == frozenset()
    for predicates in (frozenset({"a", "b"}), frozenset({"c"}), frozenset()):
        ledger.set_single_valued(predicates)
        assert ledger.single_valued() == predicates


def test_others_see_a_change(ledger: Ledger) -> None:
    """Another handle's version is another number after a change."""
    other = Ledger(ledger.path, read_only=True)
    before = other.version()
    fill(ledger)
    assert other.version() != before
    assert other.ids() == ["a"]
    other.close()


def test_a_reader_changes_nothing(ledger: Ledger) -> None:
    """A read-only ledger refuses, and a missing one is not made."""
    other = Ledger(ledger.path, read_only=True)
    with pytest.raises(StoreError, match="readonly"):
        fill(other)
    other.close()
    with pytest.raises(StoreError):
        Ledger(ledger.path.with_name("none.sqlite"), read_only=True)
    assert not ledger.path.with_name("none.sqlite").exists()


def test_scrubbing_while_someone_reads_says_so(ledger: Ledger) -> None:
    """A reader in the middle of a transaction keeps removed text alive: that is no silent success."""
    fill(ledger)
    ledger.scrub()
    other = Ledger(ledger.path)
    ledger._connection.execute("PRAGMA busy_timeout=50")
    other._connection.execute("BEGIN")
    assert other.ids() == ["a"]
    ledger.remove("a")
    with pytest.raises(StoreError, match="being read"):
        ledger.scrub()
    other._connection.execute("COMMIT")
    other.close()
    ledger.scrub()
    assert b"Liv Vane" not in b"".join(path.read_bytes() for path in ledger.path.parent.iterdir())
