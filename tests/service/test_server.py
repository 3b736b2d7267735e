"""The real server: answers, shows what was written, ends what runs too long, survives the end of its processes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kg.errors import StoreLocked, StoreMissing
from kg.gold import GoldDocument, GoldEntity, GoldFact
from kg.model import Document, Text
from kg.revise import Reviser
from kg.service.server import serve
from kg.settings import Settings
from kg.store import open_store

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="the server needs Linux: epoll and /proc")

START = """
import json, sys
from kg.service.server import serve
from kg.settings import Settings
serve(sys.argv[1], Settings().replace(port=0, **json.loads(sys.argv[2])), announce=lambda url: print(url, flush=True))
"""
ENDLESS = "SELECT (COUNT(*) AS ?n) { " + " . ".join(f"?a{n} ?b{n} ?c{n}" for n in range(8)) + " }"
HUNGRY = "SELECT * { " + " . ".join(f"?a{n} ?b{n} ?c{n}" for n in range(4)) + " } ORDER BY ?c0"
PEOPLE = "SELECT ?n { ?p a kg:Person ; rdfs:label ?n } ORDER BY ?n"

Put = Callable[[str], None]


class Server:
    """A server in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.url = process.stdout.readline().strip()

    @property
    def port(self) -> int:
        return int(urllib.parse.urlsplit(self.url).port or 0)

    def get(self, path: str, **parameters: str) -> tuple[int, Any]:
        """Status and body; where it is JSON, what it says."""
        address = f"{self.url}{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(address, timeout=20) as response:
                status, body = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read()
        return status, json.loads(body) if body[:1] == b"{" else body.decode()

    def ask(self, query: str) -> tuple[int, Any]:
        return self.get("sparql", query=query)

    def people(self) -> list[str]:
        status, answer = self.ask(PEOPLE)
        assert status == 200, answer
        return [row["n"]["value"] for row in answer["results"]["bindings"]]

    def raw(self, *parts: bytes, pause: float = 0.05) -> bytes:
        """What comes for bytes sent as they are, until the server closes or is silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as client:
            for part in parts:
                client.sendall(part)
                time.sleep(pause)
            received = b""
            try:
                while data := client.recv(65536):
                    received += data
            except TimeoutError:
                pass
            return received

    def figure(self, name: str) -> float:
        """A figure of /metrics."""
        _, text = self.get("metrics")
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))

    def children(self, pid: int | None = None) -> list[int]:
        place = Path(f"/proc/{pid or self.process.pid}/task/{pid or self.process.pid}/children")
        return [int(each) for each in place.read_text(encoding="ascii").split()]

    def evaluators(self) -> list[int]:
        return [each for keeper in self.children() for each in self.children(keeper)]


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def put(put_annotated: Callable[[Reviser, Document, GoldDocument], None], tmp_path: Path) -> Put:
    """Writes a document about a person into the store, as a build would beside the server."""

    def write(name: str) -> None:
        text = f"{name} is the face of Tidewell."
        gold = GoldDocument(
            name.lower(),
            None,
            (GoldEntity(name, "Person"), GoldEntity("Tidewell", "Brand")),
            (GoldFact(name, "ambassadorOf", "Tidewell", text[:-1]),),
        )
        with open_store(tmp_path / "store", create=True) as store:
            put_annotated(Reviser(store, single_valued=frozenset()), Document(gold.id, (Text("body", text),)), gold)

    return write


@pytest.fixture
def start(tmp_path: Path, put: Put) -> Iterator[Callable[..., Server]]:
    """Starts servers of a store with one person, and ends them."""
    put("Alva")
    started: list[Server] = []

    def start(**settings: object) -> Server:
        arguments = [sys.executable, "-c", START, str(tmp_path / "store"), json.dumps({"serve_workers": 2, **settings})]
        started.append(Server(subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)))
        return started[-1]

    yield start
    for server in started:
        server.process.kill()
        server.process.wait()
        assert server.process.stdout is not None
        server.process.stdout.close()


Start = Callable[..., Server]


# -- states --------------------------------------------------------------------------------------------------------


def test_what_a_build_writes_beside_it_is_shown(start: Start, put: Put) -> None:
    server = start()
    assert server.people() == ["Alva"]
    assert server.people() == ["Alva"]
    put("Berta")
    assert wait_for(lambda: server.people() == ["Alva", "Berta"], 2)
    evaluators = server.evaluators()
    assert [server.people() for _ in range(6)] == [["Alva", "Berta"]] * 6
    assert server.evaluators() == evaluators  # they followed, and were not forked anew


def test_a_store_whose_past_is_no_longer_kept_is_loaded_anew(start: Start, put: Put, tmp_path: Path) -> None:
    server = start()
    before = server.children()
    for pid in before:
        os.kill(pid, signal.SIGSTOP)  # it sleeps through what is written
    put("Berta")
    with open_store(tmp_path / "store") as store:
        Reviser(store, single_valued=frozenset()).retract("alva")
        store.scrub()
    for pid in before:
        os.kill(pid, signal.SIGCONT)
    assert wait_for(lambda: server.people() == ["Berta"])
    assert wait_for(lambda: len(server.children()) == 1 and server.children() != before)


def test_equal_requests_are_answered_from_what_was_kept_until_the_store_changes(start: Start, put: Put) -> None:
    server = start()
    query = urllib.parse.quote(PEOPLE)
    request = f"GET /sparql?query={query} HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n".encode()
    first, second = server.raw(request), server.raw(request)
    if b"ETag" in first:
        assert server.figure("kg_cache_hits_total") == 1
    assert first.partition(b"\r\n\r\n")[2] == second.partition(b"\r\n\r\n")[2]
    put("Berta")
    assert wait_for(lambda: b"Berta" in server.raw(request), 3)


# -- what runs too long ----------------------------------------------------------------------------------------------


def test_a_query_past_its_limit_is_really_ended_and_others_are_served(start: Start) -> None:
    server = start(query_seconds=1.0)
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        endless = [pool.submit(server.ask, ENDLESS) for _ in range(4)]  # twice as many as there are evaluators at first
        time.sleep(0.5)
        assert server.people() == ["Alva"]
        answers = [each.result() for each in endless]
    assert [status for status, _ in answers] == [503] * 4
    assert {answer["error"]["code"] for _, answer in answers} == {"query-timeout"}
    assert time.monotonic() - began < 1 + 1 + 2  # the last of them may have waited for an evaluator
    assert wait_for(lambda: all(_is_idle(pid) for pid in server.evaluators()))


def _is_idle(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] == "S"
    except OSError:
        return True


def test_a_query_that_needs_too_much_memory_is_ended(start: Start) -> None:
    server = start(query_megabytes=50)
    status, answer = server.ask(HUNGRY)
    assert (status, answer["error"]["code"]) == (503, "query-memory")
    assert server.people() == ["Alva"]


def test_what_a_client_no_longer_waits_for_is_ended(start: Start) -> None:
    server = start()
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(f"GET /sparql?query={urllib.parse.quote(ENDLESS)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert wait_for(lambda: server.figure("kg_requests_running") == 1)
    assert wait_for(lambda: server.figure("kg_requests_running") == 0, 3)


def test_requests_beyond_the_queue_are_refused_at_once(start: Start) -> None:
    server = start(query_seconds=2.0, queue=1, serve_workers=1)
    with ThreadPoolExecutor(24) as pool:
        answers = [each.result() for each in [pool.submit(server.ask, ENDLESS) for _ in range(24)]]
    codes = {answer["error"]["code"] for _, answer in answers}
    assert {status for status, _ in answers} == {503}
    assert codes == {"busy", "query-timeout"}
    assert server.people() == ["Alva"]


# -- ends ------------------------------------------------------------------------------------------------------------


def test_processes_that_are_killed_are_replaced(start: Start) -> None:
    server = start()
    (keeper,) = server.children()
    for pid in server.evaluators():
        os.kill(pid, signal.SIGKILL)
    assert server.people() == ["Alva"]
    os.kill(keeper, signal.SIGKILL)
    assert server.people() == ["Alva"]  # evaluators outlive their keeper
    assert wait_for(lambda: server.children() not in ([], [keeper]) and bool(server.evaluators()))
    assert server.people() == ["Alva"]


def test_the_end_of_the_acceptor_is_the_end_of_all(start: Start) -> None:
    server = start()
    processes = [*server.children(), *server.evaluators()]
    server.process.kill()
    assert wait_for(lambda: not [pid for pid in processes if Path(f"/proc/{pid}/fd").exists() and not _is_gone(pid)])


def _is_gone(pid: int) -> bool:
    try:
        return "Z" in Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except OSError:
        return True


def test_sigterm_finishes_what_runs(start: Start) -> None:
    server = start(query_seconds=1.0)
    processes = [*server.children(), *server.evaluators()]
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(server.ask, ENDLESS)
        assert wait_for(lambda: server.figure("kg_requests_running") == 1)
        server.process.send_signal(signal.SIGTERM)
        assert running.result()[1]["error"]["code"] == "query-timeout"
    assert server.process.wait(timeout=10) == 0
    assert wait_for(lambda: all(_is_gone(pid) for pid in processes))


def test_a_second_server_of_a_store_is_refused(start: Start, tmp_path: Path) -> None:
    server = start()
    with pytest.raises(StoreLocked, match=f"process {server.process.pid}"):
        serve(tmp_path / "store", Settings().replace(port=0))


def test_a_missing_store_is_said_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing, match="kg build"):
        serve(tmp_path / "none", Settings())


# -- connections -----------------------------------------------------------------------------------------------------

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("parts", "answers"),
    [
        ((HEALTH + HEALTH + HEALTH,), [b"200"] * 3),
        ((HEALTH, HEALTH), [b"200"] * 2),
        ((HEALTH[:20], HEALTH[20:]), [b"200"]),
        ((b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\nContent-Length: 6\r\n\r\nASK", b" {}"), [b"200"]),
        (
            (
                b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n",
                b"ASK {}\r\n0\r\n\r\n",
            ),
            [b"200"],
        ),
        ((b"HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + HEALTH,), [b"200"] * 2),
        ((b"nonsense\r\n\r\n",), [b"400"]),
        ((b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",), [b"400"]),
        ((b"GET /" + b"x" * 40_000,), [b"431"]),
        ((b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",), [b"400"]),
    ],
    ids=["pipelined", "kept alive", "in pieces", "body in pieces", "chunked", "head", "nonsense", "two lengths", "long", "TLS"],
)
def test_requests_arrive_in_every_manner(shared: Server, parts: tuple[bytes, ...], answers: list[bytes]) -> None:
    received = shared.raw(*parts)
    assert re.findall(rb"HTTP/1.1 (\d+)", received) == answers


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server of an empty store."""
    place = tmp_path_factory.mktemp("shared")
    open_store(place / "store", create=True).close()
    log = json.dumps({"serve_workers": 2, "access_log": str(place / "access")})
    with subprocess.Popen([sys.executable, "-c", START, str(place / "store"), log], stdout=subprocess.PIPE, text=True) as process:
        server = Server(process)
        server.process.args = str(place / "access")
        yield server
        process.kill()


def test_every_request_is_noted(shared: Server) -> None:
    before = shared.figure('kg_requests_total{route="/healthz"')
    assert shared.get("healthz") == (200, {"status": "ok"})
    assert wait_for(lambda: shared.figure('kg_requests_total{route="/healthz"') == before + 1)
    line = json.loads(Path(str(shared.process.args)).read_text(encoding="utf-8").splitlines()[-1])
    assert (line["method"], line["path"], line["status"], line["address"]) == ("GET", "/healthz", 200, "127.0.0.1")


def test_many_clients_at_once_lose_nothing(shared: Server) -> None:
    with ThreadPoolExecutor(32) as pool:
        assert {each[0] for each in pool.map(lambda _: shared.get("healthz"), range(300))} == {200}


def test_without_a_token_nothing_is_written(shared: Server) -> None:
    received = shared.raw(
        b"POST /update HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-update\r\nContent-Length: 8\r\n\r\nDROP ALL"
    )
    assert received.startswith(b"HTTP/1.1 403")
