"""Items for an index, from online: by their ids, or all of a class; as a JSON dump has them, so that one reader does for both."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kg.errors import InputError
from kg.wikidata.online.action import BATCH, ActionApi, Entity
from kg.wikidata.online.sparql import QueryService

__all__ = ["Written", "read_class", "read_entities", "read_ids", "write_dump"]


@dataclass(frozen=True, slots=True)
class Written:
    """What came from online: items written, ids of which there is no item any more, and the last day of an answer (ISO 8601)."""

    items: int
    deleted: int
    day: str


def read_ids(path: Path) -> list[str]:
    """Ids of items, one a line, as ``Q…``, ``wd:Q…`` or an IRI; empty lines and those that begin with # say nothing.

    InputError names the line that is none.
    """
    found = []
    try:
        for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
            text = line.strip()
            match = re.fullmatch(r"(?:wd:|https?://www\.wikidata\.org/(?:entity|wiki)/)?(Q[1-9]\d{0,9})", text)
            if match:
                found.append(match[1])
            elif text and not text.startswith("#"):
                raise InputError(f"{path}, line {number}: {text[:80]!r} is no identifier of an item", hint="write one Q and number a line")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} can't be read: {error}", hint="name a text file with one identifier a line") from error
    return list(dict.fromkeys(found))


def write_dump(entities: Iterable[Entity], path: Path, *, progress: Callable[[int], None] = lambda number: None) -> Written:
    """Writes items as a JSON dump has them, one a line, each once though several ids lead to it."""
    seen: set[str] = set()
    deleted, day = 0, ""
    with path.open("w", encoding="utf-8") as file:
        for entity in entities:
            day = max(day, entity.asked)
            deleted += entity.is_deleted
            if entity.document is not None and entity.qid not in seen:
                seen.add(entity.qid)
                file.write(json.dumps(entity.document, ensure_ascii=False) + "\n")
                progress(len(seen))
    return Written(len(seen), deleted, day)


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
