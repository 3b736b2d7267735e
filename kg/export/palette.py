"""Colours of entities by type: one table for every picture."""

from __future__ import annotations

import zlib

__all__ = ["FILLS", "fill_of", "ink_of"]

FILLS = {
    "Brand": "#f6d7b0",
    "Campaign": "#d9e8b4",
    "Collection": "#f3e3a1",
    "Country": "#dedede",
    "Event": "#e3cdf0",
    "Organization": "#c9d8ef",
    "Person": "#bfe3dc",
    "Product": "#f5c9c9",
    "Work": "#e8d3c4",
}
"""Fill of a node by its type; all are light, so that black text is readable on them."""

_INKS = {
    "Brand": "#a85f00",
    "Campaign": "#5f7d12",
    "Collection": "#8f7300",
    "Country": "#5c5c5c",
    "Event": "#7c3fa3",
    "Organization": "#2f5fa8",
    "Person": "#0b7a68",
    "Product": "#b23b3b",
    "Work": "#86502c",
}
_OTHERS = (("#cfe0f5", "#23538f"), ("#f1d3e4", "#95306a"), ("#d3ecd0", "#2d7332"), ("#fbdcc9", "#a4481b"), ("#d8d5f0", "#4b43a0"))


def fill_of(kind: str) -> str:
    """The light colour of a type; a type that the table does not know always has the same one.

    >>> fill_of("Person"), fill_of("River") == fill_of("River")
    ('#bfe3dc', True)
    """
    return FILLS.get(kind) or _OTHERS[_number(kind)][0]


def ink_of(kind: str) -> str:
    """The dark colour of a type, at least 3 to 1 against white."""
    return _INKS.get(kind) or _OTHERS[_number(kind)][1]


def _number(kind: str) -> int:
    return zlib.crc32(kind.encode()) % len(_OTHERS)
