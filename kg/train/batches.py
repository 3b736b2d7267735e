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
from kg.extract.pairing import Pairing, Place, pair_up, places_in
from kg.extract.schema import DOCUMENT_DATE, Schema
from kg.train.examples import Example

__all__ = ["Batch", "make_batches"]

OVERLAP = 128

_MISSED_MENTIONS, _MISSED_THINGS = 0.1, 0.03
"""How often noise takes a mention, and a whole thing, away."""


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


def make_batches(
    example: Example, tokenizer: Tokenizer, schema: Schema, *, size: int, noise: random.Random | None = None
) -> Iterator[Batch]:
    """The windows of an example; with `noise`, some mentions and things are left out and some that are none are put in."""
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

    def batch(self) -> Batch:
        tagged = list(self.schema.tagged)
        tags = np.zeros(self.length, np.int64)
        present: list[tuple[int, str, list[Place]]] = []
        for number, thing in enumerate(self.example.things):
            places = places_in(self.window, self.tokens, thing.places)
            if thing.kind in tagged:
                for first, last in places:
                    tags[first:last] = 2 + 2 * tagged.index(thing.kind)
                    tags[first] -= 1
                places = self._thinned(places)
            if thing.kind == DOCUMENT_DATE:
                places = [(0, 1)]
            if places:
                present.append((number, thing.kind, places))
        if self.noise:
            present += self._spurious(tags)
        pairing = pair_up(self.schema, self.length, [(kind, places) for _, kind, places in present])
        labels, mask, evidence = self._labels(pairing, [number for number, _, _ in present])
        tensor = torch.from_numpy
        return Batch(
            tensor(self.window.ids), tensor(self.window.features), tensor(tags), tensor(pairing.kinds), tensor(pairing.members),
            tensor(pairing.pairs), tensor(pairing.distances), tensor(labels), tensor(mask), tensor(evidence),
        )  # fmt: skip

    def _thinned(self, places: list[Place]) -> list[Place]:
        """With noise, now and then a mention or a whole thing is missing, as if the tagger had missed it."""
        if not self.noise or self.noise.random() < _MISSED_THINGS:
            return [] if self.noise else places
        return [place for place in places if self.noise.random() > _MISSED_MENTIONS] or places

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

    def _labels(self, pairing: Pairing, numbers: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What each pair's logits should be, which of them count, and where the evidence stands. `numbers` are the things of the rows."""
        stated = self._stated({number: row for row, number in enumerate(numbers) if number >= 0})
        count, relations = len(pairing.pairs), len(self.schema.relations)
        labels, mask = np.zeros((count, relations), np.float32), np.zeros((count, relations), np.float32)
        evidence = np.zeros((count, self.length), np.float32)
        for at, (one, other) in enumerate(pairing.pairs.tolist()):
            mask[at, list(pairing.allowed[at])] = 1
            for relation, (place, optional) in stated.get((one, other), {}).items():
                labels[at, relation] = 1
                mask[at, relation] = 0 if optional else 1
                span = self.tokens.between(*place) if place else None
                if span and not optional:
                    low, high = max(span[0], self.window.first), min(span[1], self.window.last)
                    evidence[at, low - self.window.first + 1 : max(0, high - self.window.first + 1)] = 1
        return labels, mask, evidence

    def _stated(self, rows: dict[int, int]) -> dict[tuple[int, int], dict[int, tuple[Place | None, bool]]]:
        """By pair of rows: the relations that the annotation states, with the place of the evidence and whether they are optional."""
        stated: dict[tuple[int, int], dict[int, tuple[Place | None, bool]]] = {}
        for fact in self.example.relationships:
            if fact.subject in rows and fact.object in rows:
                ends = [(rows[fact.subject], rows[fact.object])]
                if self.schema.relations[fact.relation].symmetric:
                    ends.append(ends[0][::-1])
                for pair in ends:
                    stated.setdefault(pair, {})[fact.relation] = (fact.evidence, fact.optional)
        return stated
