"""Real servers on loopback, each started once, ended by their own process, and emptied for every test."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kg.gold import GoldDocument
from kg.graph.remote import RemoteGraph
from kg.graph.server import access_of, find_server
from kg.model import Document
from kg.rdf.ontology import load_ontology
from kg.revise import Reviser
from kg.settings import Settings
from kg.store import Store

BASE = "http://localhost:8000/"
_VIRTUOSO = """[Database]
DatabaseFile = {folder}/v.db
ErrorLogFile = {folder}/v.log
LockFile = {folder}/v.lck
TransactionFile = {folder}/v.trx
xa_persistent_file = {folder}/v.pxa
FileExtend = 200
[TempDatabase]
DatabaseFile = {folder}/t.db
TransactionFile = {folder}/t.trx
[Parameters]
ServerPort = 127.0.0.1:{sql}
DisableUnixSocket = 1
NumberOfBuffers = 4000
MaxDirtyBuffers = 2500
[HTTPServer]
ServerPort = 127.0.0.1:{http}
ServerThreads = 8
[SPARQL]
{limits}
"""


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


class Running:
    """A server that can be ended and started again on the same files."""

    def __init__(self, folder: Path, command: list[str], url: str) -> None:
        self.folder, self.command, self.url = folder, command, url
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers."""
        with (self.folder / "out.log").open("ab") as log:
            self.process = subprocess.Popen(self.command, cwd=self.folder, stdout=log, stderr=log)
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{self.url}?query=ASK%7B%7D", timeout=5).close()
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError((self.folder / "out.log").read_text())

    def kill(self) -> None:
        """Ends it at once, as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self.process = None


def _oxigraph(folder: Path) -> Running:
    program = Path(sys.executable).with_name("oxigraph")
    if not program.exists():
        pytest.skip("oxigraph's server is not installed (PyPI: oxigraph)")
    port = free_port()
    return Running(folder, [str(program), "serve", "-l", str(folder / "db"), "-b", f"127.0.0.1:{port}"], f"http://127.0.0.1:{port}")


def _virtuoso(folder: Path, limits: str = "") -> Running:
    program = shutil.which("virtuoso-t")
    if program is None:
        pytest.skip("virtuoso-t is not installed (Debian: virtuoso-opensource)")
    port = free_port()
    (folder / "v.ini").write_text(_VIRTUOSO.format(folder=folder, http=port, sql=free_port(), limits=limits))
    return Running(folder, [program, "+configfile", str(folder / "v.ini"), "+foreground"], f"http://127.0.0.1:{port}/sparql")


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Running]]:
    """Gives the server of a kind, which runs until the tests end."""
    running: dict[str, Running] = {}

    def give(kind: str) -> Running:
        if kind not in running:
            limits = {"limited": "ResultSetMaxRows = 50"}.get(kind, "")
            folder = tmp_path_factory.mktemp(kind)
            running[kind] = _oxigraph(folder) if kind == "oxigraph" else _virtuoso(folder, limits)
            running[kind].start()
        elif running[kind].process is None:
            running[kind].start()
        return running[kind]

    yield give
    for each in running.values():
        each.kill()


def settings_for(url: str, ledger: Path) -> Settings:
    """Settings of a store on a server, with the password that a new Virtuoso has."""
    return Settings().replace(store=url, ledger=str(ledger), server_user="dba", server_password="dba", extractors="rules")


def emptied(url: str) -> None:
    """Takes everything out that is in a server's graphs."""
    settings = settings_for(url, Path("unused"))
    graph = RemoteGraph(find_server(url, settings, base=BASE), access_of(settings))
    graph.apply(list(graph), [])
    assert list(graph) == []
    graph.close()


@pytest.fixture
def fresh(servers: Callable[[str], Running]) -> Callable[[str], Running]:
    """Gives the server of a kind with nothing in it."""

    def give(kind: str) -> Running:
        running = servers(kind)
        emptied(running.url)
        return running

    return give


@pytest.fixture(params=["embedded", "oxigraph", "virtuoso"])
def settings(request: pytest.FixtureRequest, tmp_path: Path, servers: Callable[[str], Running]) -> Settings:
    """Settings that name an empty place: a folder, or a server of each kind."""
    if request.param == "embedded":
        return Settings().replace(store=str(tmp_path / "store"), extractors="rules")
    url = servers(request.param).url
    emptied(url)
    return settings_for(url, tmp_path / "ledger")


@pytest.fixture
def fill(put_annotated: Callable[[Reviser, Document, GoldDocument], None]) -> Callable[..., Reviser]:
    """Puts annotated documents into a store."""

    def put(store: Store, documents: list[tuple[Document, GoldDocument]]) -> Reviser:
        reviser = Reviser(store, single_valued=load_ontology(Settings()).single_valued)
        for document, gold in documents:
            put_annotated(reviser, document, gold)
        return reviser

    return put
