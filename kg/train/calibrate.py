"""Fits the calibration of a model: what its scores are worth on annotated documents that it was not trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kg.evaluate import judge
from kg.extract.calibration import Calibration
from kg.extract.encoder import EncoderExtractor, Reading
from kg.extract.network import Network
from kg.gold import GoldDocument
from kg.model import Document, Literal, Name
from kg.rdf.ontology import Ontology

__all__ = ["Candidate", "calibrate", "fit", "list_candidates", "open_calibration"]

_LEAST = 0.02
_SHRINK = 30.0
"""How strongly a relation's own slope and intercept are drawn to those of all relations: weight of so many squared units."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A relation that the model thinks possible in a held-back document, with what the annotation says of it."""

    relation: int
    features: tuple[float, ...]
    right: bool


def open_calibration(relations: int) -> Calibration:
    """The bare logits, and a threshold that almost everything passes: for fitting."""
    return Calibration(((1.0, *(0.0,) * Calibration.FEATURES, _LEAST),) * relations)


def list_candidates(
    network: Network,
    documents: Iterable[tuple[Document, GoldDocument]],
    ontology: Ontology,
    report: Callable[[str], None] = lambda line: None,
) -> list[Candidate]:
    """Every candidate of the model in annotated documents, judged; those that only an optional annotation holds are left out."""
    extractor = EncoderExtractor(network, open_calibration(len(network.schema.relations)))
    found: list[Candidate] = []
    for number, (document, gold) in enumerate(documents, 1):
        reading = extractor.read(document)
        facts = [_fact(extractor, reading, score.subject, score.relation, score.object) for score in reading.scores]
        verdicts = judge(gold, facts, ontology)
        for score, fact, verdict in zip(reading.scores, facts, verdicts, strict=True):
            relation = network.schema.relations[score.relation]
            right = _in_period(gold, fact, relation.qualifier) if relation.qualifier else verdict
            if right is not None:
                found.append(Candidate(score.relation, score.features, right))
        report(f"calibration: {number} documents, {len(found)} candidates")
    return found


def _fact(extractor: EncoderExtractor, reading: Reading, subject: int, relation: int, value: int) -> dict[str, object]:
    """A candidate as a row of the facts view."""
    name, object_ = reading.names[subject], extractor.value(reading, value)
    end = {"value": object_.value} if isinstance(object_, Literal) else _end(object_)
    return {"subject": _end(name), "predicate": extractor.schema.relations[relation].predicate, "object": end}


def _end(name: Name) -> dict[str, str]:
    return {"label": name.name, "type": name.type}


def _in_period(gold: GoldDocument, fact: dict[str, object], qualifier: str) -> bool:
    """Whether some annotated fact of this subject and predicate has the date as its start or end."""
    label, date = fact["subject"]["label"], fact["object"]["value"]  # type: ignore[index]
    named = {form: entity.name for entity in gold.entities for form in entity.forms}
    return any(
        each.predicate == fact["predicate"] and each.subject == named.get(label) and _agree(date, dict(each.qualifiers).get(qualifier, ""))
        for each in gold.facts
    )


def _agree(one: str, other: str) -> bool:
    return bool(other) and (one.startswith(other) or other.startswith(one))


def fit(candidates: Sequence[Candidate], relations: int) -> Floats:
    """Weights and intercept for each relation: logistic regression, each relation's own slope and intercept shrunk to the common ones."""
    features = np.array([candidate.features for candidate in candidates], float).reshape(len(candidates), Calibration.FEATURES)
    own = np.array([candidate.relation for candidate in candidates], int)
    right = np.array([candidate.right for candidate in candidates], float)
    rows = np.arange(len(candidates))
    common = Calibration.FEATURES + 1
    design = np.zeros((len(candidates), common + 2 * relations))
    design[:, : Calibration.FEATURES], design[:, Calibration.FEATURES] = features, 1
    design[rows, common + 2 * own], design[rows, common + 2 * own + 1] = features[:, 0], 1
    penalty = np.full(design.shape[1], _SHRINK)
    penalty[:common] = 1.0
    prior = np.zeros(design.shape[1])
    prior[0] = 1.0

    def loss(weights: Floats) -> float:
        logits = design @ weights
        return float(np.logaddexp(0, logits).sum() - right @ logits + penalty @ (weights - prior) ** 2 / 2)

    weights = prior
    for _ in range(100):
        chance = _chances(design @ weights)
        slope = design.T @ (chance - right) + penalty * (weights - prior)
        curve = (design * (chance * (1 - chance))[:, None]).T @ design + np.diag(penalty)
        step, size = np.linalg.solve(curve, slope), 1.0
        while loss(weights - size * step) > loss(weights) and size > 1e-6:  # Newton's step overshoots where chances are near 0 or 1
            size /= 2
        weights = weights - size * step
        if np.abs(size * step).max() < 1e-6:
            break
    table = np.tile(weights[:common], (relations, 1))
    table[:, 0] += weights[common::2]
    table[:, Calibration.FEATURES] += weights[common + 1 :: 2]
    return table


def _chances(logits: Floats) -> Floats:
    """Probabilities of logits, without overflow."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), float)


def calibrate(candidates: Sequence[Candidate], qualifiers: Sequence[bool], *, precision: float) -> Calibration:
    """The calibration of a model whose relations are facts or (`qualifiers`) ends of a period.

    The threshold of facts is the least one at which the candidates above it are right as often as `precision` says; it is found with
    probabilities from fits that have not seen the candidate (five folds). Ends of a period count from one half on.
    """
    relations = len(qualifiers)
    table = fit(candidates, relations)
    features = np.array([candidate.features for candidate in candidates], float)
    own = np.array([candidate.relation for candidate in candidates], int)
    folds = np.arange(len(candidates)) * 5 // len(candidates)
    unseen = np.zeros(len(candidates))
    for fold in range(5):
        rows = fit([c for c, number in zip(candidates, folds, strict=True) if number != fold], relations)[own]
        logits = (rows[:, :-1] * features).sum(axis=1) + rows[:, -1]
        unseen[folds == fold] = _chances(logits)[folds == fold]
    facts = [n for n, candidate in enumerate(candidates) if not qualifiers[candidate.relation]]
    least = _threshold(unseen[facts], np.array([candidates[n].right for n in facts], float), precision)
    return Calibration(tuple((*map(float, row), 0.5 if qualifier else least) for row, qualifier in zip(table, qualifiers, strict=True)))


def _threshold(probabilities: Floats, right: Floats, precision: float) -> float:
    """The least threshold, in hundredths from .5 on, at which the share of right ones is high enough; .9 where none is."""
    for least in np.arange(0.5, 0.9, 0.01):
        above = probabilities >= least
        if above.any() and right[above].mean() >= precision:
            return round(float(least), 2)
    return 0.9
