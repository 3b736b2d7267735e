"""The Reconciliation Service API as a client: versions 0.1, 0.2 and 1.0-draft, by what the service's manifest says it speaks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kg.errors import ServiceUnavailable
from kg.http import Passing
from kg.wikidata.online.connection import Connection, groups

__all__ = ["Matched", "PropertyValue", "Query", "ReconciliationClient"]

VERSIONS = ("0.2", "1.0-draft", "0.1")
"""What is spoken, the one that most services speak first."""

_BATCH = 10


@dataclass(frozen=True, slots=True)
class PropertyValue:
    """A value that the thing sought should have: text, or the id of an entity of the service."""

    property: str
    value: str


@dataclass(frozen=True, slots=True)
class Query:
    """One name that is sought; `type` is an id of the service's own types."""

    name: str
    type: str | None = None
    properties: tuple[PropertyValue, ...] = ()
    limit: int = 10


@dataclass(frozen=True, slots=True)
class Matched:
    """A candidate as the service gives it: its own id and score; `match` says that the service holds it for certain."""

    id: str
    name: str
    description: str
    score: float
    match: bool
    types: tuple[str, ...] = ()
    features: tuple[tuple[str, float], ...] = ()


class ReconciliationClient:
    """One service, whose manifest is read first. ServiceUnavailable where it can't be asked, or speaks none of the versions.

    `version` chooses one; otherwise it is the first of `VERSIONS` that the manifest names.
    """

    def __init__(self, connection: Connection, *, version: str | None = None) -> None:
        self.connection = connection
        self.manifest, self.asked = connection.get(check=_check_manifest)
        spoken = self.manifest.get("versions") or ["0.1"]
        found = next((each for each in ((version,) if version else VERSIONS) if each in spoken), None)
        if found is None:
            message = f"{connection.url} speaks version {', '.join(map(str, spoken))} of the Reconciliation Service API"
            raise ServiceUnavailable(message, hint=f"{', '.join(VERSIONS)} are spoken here")
        self.version = found
        size = self.manifest.get("batchSize")
        self.batch = size if isinstance(size, int) and 0 < size < _BATCH else _BATCH

    @property
    def identifier_space(self) -> str:
        """What the ids of entities are in, as IRI; empty where the manifest doesn't say (1.0-draft has no such thing)."""
        return str(self.manifest.get("identifierSpace") or "")

    def match(self, queries: Sequence[Query]) -> list[tuple[list[Matched], str]]:
        """Candidates of each query, the best first, with the day of the answer; in the order of the queries."""
        return [found for batch in groups(queries, self.batch) for found in self._batch(batch)]

    def _batch(self, queries: Sequence[Query]) -> list[tuple[list[Matched], str]]:
        try:
            results, day = self._current(queries) if self.version == "1.0-draft" else self._deployed(queries)
        except ServiceUnavailable as error:
            if error.status != 413 or len(queries) == 1:
                raise
            self.batch = middle = len(queries) // 2
            return [*self._batch(queries[:middle]), *self._batch(queries[middle:])]
        return [(sorted(_candidates(result), key=lambda each: -each.score), day) for result in results]

    def _deployed(self, queries: Sequence[Query]) -> tuple[list[Any], str]:
        """0.1 and 0.2: a form with named queries, answered by the same names."""
        names = [f"q{number}" for number in range(len(queries))]
        batch = json.dumps({name: _as_deployed(query) for name, query in zip(names, queries, strict=True)}, ensure_ascii=False)
        data, day = self.connection.post_form({"queries": batch}, check=lambda data, wait: _check_results(data, names, wait))
        return [data[name]["result"] for name in names], day

    def _current(self, queries: Sequence[Query]) -> tuple[list[Any], str]:
        """1.0-draft: a list of queries, answered by a list of the same length."""

        def check(data: Any, wait: float) -> None:
            results = data.get("results") if isinstance(data, dict) else None
            if not isinstance(results, list) or len(results) != len(queries):
                raise Passing("the answer doesn't hold a result for each query", wait)
            _check_results(dict(enumerate(results)), range(len(results)), wait, part="candidates")

        data, day = self.connection.post_json({"queries": [_as_current(query) for query in queries]}, check=check, path="/match")
        return [result["candidates"] for result in data["results"]], day


def _as_deployed(query: Query) -> dict[str, Any]:
    data: dict[str, Any] = {"query": query.name, "limit": query.limit}
    if query.type:
        data["type"] = query.type
    if query.properties:
        data["properties"] = [{"pid": each.property, "v": each.value} for each in query.properties]
    return data


def _as_current(query: Query) -> dict[str, Any]:
    conditions: list[dict[str, Any]] = [{"matchType": "name", "propertyValue": query.name}]
    conditions += [{"matchType": "property", "propertyId": each.property, "propertyValue": each.value} for each in query.properties]
    return {**({"type": query.type} if query.type else {}), "limit": query.limit, "conditions": conditions}


def _check_manifest(data: Any, wait: float) -> None:
    if not isinstance(data, dict) or "name" not in data or not isinstance(data.get("versions", []), list):
        raise Passing("the answer is no manifest of a reconciliation service", wait)


def _check_results(data: Any, names: Sequence[Any], wait: float, *, part: str = "result") -> None:
    """Every query has its own answer, and every candidate what it must have: a missing one is a fault, not an empty answer."""
    for name in names:
        result = data.get(name) if isinstance(data, dict) else None
        found = result.get(part) if isinstance(result, dict) else None
        if not isinstance(found, list) or not all(isinstance(each, dict) and {"id", "name"} <= set(each) for each in found):
            raise Passing("the answer doesn't hold a result for each query", wait)


def _candidates(found: Sequence[Mapping[str, Any]]) -> Iterator[Matched]:
    for each in found:
        kinds = each.get("type") if isinstance(each.get("type"), list) else []
        features = each.get("features") if isinstance(each.get("features"), list) else []
        yield Matched(
            id=str(each["id"]),
            name=str(each["name"]),
            description=str(each.get("description") or ""),
            score=_number(each.get("score")),
            match=each.get("match") is True,
            types=tuple(str(kind["id"] if isinstance(kind, dict) else kind) for kind in kinds or ()),
            features=tuple((str(f.get("id")), _number(f.get("value"))) for f in features or () if isinstance(f, dict)),
        )


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0
