"""Finds the Wikidata item of a name in an index: offline, exact, or not at all."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kg.errors import InputError
from kg.model import Link
from kg.names import fold
from kg.resources import resource

__all__ = ["Index", "Item", "load_index", "read_name_suggestion_index", "write_index"]

COLUMNS = ("qid", "label", "aliases", "type", "description", "prior")
_SHOPS = ("bag", "beauty", "clothes", "cosmetics", "fashion_accessories", "jewelry", "leather", "perfumery", "shoes", "sports", "watches")


@dataclass(frozen=True, slots=True)
class Item:
    """One Wikidata item with the names it goes by."""

    qid: str
    label: str
    aliases: tuple[str, ...]
    type: str
    description: str = ""
    prior: float = 0.0


class Index:
    """Items by folded name. `name` tells what it is made of, `digest` its content."""

    def __init__(self, items: Iterable[Item], *, name: str, digest: str) -> None:
        self.name = name
        self.digest = digest
        self._names: dict[tuple[str, str], dict[str, Item]] = defaultdict(dict)
        for item in items:
            for form in (item.label, *item.aliases):
                self._names[item.type, fold(form)][item.qid] = item

    def link(self, kind: str, name: str) -> Link | None:
        """The item of this type and name, where exactly one has it."""
        found = self._names.get((kind, fold(name)), {})
        if len(found) != 1:
            return None
        (item,) = found.values()
        return Link(item.qid, item.label, 1.0, "unique-name", self.name)

    def words(self, kind: str) -> list[str]:
        """Capitalised words of the labels of all items of a type, sorted."""
        labels = {item.label for (of, _), items in self._names.items() if of == kind for item in items.values()}
        return sorted({word for label in labels for word in label.split() if word.isalpha() and word[0].isupper() and len(word) > 2})

    def knows(self, kind: str, name: str) -> bool:
        """Whether any item of this type goes by this name."""
        return (kind, fold(name)) in self._names


def load_index(path: str) -> Index:
    """The index in a TSV file with the columns of `COLUMNS`; ``shipped`` is the built-in one. InputError if unreadable."""
    place = resource("seeds", "wikidata", "brands.tsv") if path == "shipped" else Path(path)
    try:
        content = place.read_bytes()
        rows = csv.DictReader(content.decode("utf-8").split("\n"), delimiter="\t", quoting=csv.QUOTE_NONE)
        if not set(COLUMNS) <= set(rows.fieldnames or ()):
            raise ValueError("columns are missing")
        items = [
            Item(r["qid"], r["label"], tuple(a for a in r["aliases"].split("|") if a), r["type"], r["description"], float(r["prior"] or 0))
            for r in rows
        ]
    except (OSError, csv.Error, KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"the index {place} can't be read: {error!r}", hint=f"it is a TSV file with the columns {' '.join(COLUMNS)}"
        ) from error
    digest = hashlib.sha256(content).hexdigest()
    return Index(items, name=f"{place.stem}-{digest[:12]}", digest=digest)


def read_name_suggestion_index(folder: Path) -> list[Item]:
    """Brands with a Wikidata item from an unpacked npm package `name-suggestion-index` (its ``dist`` folder's JSON).

    Only shops that sell what people wear; names and labels, no logos or accounts. InputError where the files are missing.
    """
    try:
        brands = json.loads((folder / "dist/json/nsi.json").read_text(encoding="utf-8"))["nsi"]
        wikidata = json.loads((folder / "dist/wikidata/wikidata.json").read_text(encoding="utf-8"))["wikidata"]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{folder} is no unpacked name-suggestion-index: {error}", hint="npm pack name-suggestion-index") from error
    names: dict[str, set[str]] = defaultdict(set)
    for shop in _SHOPS:
        for each in brands.get(f"brands/shop/{shop}", {}).get("items", []):
            qid = each["tags"].get("brand:wikidata")
            if qid:
                names[qid] |= {each["displayName"], each["tags"].get("brand", each["displayName"])}
    items = []
    for qid in sorted(names, key=lambda each: int(each[1:])):
        known = wikidata.get(qid, {})
        label = known.get("label") or min(names[qid])
        items.append(Item(qid, label, tuple(sorted(names[qid] - {label})), "Brand", known.get("description", "")))
    return items


def write_index(items: Iterable[Item], path: Path) -> None:
    """Writes an index as TSV, one item a line."""
    clean = str.maketrans("\t\n\r", "   ")
    lines = ["\t".join(COLUMNS)]
    for item in items:
        cells = (item.qid, item.label, "|".join(item.aliases), item.type, item.description, f"{item.prior:g}")
        lines.append("\t".join(cell.translate(clean) for cell in cells))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
