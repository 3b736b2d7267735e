"""Annotated documents as examples: things with their places, facts with their evidence, and names swapped."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kg.extract.dates import find_dates
from kg.extract.quotes import find_quotes
from kg.extract.schema import DATE, DOCUMENT_DATE, QUOTATION, Relation, Schema
from kg.gold import GoldDocument, GoldFact, find_name, read_gold
from kg.rdf.ontology import Ontology

__all__ = ["Example", "Names", "Thing", "build_schema", "make_example", "read_examples", "swap_names"]

Place = tuple[int, int]


@dataclass(slots=True)
class Thing:
    """Something that a document names, with every place where it does; no place for the publication date."""

    kind: str
    name: str
    places: list[Place] = field(default_factory=list)


@dataclass(slots=True)
class Relationship:
    """A fact between two things (numbers), the relation's number, and the place that says so."""

    subject: int
    relation: int
    object: int
    evidence: Place | None
    optional: bool


@dataclass(slots=True)
class Example:
    """One annotated document, ready to be encoded."""

    id: str
    text: str
    start: int
    things: list[Thing]
    relationships: list[Relationship]


def build_schema(ontology: Ontology, golds: Sequence[tuple[str, GoldDocument]]) -> Schema:
    """The schema of an ontology: a text predicate whose annotated objects are mostly quotations scores quotations."""
    types = tuple(ontology.entity_types)
    relations, texts = [], []
    for name, term in ontology.predicates.items():
        subjects = term.domain or types
        if term.literal == "date":
            relations.append(Relation(name, name, subjects, (DATE, DOCUMENT_DATE)))
        elif term.literal is not None:
            quoted = _share_quoted(name, golds) > 0.5
            if not quoted:
                texts.append(name)
            relations.append(Relation(name, name, subjects, (QUOTATION,) if quoted else (name,)))
        else:
            relations.append(Relation(name, name, subjects, term.range or types, None, term.symmetric))
        if term.takes_period:
            relations += [Relation(f"{name}.{end}", name, subjects, (DATE, DOCUMENT_DATE), end) for end in ("start", "end")]
    return Schema(types, tuple(texts), tuple(relations))


def _share_quoted(predicate: str, golds: Sequence[tuple[str, GoldDocument]]) -> float:
    quoted = total = 0
    for text, gold in golds:
        found = {text[span.start : span.end].strip() for span in find_quotes(text)}
        for fact in gold.facts:
            if fact.predicate == predicate:
                total += 1
                quoted += fact.object.strip() in found
    return quoted / total if total else 0.0


def read_examples(folder: Path, ontology: Ontology, schema: Schema | None = None) -> tuple[Schema, list[Example]]:
    """Schema and examples of a folder with docs/ID.txt and gold/ID.json, sorted by id."""
    pairs = []
    for gold in read_gold(folder / "gold"):
        pairs.append(((folder / "docs" / f"{gold.id}.txt").read_bytes().decode("utf-8"), gold))
    schema = schema or build_schema(ontology, pairs)
    return schema, [make_example(text, gold, schema) for text, gold in pairs]


def make_example(text: str, gold: GoldDocument, schema: Schema) -> Example:
    """One document's example: annotated names, words, dates and quotations as things, facts as relationships."""
    head = f"date {gold.published}"
    start = text.find(head) + len(head) if gold.published and text.lstrip().startswith(head) else 0
    things, index = _named_things(text, start, gold)
    dates, quotes = _literal_things(text, start, gold, things)
    found = _Found(text, gold, index, things, dates, quotes)
    relationships = []
    for fact in gold.facts:
        evidence = text.find(fact.evidence) if fact.evidence else -1
        place = (evidence, evidence + len(fact.evidence)) if evidence >= 0 else None
        for number, relation in enumerate(schema.relations):
            if relation.predicate != fact.predicate:
                continue
            subject = _entity(index, gold, fact.subject, relation.subjects, fact.subject_type)
            for value in _objects(fact, relation, place, found):
                if subject is not None:
                    relationships.append(Relationship(subject, number, value, place, fact.optional))
    return Example(gold.id, text, start, things, relationships)


def _named_things(text: str, start: int, gold: GoldDocument) -> tuple[list[Thing], dict[tuple[str, str], int]]:
    things: list[Thing] = []
    index: dict[tuple[str, str], int] = {}
    forms: list[tuple[str, int]] = []
    for entity in gold.entities:
        if (entity.name, entity.type) not in index:
            index[entity.name, entity.type] = len(things)
            things.append(Thing(entity.type, entity.name))
        forms += [(form, index[entity.name, entity.type]) for form in dict.fromkeys(entity.forms)]
    taken: dict[int, Place] = {}
    for form, number in sorted(forms, key=lambda pair: (-len(pair[0]), pair[0], pair[1])):
        for span in find_name(text, form):
            place = (span.start, span.end)
            overlaps = {taken[at] for at in range(*place) if at in taken}
            if span.start >= start and (not overlaps or overlaps == {place}):
                things[number].places.append(place)
                taken.update((at, place) for at in range(*place))
    return things, index


def _literal_things(text: str, start: int, gold: GoldDocument, things: list[Thing]) -> tuple[dict[str, int], dict[str, int]]:
    dates: dict[str, int] = {}
    for mention in find_dates(text, start, published=gold.published):
        if mention.value not in dates:
            dates[mention.value] = len(things)
            things.append(Thing(DATE, mention.value))
        things[dates[mention.value]].places.append((mention.span.start, mention.span.end))
    if gold.published:
        dates.setdefault("", len(things))
        things.append(Thing(DOCUMENT_DATE, gold.published[:7]))
    quotes: dict[str, int] = {}
    for span in find_quotes(text, start):
        quotes.setdefault(text[span.start : span.end].strip(), len(things))
        things.append(Thing(QUOTATION, text[span.start : span.end], [(span.start, span.end)]))
    return dates, quotes


def _entity(index: dict[tuple[str, str], int], gold: GoldDocument, name: str, kinds: Sequence[str], wanted: str | None) -> int | None:
    entity = gold.entity(name, frozenset(kinds), wanted)
    return index.get((entity.name, entity.type)) if entity else None


@dataclass(slots=True)
class _Found:
    """What was found in one annotated text: its things, and their numbers by name and type, by date and by quotation."""

    text: str
    gold: GoldDocument
    index: dict[tuple[str, str], int]
    things: list[Thing]
    dates: dict[str, int]
    quotes: dict[str, int]


def _objects(fact: GoldFact, relation: Relation, place: Place | None, found: _Found) -> list[int]:
    """Numbers of the things that are the fact's object under this relation."""
    if relation.qualifier is not None:
        value = dict(fact.qualifiers).get(relation.qualifier)
        return _dated(value, found.dates, found.things) if value else []
    if DATE in relation.objects:
        return _dated(fact.object, found.dates, found.things)
    if QUOTATION in relation.objects:
        quoted = found.quotes.get(fact.object.strip())
        return [quoted] if quoted is not None else []
    if relation.objects == (relation.name,):
        word = _word(fact, place, found.text)
        if word is None:
            return []
        for number, thing in enumerate(found.things):
            if thing.kind == relation.name and word in thing.places:
                return [number]
        found.things.append(Thing(relation.name, found.text[slice(*word)].lower(), [word]))
        return [len(found.things) - 1]
    entity = _entity(found.index, found.gold, fact.object, relation.objects, fact.object_type)
    return [entity] if entity is not None else []


def _dated(value: str, dates: dict[str, int], things: list[Thing]) -> list[int]:
    """The date thing of this value, else those of which it is a more or less precise form, else the publication date."""
    if value in dates:
        return [dates[value]]
    near = [number for form, number in dates.items() if form and (form.startswith(value) or value.startswith(form))]
    if near:
        return near
    number = dates.get("")
    if number is not None and (things[number].name.startswith(value) or value.startswith(things[number].name)):
        return [number]
    return []


def _word(fact: GoldFact, place: Place | None, text: str) -> Place | None:
    """Where the words of a text object stand inside the evidence: as they are, or in the plural."""
    if place is None:
        return None
    quote = text[slice(*place)].lower()
    for form in (fact.object, *fact.object_aliases):
        for ending in ("", "s", "es"):
            for span in find_name(quote, form.lower() + ending):
                return place[0] + span.start, place[0] + span.end
    return None


class Names:
    """Words of names by kind, from which swapped names are made; words that many names share are no names but types."""

    def __init__(self, examples: Sequence[Example], more: dict[str, Sequence[str]] | None = None) -> None:
        uses: Counter[str] = Counter()
        words: dict[str, set[str]] = {}
        for example in examples:
            own = {(thing.kind, word) for thing in example.things if thing.places for word in thing.name.split()}
            uses.update({word for _, word in own})
            for kind, word in own:
                words.setdefault(kind, set()).add(word)
        self.common = {word for word, count in uses.items() if count > 4}
        for kind, extra in (more or {}).items():
            words.setdefault(kind, set()).update(extra)
        self.pools = {kind: sorted(w for w in found if _swappable(w) and w not in self.common) for kind, found in words.items()}


def _swappable(word: str) -> bool:
    return word[:1].isupper() and word.isalpha() and len(word) > 2


def swap_names(example: Example, names: Names, rng: random.Random) -> Example:
    """The same example with rare words of its names replaced, each by the same new word wherever it stands in a name."""
    mapping: dict[str, str] = {}
    edits: dict[Place, str] = {}
    for thing in example.things:
        pool = names.pools.get(thing.kind)
        if thing.kind in (DATE, QUOTATION, DOCUMENT_DATE) or not pool or thing.kind == "Country":
            continue
        for place in thing.places:
            for start, word in _words(example.text, place):
                if _swappable(word) and word not in names.common:
                    new = mapping.setdefault(word, rng.choice(pool))
                    edits[start, start + len(word)] = new
    return _edited(example, edits)


def _words(text: str, place: Place) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    begin = place[0]
    for at in range(place[0], place[1] + 1):
        if at == place[1] or not text[at].isalpha():
            if at > begin:
                found.append((begin, text[begin:at]))
            begin = at + 1
    return found


def _edited(example: Example, edits: dict[Place, str]) -> Example:
    pieces, shifts, former, shift = [], [], 0, 0
    for (start, end), new in sorted(edits.items()):
        pieces += [example.text[former:start], new]
        shift += len(new) - (end - start)
        shifts.append((end, shift))
        former = end
    text = "".join(pieces) + example.text[former:]

    def moved(at: int) -> int:
        low, high = 0, len(shifts)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if shifts[middle][0] <= at else (low, middle)
        return at + (shifts[low - 1][1] if low else 0)

    things = [Thing(t.kind, t.name, [(moved(a), moved(b)) for a, b in t.places]) for t in example.things]
    relations = [replace(r, evidence=(moved(r.evidence[0]), moved(r.evidence[1])) if r.evidence else None) for r in example.relationships]
    return Example(example.id, text, moved(example.start), things, relations)
