"""Countries by the names and adjectives that texts use for them."""

from __future__ import annotations

import csv
from functools import lru_cache

from kg.names import fold
from kg.resources import resource

__all__ = ["country"]


def country(form: str) -> str | None:
    """The common English name of the country that a name or adjective means ("Italian" → "Italy"), or None."""
    return _countries().get(fold(form))


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    found = {}
    with resource("seeds", "countries.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            for form in (row["name"], *row["forms"].split("|")):
                if form:
                    found[fold(form)] = row["name"]
    return found
