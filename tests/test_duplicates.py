"""Near duplicates: the components of pairs that are near, whatever comes first and whatever goes."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.duplicates import Duplicates, are_near, sign
from kg.model import Document, Text

WORDS = [f"word{number}" for number in range(400)]
PINNED = (-9117564110012263295, -9063666115621810974)


def document(ident: str, words: Sequence[str]) -> Document:
    return Document(ident, (Text("body", " ".join(words)),))


def window(ident: str, start: int) -> Document:
    """Neighbours that are 6 words apart are near (J = 112/124), those 15 apart are not."""
    return document(ident, WORDS[start : start + 120])


def jaccard(one: Document, other: Document) -> float:
    """By the definition, without hashes."""
    sets = []
    for each in (one, other):
        words = each.body.content.casefold().split()
        sets.append({tuple(words[start : start + 3]) for start in range(len(words) - 2)})
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def components(documents: dict[str, Document]) -> set[frozenset[str]]:
    """By the definition, pair by pair."""
    blocks = {name: {name} for name in documents}
    for one in documents:
        for other in documents:
            if jaccard(documents[one], documents[other]) >= 0.8 and blocks[one] is not blocks[other]:
                joined = blocks[one] | blocks[other]
                for name in joined:
                    blocks[name] = joined
    return {frozenset(block) for block in blocks.values()}


def fresh() -> Duplicates:
    duplicates = Duplicates(sqlite3.connect(":memory:", isolation_level=None))
    duplicates.prepare()
    return duplicates


def put(duplicates: Duplicates, given: Document) -> None:
    signature = sign(given)
    duplicates.change(given.id, signature, duplicates.regroup(given.id, signature))


steps = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.one_of(st.none(), st.integers(0, 60))), min_size=3, max_size=24)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_sources_are_components_of_exact_pairs(sequence: list[tuple[str, int | None]]) -> None:
    """After any documents came, changed and went, in any order, sources are what all pairs by their exact similarity give."""
    duplicates, documents = fresh(), dict[str, Document]()
    for name, start in sequence:
        if start is None:
            documents.pop(name, None)
            duplicates.change(name, None, duplicates.regroup(name, None))
        else:
            documents[name] = window(name, start)
            put(duplicates, documents[name])
        assert {frozenset(duplicates.source(each)) for each in documents} == components(documents)
        assert duplicates.count(list(documents)) == len(components(documents))


def test_a_bridge_joins_and_its_going_parts() -> None:
    """Two texts that are not near are one source through a third, and two again without it."""
    duplicates = fresh()
    for name, start in (("a", 0), ("c", 14), ("b", 7)):
        put(duplicates, window(name, start))
    assert not are_near(sign(window("a", 0)), sign(window("c", 14)))
    assert duplicates.source("c") == ["a", "b", "c"]
    duplicates.change("b", None, duplicates.regroup("b", None))
    assert (duplicates.source("a"), duplicates.source("c"), duplicates.source("b")) == (["a"], ["c"], [])


@pytest.mark.parametrize(("common", "own", "near"), [(80, 10, True), (79, 10, False), (81, 10, True), (160, 20, True), (159, 20, False)])
def test_the_bound_is_exact(common: int, own: int, near: bool) -> None:
    """Just 0.8 is near: 80 of 100 shingles."""
    one, other = (document(name, [*WORDS[: common + 2], *(f"{name}{number}" for number in range(own))]) for name in ("a", "b"))
    assert are_near(sign(one), sign(other)) is near is (jaccard(one, other) >= 0.8)


def test_case_punctuation_and_space_do_not_count() -> None:
    """Typesetting makes no source of its own."""
    assert sign(document("a", ["The", "bag,", "the", "bag!"])) == sign(document("b", ["the", " bag", "\n", "THE", "–", "bag"]))


def test_short_texts_and_texts_without_words() -> None:
    """Texts of less than three words, or none, are near their like only."""
    texts = ["", "…", "?!", "one", "one two", "one two three", "ONE two"]
    documents = [Document(str(number), (Text("body", text),)) for number, text in enumerate(texts)]
    near = {(a.id, b.id) for a in documents for b in documents if a.id < b.id and are_near(sign(a), sign(b))}
    assert near == {("4", "6")}


def test_signatures_stay_what_they_are() -> None:
    """They are kept: a change of theirs needs a new version."""
    signature = sign(document("a", WORDS[:40]))
    assert (min(signature.shingles), min(signature.bands)) == PINNED


def test_a_text_in_many_papers_is_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document more of a source of fifty is compared with one of them, not with all."""
    duplicates = fresh()
    for number in range(50):
        put(duplicates, document(f"{number:02}", [*WORDS[:200], f"paper{number}"]))
    compared = []
    monkeypatch.setattr("kg.duplicates.are_near", lambda one, other: compared.append(1) or are_near(one, other))
    put(duplicates, document("more", [*WORDS[:200], "more"]))
    assert len(compared) == 1
    compared.clear()
    duplicates.regroup("25", None)
    assert len(compared) == 50 - 1
    assert len(duplicates.source("more")) == 51
