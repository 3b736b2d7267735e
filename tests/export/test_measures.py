"""Measures of small graphs whose values are known."""

from __future__ import annotations

from kg.export.measures import measure, shortest_path

STAR = [("hub", leaf) for leaf in "abcd"]
TRIANGLES = [("a", "b"), ("b", "c"), ("c", "a"), ("c", "x"), ("x", "y"), ("y", "z"), ("z", "x")]


def test_the_middle_of_a_star_lies_on_every_path() -> None:
    found = measure(["hub", *"abcd", "alone"], [*STAR, ("a", "hub"), ("b", "b")])
    assert found["hub"] == {"degree": 4, "betweenness": 0.6, "community": 1, "core": 1}
    assert (found["a"]["degree"], found["a"]["betweenness"], found["a"]["core"]) == (1, 0.0, 1)
    assert (found["alone"]["degree"], found["alone"]["core"]) == (0, 0)
    assert found["alone"]["community"] != found["hub"]["community"]


def test_two_triangles_are_two_communities_and_one_core() -> None:
    found = measure("abcxyz", TRIANGLES)
    groups = {frozenset(node for node in found if found[node]["community"] == number) for number in (1, 2)}
    assert groups == {frozenset("abc"), frozenset("xyz")}
    assert {row["core"] for row in found.values()} == {2}


def test_measures_do_not_depend_on_order() -> None:
    assert measure("abcxyz", TRIANGLES) == measure("zyxcba", [(two, one) for one, two in reversed(TRIANGLES)])


def test_a_shortest_path_leads_over_facts_in_either_direction() -> None:
    assert shortest_path(TRIANGLES, "z", "b") == ["z", "x", "c", "b"]
    assert shortest_path(TRIANGLES, "a", "a") == ["a"]
    assert shortest_path(TRIANGLES, "a", "nowhere") is None


def test_nothing_has_no_measures() -> None:
    assert measure([], []) == {}
