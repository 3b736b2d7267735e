"""`kg search` answers in every format of lists."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tests.cli.conftest import Run


def test_search_finds_names_and_sentences(kg: Run, built: Path) -> None:
    """Kind by kind, the best first; JSON holds all that is known of a hit."""
    found = kg("search", "olivia", "vane", "--format", "json").data
    assert (found[0]["kind"], found[0]["label"], found[0]["score"]) == ("entity", "Olivia Vane", 1)
    (sentence,) = kg("search", "--kind", "sentence", "zipper", "--format", "jsonl").rows
    assert "Every zipper tells a quiet story" in sentence["name"]
    assert sentence["label"] == "zipper"


def test_formats_and_bounds(kg: Run, built: Path) -> None:
    """CSV in a pipe, a table on demand; nothing found is said, and is no error."""
    rows = list(csv.DictReader(io.StringIO(kg("search", "vane", "--kind", "entity").out)))
    assert {row["label"] for row in rows} == {"Liv Vane", "Olivia Vane"}
    assert "Liv Vane" in kg("search", "vane", "--format", "table").out
    assert len(kg("search", "vane", "--kind", "entity", "--limit", "1", "--format", "jsonl").rows) == 1
    nothing = kg("search", "xyzzy")
    assert (nothing.code, "nothing fits" in nothing.err) == (0, True)
    assert kg("search", "vane", "--limit", "0").code == 2


def test_the_index_goes_with_a_backup(kg: Run, built: Path) -> None:
    """A store made of a backup finds the same."""
    before = kg("search", "vane", "--format", "json").data
    assert kg("backup", "copy.tar.gz").code == 0
    assert kg("restore", "copy.tar.gz", "--store", "restored").code == 0
    assert kg("search", "vane", "--format", "json", "--store", "restored").data == before != []


def test_a_query_can_search(kg: Run, built: Path) -> None:
    """From the command line as everywhere."""
    Path("find.rq").write_text('SELECT ?name { ?who kg:matchesName "olivia" ; rdfs:label ?name }', encoding="utf-8")
    assert kg("query", "find.rq").out.splitlines() == ["name", "Olivia Vane"]
