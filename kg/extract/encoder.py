"""The encoder extractor: a trained model finds what a document names and says; rules find its dates and quotations."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kg.extract.countries import country
from kg.extract.dates import find_dates
from kg.extract.encoding import Window
from kg.extract.network import Encoded, Floats, Network
from kg.extract.quotes import find_quotes
from kg.extract.schema import DATE, DOCUMENT_DATE, QUOTATION, Relation, distance_bucket
from kg.extract.sentences import Sentences
from kg.extract.tagging import Cluster, Found, best_tags, consolidate, group, spans_of
from kg.model import Claim, Document, Evidence, Extraction, Literal, Mention, Name, Span
from kg.names import fold
from kg.resources import resource
from kg.settings import Settings

__all__ = ["EncoderExtractor", "create"]

_DATE_TYPES = {4: "gYear", 7: "gYearMonth", 10: "date"}


@dataclass(frozen=True, slots=True)
class Score:
    """One relation between two things (numbers), its probability, and the span that says so."""

    subject: int
    relation: int
    object: int
    probability: float
    threshold: float
    evidence: Span


class EncoderExtractor:
    """A model at work on one document after the other; its output depends on nothing but the document."""

    name = "encoder"

    def __init__(self, network: Network) -> None:
        self.network = network
        self.schema = network.schema
        self.version = str(network.description["version"])
        self.fingerprint = network.fingerprint
        self._calibration = network.calibration()
        self._types = frozenset(self.schema.types)
        self._people = frozenset({"Person"} & self._types)

    def __call__(self, document: Document, draft: Extraction) -> Extraction:
        """Mentions of all things found, and the claims that the model is sure enough of."""
        text, start = document.body.content, document.body.metadata_end
        if not text[start:].strip():
            return Extraction(document.id)
        encoded = self.network.encode(text, start)
        clusters = self._clusters(text, start, encoded)
        clusters += _dates(text, start, document) + _quotations(text, start)
        sentences = Sentences(text, start)
        scores = self._decide(self._scores(encoded, clusters, sentences), clusters)
        names = self._names(clusters, scores)
        mentions = [
            Mention(document.body.name, Span(found.start, found.end), text[found.start : found.end], names[number])
            for number, cluster in enumerate(clusters)
            if cluster.kind in self._types
            for found in cluster.mentions
        ]
        return Extraction(document.id, tuple(sorted(set(mentions))), tuple(self._claims(document, clusters, names, scores)))

    # -- what is named -----------------------------------------------------------------------------------------

    def _clusters(self, text: str, start: int, encoded: Encoded) -> list[Cluster]:
        logits = encoded.logits
        if not len(logits):
            return []
        peak = logits.max(axis=1, keepdims=True)
        probabilities = np.exp(logits - peak)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        found = []
        for first, last, number in spans_of(best_tags(np.round(logits, 3))):
            score = float(np.mean([probabilities[at, 1 + 2 * number : 3 + 2 * number].sum() for at in range(first, last)]))
            kind = self.schema.tagged[number]
            found.append(Found(int(encoded.tokens.starts[first]), int(encoded.tokens.ends[last - 1]), kind, round(score, 2)))
        mentions = consolidate(text, start, found, types=self._types)
        return group(text, mentions, people=self._people, types=self._types)

    # -- what is said ------------------------------------------------------------------------------------------

    def _scores(self, encoded: Encoded, clusters: Sequence[Cluster], sentences: Sentences) -> list[Score]:
        best: dict[tuple[int, int, int], Score] = {}
        for window, hidden in encoded.windows:
            for score in self._window_scores(encoded, window, hidden, clusters, sentences):
                key = (score.subject, score.relation, score.object)
                if key not in best or score.probability > best[key].probability:
                    best[key] = score
        return [best[key] for key in sorted(best)]

    def _window_scores(
        self, encoded: Encoded, window: Window, hidden: Floats, clusters: Sequence[Cluster], sentences: Sentences
    ) -> Iterator[Score]:
        present = _present(encoded, window, clusters)
        length = len(window.ids)
        members = np.zeros((len(present), length), np.float32)
        kinds = np.zeros(length, np.int64)
        for row, (number, places) in enumerate(present):
            kind = clusters[number].kind
            for first, last in places:
                members[row, first:last] = 1
                if kind != QUOTATION or not kinds[first:last].any():
                    kinds[first:last] = 1 + self.schema.kinds.index(kind)
        pairs, distances, allowed = [], [], []
        for one, (number, places) in enumerate(present):
            for other, (value, value_places) in enumerate(present):
                relations = self.schema.allowed(clusters[number].kind, clusters[value].kind) if one != other else []
                if relations:
                    pairs.append((one, other))
                    allowed.append(relations)
                    dated = clusters[value].kind == DOCUMENT_DATE
                    distances.append(distance_bucket(None if dated else _gap(places, value_places)))
        if not pairs:
            return
        logits, attended = self.network.relate(hidden, kinds, members, np.array(pairs), np.array(distances))
        for (one, other), relations, row, places in zip(pairs, allowed, np.round(logits, 2), attended, strict=True):
            for relation in relations:
                slope, intercept, threshold = self._calibration[relation]
                probability = round(1 / (1 + math.exp(-max(-30.0, min(30.0, slope * float(row[relation]) + intercept)))), 2)
                if probability >= threshold:
                    span = _spoken(encoded, window, places, sentences, clusters[present[one][0]], clusters[present[other][0]])
                    yield Score(present[one][0], relation, present[other][0], probability, threshold, span)

    def _decide(self, scores: Sequence[Score], clusters: Sequence[Cluster]) -> list[Score]:
        """One direction of a symmetric relation, one speaker a quotation, one date a thing and period."""
        kept: dict[tuple[object, ...], Score] = {}
        for score in sorted(scores, key=lambda s: (-s.probability, s.subject, s.relation, s.object)):
            relation = self.schema.relations[score.relation]
            key: tuple[object, ...] = (score.relation, score.subject, score.object)
            if relation.symmetric:
                key = (score.relation, *sorted((score.subject, score.object)))
            elif QUOTATION in relation.objects:
                key = (score.relation, score.object)
            elif DATE in relation.objects:
                key = (score.relation, score.subject)
            kept.setdefault(key, score)
        return sorted(kept.values(), key=lambda s: (s.subject, s.relation, s.object))

    def _names(self, clusters: Sequence[Cluster], scores: Sequence[Score]) -> dict[int, Name]:
        """What each thing is called: its fullest name; a country by its common name; a campaign without a name by its brand."""
        names = {}
        brands = {s.subject: clusters[s.object].name for s in scores if self.schema.relations[s.relation].name == "campaignFor"}
        for number, cluster in enumerate(clusters):
            name = cluster.name
            if cluster.kind == "Country":
                name = country(name) or name
            if number in brands and _generic(name) and fold(brands[number]) not in fold(name):
                name = f"{brands[number]} {name}"
            names[number] = Name(cluster.kind, name)
        return names

    def _claims(self, document: Document, clusters: Sequence[Cluster], names: dict[int, Name], scores: Sequence[Score]) -> Iterator[Claim]:
        periods: dict[tuple[str, int], dict[str, tuple[str, Span]]] = defaultdict(dict)
        for score in scores:
            relation = self.schema.relations[score.relation]
            if relation.qualifier:
                date = (clusters[score.object].name, score.evidence)
                periods[relation.predicate, score.subject][relation.qualifier] = date
        for score in scores:
            relation = self.schema.relations[score.relation]
            if relation.qualifier:
                continue
            evidence = document.evidence(
                score.evidence, extractor=self.name, version=self.version, confidence=score.probability, text=document.body.name
            )
            value = self._value(relation, clusters[score.object], names[score.object])
            alone = sum(s.subject == score.subject and s.relation == score.relation for s in scores) == 1
            qualifiers = _period(periods.get((relation.predicate, score.subject), {}), evidence, alone=alone)
            yield Claim(names[score.subject], relation.predicate, value, (evidence,), qualifiers)

    def _value(self, relation: Relation, cluster: Cluster, name: Name) -> Name | Literal:
        if cluster.kind in (DATE, DOCUMENT_DATE):
            return Literal(cluster.name, _DATE_TYPES.get(len(cluster.name), "string"))
        if cluster.kind == QUOTATION:
            return Literal(cluster.name)
        if cluster.kind in self._types:
            return name
        return Literal(_singular(cluster.name.lower()))


def _dates(text: str, start: int, document: Document) -> list[Cluster]:
    found: dict[str, Cluster] = {}
    for mention in find_dates(text, start, published=document.published):
        cluster = found.setdefault(mention.value, Cluster(DATE, mention.value))
        cluster.mentions.append(Found(mention.span.start, mention.span.end, DATE, 1.0))
    clusters = [found[value] for value in sorted(found)]
    if document.published:
        clusters.append(Cluster(DOCUMENT_DATE, document.published[:7]))
    return clusters


def _quotations(text: str, start: int) -> list[Cluster]:
    return [
        Cluster(QUOTATION, text[span.start : span.end], [Found(span.start, span.end, QUOTATION, 1.0)]) for span in find_quotes(text, start)
    ]


def _present(encoded: Encoded, window: Window, clusters: Sequence[Cluster]) -> list[tuple[int, list[tuple[int, int]]]]:
    """Clusters with a mention in the window, with first and last+1 position of each mention there."""
    present = []
    for number, cluster in enumerate(clusters):
        places = [(0, 1)] if cluster.kind == DOCUMENT_DATE else []
        for found in cluster.mentions:
            span = encoded.tokens.between(found.start, found.end)
            if span and span[0] >= window.first and span[1] <= window.last:
                places.append((span[0] - window.first + 1, span[1] - window.first + 1))
        if places:
            present.append((number, places))
    return present


def _gap(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> int:
    return min((b[0] - a[0] for a in one for b in other), key=lambda gap: (abs(gap), gap))


def _spoken(encoded: Encoded, window: Window, places: Floats, sentences: Sentences, subject: Cluster, value: Cluster) -> Span:
    """The sentence to which the pair's attention goes; for a quotation, the sentence that holds it."""
    if value.kind == QUOTATION:
        return sentences.holding(Span(value.mentions[0].start, value.mentions[0].end))
    weight: dict[int, float] = defaultdict(float)
    for at in range(window.first, window.last):
        weight[sentences.number(int(encoded.tokens.starts[at]))] += float(places[at - window.first + 1])
    spoken_of = {sentences.number(found.start) for found in subject.mentions}
    named = {sentences.number(found.start) for found in value.mentions}
    candidates = spoken_of & named or spoken_of | named or set(weight)
    chosen = min(candidates, key=lambda number: (-round(weight.get(number, 0.0), 2), number))
    return sentences.spans[chosen]


def _period(found: dict[str, tuple[str, Span]], evidence: Evidence, *, alone: bool) -> tuple[tuple[str, str], ...]:
    """Start and end that belong to this claim: spoken of in the same sentence, or the subject's only one of the predicate."""
    return tuple(sorted((name, value) for name, (value, span) in found.items() if alone or span == evidence.span))


_SEASON = re.compile(
    r"\b(?:spring|summer|autumn|fall|winter|resort|cruise|holiday|pre-fall|couture|campaign|ad|advert|advertisement|film|video|clip|spot|commercial|"
    r"the|new|latest|its|recent|first|global|print|and|season|christmas|ss|fw|aw|\d+)\b|[\W\d_]",
    re.IGNORECASE,
)


def _generic(name: str) -> bool:
    """Whether a campaign's name is made of season and type words alone, so that other brands' are called the same."""
    return not _SEASON.sub("", name)


def _singular(word: str) -> str:
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith("men"):
        return f"{word[:-3]}man"
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def create(settings: Settings) -> EncoderExtractor:
    """The extractor of the entry point ``encoder``: with the model of the settings, else the one that is shipped."""
    return EncoderExtractor(Network(Path(settings.model) if settings.model else resource("seeds", "model")))
