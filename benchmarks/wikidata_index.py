"""How fast a large index is made and asked: a million names put together from parts of real ones.

    python benchmarks/wikidata_index.py KGTK_DIR [--names 1000000]

Names are a first and a last word of labels in the KGTK files, drawn at random (seed 1). Prints seconds of making, size,
and milliseconds of the processor (median, 95th percentile) of look-ups by exact name and with one typing error, with the share found.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from kg.wikidata.index import Candidate, open_index
from kg.wikidata.sources import read_kgtk
from kg.wikidata.write import Origin, make_index

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def write_table(folder: Path, number: int, path: Path) -> list[tuple[str, str]]:
    """A table of so many invented items; gives (identifier, name) of each."""
    chance = random.Random(1)
    words = [record.label.split() for record in read_kgtk(folder)]
    first = sorted({each[0] for each in words if len(each) > 1 and each[0].isalpha()})
    last = sorted({each[-1] for each in words if len(each) > 1 and each[-1].isalpha()})
    items, seen = [], set[str]()
    while len(items) < number:
        name = f"{chance.choice(first)} {chance.choice(last)}"
        if name not in seen:
            seen.add(name)
            items.append((f"Q{len(items) + 1}", name))
    lines = (f"{qid}\t{name}\t\tPerson\tan invented item\t{chance.random():.4f}\n" for qid, name in items)
    with path.open("w", encoding="utf-8") as file:
        file.write("qid\tlabel\taliases\ttype\tdescription\tprior\n")
        file.writelines(lines)
    return items


def misspelt(name: str, chance: random.Random) -> str:
    """The name with one letter left out, put in, changed, or changed with the next; never at a word's border."""
    places = [at for at in range(1, len(name) - 2) if name[at - 1 : at + 2].isalpha()]
    at = chance.choice(places)
    letter = chance.choice(LETTERS)
    forms = (name[:at] + name[at + 1 :], name[:at] + letter + name[at:], name[:at] + letter + name[at + 1 :])
    return chance.choice((*forms, name[:at] + name[at + 1] + name[at] + name[at + 2 :]))


def measure(look_up: Callable[[str], list[Candidate]], asked: list[tuple[str, str]]) -> str:
    """Milliseconds and share found of some look-ups."""
    times, found = [], 0
    for qid, name in asked:
        start = time.process_time()
        candidates = look_up(name)
        times.append(1000 * (time.process_time() - start))
        found += qid in {each.qid for each in candidates}
    twentieths = statistics.quantiles(times, n=20)
    return f"median {statistics.median(times):.2f} ms, 95 % within {twentieths[-1]:.2f} ms, found {found / len(asked):.3f}"


def main() -> None:
    """Makes the table and the index in a temporary folder and measures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--names", type=int, default=1_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        table, path = Path(place) / "names.tsv", Path(place) / "index.sqlite"
        items = write_table(arguments.folder, arguments.names, table)
        start, spent = time.perf_counter(), time.process_time()
        made = make_index([Origin("tsv", table)], path)
        seconds, spent = time.perf_counter() - start, time.process_time() - spent
        print(f"{made.items:,} items: {seconds:.1f} s ({spent:.1f} s of the processor), {path.stat().st_size / 1e6:.1f} MB")
        index, chance = open_index(path), random.Random(2)
        asked = [items[at] for at in chance.sample(range(len(items)), 1000)]
        print("exact:", measure(index.candidates, asked))
        wrong = [(qid, misspelt(name, chance)) for qid, name in asked if any(c.isalpha() for c in name) and len(name) > 8]
        print("typing error:", measure(index.candidates, wrong))


if __name__ == "__main__":
    main()
