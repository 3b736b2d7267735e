"""`kg retract`, `kg reject`, `kg merge`, `kg split`: exact, kept, and recorded with who and when."""

from __future__ import annotations

import datetime
import shutil
from pathlib import Path

import pytest

from kg.resources import resource
from tests.cli.conftest import NEWS, Run
from tests.cli.test_build import graph

_NOTHING_SAID = """
<#NothingSaid> a <http://www.w3.org/ns/shacl#NodeShape> ;
    <http://www.w3.org/ns/shacl#targetSubjectsOf> <ontology#said> ;
    <http://www.w3.org/ns/shacl#property> [ <http://www.w3.org/ns/shacl#path> <ontology#said> ; <http://www.w3.org/ns/shacl#maxCount> 0 ;
        <http://www.w3.org/ns/shacl#message> "nobody may say anything" ] .
"""


def touch(news: Path, name: str) -> None:
    """Changes a document in what nobody quotes, so that it is built anew."""
    (news / name).write_text(NEWS[name] + "It rained in the evening.\n", encoding="utf-8")


def found_in(folder: Path, *words: str) -> dict[str, list[str]]:
    """Which files hold which words, in the encodings that engines use."""
    found: dict[str, list[str]] = {word: [] for word in words}
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        for word in words:
            forms = (word.encode(), word.encode("utf-16-le"), word.encode("unicode_escape"))
            if any(form in content for form in forms) or word in path.name:
                found[word].append(path.name)
    return found


def test_retract_takes_a_document_out_exactly(kg: Run, built: Path) -> None:
    """The graph is that of the documents that remain."""
    assert kg("retract", "linen").out == "1 document retracted\n"
    assert kg("build", "news/zipper.txt", "news/plain.md", "--store", "rest").code == 0
    assert graph(kg) == graph(kg, "rest")
    assert kg("show", "linen").code == 2
    assert kg("doctor").code == 0


def test_retract_is_all_or_nothing(kg: Run, built: Path) -> None:
    """One unknown id, and nothing is taken out."""
    assert kg("retract", "linen", "unknown").code == 2
    assert "linen" in kg("documents").out


def test_purge_leaves_no_byte(kg: Run, built: Path) -> None:
    """No sentence, name or id of the document stays in any file; the others are all there."""
    words = ("nothing but linen", "Tidewell", "liv-vane", "Vane left early", "“We begin again")
    touch(built, "linen.txt")
    kg("build", "news")
    assert all(found_in(Path("kg-store"), *words).values())
    assert kg("retract", "--purge", "linen").code == 0
    assert not any(found_in(Path("kg-store"), *words, "It rained", "linen").values())
    assert any(found_in(Path("kg-store"), "zipper").values())
    assert kg("doctor").code == 0
    assert "zipper" in kg("documents").out


def test_purge_later_what_was_retracted_before(kg: Run, built: Path) -> None:
    """Without an id it clears what former retractions left."""
    kg("retract", "linen")
    assert kg("retract", "--purge").code == 0
    assert not any(found_in(Path("kg-store"), "nothing but linen", "Tidewell").values())


def test_purge_takes_what_was_refused_too(kg: Run, news: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The quarantine is no hiding place."""
    ontology = Path("ontology")
    shutil.copytree(resource("ontology"), ontology)
    with (ontology / "shapes.ttl").open("a", encoding="utf-8") as shapes:
        shapes.write(_NOTHING_SAID)
    monkeypatch.setenv("KG_ONTOLOGY", "ontology")
    assert kg("build", "news", "--format", "json").data["refused"] == 2
    quarantine = kg("validate", "--quarantine")
    assert quarantine.code == 0
    assert "linen: person/liv-vane said" in quarantine.out
    assert {row["doc"] for row in kg("validate", "--quarantine", "--format", "json").data} == {"linen", "zipper"}
    assert found_in(Path("kg-store"), "nothing but linen")["nothing but linen"]
    assert kg("retract", "--purge", "linen").code == 0
    assert not any(found_in(Path("kg-store"), "nothing but linen", "Tidewell").values())


def test_reject_keeps_a_fact_out(kg: Run, built: Path) -> None:
    """It is gone, stays so when its document is built anew, and the decision is in the graph."""
    (fact,) = (
        line.split(">")[0].rpartition("/")[2]
        for line in graph(kg).splitlines()
        if "/fact/" in line[:60] and "nothing but linen" in line and "#object" in line
    )
    assert kg("reject", f"http://localhost:8000/resource/fact/{fact}").code == 0
    assert "nothing but linen" not in kg("facts").out
    touch(built, "linen.txt")
    assert kg("build", "news").code == 0
    assert "nothing but linen" not in kg("facts").out
    assert "Every zipper" in kg("facts").out
    assert '#agent> "tester"' in graph(kg)
    assert kg("doctor").code == 0


def test_merge_and_split_survive_a_rebuild(kg: Run, built: Path) -> None:
    """Two people become one in every fact, also in those of documents built later, until they are split again."""
    before = {row["subject"]["iri"] for row in kg("facts", "--format", "jsonl").rows}
    assert kg("merge", "Liv Vane", "person/olivia-vane").out == "merged: person/olivia-vane is person/liv-vane\n"
    merged = {row["subject"]["iri"] for row in kg("facts", "--format", "jsonl").rows}
    assert merged == {"http://localhost:8000/resource/person/liv-vane"}
    touch(built, "zipper.txt")
    assert kg("build", "news").code == 0
    assert {row["subject"]["iri"] for row in kg("facts", "--format", "jsonl").rows} == merged
    assert datetime.datetime.now().astimezone().date().isoformat() in graph(kg)
    assert kg("split", "person/liv-vane").code == 0
    assert {row["subject"]["iri"] for row in kg("facts", "--format", "jsonl").rows} == before
    assert kg("build", "news").code == 0
    assert kg("doctor").code == 0


def test_an_ambiguous_name_lists_its_ids(kg: Run, built: Path) -> None:
    """Two entities of one name can't be told apart by it, and nothing is recorded."""
    kg("merge", "Liv Vane", "Olivia Vane")
    Path("more.txt").write_text("“I never wear linen on Mondays,” Olivia Vane said.\n", encoding="utf-8")
    kg("split", "person/liv-vane")
    kg("split", "person/olivia-vane")
    kg("build", "more.txt")
    answer = kg("split", "Olivia Vane")
    assert answer.code == 2
    assert "person/olivia-vane@more" in answer.err
    assert "person/olivia-vane@zipper" in answer.err
