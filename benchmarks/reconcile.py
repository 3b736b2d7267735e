"""What matching a name with the graph costs, beside rapidfuzz alone over the same names.

Makes a store of invented entities, and looks up their names with one letter changed: once through the matcher of the reconciliation service
(candidates with scores), once with a bare `rapidfuzz.process.extract`. Rounds take turns.

    python -m benchmarks.reconcile --entities 20000
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import pyoxigraph as ox
from rapidfuzz import fuzz, process

from kg.names import fold
from kg.query.names import NameIndex
from kg.query.reconcile import Reconciler, Sought
from kg.rdf.ontology import load_ontology
from kg.settings import Settings
from kg.store import Store, open_store

_SYLLABLES = tuple(first + last for first in "bcdfglmnprstv" for last in "aeo")
_LABEL = ox.NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")


def names(number: int, chance: random.Random) -> list[str]:
    """Names of two words of two to four syllables."""
    return [" ".join("".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))).title() for _ in range(2)) for _ in range(number)]


def fill(store: Store, labels: list[str]) -> None:
    """Puts an entity with each label into the default graph."""

    def quads() -> Iterator[ox.Quad]:
        for number, label in enumerate(labels):
            node = ox.NamedNode(store.namespace.entity(f"person/{number}"))
            yield ox.Quad(node, _LABEL, ox.Literal(label))
            yield ox.Quad(node, _TYPE, ox.NamedNode(store.namespace.term("Person")))

    store.graph.bulk_extend(quads())


def misspelt(name: str, chance: random.Random) -> str:
    """A name with one letter changed."""
    place = chance.randrange(len(name))
    return name[:place] + chance.choice("abcdefghij") + name[place + 1 :]


def seconds(work: Callable[[str], object], asked: list[str]) -> float:
    """Median processor time of one name."""
    found = []
    for name in asked:
        start = time.process_time()
        work(name)
        found.append(time.process_time() - start)
    return median(found)


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--entities", type=int, default=20_000)
    parser.add_argument("--names", type=int, default=100)
    options = parser.parse_args()
    chance = random.Random(7)
    labels = names(options.entities, chance)
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "store", create=True) as store:
        fill(store, labels)
        ontology = load_ontology(Settings())
        start = time.process_time()
        index = NameIndex(store, ontology.entity_types)
        read = time.process_time() - start
        matcher = Reconciler(store, ontology, index)
        sought = chance.choices(labels, k=options.names)
        asked = [misspelt(name, chance) for name in sought]
        folded = sorted({fold(name) for name in labels})
        ours, bare = [], []
        for _ in range(3):
            ours.append(seconds(lambda name: matcher.match(Sought((name,))), asked))
            bare.append(seconds(lambda name: process.extract(fold(name), folded, scorer=fuzz.ratio, score_cutoff=75, limit=50), asked))
        first = sum(any(c.entity.label == name for c in matcher.match(Sought((wrong,)))) for name, wrong in zip(sought, asked, strict=True))
        print(f"{options.entities:,} entities, read in {read:.2f} s of work; a misspelt name: {1000 * min(ours):.1f} ms, ", end="")
        print(f"{min(ours) / min(bare):.2f} times rapidfuzz alone; found among ten: {first} of {len(asked)}")


if __name__ == "__main__":
    main()
