"""A whole training, small: annotated documents in, a model that extracts out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from kg.link import load_index
from kg.model import Document, Extraction, Text
from kg.rdf.ontology import load_ontology
from kg.resources import resource
from kg.settings import Settings

torch = pytest.importorskip("torch", reason="training needs torch (the extra kg[train])")
pytestmark = pytest.mark.filterwarnings("ignore")

DATA = Path(__file__).parents[1] / "data" / "annotated"


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT encoder of two tiny layers with random weights, and the tokenizer of the shipped model."""
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("encoder")
    shutil.copy(resource("seeds", "model", "tokenizer.json"), folder)
    hidden, inner, layers, words = 64, 96, 3, 30_522
    config = {
        "vocab_size": words, "max_position_embeddings": 512, "hidden_size": hidden, "num_attention_heads": 2, "intermediate_size": inner,
        "num_hidden_layers": layers, "model_type": "bert", "layer_norm_eps": 1e-12,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    torch.manual_seed(1)
    weights = {"embeddings.word_embeddings.weight": (words, hidden), "embeddings.position_embeddings.weight": (512, hidden)}
    weights |= {"embeddings.token_type_embeddings.weight": (2, hidden)}
    weights |= {f"embeddings.LayerNorm.{part}": (hidden,) for part in ("weight", "bias")}
    for number in range(layers):
        for name in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            weights |= {f"encoder.layer.{number}.{name}.weight": (hidden, hidden), f"encoder.layer.{number}.{name}.bias": (hidden,)}
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            weights |= {f"encoder.layer.{number}.{name}.{part}": (hidden,) for part in ("weight", "bias")}
        weights |= {
            f"encoder.layer.{number}.intermediate.dense.weight": (inner, hidden),
            f"encoder.layer.{number}.intermediate.dense.bias": (inner,),
        }
        weights |= {f"encoder.layer.{number}.output.dense.weight": (hidden, inner), f"encoder.layer.{number}.output.dense.bias": (hidden,)}
    save_file({name: torch.randn(*shape) * 0.05 for name, shape in weights.items()}, folder / "model.safetensors")
    return folder


def test_a_training_gives_a_model_that_extracts(encoder: Path, tmp_path: Path) -> None:
    """The same data and seed give the same weights; the folder is a model, and no checkpoint is left."""
    from kg.extract.encoder import EncoderExtractor
    from kg.extract.network import Network
    from kg.train.run import Recipe
    from kg.train.session import train_model

    digests = []
    for name in ("one", "two"):
        report = train_model(
            load_ontology(Settings()),
            DATA,
            tmp_path / name,
            encoder=encoder,
            recipe=Recipe(epochs=1, layers=2),
            index=load_index("shipped"),
        )
        assert (report.trained, report.held_back) == (5, 0)
        assert not (tmp_path / name / "checkpoint.pt").exists()
        digests.append(json.loads((tmp_path / name / "model.json").read_text(encoding="utf-8"))["files"])
    assert digests[0] == digests[1]
    extractor = EncoderExtractor(Network(tmp_path / "one"))
    document = Document("a", (Text("body", "Liv Vane is the face of Tidewell."),))
    assert extractor(document, Extraction("a")).document_id == "a"
