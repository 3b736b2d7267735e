"""The W3C's tests of SPARQL 1.1 Update (evaluation, syntax), Protocol and Graph Store Protocol, in process, where the suite is at hand."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pyoxigraph as ox
import pytest

from kg.errors import KgError, LoadFailed
from kg.service import create_app
from kg.settings import Settings
from kg.store import Store
from kg.update.content import Part
from kg.update.sparql import run_update

Runners = dict[str, ModuleType]
Entry = tuple[Any, Any, str]


def entries(runners: Runners, suite: Path, manifest: str) -> Iterator[tuple[Any, Any, str, Any]]:
    """Graph, test, kind and files of each test of a manifest."""
    files = runners["manifest"].Files(str(suite), runners["sparql_suite"].BASE)
    space, kind = runners["manifest"].MF, f"{runners['model'].RDF}type"
    for graph, test, _ in runners["manifest"].entries(str(suite / "sparql" / "sparql11" / manifest), files):
        names = (each[1].removeprefix(space) for each in graph.all(test, kind) if each[1].startswith(space))
        yield graph, test, next(names, ""), files


def unreachable(iri: str) -> Part:
    """A host that is let through and can't be reached, as those of the suite can't."""
    raise LoadFailed(f"{iri} can't be loaded", hint="try again")


class InProcess:
    """Our store in the place of the runner's engines."""

    def __init__(self, store: Store, runners: Runners) -> None:
        self.store, self.engines, self.model = store, runners["engines"], runners["model"]

    def reset(self) -> None:
        self.store.graph.clear()

    def load(self, path: str, iri: str, graph: str | None = None) -> None:
        target: ox.NamedNode | ox.DefaultGraph = ox.NamedNode(graph) if graph else ox.DefaultGraph()
        scratch = ox.Store()
        scratch.load(path=path, format=self.model.FORMATS[path[path.rfind(".") :]], base_iri=iri, to_graph=target)
        self.store.take(lambda: (set(), set(scratch)))

    def update(self, text: str, base: str) -> None:
        try:
            pending = run_update(self.store, self.engines.based(text, base), fetch=unreachable)
        except LoadFailed as error:
            raise RuntimeError(str(error)) from error  # it parsed, and could not be run
        except KgError as error:
            raise self.engines.SyntaxRejected(str(error)) from error
        self.store.take(lambda: (pending.removed, pending.added))

    def check_update(self, text: str, base: str) -> None:
        with suppress(RuntimeError):
            self.update(text, base)

    def dump(self) -> list[tuple[Any, ...]]:
        return [tuple(self.model.from_ox(term) for term in (q.graph_name, q.subject, q.predicate, q.object)) for q in self.store.graph]


def test_every_update_test_passes(empty: Store, runners: Runners, suite: Path) -> None:
    """All 94 of evaluation, all 55 of syntax."""
    engine, tally, failed = InProcess(empty, runners), Counter[str](), {}
    for graph, test, kind, files in entries(runners, suite, "manifest.ttl"):
        if "Update" not in kind:
            continue
        engine.reset()
        reason = runners["sparql_suite"].run_one(engine, graph, test, kind, files, "json")
        tally[kind] += not reason
        if reason:
            failed[test[1].rpartition("/sparql11/")[2]] = reason
    assert failed == {}
    assert tally == {"UpdateEvaluationTest": 94, "PositiveUpdateSyntaxTest11": 42, "NegativeUpdateSyntaxTest11": 13}


class Client:
    """The app's test client in the place of the runner's HTTP connection."""

    def __init__(self, store: Store) -> None:
        self.client = create_app(store, Settings().replace(token="secret")).test_client()
        self.headers = {"Authorization": "Bearer secret"}
        self.put: list[str | None] = []

    def request(self, method: str, url: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        place = urlsplit(url)
        sent = {**self.headers, **headers}
        with self.client.open(
            f"{place.path or '/'}?{place.query}" if place.query else place.path,
            method=method,
            data=body,
            headers=sent,
            base_url="http://www.example/",
        ) as response:
            return response.status_code, {name.lower(): value for name, value in response.headers}, response.data

    def reset(self) -> None:
        status, _, _ = self.request("POST", "/update", b"DROP ALL", {"Content-Type": "application/sparql-update"})
        assert status == 204

    def load(self, path: str, iri: str, graph: str | None = None) -> None:
        where = f"graph={graph}" if graph else "default"
        kind = {".ttl": "text/turtle", ".nt": "application/n-triples", ".rdf": "application/rdf+xml"}[Path(path).suffix]
        status, _, _ = self.request("POST", f"/store?{where}", Path(path).read_bytes(), {"Content-Type": kind})
        assert status in (201, 204)


@pytest.mark.parametrize(("part", "count"), [("protocol", 34), ("graph-store-protocol", 13)])
def test_the_protocols(empty: Store, runners: Runners, suite: Path, part: str, count: int) -> None:
    """SPARQL 1.1 Protocol and Graph Store HTTP Protocol, with direct names and with graphs made by POST."""
    address = "http://www.example"
    options = argparse.Namespace(
        query_url=f"{address}/sparql", update_url=f"{address}/update", gsp_url=f"{address}/store", direct_url=f"{address}/store"
    )
    names, tool = runners["manifest"], runners["http_suite"]
    client, failed, passed = Client(empty), {}, 0
    for graph, test, kind, files in entries(runners, suite, f"{part}/manifest.ttl"):
        client.reset()
        for data in graph.all(test, f"{names.UT}graphData"):
            label = graph.text(data, f"{names.RDFS}label")
            client.load(files.path(graph.one(data, f"{names.UT}graph")[1]), label, graph=label)
        reason = tool.run_requests(client, graph, test, options, kind)
        passed += not reason
        if reason:
            failed[test[1].rpartition("#")[2]] = reason
    assert failed == {}
    assert passed == count
