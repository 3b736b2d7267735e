"""Logits to probabilities that hold: of the facts at .9, nine of ten are right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kg.errors import ModelError

__all__ = ["SUREST", "Calibration", "sigmoid"]


SUREST = 4.0
"""The largest value of all features but the first, as a logit."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """For each relation the weights of its features, an intercept and a threshold (Platt 1999, with features of the two ends).

    Features are the relator's logit and how sure the tagger is of subject and object, as logits between -4 and 4.
    """

    rows: tuple[tuple[float, ...], ...]

    FEATURES = 3

    @classmethod
    def from_data(cls, data: object, relations: int) -> Calibration:
        """The rows of a model's description; ModelError where they are not one row of five numbers a relation."""
        rows = data if isinstance(data, list) else []
        if len(rows) != relations or not all(
            isinstance(row, list) and len(row) == cls.FEATURES + 2 and all(isinstance(value, int | float) for value in row) for row in rows
        ):
            raise ModelError("the model's calibration can't be read", hint="train the model again, or reinstall")
        return cls(tuple(tuple(float(value) for value in row) for row in rows))

    def as_data(self) -> list[list[float]]:
        """Plain data, four digits each."""
        return [[round(value, 4) for value in row] for row in self.rows]

    def may_count(self, relation: int, logit: float) -> bool:
        """False where no other features can lift the relator's logit over the threshold: a quick test for the many that are far below."""
        *weights, intercept, threshold = self.rows[relation]
        best = SUREST * sum(abs(weight) for weight in weights[1:])
        return sigmoid(weights[0] * logit + best + intercept) >= threshold

    def probability(self, relation: int, features: Sequence[float]) -> tuple[float, float]:
        """Probability of a candidate, two digits, and the least one that counts."""
        *weights, intercept, threshold = self.rows[relation]
        return round(sigmoid(sum(w * f for w, f in zip(weights, features, strict=True)) + intercept), 2), threshold


def sigmoid(logit: float) -> float:
    """Probability of a logit, without overflow."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))
