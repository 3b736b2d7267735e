"""Writes a trained network as a small model folder: ONNX graphs with 8-bit weights, tokenizer, description."""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
import warnings
from pathlib import Path
from typing import Any

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer
from tokenizers import Tokenizer

from kg.extract.calibration import Calibration
from kg.extract.network import FILES, FORMAT
from kg.extract.schema import Schema
from kg.train.batches import OVERLAP
from kg.train.run import Network

__all__ = ["describe", "ship"]

_QUANTIZER = "onnxruntime.quantization.matmul_nbits_quantizer"


def ship(
    network: Network,
    tokenizer: Tokenizer,
    schema: Schema,
    folder: Path,
    *,
    calibration: Calibration,
    window: int,
    version: str,
    about: dict[str, Any],
) -> None:
    """Writes the model; `about` goes into model.json as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    network.eval()
    logging.getLogger().setLevel(logging.ERROR)  # onnxruntime advises steps that change nothing here
    logging.getLogger(_QUANTIZER).setLevel(logging.ERROR)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _write(network.encoder, _encoder_inputs(), Path(scratch) / "encoder.onnx", ["ids", "features"], ["hidden", "tags"], _ENCODER_AXES)
        inputs = _relator_inputs(network)
        names = ["x", "kinds", "members", "pairs", "distances"]
        _write(network.relator, inputs, Path(scratch) / "relator.onnx", names, ["logits", "places"], _RELATOR_AXES)
        for name in ("encoder.onnx", "relator.onnx"):
            _shrink(Path(scratch) / name, folder / name)
    description = {
        "format": FORMAT,
        "version": version,
        "schema": schema.as_data(),
        "window": window,
        "overlap": OVERLAP,
        "calibration": calibration.as_data(),
        "files": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES},
        "about": about,
    }
    describe(folder, description)


def _shrink(source: Path, target: Path) -> None:
    """Weights in 8 bits: a scale for each row of words, and for each 128 weights of a product.

    With one scale for all inputs of a product, as dynamic quantization has it, MPNet's few very large activations leave nothing of the
    others: recall falls by a third. In blocks nothing is lost.
    """
    gathered = source.with_suffix(".words.onnx")
    quantize_dynamic(source, gathered, weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=["Gather"])
    config = DefaultWeightOnlyQuantConfig(block_size=128, is_symmetric=True, accuracy_level=4, bits=8)
    quantizer = MatMulNBitsQuantizer(onnx.load(gathered), algo_config=config)
    quantizer.process()
    quantizer.model.save_model_to_file(str(target), use_external_data_format=False)


def describe(folder: Path, description: dict[str, Any]) -> None:
    """Writes `model.json`."""
    (folder / "model.json").write_text(json.dumps(description, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


_ENCODER_AXES = {"ids": {0: "length"}, "features": {0: "length"}, "hidden": {0: "length"}, "tags": {0: "length"}}
_RELATOR_AXES = {
    "x": {0: "length"}, "kinds": {0: "length"}, "members": {0: "entities", 1: "length"}, "pairs": {0: "pairs"}, "distances": {0: "pairs"},
    "logits": {0: "pairs"}, "places": {0: "pairs", 1: "length"},
}  # fmt: skip


def _encoder_inputs() -> tuple[torch.Tensor, ...]:
    return torch.arange(20), torch.zeros(20, dtype=torch.long)


def _relator_inputs(network: Network) -> tuple[torch.Tensor, ...]:
    hidden = network.encoder.words.weight.shape[1]
    members = torch.zeros(3, 20)
    members[0, 2] = members[1, 5] = members[2, 9] = 1
    pairs = torch.tensor([[0, 1], [1, 2], [0, 2], [2, 0]])
    return torch.randn(20, hidden), torch.zeros(20, dtype=torch.long), members, pairs, torch.zeros(4, dtype=torch.long)


def _write(
    module: torch.nn.Module, inputs: tuple[torch.Tensor, ...], path: Path, names: list[str], outputs: list[str], axes: dict[str, Any]
) -> None:
    torch.onnx.export(
        module, inputs, str(path), input_names=names, output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False,
        do_constant_folding=True,
    )  # fmt: skip
