"""How much faster two workers are than one, and a cluster of two workers than `--workers 2`.

Builds the same documents (JSON Lines, perhaps packed) into new stores: by one process, by two, by a Dask cluster of two workers into an
empty store as `--workers` does, and by a bulk build on the same kind of cluster. Rates leave out the start: they count from the moment at
which a quarter of the documents was done. All stores must be the same. The load of the machine stands beside: on two cores that others
use too, two processes get more of them than one does, so that the ratio by the wall's clock says little.

    python -m benchmarks.workers NEWS.jsonl.gz --documents 60
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from kg.build import build
from kg.bulk import bulk_build
from kg.model import Document
from kg.rdf.write import as_nquads
from kg.read import read_paths
from kg.settings import Settings
from kg.store import open_store

ARMS = {
    "--workers 1": {"workers": 1},
    "--workers 2": {"workers": 2},
    "--engine dask": {"workers": 2, "engine": "dask"},
    "--engine dask --bulk": {"workers": 2, "engine": "dask"},
}


@dataclass(frozen=True, slots=True)
class Result:
    """Seconds by the wall's clock, documents a second after the start, CPU seconds of all processes, load of the machine, the graph."""

    wall: float
    rate: float
    cpu: float
    load: float
    graph: str


def cpu_seconds() -> float:
    """Of this process and of those that it has waited for."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def measure(documents: list[Document], arm: str, folder: Path) -> Result:
    """One build of all documents into a new store."""
    settings = Settings().replace(store=str(folder / "store"), batch=max(1, len(documents) // 16), **ARMS[arm])
    done: list[float] = []
    begin, spent = time.perf_counter(), cpu_seconds()
    if arm.endswith("--bulk"):
        report = bulk_build(documents, settings, progress=lambda _: done.append(time.perf_counter()))
    else:
        with open_store(settings.store, create=True) as store:
            report = build(documents, store, settings, progress=lambda _: done.append(time.perf_counter()))
    end = time.perf_counter()
    if report.documents != len(documents):
        raise SystemExit(f"{arm}: only {report.documents} of {len(documents)} documents were built")
    quarter = len(documents) // 4
    with open_store(settings.store, read_only=True) as store:
        graph = as_nquads(store.graph)
    rate = (len(documents) - quarter) / (end - done[quarter - 1])
    return Result(end - begin, rate, cpu_seconds() - spent, os.getloadavg()[0], graph)


def main() -> None:
    """Prints a row for each arm and the ratios."""
    parser = argparse.ArgumentParser(description="times builds with one worker, two, and a cluster of two")
    parser.add_argument("source", help="documents, such as JSON Lines")
    parser.add_argument("--documents", type=int, default=60, help="how many of them (default: 60)")
    given = parser.parse_args()
    reading = (each for each in read_paths([given.source], Settings()) if isinstance(each, Document))
    documents = list(islice(reading, given.documents))
    found: dict[str, Result] = {}
    print("what                    wall s  documents/s    cpu s  cpu s/document   load")
    for arm in ARMS:
        with tempfile.TemporaryDirectory() as folder:
            found[arm] = one = measure(documents, arm, Path(folder))
        print(f"{arm:22} {one.wall:7.1f} {one.rate:12.3f} {one.cpu:8.1f} {one.cpu / len(documents):15.2f} {one.load:6.1f}", flush=True)
    same = len({one.graph for one in found.values()}) == 1
    first, second, engine, bulk = (found[arm].rate for arm in ARMS)
    print(f"\nstores are {'the same' if same else 'NOT the same'}")
    print(
        f"two workers do {second / first:.2f} of one's rate, the cluster {engine / second:.2f} of two workers', in bulk {bulk / second:.2f}"
    )


if __name__ == "__main__":
    main()
