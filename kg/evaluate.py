"""Facts against annotated documents: precision, recall and F1, of facts and of entities, and how far confidences can be trusted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kg.gold import GoldDocument, GoldEntity, GoldFact
from kg.names import fold
from kg.rdf.ontology import Ontology

__all__ = ["Evaluation", "Tally", "evaluate", "judge"]

_SAID_ENOUGH = 0.8
_BINS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.01)


@dataclass(slots=True)
class Tally:
    """Right, wrong and missed ones."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        """Share of the found ones that are right; 1 where nothing was found and nothing was there."""
        found = self.right + self.wrong
        return self.right / found if found else float(not self.missed)

    @property
    def recall(self) -> float:
        """Share of the wanted ones that were found; 1 where nothing was wanted and nothing found."""
        wanted = self.right + self.missed
        return self.right / wanted if wanted else float(not self.wrong)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    def as_data(self) -> dict[str, float]:
        """The figures as plain data."""
        rounded = {name: round(getattr(self, name), 4) for name in ("precision", "recall", "f1")}
        return {**rounded, "right": self.right, "wrong": self.wrong, "missed": self.missed}


@dataclass(slots=True)
class Evaluation:
    """Figures over a set of documents; `bins` counts (right, all) found facts by confidence, from its lower bound on."""

    documents: int = 0
    facts: Tally = field(default_factory=Tally)
    entities: Tally = field(default_factory=Tally)
    by_predicate: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    by_type: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    by_document: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    bins: dict[float, tuple[int, int]] = field(default_factory=dict)
    qualifiers: Tally = field(default_factory=Tally)
    verbatim: tuple[int, int] = (0, 0)
    errors: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    @property
    def macro(self) -> tuple[float, float, float]:
        """Precision, recall and F1 as means over documents."""
        tallies = list(self.by_document.values()) or [Tally()]
        return tuple(sum(getattr(t, name) for t in tallies) / len(tallies) for name in ("precision", "recall", "f1"))

    def as_data(self) -> dict[str, Any]:
        """Everything as plain data, errors aside."""
        precision, recall, f1 = self.macro
        return {
            "documents": self.documents,
            "facts": self.facts.as_data(),
            "macro": {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)},
            "entities": self.entities.as_data(),
            "predicates": {name: self.by_predicate[name].as_data() for name in sorted(self.by_predicate)},
            "types": {name: self.by_type[name].as_data() for name in sorted(self.by_type)},
            "confidence": [{"from": low, "right": right, "facts": count} for low, (right, count) in sorted(self.bins.items())],
            "qualifiers": self.qualifiers.as_data(),
            "verbatim": {"checked": self.verbatim[1], "verbatim": self.verbatim[0]},
        }


def evaluate(golds: Sequence[GoldDocument], facts: Iterable[Mapping[str, Any]], texts: Mapping[str, str], ontology: Ontology) -> Evaluation:
    """Compares facts (rows of the facts view) with the annotations of the same documents.

    Names match by folded name or alias, dates where one is equal to or a less precise form of the other, quotations by the F1 of their
    words (at least .8), a symmetric predicate in either direction. An annotated fact is matched once; equal facts of a document
    count once; optional ones are neither demanded nor counted against. Facts of documents without annotation are left out.
    """
    rows: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in facts:
        rows[row["doc"]].append(row)
    result = Evaluation(documents=len(golds))
    for gold in golds:
        _Comparison(gold, rows.get(gold.id, []), texts.get(gold.id, ""), ontology, result).run()
    return result


def judge(gold: GoldDocument, facts: Sequence[Mapping[str, Any]], ontology: Ontology) -> list[bool | None]:
    """For each fact of a document whether its annotation holds it; None where only an optional annotation does."""
    comparison = _Comparison(gold, (), "", ontology, Evaluation())
    found: list[bool | None] = []
    for fact in facts:
        fits = [each.optional for each in gold.facts if comparison.rank(fact, each) is not None]
        found.append(None if fits and all(fits) else bool(fits))
    return found


class _Comparison:
    """One document's facts against its annotation."""

    def __init__(self, gold: GoldDocument, rows: Sequence[Mapping[str, Any]], text: str, ontology: Ontology, result: Evaluation) -> None:
        self.gold = gold
        self.ontology = ontology
        self.signatures = ontology.signatures
        self.result = result
        self.text = text
        self.all_rows = rows
        self.rows = self._distinct(rows)
        self.forms = {id(entity): {fold(form) for form in entity.forms} for entity in gold.entities}

    def run(self) -> None:
        matched = self._assign()
        missed, wrong = [], []
        for number, fact in enumerate(self.gold.facts):
            if not fact.optional:
                hit = number in matched.values()
                self._count(fact.predicate, "right" if hit else "missed")
                missed += [] if hit else [f"{fact.subject} | {fact.predicate} | {fact.object}"]
        for number, row in enumerate(self.rows):
            right = number in matched
            self._bin(row, right=right)
            if right:
                self._periods(row, self.gold.facts[matched[number]])
            else:
                self._count(row["predicate"], "wrong")
                wrong.append(f"{_end(row['subject'])} | {row['predicate']} | {_end(row['object'])}")
        self._detect()
        good, count = self.result.verbatim
        here = sum(bool(row["evidence"]) and row["evidence"] in self.text for row in self.all_rows)
        self.result.verbatim = (good + here, count + len(self.all_rows))
        self.result.errors[self.gold.id] = {"missed": missed, "wrong": wrong}
        self.result.by_document.setdefault(self.gold.id, Tally())

    def _count(self, predicate: str, kind: str) -> None:
        for tally in (self.result.facts, self.result.by_predicate[predicate], self.result.by_document[self.gold.id]):
            setattr(tally, kind, getattr(tally, kind) + 1)

    def _bin(self, row: Mapping[str, Any], *, right: bool) -> None:
        confidence = float(row.get("confidence", 1.0))
        low = max(bound for bound in _BINS if bound <= confidence)
        good, count = self.result.bins.get(low, (0, 0))
        self.result.bins[low] = (good + right, count + 1)

    def _periods(self, row: Mapping[str, Any], fact: GoldFact) -> None:
        given, wanted = dict(row.get("qualifiers") or {}), dict(fact.qualifiers)
        for name in {*given, *wanted}:
            right = name in given and name in wanted and _dates_agree(given[name], wanted[name])
            self.result.qualifiers.right += right
            self.result.qualifiers.wrong += name in given and not right
            self.result.qualifiers.missed += name in wanted and not right

    # -- which fact is which -----------------------------------------------------------------------------------

    def _distinct(self, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        kept: dict[tuple[Any, ...], Mapping[str, Any]] = {}
        for row in rows:
            ends = [self._key(row["subject"]), self._key(row["object"])]
            if self._symmetric(row["predicate"]):
                ends.sort()
            kept.setdefault((row["predicate"], *ends), row)
        return list(kept.values())

    def _key(self, end: Mapping[str, Any]) -> str:
        """The entity that a label means, else the folded label."""
        label = fold(str(_end(end)))
        if "value" in end:
            return str(end["value"])
        for exact in (True, False):
            for number, entity in enumerate(self.gold.entities):
                forms = {fold(entity.name)} if exact else {fold(form) for form in entity.forms}
                if label in forms and (exact or end.get("type") in (entity.type, *entity.alt_types)):
                    return f"#{number}"
        return label

    def _symmetric(self, predicate: str) -> bool:
        return predicate in self.ontology.predicates and self.ontology.predicates[predicate].symmetric

    def _assign(self) -> dict[int, int]:
        """Found fact → annotated fact: best fits first, demanded ones before optional ones."""
        fits = []
        for number, row in enumerate(self.rows):
            for other, fact in enumerate(self.gold.facts):
                rank = self.rank(row, fact)
                if rank is not None:
                    fits.append((fact.optional, rank, number, other))
        matched: dict[int, int] = {}
        used: set[int] = set()
        for _, _, number, other in sorted(fits):
            if number not in matched and other not in used:
                matched[number] = other
                used.add(other)
        return matched

    def rank(self, row: Mapping[str, Any], fact: GoldFact) -> float | None:
        """How far a found fact is from an annotated one: 0 for the same, None where it is another."""
        if row["predicate"] != fact.predicate or fact.predicate not in self.signatures:
            return None
        subjects, objects = self.signatures[fact.predicate]
        subject = self.gold.entity(fact.subject, subjects, fact.subject_type)
        if subject is None:
            return None
        if objects is None:
            return _sum(self._name_rank(row["subject"], subject), self._literal_rank(str(_end(row["object"])), fact))
        value = self.gold.entity(fact.object, objects, fact.object_type)
        if value is None:
            return None
        ranks = [_sum(self._name_rank(row["subject"], subject), self._name_rank(row["object"], value, fact.object_aliases))]
        if self._symmetric(fact.predicate):
            ranks.append(_sum(self._name_rank(row["object"], subject), self._name_rank(row["subject"], value)))
        return min((rank for rank in ranks if rank is not None), default=None)

    def _name_rank(self, end: Mapping[str, Any], entity: GoldEntity, more: Sequence[str] = ()) -> float | None:
        form = fold(str(_end(end)))
        if form == fold(entity.name):
            return 0.0
        return 1.0 if form in self.forms[id(entity)] or form in {fold(each) for each in more} else None

    def _literal_rank(self, value: str, fact: GoldFact) -> float | None:
        kind = self.ontology.predicates[fact.predicate].literal
        for step, wanted in enumerate((fact.object, *fact.object_aliases)):
            if kind == "date" and _dates_agree(value, wanted):
                return float(step > 0 or value != wanted)
            if kind != "date" and fold(value) == fold(wanted):
                return float(step > 0)
        share = _shared_words(value, fact.object)
        return 1 - share if kind != "date" and len(fact.object.split()) > 2 and share >= _SAID_ENOUGH else None

    # -- entities ----------------------------------------------------------------------------------------------

    def _detect(self) -> None:
        """Entities at the ends of found facts against those at the ends of annotated ones; the type must agree."""
        demanded = self._ends(lambda fact: not fact.optional)
        tolerated = self._ends(lambda fact: True)
        found: set[int] = set()
        wrong: set[tuple[str, str]] = set()
        for row in self.all_rows:
            for end in (row["subject"], row["object"]):
                if "value" in end:
                    continue
                label, kind = fold(end["label"]), end["type"]
                fits = [
                    (label != fold(e.name), id(e) not in demanded, n)
                    for n, e in enumerate(self.gold.entities)
                    if id(e) in tolerated and label in self.forms[id(e)] and kind in (e.type, *e.alt_types)
                ]
                if fits:
                    found.add(id(self.gold.entities[min(fits)[2]]))
                else:
                    wrong.add((label, kind))
        for entity in self.gold.entities:
            if id(entity) in demanded:
                for tally in (self.result.entities, self.result.by_type[entity.type]):
                    tally.right += id(entity) in found
                    tally.missed += id(entity) not in found
        for kind, count in Counter(kind for _, kind in wrong).items():
            self.result.entities.wrong += count
            self.result.by_type[kind].wrong += count

    def _ends(self, wanted: Callable[[GoldFact], bool]) -> set[int]:
        found = set()
        for fact in self.gold.facts:
            subjects, objects = self.signatures.get(fact.predicate, (frozenset(), None))
            ends = [self.gold.entity(fact.subject, subjects, fact.subject_type)]
            if objects is not None:
                ends.append(self.gold.entity(fact.object, objects, fact.object_type))
            if wanted(fact):
                found |= {id(entity) for entity in ends if entity}
        return found


def _end(end: Mapping[str, Any]) -> Any:
    return end["value"] if "value" in end else end["label"]


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _dates_agree(one: str, other: str) -> bool:
    a, b = one.split("-"), other.split("-")
    return a[: len(b)] == b[: len(a)]


def _shared_words(one: str, other: str) -> float:
    a, b = Counter(fold(one).split()), Counter(fold(other).split())
    shared = sum((a & b).values())
    return 2 * shared / (a.total() + b.total()) if shared else 0.0
