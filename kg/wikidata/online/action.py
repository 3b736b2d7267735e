"""Wikidata's action API (MediaWiki with Wikibase): names to items by wbsearchentities, items by wbgetentities."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kg.errors import InputError, ServiceUnavailable
from kg.http import Passing
from kg.wikidata.online.connection import Connection, groups

__all__ = ["ActionApi", "Entity", "Hit"]

BATCH = 50
"""Most ids of one wbgetentities request."""

_MAXLAG = "5"
_BUSY = frozenset({"maxlag", "ratelimited", "readonly", "failed-save", "cirrussearch-too-busy-error", "search-backend-error"})
_PROPS = "labels|aliases|descriptions|claims|sitelinks"


@dataclass(frozen=True, slots=True)
class Hit:
    """An item that a search found: `matched` is the name that was found, `kind` is ``label`` or ``alias``."""

    qid: str
    label: str
    description: str
    matched: str
    kind: str


@dataclass(frozen=True, slots=True)
class Entity:
    """What the API knows of an id: `document` is the item as a JSON dump has it, None where the item was deleted.

    `qid` is the item's own id; where it is not the `requested` one, that one redirects to it. `asked` is the day of the answer.
    """

    requested: str
    qid: str
    document: Mapping[str, Any] | None
    asked: str

    @property
    def is_deleted(self) -> bool:
        """Whether there is no such item any more (or there never was)."""
        return self.document is None

    @property
    def is_redirect(self) -> bool:
        """Whether the requested id stands for another item now."""
        return self.qid != self.requested


class ActionApi:
    """The API at one address. ServiceUnavailable where it can't be asked."""

    def __init__(self, connection: Connection, *, language: str = "en") -> None:
        self.connection = connection
        self.language = language

    def search(self, name: str, *, limit: int = 10) -> tuple[list[Hit], str]:
        """Items with a label or alias that begins with this name, in the service's order, and the day of the answer."""
        if not name.strip():
            return [], ""
        asked = {"action": "wbsearchentities", "search": name, "language": self.language, "uselang": self.language, "type": "item"}
        data, day = self._get({**asked, "limit": str(limit)}, "search", list)
        return [hit for each in data["search"] if (hit := _hit(each))], day

    def entities(self, qids: Iterable[str]) -> Iterator[Entity]:
        """Items by id, in that order, 50 ids a request; redirections are followed and deleted items are said to be so."""
        wanted = list(dict.fromkeys(qids))
        wrong = next((qid for qid in wanted if not re.fullmatch(r"Q[1-9]\d*", qid)), None)
        if wrong is not None:
            raise InputError(f"{wrong!r} is no identifier of an item", hint="items are called Q and a number")
        for batch in groups(wanted, BATCH):
            asked = {"action": "wbgetentities", "ids": "|".join(batch), "props": _PROPS, "languages": self.language, "redirects": "yes"}
            data, day = self._get(asked, "entities", dict, batch)
            for qid in batch:
                yield _entity(qid, _record(data["entities"], qid), day)

    def _get(self, asked: Mapping[str, str], part: str, kind: type, qids: Sequence[str] = ()) -> tuple[Any, str]:
        def check(data: Any, wait: float) -> None:
            error = data.get("error") if isinstance(data, dict) else None
            if isinstance(error, dict):
                self._raise(error, wait)
            if not isinstance(data, dict) or not isinstance(data.get(part), kind):
                raise Passing(f"the answer has no {part!r}", wait)
            left_out = [qid for qid in qids if not _record(data[part], qid)]
            if left_out:
                raise Passing(f"the answer leaves {', '.join(left_out)} out", wait)

        return self.connection.get({**asked, "format": "json", "maxlag": _MAXLAG}, check=check)

    def _raise(self, error: Mapping[str, Any], wait: float) -> None:
        code, info = str(error.get("code")), " ".join(str(error.get("info")).split())[:300]
        if code in _BUSY or code.startswith("internal_api_error"):
            raise Passing(f"{code}: {info}", wait)
        raise ServiceUnavailable(f"{self.connection.url} refused the request: {code}: {info}", hint="check the address in wikidata_api")


def _record(records: Mapping[str, Any], qid: str) -> dict[str, Any]:
    """What an answer says of an id, under its own name or as target of its redirection; empty where it says nothing."""
    found = records.get(qid) or next((each for each in records.values() if _redirects(each).get("from") == qid), None)
    return found if isinstance(found, dict) else {}


def _entity(qid: str, record: Mapping[str, Any], day: str) -> Entity:
    if "missing" in record:
        return Entity(qid, qid, None, day)
    return Entity(qid, str(record.get("id") or _redirects(record).get("to") or qid), record, day)


def _redirects(record: Any) -> Mapping[str, str]:
    found = record.get("redirects") if isinstance(record, dict) else None
    return found if isinstance(found, dict) else {}


def _hit(data: Any) -> Hit | None:
    """One entry of a search; None for what is no item."""
    if not isinstance(data, dict) or not re.fullmatch(r"Q[1-9]\d*", str(data.get("id"))):
        return None
    found, label = data.get("match"), str(data.get("label") or "")
    match = found if isinstance(found, dict) else {}
    return Hit(
        str(data["id"]), label, str(data.get("description") or ""), str(match.get("text") or label), str(match.get("type") or "label")
    )
