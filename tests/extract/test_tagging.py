"""From tags to mentions and things."""

from __future__ import annotations

import pytest

from kg.extract.tagging import Found, consolidate, group

TYPES = frozenset({"Person", "Brand", "Country", "Collection"})


def find(text: str, *words: tuple[str, str]) -> list[str]:
    """The surfaces of what becomes of some found words (surface and kind)."""
    found = [Found(text.index(word), text.index(word) + len(word), kind, 0.9) for word, kind in words]
    return [text[each.start : each.end] for each in consolidate(text, 0, found, types=TYPES)]


@pytest.mark.parametrize(
    ("text", "words", "wanted"),
    [
        ("the U.S. label", [("U", "Country"), ("S", "Country")], ["U.S."]),
        ("in the brand's previous collection", [("s previous collection", "Collection")], ["previous collection"]),
        ("Aino Ranta’s bag", [("Aino Ranta’s", "Person")], ["Aino Ranta"]),
        ("“Tidewell” opens", [("“Tidewell”", "Brand")], ["Tidewell"]),
        ("Tidewell opens. Later Tidewell closed.", [("Tidewell", "Brand")], ["Tidewell", "Tidewell"]),
        ("Tide\nwell", [("Tide\nwell", "Brand")], []),
        ("Aino Ranta came. Ranta left.", [("Aino Ranta", "Person"), ("Ranta", "Person")], ["Aino Ranta", "Ranta"]),
    ],
)
def test_mentions_are_tidy(text: str, words: list[tuple[str, str]], wanted: list[str]) -> None:
    """Whole words without marks, genitives and line ends; every further place where a name stands."""
    assert find(text, *words) == wanted


def test_a_name_has_one_type_in_a_text() -> None:
    """The one whose mentions weigh more."""
    text = "Marlow and Marlow and Marlow"
    found = [Found(0, 6, "Brand", 0.9), Found(11, 17, "Person", 0.8), Found(22, 28, "Person", 0.8)]
    assert {each.kind for each in consolidate(text, 0, found, types=TYPES)} == {"Person"}


@pytest.mark.parametrize("text", ["“Night Ferry” campaign", "‘Night Ferry’ campaign", '"Night Ferry" campaign', "Night Ferry campaign"])
def test_a_thing_is_called_without_quotation_marks(text: str) -> None:
    """Wherever the tagger has begun."""
    begin = text.index("Night")
    (cluster,) = group(text, [Found(begin, len(text), "Campaign", 0.9)], people=frozenset(), types=frozenset({"Campaign"}))
    assert cluster.name == "Night Ferry campaign"


def test_an_apostrophe_inside_a_name_stays() -> None:
    """It is no quotation mark."""
    text = "the ’90s and Men’s Week"
    (cluster,) = group(text, [Found(13, len(text), "Event", 0.9)], people=frozenset(), types=frozenset({"Event"}))
    assert cluster.name == "Men’s Week"
