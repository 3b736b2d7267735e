"""Which class of the ontology an item of Wikidata belongs to, by what it is an instance of."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from functools import cache

from kg.resources import resource

__all__ = ["INTERNAL", "TYPES", "closed", "load_classes", "types_of"]

TYPES = ("Person", "Brand", "Organization", "Campaign", "Product", "Collection", "Event", "Work", "Country")
"""Classes of the ontology that an item can have."""

INTERNAL = "Wikimedia "
"""Descriptions of Wikidata's pages about its own pages (disambiguation, category) begin so: nothing is linked to them."""


@cache
def load_classes() -> Mapping[str, tuple[str, ...]]:
    """Class of Wikidata → classes of the ontology: the shipped table ``seeds/wikidata/classes.tsv``."""
    text = resource("seeds", "wikidata", "classes.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return {row["class"]: tuple(row["types"].split()) for row in rows}


def closed(classes: Mapping[str, tuple[str, ...]], parents: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """The table with every subclass (P279) of what is in it, however deep; a class in the table itself stays as it stands there.

    `parents` gives each class → the classes it is a subclass of. A subclass of two takes from the nearest ones.
    """
    found = dict(classes)
    waiting = {child for child in parents if child not in found}
    while waiting:
        added: dict[str, tuple[str, ...]] = {}
        for child in waiting:
            kinds = {kind for parent in parents[child] for kind in found.get(parent, ())}
            if kinds:
                added[child] = tuple(kind for kind in TYPES if kind in kinds)
        if not added:
            return found
        found |= added
        waiting -= set(added)
    return found


def types_of(classes: Iterable[str], table: Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    """Classes of the ontology of an item that is an instance of these; None where it is said to be an instance of nothing.

    A person is nothing else: an item that is both a human and a business, say, is taken for the human.
    """
    given = tuple(classes)
    if not given:
        return None
    kinds = {kind for each in given for kind in table.get(each, ())}
    return ("Person",) if "Person" in kinds else tuple(kind for kind in TYPES if kind in kinds)
