"""`kg wikidata find`, `kg link` and `kg decisions`: what is linked, what is in doubt, what people decide."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

ITEMS = """qid\tlabel\taliases\ttype\tdescription\tprior
Q901\tKim Kardashian\tKim Kardashian West\tPerson\tinvented namesake\t0.5
Q902\tKim Kardashian\t\tPerson\tanother\t0.5
Q903\tBalenciaga\t\tBrand\tinvented house\t0.9
Q904\tBalenciaga\t\tPerson\tinvented person\t0.9
"""


@pytest.fixture
def items(kg: Run, place: Path) -> str:
    """An index of invented items."""
    table = place / "items.tsv"
    table.write_text(ITEMS, encoding="utf-8")
    assert kg("wikidata", "index", "--from-tsv", str(table), "-o", str(place / "items.sqlite")).code == 0
    return str(place / "items.sqlite")


def test_find_answers_a_name_and_lines_of_names(kg: Run, items: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fields that others rely on; a line for a line, an empty list where there is none; at most one accepted."""
    (found,) = kg("wikidata", "find", "Balenciaga", "--type", "brand", "--index", items, "--format", "json").data
    assert list(found) == ["qid", "label", "description", "types", "score", "accepted", "features"]
    assert (found["qid"], found["types"], found["accepted"]) == ("Q903", ["Brand"], True)
    assert 0 <= found["score"] <= 1
    asked = [
        {"name": "Balenciaga", "type": "Person", "context": ""},
        {"name": "Nobody", "type": None},
        {"name": "Kim Kardashian", "type": None},
    ]
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(json.dumps(each) + "\n" for each in asked)))
    answer = kg("wikidata", "find", "-", "--index", items, "--index", items)
    lines = [[(row["qid"], row["accepted"]) for row in json.loads(line)] for line in answer.out.splitlines()]
    assert lines == [[("Q904", True)], [], [("Q901", False), ("Q902", False)]]


@pytest.mark.parametrize("line", ["", "[]", "{}", '{"name": 1}', '{"name": "x", "type": "Shoe"}'])
def test_find_names_the_line_that_is_wrong(kg: Run, items: str, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """One line on stderr, exit code 2."""
    monkeypatch.setattr("sys.stdin", io.StringIO(line + "\n"))
    answer = kg("wikidata", "find", "-", "--index", items)
    assert answer.code == 2
    assert answer.err.count("\n") == 1


def test_links_reviews_and_decisions(kg: Run, items: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in doubt is listed, decided, and comes out of documents, index and decisions again as the same bytes."""
    text = place / "a.txt"
    text.write_text("“I love Balenciaga,” Kim Kardashian said in Paris. Kim Kardashian is an ambassador of Balenciaga.\n", encoding="utf-8")
    assert kg("build", str(text)).code == 0
    assert kg("link", "--index", items).out.endswith("without a candidate\n")
    waiting = kg("link", "--review", "--format", "jsonl").rows
    assert [(row["entity"], row["qid"]) for row in waiting] == [("person/kim-kardashian", "Q901"), ("person/kim-kardashian", "Q902")]
    assert waiting[0]["features"]["share"] == 0.5
    assert (
        kg("link", "--accept", "Kim Kardashian", "Q902", "--index", items).out == "linked: person/kim-kardashian is Q902 (Kim Kardashian)\n"
    )
    assert kg("link", "--reject", "Balenciaga", "http://www.wikidata.org/entity/Q903").code == 0
    assert kg("link", "--review", "--format", "jsonl").rows == []
    lived = kg("export", "--format", "nquads", "--canonical").out
    assert "/Q902>" in lived
    assert "/Q901>" not in lived
    decisions = place / "decisions.jsonl"
    decisions.write_text(kg("decisions", "--format", "jsonl").out, encoding="utf-8")
    assert [json.loads(line)["kind"] for line in decisions.read_text(encoding="utf-8").splitlines()] == ["link", "unlink"]
    monkeypatch.setenv("KG_WIKIDATA_INDEX", items)
    assert kg("build", str(text), "--store", str(place / "fresh")).code == 0
    assert kg("decisions", "--import", str(decisions), "--store", str(place / "fresh")).out == "2 decisions taken, 0 known\n"
    assert kg("decisions", "--import", str(decisions), "--store", str(place / "fresh")).out == "0 decisions taken, 2 known\n"
    assert kg("export", "--format", "nquads", "--canonical", "--store", str(place / "fresh")).out == lived
    assert kg("link", "--none", "Kim Kardashian").code == 0
    assert "/Q902>" not in kg("export", "--format", "nquads", "--canonical").out


def test_review_by_key(kg: Run, items: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal a number accepts, x and a number rejects, n is none of these, s passes over, q ends."""
    text = place / "a.txt"
    text.write_text("“I love Balenciaga,” Kim Kardashian said in Paris.\n", encoding="utf-8")
    assert kg("build", str(text)).code == 0
    assert kg("link", "--index", items).code == 0
    monkeypatch.setattr("kg.cli.link.is_terminal", lambda: True)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    for keys, kind in ((["s"], None), (["q"], None), (["?", "9", "x1"], "unlink"), (["1"], "link")):
        given = iter(keys)
        monkeypatch.setattr("builtins.input", lambda prompt, given=given: next(given))
        answer = kg("link", "--review")
        assert answer.code == 0
        assert answer.out.endswith("0 decisions recorded\n" if kind is None else "1 decision recorded\n")
    assert [row["kind"] for row in kg("decisions", "--format", "jsonl").rows] == ["unlink", "link"]


@pytest.mark.parametrize("given", [["--accept", "Balenciaga", "903"], ["--none", "Nobody"], ["--index", "nowhere.sqlite"]])
def test_what_kg_link_refuses(kg: Run, place: Path, given: list[str]) -> None:
    """An identifier that is none, an entity and an index that are not there: one line, exit code 2."""
    text = place / "a.txt"
    text.write_text("“I love Balenciaga,” Kim Kardashian said in Paris.\n", encoding="utf-8")
    assert kg("build", str(text)).code == 0
    answer = kg("link", *given)
    assert answer.code == 2
    assert answer.err.count("\n") == 1
