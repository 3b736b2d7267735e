"""Joins the statements of all documents into facts and profiles: in any order, the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from math import prod

from kg.model import Correction, Entity, Fact, Link, Literal, Profile, Statement, Testimony, fact_id
from kg.names import slug

__all__ = ["Identity", "fuse_facts", "fuse_forms", "fuse_profile"]

_SPLIT = "@"


class Identity:
    """Which entity of the fused graph an entity of a document is, after corrections by hand.

    ``merge A B`` makes B the same as A; ``split A`` undoes the merges that A is in or, where there are none,
    makes an entity of its own of what each document calls A (``A@document``).
    """

    def __init__(self, corrections: Sequence[Correction]) -> None:
        self._parent: dict[str, str] = {}
        self._split: set[str] = set()
        self.rejected: set[str] = set()
        self._linked: dict[str, Link | None] = {}
        self._refused: dict[str, set[str]] = {}
        self._found: dict[str, Link] = {}
        self._offered: dict[str, dict[str, Link]] = {}
        for correction in corrections:
            match correction.kind, correction.arguments:
                case "merge", (first, second):
                    kept, gone = self.root(first), self.root(second)
                    if kept != gone:
                        self._parent[gone] = kept
                case "split", (entity,):
                    self._take_apart(entity)
                case "reject", (fact,):
                    self.rejected.add(fact)
                case "link", (entity, qid, label):
                    self._linked[entity] = Link(_item(qid), label, 1.0, "by-hand", "decision")
                    self._refused.get(entity, set()).discard(qid)
                case "unlink", (entity, qid):
                    self._refused.setdefault(entity, set()).add(qid)
                    if (self._linked.get(entity) or Link("", "", 0, "", "")).qid == qid:
                        del self._linked[entity]
                case "no-link", (entity,):
                    self._linked[entity] = None
                case "found", (entity, *_):
                    self._found[entity] = _answer(correction)
                case "candidate", (entity, qid, *_):
                    self._offered.setdefault(entity, {})[qid] = _answer(correction)
                case _:
                    raise ValueError(f"unknown correction {correction}")

    def root(self, entity: str) -> str:
        """What merges make of an entity id, an entity that a split made included."""
        while entity in self._parent:
            entity = self._parent[entity]
        return entity

    def _take_apart(self, entity: str) -> None:
        root = self.root(entity)
        group = {each for each in self._parent if self.root(each) == root}
        if not group:
            self._split.add(entity)
        for each in group:
            del self._parent[each]

    def of(self, entity: str, document_id: str) -> str:
        """The fused entity that this document's entity is."""
        if not self._parent and not self._split:
            return entity
        return self.root(f"{entity}{_SPLIT}{document_id}" if entity in self._split else entity)

    def members(self, fused: str) -> set[str]:
        """Ids under which documents may know a fused entity."""
        if not self._parent and not self._split:
            return {fused}
        group = {each for each in self._parent if self.root(each) == fused} | {fused}
        return {self._unsplit(each) for each in group}

    def _unsplit(self, entity: str) -> str:
        """What documents call an entity that a split made (``A@document``)."""
        return next((each for each in sorted(self._split) if entity.startswith(each + _SPLIT)), entity)

    def is_decided(self, fused: str) -> bool:
        """Whether a person said which item this is, or that there is none."""
        return any(each in self._linked for each in {fused, *self.members(fused)})

    def is_whole(self, fused: str) -> bool:
        """Whether a fused entity is all that all documents call by its members' names: none of them was split."""
        return not self._split or not (self.members(fused) & self._split or fused in self._split)

    def link(self, fused: str, known: Collection[Entity]) -> tuple[Link | None, tuple[Link, ...]]:
        """The Wikidata item of a fused entity, or candidates, of what documents found and people decided.

        What people decided wins. Else it is the item that some document's mentions are surely, where no other's are surely another;
        else what an online service was sure of.
        """
        names = sorted({fused, *self.members(fused)})
        decided = [each for each in names if each in self._linked]
        if decided:
            return self._linked[fused if fused in decided else decided[0]], ()
        refused = {qid for each in names for qid in self._refused.get(each, ())}
        found_online = sorted((self._found[each] for each in names if each in self._found), key=_surest_first)
        best = {link.qid: link for each in names for link in self._offered.get(each, {}).values() if link.qid not in refused}
        sure = {entity.link.qid for entity in known if entity.link} - refused
        for entity in known:
            for found in ((entity.link,) if entity.link else ()) + entity.candidates:
                if found.qid not in refused:
                    best[found.qid] = min(best.get(found.qid, found), found, key=_surest_first)
        if len(sure) == 1:
            return best[sure.pop()], ()
        for online in found_online:
            if online.qid not in refused:
                return online, ()
        return None, tuple(sorted(best.values(), key=_surest_first))

    def mapped(self, statement: Statement | Testimony) -> tuple[str, str, str | Literal]:
        """Subject, predicate and object of the fact that a statement states."""
        value = statement.object if isinstance(statement.object, Literal) else self.of(statement.object, statement.document_id)
        return self.of(statement.subject, statement.document_id), statement.predicate, value


def _item(qid: str) -> str:
    if not re.fullmatch(r"Q[1-9]\d*", qid):
        raise ValueError(f"{qid!r} is no identifier of an item")
    return qid


def _answer(correction: Correction) -> Link:
    """What an online service said: item, label, score, how its name was found, description, and the features (``name=1 prior=0.5``)."""
    _, qid, label, score, method, description, features = correction.arguments
    made = tuple((name, float(value)) for name, _, value in (each.partition("=") for each in features.split()))
    return Link(_item(qid), label, float(score), method, f"{correction.agent} {correction.date}", description, made)


def _surest_first(link: Link) -> tuple[object, ...]:
    return -link.score, int(link.qid[1:]) if link.qid[1:].isdigit() else 0, link.qid, link.label, link.method, link.index, link.features


def fuse_facts(
    statements: Iterable[Statement | Testimony],
    identity: Identity,
    *,
    single_valued: frozenset[str],
    sources: Callable[[Collection[str]], int] = len,
) -> list[Fact]:
    """One fact for each subject, predicate and object, with every statement of it; rejected ones left out.

    Rival values of a single-valued predicate are marked where one document states the one and another the other.
    `sources` counts the independent sources among documents. What is given as a testimony counts like a statement, but is not kept in the
    fact.
    """
    groups: dict[str, list[Statement | Testimony]] = {}
    ends: dict[str, tuple[str, str, str | Literal]] = {}
    for statement in statements:
        mapped = identity.mapped(statement)
        ident = fact_id(*mapped)
        if not identity.rejected & {ident, statement.fact}:
            ends[ident] = mapped
            groups.setdefault(ident, []).append(statement)
    values: dict[tuple[str, str], list[str]] = {}
    for ident in sorted(groups):
        values.setdefault(ends[ident][:2], []).append(ident)
    facts = []
    for ident in sorted(groups):
        said = tuple(sorted(groups[ident], key=lambda s: (s.document_id, s.fact)))
        others = values[ends[ident][:2]] if ends[ident][1] in single_valued else []
        rivals = tuple(each for each in others if not _compatible(ends[ident][2], ends[each][2]) and _disagree(said, groups[each]))
        documents = {statement.document_id for statement in said}
        held = tuple(statement for statement in said if isinstance(statement, Statement))
        counts = len(documents), sources(documents)
        facts.append(Fact(ident, *ends[ident], held, _qualifiers(said), _confidence(said), *counts, rivals))
    return facts


def _disagree(said: Iterable[Statement | Testimony], other_said: Iterable[Statement | Testimony]) -> bool:
    """One document states the one and not the other, and another the reverse."""
    ours, theirs = {s.document_id for s in said}, {s.document_id for s in other_said}
    return bool(ours - theirs and theirs - ours)


def _compatible(one: str | Literal, other: str | Literal) -> bool:
    """Equal, or dates of which one is the less precise form of the other."""
    if isinstance(one, Literal) and isinstance(other, Literal) and "string" not in (one.datatype, other.datatype):
        return one.value.startswith(other.value) or other.value.startswith(one.value)
    return one == other


def _qualifiers(statements: Iterable[Statement | Testimony]) -> tuple[tuple[str, str], ...]:
    """Every qualifier that a document gives, less those that are only a less precise form of another."""
    given = {pair for statement in statements for pair in statement.qualifiers}
    return tuple(sorted((name, date) for name, date in given if not any(n == name and d != date and d.startswith(date) for n, d in given)))


def _confidence(statements: Sequence[Statement | Testimony]) -> float:
    """Probability that at least one document is right, were they independent; at most .99 unless one is certain."""
    best = sorted(statement.confidence for statement in statements)
    joined = round(1 - prod(1 - value for value in best), 2)
    return best[-1] if len(best) == 1 else max(best[-1], min(joined, 0.99))


def fuse_profile(fused: str, known: Sequence[tuple[str, Entity]], identity: Identity | None = None) -> Profile:
    """One profile of what documents (id, entity) know of an entity; see fuse_forms."""
    return fuse_forms(fused, Counter(entity for _, entity in known), sorted({document for document, _ in known}), identity)


def fuse_forms(fused: str, forms: Mapping[Entity, int], documents: Iterable[str], identity: Identity | None = None) -> Profile:
    """One profile of the forms in which documents know an entity (form → documents that have it), after decisions about its link.

    The label is the linked item's where the two differ in spelling only, else the name that most documents use, the
    longer, the first by code point. Types: one, unless entities of different types were merged by hand.
    """
    uses: Counter[str] = Counter()
    for entity, count in forms.items():
        uses[entity.name] += count
    link, candidates = (identity or Identity([])).link(fused, forms.keys())
    spelt = link is not None and bool(link.label) and fused == f"{fused.partition('/')[0]}/{slug(link.label)}"
    label = link.label if link and spelt else min(uses, key=lambda name: (-uses[name], -len(name), name))
    names = {name for entity in forms for name in (entity.name, *entity.aliases)} - {label}
    types = sorted({entity.type for entity in forms})
    return Profile(fused, tuple(types), label, tuple(sorted(names)), tuple(documents), link, candidates)
