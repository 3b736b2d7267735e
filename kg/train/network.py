"""The network: one encoder, a tagger for mentions, and a scorer for pairs of entities.

Layers follow BERT (Devlin et al. 2019) and, where the encoder has relative positions, MPNet (Song et al. 2020). Relations are
scored for pairs of entities over the whole window, with the context that both attend to (localized context pooling, Zhou et al.
2021) taught by the evidence (Ma et al. 2023).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = ["Encoder", "Relator", "Shape"]


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network."""

    vocabulary: int
    positions: int
    hidden: int
    heads: int
    inner: int
    layers: int
    extra_layers: int
    features: int
    tags: int
    kinds: int
    predicates: int
    distances: int
    width: int = 384
    block: int = 32
    buckets: int = 0
    epsilon: float = 1e-12


class RelativeBias(nn.Module):
    """What the distance of two tokens adds to their attention scores: (heads, length, length), or 0 without buckets.

    Half of the buckets are for tokens in front; half of each half are exact distances, the others grow by logarithm up to 128
    (Raffel et al. 2020, section 2.1).
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.weights = nn.Embedding(shape.buckets, shape.heads) if shape.buckets else None
        if self.weights is not None:
            distance = torch.arange(1 - shape.positions, shape.positions)
            half, exact = shape.buckets // 2, shape.buckets // 4
            size = distance.abs()
            far = exact + (torch.log(size.clamp(min=1) / exact) / math.log(128 / exact) * (half - exact)).long()
            bucket = torch.where(size < exact, size, far.clamp(max=half - 1)) + (distance < 0) * half
            self.register_buffer("bucket", bucket, persistent=False)
            self.reach = shape.positions - 1

    def forward(self, length: Tensor) -> Tensor:
        if self.weights is None:
            return torch.zeros((), device=length.device)
        distance = length.unsqueeze(1) - length.unsqueeze(0)  # of the asking token from the asked one
        bucket: Tensor = self.bucket  # type: ignore[assignment]
        return self.weights(bucket[distance + self.reach]).permute(2, 0, 1)  # type: ignore[no-any-return]


class Layer(nn.Module):
    """One transformer layer; gives the attention probabilities too. Tensors are (length, hidden)."""

    def __init__(self, shape: Shape, dropout: float = 0.1) -> None:
        super().__init__()
        self.heads = shape.heads
        self.width = shape.hidden // shape.heads
        self.query = nn.Linear(shape.hidden, shape.hidden)
        self.key = nn.Linear(shape.hidden, shape.hidden)
        self.value = nn.Linear(shape.hidden, shape.hidden)
        self.output = nn.Linear(shape.hidden, shape.hidden)
        self.norm = nn.LayerNorm(shape.hidden, eps=shape.epsilon)
        self.inner = nn.Linear(shape.hidden, shape.inner)
        self.outer = nn.Linear(shape.inner, shape.hidden)
        self.final_norm = nn.LayerNorm(shape.hidden, eps=shape.epsilon)
        self.dropout = nn.Dropout(dropout)

    def _split(self, x: Tensor) -> Tensor:
        return x.view(-1, self.heads, self.width).transpose(0, 1)

    def forward(self, x: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        scores = self._split(self.query(x)) @ self._split(self.key(x)).transpose(1, 2) / math.sqrt(self.width) + bias
        attention = scores.softmax(dim=-1)
        mixed = (attention @ self._split(self.value(x))).transpose(0, 1).reshape(-1, self.heads * self.width)
        x = self.norm(x + self.dropout(self.output(mixed)))
        inner = nn.functional.gelu(self.inner(x))
        return self.final_norm(x + self.dropout(self.outer(inner))), attention


class Encoder(nn.Module):
    """Tokens with features → hidden states and tag logits."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.words = nn.Embedding(shape.vocabulary, shape.hidden)
        self.places = nn.Embedding(shape.positions, shape.hidden)
        self.features = nn.Embedding(shape.features, shape.hidden)
        nn.init.zeros_(self.features.weight)
        self.norm = nn.LayerNorm(shape.hidden, eps=shape.epsilon)
        self.dropout = nn.Dropout(0.1)
        self.bias = RelativeBias(shape)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.tagger = nn.Linear(shape.hidden, shape.tags)

    def forward(self, ids: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        places = self.places.weight[: ids.shape[0]]
        x = self.dropout(self.norm(self.words(ids) + places + self.features(features)))
        bias = self.bias(torch.arange(ids.shape[0], device=ids.device))
        for layer in self.layers:
            x, _ = layer(x, bias)
        return x, self.tagger(self.dropout(x))


class Relator(nn.Module):
    """Hidden states and entities → for each pair, a logit for each predicate and where in the window it is said.

    `kinds` (length) says of each token what kind of entity it belongs to (0: none), `members` (entities, length) which
    tokens are mentions of which entity, `pairs` (pairs, 2) subject and object, `distances` (pairs) a bucket.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        hidden, width = shape.hidden, min(shape.width, shape.hidden)
        self.block = shape.block
        self.kinds = nn.Embedding(shape.kinds, hidden)
        nn.init.normal_(self.kinds.weight, std=0.02)
        self.shared = nn.Linear(hidden, hidden)
        nn.init.zeros_(self.shared.weight)
        nn.init.zeros_(self.shared.bias)
        self.bias = RelativeBias(shape)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.extra_layers))
        self.subject = nn.Linear(2 * hidden, width)
        self.object = nn.Linear(2 * hidden, width)
        self.subject_context = nn.Linear(hidden, width, bias=False)
        self.object_context = nn.Linear(hidden, width, bias=False)
        self.distances = nn.Embedding(shape.distances, 32)
        self.dropout = nn.Dropout(0.15)
        self.score = nn.Linear(2 * width + 32, shape.predicates)
        nn.init.constant_(self.score.bias, -4.0)  # of all pairs few are related
        self.score_products = nn.Linear(width * shape.block, shape.predicates, bias=False)

    def forward(self, x: Tensor, kinds: Tensor, members: Tensor, pairs: Tensor, distances: Tensor) -> tuple[Tensor, Tensor]:
        mean = members / members.sum(dim=1, keepdim=True)
        x = x + self.kinds(kinds) + members.transpose(0, 1) @ self.shared(mean @ x)
        attention = x.new_zeros(0)
        bias = self.bias(torch.arange(x.shape[0], device=x.device))
        for layer in self.layers:
            x, attention = layer(x, bias)
        peak = (x.unsqueeze(0) + (members.unsqueeze(2) - 1) * 1e4).max(dim=1).values
        entities = torch.cat([mean @ x, peak], dim=1)
        attended = torch.einsum("el,hlk->ehk", mean, attention)
        both = (attended[pairs[:, 0]] * attended[pairs[:, 1]]).sum(dim=1)
        places = both / (both.sum(dim=1, keepdim=True) + 1e-9)
        context = places @ x
        ends = self.subject(entities)[pairs[:, 0]], self.object(entities)[pairs[:, 1]]
        subject = self.dropout(torch.tanh(ends[0] + self.subject_context(context)))
        value = self.dropout(torch.tanh(ends[1] + self.object_context(context)))
        count, width = subject.shape[0], subject.shape[1]
        groups = width // self.block
        products = (subject.view(-1, groups, self.block, 1) * value.view(-1, groups, 1, self.block)).reshape(count, width * self.block)
        rest = torch.cat([subject, value, self.distances(distances).to(subject.dtype)], dim=1)
        return self.score_products(products) + self.score(rest), places
