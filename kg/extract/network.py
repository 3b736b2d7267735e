"""Runs a trained model (ONNX): texts to tag logits, entities to relation scores. One thread, one document, the same bytes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from kg.errors import ModelError
from kg.extract.calibration import Calibration
from kg.extract.encoding import Tokens, Window, encode, special_tokens, windows
from kg.extract.pairing import Pairing
from kg.extract.schema import Schema, read_json

__all__ = ["FILES", "FORMAT", "Encoded", "Network"]

FORMAT = 2
"""Version of a model's folder: model.json, and the files that it names."""

FILES = ("tokenizer.json", "encoder.onnx", "relator.onnx")
"""The files whose SHA-256 stands in model.json."""

_CHUNK = 384

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Encoded:
    """One text after the encoder: its tokens, windows with their hidden states, tag logits of each token."""

    tokens: Tokens
    windows: tuple[tuple[Window, Floats], ...]
    logits: Floats


class Network:
    """A model's folder, opened. Raises ModelError where it is missing, damaged or of another version."""

    def __init__(self, folder: Path) -> None:
        self.description = read_json(folder / "model.json")
        if self.description.get("format") != FORMAT:
            found = self.description.get("format")
            raise ModelError(
                f"the model in {folder} has format {found}, this kg reads format {FORMAT}", hint="train it again, or reinstall"
            )
        _check_description(self.description, folder)
        self.schema = Schema.from_data(self.description["schema"])
        self.fingerprint = hashlib.sha256((folder / "model.json").read_bytes()).hexdigest()
        for name in FILES:
            _check(folder / name, self.description["files"][name])
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.calibration = Calibration.from_data(self.description["calibration"], len(self.schema.relations))
        self._encoder = _session(folder / "encoder.onnx")
        self._relator = _session(folder / "relator.onnx")
        _check_columns(self._encoder, "tags", self.schema.tag_count, folder / "encoder.onnx")
        _check_columns(self._relator, "logits", len(self.schema.relations), folder / "relator.onnx")

    def encode(self, text: str, start: int) -> Encoded:
        """The encoder over ``text[start:]``; where windows overlap, a token's logits come from the one with more text around it."""
        tokens = encode(self.tokenizer, text, start)
        logits = np.zeros((len(tokens), self.schema.tag_count), np.float32)
        margin = np.full(len(tokens), -1)
        seen = []
        cls, sep = special_tokens(self.tokenizer)
        size, overlap = int(self.description["window"]), int(self.description["overlap"])
        for window in windows(tokens, cls=cls, sep=sep, size=size, overlap=overlap) if len(tokens) else ():
            hidden, tags = self._encoder.run(None, {"ids": window.ids, "features": window.features})
            places = np.arange(window.first, window.last)
            inside = np.minimum(places - window.first, window.last - 1 - places)
            better = inside > margin[places]
            logits[places[better]] = tags[1:-1][better]
            margin[places[better]] = inside[better]
            seen.append((window, hidden))
        return Encoded(tokens, tuple(seen), logits)

    def relate(self, hidden: Floats, pairing: Pairing) -> tuple[Floats, Floats]:
        """Logits (pairs, relations) and where in the window each pair is spoken of (pairs, length)."""
        logits, places = [], []
        fixed = {"x": hidden, "kinds": pairing.kinds, "members": pairing.members}
        for at in range(0, len(pairing.pairs), _CHUNK):
            some = {"pairs": pairing.pairs[at : at + _CHUNK], "distances": pairing.distances[at : at + _CHUNK]}
            scored, attended = self._relator.run(None, {**fixed, **some})
            logits.append(scored)
            places.append(attended)
        return np.concatenate(logits), np.concatenate(places)


def _check_description(data: dict[str, Any], folder: Path) -> None:
    """Raises ModelError where a part of model.json is missing or can't be meant."""
    size, overlap, files = data.get("window"), data.get("overlap"), data.get("files")
    checks = {
        "version": isinstance(data.get("version"), str),
        "schema": isinstance(data.get("schema"), dict),
        "window": isinstance(size, int) and size > 2,
        "overlap": isinstance(size, int) and isinstance(overlap, int) and 0 <= overlap < size - 2,
        "calibration": isinstance(data.get("calibration"), list),
        "files": isinstance(files, dict) and all(isinstance(files.get(name), str) for name in FILES),
    }
    wrong = ", ".join(name for name, right in checks.items() if not right)
    if wrong:
        raise ModelError(f"{folder / 'model.json'} is damaged: see its {wrong}", hint="train the model again, or reinstall")


def _check(path: Path, digest: str) -> None:
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"{path} can't be read: {error.strerror}", hint="train the model again, or reinstall") from error
    if found != digest:
        raise ModelError(f"{path} is damaged: its SHA-256 is not the model's", hint="train the model again, or reinstall")


def _check_columns(session: Any, output: str, expected: int, path: Path) -> None:
    """Raises ModelError where an output of a network has not as many columns as the schema has tags or relations."""
    shapes = {each.name: each.shape for each in session.get_outputs()}
    columns = shapes[output][-1] if shapes.get(output) else None
    if columns is None or (isinstance(columns, int) and columns != expected):  # a name stands for any number
        message = f"{path} is of another schema than its model.json: {output} has {columns or 'no'} columns, not {expected}"
        raise ModelError(message, hint="train the model again, or reinstall")


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    options.enable_mem_pattern = False
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
