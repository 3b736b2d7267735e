"""The query that asks Wikidata, against a SPARQL server on loopback that stands in for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.errors import QueryRefused
from kg.model import Document, Entity, Link, Resolution, Text
from kg.query.library import ask, find_query
from kg.query.run import run_query
from kg.revise import Reviser
from kg.settings import Settings
from kg.store import Store, open_store
from kg.validate import Verdict

WIKIDATA = "https://query.wikidata.org/sparql"
QUERY = "wikidata-dates-and-owners"
# Items are invented: their numbers are beyond those in use.
FACTS = """
PREFIX wd: <http://www.wikidata.org/entity/> PREFIX wdt: <http://www.wikidata.org/prop/direct/>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
INSERT DATA {
  wd:Q999000001 wdt:P569 "1990-05-01T00:00:00Z"^^xsd:dateTime . wd:Q999000002 wdt:P749 wd:Q999000003 .
  wd:Q999000004 wdt:P569 "1970-01-01T00:00:00Z"^^xsd:dateTime . wd:Q999000005 wdt:P749 wd:Q999000003 .
}
"""


class Service:
    """A SPARQL endpoint over these facts; `asked` holds the queries."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        graph, outer = ox.Store(), self
        graph.update(FACTS)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.asked.append(query)
                content = graph.query(query).serialize(format=ox.QueryResultsFormat.JSON)
                self.send_response(200)
                self.send_header("Content-Type", "application/sparql-results+json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/sparql"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def far() -> Iterator[Service]:
    made = Service()
    yield made
    made.stop()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Two linked entities and one that is not."""
    with open_store(tmp_path / "store", create=True) as made:
        entities = (
            Entity("person/liv-vane", "Person", "Liv Vane", link=Link("Q999000001", "Liv Vane", 1.0, "label", "i")),
            Entity("brand/orsenne", "Brand", "Orsenne", link=Link("Q999000002", "Orsenne", 1.0, "label", "i")),
            Entity("brand/tidewell", "Brand", "Tidewell", candidates=(Link("Q999000005", "Tidewell", 0.5, "label", "i"),)),
        )
        document = Document("a", (Text("body", "Liv Vane of Orsenne met Tidewell."),))
        reviser = Reviser(made, single_valued=frozenset())
        reviser.put(document, Verdict(Resolution("a", entities), ()), fingerprint="f")
        yield made


def asked(store: Store, far: Service, tmp_path: Path, **given: str) -> list[str]:
    """The shipped query, with the address of the stand-in in it."""
    text = find_query(Settings(), QUERY).text.replace(f"SERVICE <{WIKIDATA}>", f"SERVICE <{far.url}>")
    assert far.url in text
    (tmp_path / "query.rq").write_text(text, encoding="utf-8")
    results = ask(store, str(tmp_path / "query.rq"), given, settings=Settings().replace(services=far.url))
    return results.serialize("csv").decode().splitlines()


def test_dates_and_owners_of_linked_entities(store: Store, far: Service, tmp_path: Path) -> None:
    """Of accepted links only, and the service is told which items are meant."""
    wd = "http://www.wikidata.org/entity/"
    space = store.namespace
    vane = f"1990-05-01T00:00:00Z,{space.entity('person/liv-vane')},{wd}Q999000001,Liv Vane,"
    house = f",{space.entity('brand/orsenne')},{wd}Q999000002,Orsenne,{wd}Q999000003"
    header, *rows = asked(store, far, tmp_path)
    assert sorted(header.split(",")) == ["born", "entity", "item", "name", "parent"]
    order = [header.split(",").index(name) for name in ("born", "entity", "item", "name", "parent")]
    assert [",".join(row.split(",")[at] for at in order) for row in rows] == [vane, house]
    assert "Q999000001" in far.asked[0]
    assert "Q999000005" not in far.asked[0]
    assert len(asked(store, far, tmp_path, entity="Liv Vane")) == 2
    assert "Q999000002" not in far.asked[-1]


def test_wikidata_is_not_asked_unless_the_settings_say_so(store: Store) -> None:
    """The shipped query names Wikidata's own service."""
    with pytest.raises(QueryRefused, match="SERVICE"):
        ask(store, QUERY, {}, settings=Settings())


PART = "?item wdt:P569 ?born"
PATTERNS = {
    "?e owl:sameAs ?item . SERVICE <far> { ?item wdt:P569 ?born }": (1, True),
    "VALUES ?item { wd:Q999000004 } SERVICE <far> { ?item wdt:P569 ?born }": (1, True),
    "VALUES (?item) { (wd:Q999000004) } ?e owl:sameAs ?other . SERVICE <far> { ?item wdt:P569 ?born }": (2, True),
    "VALUES ?item { UNDEF } SERVICE <far> { ?item wdt:P569 ?born }": (2, False),
    "OPTIONAL { ?none owl:sameAs ?item ; kg:none ?x } SERVICE <far> { ?item wdt:P569 ?born }": (2, False),
    "?e owl:sameAs ?item . FILTER(!BOUND(?born) || true) SERVICE <far> { ?item wdt:P569 ?born }": (1, False),
    "?e owl:sameAs ?item . SERVICE <far> { SELECT ?born { ?item wdt:P569 ?born } }": (4, False),
    "SERVICE <far> { ?item wdt:P569 ?born } ?e owl:sameAs ?item": (1, False),
    "{ ?e owl:sameAs ?item } SERVICE SILENT <far> { ?item wdt:P569 ?born }": (1, False),
    "?e owl:sameAs ?item . SERVICE SILENT <far> { ?item wdt:P569 ?born . FILTER(?born > '2000'^^xsd:gYear || true) }": (1, True),
    "?e kg:none ?item . SERVICE <far> { ?item wdt:P569 ?born }": (0, True),
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_service_is_told_what_can_join(store: Store, far: Service, pattern: str) -> None:
    """Only where that alters no solution."""
    rows, told = PATTERNS[pattern]
    results = run_query(
        store, f"SELECT * WHERE {{ {pattern.replace('<far>', f'<{far.url}>')} }}", settings=Settings().replace(services=far.url)
    )
    assert len(results) == rows
    assert not far.asked or ("VALUES" in far.asked[0]) == told
