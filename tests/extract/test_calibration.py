"""Logits to probabilities."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import ModelError
from kg.extract.calibration import Calibration, sigmoid

ROWS = [[0.5, 0.25, 0.25, -1.0, 0.6], [2.0, -0.5, 0.0, 0.0, 0.5]]
finite = st.floats(-50, 50)


def test_a_probability_is_the_weighted_sum_of_its_features() -> None:
    """Two digits, and the threshold of the relation."""
    calibration = Calibration.from_data(ROWS, 2)
    assert calibration.probability(0, (4.0, 2.0, 2.0)) == (0.88, 0.6)  # 1 / (1 + exp(-2))
    assert calibration.probability(1, (0.0, 0.0, 4.0)) == (0.5, 0.5)
    assert calibration.as_data() == ROWS


@given(finite, st.floats(-4, 4), st.floats(-4, 4), st.integers(0, 1))
def test_the_quick_test_passes_whatever_may_count(logit: float, subject: float, value: float, relation: int) -> None:
    """What reaches its threshold has passed the test that looks at the logit alone."""
    calibration = Calibration.from_data(ROWS, 2)
    probability, threshold = calibration.probability(relation, (logit, subject, value))
    assert probability < threshold + 0.006 or calibration.may_count(relation, logit)


@given(st.floats(-1e9, 1e9))
def test_no_logit_is_too_large(logit: float) -> None:
    """Probabilities lie between 0 and 1."""
    assert 0 <= sigmoid(logit) <= 1


@pytest.mark.parametrize("data", [None, [], [[1.0]], [[1, 0, 0, 0, "x"], [1, 0, 0, 0, 0.5]], {"a": 1}])
def test_what_is_no_calibration_is_named(data: object) -> None:
    """A damaged description gives an error that says what to do."""
    with pytest.raises(ModelError, match="calibration"):
        Calibration.from_data(data, 2)
