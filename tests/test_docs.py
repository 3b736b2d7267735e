"""The pages are fresh and complete, and what they show runs."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

import kg
from kg.cli.main import iter_commands, main
from kg.cli.reference import pages
from kg.errors import __all__ as ERRORS
from kg.model import Document, Text
from kg.plugins import list_plugins, load_plugin
from kg.query.library import load_queries
from kg.resources import resource
from kg.settings import SETTINGS, Settings

ROOT = Path(__file__).parents[1]
DOCS = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").rglob("*.md")))
REGENERATE = os.environ.get("KG_REGENERATE") == "1"
MADE = pages()
NEWS = "date 2024-03-05\nThe actress Liv Vane came to the Tidewell show.\n"


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_pages_are_not_being_rewritten() -> None:
    """KG_REGENERATE=1 rewrites the pages, so a run with it proves nothing."""
    assert not REGENERATE, "the pages are rewritten; look at the difference, then run again without KG_REGENERATE"


@pytest.mark.parametrize("page", sorted(MADE))
def test_generated_page_is_fresh(page: str) -> None:
    """`make docs` would change nothing."""
    if REGENERATE:
        (ROOT / page).write_text(MADE[page], encoding="utf-8")
    assert (ROOT / page).read_text(encoding="utf-8") == MADE[page], "run `make docs`"


@pytest.mark.parametrize(
    "name",
    [
        *(f"kg {command.name}" for command in iter_commands()),
        *(setting.variable for setting in SETTINGS),
        *(f"`{plugin.name}`" for plugin in list_plugins() if plugin.origin == "kg"),
        *(f"`{error}`" for error in ERRORS),
        *(f"## {query}\n" for query in load_queries(Settings())),
        *(f"`kg.{name}`" for name in kg.__all__),
    ],
)
def test_everything_has_its_place(name: str) -> None:
    """Every command, setting, plug-in, error, named query and public name is in docs/."""
    assert name in DOCS


@pytest.mark.parametrize("page", sorted(str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]))
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link of a page names a file that is there."""
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)[^)]*\)", (ROOT / page).read_text(encoding="utf-8"))
    assert [target for target in targets if not ((ROOT / page).parent / target).exists()] == []


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the seeds and no setting in force, save for rules alone where no model is shipped."""
    for setting in SETTINGS:
        monkeypatch.delenv(setting.variable, raising=False)
    if not resource("seeds", "model", "model.json").exists():
        monkeypatch.setenv("KG_EXTRACTORS", "rules")
    shutil.copytree(resource("seeds", "documents"), tmp_path / "seeds" / "documents")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_readme_commands_run(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """README's commands end well, in their order, and say something."""
    lines = [line[2:] for block in blocks("README.md", "console") for line in block.splitlines() if line.startswith("$ kg ")]
    assert [shlex.split(line)[1] for line in lines] == ["build", "facts", "query", "serve"]
    for line in lines[:-1]:
        assert main(["--store", str(folder / "store"), *shlex.split(line)[1:]]) == 0, line
        assert "".join(capfd.readouterr()).strip(), line


def test_readme_python_runs(folder: Path) -> None:
    """README's snippets are Python that runs; its extractor is under 12 lines and fits the protocol."""
    use, extend = blocks("README.md", "python")
    exec(compile(use, "README.md", "exec"), {})
    names: dict[str, object] = {}
    exec(compile(extend, "README.md", "exec"), names)
    assert len([line for line in extend.splitlines() if line]) < 12
    extractor = names["Occupations"](Settings())  # type: ignore[operator]
    (claim,) = extractor(Document("news", (Text("body", NEWS),)), kg.Extraction("news")).claims
    assert (claim.subject.name, claim.object.value, claim.evidence[0].quote) == ("Liv Vane", "actress", "actress Liv Vane")


def test_extending_shows_an_extractor(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extractor of docs/extending.md, registered by the lines shown there, brings its fact into a store."""
    (code,) = blocks("docs/extending.md", "python")
    header, entry = blocks("docs/extending.md", "toml")[0].splitlines()
    assert header == '[project.entry-points."kg.extractors"]'
    (folder / "kg_occupations.py").write_text(code, encoding="utf-8")
    info = folder / "kg_occupations-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: kg-occupations\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[kg.extractors]\n{entry.replace(chr(34), '')}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "kg_occupations", raising=False)
    settings = Settings().replace(extractors="occupations")
    assert load_plugin("extractors", "occupations", settings).version == "1"

    (folder / "news.txt").write_text(NEWS, encoding="utf-8")
    with kg.open_store(folder / "store", create=True) as store:
        assert kg.build(folder / "news.txt", store=store, settings=settings).problems == ()
        (fact,) = store.facts()
    assert (fact["subject"]["label"], fact["predicate"], fact["object"]["value"]) == ("Liv Vane", "occupation", "actress")
