"""How long the first pages of a large graph take, in one process, against a query of one row over the same store.

    .venv/bin/python benchmarks/pages.py [TRIPLES]

The graph is made up: a hub that a fifth of all facts lead to, people with about five facts each, a sentence for every fact.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyoxigraph as ox

from kg.model import Evidence, Fact, Profile, Span, Statement, fact_id
from kg.rdf.write import Writer
from kg.service import create_app
from kg.service.snapshot import load
from kg.settings import Settings
from kg.store import open_store

_HTML = {"Accept": "text/html"}
_PAGES = {
    "home": "/",
    "entity": "/resource/person/p7",
    "hub": "/resource/brand/hub",
    "hub, page 9": "/resource/brand/hub?inverse=ambassadorOf&page=9",
}


def quads(writer: Writer, facts: int) -> Iterator[ox.Quad]:
    """Profiles and facts of the fused view, about 18 triples a fact."""
    predicates = ("ambassadorOf", "wore", "criticized", "founderOf")
    people, brands = max(1, facts // 5), max(1, facts // 50)
    for number in range(people):
        yield from writer.profile(Profile(f"person/p{number}", ("Person",), f"Person {number}", (), (f"d{number % 1000}",)))
    for number in range(brands):
        yield from writer.profile(Profile(f"brand/b{number}", ("Brand",), f"Brand {number}", (), (f"d{number % 1000}",)))
    yield from writer.profile(Profile("brand/hub", ("Brand",), "Hub", ("The Hub",), tuple(f"d{number}" for number in range(1000))))
    for number in range(facts):
        subject, predicate = f"person/p{number % people}", predicates[number % 4]
        value = "brand/hub" if number < people else f"brand/b{number % brands}"
        document = f"d{number % 1000}"
        quote = f"Person {number % people} was seen with {value.partition('/')[2].title()} in {1990 + number % 30}."
        evidence = Evidence(document, "body", Span(0, len(quote)), quote, "made", "1", 0.9)
        dates = (("start", str(1990 + number % 30)),) if number % 3 == 0 else ()
        statement = Statement(document, subject, predicate, value, (evidence,), dates)
        yield from writer.fact(Fact(fact_id(subject, predicate, value), subject, predicate, value, (statement,), dates, 0.9, 1))


def seconds(work: Callable[[], object]) -> float:
    """The time of one run."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main(triples: int) -> None:
    """Prints a line a page: its first time, the median of nine more, and the median as a multiple of the small query's."""
    with tempfile.TemporaryDirectory() as folder:
        with open_store(Path(folder) / "store", create=True) as made:
            made.graph.bulk_extend(quads(made.writer, triples // 18))
        store = load(Path(folder) / "store")  # in memory, as the service has it
        print(f"{len(store.graph):,} triples")
        app = create_app(store, Settings())
        for name in app.jinja_env.list_templates():  # as the server does before it forks
            app.jinja_env.get_template(name)
        client = app.test_client()
        asked = "/sparql?query=SELECT%20*%20%7B%20%3Fs%20a%20kg%3ABrand%20%7D%20LIMIT%201"
        client.get(asked)
        small = sorted(seconds(lambda: client.get(asked)) for _ in range(9))[4]
        print(f"a query of one row: {small * 1000:.1f} ms")
        for name, path in _PAGES.items():
            first = seconds(lambda path=path: client.get(path, headers=_HTML))
            middle = sorted(seconds(lambda path=path: client.get(path, headers=_HTML)) for _ in range(9))[4]
            answer = client.get(path, headers=_HTML)
            times = f"first {first * 1000:.0f} ms, then {middle * 1000:.0f} ms, {middle / small:.0f} times the query"
            print(f"{name}: {answer.status_code}, {times}, {len(answer.data):,} bytes")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
