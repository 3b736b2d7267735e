"""Text to tokens: word pieces with their places and casing, in overlapping windows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

__all__ = ["CASES", "FEATURES", "Tokens", "Window", "encode", "special_tokens", "windows"]

CASES = ("lower", "title", "upper", "mixed", "digit", "mark")
_BREAKS = 3
FEATURES = len(CASES) * _BREAKS
"""Number of token features: the word's casing, and whether a line or a paragraph begins with it."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The word pieces of a text: ids, first and last+1 character of each, features; special tokens aside."""

    ids: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    features: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)

    def between(self, start: int, end: int) -> tuple[int, int] | None:
        """First and last+1 token that touch the characters start..end, or None."""
        first = int(np.searchsorted(self.ends, start, side="right"))
        last = int(np.searchsorted(self.starts, end, side="left"))
        return (first, last) if first < last else None


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens first..last-1 of a text, as the encoder sees them: with [CLS] in front and [SEP] behind."""

    first: int
    last: int
    ids: npt.NDArray[np.int64]
    features: npt.NDArray[np.int64]


def encode(tokenizer: Tokenizer, text: str, start: int = 0) -> Tokens:
    """The word pieces of ``text[start:]``; places count from the beginning of `text`."""
    body = text[start:]
    encoding = tokenizer.encode(body, add_special_tokens=False)
    ids = np.array(encoding.ids, dtype=np.int64)
    offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
    features = np.zeros(len(ids), dtype=np.int64)
    former = 0
    words = encoding.word_ids
    begin = 0
    while begin < len(ids):
        end = begin + 1
        while end < len(ids) and words[end] == words[begin]:
            end += 1
        low, high = int(offsets[begin, 0]), int(offsets[end - 1, 1])
        gap = body[former:low]
        feature = _case(body[low:high]) * _BREAKS + min(gap.count("\n"), 2)
        features[begin:end] = feature
        former, begin = high, end
    return Tokens(ids, offsets[:, 0] + start, offsets[:, 1] + start, features)


def _case(word: str) -> int:
    letters = [c for c in word if c.isalpha()]
    if any(c.isdigit() for c in word):
        return CASES.index("digit")
    if not letters:
        return CASES.index("mark")
    if all(c.islower() for c in letters):
        return CASES.index("lower")
    if len(letters) > 1 and all(c.isupper() for c in letters):
        return CASES.index("upper")
    if letters[0].isupper() and all(not c.isupper() for c in letters[1:]):
        return CASES.index("title")
    return CASES.index("mixed")


def special_tokens(tokenizer: Tokenizer) -> tuple[int, int]:
    """Ids of the tokens in front of and behind every window. ValueError where the tokenizer has none."""
    for front, back in (("[CLS]", "[SEP]"), ("<s>", "</s>")):
        cls, sep = tokenizer.token_to_id(front), tokenizer.token_to_id(back)
        if cls is not None and sep is not None:
            return cls, sep
    raise ValueError("the tokenizer has neither [CLS] and [SEP] nor <s> and </s>")


def windows(tokens: Tokens, *, cls: int, sep: int, size: int, overlap: int) -> Iterator[Window]:
    """Windows of at most `size` tokens (special ones included) that overlap, in a fixed order."""
    room = size - 2
    first = 0
    while True:
        last = min(first + room, len(tokens))
        ids = np.concatenate([[cls], tokens.ids[first:last], [sep]]).astype(np.int64)
        features = np.concatenate([[0], tokens.features[first:last], [0]]).astype(np.int64)
        yield Window(first, last, ids, features)
        if last >= len(tokens):
            return
        first = last - overlap
