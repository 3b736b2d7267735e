"""`kg wikidata find --online`, `kg link --online` and indexes from online, against a server on loopback that stands in for Wikidata."""

from __future__ import annotations

import io
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cli.conftest import Run, start
from tests.cli.test_link import ITEMS

# Items are invented: their numbers are beyond those in use. Classes are rows of the shipped table.
HUMAN, BUSINESS = "Q5", "Q4830453"
WORLD = {
    "Q999000001": ("Liv Vane", HUMAN, "Danish actress", 40),
    "Q999000002": ("Liv Vane", BUSINESS, "Danish fashion house", 60),
    "Q999000003": ("Noor Marsh", HUMAN, "Belgian photographer", 3),
    "Q999000004": ("Noor Marsh", HUMAN, "Belgian painter", 3),
    "Q999000005": ("Tidewell", "Q999000990", "of a class that the table doesn't hold", 9),
}
GONE, MOVED = "Q999000050", "Q999000051"


class _Wikidata(BaseHTTPRequestHandler):
    """The action API and the query service; `asked` holds what was answered, one text a request."""

    asked: list[str] = []  # noqa: RUF012
    status = 200
    slow = 0.0

    def do_GET(self) -> None:
        self.answer(urlsplit(self.path).query)

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def answer(self, text: str) -> None:
        time.sleep(self.slow)
        content = json.dumps(self.content({name: values[0] for name, values in parse_qs(text).items()})).encode()
        if self.status == 200:
            self.asked.append(text)
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def content(self, asked: dict[str, str]) -> Any:
        if "query" in asked:
            of_class = [qid for qid, (_, kind, _, _) in WORLD.items() if f" wd:{kind} " in asked["query"]]
            after = asked["query"].rpartition('> "')[2].partition('"')[0]
            iris = [iri for iri in (f"http://www.wikidata.org/entity/{qid}" for qid in of_class) if iri > after]
            return {"results": {"bindings": [{"item": {"type": "uri", "value": iri}} for iri in iris]}}
        if asked["action"] == "wbsearchentities":
            name = asked["search"]
            hits = [(qid, label) for qid, (label, *_) in WORLD.items() if label.startswith(name)]
            return {"search": [{"id": q, "label": n, "match": {"type": "label", "text": n}} for q, n in hits]}
        return {"entities": {qid: _entity(qid) for qid in asked["ids"].split("|")}}

    def log_message(self, *_: object) -> None:
        pass


def _entity(qid: str) -> dict[str, Any]:
    if qid == MOVED:
        return {**_entity("Q999000003"), "redirects": {"from": MOVED, "to": "Q999000003"}}
    if qid not in WORLD:
        return {"id": qid, "missing": ""}
    label, kind, description, links = WORLD[qid]
    claim = {"mainsnak": {"snaktype": "value", "datavalue": {"value": {"id": kind}}}, "rank": "normal"}
    texts = {name: {"en": {"language": "en", "value": value}} for name, value in (("labels", label), ("descriptions", description))}
    return {"type": "item", "id": qid, **texts, "aliases": {}, "claims": {"P31": [claim]}, "sitelinks": {str(n): n for n in range(links)}}


@pytest.fixture
def wikidata(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Wikidata]]:
    """The running server, to which the environment leads, without a limit of the rate."""
    _Wikidata.asked, _Wikidata.status, _Wikidata.slow = [], 200, 0.0
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Wikidata)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    for name in ("KG_WIKIDATA_API", "KG_WIKIDATA_SPARQL"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("KG_ONLINE_REQUESTS_PER_MINUTE", "0")
    yield _Wikidata
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def items(kg: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A small index of other items, which the environment names."""
    (place / "items.tsv").write_text(ITEMS, encoding="utf-8")
    assert kg("wikidata", "index", "--from-tsv", "items.tsv", "-o", str(place / "items.sqlite")).code == 0
    monkeypatch.setenv("KG_WIKIDATA_INDEX", str(place / "items.sqlite"))
    return str(place / "items.sqlite")


def test_find_asks_online_for_what_the_index_leaves_open(
    kg: Run, items: str, wikidata: type[_Wikidata], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the index accepts is not asked for; types are never violated; what is of unknown type is not accepted."""
    asked = [
        {"name": "Balenciaga", "type": "Brand"},
        {"name": "Liv Vane", "type": "Person"},
        {"name": "Liv Vane", "type": "Brand"},
        {"name": "Noor Marsh", "type": "Person"},
        {"name": "Noor Marsh", "type": "Person", "context": "Noor Marsh, the painter, showed three canvases."},
        {"name": "Tidewell", "type": "Brand"},
        {"name": "Nobody", "type": None},
        {"name": "Kim Kardashian", "type": "Person"},
    ]
    for _ in range(2):
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(json.dumps(each) + "\n" for each in asked)))
        rows = kg("wikidata", "find", "-", "--online").rows
        assert [[each["qid"] for each in row if each["accepted"]] for row in rows] == [
            ["Q903"], ["Q999000001"], ["Q999000002"], [], ["Q999000004"], [], [], []
        ]  # fmt: skip
        assert [[each["qid"] for each in row] for row in rows][5:] == [["Q999000005"], [], ["Q901", "Q902"]]
    searched = [text for text in wikidata.asked if "wbsearchentities" in text]
    assert not any("Balenciaga" in text for text in searched)
    assert len(searched) == len(set(searched))


def test_a_service_that_is_down_is_no_empty_answer(kg: Run, items: str, wikidata: type[_Wikidata], place: Path) -> None:
    """Exit code 1 and one line; what the index knows needs no service."""
    wikidata.status = 403
    (place / "a.txt").write_text("“I love Balenciaga,” Liv Vane said in Paris.\n", encoding="utf-8")
    assert kg("build", "a.txt").code == 0
    for command in (["wikidata", "find", "Liv Vane", "--online"], ["link", "--online"]):
        answer = kg(*command)
        assert (answer.code, answer.out) == (1, "")
        assert len(answer.err.splitlines()) == 1
        assert "refused" in answer.err
    assert kg("decisions", "--format", "jsonl").rows == []
    assert kg("wikidata", "find", "Balenciaga", "--type", "Brand", "--online", "--format", "json").data[0]["accepted"]


NEWS = "“I love Balenciaga,” Liv Vane said in Paris. Noor Marsh came late. “It is cold,” Noor Marsh said.\n"


def test_links_from_online_are_decisions(kg: Run, items: str, wikidata: type[_Wikidata], place: Path) -> None:
    """They have service and day, yield to people, and give with documents and index the same bytes again."""
    (place / "a.txt").write_text(NEWS, encoding="utf-8")
    assert kg("build", "a.txt").code == 0
    first = kg("link", "--online")
    assert (first.code, "1 linked, 1 in doubt" in first.err) == (0, True), first.err
    decisions = kg("decisions", "--format", "jsonl").rows
    assert [(row["kind"], *row["arguments"][:2]) for row in decisions] == [
        ("found", "person/liv-vane", "Q999000001"),
        ("candidate", "person/noor-marsh", "Q999000003"),
        ("candidate", "person/noor-marsh", "Q999000004"),
    ]
    said = [json.loads(line) for line in (place / "kg-online-answers.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {(row["agent"], row["date"]) for row in decisions} == {(each["service"], each["asked"]) for each in said}
    sent = len(wikidata.asked)
    assert kg("link", "--online").code == 0
    assert (len(wikidata.asked), kg("decisions", "--format", "jsonl").rows) == (sent, decisions)
    waiting = kg("link", "--review", "--format", "jsonl").rows
    assert [(row["qid"], row["description"]) for row in waiting] == [
        ("Q999000003", "Belgian photographer"), ("Q999000004", "Belgian painter")
    ]  # fmt: skip
    assert set(waiting[0]["features"]) == {"name", "type", "prior", "context", "coherence", "surety", "share"}
    assert kg("link", "--accept", "Noor Marsh", "Q999000004").out == "linked: person/noor-marsh is Q999000004 (Noor Marsh)\n"
    lived = kg("export", "--format", "nquads", "--canonical").out
    assert lived.count("2002/07/owl#sameAs> <http://www.wikidata.org/entity/Q99900000") == 2
    assert kg("validate").code == 0
    same = [node.get("schema:sameAs") for node in kg("export", "--format", "jsonld").data["@graph"]]
    assert sorted(filter(None, same)) == [f"http://www.wikidata.org/entity/{qid}" for qid in ("Q903", "Q999000001", "Q999000004")]
    (place / "decisions.jsonl").write_text(kg("decisions", "--format", "jsonl").out, encoding="utf-8")
    fresh = ("--store", str(place / "fresh"))
    assert kg("build", "a.txt", *fresh).code == 0
    assert kg("decisions", "--import", "decisions.jsonl", *fresh).code == 0
    assert kg("export", "--format", "nquads", "--canonical", *fresh).out == lived
    assert kg("link", "--reject", "Liv Vane", "Q999000001").code == 0
    assert kg("link", "--none", "Noor Marsh").code == 0
    assert "/Q999" not in "".join(
        line for line in kg("export", "--format", "nquads", "--canonical").out.splitlines(keepends=True) if "correction" not in line
    )


def test_a_killed_run_repeats_no_call(kg: Run, items: str, wikidata: type[_Wikidata], place: Path) -> None:
    """The run that is started again goes on where it was, to the same decisions."""
    people = [f"Person{chr(97 + number)} Marsh" for number in range(12)]
    (place / "a.txt").write_text(" ".join(f"“It is cold,” {name} said." for name in [*people, "Liv Vane"]) + "\n", encoding="utf-8")
    assert kg("build", "a.txt").code == 0
    wikidata.slow = 0.02
    process = start("link", "--online")
    try:
        deadline = time.monotonic() + 30
        while process.poll() is None and len(wikidata.asked) < 6 and time.monotonic() < deadline:
            time.sleep(0.002)
        assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.communicate(timeout=20)
    assert kg("link", "--online").code == 0
    # A request under way when the kill came was not answered, so that one may be sent twice.
    assert len(wikidata.asked) - len(set(wikidata.asked)) <= 1
    assert [row["arguments"][1] for row in kg("decisions", "--format", "jsonl").rows] == ["Q999000001"]


# -- indexes from online -----------------------------------------------------------------------------------------


def test_an_index_of_classes_and_identifiers(kg: Run, wikidata: type[_Wikidata], place: Path) -> None:
    """Redirects are followed, what is gone is counted, nothing is asked for twice, and the same answers give the same bytes."""
    (place / "ids.txt").write_text(f"# mine\nQ999000005\n{GONE}\nwd:{MOVED}\nhttp://www.wikidata.org/entity/Q999000002\n", encoding="utf-8")
    arguments = ("wikidata", "index", "--from-sparql", HUMAN, BUSINESS, "--from-qids", "ids.txt", "-o")
    made = kg(*arguments, "a.sqlite")
    assert made.code == 0, made.err
    assert "1 identifier of no item any more" in made.err
    assert "wrote 5 items" in made.err
    sent = len(wikidata.asked)
    assert sent == len(set(wikidata.asked))
    assert kg(*arguments, "b.sqlite").code == 0
    assert len(wikidata.asked) == sent
    assert (place / "a.sqlite").read_bytes() == (place / "b.sqlite").read_bytes()
    (found, _) = kg("wikidata", "find", "Noor Marsh", "--index", "a.sqlite", "--format", "json").data
    assert (found["types"], found["description"]) == (["Person"], "Belgian photographer")
    assert [path.name for path in place.glob("*.sqlite*")] in (["a.sqlite", "b.sqlite"], ["b.sqlite", "a.sqlite"])


def test_an_index_from_a_service_that_fails_leaves_the_former(kg: Run, wikidata: type[_Wikidata], place: Path) -> None:
    """One line, exit code 1; nothing is left beside it."""
    (place / "a.sqlite").write_bytes(b"former")
    wikidata.status = 403
    answer = kg("wikidata", "index", "--from-sparql", HUMAN, "-o", "a.sqlite")
    assert (answer.code, len(answer.err.splitlines())) == (1, 1)
    assert [(path.name, path.read_bytes()) for path in place.glob("a.*")] == [("a.sqlite", b"former")]


@pytest.mark.parametrize("content", ["Q1\nBalenciaga\n", "Q0", "Q999000050\n", "", "\udcff"])
def test_a_file_of_identifiers_that_is_none(kg: Run, wikidata: type[_Wikidata], place: Path, content: str) -> None:
    """Exit code 2, one line beside what is counted."""
    (place / "ids.txt").write_text(content, encoding="utf-8", errors="surrogateescape")
    answer = kg("wikidata", "index", "--from-qids", "ids.txt", "-o", "a.sqlite")
    assert answer.code == 2
    assert "Traceback" not in answer.err
    assert not (place / "a.sqlite").exists()
