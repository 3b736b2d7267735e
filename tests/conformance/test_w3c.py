"""W3C's SPARQL 1.1 and 1.2 test suites, over the app, in each format of results. The suites and their runners lie beside the repository."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import pyoxigraph as ox
import pytest
from flask import Flask

from kg.rdf.iris import Namespace
from kg.service import create_app
from kg.settings import Settings
from kg.store import Store

SHARED = next(
    (each / "shared" for each in Path(__file__).parents[2:5] if (each / "shared" / "suites").is_dir()), Path(__file__).parents[3] / "shared"
)
RUNNERS, SUITE = SHARED / "bench" / "w3c", SHARED / "suites" / "w3c-rdf-tests"

pytestmark = pytest.mark.skipif(not (RUNNERS.is_dir() and SUITE.is_dir()), reason="W3C's suites are not beside the repository")

KNOWN = {"csv-tsv-res/tsv03"}
"""The engine keeps numbers of types derived from xsd:integer as xsd:integer, so the answer can't tell what was loaded."""

KNOWN_12 = {"grouping/group01", "grouping/select-variable-reuse"}
"""Rules on GROUP BY that 1.2 made clearer and the engine does not follow."""


@dataclass(eq=False)
class Snapshot:
    """What the app sees of a store whose graph the suite replaces."""

    graph: ox.Store = field(default_factory=ox.Store)
    namespace: Namespace = Namespace("http://localhost:8000/")  # noqa: RUF009  # frozen
    changes: int = 0

    @property
    def state(self) -> str:
        return str(self.changes)


@pytest.fixture(scope="module")
def runner() -> Iterator[Any]:
    """The modules of the runners."""
    sys.path.insert(0, str(RUNNERS))
    names = ("engines", "manifest", "model", "sparql_suite", "http_suite")
    try:
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    finally:
        sys.path.remove(str(RUNNERS))
        for name in names:
            sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return Snapshot()


@pytest.fixture(scope="module")
def app(snapshot: Snapshot) -> Flask:
    return create_app(cast(Store, lambda: snapshot), Settings())


def engine(runner: Any, app: Flask, snapshot: Snapshot) -> Any:
    """The runner's HTTP engine: its queries go to the app, its data straight into the graph."""

    class Engine(runner.engines.Http):  # type: ignore[misc]  # known at run time only
        def __init__(self) -> None:
            super().__init__("http://localhost/sparql", "http://localhost/update", "http://localhost/store")

        def request(self, method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Any:
            parts = urlsplit(url)
            given = {name.lower(): value for name, value in (headers or {}).items()}
            kind = given.pop("content-type", None)
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            response = app.test_client().open(path, method=method, data=body, headers=given, content_type=kind)
            return response.status_code, {name.lower(): value for name, value in response.headers}, response.data

        def reset(self) -> None:
            snapshot.graph, snapshot.changes = ox.Store(), snapshot.changes + 1

        def load(self, path: str, iri: str, graph: str | None = None) -> None:
            runner.engines.Pyoxigraph.load(SimpleNamespace(store=snapshot.graph), path, iri, graph)

    return Engine()


def outcomes(runner: Any, engine: Any, suite: str, wanted: tuple[str, ...], form: str) -> dict[str, str]:
    """Name of each test that failed, with the reason, and of each that passed, with nothing."""
    files = runner.manifest.Files(str(SUITE), runner.sparql_suite.BASE)
    found = {}
    for graph, test, path in runner.manifest.entries(f"{files.root}/sparql/{suite}/manifest.ttl", files):
        kinds = [each[1].rpartition("#")[2] for each in graph.all(test, runner.model.RDF + "type")]
        kind = next((each for each in kinds if each in wanted), "")
        if kind:
            try:
                why = runner.sparql_suite.run_one(engine, graph, test, kind, files, form)
            except runner.sparql_suite.Skip:
                continue
            found[f"{Path(path).parent.name}/{test[1].rpartition('#')[2]}"] = why or ""
    return found


EVALUATION = ("QueryEvaluationTest", "CSVResultFormatTest")
SYNTAX = ("PositiveSyntaxTest11", "NegativeSyntaxTest11", "PositiveSyntaxTest", "NegativeSyntaxTest")


@pytest.mark.parametrize("form", ["json", "xml", "csv", "tsv"])
def test_queries_of_sparql_11(runner: Any, app: Flask, snapshot: Snapshot, form: str) -> None:
    """All 235 evaluations but one, in each format of results: ten of the engine's eleven faults are mended in front of it."""
    found = outcomes(runner, engine(runner, app, snapshot), "sparql11", EVALUATION, form)
    assert len(found) == 235
    assert {name for name, why in found.items() if why} == KNOWN


def test_syntax_of_sparql_11(runner: Any, app: Flask, snapshot: Snapshot) -> None:
    """What is no query is refused, what is one is not; updates are not asked here."""
    found = outcomes(runner, engine(runner, app, snapshot), "sparql11", SYNTAX, "json")
    assert len(found) > 100
    assert {name: why for name, why in found.items() if why} == {}


def test_queries_of_sparql_12(runner: Any, app: Flask, snapshot: Snapshot) -> None:
    """Where the engine has it."""
    found = outcomes(runner, engine(runner, app, snapshot), "sparql12", EVALUATION, "json")
    assert len(found) == 63
    assert {name for name, why in found.items() if why} == KNOWN_12


def test_protocol_and_description(runner: Any, app: Flask, snapshot: Snapshot) -> None:
    """SPARQL 1.1 Protocol without its updates, and the service description."""
    http, client = runner.http_suite, engine(runner, app, snapshot)
    asked = SimpleNamespace(query_url=client.query_url, update_url=client.update_url, gsp_url=None, direct_url=None)
    files = runner.manifest.Files(str(SUITE), http.BASE)
    found = {}
    for folder in ("protocol", "service-description"):
        for graph, test, _ in runner.manifest.entries(f"{files.root}/sparql/sparql11/{folder}/manifest.ttl", files):
            name = test[1].rpartition("#")[2]
            client.reset()
            for data in graph.all(test, runner.manifest.UT + "graphData"):
                label = graph.text(data, runner.manifest.RDFS + "label")
                client.load(files.path(graph.one(data, runner.manifest.UT + "graph")[1]), label, label)
            if folder == "service-description":
                found[name] = http.service_description(client, test, asked)
            elif "update" not in name or name.startswith("bad_query"):
                found[name] = http.run_requests(client, graph, test, asked, "ProtocolTest")
    assert len(found) > 20
    assert {name: why for name, why in found.items() if why} == {}
