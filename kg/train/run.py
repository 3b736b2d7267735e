"""The training itself: batches in, weights out, with checkpoints to go on from."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from kg.errors import ModelError
from kg.extract.encoding import FEATURES
from kg.extract.schema import DISTANCES, Schema
from kg.train.batches import Batch, make_batches
from kg.train.examples import Example, Names, swap_names
from kg.train.network import Encoder, Relator, Shape

__all__ = ["Recipe", "Scores", "load_pretrained", "score_examples", "train"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train: everything that the result depends on, data aside."""

    epochs: int = 6
    seed: int = 20260101
    layers: int | None = None
    window: int = 512
    rate: float = 6e-5
    head_rate: float = 1.5e-3
    accumulate: int = 2
    threads: int = 2
    swap: float = 0.6
    warmup: float = 0.03
    relation_weight: float = 1.0
    evidence_weight: float = 0.1
    half: bool = True


class Network(nn.Module):
    """Encoder and relator together."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.encoder = Encoder(shape)
        self.relator = Relator(shape)


def load_pretrained(path: Path, schema: Schema, *, layers: int | None = None, extra_layers: int = 2) -> Network:
    """A network with the weights of a BERT or MPNet encoder (`config.json`, `model.safetensors`), of which the first `layers` are taken.

    The extra layers begin as those that come next, or as the last ones where all are taken. ModelError where the encoder is neither.
    """
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    kind = config.get("model_type")
    if kind not in _PARTS:
        raise ModelError(f"{path} holds an encoder of the type {kind!r}", hint=f"take one of the types {', '.join(sorted(_PARTS))}")
    taken = min(layers or config["num_hidden_layers"], config["num_hidden_layers"])
    reserved = _RESERVED_PLACES[kind]
    shape = Shape(
        vocabulary=config["vocab_size"], positions=config["max_position_embeddings"] - reserved, hidden=config["hidden_size"],
        heads=config["num_attention_heads"], inner=config["intermediate_size"], layers=taken,
        extra_layers=extra_layers, features=FEATURES, tags=schema.tag_count, kinds=len(schema.kinds) + 1,
        predicates=len(schema.relations), distances=DISTANCES, buckets=config.get("relative_attention_num_buckets", 0),
        epsilon=config["layer_norm_eps"],
    )  # fmt: skip
    network = Network(shape)
    weights = {name.removeprefix(f"{kind}."): value for name, value in load_file(path / "model.safetensors").items()}
    encoder = network.encoder
    following = min(taken, config["num_hidden_layers"] - extra_layers)
    with torch.no_grad():
        encoder.words.weight.copy_(weights["embeddings.word_embeddings.weight"])
        encoder.places.weight.copy_(weights["embeddings.position_embeddings.weight"][reserved:])
        segments = weights.get("embeddings.token_type_embeddings.weight")
        if segments is not None:
            encoder.places.weight.add_(segments[0])
        _copy(encoder.norm, weights, "embeddings.LayerNorm")
        for part in (encoder, network.relator):
            if part.bias.weights is not None:
                part.bias.weights.weight.copy_(weights["encoder.relative_attention_bias.weight"])
        for number, layer in enumerate(encoder.layers):
            _copy_layer(layer, weights, number, _PARTS[kind])
        for number, layer in enumerate(network.relator.layers):
            _copy_layer(layer, weights, following + number, _PARTS[kind])
    return network


_PARTS = {
    "bert": {
        "query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value", "output": "attention.output.dense",
        "norm": "attention.output.LayerNorm", "inner": "intermediate.dense", "outer": "output.dense", "final_norm": "output.LayerNorm",
    },
    "mpnet": {
        "query": "attention.attn.q", "key": "attention.attn.k", "value": "attention.attn.v", "output": "attention.attn.o",
        "norm": "attention.LayerNorm", "inner": "intermediate.dense", "outer": "output.dense", "final_norm": "output.LayerNorm",
    },
}  # fmt: skip
"""What our layers' parts are called in the weights of each type of encoder."""

_RESERVED_PLACES = {"bert": 0, "mpnet": 2}
"""How many of the position embeddings stand for no place in the text: MPNet counts from 2 on."""


def _copy_layer(layer: nn.Module, weights: dict[str, Tensor], number: int, parts: dict[str, str]) -> None:
    for ours, theirs in parts.items():
        _copy(getattr(layer, ours), weights, f"encoder.layer.{number}.{theirs}")


def _copy(part: nn.Module, weights: dict[str, Tensor], name: str) -> None:
    part.weight.copy_(weights[f"{name}.weight"])  # type: ignore[operator, union-attr]
    part.bias.copy_(weights[f"{name}.bias"])  # type: ignore[operator, union-attr]


def _loss(network: Network, batch: Batch, recipe: Recipe, tag_weights: Tensor) -> tuple[Tensor, Tensor]:
    x, tag_logits = network.encoder(batch.ids, batch.features)
    tagging = nn.functional.cross_entropy(tag_logits.float(), batch.tags, weight=tag_weights)
    if not len(batch.pairs):
        return tagging, tagging.new_zeros(())
    logits, places = network.relator(x, batch.kinds, batch.members, batch.pairs, batch.distances)
    each = nn.functional.binary_cross_entropy_with_logits(logits.float(), batch.labels, reduction="none") * batch.mask
    relating = each.sum() / (10 + (batch.labels * batch.mask).sum())
    marked = batch.evidence.sum(dim=1) > 0
    if marked.any():
        inside = (places[marked].float() * batch.evidence[marked]).sum(dim=1)
        relating = relating - recipe.evidence_weight * torch.log(inside + 1e-6).mean()
    return tagging, relating


def train(
    network: Network,
    examples: Sequence[Example],
    tokenizer: Tokenizer,
    schema: Schema,
    recipe: Recipe,
    *,
    names: Names | None,
    checkpoint: Path | None = None,
    report: Callable[[str], None] = lambda line: None,
    after: Callable[[int], None] = lambda epoch: None,
) -> None:
    """Trains in place. With `checkpoint` the state after each epoch is kept there, and a run that finds one goes on from it.

    The same examples, recipe and software give the same weights on one kind of processor.
    """
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(recipe.threads)
    steps = recipe.epochs * (len(examples) // recipe.accumulate + 1)
    run = _Run(network, recipe, *_optimizer(network, recipe, steps))
    tag_weights = torch.ones(schema.tag_count)
    tag_weights[0] = 0.5
    for epoch in range(_resume(checkpoint, run), recipe.epochs):
        rng = random.Random(f"{recipe.seed}-{epoch}")
        order = list(range(len(examples)))
        rng.shuffle(order)
        began, sums, count = time.time(), [0.0, 0.0], 0
        network.train()
        run.optimizer.zero_grad()
        for position, number in enumerate(order):
            example = examples[number]
            if names and rng.random() < recipe.swap:
                example = swap_names(example, names, rng)
            for batch in make_batches(example, tokenizer, schema, size=recipe.window, noise=rng):
                tagging, relating = _learn(run, batch, tag_weights)
                sums = [sums[0] + tagging, sums[1] + relating]
                count += 1
            if (position + 1) % recipe.accumulate == 0 or position + 1 == len(order):
                _step(run)
            if position % 25 == 24:
                left = (time.time() - began) / (position + 1) * (len(order) - position - 1)
                report(f"epoch {epoch + 1}/{recipe.epochs}  {position + 1}/{len(order)}  {left:.0f} s left in it")
        report(f"epoch {epoch + 1}: tags {sums[0] / count:.3f} relations {sums[1] / count:.3f}  {time.time() - began:.0f} s")
        _save(checkpoint, run, epoch + 1)
        after(epoch + 1)


@dataclass(frozen=True, slots=True)
class _Run:
    """What one training changes as it goes, with its recipe."""

    network: Network
    recipe: Recipe
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler


def _optimizer(network: Network, recipe: Recipe, steps: int) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """The optimizer, with a rate of their own for the heads, and the rates' rise and fall over all steps."""
    network.encoder.words.weight.requires_grad = False  # so few articles would only unlearn what the words mean
    learning = [(name, part) for name, part in network.named_parameters() if part.requires_grad]
    heads = [part for name, part in learning if _is_head(name)]
    body = [part for name, part in learning if not _is_head(name)]
    groups = [{"params": body, "lr": recipe.rate}, {"params": heads, "lr": recipe.head_rate}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01, fused=True)
    warm = max(1, int(steps * recipe.warmup))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, max(0.02, (steps - step) / max(1, steps - warm)))
    )
    return optimizer, schedule


def _learn(run: _Run, batch: Batch, tag_weights: Tensor) -> tuple[float, float]:
    """Adds one batch's gradients; its losses, of tags and of relations."""
    recipe = run.recipe
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=recipe.half):
        tagging, relating = _loss(run.network, batch, recipe, tag_weights)
    ((tagging + recipe.relation_weight * relating) / recipe.accumulate).backward()
    return float(tagging.detach()), float(relating.detach())


def _step(run: _Run) -> None:
    nn.utils.clip_grad_norm_(run.network.parameters(), 1.0)
    run.optimizer.step()
    run.schedule.step()
    run.optimizer.zero_grad()


def _is_head(name: str) -> bool:
    return not name.startswith(
        ("encoder.words", "encoder.places", "encoder.norm", "encoder.bias", "encoder.layers", "relator.bias", "relator.layers")
    )


def _digest(recipe: Recipe) -> str:
    return hashlib.sha256(json.dumps(asdict(recipe)).encode()).hexdigest()


def _save(path: Path | None, run: _Run, epoch: int) -> None:
    if path is None:
        return
    state = {
        "recipe": _digest(run.recipe), "epoch": epoch, "network": run.network.state_dict(), "optimizer": run.optimizer.state_dict(),
        "schedule": run.schedule.state_dict(), "random": torch.get_rng_state(),
    }  # fmt: skip
    fresh = path.with_suffix(".new")
    torch.save(state, fresh)
    fresh.replace(path)


def _resume(path: Path | None, run: _Run) -> int:
    """Puts the kept state into the run; how many epochs it has behind it."""
    if path is None or not path.is_file():
        return 0
    state = torch.load(path, weights_only=True)
    if state["recipe"] != _digest(run.recipe):
        return 0
    run.network.load_state_dict(state["network"])
    run.optimizer.load_state_dict(state["optimizer"])
    run.schedule.load_state_dict(state["schedule"])
    torch.set_rng_state(state["random"])
    return int(state["epoch"])


@dataclass(slots=True)
class Scores:
    """What the network finds in held-back examples, given the right mentions: (logit, relation, right) of every candidate."""

    candidates: list[tuple[float, int, bool]]
    missed: int
    tags: tuple[int, int, int]

    def relation_f1(self, threshold: float = 0.0) -> tuple[float, float, float]:
        """Precision, recall and F1 over candidates above a logit."""
        found = [right for logit, _, right in self.candidates if logit > threshold]
        wanted = sum(right for _, _, right in self.candidates) + self.missed
        precision = sum(found) / len(found) if found else 0.0
        recall = sum(found) / wanted if wanted else 0.0
        return precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def score_examples(network: Network, examples: Sequence[Example], tokenizer: Tokenizer, schema: Schema, *, window: int) -> Scores:
    """Scores of a network on examples it has not seen."""
    network.eval()
    candidates: list[tuple[float, int, bool]] = []
    tags = [0, 0, 0]
    with torch.no_grad():
        for example in examples:
            for batch in make_batches(example, tokenizer, schema, size=window):
                x, tag_logits = network.encoder(batch.ids, batch.features)
                found, wanted = _spans(tag_logits.argmax(dim=1).tolist()), _spans(batch.tags.tolist())
                tags = [tags[0] + len(found & wanted), tags[1] + len(found), tags[2] + len(wanted)]
                if len(batch.pairs):
                    logits, _ = network.relator(x, batch.kinds, batch.members, batch.pairs, batch.distances)
                    for pair, relation in (batch.mask > 0).nonzero().tolist():
                        candidates.append((float(logits[pair, relation]), relation, bool(batch.labels[pair, relation])))
    return Scores(candidates, 0, (tags[0], tags[1], tags[2]))


def _spans(tags: list[int]) -> set[tuple[int, int, int]]:
    spans, begin = set(), None
    for at, tag in enumerate([*tags, 0]):
        if begin is not None and (tag == 0 or tag % 2 == 1 or tag != tags[begin] + 1):
            spans.add((begin, at, tags[begin]))
            begin = None
        if tag % 2 == 1:
            begin = at
    return spans
