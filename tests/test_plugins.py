"""The one registry: ours and strangers' plug-ins by the same door."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kg.errors import NotFound, UsageError
from kg.extract import Pipeline
from kg.model import Document, Extraction, Text
from kg.plugins import FAMILIES, Extractor, Reader, list_plugins, load_plugin
from kg.settings import Settings

NEEDS_A_SERVER = {("extractors", "llm")}
OURS = {
    ("extractors", "structured"),
    ("readers", "jsonlines"),
    ("readers", "plaintext"),
    ("readers", "webpage"),
    ("extractors", "encoder"),
    ("extractors", "rules"),
}
OURS |= NEEDS_A_SERVER
READERS = "archive epub feeds jsonlines mail pdf plaintext tables warc webpage word"
EXPORTERS = (
    "csv cytoscape dot gexf graphml html jsonld node-link nquads ntriples pajek parquet png quickstatements rdfxml site svg trig turtle"
)

CODE = """
from kg.model import Extraction

class Echo:
    name, version, fingerprint = "echo", "7", ""

    def __init__(self, settings):
        self.threshold = settings.threshold

    def __call__(self, document, draft):
        return Extraction(document.id)

create = Echo
"""


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Installs a distribution of somebody else that registers extractors, given as lines of its entry points."""

    def install(entries: str) -> None:
        (tmp_path / "kg_echo.py").write_text(CODE, encoding="utf-8")
        info = tmp_path / "kg_echo-7.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: kg-echo\nVersion: 7.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[kg.extractors]\n{entries}\n", encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "kg_echo", raising=False)

    return install


def test_ours_are_registered() -> None:
    """The plug-ins that come with kg are entry points of its own distribution."""
    ours = {(plugin.family, plugin.name) for plugin in list_plugins() if plugin.origin == "kg"}
    assert ours == OURS | {("readers", name) for name in READERS.split()} | {("exporters", name) for name in EXPORTERS.split()}
    assert [(plugin.family, plugin.name) for plugin in list_plugins()] == sorted((p.family, p.name) for p in list_plugins())
    assert {plugin.family for plugin in list_plugins()} <= set(FAMILIES)


def test_listing_imports_nothing(stranger: Callable[[str], None]) -> None:
    """A plug-in's module is imported when it is used, not when it is listed."""
    stranger("echo = kg_echo:create")
    (plugin,) = [each for each in list_plugins(["extractors"]) if each.name == "echo"]
    assert (plugin.origin, plugin.version) == ("kg-echo", "7.0")
    assert "kg_echo" not in sys.modules


def test_a_strangers_extractor_runs(stranger: Callable[[str], None]) -> None:
    """A plug-in of another distribution is found by name, gets the settings, and runs in the pipeline."""
    stranger("echo = kg_echo:create")
    settings = Settings().replace(extractors="echo", threshold=0.25)
    echo = load_plugin("extractors", "echo", settings)
    assert isinstance(echo, Extractor)
    assert echo.threshold == 0.25
    assert Pipeline(settings)(Document("a", (Text("body", "x"),))) == Extraction("a")


@pytest.mark.parametrize(("family", "name"), sorted(OURS - NEEDS_A_SERVER - {("extractors", "encoder")}))
def test_ours_keep_the_protocol(family: str, name: str) -> None:
    """What is registered as a reader or an extractor is one."""
    assert isinstance(load_plugin(family, name, Settings()), {"readers": Reader, "extractors": Extractor}[family])


def test_an_unknown_name_suggests_near_ones() -> None:
    """The error names the family and what was probably meant."""
    with pytest.raises(NotFound, match="no extractor 'ruls'") as caught:
        load_plugin("extractors", "ruls", Settings())
    assert caught.value.hint == "did you mean rules?"
    with pytest.raises(NotFound, match="no reader 'xyzzy'") as caught:
        load_plugin("readers", "xyzzy", Settings())
    assert "plaintext" in caught.value.hint


@pytest.mark.parametrize("entry", ["broken = kg_echo:nothing", "broken = kg_nowhere:create"])
def test_a_broken_plugin_is_named(stranger: Callable[[str], None], entry: str) -> None:
    """A plug-in that can't be imported gives one line that names its distribution."""
    stranger(entry)
    with pytest.raises(UsageError, match="'broken' of kg-echo can't be loaded"):
        load_plugin("extractors", "broken", Settings())
