"""Texts are split so that nothing is lost, whatever overlaps."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kg.service.passages import Passage, split

passages = st.builds(
    Passage, st.integers(-2, 12), st.integers(-2, 14), st.sampled_from(["e/1", "e/2", "m/3"]), st.just(""), st.sampled_from(["", "r"])
)


@given(st.text(max_size=10), st.lists(passages, max_size=5))
def test_pieces_are_the_text_and_marks_are_the_passages(text: str, found: list[Passage]) -> None:
    pieces = split(text, found)
    assert "".join(piece.text for piece in pieces) == text
    inside = [p for p in found if 0 <= p.start < p.end <= len(text) and not p.referent]
    marked = [piece.is_evidence for piece in pieces for _ in piece.text]
    assert marked == [any(p.start <= place < p.end for p in inside) for place in range(len(text))]


def test_the_shortest_of_nested_mentions_is_linked() -> None:
    pieces = split("Night Ferry campaign", [Passage(0, 20, "m/1", "", "campaign"), Passage(0, 11, "m/2", "", "ferry")])
    assert [(piece.text, piece.referent) for piece in pieces] == [("Night Ferry", "ferry"), (" campaign", "campaign")]
