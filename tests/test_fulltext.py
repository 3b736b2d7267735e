"""The search index is a function of the graph: kept in step in the same transaction, rebuilt when behind, empty of what was purged."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from kg.errors import StoreError
from kg.fulltext import LABEL, QUOTE, Entry, FullText, match_expression
from kg.gold import GoldDocument
from kg.model import Correction, Document
from kg.query.search import find_nodes, index_of, search
from kg.revise import Reviser
from kg.store import Store, open_store
from tests.cli.test_correct import found_in
from tests.conftest import annotated

SINGLE = frozenset[str]()


@pytest.fixture
def index() -> FullText:
    """An index in memory."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE journal (number INTEGER PRIMARY KEY AUTOINCREMENT)")
    made = FullText(connection)
    made.rebuild([])
    return made


def words(index: FullText, table: str) -> list[str]:
    """Words in a table of FTS5."""
    index._connection.execute(f"CREATE VIRTUAL TABLE IF NOT EXISTS temp.words USING fts5vocab('main', '{table}', 'row')")
    return [row[0] for row in index._connection.execute("SELECT term FROM temp.words")]


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("Rosé dress", '"rose" "dress"*'),
        ("dress ", '"dress"'),
        ('"silk dress" red', '"silk dress" "red"*'),
        ('"open phrase', '"open phrase"*'),
        ('AND OR NOT NEAR(a b) col:x ^a *"', '"and" "or" "not" "near" "a" "b" "col" "x" "a"'),
        ("“””’", ""),
        ("", ""),
    ],
)
def test_a_text_never_becomes_an_operator(text: str, expression: str) -> None:
    """Whatever is typed is words and phrases to FTS5."""
    assert match_expression(text) == expression


def test_taking_out_what_is_not_in_changes_nothing(index: FullText) -> None:
    """A contentless table would be broken by it."""
    index.change((), [Entry("a", LABEL, "Liv Vane")])
    index.change([Entry("a", LABEL, "Vane"), Entry("b", LABEL, "Liv Vane")], [Entry("a", LABEL, "Liv Vane")])
    assert [place.node for place in index.named("liv vané", 9)] == ["a"]
    assert len(index.with_words("liv", 9)) == 1
    index.change([Entry("a", LABEL, "Liv Vane")], ())
    assert index.with_words("liv", 9) == []
    assert words(index, "searchable_name") == []


def test_a_new_version_of_a_sentence_replaces_the_former(index: FullText) -> None:
    """The same node with other words."""
    index.change((), [Entry("e", QUOTE, "nothing but linen")])
    index.change([Entry("e", QUOTE, "nothing but linen")], [Entry("e", QUOTE, "nothing but silk")])
    assert (len(index.passages("linen", (QUOTE,), 9)), len(index.passages("silk", (QUOTE,), 9))) == (0, 1)


def test_a_step_that_fails_leaves_the_index_as_it_was(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ledger, journal and index are one transaction."""
    ident = store.ledger.ids()[0]
    before = find_nodes(store, "vane")

    def fail(*arguments: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as broken:
        broken.setattr(store.words, "change", fail)
        with pytest.raises(StoreError):
            Reviser(store, single_valued=store.ledger.single_valued()).retract(ident)
    assert store.ledger.state(ident) is not None
    assert store.words.is_in_step()
    assert find_nodes(store, "vane") == before != []


def test_merge_split_and_reject_are_respected(store: Store) -> None:
    """What is searched is the fused view."""
    reviser = Reviser(store, single_valued=store.ledger.single_valued())

    def entities(text: str) -> list[str]:
        return [hit.iri.rpartition("/resource/")[2] for hit in search(store, text, kinds=["entity"])]

    assert entities("Liv Vane") == ["person/liv-vane"]
    reviser.correct(Correction("merge", ("person/noor-marsh", "person/liv-vane"), "tester", "2026-01-01"))
    assert entities("Liv Vane") == entities("Noor Marsh") == ["person/noor-marsh"]
    reviser.correct(Correction("split", ("person/noor-marsh",), "tester", "2026-01-01"))
    assert entities("Liv Vane") == ["person/liv-vane"]
    sentence = "Tidewell has made the swimmer Noor Marsh its face"
    (hit,) = search(store, f'"{sentence}"', kinds=["sentence"])
    facts = {s.fact for s in store.ledger.testimonies_about(["person/noor-marsh"], "ambassadorOf")}
    for fact in facts:
        reviser.correct(Correction("reject", (fact,), "tester", "2026-01-01"))
    assert hit.iri not in {other.iri for other in search(store, sentence, kinds=["sentence"])}


def test_an_older_store_gets_its_index_on_opening(store: Store) -> None:
    """A store of a version without index: readers search all the same, and the next one who writes builds it."""
    place, answer = store.path, find_nodes(store, "tidewell")
    store.close()
    with sqlite3.connect(place / "ledger.sqlite") as raw:
        for table in ("searchable", "searchable_state", "searchable_name", "searchable_part", "searchable_text"):
            raw.execute(f"DROP TABLE {table}")
    raw.close()
    with open_store(place, read_only=True) as reader:
        assert not reader.words.is_in_step()
        assert find_nodes(reader, "tidewell") == answer != []
        assert index_of(reader) is index_of(reader) is not reader.words
    with open_store(place) as writer:
        assert writer.words.is_in_step()
        assert find_nodes(writer, "tidewell") == answer


def test_a_step_that_the_index_missed_is_noticed(store: Store, put_annotated: Callable[[Reviser, Document, GoldDocument], None]) -> None:
    """A version that knows of no index wrote to the store: what it wrote is found after the next opening."""
    place = store.path
    store.ledger.log("", "")  # a step without the index's part
    assert not store.words.is_in_step()
    document, gold = annotated()[0]
    reviser = Reviser(store, single_valued=store.ledger.single_valued())
    reviser.retract(document.id)
    assert not store.words.is_in_step()
    put_annotated(reviser, document, gold)
    answer = find_nodes(store, "vane")
    store.close()
    with open_store(place) as again:
        assert again.words.is_in_step()
        assert find_nodes(again, "vane") == answer != []


def test_purge_leaves_no_word_in_the_index(store: Store) -> None:
    """FTS5 keeps words of what was deleted until its segments are merged; a purge does that."""
    ident = "vane-wire"
    place = Path(store.path)
    Reviser(store, single_valued=store.ledger.single_valued()).retract(ident)
    only_there = ("watchmaker", "represents")
    store.scrub()
    assert not set(only_there) & set(words(store.words, "searchable_text"))
    assert not any(found_in(place, *only_there).values())
    segments = store.ledger.connection.execute("SELECT count(DISTINCT segid) FROM searchable_text_idx").fetchone()
    assert segments == (1,)
