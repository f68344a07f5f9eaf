"""Logits → calibrated probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from app.calibration import calibrated_probabilities, expected_calibration_error, other_polarity_is_right

LOGITS = arrays(np.float32, (3, 11), elements=st.floats(-1e4, 1e4, width=32))


@given(LOGITS, st.floats(0.05, 20))
def test_probabilities_sum_to_one_and_keep_the_order(logits: NDArray[np.float32], temperature: float) -> None:
    probabilities = calibrated_probabilities(logits, temperature)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert probabilities.min() >= 0
    assert probabilities.max() <= 1
    best = logits.argmax(axis=1)
    np.testing.assert_array_equal(probabilities[np.arange(3), best], probabilities.max(axis=1))


def test_a_higher_temperature_is_less_sure() -> None:
    logits = np.array([[2.0, 1.0, *([0.0] * 9)]], np.float32)
    assert calibrated_probabilities(logits, 2.0).max() < calibrated_probabilities(logits, 1.0).max()


def test_calibration_error_is_the_gap_between_said_and_done() -> None:
    confidence, correct = np.full(100, 0.8), np.arange(100) < 80
    assert expected_calibration_error(confidence, correct) == pytest.approx(0)
    assert expected_calibration_error(confidence, np.arange(100) < 50) == pytest.approx(0.3)
    assert expected_calibration_error(np.array([1.0]), np.array([True])) == pytest.approx(0)


def test_the_other_polarity_must_be_much_surer() -> None:
    likelier, other = np.full((4, 11), 0.0), np.full((4, 11), 0.0)
    likelier[:, 3], other[:, 5] = [0.9, 0.2, 0.5, 0.1], [0.95, 0.9, 0.55, 0.15]
    assert other_polarity_is_right(likelier, other).tolist() == [False, True, False, False]
