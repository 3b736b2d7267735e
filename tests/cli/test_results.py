"""What commands print: lists in four formats, graphs, facts for people and for programs."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.resources import resource
from kg.store import open_store
from tests.cli.conftest import Run
from tests.cli.test_build import graph

LISTS = [
    ["documents"],
    ["facts"],
    ["queries"],
    ["plugins"],
    ["settings"],
    ["build", "news", "--dry-run"],
    ["doctor"],
    ["diff", "kg-store", "empty"],
]


@pytest.fixture
def empty(kg: Run, built: Path) -> Path:
    """A second store, without documents."""
    kg("build", "news/plain.md", "--store", "empty")
    kg("retract", "plain", "--store", "empty")
    return Path("empty")


@pytest.mark.parametrize("command", LISTS, ids=lambda command: command[0])
def test_lists_have_four_formats(kg: Run, empty: Path, command: list[str]) -> None:
    """The same rows in each; CSV is what a pipe gets."""
    plain = kg(*command)
    table = kg(*command, "--format", "table")
    assert plain.code == table.code == 0
    assert plain.out == kg(*command, "--format", "csv").out
    rows = kg(*command, "--format", "json").data
    assert rows == kg(*command, "--format", "jsonl").rows
    assert len(list(csv.DictReader(io.StringIO(plain.out)))) == len(rows)
    assert table.out.count("\n") >= len(rows) > 0


def test_facts_view(kg: Run, built: Path) -> None:
    """The line of the contract: quote and span fit the stored text."""
    (row,) = kg("facts", "--doc", "linen", "--format", "jsonl").rows
    text = kg("show", "linen", "--format", "json").data["texts"][0]["content"]
    assert (row["doc"], row["predicate"], row["subject"]["label"]) == ("linen", "said", "Liv Vane")
    assert row["object"] == {"value": "We begin again with nothing but linen,", "datatype": "string"}
    assert text[slice(*row["span"])] == row["evidence"]
    assert text == (built / "linen.txt").read_text(encoding="utf-8")
    assert (row["documents"], row["sources"], row["extractor"]) == (1, 1, "rules")
    assert kg("reject", row["fact"]).code == 0


def test_facts_filters(kg: Run, built: Path) -> None:
    """By entity, predicate and date; what is unknown is told."""
    assert [row["doc"] for row in kg("facts", "--about", "Olivia Vane", "--format", "jsonl").rows] == ["zipper"]
    assert len(kg("facts", "--predicate", "said", "--format", "jsonl").rows) == 2
    assert kg("facts", "--predicate", "launchDate", "--format", "jsonl").out == ""
    assert kg("facts", "--at", "2024", "--format", "jsonl").code == 0
    for arguments, part in [
        (["--predicate", "sayd"], "said"),
        (["--doc", "linne"], "linen"),
        (["--about", "Liv Vein"], "Liv Vane"),
        (["--at", "soon"], "2024-01"),
    ]:
        answer = kg("facts", *arguments)
        assert answer.code == 2
        assert part in answer.err


def test_facts_for_people(kg: Run, built: Path) -> None:
    """The fact, the sentence, the document."""
    lines = kg("facts", "--doc", "linen", "--format", "table").out.splitlines()
    assert lines[0] == "Liv Vane  said  We begin again with nothing but linen,  0.90"
    assert lines[1].strip() == "“We begin again with nothing but linen,” Liv Vane said"
    assert lines[2].strip() == "linen"


def test_show_a_document_and_an_entity(kg: Run, built: Path) -> None:
    """By id, IRI and name."""
    document = kg("show", "linen")
    assert "published  2024-03-05" in document.out
    assert "“We begin again with nothing but linen,” Liv Vane said" in document.out
    assert kg("show", "http://localhost:8000/resource/document/linen").out == document.out
    entity = kg("show", "Liv Vane", "--format", "json").data
    assert (entity["label"], entity["type"], entity["documents"]) == ("Liv Vane", ["Person"], ["linen"])
    assert kg("show", "person/liv-vane", "--format", "json").data == entity
    assert kg("show", entity["iri"], "--format", "json").data == entity
    assert "Liv Vane  said" in kg("show", "Liv Vane").out


def test_queries_rows_and_graphs(kg: Run, built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A named query, a file, a text; rows as CSV, graphs as TriG where nothing is asked for."""
    text = "SELECT ?name WHERE { ?who kg:said ?words ; rdfs:label ?name } ORDER BY ?name"
    Path("who.rq").write_text(text, encoding="utf-8")
    assert kg("query", "who.rq").out == "name\nLiv Vane\nOlivia Vane\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert kg("query", "-", "--format", "jsonl").rows == [{"name": "Liv Vane"}, {"name": "Olivia Vane"}]
    assert len(kg("query", "who.rq", "--format", "json").data["results"]["bindings"]) == 2
    assert "Olivia Vane" in kg("query", "who.rq", "--format", "table").out
    neighbours = kg("query", "neighbourhood", "--param", "about=Liv Vane").out
    assert len(list(ox.parse(neighbours, format=ox.RdfFormat.TRIG))) > 2
    assert kg("query", "neighbourhood", "--param", "about=Liv Vane", "--format", "csv").code == 2
    Path("bad.rq").write_text("SELECT ?name\nWHERE { ?who kg:said }", encoding="utf-8")
    answer = kg("query", "bad.rq")
    assert answer.code == 2
    assert "line 2" in answer.err


def test_exports(kg: Run, built: Path) -> None:
    """TriG by default, else by name or by the file's suffix; the dataset's N-Quads are the canonical ones, sorted."""
    everything = set(ox.parse(graph(kg), format=ox.RdfFormat.N_QUADS))
    assert set(ox.parse(kg("export").out, format=ox.RdfFormat.TRIG)) == everything
    assert "".join(sorted(kg("export", "--format", "nquads").out.splitlines(keepends=True))) == graph(kg)
    assert kg("export", "-o", "graph.graphml").code == 0
    assert Path("graph.graphml").read_text(encoding="utf-8").startswith("<?xml")
    assert kg("export", "-o", "graph.nq", "--canonical", "--format", "nquads").code == 0
    assert Path("graph.nq").read_text(encoding="utf-8") == graph(kg)
    assert kg("export", "--format", "turtle", "--canonical").code == 2
    assert kg("export", "-o", "no/such/folder.ttl").code == 2


def test_exports_of_a_part(kg: Run, built: Path) -> None:
    """About an entity, by predicate, by the result of a query."""
    part = kg("export", "--format", "ntriples", "--about", "Liv Vane").out
    assert "nothing but linen" in part
    assert "zipper" not in part
    assert "person/liv-vane" not in kg("export", "--format", "ntriples", "--predicates", "launchDate").out
    found = kg("export", "--format", "ntriples", "--query", "neighbourhood", "--param", "about=Olivia Vane").out
    assert "Every zipper" in found
    assert kg("export", "--query", "launches").code == 2
    assert kg("export", "--since", "soon").code == 2
    assert kg("export", "--about", "Nobody").code == 2


def test_nothing_in_a_pipe_is_shortened(kg: Run, place: Path) -> None:
    """Neither in tables nor in facts."""
    words = "a very long sentence indeed " * 30
    Path("long.txt").write_text(f"“We meant {words.strip()},” Liv Vane said.\n", encoding="utf-8")
    kg("build", "long.txt")
    for command in (
        ["facts", "--format", "table"],
        ["facts"],
        ["query", "sentences-behind", "--format", "table", "--param", "about=Liv Vane"],
    ):
        assert words.strip() in kg(*command).out


def test_a_terminal_gets_tables(built: Path) -> None:
    """And nothing there steers the terminal but colour."""
    leader, follower = pty.openpty()
    done = subprocess.run([sys.executable, "-m", "kg", "documents"], stdout=follower, env={**os.environ, "TERM": "dumb", "COLUMNS": "100"})
    os.close(follower)
    shown = os.read(leader, 10_000).decode()
    os.close(leader)
    assert done.returncode == 0
    assert "──" in shown
    assert "linen" in shown


def test_validate_the_store(kg: Run, built: Path) -> None:
    """A sound store conforms, in every format; a broken one ends with 1."""
    assert kg("validate").out == "0 violations, 0 warnings, 0 notes\n"
    assert kg("validate", "--format", "json").data == {"conforms": True, "results": []}
    assert "sh:conforms true" in kg("validate", "--format", "turtle").out
    with open_store("kg-store") as store:
        store.graph.update("DELETE WHERE { ?fact <http://localhost:8000/ontology#evidence> ?evidence }")
    answer = kg("validate")
    assert answer.code == 1
    assert "Violation: fact/" in answer.out
    assert not kg("validate", "--format", "json").data["conforms"]


def test_validate_files(kg: Run, place: Path) -> None:
    """RDF files are checked without a store; one that doesn't parse is named."""
    valid = sorted(str(path) for path in resource("ontology", "examples", "valid").glob("*.ttl"))
    invalid = sorted(str(path) for path in resource("ontology", "examples", "invalid").glob("*.ttl"))
    assert kg("validate", valid[0]).code == 0
    assert {kg("validate", path).code for path in invalid[:5]} <= {0, 1}
    Path("broken.ttl").write_text("<a> <b> .", encoding="utf-8")
    answer = kg("validate", "broken.ttl")
    assert answer.code == 2
    assert "broken.ttl" in answer.err


def test_diff(kg: Run, built: Path, empty: Path) -> None:
    """Facts that only one side has; a store and its own export differ in nothing."""
    kg("export", "--format", "nquads", "-o", "graph.nq")
    assert kg("diff", "kg-store", "graph.nq", "--format", "jsonl").out == ""
    rows = kg("diff", "empty", "graph.nq", "--format", "jsonl").rows
    assert [(row["only_in"], row["doc"], row["subject"]) for row in rows] == [
        ("B", "linen", "person/liv-vane"),
        ("B", "zipper", "person/olivia-vane"),
    ]
    assert kg("diff", "graph.nq", "empty", "--format", "table").out.splitlines()[0].startswith("- person/liv-vane  said")


@pytest.mark.parametrize("name", ["copy", "copy.tar.gz"])
def test_backup_and_restore(kg: Run, built: Path, name: str) -> None:
    """The restored store is the same, and can be built on."""
    kg("merge", "Liv Vane", "Olivia Vane")
    assert kg("backup", name).out == f"3 documents in {name}\n"
    assert kg("backup", name).code == 2
    assert kg("restore", name, "--store", "restored").code == 0
    assert kg("restore", name, "--store", "restored").code == 2
    assert graph(kg, "restored") == graph(kg)
    assert kg("doctor", "--store", "restored").code == 0
    assert kg("build", "news", "--store", "restored", "--format", "json").data["unchanged"] == 3
    assert kg("restore", "news", "--store", "other").code == 2
    assert not Path("other").exists()
    assert sorted(path.name for path in Path().iterdir() if path.name.startswith(".")) == []


def test_doctor_without_a_store(kg: Run) -> None:
    """Nothing built yet is no fault."""
    answer = kg("doctor", "--format", "json")
    assert answer.code == 0
    assert {row["check"]: row["state"] for row in answer.data}["store"] == "note"


def test_doctor_names_what_does_not_load(kg: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part is looked at, whatever is wrong with the others."""
    monkeypatch.setenv("KG_EXTRACTORS", "rules,nonesuch")
    Path("broken").mkdir()
    Path("broken/kg.ttl").write_text("<a> <b> .", encoding="utf-8")
    monkeypatch.setenv("KG_ONTOLOGY", "broken")
    states = {row["check"]: row["state"] for row in kg("doctor", "--format", "json").data}
    assert [states[check] for check in ("ontology", "shapes", "extractors", "index")] == ["fault", "fault", "fault", "ok"]


def test_doctor_tells_user_data_from_damage(kg: Run, built: Path) -> None:
    """Triples that no document says are a note; they survive a rederivation."""
    with open_store("kg-store") as store:
        store.graph.update('INSERT DATA { GRAPH <urn:mine> { <urn:a> <urn:b> "c" } }')
    answer = kg("doctor")
    assert answer.code == 0
    assert "1 more triples" in answer.out
    kg("build", "--rederive")
    assert "urn:mine" in kg("export", "--format", "nquads").out
    assert "urn:mine" not in graph(kg)


def test_demo(kg: Run) -> None:
    """From the seeds to answered questions; every fact with its sentence; where the graph lies."""
    answer = kg("demo")
    assert answer.code == 0
    assert "My guess will be… 130," in answer.out
    assert answer.out.count("$ kg query ") == 3
    assert "The graph lies in kg-store" in answer.out
    assert "kg serve" in answer.out
    assert kg("demo").code == 0


def test_evaluate(kg: Run, place: Path) -> None:
    """Figures for a folder of annotations, from documents that are built for it."""
    data = Path(__file__).parents[1] / "data" / "annotated"
    report = kg("evaluate", str(data / "gold"), "--docs", str(data / "docs"), "--format", "json").data
    assert report["documents"] == 5
    assert 0 <= report["facts"]["f1"] <= 1
    assert report["verbatim"]["checked"] == report["verbatim"]["verbatim"]
    assert "precision" in kg("evaluate", str(data / "gold"), "--docs", str(data / "docs"), "--errors").out
    assert not Path("kg-store").exists()


def test_wikidata(kg: Run) -> None:
    """The shipped index knows a brand; an unknown name gives an empty list."""
    (found,) = kg("wikidata", "find", "Balenciaga", "--format", "json").data
    assert found["label"] == "Balenciaga"
    assert found["accepted"] is True
    assert kg("wikidata", "find", "Nobody at all", "--format", "json").data == []
    index = {"nsi": {"brands/shop/shoes": {"items": [{"displayName": "Velmont", "tags": {"brand": "Velmont", "brand:wikidata": "Q1"}}]}}}
    for name, content in (("json/nsi.json", index), ("wikidata/wikidata.json", {"wikidata": {"Q1": {"label": "Velmont"}}})):
        path = Path("nsi/dist", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    assert kg("wikidata", "index", "--from-nsi", "nsi", "-o", "brands.sqlite").code == 0
    assert kg("wikidata", "find", "Velmont", "--index", "brands.sqlite", "--format", "jsonl").rows[0]["qid"] == "Q1"


def test_training_without_torch(kg: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what to install."""
    monkeypatch.setattr("kg.cli.train.find_spec", lambda name: None)
    answer = kg("train", "ontology", "training", "--out", "model")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "pip install 'kg[train]'" in answer.err
