"""Things in a window, as the relator gets them in training and in use."""

from __future__ import annotations

import numpy as np

from kg.extract.encoding import Tokens, Window
from kg.extract.pairing import pair_up, places_in
from kg.extract.schema import DATE, DISTANCES, DOCUMENT_DATE, QUOTATION, Relation, Schema

SCHEMA = Schema(
    ("Person", "Brand"),
    (),
    (
        Relation("faceOf", "faceOf", ("Person",), ("Brand",)),
        Relation("launchDate", "launchDate", ("Brand",), (DATE, DOCUMENT_DATE)),
        Relation("said", "said", ("Person",), (QUOTATION,)),
    ),
)


def test_pairs_are_those_that_some_relation_allows() -> None:
    """Subject first; the nearest two mentions give the distance; the publication date stands nowhere."""
    present = [("Person", [(1, 3), (9, 10)]), ("Brand", [(11, 12)]), (DOCUMENT_DATE, [(0, 1)])]
    pairing = pair_up(SCHEMA, 14, present)
    assert pairing.pairs.tolist() == [[0, 1], [1, 2]]
    assert pairing.allowed == ((0,), (1,))
    assert pairing.distances.tolist() == [0, DISTANCES - 1]
    assert pairing.members.sum(axis=1).tolist() == [3, 1, 1]


def test_a_name_inside_a_quotation_keeps_its_kind() -> None:
    """Of overlapping things the quotation gives way."""
    pairing = pair_up(SCHEMA, 8, [("Person", [(2, 3)]), (QUOTATION, [(1, 6)]), (QUOTATION, [(6, 7)])])
    quotation = 1 + SCHEMA.kinds.index(QUOTATION)
    assert pairing.kinds.tolist() == [0, 0, 1, 0, 0, 0, quotation, 0]
    assert pairing.members[1].tolist() == [0, 1, 1, 1, 1, 1, 0, 0]


def test_without_things_there_are_no_pairs() -> None:
    """The arrays have their shapes all the same."""
    pairing = pair_up(SCHEMA, 5, [])
    assert pairing.pairs.shape == (0, 2)
    assert pairing.members.shape == (1, 5)


def test_places_are_those_of_the_window() -> None:
    """A span that stands only half in the window has no place there."""
    starts = np.arange(0, 60, 6)
    tokens = Tokens(np.zeros(10, np.int64), starts, starts + 5, np.zeros(10, np.int64))
    window = Window(2, 6, np.zeros(6, np.int64), np.zeros(6, np.int64))
    assert places_in(window, tokens, [(12, 17), (18, 29), (30, 41), (0, 5)]) == [(1, 2), (2, 4)]
