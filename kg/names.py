"""Names: when two forms are the same name, and what key they give."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

__all__ = ["fold", "fullest", "is_part", "plain", "slug"]

_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "ß": "ss", "’": "'", "‘": "'"})
_SIGNS = str.maketrans({"&": " and ", ".": None})
_WORDS = re.compile(r"[\w$]+")
_GENITIVE = re.compile(r"'s\b|'")


def plain(text: str) -> str:
    """A text without case and accents.

    >>> plain("Rosé d’Été, Søren")
    "rose d'ete, soren"
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).casefold()
    text = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", text).translate(_LETTERS)


def fold(name: str) -> str:
    """A name without what tells no names apart: case, accents, punctuation, a genitive, a leading *the*.

    >>> fold("The Kardashians’"), fold("Hermès"), fold("A$AP Rocky"), fold("Dolce & Gabbana")
    ('kardashians', 'hermes', 'a$ap rocky', 'dolce and gabbana')
    """
    text = name.lower() if name.isascii() else plain(name)
    if text.replace(" ", "").isalnum():  # most names: nothing in them but letters, digits and spaces
        words = text.split()
    else:
        text = text.translate(_SIGNS)
        words = _WORDS.findall(_GENITIVE.sub("", text).replace("_", " ") if "'" in text or "_" in text else text)
    while words[:1] == ["the"] and len(words) > 1:
        del words[0]
    return " ".join(words) or "".join(text.split()) or "".join(name.split())


def slug(name: str) -> str:
    """The folded name as a path segment: two names have the same one exactly if they fold alike."""
    return fold(name).replace(" ", "-")


def fullest(name: str, candidates: Iterable[str]) -> str:
    """The one longer person's name among `candidates` of which `name` is the first or last part; else `name` itself.

    >>> fullest("Kardashian", ["Kim Kardashian", "Demna"]), fullest("Kardashian", ["Kim Kardashian", "Kris Kardashian"])
    ('Kim Kardashian', 'Kardashian')
    """
    longer = {fold(candidate): candidate for candidate in sorted(candidates, reverse=True) if is_part(name, candidate)}
    return next(iter(longer.values())) if len(longer) == 1 else name


def is_part(name: str, longer: str) -> bool:
    """Whether a name is the first or last part of a longer one."""
    parts, words = fold(name).split(), fold(longer).split()
    return len(words) > len(parts) and parts in (words[: len(parts)], words[-len(parts) :])
