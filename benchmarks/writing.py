"""What a write over HTTP costs, beside what it rests on: one synced commit of SQLite, and the engine's own update.

Fills a store with an invented graph by the graph store, then times small updates through the app in process (no network), and in the same
turns the two references on the same disk. Prints milliseconds and the ratio of each median to that of the commit.

    python -m benchmarks.writing --triples 1000000
"""

from __future__ import annotations

import argparse
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

import pyoxigraph as ox

from kg.service import create_app
from kg.settings import Settings
from kg.store import open_store

_ROUNDS = 100


def main() -> None:
    """Prints a line a step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triples", type=int, default=200_000, metavar="N", help="size of the invented graph (default: 200,000)")
    parser.add_argument("--folder", help="where the store is made (default: the system's folder for temporary files)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        measure(Path(folder), arguments.triples)


def measure(folder: Path, triples: int) -> None:
    """Fills a store and times the steps in turns."""
    with open_store(folder / "store", create=True) as store:
        client = create_app(store, Settings().replace(token="secret")).test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = "Bearer secret"
        body = folder / "graph.nt"
        with body.open("w", encoding="utf-8") as file:
            file.writelines(f'<http://a.example/{n // 5}> <http://a.example/p{n % 5}> "value {n}" .\n' for n in range(triples))
        start, cpu = time.perf_counter(), time.process_time()
        with body.open("rb") as stream:
            answer = client.put(
                "/store?default", input_stream=stream, content_length=body.stat().st_size, content_type="application/n-triples"
            )
        assert answer.status_code == 204, answer.data
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"PUT of {triples:,} triples: {time.perf_counter() - start:.1f} s, {time.process_time() - cpu:.1f} s of CPU, peak {peak:.0f} MB"
        )

        def update(text: str) -> None:
            answer = client.post("/update", data=text, content_type="application/sparql-update")
            assert answer.status_code == 204, answer.data

        times = timed({**references(folder), **steps(update)})
    base = median(times["a synced commit of SQLite"])
    for name, found in times.items():
        late = quantiles(found, n=20)[-1]
        print(f"{name}: p50 {median(found) * 1e3:.2f} ms, p95 {late * 1e3:.2f} ms, {median(found) / base:.1f} times a commit")


def references(folder: Path) -> dict[str, Callable[[int], None]]:
    """A commit that is on disk when it returns, and the engine's update of a store on disk, which is not."""
    connection = sqlite3.connect(folder / "reference.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE note (content TEXT)")
    engine = ox.Store(str(folder / "reference"))
    return {
        "a synced commit of SQLite": lambda n: (connection.execute("INSERT INTO note VALUES (?)", (f"note {n}",)), None)[1],
        "the engine's own update": lambda n: engine.update(f"INSERT DATA {{ <http://b.example/{n}> <http://b.example/p> {n} }}"),
    }


def steps(update: Callable[[str], None]) -> dict[str, Callable[[int], None]]:
    """Updates over HTTP."""
    return {
        "INSERT DATA": lambda n: update(f"INSERT DATA {{ <http://b.example/{n}> <http://b.example/p> {n} }}"),
        "INSERT DATA of a person, judged by the shapes": lambda n: update(
            f'INSERT DATA {{ <http://b.example/person/{n}> a kg:Person ; rdfs:label "Person {n}" }}'
        ),
        "DELETE INSERT WHERE": lambda n: update(
            f"DELETE {{ ?s ?p ?o }} INSERT {{ ?s ?p 'new' }} WHERE {{ VALUES ?s {{ <http://a.example/{n}> }} ?s ?p ?o }}"
        ),
        "two dependent operations": lambda n: update(
            f"INSERT DATA {{ <http://b.example/{n}> <http://b.example/q> {n} }} ; "
            f"INSERT {{ ?s <http://b.example/r> ?o }} WHERE {{ VALUES ?s {{ <http://b.example/{n}> }} ?s <http://b.example/q> ?o }}"
        ),
    }


def timed(work: dict[str, Callable[[int], None]]) -> dict[str, list[float]]:
    """Seconds of each step; the steps take turns, so that other work on the machine meets all alike."""
    found: dict[str, list[float]] = {name: [] for name in work}
    for number in range(_ROUNDS):
        for name, step in work.items():
            start = time.perf_counter()
            step(number)
            found[name].append(time.perf_counter() - start)
    return found


if __name__ == "__main__":
    main()
