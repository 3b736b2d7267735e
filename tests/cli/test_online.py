"""`kg wikidata ask` against a reconciliation service on loopback."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

Run = Callable[..., Any]
ITEM = "Q999000001"


class _Service(BaseHTTPRequestHandler):
    """Knows one name."""

    asked: list[str] = []  # noqa: RUF012
    status = 200

    def do_GET(self) -> None:
        self.say({"name": "Invented", "versions": ["0.2"]})

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        queries = json.loads(form["queries"][0])
        self.asked.extend(query["query"] for query in queries.values())
        found = {"id": ITEM, "name": "Orsenne", "score": 97, "match": True}
        self.say({name: {"result": [found] if query["query"] == "Orsenne" else []} for name, query in queries.items()})

    def say(self, data: object) -> None:
        content = json.dumps(data).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Its address; the environment leads there, without a limit of the rate."""
    _Service.asked, _Service.status = [], 200
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("KG_ONLINE_REQUESTS_PER_MINUTE", "0")
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_name_is_asked_for(kg: Run, service: str, place: Path) -> None:
    """Candidates as a list; the answer and its day are in the file that was named."""
    answer = kg("wikidata", "ask", "Orsenne", "--service", service, "--answers", "said.jsonl", "--format", "json")
    assert answer.code == 0, answer.err
    assert [(each["qid"], each["score"], each["accepted"]) for each in answer.data] == [(ITEM, 0.97, True)]
    (line,) = (place / "said.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["asked"] in answer.err


def test_names_from_a_pipe_are_answered_in_order(kg: Run, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line a line, [] where there is none; the second run asks nothing."""
    lines = "".join(json.dumps({"name": name, "type": None}) + "\n" for name in ("Zzz", "Orsenne", "Zzz"))
    monkeypatch.setenv("KG_WIKIDATA_RECONCILE", service)
    for _ in range(2):
        monkeypatch.setattr("sys.stdin", io.StringIO(lines))
        assert [[each["qid"] for each in row] for row in kg("wikidata", "ask", "-").rows] == [[], [ITEM], []]
    assert _Service.asked == ["Zzz", "Orsenne"]


def test_a_service_that_refuses_is_no_empty_answer(kg: Run, service: str) -> None:
    """Exit code 1 and one line that says what to do."""
    _Service.status = 403
    answer = kg("wikidata", "ask", "Orsenne", "--service", service)
    assert (answer.code, answer.out) == (1, "")
    assert "KG_CONTACT" in answer.err
    assert len(answer.err.splitlines()) == 1


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"name": 3}', '{"name": "x", "type": 3}'])
def test_a_line_that_is_no_name_is_named(kg: Run, service: str, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """Exit code 2, with the line's number."""
    monkeypatch.setattr("sys.stdin", io.StringIO(line + "\n"))
    answer = kg("wikidata", "ask", "-", "--service", service)
    assert answer.code == 2
    assert "line 1" in answer.err
