"""How wide a text is, and the letters of pictures: DejaVu Sans Condensed (Latin, Greek, Cyrillic, Arabic, Hebrew)."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import uharfbuzz as harfbuzz

__all__ = ["FAMILY", "FONT", "embedded_font", "shortened", "visible", "width_of"]

FONT = Path(__file__).parent.parent / "vendor" / "dejavu-fonts-ttf" / "DejaVuSansCondensed.ttf"
FAMILY = "DejaVu Sans"


@cache
def _face() -> harfbuzz.Face:
    return harfbuzz.Face(FONT.read_bytes())


@cache
def width_of(text: str) -> float:
    """The width of a text in units of the font's size, shaped as a browser would."""
    buffer = harfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    harfbuzz.shape(harfbuzz.Font(_face()), buffer)
    return float(sum(position.x_advance for position in buffer.glyph_positions) / _face().upem)


def visible(text: str) -> str:
    """The text on one line, without characters that steer its direction or have no picture, and with U+FFFD for half characters."""
    line = " ".join(text.split())
    steering = {*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF}
    kept = (letter for letter in line if (letter.isprintable() and ord(letter) not in steering) or letter == " ")
    return "".join(kept)


def shortened(text: str, most: float) -> str:
    """The text, cut with an ellipsis where it is wider than so many units of the font's size.

    >>> shortened("Maison Orsenne of Paris", 9)
    'Maison Orsenne…'
    """
    line = visible(text[:400])
    if width_of(line) <= most:
        return line
    low, high = 0, len(line)
    while low < high - 1:
        middle = (low + high) // 2
        low, high = (middle, high) if width_of(line[:middle] + "…") <= most else (low, middle)
    return line[:low].rstrip() + "…"


def embedded_font(texts: Iterable[str]) -> str:
    """The letters of these texts as a font in a ``data:`` URL."""
    chosen = harfbuzz.SubsetInput()
    chosen.unicode_set.update({ord(letter) for text in texts for letter in text})
    content = harfbuzz.subset(_face(), chosen).blob.data
    return "data:font/ttf;base64," + base64.b64encode(content).decode()
