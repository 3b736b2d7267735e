"""SPARQL at a query service (SPARQL 1.1 Protocol): the items of a class, page by page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kg.errors import InputError
from kg.http import Passing
from kg.wikidata.online.connection import Connection

__all__ = ["QueryService"]

_ENTITY = "http://www.wikidata.org/entity/"

# Pages follow each other by the item's IRI, not by OFFSET: a page asked for again is the same page.
_ITEMS = """PREFIX wd: <http://www.wikidata.org/entity/>
PREFIX wdt: <http://www.wikidata.org/prop/direct/>
SELECT DISTINCT ?item WHERE {{
  ?item {path} wd:{qid} .
  FILTER(STRSTARTS(STR(?item), "http://www.wikidata.org/entity/Q") && STR(?item) > "{after}")
}} ORDER BY STR(?item) LIMIT {limit}"""
_OF_CLASS = "wdt:P31/wdt:P279*"  # instance of, subclass of
_OF_THIS_CLASS = "wdt:P31"


class QueryService:
    """A SPARQL service at one address. ServiceUnavailable where it can't be asked."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def select(self, query: str) -> tuple[list[dict[str, str]], str]:
        """Rows of a SELECT query, each variable with its value, and the day of the answer."""
        data, day = self.connection.post_form({"query": query, "format": "json"}, check=_check)
        return [{name: str(term["value"]) for name, term in row.items()} for row in data["results"]["bindings"]], day

    def items_of_class(self, qid: str, *, subclasses: bool = True, page: int = 5000) -> Iterator[str]:
        """Ids of all items that are instances of a class (of its subclasses, too), in the order of their IRIs as text."""
        if not re.fullmatch(r"Q[1-9]\d*", qid):
            raise InputError(f"{qid!r} is no identifier of a class", hint="classes are called Q and a number")
        after = ""
        while True:
            path = _OF_CLASS if subclasses else _OF_THIS_CLASS
            rows, _ = self.select(_ITEMS.format(path=path, qid=qid, after=after, limit=page))
            yield from (row["item"].removeprefix(_ENTITY) for row in rows)
            if len(rows) < page:
                return
            after = rows[-1]["item"]


def _check(data: Any, wait: float) -> None:
    """SPARQL 1.1 Query Results JSON Format; a service that ran out of time cuts its answer off, which is then no JSON."""
    try:
        if all(isinstance(term["value"], str) for row in data["results"]["bindings"] for term in row.values()):
            return
    except (LookupError, TypeError, AttributeError):
        pass
    raise Passing("the answer holds no rows", wait)
