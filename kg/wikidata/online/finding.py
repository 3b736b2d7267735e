"""Candidates for a name from an online service, in one form whatever the service is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from kg.errors import InputError
from kg.names import fold
from kg.settings import Settings
from kg.wikidata.online.action import ActionApi, Entity, Hit
from kg.wikidata.online.connection import Connection
from kg.wikidata.online.reconciliation import Query, ReconciliationClient

__all__ = ["ActionFinder", "Finder", "Found", "ReconciliationFinder", "Wanted", "connect", "create_finder"]

_WIKIDATA = re.compile(r"(?:https?://www\.wikidata\.org/(?:entity|wiki)/)?(Q[1-9]\d*)")
_LIMIT = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """A name to look up, of a class of the ontology where one is known, with the sentences in which it stands."""

    name: str
    type: str | None = None
    context: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A candidate: score 0 to 1; `accepted` only where the service itself holds this one alone for certain.

    `types` are the service's own: items that the candidate is an instance of, or ids of a reconciliation service's types.
    `document` is the item as a JSON dump has it, where the service gives that; `redirected_from` the id that now leads to this one.
    """

    qid: str
    label: str
    description: str = ""
    types: tuple[str, ...] = ()
    score: float = 0.0
    accepted: bool = False
    features: Mapping[str, float] = field(default_factory=dict)
    document: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    redirected_from: str | None = None

    def as_data(self) -> dict[str, Any]:
        """What is shown and kept."""
        data: dict[str, Any] = {"qid": self.qid, "label": self.label, "description": self.description, "types": list(self.types)}
        data |= {"score": self.score, "accepted": self.accepted, "features": dict(self.features)}
        return {**data, "redirected_from": self.redirected_from} if self.redirected_from else data


class Finder(Protocol):
    """Looks names up in one service: `place` tells which, `size` how many names are best asked for together."""

    place: str
    size: int

    def find(self, wanted: Sequence[Wanted]) -> list[tuple[tuple[Found, ...], str]]:
        """Candidates of each name, the best first, and the day of the answer; () where the service has none.

        ServiceUnavailable where it can't say.
        """


class ActionFinder:
    """Names by Wikidata's action API. It knows no types of ours, so it accepts nothing: what it finds is for a ranking, or a person."""

    size = 10

    def __init__(self, api: ActionApi) -> None:
        self.api = api
        self.place = api.connection.url

    def find(self, wanted: Sequence[Wanted]) -> list[tuple[tuple[Found, ...], str]]:
        """One search a name, then all items that were found, 50 a request."""
        hits = [self.api.search(each.name, limit=_LIMIT) for each in wanted]
        known = {each.requested: each for each in self.api.entities(hit.qid for found, _ in hits for hit in found)}
        return [(tuple(self._ranked(each, found, known)), day) for each, (found, day) in zip(wanted, hits, strict=True)]

    def _ranked(self, wanted: Wanted, hits: Sequence[Hit], known: Mapping[str, Entity]) -> list[Found]:
        found: dict[str, Found] = {}
        for place, hit in enumerate(hits):
            entity = known[hit.qid]
            if entity.document is not None:
                found.setdefault(entity.qid, self._found(wanted, hit, entity, place))
        return sorted(found.values(), key=lambda each: -each.score)

    def _found(self, wanted: Wanted, hit: Hit, entity: Entity, place: int) -> Found:
        document = entity.document or {}
        exact = fold(hit.matched) == fold(wanted.name)
        features = {"exact": float(exact), "label": float(exact and hit.kind == "label"), "rank": 1 / (1 + place)}
        return Found(
            entity.qid,
            _text(document, "labels", self.api.language) or hit.label,
            _text(document, "descriptions", self.api.language) or hit.description,
            tuple(instance_of(document)),
            round(0.6 * features["exact"] + 0.1 * features["label"] + 0.3 * features["rank"], 4),
            features={**features, "sitelinks": float(len(document.get("sitelinks") or ()))},
            document=document,
            redirected_from=entity.requested if entity.is_redirect else None,
        )


class ReconciliationFinder:
    """Names by a reconciliation service whose entities are Wikidata's items. `types` maps our classes to the service's types."""

    def __init__(self, client: ReconciliationClient, types: Mapping[str, str] | None = None) -> None:
        self.client = client
        self.place = client.connection.url
        self.size = client.batch
        self._types = types or {}

    def find(self, wanted: Sequence[Wanted]) -> list[tuple[tuple[Found, ...], str]]:
        """One request for all names; scores of 0 to 100 become 0 to 1."""
        asked = [Query(each.name, self._types.get(each.type or ""), limit=_LIMIT) for each in wanted]
        return [(tuple(self._found(candidates)), day) for candidates, day in self.client.match(asked)]

    def _found(self, candidates: Sequence[Any]) -> Iterator[Found]:
        certain = [each for each in candidates if each.match]
        for each in candidates:
            match = _WIKIDATA.fullmatch(each.id)
            if match is None:
                message = f"{self.place} calls an entity {each.id!r}, which is no item of Wikidata"
                raise InputError(message, hint="name a service of Wikidata's items")
            score = round(min(max(each.score, 0.0), 100.0) / 100, 4)
            accepted = certain == [each]
            yield Found(match[1], each.name, each.description, each.types, score, accepted, {"score": each.score, **dict(each.features)})


def instance_of(document: Mapping[str, Any]) -> Iterator[str]:
    """Items that an item is an instance of (P31), by statements that are not deprecated."""
    for claim in (document.get("claims") or {}).get("P31", ()) if isinstance(document.get("claims"), dict) else ():
        value = ((claim.get("mainsnak") or {}).get("datavalue") or {}).get("value")
        if claim.get("rank") != "deprecated" and isinstance(value, dict) and "id" in value:
            yield str(value["id"])


def _text(document: Mapping[str, Any], part: str, language: str) -> str:
    texts = document.get(part)
    found = texts.get(language) if isinstance(texts, dict) else None
    return str(found.get("value") or "") if isinstance(found, dict) else ""


def connect(url: str, settings: Settings) -> Connection:
    """A connection to a service at an address, with the pace, the cache and the contact of the settings."""
    return Connection(url, settings)


def create_finder(settings: Settings, service: str | None = None, *, types: Mapping[str, str] | None = None) -> Finder:
    """The finder of a reconciliation service at an address; without one, that of Wikidata's action API."""
    place = service or settings.wikidata_reconcile
    if place:
        return ReconciliationFinder(ReconciliationClient(connect(place, settings)), types)
    return ActionFinder(ActionApi(connect(settings.wikidata_api, settings)))
