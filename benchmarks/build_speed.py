"""How much slower than its bare model a build is.

Times a build of a folder of documents (reading, tokens, network, decisions, resolution, validation, store), and then the same network
over the same texts with nothing around it: the same tokens, windows, entities and pairs, one document at a time, in one process. Each part
of the network runs on one thread, as in every build. Loading the model is left out of both. Rounds take turns, and each build begins with
an empty store.

    python -m benchmarks.build_speed training/docs --documents 50
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from kg.build import build
from kg.extract.encoder import EncoderExtractor
from kg.extract.network import Encoded, Network
from kg.model import Document, Extraction, Problem
from kg.read import read_paths
from kg.resources import resource
from kg.settings import Settings
from kg.store import open_store


@dataclass(frozen=True, slots=True)
class Time:
    """Seconds by the wall's clock, and seconds of work on all processors."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> Time:
        return cls(time.perf_counter(), time.process_time())

    def since(self, begin: Time) -> Time:
        return Time(self.wall - begin.wall, self.cpu - begin.cpu)


class Listener(Network):
    """A network that keeps what its relator was called with: number of the window, and all inputs but the hidden states."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.heard: list[tuple[Any, ...]] = []
        self._encoded: Encoded | None = None

    def encode(self, text: str, start: int) -> Encoded:
        self._encoded = super().encode(text, start)
        return self._encoded

    def relate(self, hidden: Any, *others: Any) -> Any:
        assert self._encoded is not None
        number = next(number for number, (_, states) in enumerate(self._encoded.windows) if states is hidden)
        self.heard.append((number, *others))
        return super().relate(hidden, *others)


def relator_calls(documents: Sequence[Document], folder: Path) -> list[list[tuple[Any, ...]]]:
    """For each document, what an extraction calls the relator with."""
    listener = Listener(folder)
    extractor = EncoderExtractor(listener)
    calls = []
    for document in documents:
        listener.heard = []
        extractor(document, Extraction(document.id))
        calls.append(listener.heard)
    return calls


def time_network(network: Network, documents: Sequence[Document], calls: Sequence[Sequence[tuple[Any, ...]]]) -> Time:
    """The bare network: encoder over each text, relator over each window that had pairs to score."""
    begin = Time.now()
    for document, heard in zip(documents, calls, strict=True):
        encoded = network.encode(document.body.content, document.body.metadata_end)
        for number, *others in heard:
            network.relate(encoded.windows[number][1], *others)
    return Time.now().since(begin)


def time_build(paths: list[str], settings: Settings) -> tuple[Time, int, int]:
    """A build into an empty store, from its first call for a document (the model is loaded by then) to the store's last write."""
    begun: list[Time] = []

    def reading() -> Iterator[Document | Problem]:
        begun.append(Time.now())
        yield from read_paths(paths, settings)

    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "store", create=True) as store:
        report = build(reading(), store, settings)
        spent = Time.now().since(begun[0])
    for problem in report.problems:
        print(f"problem: {problem.message}")
    return spent, report.documents, report.facts


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="times a build against a bare run of its model")
    parser.add_argument("folder", nargs="?", default="training/docs", help="folder of text files (default: training/docs)")
    parser.add_argument("--model", default=str(resource("seeds", "model")), help="folder of the model (default: the shipped one)")
    parser.add_argument("--documents", type=int, default=50, help="how many of the files, evenly spread over the folder (default: 50)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, whose median counts (default: 3)")
    return parser.parse_args()


def main() -> None:
    """Prints each round and the median ratio of documents a second."""
    given = arguments()
    files = sorted(Path(given.folder).glob("*.txt"))
    count = min(given.documents, len(files))
    paths = [str(files[number * len(files) // count]) for number in range(count)]
    settings = Settings().replace(model=given.model, workers=1)
    documents = [each for each in read_paths(paths, settings) if isinstance(each, Document)]
    calls = relator_calls(documents, Path(given.model))
    network = Network(Path(given.model))
    words = sum(len(document.body.content.split()) for document in documents)
    print(f"{len(documents)} documents, {words:,} words, {sum(map(len, calls))} relator calls\n")
    print("round  what       wall s    cpu s  documents/s  documents/cpu s")
    ratios: list[tuple[float, float]] = []
    for number in range(1, given.rounds + 1):
        bare = time_network(network, documents, calls)
        spent, built, facts = time_build(paths, settings)
        if built != len(documents):
            raise SystemExit(f"only {built} of {len(documents)} documents were built: the times can't be compared")
        for name, one in (("network", bare), ("build", spent)):
            print(f"{number:5}  {name:8} {one.wall:8.2f} {one.cpu:8.2f} {built / one.wall:12.2f} {built / one.cpu:16.2f}")
        ratios.append((bare.wall / spent.wall, bare.cpu / spent.cpu))
    wall, cpu = (median(values) for values in zip(*ratios, strict=True))
    print(f"\n{facts} facts. A build does {wall:.2f} of the bare network's documents/s by the wall's clock, {cpu:.2f} by processor time.")


if __name__ == "__main__":
    main()
