"""What a model knows: kinds of things it finds, relations it scores, and what each relation says in the graph."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kg.errors import ModelError

__all__ = ["DATE", "DISTANCES", "DOCUMENT_DATE", "QUOTATION", "Relation", "Schema", "distance_bucket"]

DATE, QUOTATION = "date", "quotation"
"""Kinds that rules find: dates with their value, and what stands between quotation marks."""

DOCUMENT_DATE = "document date"
"""The kind of the publication date, which stands nowhere in the text."""

_STEPS = (4, 8, 16, 32, 64, 128)
DISTANCES = 2 * (len(_STEPS) + 1) + 1


def distance_bucket(tokens: int | None) -> int:
    """Bucket of a signed distance in tokens; None where one end stands nowhere in the text."""
    if tokens is None:
        return DISTANCES - 1
    size = sum(abs(tokens) >= step for step in _STEPS)
    return size if tokens >= 0 else size + len(_STEPS) + 1


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation between two kinds of things; `qualifier` names the end of a period it gives to its predicate's facts."""

    name: str
    predicate: str
    subjects: tuple[str, ...]
    objects: tuple[str, ...]
    qualifier: str | None = None
    symmetric: bool = False


@dataclass(frozen=True, slots=True)
class Schema:
    """Kinds that the tagger finds (`types` are classes of the ontology, `texts` predicates whose objects are words of the text)."""

    types: tuple[str, ...]
    texts: tuple[str, ...]
    relations: tuple[Relation, ...]

    @property
    def tagged(self) -> tuple[str, ...]:
        """Kinds with a B and an I tag each, in the order of the tagger's outputs after O."""
        return (*self.types, *self.texts)

    @property
    def kinds(self) -> tuple[str, ...]:
        """All kinds, as the relator numbers them from 1 on."""
        return (*self.tagged, DATE, QUOTATION, DOCUMENT_DATE)

    @property
    def tag_count(self) -> int:
        """Outputs of the tagger: O, then B and I of each tagged kind."""
        return 1 + 2 * len(self.tagged)

    def allowed(self, subject: str, value: str) -> list[int]:
        """Numbers of the relations that may hold between things of these kinds."""
        return [i for i, relation in enumerate(self.relations) if subject in relation.subjects and value in relation.objects]

    def as_data(self) -> dict[str, Any]:
        """Plain data, from which `from_data` gives the schema back."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Schema:
        """The schema of a model; ModelError where the data is no schema."""
        try:
            relations = tuple(
                Relation(r["name"], r["predicate"], tuple(r["subjects"]), tuple(r["objects"]), r["qualifier"], bool(r["symmetric"]))
                for r in data["relations"]
            )
            return cls(tuple(data["types"]), tuple(data["texts"]), relations)
        except (KeyError, TypeError) as error:
            raise ModelError(f"the model's schema can't be read: {error!r}", hint="train it again, or reinstall") from error


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of a model's folder; ModelError where it can't be read."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} can't be read: {error}", hint="train the model again, or reinstall") from error
    if not isinstance(data, dict):
        raise ModelError(f"{path} holds no object", hint="train the model again, or reinstall")
    return data
