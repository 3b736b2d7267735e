"""The pages made from the command line and the settings are fresh, and every example in them runs."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest

from kg.cli.main import iter_commands
from kg.cli.reference import commands_page, settings_page
from kg.resources import resource
from kg.settings import SETTINGS
from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]
APART = ("kg serve", "kg train", "kg wikidata ask", "kg wikidata find - --online", "kg wikidata index --from-qids", "kg link --online")
"""Commands whose examples don't end by themselves, need the extra kg[train] or the network: tested elsewhere."""


@pytest.mark.parametrize(("page", "make"), [("cli.md", commands_page), ("settings.md", settings_page)])
def test_pages_are_fresh(page: str, make: object) -> None:
    """`make docs` would change nothing."""
    assert callable(make)
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == make(), "run `make docs`"


def test_pages_are_complete() -> None:
    """Every command and every setting has its place."""
    assert all(f"## kg {command.name}\n" in commands_page() for command in iter_commands())
    assert all(f"`{setting.variable}`" in settings_page() for setting in SETTINGS)


@pytest.fixture
def world(kg: Run, place: Path) -> Path:
    """A folder in which the examples of all commands can run."""
    folder = place / "world"
    folder.mkdir()
    shutil.copytree(resource("seeds", "documents"), folder / "seeds" / "documents")
    shutil.copytree(ROOT / "tests" / "data" / "annotated", folder / "annotated")
    for name in ("json/nsi.json", "wikidata/wikidata.json"):
        path = folder / "name-suggestion-index" / "dist" / name
        path.parent.mkdir(parents=True)
        shop = {"displayName": "Tidewell", "locationSet": {"include": ["001"]}, "tags": {"brand:wikidata": "Q9"}}
        path.write_text(json.dumps({"nsi": {"brands/shop/bag": {"items": [shop]}}, "wikidata": {}}), encoding="utf-8")
    (folder / "items.tsv").write_text("qid\tlabel\nQ9\tTidewell\n", encoding="utf-8")
    more = place / "more.txt"
    more.write_text("“I have nothing to add to that,” Kim Kardashian West said.\n", encoding="utf-8")
    assert kg("build", str(folder / "seeds"), str(more), "--store", str(folder / "kg-store")).code == 0
    assert kg("export", "-o", str(folder / "graph.nq"), "--store", str(folder / "kg-store")).code == 0
    assert kg("backup", str(folder / "kg-store.tar.gz"), "--store", str(folder / "kg-store")).code == 0
    return folder


def test_examples_run(kg: Run, world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each example does what it shows, in a folder as it was before the others."""
    examples = [example for command in iter_commands() for example in command.examples if not example.startswith(APART)]
    for number, example in enumerate(examples):
        folder = world.with_name(f"world-{number}")
        shutil.copytree(world, folder)
        if "backup" in example:
            (folder / "kg-store.tar.gz").unlink()
        monkeypatch.chdir(folder)
        program, *arguments = shlex.split(example)
        answer = kg(*arguments)
        assert (program, answer.code) == ("kg", 0), f"{example}: {answer.err}"
        shutil.rmtree(folder)
