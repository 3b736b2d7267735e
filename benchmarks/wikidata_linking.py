"""How well names are linked: checked names against an index of KGTK files and the shipped one, and a set of real entities.

    python benchmarks/wikidata_linking.py NAMES.tsv KGTK_DIR [ENTITIES.ndjson.gz]

NAMES.tsv has the columns name, type, qid and g (grade: A and B are sure, C is not counted). Prints the precision of
accepted links, the part of held names that are accepted and right, the part of names not held that get no link; and for
ENTITIES, a JSON dump, the share of labels and aliases that find their entity first, and among the first ten.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

from kg.wikidata.index import open_index
from kg.wikidata.rank import find
from kg.wikidata.sources import read_dump
from kg.wikidata.write import Origin, make_index

TYPES = {"person": ("Person",), "brand": ("Brand",)}
OTHERS = ("Product", "Event", "Work")


def link_names(names: Path, kgtk: Path, place: Path) -> None:
    """The checked names, as their type alone says, without context; a name of several possible types as each of them."""
    make_index([Origin("kgtk", kgtk)], place / "kgtk.sqlite")
    indexes = [open_index(place / "kgtk.sqlite"), open_index()]
    right = accepted = held = held_right = absent = silent = 0
    for row in csv.DictReader(names.read_text(encoding="utf-8").splitlines(), delimiter="\t"):
        kinds = TYPES.get(row["type"], OTHERS)
        found = {each.qid for kind in kinds for each in find(row["name"], indexes, type=kind) if each.accepted}
        qid = found.pop() if len(found) == 1 else None
        if row["g"] == "C":
            continue
        known = any(index.item(row["qid"]) for index in indexes)
        accepted, right = accepted + (qid is not None), right + (qid == row["qid"])
        held, held_right = held + known, held_right + (known and qid == row["qid"])
        absent, silent = absent + (not known), silent + (not known and qid is None)
        if (qid == row["qid"]) != known or (qid and not known):
            print(f"  {row['name']} ({row['type']}): {row['qid']}, {'held' if known else 'not held'}, linked to {qid}")
    print(f"precision of accepted: {right}/{accepted} = {right / accepted:.3f}")
    print(f"held names accepted and right: {held_right}/{held} = {held_right / held:.3f}")
    print(f"names not held without a link: {silent}/{absent} = {silent / absent:.3f}")


def recall(entities: Path, place: Path) -> None:
    """Every label and alias, in English and in all languages."""
    make_index([Origin("dump", entities)], place / "entities.sqlite")
    index = open_index(place / "entities.sqlite")
    for title, languages in (("English", frozenset({"en"})), ("all languages", None)):
        asked = first = ten = described = crowded = 0
        for _, record in read_dump(entities, languages=languages):
            for name in {record.label, *record.aliases, *record.others}:
                same = [each.qid for each in index.candidates(name, limit=200)]
                found = same[:10]
                asked, first, ten = asked + 1, first + (found[:1] == [record.qid]), ten + (record.qid in found)
                crowded += record.qid in same[10:]
                if languages:
                    described += record.qid in {each.qid for each in find(name, [index], context=record.description)}
        print(f"{asked:,} names of {len(index):,} entities, {title}: recall@1 {first / asked:.4f}, recall@10 {ten / asked:.4f}", end="")
        print(f", {crowded} more behind ten others of the same name", end="")
        print(f"; with its description as context recall@10 {described / asked:.4f}" if languages else "")


def main() -> None:
    """Makes the indexes in a temporary folder and measures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", type=Path)
    parser.add_argument("kgtk", type=Path)
    parser.add_argument("entities", type=Path, nargs="?")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        link_names(arguments.names, arguments.kgtk, Path(place))
        if arguments.entities:
            recall(arguments.entities, Path(place))


if __name__ == "__main__":
    main()
