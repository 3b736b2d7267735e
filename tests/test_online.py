"""Online back ends against real servers on loopback that misbehave: all is handled, nothing is lost, nothing is asked for twice."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest

from kg.errors import InputError, InvalidSetting, ServiceUnavailable
from kg.settings import Settings
from kg.wikidata.online import (
    ActionApi,
    ActionFinder,
    Answers,
    Connection,
    PropertyValue,
    Query,
    QueryService,
    ReconciliationClient,
    ReconciliationFinder,
    Wanted,
    ask_all,
    create_finder,
    read_class,
)

# Items of these tests are invented: their numbers are beyond those that are in use.
ITEMS = {f"Q99900000{number}": name for number, name in enumerate(("Orsenne", "Orsenne", "Liv Vane", "Tidewell"), 1)}
KNOWN = list(ITEMS)
DELETED, REDIRECTED, TARGET = "Q999000050", "Q999000051", KNOWN[2]

Trouble = tuple[int, bytes, dict[str, str]]


def document(qid: str) -> dict[str, Any]:
    """An item as the API gives it."""
    claim = {"mainsnak": {"datavalue": {"value": {"id": "Q999000099"}}}, "rank": "normal"}
    label = {"en": {"language": "en", "value": ITEMS[qid]}}
    return {"type": "item", "id": qid, "labels": label, "aliases": {}, "claims": {"P31": [claim]}, "sitelinks": {"a": 1, "b": 2}}


class Wikidata:
    """A server that answers like Wikidata's API and query service; `troubles` come first, one a request."""

    def __init__(self) -> None:
        self.troubles: list[Trouble] = []
        self.asked: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.slow = 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(urlsplit(self.path).query)

            def do_POST(self) -> None:
                self.answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

            def answer(self, text: str) -> None:
                asked = {name: values[0] for name, values in parse_qs(text).items()}
                outer.asked.append((urlsplit(self.path).path, asked, dict(self.headers)))
                time.sleep(outer.slow)
                status, content, headers = outer.troubles.pop(0) if outer.troubles else (200, outer.content(asked), {})
                if status == 0:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/w/api.php"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def content(self, asked: dict[str, str]) -> bytes:
        """The right answer."""
        if "query" in asked:
            after = asked["query"].rpartition('> "')[2].partition('"')[0]
            limit = int(asked["query"].rpartition("LIMIT ")[2])
            iris = [iri for iri in (f"http://www.wikidata.org/entity/{qid}" for qid in KNOWN) if iri > after][:limit]
            return json.dumps({"results": {"bindings": [{"item": {"type": "uri", "value": iri}} for iri in iris]}}).encode()
        if asked["action"] == "wbsearchentities":
            name = asked["search"]
            found = [qid for qid, label in ITEMS.items() if label.startswith(name)] + ([DELETED, REDIRECTED] if name == "Old" else [])
            hits = [{"id": qid, "label": name, "match": {"type": "label", "language": "en", "text": name}} for qid in found]
            return json.dumps({"search": hits, "success": 1}).encode()
        return json.dumps({"entities": {qid: self.entity(qid) for qid in asked["ids"].split("|")}, "success": 1}).encode()

    def entity(self, qid: str) -> dict[str, Any]:
        if qid == REDIRECTED:
            return {**document(TARGET), "redirects": {"from": REDIRECTED, "to": TARGET}}
        return document(qid) if qid in ITEMS else {"id": qid, "missing": ""}

    def counts(self) -> dict[str, int]:
        """How often each request came."""
        found: dict[str, int] = {}
        for _, asked, _ in self.asked:
            found[json.dumps(asked, sort_keys=True)] = found.get(json.dumps(asked, sort_keys=True), 0) + 1
        return found

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def wikidata(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wikidata]:
    """A running server, reached by no proxy."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    made = Wikidata()
    yield made
    made.stop()


@pytest.fixture
def settings(wikidata: Wikidata, tmp_path: Path) -> Settings:
    """Settings that lead there, without a limit of the rate."""
    changes = {"wikidata_api": wikidata.url, "wikidata_sparql": wikidata.url, "contact": "mailto:me@kg.example"}
    return Settings().replace(**changes, online_requests_per_minute=0, online_cache=str(tmp_path / "cache"), online_seconds=5)


@pytest.fixture
def waits() -> list[float]:
    """How long a client would have waited, each time."""
    return []


Make = Callable[..., Connection]


@pytest.fixture
def connection(settings: Settings, waits: list[float]) -> Make:
    """Makes a connection that notes its waits and doesn't take them."""

    def made(url: str = "", **changes: Any) -> Connection:
        line = Connection(url or settings.wikidata_api, settings.replace(**changes))
        line.line.sleep = waits.append
        return line

    return made


# -- what is asked, what comes back ------------------------------------------------------------------------------


def test_a_name_is_looked_up(wikidata: Wikidata, connection: Make) -> None:
    """A search a name, one request for all items found; candidates with types and features, none of them accepted."""
    finder = ActionFinder(ActionApi(connection()))
    ((vane, day), (houses, _), (nothing, _)) = finder.find([Wanted("Liv Vane", "Person"), Wanted("Orsenne"), Wanted("Zzz")])
    assert [(each.qid, each.label, each.types) for each in vane] == [(TARGET, "Liv Vane", ("Q999000099",))]
    assert vane[0].features == {"exact": 1.0, "label": 1.0, "rank": 1.0, "sitelinks": 2.0}
    assert vane[0].document is not None
    assert [each.qid for each in houses] == KNOWN[:2]
    assert nothing == ()
    assert not any(each.accepted for each in (*vane, *houses))
    assert day == time.strftime("%Y-%m-%d", time.gmtime())
    assert [asked["action"] for _, asked, _ in wikidata.asked] == [*["wbsearchentities"] * 3, "wbgetentities"]
    assert all(asked["maxlag"] == "5" for _, asked, _ in wikidata.asked)
    headers = wikidata.asked[0][2]
    assert headers["User-Agent"].startswith("kg/")
    assert "(mailto:me@kg.example)" in headers["User-Agent"]
    assert headers["Accept-Encoding"] == "gzip"


def test_fifty_ids_a_request(wikidata: Wikidata, connection: Make) -> None:
    """No id is left out, and each is asked for once."""
    ids = [f"Q{number}" for number in range(999000100, 999000221)]
    found = list(ActionApi(connection()).entities([*ids, *ids]))
    assert [each.requested for each in found] == ids
    assert [len(asked["ids"].split("|")) for _, asked, _ in wikidata.asked] == [50, 50, 21]


def test_redirected_and_deleted_items_are_recorded(connection: Make) -> None:
    """A redirect leads to its target and says from where; a deleted item is said to be deleted and is no candidate."""
    api = ActionApi(connection())
    deleted, moved = api.entities([DELETED, REDIRECTED])
    assert (deleted.is_deleted, deleted.is_redirect) == (True, False)
    assert (moved.is_deleted, moved.is_redirect, moved.qid) == (False, True, TARGET)
    ((found, _),) = ActionFinder(api).find([Wanted("Old")])
    assert [(each.qid, each.redirected_from) for each in found] == [(TARGET, REDIRECTED)]
    assert found[0].as_data()["redirected_from"] == REDIRECTED


def test_what_is_no_identifier_is_not_asked_for(wikidata: Wikidata, connection: Make) -> None:
    """It would spoil the whole batch."""
    with pytest.raises(InputError, match="Q1\\|Q2"):
        list(ActionApi(connection()).entities(["Q1|Q2"]))
    with pytest.raises(InputError):
        list(QueryService(connection()).items_of_class("Q1> } DROP ALL"))
    assert wikidata.asked == []


def test_a_class_comes_page_by_page(wikidata: Wikidata, connection: Make) -> None:
    """Every item once, in pages that follow each other; the items are as a dump has them."""
    service = QueryService(connection())
    assert list(service.items_of_class("Q999000099", page=3)) == KNOWN
    assert len(wikidata.asked) == 2
    found = list(read_class(service, ActionApi(connection()), ["Q999000099", "Q999000098"]))
    assert [each.document for each in found] == [document(qid) for qid in KNOWN]


# -- what goes wrong ---------------------------------------------------------------------------------------------

LAG = json.dumps({"error": {"code": "maxlag", "info": "Waiting for a server: 7 seconds lagged.", "lag": 7}}).encode()
LIMITED = json.dumps({"error": {"code": "ratelimited", "info": "You've exceeded your rate limit."}}).encode()
SHORT = json.dumps({"entities": {}, "success": 1}).encode()
TROUBLES: dict[str, tuple[Trouble, float]] = {
    "429 with seconds": ((429, b"", {"Retry-After": "7"}), 7),
    "429 with a past date": ((429, b"", {"Retry-After": formatdate(0, usegmt=True)}), 1),
    "maxlag": ((200, LAG, {"Retry-After": "5"}), 5),
    "maxlag without a header": ((200, LAG, {}), 1),
    "rate limit": ((200, LIMITED, {}), 1),
    "500": ((500, b"<html>oops</html>", {}), 1),
    "503": ((503, b"", {"Retry-After": "9"}), 9),
    "hung up": ((0, b"", {}), 1),
    "half of it": ((200, b'{"search": [', {}), 1),
    "a page": ((200, b"<!doctype html><p>Log in</p>", {}), 1),
    "deep JSON": ((200, b"[" * 100_000, {}), 1),
    "another form": ((200, b'{"batchcomplete": ""}', {}), 1),
    "no object": ((200, b"[]", {}), 1),
    "broken gzip": ((200, b"no gzip", {"Content-Encoding": "gzip"}), 1),
    "gzip": ((200, gzip.compress(b'{"search": []}'), {"Content-Encoding": "gzip"}), 0),
}


@pytest.mark.parametrize("name", sorted(TROUBLES))
def test_what_passes_is_waited_for(wikidata: Wikidata, connection: Make, waits: list[float], name: str) -> None:
    """As long as the server says, else longer each time; then the answer counts, and only it is kept."""
    trouble, wait = TROUBLES[name]
    wikidata.troubles = [trouble]
    hits, _ = ActionApi(connection()).search("Liv Vane")
    assert waits == ([wait] if wait else [])
    assert len(hits) == (1 if wait else 0)
    sent = len(wikidata.asked)
    assert ActionApi(connection()).search("Liv Vane")[0] == hits
    assert len(wikidata.asked) == sent


def test_an_answer_that_leaves_an_item_out_is_none(wikidata: Wikidata, connection: Make, waits: list[float]) -> None:
    """An item that isn't spoken of is neither there nor deleted."""
    wikidata.troubles = [(200, SHORT, {})]
    (found,) = ActionApi(connection()).entities([TARGET])
    assert found.document == document(TARGET)
    assert waits == [1]


@pytest.mark.parametrize("name", ["500", "maxlag", "hung up", "half of it", "another form"])
def test_a_service_that_stays_away_is_no_empty_answer(
    wikidata: Wikidata, connection: Make, waits: list[float], tmp_path: Path, name: str
) -> None:
    """After five attempts it is ServiceUnavailable, with a hint; nothing is recorded as found or not found."""
    wikidata.troubles = [TROUBLES[name][0]] * 5
    answers = Answers(tmp_path / "answers.jsonl")
    with pytest.raises(ServiceUnavailable, match="failed 5 times") as caught:
        list(ask_all(ActionFinder(ActionApi(connection())), [Wanted("Liv Vane")], answers))
    assert "again later" in caught.value.hint
    assert len(waits) == 4
    assert waits == sorted(waits)
    assert len(answers) == 0
    assert len(list(ask_all(ActionFinder(ActionApi(connection())), [Wanted("Liv Vane")], answers))) == 1


def test_a_time_out_is_one_attempt(wikidata: Wikidata, connection: Make, waits: list[float]) -> None:
    """A server that doesn't answer in time is asked again, and at last is unavailable."""
    wikidata.slow = 0.2
    with pytest.raises(ServiceUnavailable, match="timed out"):
        ActionApi(connection(online_seconds=0.02)).search("Liv Vane")
    assert len(waits) == 4


def test_a_long_wait_ends_the_run(wikidata: Wikidata, connection: Make, waits: list[float]) -> None:
    """An hour is not waited for: the next run goes on."""
    wikidata.troubles = [(429, b"", {"Retry-After": "3600"})]
    with pytest.raises(ServiceUnavailable, match="asks to wait 3600 s"):
        ActionApi(connection()).search("Liv Vane")
    assert waits == []


@pytest.mark.parametrize(
    ("status", "content"), [(403, b""), (404, b""), (200, b'{"error": {"code": "badvalue", "info": "no such action"}}')]
)
def test_a_refusal_is_not_repeated(wikidata: Wikidata, connection: Make, waits: list[float], status: int, content: bytes) -> None:
    """What every request would meet ends the run at once."""
    wikidata.troubles = [(status, content, {})]
    with pytest.raises(ServiceUnavailable, match="refused"):
        ActionApi(connection()).search("Liv Vane")
    assert (len(wikidata.asked), waits) == (1, [])


def test_a_moved_service_is_followed_on_the_web_only(wikidata: Wikidata, connection: Make) -> None:
    """A redirection to another address is followed, one to a file is not."""
    wikidata.troubles = [(301, b"", {"Location": f"{wikidata.url}?action=wbsearchentities&search=Tidewell"})]
    assert [hit.qid for hit in ActionApi(connection()).search("Liv Vane")[0]] == [KNOWN[3]]
    wikidata.troubles = [(302, b"", {"Location": "file:///etc/passwd"})]
    with pytest.raises(ServiceUnavailable, match="302"):
        ActionApi(connection()).search("Orsenne")


def test_nobody_listens(connection: Make) -> None:
    """A dead address."""
    with pytest.raises(ServiceUnavailable):
        ActionApi(connection("http://127.0.0.1:1/")).search("Liv Vane")


@pytest.mark.parametrize("changes", [{"wikidata_api": "ftp://x/"}, {"wikidata_api": "wikidata"}, {"contact": "a\nb"}, {"contact": "é"}])
def test_wrong_settings_are_named(settings: Settings, changes: dict[str, str]) -> None:
    """Before anything is asked."""
    with pytest.raises(InvalidSetting):
        create_finder(settings.replace(**changes))


def test_a_cache_that_cannot_be_written_is_named(connection: Make, tmp_path: Path) -> None:
    """Better than asking again and again."""
    (tmp_path / "full").write_text("", encoding="utf-8")
    with pytest.raises(ServiceUnavailable, match="full"):
        ActionApi(connection(online_cache=str(tmp_path / "full"))).search("Liv Vane")


def test_one_request_a_second(connection: Make, waits: list[float]) -> None:
    """The rate of the settings; kept answers take no time."""
    api = ActionApi(connection(online_requests_per_minute=60))
    for name in ("Liv Vane", "Orsenne", "Liv Vane", "Tidewell"):
        api.search(name)
    assert waits == [pytest.approx(1, abs=0.2), pytest.approx(2, abs=0.2)]
    assert Settings().online_requests_per_minute == 60


# -- answers as data ---------------------------------------------------------------------------------------------


def test_answers_are_data(wikidata: Wikidata, connection: Make, tmp_path: Path) -> None:
    """One line a name, with the day; read again they are the same, and nothing is asked."""
    path = tmp_path / "deep" / "answers.jsonl"
    names = [Wanted("Liv Vane", "Person"), Wanted("Zzz"), Wanted("Liv Vane", "Person")]
    first = list(ask_all(ActionFinder(ActionApi(connection())), names, Answers(path)))
    assert [len(each.candidates) for each in first] == [1, 0, 1]
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(line["name"], line["type"], line["service"]) for line in lines] == [
        ("Liv Vane", "Person", wikidata.url),
        ("Zzz", None, wikidata.url),
    ]
    assert all(line["asked"] == first[0].asked for line in lines)
    shutil.rmtree(tmp_path / "cache")
    wikidata.asked.clear()
    assert list(ask_all(ActionFinder(ActionApi(connection())), names, Answers(path))) == first
    assert wikidata.asked == []


def test_a_line_cut_off_is_dropped_and_a_wrong_one_named(wikidata: Wikidata, connection: Make, tmp_path: Path) -> None:
    """A kill while writing loses that answer alone; a file that is something else is not written over."""
    path = tmp_path / "answers.jsonl"
    finder = ActionFinder(ActionApi(connection()))
    list(ask_all(finder, [Wanted("Liv Vane")], Answers(path)))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40])
    again = Answers(path)
    assert len(again) == 1
    list(ask_all(finder, [Wanted("Tidewell")], again))
    assert [each.wanted.name for each in Answers(path)] == ["Liv Vane", "Tidewell"]
    path.write_text("{}\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 1"):
        Answers(path)


SCRIPT = """
import sys
from pathlib import Path
from kg.settings import Settings
from kg.wikidata.online import Answers, Wanted, ask_all, create_finder
api, cache, answers = sys.argv[1:4]
settings = Settings().replace(wikidata_api=api, online_cache=cache, online_requests_per_minute=0)
for reply in ask_all(create_finder(settings), [Wanted(name) for name in sys.argv[4:]], Answers(Path(answers))):
    print(reply.wanted.name, len(reply.candidates), flush=True)
"""


def test_a_killed_run_repeats_no_call(wikidata: Wikidata, tmp_path: Path) -> None:
    """Killed again and again in the middle, it comes to its end, and every answered request was sent once."""
    names = [f"Name {number}" for number in range(24)] + ["Liv Vane"]
    arguments = [sys.executable, "-c", SCRIPT, wikidata.url, str(tmp_path / "cache"), str(tmp_path / "answers.jsonl"), *names]
    wikidata.slow = 0.01
    kills = 0
    for limit in (5, 14, 23, 1000):
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        try:
            while process.poll() is None and len(wikidata.asked) < limit:
                time.sleep(0.002)
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
        finally:
            output, _ = process.communicate(timeout=20)
    assert kills == 3
    assert output.splitlines() == [f"{name} {int(name == 'Liv Vane')}" for name in names]
    # A request under way when the kill came was not answered, so each kill may repeat the one it cut off.
    repeated = [count for count in wikidata.counts().values() if count > 1]
    assert sum(repeated) - len(repeated) <= kills
    assert len(wikidata.counts()) == len(names) + 1


# -- reconciliation services -------------------------------------------------------------------------------------


class Service(Wikidata):
    """A reconciliation service; takes at most `most` queries at a time."""

    manifest: dict[str, Any] = {"name": "Invented", "versions": ["0.2"]}  # noqa: RUF012
    most = 100

    def content(self, asked: dict[str, str]) -> bytes:
        if "queries" not in asked:
            return json.dumps(self.manifest).encode()
        queries = json.loads(asked["queries"])
        return json.dumps({name: {"result": self.result(query)} for name, query in queries.items()}).encode()

    def result(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        found = [qid for qid, label in ITEMS.items() if label == query["query"]]
        return [
            {"id": qid, "name": query["query"], "score": 120 - 30 * at, "match": True, "type": ["Q999000099"]}
            for at, qid in enumerate(found)
        ]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A running service."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    made = Service()
    yield made
    made.stop()


def test_a_service_is_asked_in_batches(service: Service, connection: Make) -> None:
    """Ten names a request; what two candidates are certain of, nobody is."""
    finder = ReconciliationFinder(ReconciliationClient(connection(service.url)), {"Person": "Q999000099"})
    found = finder.find([Wanted("Liv Vane", "Person"), Wanted("Orsenne"), *(Wanted(f"No {number}") for number in range(10))])
    ((vane,), _), (houses, _), *others = found
    assert (vane.qid, vane.score, vane.accepted, vane.types) == (TARGET, 1.0, True, ("Q999000099",))
    assert [each.accepted for each in houses] == [False, False]
    assert [candidates for candidates, _ in others] == [()] * 10
    asked = [json.loads(form["queries"]) for _, form, _ in service.asked[1:]]
    assert [len(batch) for batch in asked] == [10, 2]
    assert asked[0]["q0"] == {"query": "Liv Vane", "limit": 10, "type": "Q999000099"}


def test_an_answer_to_some_queries_is_none(service: Service, connection: Make, waits: list[float]) -> None:
    """A result that is missing is a fault of the service, not an empty result."""
    client = ReconciliationClient(connection(service.url))
    service.troubles = [
        (200, b'{"q0": {"result": []}}', {}),
        (200, b'{"q0": {}, "q1": {}}', {}),
        (200, b'{"q0":{"result":[{}]},"q1":3}', {}),
    ]
    assert [len(found) for found, _ in client.match([Query("Liv Vane"), Query("Zzz")])] == [1, 0]
    assert waits == [1, 2, 4]


def test_a_batch_that_is_too_large_is_halved(service: Service, connection: Make) -> None:
    """413 for many, an answer for few."""
    client = ReconciliationClient(connection(service.url))
    service.troubles = [(413, b"", {}), (413, b"", {})]
    found = client.match([Query(name, properties=(PropertyValue("P", "v"),)) for name in ("Liv Vane", "Zzz", "Orsenne", "Tidewell")])
    assert [len(candidates) for candidates, _ in found] == [1, 0, 2, 1]


@pytest.mark.parametrize("manifest", [{"name": "x", "versions": ["9"]}, {}, {"name": "x", "versions": "0.2"}])
def test_what_is_no_service_is_unavailable(service: Service, connection: Make, manifest: dict[str, Any]) -> None:
    """Another protocol, or none."""
    service.manifest = manifest
    with pytest.raises(ServiceUnavailable):
        ReconciliationClient(connection(service.url))


def test_a_service_of_other_things_is_refused(service: Service, connection: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its ids are no items of Wikidata."""
    monkeypatch.setattr(service, "result", lambda query: [{"id": "n42", "name": "x", "score": 1, "match": True}])
    with pytest.raises(InputError, match="n42"):
        ReconciliationFinder(ReconciliationClient(connection(service.url))).find([Wanted("x")])


# -- real servers ------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until a server answers."""
    until = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < until:
        try:
            urlopen(url, timeout=2).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"{url} did not begin to serve")


def test_our_own_service_is_a_service(tmp_path: Path, store: Any, connection: Make) -> None:
    """The client asks the server of this project, in both versions, and gets the same entities."""
    from werkzeug.serving import make_server

    from kg.service import create_app

    server = make_server("127.0.0.1", 0, create_app(store, Settings()), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        for path, version in (("/reconcile", "0.2"), ("/reconcile/1.0", "1.0-draft")):
            client = ReconciliationClient(connection(f"http://127.0.0.1:{server.server_port}{path}"))
            assert client.version == version
            sought = Query("Liv Vane", "Person", (PropertyValue("ambassadorOf", "Orsenne"),))
            ((found, _), (nothing, _)) = client.match([sought, Query("Qwxzzyq")])
            assert (found[0].id, found[0].match, found[0].types) == ("person/liv-vane", True, ("Person",))
            assert nothing == []
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_csv_reconcile_is_spoken_to(tmp_path: Path, connection: Make) -> None:
    """A server of version 0.1, which knows no types and no descriptions."""
    program = shutil.which("csv-reconcile")
    if program is None:
        pytest.skip("csv-reconcile is not on the path")
    (tmp_path / "names.tsv").write_text("id\tname\n" + "".join(f"{qid}\t{name}\n" for qid, name in ITEMS.items()), encoding="utf-8")
    port = free_port()
    (tmp_path / "config.py").write_text(f"SERVER_NAME = '127.0.0.1:{port}'\n", encoding="utf-8")
    made = [program, "init", "--config", "config.py", "names.tsv", "id", "name"]
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    process = subprocess.Popen([program, "serve"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/reconcile", process)
        client = ReconciliationClient(connection(f"http://127.0.0.1:{port}/reconcile"))
        assert client.version == "0.1"
        ((found, _), (nothing, _)) = client.match([Query("Liv Vane"), Query("Qwxzzyq")])
        assert (found[0].id, found[0].name, found[0].match) == (TARGET, "Liv Vane", True)
        assert nothing == []
    finally:
        process.terminate()
        process.wait(timeout=10)


def test_datasette_reconcile_is_spoken_to(tmp_path: Path, connection: Make) -> None:
    """A server of version 0.2 over a table of SQLite."""
    program = shutil.which("datasette")
    plugins = subprocess.run([program, "plugins"], capture_output=True, timeout=60).stdout if program else b""
    if program is None or b"datasette-reconcile" not in plugins:
        pytest.skip("datasette with datasette-reconcile is not on the path")
    with closing(sqlite3.connect(tmp_path / "names.db")) as database:
        database.execute("CREATE TABLE item (id TEXT PRIMARY KEY, name TEXT)")
        database.executemany("INSERT INTO item VALUES (?, ?)", ITEMS.items())
        database.commit()
    table = {"plugins": {"datasette-reconcile": {"id_field": "id", "name_field": "name"}}}
    (tmp_path / "metadata.json").write_text(json.dumps({"databases": {"names": {"tables": {"item": table}}}}), encoding="utf-8")
    port = free_port()
    arguments = [program, "serve", "names.db", "-m", "metadata.json", "-p", str(port)]
    process = subprocess.Popen(arguments, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        place = f"http://127.0.0.1:{port}/names/item/-/reconcile"
        wait_for(place, process)
        finder = ReconciliationFinder(ReconciliationClient(connection(place)))
        ((found, _), (nothing, _)) = finder.find([Wanted("Liv Vane"), Wanted("Qwxzzyq")])
        assert (found[0].qid, found[0].label) == (TARGET, "Liv Vane")
        assert nothing == ()
    finally:
        process.terminate()
        process.wait(timeout=10)
