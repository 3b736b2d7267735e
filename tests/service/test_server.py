"""The real server: starts, answers, shows what was written, and ends with all its workers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kg.errors import StoreMissing
from kg.gold import GoldDocument, GoldEntity, GoldFact
from kg.model import Document, Text
from kg.revise import Reviser
from kg.service.server import NewestStore, serve
from kg.settings import Settings
from kg.store import open_store

START = """
import sys
from kg.service.server import serve
from kg.settings import Settings
serve(sys.argv[1], Settings().replace(port=0), announce=lambda url: print(url, flush=True))
"""


@pytest.fixture
def put(put_annotated: Callable[[Reviser, Document, GoldDocument], None], tmp_path: Path) -> Callable[[str], None]:
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
def server(tmp_path: Path, put: Callable[[str], None]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The server in a process of its own, and its URL."""
    put("Alva")
    with subprocess.Popen([sys.executable, "-c", START, str(tmp_path / "store")], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
        if process.poll() is None:
            process.kill()


def people(url: str) -> list[str]:
    query = "SELECT%20%3Fn%20%7B%3Fp%20a%20kg%3APerson%3B%20rdfs%3Alabel%20%3Fn%7D%20ORDER%20BY%20%3Fn"
    with urllib.request.urlopen(f"{url}sparql?query={query}", timeout=20) as response:
        return [row["n"]["value"] for row in json.load(response)["results"]["bindings"]]


def workers_of(process: subprocess.Popen[str]) -> list[str]:
    return Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks for workers in /proc")
def test_the_server_answers_shows_new_documents_and_ends(server: tuple[subprocess.Popen[str], str], put: Callable[[str], None]) -> None:
    process, url = server
    assert url.startswith("http://127.0.0.1:")
    assert people(url) == ["Alva"]
    put("Berta")
    until, in_a_row = time.monotonic() + 10, 0
    while in_a_row < 8 and time.monotonic() < until:  # each worker looks for news by itself, so one fresh answer is not all of them
        in_a_row = in_a_row + 1 if people(url) == ["Alva", "Berta"] else 0
        time.sleep(0.1)
    assert in_a_row == 8
    workers = workers_of(process)
    assert len(workers) == 2
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]
    with pytest.raises(urllib.error.URLError):
        people(url)


def test_a_missing_store_is_said_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing, match="kg build"):
        serve(tmp_path / "none", Settings())


def test_a_request_keeps_its_store_and_the_next_one_sees_the_change(tmp_path: Path, put: Callable[[str], None]) -> None:
    put("Alva")
    newest = NewestStore(tmp_path / "store")
    before = newest()
    assert newest() is before
    size = len(before.graph)
    put("Berta")
    time.sleep(0.25)
    after = newest()
    assert len(before.graph) == size
    assert len(after.graph) > size
