"""How fast a bulk build fuses and loads, against the engine's own loader on the same triples.

Makes documents that say things drawn by chance (names from a fixed list, so that many documents state the same facts) without a model,
builds a store of them in bulk, and then gives the same N-Quads, unpacked in one file, to the engine's own loader (`ox.Store.bulk_load`).
The load of the graph is measured alone too: packed files, one after the other, as a bulk build streams them.

    python -m benchmarks.bulk_load --triples 1000000
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox

from kg.build import Outcome
from kg.bulk import bulk_build
from kg.graph.embedded import load_quads
from kg.model import Document, Entity, Mention, Name, Resolution, Span, Statement, Text
from kg.rdf.iris import Namespace
from kg.settings import Settings
from kg.shards import Shards
from kg.store import open_store
from kg.validate import judge

NAMES = 20_000
ENTITIES, STATEMENTS = 12, 8
TRIPLES = 498
"""About so many a document."""


class Invented:
    """Stages that draw what a document says by its id."""

    fingerprint = "invented"

    def __init__(self, settings: Settings, base: str) -> None:
        self.namespace = Namespace(base)

    def __call__(self, document: Document) -> Outcome:
        chance = random.Random(document.id)
        text = document.body.content
        entities, names = [], []
        for number in range(ENTITIES):
            name = f"Person {int(NAMES * chance.random() ** 2)}"
            if name not in names:
                names.append(name)
                spans = (Span(number * 40, number * 40 + 9), Span(600 + number * 40, 609 + number * 40))
                mentions = tuple(Mention("body", span, text[span.start : span.end], Name("Person", name)) for span in spans)
                entities.append(Entity(f"person/{name.replace(' ', '-').lower()}", "Person", name, (), mentions))
        statements = {}
        for number in range(STATEMENTS):
            subject, value = chance.sample(entities, 2)
            evidence = document.evidence(Span(number * 100, number * 100 + 80), extractor="invented", version="1", confidence=0.9)
            made = Statement(document.id, subject.id, "knows", value.id, (evidence,))
            statements[made.fact] = made
        resolution = Resolution(document.id, tuple(sorted(entities, key=lambda each: each.id)), tuple(statements.values()))
        return Outcome(document, judge(document, resolution, None, self.namespace), (), {})


def documents(count: int) -> Iterator[Document]:
    """Texts of 2,000 characters."""
    for number in range(count):
        chance = random.Random(number)
        words = " ".join(f"word{int(5000 * chance.random() ** 3)}" for _ in range(400))
        yield Document(f"invented-{number:07}", (Text("body", words[:2000].ljust(2000)),), published="2024-02-03")


def peak() -> float:
    """Most memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def load_graph(shards: Shards, folder: Path) -> tuple[float, int]:
    """Seconds to load the packed files as a bulk build does, and how many triples there are then."""
    names = sorted(f"quads/{path.name}" for path in (folder / "shards" / "quads").iterdir())
    store = ox.Store(str(folder / "alone"))
    begin = time.perf_counter()
    with shards.joined(names) as quads:
        load_quads(store, quads)
    spent = time.perf_counter() - begin
    with shards.joined(names) as quads, (folder / "all.nq").open("wb") as file:
        shutil.copyfileobj(quads, file, 1 << 20)
    return spent, len(store)


def main() -> None:
    """Prints seconds and rates of each step."""
    parser = argparse.ArgumentParser(description="times a bulk build's fusing and loading")
    parser.add_argument("--triples", type=int, default=1_000_000, help="about how many (default: 1,000,000)")
    parser.add_argument("--workers", type=int, default=1, help="processes (default: 1)")
    given = parser.parse_args()
    count = given.triples // TRIPLES
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        chosen = Settings().replace(store=str(folder / "store"), shards=str(folder / "shards"), workers=given.workers, batch=256)
        report = bulk_build(documents(count), chosen, stages=Invented)
        most = peak()
        shards = Shards(str(folder / "shards"))
        ours, triples = load_graph(shards, folder)
        own = ox.Store(str(folder / "own"))
        begin = time.perf_counter()
        own.bulk_load(path=str(folder / "all.nq"), format=ox.RdfFormat.N_QUADS)
        own.flush()
        theirs = time.perf_counter() - begin
        with open_store(folder / "store", read_only=True) as store:
            facts = store.ledger.connection.execute("SELECT count(DISTINCT fact) FROM statement").fetchone()[0]
        print(f"{report.documents:,} documents, {report.facts:,} statements, {facts:,} facts, {triples:,} triples")
        print(f"load of the machine {os.getloadavg()[0]:.1f}")
        for stage in ("write", "map", "group", "fuse", "load"):
            spent = report.seconds[stage]
            print(f"{stage:6} {spent:7.2f} s {report.documents / spent:9,.0f} documents/s {triples / spent:10,.0f} triples/s")
        print(f"graph alone, of packed files {ours:6.2f} s {triples / ours:10,.0f} triples/s")
        print(f"the engine's own loader      {theirs:6.2f} s {triples / theirs:10,.0f} triples/s, ours is {theirs / ours:.2f} of it")
        print(f"peak memory of the bulk build {most:,.0f} MB")
        for what, place in (("graph", "store/graph-1"), ("ledger and index", "store/ledger.sqlite"), ("shards", "shards")):
            path = folder / place
            print(f"{what}: {(size(path) if path.is_dir() else path.stat().st_size) / report.documents:,.0f} bytes a document")


if __name__ == "__main__":
    main()
