"""Gives every named thing of one document its key: equal keys are one entity in all documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from kg.link import Index
from kg.model import Claim, Entity, Evidence, Extraction, Literal, Mention, Name, Resolution, Statement
from kg.names import fold, is_part, slug

__all__ = ["VERSION", "resolve"]

VERSION = "3"
"""Grows when the same extraction resolves differently; part of a build's fingerprint."""


def resolve(extraction: Extraction, index: Index) -> Resolution:
    """Entities and statements of one document: a pure function of its extraction and the index.

    Parts of a person's name ("Kim", "Kardashian") are the one person of the document whose name they are part of.
    An entity's id is its type and folded fullest name, or the label of the shipped table of brands where that knows
    exactly one item of the type and name. Which Wikidata item it is, is found later, and alters no id. Claims that come
    to the same statement join their evidence; a statement from an entity to itself is none.
    """
    canonical = _canonical_names(extraction)
    entities = _entities(extraction, canonical, index)
    ids = {name: entity.id for name, entity in entities.items()}
    statements = _statements(extraction, canonical, ids)
    unique: dict[str, Entity] = {}
    for entity in entities.values():
        unique[entity.id] = _joined(unique[entity.id], entity) if entity.id in unique else entity
    return Resolution(extraction.document_id, tuple(unique[key] for key in sorted(unique)), tuple(statements))


def _canonical_names(extraction: Extraction) -> dict[Name, Name]:
    """Every name of the extraction → the fullest form of it in this document."""
    names = {mention.referent for mention in extraction.mentions}
    for claim in extraction.claims:
        names.add(claim.subject)
        if isinstance(claim.object, Name):
            names.add(claim.object)
    people = _full_names(name.name for name in names if name.type == "Person")
    forms = {name: people[name.name] if name.type == "Person" else name.name for name in names}
    best: dict[tuple[str, str], str] = {}
    for name, form in forms.items():
        key = (name.type, fold(form))
        best[key] = min(best.get(key, form), form, key=lambda each: (-len(each), each))
    return {name: Name(name.type, best[name.type, fold(form)]) for name, form in forms.items()}


def _full_names(people: Iterable[str]) -> dict[str, str]:
    """Each person's name → the one fullest name that it is, through however many steps, a part of; else itself."""
    full: dict[str, str] = {}
    for name in sorted(people, key=lambda each: (-len(fold(each).split()), each)):
        longer = {fold(full[each]): full[each] for each in full if is_part(name, each)}
        full[name] = next(iter(longer.values())) if len(longer) == 1 else name
    return full


def _entities(extraction: Extraction, canonical: dict[Name, Name], index: Index) -> dict[Name, Entity]:
    mentions: dict[Name, set[Mention]] = defaultdict(set)
    for name in canonical.values():
        mentions[name] = set()
    for mention in extraction.mentions:
        name = canonical[mention.referent]
        mentions[name].add(Mention(mention.text, mention.span, mention.surface, name, mention.kind))
    found = {}
    for name in sorted(mentions):
        link = index.link(name.type, name.name)
        ident = f"{name.type.lower()}/{slug(link.label if link else name.name)}"
        surfaces = {m.surface for m in mentions[name] if m.kind == "name"} | {n.name for n, full in canonical.items() if full == name}
        found[name] = Entity(ident, name.type, name.name, tuple(sorted(surfaces - {name.name})), tuple(sorted(mentions[name])))
    return found


def _joined(one: Entity, other: Entity) -> Entity:
    """Two names of one document that the index knows as one thing."""
    full = min(one.name, other.name, key=lambda form: (-len(form), form))
    aliases = {one.name, other.name, *one.aliases, *other.aliases} - {full}
    mentions = {replace(mention, referent=Name(one.type, full)) for mention in (*one.mentions, *other.mentions)}
    return Entity(one.id, one.type, full, tuple(sorted(aliases)), tuple(sorted(mentions)))


def _statements(extraction: Extraction, canonical: dict[Name, Name], ids: dict[Name, str]) -> list[Statement]:
    joined: dict[tuple[str, str, str | Literal], list[Claim]] = defaultdict(list)
    for claim in extraction.claims:
        subject = ids[canonical[claim.subject]]
        value = claim.object if isinstance(claim.object, Literal) else ids[canonical[claim.object]]
        if subject != value:
            joined[subject, claim.predicate, value].append(claim)
    found = []
    for (subject, predicate, value), claims in joined.items():
        evidence = _surest(each for claim in claims for each in claim.evidence)
        dates: dict[str, set[str]] = defaultdict(set)
        for claim in claims:
            for name, date in claim.qualifiers:
                dates[name].add(date)
        qualifiers = tuple(sorted((name, max(given, key=lambda date: (len(date), date))) for name, given in dates.items()))
        found.append(Statement(extraction.document_id, subject, predicate, value, evidence, qualifiers))
    return sorted(found, key=lambda s: s.fact)


def _surest(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Each place once for each extractor, with the highest confidence."""
    best: dict[tuple[object, ...], Evidence] = {}
    for each in evidence:
        key = (each.text, each.span, each.extractor, each.version)
        best[key] = max(best.get(key, each), each)
    return tuple(sorted(best.values()))
