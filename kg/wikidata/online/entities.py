"""Items for an index, from online: by their ids, or all of a class; as a JSON dump has them, so that one reader does for both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kg.wikidata.online.action import BATCH, ActionApi, Entity
from kg.wikidata.online.sparql import QueryService

__all__ = ["read_class", "read_entities"]


def read_entities(api: ActionApi, qids: Iterable[str]) -> Iterator[Entity]:
    """What the API knows of these ids, 50 a request, as they come; redirects and deleted items are among them and say so.

    The ids may be a stream. A run that was ended and is started again with the same ids repeats no request.
    """
    batch: list[str] = []
    for qid in qids:
        batch.append(qid)
        if len(batch) == BATCH:
            yield from api.entities(batch)
            batch = []
    yield from api.entities(batch)


def read_class(service: QueryService, api: ActionApi, classes: Iterable[str], *, subclasses: bool = True) -> Iterator[Entity]:
    """All items of some classes, each once: their ids from the query service, the items from the API."""
    seen: set[str] = set()

    def fresh() -> Iterator[str]:
        for qid in classes:
            for item in service.items_of_class(qid, subclasses=subclasses):
                if item not in seen:
                    seen.add(item)
                    yield item

    return read_entities(api, fresh())
