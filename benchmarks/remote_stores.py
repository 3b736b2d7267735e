"""Seconds for filling, asking, retracting: a folder, Oxigraph's server and Virtuoso side by side in one run.

    python benchmarks/remote_stores.py [--documents 200] [--virtuoso URL] [--oxigraph URL]

Makes documents that an extractor would have read (no model runs), and takes each place in turn. The servers must run, be empty, and
be the kind named; Virtuoso is asked as `dba` with the password in KG_SERVER_PASSWORD. Figures are seconds; those of servers are also
given as ratios to the folder of the same run. Every step ends after --limit seconds, and is then given as such; each is told on
standard error as it ends.
"""

from __future__ import annotations

import argparse
import math
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from kg.build import build
from kg.model import Document, Text
from kg.query.facts import facts
from kg.query.library import ask
from kg.rdf.ontology import load_ontology
from kg.revise import Reviser
from kg.settings import Settings, load_settings
from kg.store import Store, open_store

PEOPLE = ("Liv Vane", "Hugo Valmy", "Ada Quill", "Greta Holm", "Noor Marsh")
QUERIES: dict[str, dict[str, str]] = {"critics": {}, "events-with-guests": {}, "documents-about": {"about": "Gucci"}, "launches": {}}


def documents(number: int) -> Iterator[Document]:
    """Short articles with quotes, which the rules read."""
    for each in range(number):
        said = " ".join(
            f"“I have thought about bag number {each}-{line} for many years,” said {PEOPLE[(each + line) % 5]} at Gucci."
            for line in range(8)
        )
        yield Document(f"article-{each}", (Text("body", said),), published=f"2024-{each % 12 + 1:02d}-01")


def timed(action: Callable[[], object], repeats: int = 1) -> float:
    """Median seconds; infinite where the limit was reached."""
    taken = []
    for _ in range(repeats):
        begun = time.perf_counter()
        try:
            signal.setitimer(signal.ITIMER_REAL, LIMIT[0])
            action()
        except TooLong:
            return math.inf
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


class TooLong(BaseException):
    """A step ran past its limit."""


class Told(dict[str, float]):
    """Figures, each told when it is known."""

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def __setitem__(self, name: str, figure: float) -> None:
        super().__setitem__(name, figure)
        print(f"{self.place}: {name}: {figure:.3f}", file=sys.stderr, flush=True)


LIMIT = [60.0]


def _too_long(number: int, frame: object) -> None:
    raise TooLong


def measure(place: str, settings: Settings, number: int) -> dict[str, float]:
    """Every figure of one place."""
    figures = Told(place)
    with open_store(place, create=True, settings=settings) as store:
        report: list[float] = []

        def fill() -> None:
            report.append(build(documents(number), store, settings).seconds["store"])

        fill()
        figures["storing the documents"] = report[0]
        reviser = Reviser(store, single_valued=load_ontology(settings).single_valued)
        figures["quads"] = float(len(store.graph))
        figures["reading every quad"] = timed(lambda: sum(1 for _ in store.graph))
        figures["kg facts"] = timed(lambda: list(facts(store)))
        figures["kg facts --doc"] = timed(lambda: list(facts(store, document="article-1")), 3)
        for name, given in QUERIES.items():
            figures[name] = timed(lambda name=name, given=given: ask(store, name, given, settings=settings), 3)  # type: ignore[misc]
        figures["retracting one document"] = timed(lambda: reviser.retract("article-0"))
        figures["rederiving an emptied graph"] = _refill(store, reviser)
        store.apply(list(store.graph), [])
    return figures


def _refill(store: Store, reviser: Reviser) -> float:
    store.apply(list(store.graph), [])
    return timed(reviser.rederive)


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds after which a step is ended (default: 60)")
    parser.add_argument("--oxigraph")
    parser.add_argument("--virtuoso")
    arguments = parser.parse_args()
    LIMIT[0] = arguments.limit
    signal.signal(signal.SIGALRM, _too_long)
    with tempfile.TemporaryDirectory() as folder:
        plain = load_settings({"extractors": "rules"})
        places = {"folder": (f"{folder}/store", plain)}
        for name in ("oxigraph", "virtuoso"):
            url = getattr(arguments, name)
            if url:
                user = {"server_user": "dba"} if name == "virtuoso" else {"server_password": ""}
                places[name] = (url, plain.replace(server=name, ledger=str(Path(folder) / name), **user))
        found = {name: measure(place, settings, arguments.documents) for name, (place, settings) in places.items()}
    print("| seconds | " + " | ".join(found) + " |\n| --- |" + " --- |" * len(found))
    for row in found["folder"]:
        cells = []
        for name, figures in found.items():
            if math.isinf(figures[row]):
                cells.append(f"over {arguments.limit:g}")
                continue
            ratio = f" ({figures[row] / found['folder'][row]:.1f}×)" if name != "folder" and row != "quads" else ""
            cells.append(f"{figures[row]:,.0f}" if row == "quads" else f"{figures[row]:.3f}{ratio}")
        print(f"| {row} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
