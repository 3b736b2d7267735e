"""`kg build`: what it reads, what it tells, and what it leaves alone."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from kg.store import open_store
from tests.cli.conftest import NEWS, Run, run_apart


def graph(kg: Run, store: str = "kg-store") -> str:
    """The canonical N-Quads of a store."""
    answer = kg("export", "--format", "nquads", "--canonical", "--store", store)
    assert answer.code == 0
    return answer.out


def test_the_report_tells_documents_facts_and_seconds(kg: Run, news: Path) -> None:
    """For people by default."""
    answer = kg("build", "news")
    assert answer.code == 0
    assert "3 documents built (0 replaced), 0 unchanged" in answer.out
    assert "2 facts stated, 0 refused" in answer.out
    assert "extract" in answer.out
    assert answer.err == ""


def test_the_report_as_json(kg: Run, news: Path) -> None:
    """Counts, status, problems and seconds a stage."""
    (news / "image.xyz").write_bytes(b"?")
    report = kg("build", "news", "--format", "json").data
    assert (report["status"], report["documents"], report["facts"], report["ignored_files"]) == ("ok", 3, 2, 1)
    assert {"extract", "resolve", "validate", "store"} <= set(report["seconds"])


def test_building_again_changes_nothing(kg: Run, built: Path) -> None:
    """The same input is skipped, and the graph is the same."""
    before = graph(kg)
    report = kg("build", "news", "--format", "json").data
    assert (report["documents"], report["unchanged"]) == (0, 3)
    assert graph(kg) == before


def test_a_changed_document_replaces_its_former_version(kg: Run, built: Path) -> None:
    """Nothing of the former version is left, and the graph is that of a fresh build."""
    (built / "linen.txt").write_text(NEWS["linen.txt"].replace("linen", "raffia"), encoding="utf-8")
    report = kg("build", "news", "--format", "json").data
    assert (report["documents"], report["replaced"], report["unchanged"]) == (1, 1, 2)
    assert "raffia" in graph(kg)
    assert "but linen" not in graph(kg)
    assert kg("build", "news", "--store", "fresh").code == 0
    assert graph(kg) == graph(kg, "fresh")


def test_two_workers_build_the_same(kg: Run, built: Path) -> None:
    """Processes change nothing but the time."""
    assert run_apart("build", "news", "--workers", "2", "--store", "two").code == 0
    assert graph(kg, "two") == graph(kg)


def test_a_bad_document_among_good_ones(kg: Run, news: Path) -> None:
    """The others are built, each problem is one line, the code says partial."""
    (news / "binary.txt").write_bytes(b"\0\1\2" * 50)
    (news / "empty.txt").write_bytes(b"")
    answer = kg("build", "news")
    assert answer.code == 1
    assert "3 documents built" in answer.out
    assert "2 problems: 1 binary, 1 empty" in answer.out
    assert answer.err.count("\n") == 2
    assert all(line.startswith("kg: read: ") for line in answer.err.splitlines())
    assert kg("build", "news").code == 1


def test_nothing_could_be_built(kg: Run, place: Path) -> None:
    """Only bad documents: still 1, and the store is there."""
    Path("empty.txt").write_bytes(b"")
    answer = kg("build", "empty.txt", "--format", "json")
    assert (answer.code, answer.data["status"]) == (1, "failed")
    assert answer.data["problem_counts"] == {"empty": 1}


def test_a_broken_json_line_among_good_ones(kg: Run, place: Path) -> None:
    """The good lines are built."""
    good = [json.dumps({"id": f"line-{number}", "text": f"A quiet day at pier {number}."}) for number in range(2)]
    Path("wire.jsonl").write_text("\n".join([good[0], "{broken", good[1]]), encoding="utf-8")
    answer = kg("build", "wire.jsonl")
    assert answer.code == 1
    assert "2 documents built" in answer.out


def test_warnings_of_readers_are_shown(kg: Run, place: Path) -> None:
    """Another encoding is read, and told."""
    Path("old.txt").write_bytes("Überraschung: the café déjà vu, naïve and señor, said nobody at all.".encode("cp1252"))
    answer = kg("build", "old.txt")
    assert answer.code == 0
    assert "is not UTF-8" in answer.err
    assert kg("build", "old.txt", "-q", "--store", "other").err == ""


def test_a_dry_run_stores_nothing(kg: Run, news: Path) -> None:
    """It says what is new, and makes no store."""
    rows = kg("build", "news", "--dry-run", "--format", "jsonl").rows
    assert {row["doc"]: row["state"] for row in rows} == {"linen": "new", "plain": "new", "zipper": "new"}
    assert not Path("kg-store").exists()


def test_a_dry_run_tells_changed_from_unchanged(kg: Run, built: Path) -> None:
    """By text, metadata and fingerprint, as the build does."""
    (built / "plain.md").write_text("Something of note.", encoding="utf-8")
    (built / "new.txt").write_text("New.", encoding="utf-8")
    (built / "bad.txt").write_bytes(b"")
    before = graph(kg)
    answer = kg("build", "news", "--dry-run", "--format", "jsonl")
    assert {row["doc"]: row["state"] for row in answer.rows} == {
        "linen": "unchanged",
        "new": "new",
        "plain": "changed",
        "zipper": "unchanged",
    }
    assert answer.code == 1
    assert "bad.txt" in answer.err
    assert graph(kg) == before


def test_other_settings_build_anew(kg: Run, built: Path) -> None:
    """A document is also changed when what reads it is."""
    rows = kg("build", "news", "--dry-run", "--no-validate", "--format", "jsonl").rows
    assert {row["state"] for row in rows} == {"changed"}


def test_id_names_one_document(kg: Run, news: Path) -> None:
    """--id instead of the file's name."""
    assert kg("build", "news/linen.txt", "--id", "my own id").code == 0
    assert "my own id" in kg("documents").out


def test_standard_input(kg: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text from a pipe."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(NEWS["zipper.txt"].encode()), encoding="utf-8"))
    assert kg("build", "-", "--id", "piped").code == 0
    assert "Every zipper" in graph(kg)


def test_rederive_restores_what_documents_say(kg: Run, built: Path) -> None:
    """Triples that got lost come back, and the doctor says so."""
    before = graph(kg)
    with open_store("kg-store") as store:
        store.graph.update("DELETE WHERE { ?fact <http://localhost:8000/ontology#quote> ?quote }")
    sick = kg("doctor")
    assert sick.code == 1
    assert "2 triples of its documents are missing" in sick.out
    assert "rederived: 0 triples removed, 2 added" in kg("build", "--rederive").out
    assert kg("doctor").code == 0
    assert graph(kg) == before


def test_a_store_keeps_its_base(kg: Run, news: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The base IRI is a matter of the store's making; later commands need not name it, and may not change it."""
    monkeypatch.setenv("KG_BASE", "https://example.org/graph/")
    assert kg("build", "news/linen.txt").code == 0
    monkeypatch.delenv("KG_BASE")
    assert kg("build", "news").code == 0
    assert kg("doctor").code == 0
    assert kg("validate").code == 0
    assert "<http://localhost" not in graph(kg)
    monkeypatch.setenv("KG_BASE", "https://example.com/")
    assert kg("build", "news").code == 2
