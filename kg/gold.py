"""Annotated documents: the facts that a careful reader puts into the graph, in the gold form (JSON)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kg.errors import InputError
from kg.model import Claim, Document, Extraction, Literal, Mention, Name, Span

__all__ = ["GoldDocument", "GoldEntity", "GoldFact", "as_extraction", "find_name", "read_gold"]

_DATE = {4: "gYear", 7: "gYearMonth", 10: "date"}


@dataclass(frozen=True, slots=True)
class GoldEntity:
    """One declared entity: fullest name, type, other forms, further types that a reader would accept."""

    name: str
    type: str
    aliases: tuple[str, ...] = ()
    alt_types: tuple[str, ...] = ()

    @property
    def forms(self) -> tuple[str, ...]:
        """Name and aliases."""
        return (self.name, *self.aliases)


@dataclass(frozen=True, slots=True)
class GoldFact:
    """One annotated fact; ends are names of declared entities, or text."""

    subject: str
    predicate: str
    object: str
    evidence: str
    qualifiers: tuple[tuple[str, str], ...] = ()
    optional: bool = False
    subject_type: str | None = None
    object_type: str | None = None
    object_aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GoldDocument:
    """The annotation of one document."""

    id: str
    published: str | None
    entities: tuple[GoldEntity, ...]
    facts: tuple[GoldFact, ...]

    def entity(self, name: str, types: frozenset[str], wanted: str | None = None) -> GoldEntity | None:
        """The declared entity of this name whose type fits, else one whose further types fit, else None."""
        allowed = {wanted} if wanted else types
        named = [each for each in self.entities if each.name == name]
        exact = (each for each in named if each.type in allowed)
        return next(exact, next((each for each in named if allowed & set(each.alt_types)), None))


def read_gold(folder: Path) -> list[GoldDocument]:
    """Every annotation of a folder, sorted by id. InputError names the file that can't be read."""
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise InputError(f"there are no gold files in {folder}", hint="name the folder that holds ID.json files")
    return [_read(path) for path in paths]


def _read(path: Path) -> GoldDocument:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        entities = tuple(
            GoldEntity(e["name"], e["type"], tuple(e.get("aliases", ())), tuple(e.get("alt_types", ()))) for e in data["entities"]
        )
        facts = tuple(_fact(fact) for fact in data["facts"])
        return GoldDocument(data["id"], data.get("published"), entities, facts)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no gold file: {error!r}", hint="see docs/training.md for the form") from error


def _fact(fact: dict[str, Any]) -> GoldFact:
    value = fact["object"] if isinstance(fact["object"], str) else ""
    return GoldFact(
        fact["subject"],
        fact["predicate"],
        value,
        fact.get("evidence", ""),
        tuple(sorted(fact.get("qualifiers", {}).items())),
        bool(fact.get("optional")),
        fact.get("subject_type"),
        fact.get("object_type"),
        tuple(fact.get("object_aliases", ())),
    )


def find_name(text: str, form: str) -> Iterator[Span]:
    """Every place where a form stands as whole words, apostrophes and white space aside.

    >>> list(find_name("Kim’s bag, Kimono", "Kim"))
    [Span(start=0, end=3)]
    """
    pattern = r"\s+".join(re.sub("['’‘]", "['’‘]", re.escape(word)) for word in form.split())
    for match in re.finditer(rf"(?<!\w){pattern}(?!\w)", text) if pattern else ():
        yield Span(match.start(), match.end())


def as_extraction(
    document: Document, gold: GoldDocument, signatures: dict[str, tuple[frozenset[str], frozenset[str] | None]], *, extractor: str = "gold"
) -> Extraction:
    """The annotation as an extraction of its document; facts whose evidence is not in the text are left out.

    `signatures` gives subject and object types of each predicate (None where the object is a literal). Raises InputError for
    a predicate that is none of them.
    """
    text = document.body.content
    mentions = [
        Mention(document.body.name, span, text[span.start : span.end], Name(entity.type, entity.name))
        for entity in gold.entities
        for form in entity.forms
        for span in find_name(text, form)
    ]
    claims = []
    for fact in gold.facts:
        place = text.find(fact.evidence) if fact.evidence else -1
        if fact.predicate not in signatures:
            raise InputError(
                f"{gold.id}: the ontology has no predicate {fact.predicate!r}", hint="mend the gold file, or name its ontology"
            )
        subjects, objects = signatures[fact.predicate]
        subject = gold.entity(fact.subject, subjects, fact.subject_type)
        if place < 0 or subject is None or fact.optional:
            continue
        value: Name | Literal | None
        if objects is None:
            kind = _DATE.get(len(fact.object), "string") if fact.predicate.endswith("Date") else "string"
            value = Literal(fact.object, kind)
        else:
            entity = gold.entity(fact.object, objects, fact.object_type)
            value = Name(entity.type, entity.name) if entity else None
        if value is not None:
            span = Span(place, place + len(fact.evidence))
            evidence = document.evidence(span, extractor=extractor, version="1", confidence=1.0, text=document.body.name)
            claims.append(Claim(Name(subject.type, subject.name), fact.predicate, value, (evidence,), fact.qualifiers))
    return Extraction(document.id, tuple(sorted(set(mentions))), tuple(claims))
