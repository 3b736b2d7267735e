"""The benchmark's data in our form: what a conversion of Text2KGBench writes is what the trainer reads."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from kg.gold import read_gold
from kg.rdf.ontology import load_ontology
from kg.settings import Settings

pytest.importorskip("torch", reason="training needs torch (the extra kg[train])")

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "text2kgbench"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the benchmark's data is not shipped and not in {DATA}")


@pytest.fixture(scope="module")
def bench() -> Iterator[ModuleType]:
    """The benchmark's module, which is in no package."""
    spec = importlib.util.spec_from_file_location("text2kgbench", ROOT / "benchmarks" / "text2kgbench.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["text2kgbench"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["text2kgbench"]


@pytest.fixture(scope="module")
def root(bench: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked data."""
    return bench.data_root(DATA, tmp_path_factory.mktemp("t2k"))  # type: ignore[no-any-return]


@pytest.mark.parametrize(("name", "least"), [("10_comicscharacter", 0.8), ("6_computer", 0.55)])
def test_train_data_converts(
    bench: ModuleType, root: Path, tmp_path: Path, record_property: Callable[[str, object], None], name: str, least: float
) -> None:
    """Ends of facts are found in their sentences, and every fact that is written becomes a relationship between things with places."""
    from kg.train.examples import read_examples

    (task,) = bench.list_tasks(root, [name])
    counts = bench.convert(task, tmp_path, base=Settings().base)
    record_property("share of facts found", round(counts.kept / counts.facts, 3))
    assert counts.kept / counts.facts >= least
    ontology = load_ontology(Settings().replace(ontology=str(tmp_path / "ontology")))
    labels = {bench.local(relation["label"], upper=False) for relation in task.ontology["relations"]}
    assert set(ontology.predicates) == labels
    _, examples = read_examples(tmp_path / "training", ontology)
    facts = [fact for gold in read_gold(tmp_path / "training" / "gold") for fact in gold.facts]
    assert len(facts) == counts.kept
    stated = [(example, fact) for example in examples for fact in example.relationships]
    placed = [fact for example, fact in stated if example.things[fact.subject].places and example.things[fact.object].places]
    assert len(stated) == len(facts)
    assert len(placed) >= 0.95 * len(facts)


def test_nothing_of_the_test_split_is_trained_on(bench: ModuleType, root: Path, tmp_path: Path) -> None:
    """No document holds a test sentence, though the official train file has some of them."""
    (task,) = bench.list_tasks(root, ["6_computer"])
    counts = bench.convert(task, tmp_path, base=Settings().base)
    assert counts.in_test > 0
    text = bench.squash("\n".join(path.read_text(encoding="utf-8") for path in (tmp_path / "training" / "docs").iterdir()))
    assert not [row["id"] for row in task.rows("test") if bench.squash(bench.mend(row["sent"])) in text]


def test_names_are_written_as_the_data_writes_them(bench: ModuleType, root: Path, tmp_path: Path) -> None:
    """The style gives most of the train objects back from the words of the sentence."""
    (task,) = bench.list_tasks(root, ["10_comicscharacter"])
    terms = bench.Terms(task.ontology)
    facts = bench.place_facts(bench.read_train(task)[0], terms)
    style = bench.Style.learn(facts)
    right = [bench.squash(style.write(fact.object, fact.relation)) == bench.squash(fact.names[1]) for fact in facts]
    assert sum(right) / len(right) > 0.9
    bench.convert(task, tmp_path, base=Settings().base)
    assert json.loads((tmp_path / "style.json").read_text(encoding="utf-8"))["known"] == style.known
