"""Examples as tensors: one window of text at a time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from kg.extract.encoding import Tokens, Window, encode, special_tokens, windows
from kg.extract.schema import DOCUMENT_DATE, QUOTATION, Schema, distance_bucket
from kg.train.examples import Example

__all__ = ["Batch", "make_batches"]

OVERLAP = 128


@dataclass(slots=True)
class Batch:
    """One window: what goes into the network, and what should come out. `mask` tells which logits count."""

    ids: Tensor
    features: Tensor
    tags: Tensor
    kinds: Tensor
    members: Tensor
    pairs: Tensor
    distances: Tensor
    labels: Tensor
    mask: Tensor
    evidence: Tensor
    example: str
    things: list[int]


def make_batches(
    example: Example, tokenizer: Tokenizer, schema: Schema, *, size: int, noise: random.Random | None = None
) -> Iterator[Batch]:
    """The windows of an example; with `noise`, some mentions are left out and some that are none are put in."""
    tokens = encode(tokenizer, example.text, example.start)
    if not len(tokens):
        return
    cls, sep = special_tokens(tokenizer)
    for window in windows(tokens, cls=cls, sep=sep, size=size, overlap=OVERLAP):
        yield _Maker(example, tokens, window, schema, noise).batch()


class _Maker:
    def __init__(self, example: Example, tokens: Tokens, window: Window, schema: Schema, noise: random.Random | None) -> None:
        self.example = example
        self.tokens = tokens
        self.window = window
        self.schema = schema
        self.noise = noise
        self.length = len(window.ids)

    def places(self, number: int) -> list[tuple[int, int]]:
        """First and last+1 position in the window of each mention of a thing."""
        found = []
        for start, end in self.example.things[number].places:
            span = self.tokens.between(start, end)
            if span and span[0] >= self.window.first and span[1] <= self.window.last:
                found.append((span[0] - self.window.first + 1, span[1] - self.window.first + 1))
        return found

    def batch(self) -> Batch:
        kinds_list, tagged = list(self.schema.kinds), list(self.schema.tagged)
        tags, kinds = np.zeros(self.length, np.int64), np.zeros(self.length, np.int64)
        present: list[tuple[int, str, list[tuple[int, int]]]] = []
        for number, thing in enumerate(self.example.things):
            places = self.places(number)
            if thing.kind in tagged:
                for first, last in places:
                    tags[first:last] = 2 + 2 * tagged.index(thing.kind)
                    tags[first] -= 1
            if thing.kind == DOCUMENT_DATE:
                places = [(0, 1)]
            if self.noise and len(places) > 1 and thing.kind in tagged:
                places = [place for place in places if self.noise.random() > 0.1] or places
            if places:
                present.append((number, thing.kind, places))
        if self.noise:
            present += self._spurious(tags)
        members = np.zeros((max(1, len(present)), self.length), np.float32)
        for row, (_, kind, places) in enumerate(present):
            for first, last in places:
                members[row, first:last] = 1
                if kind not in (QUOTATION,) or not kinds[first:last].any():
                    kinds[first:last] = 1 + kinds_list.index(kind)
        if not present:
            members[0, 0] = 1
        pairs, distances, labels, mask, evidence = self._pairs(present)
        tensor = torch.from_numpy
        return Batch(
            tensor(self.window.ids), tensor(self.window.features), tensor(tags), tensor(kinds), tensor(members), tensor(pairs),
            tensor(distances), tensor(labels), tensor(mask), tensor(evidence), self.example.id, [number for number, _, _ in present],
        )  # fmt: skip

    def _spurious(self, tags: np.ndarray) -> list[tuple[int, str, list[tuple[int, int]]]]:
        """Up to two stretches of title-case tokens that are no names, as if the tagger had taken them for some."""
        assert self.noise is not None
        title = (self.window.features // 3 == 1) & (tags == 0)
        candidates = [i for i in range(1, self.length - 1) if title[i] and self.window.features[i] != 0]
        found = []
        for _ in range(self.noise.choice((0, 0, 1, 2))):
            if candidates:
                first = self.noise.choice(candidates)
                last = first + 1
                while last < self.length - 1 and title[last] and last - first < 6:
                    last += 1
                found.append((-1, self.noise.choice(self.schema.types), [(first, last)]))
        return found

    def _pairs(self, present: list[tuple[int, str, list[tuple[int, int]]]]) -> tuple[np.ndarray, ...]:
        rows = {number: row for row, (number, _, _) in enumerate(present) if number >= 0}
        stated: dict[tuple[int, int], dict[int, tuple[tuple[int, int] | None, bool]]] = {}
        for fact in self.example.relationships:
            if fact.subject in rows and fact.object in rows:
                ends = [(rows[fact.subject], rows[fact.object])]
                if self.schema.relations[fact.relation].symmetric:
                    ends.append(ends[0][::-1])
                for pair in ends:
                    stated.setdefault(pair, {})[fact.relation] = (fact.evidence, fact.optional)
        pairs, distances, labels, mask, evidence = [], [], [], [], []
        for one, (_, kind, places) in enumerate(present):
            for other, (_, other_kind, other_places) in enumerate(present):
                allowed = self.schema.allowed(kind, other_kind) if one != other else []
                if not allowed:
                    continue
                row, weights = np.zeros(len(self.schema.relations), np.float32), np.zeros(len(self.schema.relations), np.float32)
                weights[allowed] = 1
                marked = np.zeros(self.length, np.float32)
                for relation, (place, optional) in stated.get((one, other), {}).items():
                    row[relation] = 1
                    weights[relation] = 0 if optional else 1
                    span = self.tokens.between(*place) if place else None
                    if span and not optional:
                        low, high = max(span[0], self.window.first), min(span[1], self.window.last)
                        if low < high:
                            marked[low - self.window.first + 1 : high - self.window.first + 1] = 1
                pairs.append((one, other))
                distances.append(_distance(kind, places, other_kind, other_places))
                labels.append(row)
                mask.append(weights)
                evidence.append(marked)
        count, relations = len(pairs), len(self.schema.relations)
        return (
            np.array(pairs, np.int64).reshape(count, 2), np.array(distances, np.int64),
            np.array(labels, np.float32).reshape(count, relations),
            np.array(mask, np.float32).reshape(count, relations), np.array(evidence, np.float32).reshape(count, self.length),
        )  # fmt: skip


def _distance(kind: str, places: list[tuple[int, int]], other_kind: str, other_places: list[tuple[int, int]]) -> int:
    if DOCUMENT_DATE in (kind, other_kind):
        return distance_bucket(None)
    return distance_bucket(min((b[0] - a[0] for a in places for b in other_places), key=lambda gap: (abs(gap), gap)))
