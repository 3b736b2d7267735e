"""The flow: documents in, graph out, and what the report says of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kg.build import Line, build
from kg.errors import KgError
from kg.model import Document, Extraction, Problem, Text
from kg.parallel import in_order
from kg.rdf.write import as_nquads
from kg.revise import Reviser
from kg.settings import Settings
from kg.store import Store, open_store
from kg.wikidata.write import Origin, make_index

RULES = Settings().replace(extractors="rules")
ONE = Document("one", (Text("body", "Balenciaga opened. “We never planned an icon,” said Liv Vane."),), published="2024-03-12")
TWO = Document("two", (Text("body", "“I grew up with this bag,” Liv Vane said. Gucci closed."),))
THREE = Document("three", (Text("body", "Nothing is named here."),))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    with open_store(tmp_path / "empty", create=True) as made:
        yield made


def test_a_report_counts(store: Store) -> None:
    """Documents, facts and seconds of each stage."""
    seen: list[str] = []
    report = build([ONE, TWO, THREE], store, RULES, progress=seen.append)
    assert (report.status, report.documents, report.unchanged, report.replaced, report.facts) == ("ok", 3, 0, 0, 2)
    assert set(report.seconds) == {"read", "extract", "resolve", "link", "validate", "store"}
    assert 10**7 < report.peak_memory < 10**11  # bytes
    assert all(seconds >= 0 for seconds in report.seconds.values())
    assert seen == ["one", "two", "three"]
    assert store.ledger.journal() == []
    assert set(store.graph) == Reviser(store, single_valued=store.ledger.single_valued()).derive_all()


def test_what_is_unchanged_is_skipped(store: Store) -> None:
    """The same documents again change no byte and are not extracted."""
    build([ONE, TWO], store, RULES)
    before = as_nquads(store.graph)
    seen: list[str] = []
    report = build([TWO, ONE], store, RULES, progress=seen.append)
    assert (report.status, report.documents, report.unchanged, set(report.seconds)) == ("ok", 0, 2, {"read"})
    assert seen == ["two", "one"]
    assert as_nquads(store.graph) == before


def test_what_has_changed_is_replaced(store: Store) -> None:
    """New words or new metadata replace the former version, and only that."""
    build([ONE, TWO], store, RULES)
    for changed in (replace(ONE, title="A title"), replace(ONE, texts=(Text("body", "Gucci opened."),))):
        report = build([changed, TWO], store, RULES)
        assert (report.documents, report.replaced, report.unchanged) == (1, 1, 1)
    assert "never planned" not in as_nquads(store.graph)
    assert store.ledger.ids() == ["one", "two"]


@pytest.mark.parametrize("change", ["threshold", "validate", "wikidata_index"])
def test_another_setting_that_matters_builds_anew(store: Store, tmp_path: Path, change: str) -> None:
    """Threshold, validation and index are part of what a document was built with; workers are not."""
    build([ONE], store, RULES)
    assert build([ONE], store, RULES.replace(document_seconds=9)).unchanged == 1
    table, index = tmp_path / "other.tsv", tmp_path / "other.sqlite"
    table.write_text("qid\tlabel\nQ1\tOther\n", encoding="utf-8")
    make_index([Origin("tsv", table)], index)
    other = RULES.replace(**{change: {"threshold": 0.6, "validate": False, "wikidata_index": str(index)}[change]})
    report = build([ONE], store, other)
    assert (report.documents, report.replaced) == (1, 1)
    with open_store(tmp_path / "fresh", create=True) as fresh:
        build([ONE], fresh, other)
        assert as_nquads(store.graph) == as_nquads(fresh.graph)


def test_another_ontology_builds_anew(store: Store, tmp_path: Path) -> None:
    """A change of the ontology or its shapes is a reason to build every document again."""
    source = Path(__file__).parent.parent / "ontology"
    for name in ("kg.ttl", "shapes.ttl"):
        (tmp_path / name).write_bytes((source / name).read_bytes())
    own = RULES.replace(ontology=str(tmp_path))
    build([ONE], store, RULES)
    assert build([ONE], store, own).unchanged == 1
    for name in ("kg.ttl", "shapes.ttl"):
        with (tmp_path / name).open("a", encoding="utf-8") as file:
            file.write("\n# another version\n")
        assert build([ONE], store, own).documents == 1


def test_a_problem_among_documents_is_reported(store: Store) -> None:
    """What could not be read does not keep the others out."""
    problem = Problem("read", "broken", "empty", "it is empty")
    report = build([ONE, problem, TWO], store, RULES)
    assert (report.status, report.documents, report.problems) == ("partial", 2, (problem,))
    assert build([problem], store, RULES).status == "failed"


class Moody:
    """An extractor that fails at some documents, as plug-ins of others may."""

    name, version, fingerprint = "moody", "1", ""

    def __call__(self, document: Document, draft: Extraction) -> Extraction:
        if document.id == "two":
            raise RecursionError("too deep")
        if document.id == "three":
            raise KgError("the model is gone")
        return Extraction(document.id)


def test_an_extractor_that_fails_ends_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that fails at a document makes it a problem; one that can't work at all ends the run."""
    monkeypatch.setattr("kg.extract.pipeline.load_plugin", lambda family, name, settings: Moody())
    report = build([ONE, TWO], store, RULES)
    assert (report.status, store.ledger.ids()) == ("partial", ["one"])
    (problem,) = report.problems
    assert (problem.document_id, problem.category) == ("two", "extractor-failed")
    assert "'moody' failed: RecursionError('too deep')" in problem.message
    with pytest.raises(KgError, match="gone"):
        build([THREE], store, RULES)


def test_what_breaks_a_shape_is_kept_out_and_kept(store: Store) -> None:
    """A document whose metadata breaks a shape is a problem; validation can be left out."""
    broken = replace(ONE, published="soon")
    report = build([broken, TWO], store, RULES)
    assert (report.status, store.ledger.ids()) == ("partial", ["two"])
    assert (report.problems[0].stage, report.problems[0].category) == ("validate", "refused")
    assert build([broken], store, RULES.replace(validate=False)).status == "ok"


@pytest.mark.parametrize("validate", [True, False])
def test_what_is_no_text_is_a_problem(store: Store, validate: bool) -> None:
    """A lone surrogate can't be stored; the other documents are."""
    broken = replace(ONE, texts=(Text("body", "Balenciaga \ud800 opened."),))
    report = build([broken, TWO], store, RULES.replace(validate=validate))
    assert (report.status, [problem.document_id for problem in report.problems]) == ("partial", ["one"])
    assert store.ledger.ids() == ["two"]
    assert set(store.graph) == Reviser(store, single_valued=store.ledger.single_valued()).derive_all()


def test_an_interrupted_build_holds_whole_documents(store: Store) -> None:
    """Stopped in the middle, what was done is whole, and the next build does the rest."""

    def stopping() -> Iterator[Document]:
        yield ONE
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(stopping(), store, RULES)
    assert store.ledger.ids() == ["one"]
    report = build([ONE, TWO], store, RULES)
    assert (report.unchanged, report.documents) == (1, 1)
    assert set(store.graph) == Reviser(store, single_valued=store.ledger.single_valued()).derive_all()


def test_shapes_are_those_of_the_stores_base(tmp_path: Path) -> None:
    """A store of another base is validated as strictly, whatever base the settings name."""
    with open_store(tmp_path / "s", base="https://example.org/", create=True) as store:
        report = build([replace(ONE, published="soon"), TWO], store, RULES)
        assert (report.status, store.ledger.ids()) == ("partial", ["two"])


def test_a_line_is_a_pure_function() -> None:
    """Twice the same document gives the same outcome, the seconds aside."""
    line = Line(RULES, "http://localhost:8000/")
    one, other = line(ONE), line(ONE)
    assert replace(one, seconds={}) == replace(other, seconds={})
    assert line.fingerprint == Line(RULES, "http://localhost:8000/").fingerprint


# -- several processes -------------------------------------------------------------------------------------------


class Double:
    """Doubles numbers; some end badly."""

    def __init__(self, factor: int) -> None:
        self.factor = factor

    def __call__(self, number: int) -> int:
        if number == 13:
            raise ValueError("unlucky")
        if number == 99:
            os._exit(9)
        return self.factor * number


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch) -> type[Double]:
    """The class under a name by which another process finds it."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.syspath_prepend(Path(__file__).parent)
    sys.modules.pop("test_build", None)
    import test_build

    return test_build.Double


def test_results_come_in_order(importable: type[Double]) -> None:
    """More items than wait at a time come back in their order."""
    numbers = [number for number in range(30) if number != 13]
    assert list(in_order(importable, (2,), iter(numbers), workers=2)) == [2 * number for number in numbers]


def test_what_ends_badly_in_a_process_is_told(importable: type[Double]) -> None:
    """An item's own error is raised as it is; a killed process is an error of the tree, never an endless wait."""
    with pytest.raises(ValueError, match="unlucky"):
        list(in_order(importable, (2,), [1, 13], workers=1))
    with pytest.raises(KgError, match="worker process was killed"):
        list(in_order(importable, (2,), [99, 1], workers=1))
