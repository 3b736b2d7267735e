"""The encoder extractor: a trained model finds what a document names and says; rules find its dates and quotations."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kg.extract.calibration import SUREST, Calibration
from kg.extract.countries import country
from kg.extract.dates import find_dates
from kg.extract.encoding import Window
from kg.extract.network import Encoded, Floats, Network
from kg.extract.pairing import pair_up, places_in
from kg.extract.quotes import find_quotes
from kg.extract.schema import DATE, DOCUMENT_DATE, QUOTATION
from kg.extract.sentences import Sentences
from kg.extract.tagging import Cluster, Found, best_tags, consolidate, group, spans_of
from kg.model import Claim, Document, Evidence, Extraction, Literal, Mention, Name, Span
from kg.names import fold
from kg.resources import resource
from kg.settings import Settings

__all__ = ["EncoderExtractor", "Reading", "Score", "create"]

_DATE_TYPES = {4: "gYear", 7: "gYearMonth", 10: "date"}


@dataclass(frozen=True, slots=True)
class Score:
    """One relation between two things (numbers): its probability, what that was computed from, and the span that says so."""

    subject: int
    relation: int
    object: int
    probability: float
    features: tuple[float, ...]
    evidence: Span


@dataclass(frozen=True, slots=True)
class Reading:
    """One document as the model reads it: things, what each is called, and the relations between them (things by number)."""

    clusters: tuple[Cluster, ...]
    names: dict[int, Name]
    scores: tuple[Score, ...]


class EncoderExtractor:
    """A model at work on one document after the other; its output depends on nothing but the document."""

    name = "encoder"

    def __init__(self, network: Network, calibration: Calibration | None = None) -> None:
        """With another calibration than the network's, to fit one."""
        self.network = network
        self.schema = network.schema
        self.version = str(network.description["version"])
        self.fingerprint = network.fingerprint
        self._calibration = calibration or network.calibration
        self._types = frozenset(self.schema.types)
        self._people = frozenset({"Person"} & self._types)

    def __call__(self, document: Document, draft: Extraction) -> Extraction:
        """Mentions of all things found, and the claims that the model is sure enough of."""
        text = document.body.content
        reading = self.read(document)
        mentions = [
            Mention(document.body.name, Span(found.start, found.end), text[found.start : found.end], reading.names[number])
            for number, cluster in enumerate(reading.clusters)
            if cluster.kind in self._types
            for found in cluster.mentions
        ]
        return Extraction(document.id, tuple(sorted(set(mentions))), tuple(self._claims(document, reading)))

    def read(self, document: Document) -> Reading:
        """Things and the relations between them that pass the thresholds."""
        text, start = document.body.content, document.body.metadata_end
        if not text[start:].strip():
            return Reading((), {}, ())
        encoded = self.network.encode(text, start)
        clusters = self._clusters(text, start, encoded)
        clusters += _dates(text, start, document) + _quotations(text, start)
        scores = self._decide(self._scores(encoded, clusters, Sentences(text, start)))
        return Reading(tuple(clusters), self._names(clusters, scores), tuple(scores))

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
        present = []
        for number, cluster in enumerate(clusters):
            spans = [(found.start, found.end) for found in cluster.mentions]
            places = [(0, 1)] if cluster.kind == DOCUMENT_DATE else places_in(window, encoded.tokens, spans)
            if places:
                present.append((number, places))
        pairing = pair_up(self.schema, len(window.ids), [(clusters[number].kind, places) for number, places in present])
        if not len(pairing.pairs):
            return
        logits, attended = self.network.relate(hidden, pairing)
        for (one, other), relations, row, places in zip(
            pairing.pairs.tolist(), pairing.allowed, np.round(logits, 2), attended, strict=True
        ):
            subject, value = present[one][0], present[other][0]
            sureness = _sureness(clusters[subject]), _sureness(clusters[value])
            if not any(self._calibration.may_count(relation, float(row[relation])) for relation in relations):
                continue
            span = _spoken(encoded, window, places, sentences, clusters[subject], clusters[value])
            for relation in relations:
                features = (float(row[relation]), *sureness)
                probability, threshold = self._calibration.probability(relation, features)
                if probability >= threshold:
                    yield Score(subject, relation, value, probability, features, span)

    def _decide(self, scores: Sequence[Score]) -> list[Score]:
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

    def _claims(self, document: Document, reading: Reading) -> Iterator[Claim]:
        periods: dict[tuple[str, int], dict[str, tuple[str, Span]]] = defaultdict(dict)
        counts: Counter[tuple[int, int]] = Counter((score.subject, score.relation) for score in reading.scores)
        for score in reading.scores:
            relation = self.schema.relations[score.relation]
            if relation.qualifier:
                date = (reading.clusters[score.object].name, score.evidence)
                periods[relation.predicate, score.subject][relation.qualifier] = date
        for score in reading.scores:
            relation = self.schema.relations[score.relation]
            if relation.qualifier:
                continue
            evidence = document.evidence(
                score.evidence, extractor=self.name, version=self.version, confidence=score.probability, text=document.body.name
            )
            alone = counts[score.subject, score.relation] == 1
            qualifiers = _period(periods.get((relation.predicate, score.subject), {}), evidence, alone=alone)
            value = self.value(reading, score.object)
            yield Claim(reading.names[score.subject], relation.predicate, value, (evidence,), qualifiers)

    def value(self, reading: Reading, number: int) -> Name | Literal:
        """A thing as the object of a claim: its name, or the date, the quotation, the words that it is."""
        cluster = reading.clusters[number]
        if cluster.kind in (DATE, DOCUMENT_DATE):
            return Literal(cluster.name, _DATE_TYPES.get(len(cluster.name), "string"))
        if cluster.kind == QUOTATION:
            return Literal(cluster.name)
        if cluster.kind in self._types:
            return reading.names[number]
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


def _sureness(cluster: Cluster) -> float:
    """How sure the tagger is of the thing, as a logit of its surest mention; what rules found is as sure as can be."""
    surest = max((found.score for found in cluster.mentions), default=1.0)
    return round(math.log(surest / (1 - surest)), 2) if 0.02 < surest < 0.98 else math.copysign(SUREST, surest - 0.5)


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
