"""The calibration of a model from judged candidates."""

from __future__ import annotations

import random

import pytest

from kg.extract.calibration import sigmoid
from kg.train.calibrate import Candidate, calibrate, fit, open_calibration


def drawn(count: int, *, slope: float, shift: float, seed: int) -> list[Candidate]:
    """Candidates of two relations whose chance of being right is known."""
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        relation, logit = rng.randrange(2), rng.uniform(-6, 6)
        right = rng.random() < sigmoid(slope * logit + (shift if relation else -shift))
        found.append(Candidate(relation, (logit, 4.0, rng.choice((1.0, 4.0))), right))
    return found


def test_probabilities_are_those_that_were_drawn() -> None:
    """Slope and each relation's own shift come back."""
    table = fit(drawn(6000, slope=0.5, shift=0.8, seed=1), 2)
    for relation, shift in ((0, -0.8), (1, 0.8)):
        for logit in (-3.0, 0.0, 3.0):
            *weights, intercept = table[relation]
            found = sigmoid(sum(w * f for w, f in zip(weights, (logit, 4.0, 4.0), strict=True)) + intercept)
            assert found == pytest.approx(sigmoid(0.5 * logit + shift), abs=0.08)


def test_the_threshold_keeps_the_promise() -> None:
    """Of fresh candidates above it, as many are right as were asked for; ends of a period count from one half on."""
    calibration = calibrate(drawn(6000, slope=0.6, shift=0.4, seed=2), [False, True], precision=0.9)
    assert calibration.rows[1][-1] == 0.5
    above = []
    for candidate in drawn(6000, slope=0.6, shift=0.4, seed=3):
        probability, least = calibration.probability(candidate.relation, candidate.features)
        if candidate.relation == 0 and probability >= least:
            above.append(candidate.right)
    assert len(above) > 300
    assert sum(above) / len(above) == pytest.approx(0.9, abs=0.04)


def test_a_relation_without_candidates_is_as_the_others() -> None:
    """Nothing known of it: the common slope."""
    table = fit(drawn(500, slope=0.5, shift=0.0, seed=4), 3)
    assert table[2][0] == pytest.approx((table[0][0] + table[1][0]) / 2, abs=0.1)


def test_separable_candidates_are_no_trouble() -> None:
    """Where a logit of 0 tells right from wrong without exception, the weights stay finite."""
    candidates = [Candidate(0, (float(n), 4.0, 4.0), n > 0) for n in range(-30, 31)]
    assert abs(fit(candidates, 1)).max() < 50


def test_the_open_calibration_lets_almost_all_pass() -> None:
    """The bare logit."""
    assert open_calibration(1).probability(0, (0.0, 4.0, 4.0)) == (0.5, 0.02)
