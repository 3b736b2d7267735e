"""`kg serve`, `kg link`, `kg export` and `kg validate` where Oxigraph's server holds the graph, with its ledger and without it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from kg.graph.remote import RemoteGraph
from kg.graph.server import access_of, find_server
from kg.settings import SETTINGS
from tests.graph.conftest import BASE, Running, settings_for

NEWS = {
    "one": "Balenciaga opened. “We never planned an icon,” said Liv Vane.",
    "two": "“I grew up with this bag,” Liv Vane said. Gucci closed.",
}
SAID = "SELECT ?text { ?s kg:quote ?text }"


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "kg", *arguments]


def _run(*arguments: str, code: int = 0) -> tuple[str, str]:
    done = subprocess.run(_command(*arguments), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


@pytest.fixture
def url(fresh: Callable[[str], Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A server that holds the graph of two documents; the ledger lies in `ledger` of the working folder."""
    for setting in SETTINGS:
        monkeypatch.delenv(setting.variable, raising=False)
    monkeypatch.setenv("KG_EXTRACTORS", "rules")
    url = fresh("oxigraph").url
    monkeypatch.setenv("KG_STORE", url)
    monkeypatch.setenv("KG_LEDGER", "ledger")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    for name, text in NEWS.items():
        (tmp_path / "docs" / f"{name}.txt").write_text(text, encoding="utf-8")
    _run("build", "docs")
    return url


@contextmanager
def served(*arguments: str) -> Iterator[str]:
    """A service in a process of its own."""
    process = subprocess.Popen(_command("serve", "--port", "0", *arguments), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        told = process.stderr.readline()
        found = re.search(r"on (http://\S+)", told)
        assert found, told
        yield found[1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate(timeout=30)


def asked(url: str, *, method: str = "GET", body: str | None = None, **headers: str) -> tuple[int, Any, str]:
    """Status, headers and body of an answer."""
    data = None if body is None else body.encode()
    request = urllib.request.Request(url, data=data, method=method, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def quotes(service: str) -> list[str]:
    """The sentences that a service finds."""
    status, headers, body = asked(f"{service}sparql?query={urllib.parse.quote(SAID)}", Accept="application/sparql-results+json")
    assert (status, headers["ETag"]) == (200, None)
    return sorted(row["text"]["value"] for row in json.loads(body)["results"]["bindings"])


def test_serves_the_graph_of_a_server(url: str) -> None:
    """Queries, pages and search work; what others write is seen at once; documents come in and go; updates are refused in one line."""
    with served("--token", "secret") as service:
        assert asked(f"{service}healthz")[0] == 200
        before = quotes(service)
        assert len(before) == 2
        graph = RemoteGraph(find_server(url, settings_for(url, Path("ledger")), base=BASE), access_of(settings_for(url, Path("ledger"))))
        term = ox.NamedNode(f"{BASE}ontology#quote")
        graph.apply([], [ox.Quad(ox.NamedNode("urn:s"), term, ox.Literal("by another hand"))])
        assert quotes(service) == sorted([*before, "by another hand"])
        graph.close()
        assert "Liv Vane" in asked(f"{service}resource/person/liv-vane", Accept="text/html")[2]
        assert "liv-vane" in asked(f"{service}search?q=vane", Accept="application/json")[2]
        token = {"Authorization": "Bearer secret"}
        sent = {"Content_Type": "text/plain", **token}
        said = "“A shop is a stage,” said Liv Vane at Gucci."
        assert asked(f"{service}documents?id=three", method="POST", body=said, **sent)[0] == 201
        assert any("stage" in quote for quote in quotes(service))
        assert "one" in asked(f"{service}documents", Accept="application/json")[2]
        assert asked(f"{service}documents/three", method="DELETE", **token)[0] in (200, 204)
        assert not any("stage" in quote for quote in quotes(service))
        status, _, body = asked(f"{service}update", method="POST", body="DROP ALL", Content_Type="application/sparql-update", **token)
        assert (status, json.loads(body)["error"]["code"]) == (400, "usage")
        assert url in json.loads(body)["error"]["message"]
        status, _, body = asked(f"{service}store?default", Accept="application/n-triples")
        assert (status, "by another hand" in body) == (200, True)
        assert len(quotes(service)) == 3


def test_guards_hold_before_a_server(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bounds as over a folder: LOAD and SERVICE are refused, too many rows and seconds end an answer."""
    monkeypatch.setenv("KG_QUERY_ROWS", "1")
    monkeypatch.setenv("KG_QUERY_SECONDS", "1")
    with served() as service:
        cases = {
            "SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }": (403, "query-refused"),
            "SELECT * { ?s ?p }": (400, "query-syntax"),
            "SELECT * { ?s ?p ?o }": (422, "result-too-large"),
            "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }": (503, "query-timeout"),
        }
        for query, expected in cases.items():
            status, _, body = asked(f"{service}sparql?query={urllib.parse.quote(query)}", Accept="application/json")
            assert (status, json.loads(body)["error"]["code"]) == expected
        assert asked(f"{service}healthz")[0] == 200


def test_a_server_that_fails_is_named(url: str, servers: Callable[[str], Running]) -> None:
    """While it is away answers are 502, afterwards as before."""
    with served() as service:
        running = servers("oxigraph")
        before = quotes(service)
        running.kill()
        try:
            status, _, body = asked(f"{service}sparql?query={urllib.parse.quote(SAID)}", Accept="application/json")
            assert (status, json.loads(body)["error"]["code"]) == (502, "server")
        finally:
            running.start()
        assert quotes(service) == before


def test_serves_without_the_ledger(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading needs the URL alone; writing wants the ledger before anything is started."""
    monkeypatch.setenv("KG_LEDGER", "nowhere")
    with served() as service:
        assert len(quotes(service)) == 2
        assert "Liv Vane" in asked(f"{service}resource/person/liv-vane", Accept="text/html")[2]
        status, _, body = asked(f"{service}search?q=vane", Accept="application/json")
        assert (status, json.loads(body)["error"]["code"]) == (503, "store-missing")
    assert "needs the ledger" in _run("serve", "--port", "0", "--token", "secret", code=2)[1]
    assert not Path("nowhere").exists()


def test_link_with_a_url(url: str) -> None:
    """Decisions go to the ledger and to the server."""
    node = f"<{BASE}resource/person/liv-vane>"
    query = f"SELECT ?item {{ {node} owl:sameAs ?item }}"
    assert "linked" in _run("link")[0]
    for arguments, expected in ((("--accept", "Liv Vane", "Q901"), 1), (("--none", "Liv Vane"), 0)):
        _run("link", *arguments)
        Path("asked.rq").write_text(query, encoding="utf-8")
        assert _run("query", "asked.rq", "--format", "csv")[0].count("entity/Q901") == expected


def test_export_and_validate_without_the_ledger(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both give what they give with it; what only the ledger knows is said to be there."""
    formats = ("nquads", "turtle", "ntriples", "gexf", "graphml", "html")
    before = {name: _run("export", "--format", name)[0] for name in formats}
    report = _run("validate")
    monkeypatch.setenv("KG_LEDGER", "nowhere")
    for name, content in before.items():
        assert sorted(_run("export", "--format", name)[0].splitlines()) == sorted(content.splitlines()) != []
    assert _run("validate") == report
    for arguments in (("export", "--format", "nquads", "--canonical"), ("validate", "--quarantine"), ("link",)):
        assert "needs the ledger" in _run(*arguments, code=2)[1]
