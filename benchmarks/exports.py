"""Seconds and peak memory of every export of a large store.

Makes a store of about as many triples as asked for, from invented documents that go through resolution, validation and the ledger as
any other; then writes it in every format, each in a process of its own. Peak memory is that of the whole process; `import` is that
of a process that only opens the store.

    python -m benchmarks.exports --triples 100000
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from kg.gold import GoldDocument, GoldEntity, GoldFact, as_extraction
from kg.link import load_index
from kg.model import Document, Text
from kg.plugins import list_plugins
from kg.rdf.iris import Namespace
from kg.rdf.ontology import load_ontology
from kg.resolve import resolve
from kg.revise import Reviser
from kg.settings import Settings
from kg.store import open_store
from kg.validate import judge, load_shapes

_FIRST = ("Ada", "Bruno", "Cleo", "Dario", "Elin", "Faye", "Goran", "Hanna", "Idris", "Jola", "Kai", "Lea", "Milo", "Nora", "Otto")
_LAST = ("Arvel", "Brisk", "Corvan", "Dellow", "Estrin", "Fallow", "Grendt", "Holmar", "Isken", "Jarvel", "Kestor", "Lomax", "Marrow")
_FACTS = 12

_WRITE = """
import sys, time
from kg.export import Selection, load_exporter
from kg.settings import Settings
from kg.store import open_store
with open_store(sys.argv[1], read_only=True) as store, open(sys.argv[3], "wb") as stream:
    begin = time.perf_counter()
    if sys.argv[2] != "import":
        load_exporter(sys.argv[2], Settings())(store, Selection(measures=sys.argv[4] == "1"), stream)
    seconds = time.perf_counter() - begin
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(seconds, int(peak) // 1024)
"""


def invented(number: int, random: random.Random) -> tuple[Document, GoldDocument]:
    """A document of a dozen facts about invented people and houses, some of which are in other documents too."""
    text, facts, entities = "", [], {}
    for _ in range(_FACTS):
        person = f"{random.choice(_FIRST)} {random.choice(_LAST)}{random.choice('aeinorst')}{random.choice('aeiou')}"
        brand = f"Maison {random.choice(_LAST)}{random.choice('aeiou')}{random.choice('lmnrst')}"
        quote = f"{person} has been the face of {brand} since {random.randint(1990, 2024)}"
        text += quote + ". "
        entities |= {person: GoldEntity(person, "Person"), brand: GoldEntity(brand, "Brand")}
        facts.append(GoldFact(person, "ambassadorOf", brand, quote, (("start", quote[-4:]),)))
    gold = GoldDocument(f"invented-{number}", None, tuple(entities.values()), tuple(facts))
    return Document(gold.id, (Text("body", text),), published=f"20{number % 24:02d}-05-01"), gold


def fill(path: Path, triples: int) -> tuple[int, int]:
    """Makes the store; gives how many documents and triples it holds."""
    settings = Settings()
    ontology, index, shapes = load_ontology(settings), load_index("shipped"), load_shapes(settings)
    source = random.Random(1)
    with open_store(path, create=True) as store:
        reviser, number = Reviser(store, single_valued=ontology.single_valued), 0
        while number % 20 or len(store.graph) < triples:
            document, gold = invented(number, source)
            extraction = as_extraction(document, gold, ontology.signatures)
            reviser.put(document, judge(document, resolve(extraction, index), shapes, Namespace(settings.base)), fingerprint="invented")
            number += 1
        return number, len(store.graph)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a line a format."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--triples", type=int, default=100_000)
    parser.add_argument("--measures", action="store_true")
    parser.add_argument("--format", action="append", help="only this format; may be repeated")
    parser.add_argument("--keep", type=Path, help="keep the store here, and use it where it is there")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        place = given.keep or Path(scratch) / "store"
        if not place.exists():
            begin = time.perf_counter()
            documents, triples = fill(place, given.triples)
            print(f"{documents} documents, {triples} triples, made in {time.perf_counter() - begin:.0f} s", flush=True)
        formats = given.format or ["import", *(plugin.name for plugin in list_plugins(["exporters"]))]
        print(f"{'format':12}{'seconds':>9}{'MiB':>7}{'bytes':>14}")
        for name in formats:
            file = Path(scratch) / name
            command = [sys.executable, "-c", _WRITE, str(place), name, str(file), str(int(given.measures))]
            seconds, peak = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600).stdout.split()
            print(f"{name:12}{float(seconds):9.1f}{peak:>7}{file.stat().st_size:14,}", flush=True)


if __name__ == "__main__":
    main()
