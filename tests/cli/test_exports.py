"""`kg export` of pictures and tables, and `kg analyse`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kg.cli.main import main
from kg.store import Store


@pytest.fixture
def run(store: Store, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs a command on a store of the annotated documents; gives code, output and messages."""
    path = store.path

    def done(*arguments: str) -> tuple[int, str, str]:
        code = main(["--store", str(path), *arguments])
        return (code, *capfd.readouterr())

    return done


def test_a_picture_is_named_by_its_suffix_and_has_the_chosen_size(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    code, _, _ = run("export", "-o", str(tmp_path / "graph.svg"), "--width", "640", "--height", "480", "--nodes", "5")
    text = (tmp_path / "graph.svg").read_text(encoding="utf-8")
    assert code == 0
    assert 'width="640" height="480"' in text
    assert "5 entities" in text
    assert "more left out" in text


def test_a_size_that_cannot_be_is_one_clear_line(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    code, _, message = run("export", "-o", str(tmp_path / "graph.svg"), "--width", "9")
    assert code == 2
    assert "picture_width is from 200 to 10000" in message
    assert not (tmp_path / "graph.svg").exists()


def test_measures_are_columns_of_tables(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    assert run("export", "--measures", "-o", str(tmp_path / "graph.csv"))[0] == 0
    with (tmp_path / "graph-nodes.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert max(int(row["degree"]) for row in rows) > 2
    assert all(0 <= float(row["betweenness"]) <= 1 for row in rows)
    assert run("export", "--format", "parquet", "-o", str(tmp_path / "graph.parquet"))[0] == 0
    assert (tmp_path / "graph-nodes.parquet").read_bytes()[:4] == b"PAR1"


def test_analyse_lists_the_best_connected_first(run: Callable[..., tuple[int, str, str]]) -> None:
    code, output, _ = run("analyse", "--format", "json")
    rows = json.loads(output)
    assert code == 0
    assert [row["degree"] for row in rows] == sorted((row["degree"] for row in rows), reverse=True)
    by_core = list(csv.DictReader(io.StringIO(run("analyse", "--sort", "core", "--top", "3")[1])))
    assert len(by_core) == 3
    assert {"label", "type", "betweenness", "community", "core"} <= set(by_core[0])


def test_analyse_shows_the_facts_on_a_shortest_path(run: Callable[..., tuple[int, str, str]]) -> None:
    code, output, _ = run("analyse", "--path", "Liv Vane", "Hugo Valmy", "--format", "jsonl")
    steps = [json.loads(line) for line in output.splitlines()]
    assert code == 0
    assert [step["step"] for step in steps] == list(range(1, len(steps) + 1))
    assert "Liv Vane" in (steps[0]["subject"], steps[0]["object"])
    assert "Hugo Valmy" in (steps[-1]["subject"], steps[-1]["object"])
    assert all(step["sentence"] for step in steps)


def test_analyse_says_where_there_is_no_path_and_no_such_entity(run: Callable[..., tuple[int, str, str]]) -> None:
    code, _, message = run("analyse", "--path", "Liv Vane", "France", "--about", "Liv Vane", "--about", "France", "--hops", "0")
    assert code == 2
    assert "no facts lead from Liv Vane to France" in message
    code, _, message = run("analyse", "--path", "Liv Vain", "France")
    assert code == 2
    assert "Liv Vane" in message
    assert run("analyse", "--top", "0")[0] == 2
