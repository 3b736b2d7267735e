"""Bad input from file to store: odd texts, texts too long for the time there is, models that can't be used."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kg.build import build
from kg.errors import KgError, ModelError
from kg.extract import Pipeline
from kg.model import BuildReport, Document, Text
from kg.plugins import load_plugin
from kg.read import read_paths
from kg.revise import Reviser
from kg.settings import Settings
from kg.store import Store, open_store

RULES = Settings().replace(extractors="rules")
MODEL = Path(__file__).parent.parent.parent / "seeds" / "model"
GOOD = "Gucci closed. “I grew up with this bag,” said Liv Vane."
FRENCH = (
    "Ce n'est pas un sac. Il est dans une boîte avec des gants, et elle ne sera ouverte que par la maison. "
    "Mais qui sont ceux qui l'ont vu ? "
)
NEEDS_MODEL = pytest.mark.skipif(not (MODEL / "model.json").is_file(), reason="this checkout ships no model")

# what the file holds, and the category of its problem (None: it is built)
ODD: dict[str, tuple[bytes, str | None]] = {
    "another-language": ((FRENCH * 5).encode(), "language"),
    "another-language-2mb": ((FRENCH * 14_000).encode(), "language"),
    "line-200kb": (("Balenciaga opened in 1998 and Liv Vane came. " * 4_500).encode(), None),
    "line-2mb": (("It was a day like the others, and nothing came of it. " * 36_000).encode() + GOOD.encode(), None),
    "word-1mb": (b"A" * 1_000_000, None),
    "marks": (("“" * 1_000 + GOOD + '"' * 1_000 + "”" * 1_000 + "'" * 1_000).encode(), None),
    "marks-alone": (("“ " * 1_000).encode(), None),
    "few-controls": ("Balenciaga\x01 opened\x0b in\x1b[31m 1998\x7f.\x85 ".encode() + GOOD.encode() * 3, None),
    "controls": (b"\x01\x02\x03" * 100 + GOOD.encode(), "binary"),
    "right-to-left": (f"\u202eBalenciaga\u202c \u200f{GOOD}\u200e \u2067שלום\u2069".encode(), None),
    "emoji": (f"😀👩‍👩‍👧 {GOOD} 🏳️‍🌈👍🏽 ".encode() * 20, None),
    "emoji-alone": ("😀👩‍👩‍👧🏳️‍🌈".encode() * 100, None),
    "surrogate-bytes": (b"Balenciaga \xed\xa0\x80 opened. " + GOOD.encode(), None),
    "capitals": (GOOD.upper().encode() * 50, None),
    "contents": (b"CONTENTS\n\n1  Balenciaga .......... 3\n2  Maison Margiela ..... 14\n3  Liv Vane ............ 21\n" * 20, None),
    "empty": (b"", "empty"),
    "blank": (" \n\t\u2003\n".encode(), "empty"),
    "mark-alone": (b"\xef\xbb\xbf", "empty"),
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    with open_store(tmp_path / "store", create=True) as made:
        yield made


def built(files: dict[str, bytes], store: Store, folder: Path, settings: Settings = RULES) -> BuildReport:
    """The report of a build of some files."""
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return build(read_paths([str(folder)], settings), store, settings)


@pytest.mark.parametrize("name", sorted(ODD))
def test_odd_files_end_no_build(name: str, store: Store, tmp_path: Path) -> None:
    """Each is built or a problem in one line, soon; the document after it is built, and the graph says what the documents say."""
    content, category = ODD[name]
    begin = time.process_time()
    report = built({f"{name}.txt": content, "zzz.txt": GOOD.encode()}, store, tmp_path / "files")
    assert time.process_time() - begin < 60
    assert [problem.category for problem in report.problems] == ([category] if category else [])
    assert all("\n" not in problem.message and problem.document_id == name for problem in report.problems)
    assert store.ledger.ids() == (["zzz"] if category else [name, "zzz"])
    assert set(store.graph) == Reviser(store, single_valued=store.ledger.single_valued()).derive_all()


def test_lone_surrogates_of_json_are_a_problem(store: Store, tmp_path: Path) -> None:
    """JSON can name half a character; the line is left out, by its number, and the others are built."""
    lines = [json.dumps({"id": "half", "text": "Balenciaga \ud800 opened."}), json.dumps({"id": "whole", "text": f"{GOOD} \U0001f600"})]
    report = built({"a.jsonl": "\n".join(lines).encode()}, store, tmp_path / "files")
    assert [(each.document_id, each.category) for each in report.problems] == [("half", "encoding")]
    assert store.ledger.ids() == ["whole"]


def test_a_surrogate_of_a_caller_breaks_no_pipeline() -> None:
    """Documents made by hand are not checked by a reader: the pipeline reads them all the same."""
    found = Pipeline(RULES)(Document("a", (Text("body", f"\ud800 {GOOD} \udfff"),), language="\ud800"))
    assert found.claims
    assert found.problems == ()


@NEEDS_MODEL
def test_a_text_too_long_for_the_encoder_is_reported(store: Store, tmp_path: Path) -> None:
    """Two megabytes on one line don't hold the build up past the limit, and the next document is built."""
    line = ("Balenciaga opened in 1998 and Liv Vane came. " * 44_000).encode()
    settings = Settings().replace(extractors="encoder", document_seconds=3)
    begin = time.monotonic()
    report = built({"long.txt": line, "zzz.txt": GOOD.encode()}, store, tmp_path / "files", settings)
    assert time.monotonic() - begin < 60
    assert [(each.document_id, each.category) for each in report.problems] == [("long", "time-limit")]
    assert store.ledger.ids() == ["zzz"]


# -- models that can't be used ------------------------------------------------------------------------------------

Change = Callable[[dict[str, object]], object]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model's folder with a model.json of its own; the other files are those of the shipped one."""
    folder = tmp_path / "model"
    folder.mkdir()
    for path in MODEL.iterdir():
        (folder / path.name).symlink_to(path)
    (folder / "model.json").unlink()
    shutil.copyfile(MODEL / "model.json", folder / "model.json")
    return folder


def refused(folder: Path, *words: str) -> None:
    """The model is refused in one line that holds these words and says what to do."""
    with pytest.raises(ModelError) as caught:
        Pipeline(Settings().replace(model=str(folder)))
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert "train" in caught.value.hint
    assert isinstance(caught.value, KgError)


@NEEDS_MODEL
@pytest.mark.parametrize("name", ["encoder.onnx", "relator.onnx", "tokenizer.json"])
def test_a_damaged_file_of_a_model_is_named(model: Path, name: str) -> None:
    """One bit in the middle of a file, half a file, no file."""
    content = bytearray((MODEL / name).read_bytes())
    content[len(content) // 2] ^= 1
    (model / name).unlink()
    refused(model, name, "can't be read")
    (model / name).write_bytes(content)
    refused(model, name, "damaged")
    (model / name).write_bytes(content[: len(content) // 2])
    refused(model, name, "damaged")


@NEEDS_MODEL
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null", b"{}"])
def test_a_broken_description_is_named(model: Path, content: bytes) -> None:
    """A model.json that is no object of a model."""
    (model / "model.json").write_bytes(content)
    refused(model, "model")


@NEEDS_MODEL
@pytest.mark.parametrize("part", ["version", "schema", "window", "overlap", "calibration", "files"])
@pytest.mark.parametrize("value", [None, -1, "x", [1], {}])
def test_a_wrong_part_of_a_description_is_named(model: Path, part: str, value: object) -> None:
    """Each part that is missing or of another kind; a window of no size would never end."""
    data = json.loads((model / "model.json").read_text(encoding="utf-8"))
    data[part] = value
    if part == "version" and value == "x":
        return
    (model / "model.json").write_text(json.dumps(data), encoding="utf-8")
    refused(model, "model")


@NEEDS_MODEL
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data.update(format=1), ("has format 1", "reads format")),
        (lambda data: data.pop("format"), ("has format None",)),
        (lambda data: data["schema"]["types"].pop(), ("another schema", "columns")),
        (lambda data: data["schema"]["types"].__setitem__(0, "Spaceship"), ("another ontology", "Spaceship")),
        (lambda data: data["schema"]["relations"][0].update(predicate="fliesTo"), ("another ontology", "fliesTo")),
    ],
    ids=["format", "no-format", "fewer-types", "unknown-type", "unknown-predicate"],
)
def test_a_model_of_another_kind_is_refused(model: Path, change: Change, words: tuple[str, ...]) -> None:
    """Of another format, of other weights, of another ontology: before the first document, not in its middle."""
    data = json.loads((model / "model.json").read_text(encoding="utf-8"))
    change(data)
    (model / "model.json").write_text(json.dumps(data), encoding="utf-8")
    refused(model, *words)


@NEEDS_MODEL
def test_an_ontology_without_the_words_of_the_model_is_said(tmp_path: Path) -> None:
    """The other way round: the shipped model with an ontology of one's own."""
    (tmp_path / "kg.ttl").write_text("@prefix kg: <http://localhost:8000/ontology#> .\nkg:Brand a kg:Class .\n", encoding="utf-8")
    with pytest.raises(ModelError, match="another ontology"):
        Pipeline(Settings().replace(ontology=str(tmp_path), extractors="encoder"))


def test_no_model_is_said(tmp_path: Path) -> None:
    """A folder that is not there, or that holds no model."""
    for folder in (tmp_path / "none", tmp_path):
        refused(folder, "model.json", "can't be read")


@NEEDS_MODEL
def test_the_shipped_model_is_good(model: Path) -> None:
    """What the other tests damage works undamaged."""
    extractor = load_plugin("extractors", "encoder", Settings().replace(model=str(model)))
    assert extractor.name == "encoder"
