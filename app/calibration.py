"""Logits → calibrated probabilities, and what is too unsure to be relied on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

DIGITS = 10
# The classes of a model, in the order of its logits: ten digits, then what is no digit.
LABELS = (*(str(digit) for digit in range(DIGITS)), "none")
NON_DIGIT = DIGITS
# By how much the less likely polarity must read an image more surely to be taken.
_POLARITY_MARGIN = 0.1


def calibrated_probabilities(logits: NDArray[np.floating[Any]], temperature: float) -> NDArray[np.float64]:
    """Softmax of (n, 11) logits divided by `temperature` (> 0): (n, 11) float64, each row summing to 1.

    Temperature scaling: Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.
    """
    scaled = logits.astype(np.float64) / temperature
    exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def expected_calibration_error(confidence: NDArray[np.float64], correct: NDArray[np.bool_], bins: int = 15) -> float:
    """ECE over equal-width bins (Naeini, Cooper, Hauskrecht, AAAI 2015); 0 for a perfectly calibrated model.

    `confidence`: (n,) in 0..1. `correct`: (n,).
    """
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    weight = np.bincount(index, minlength=bins)
    gap = np.bincount(index, weights=confidence - correct, minlength=bins)
    return float(np.abs(gap).sum() / max(1, weight.sum()))


def other_polarity_is_right(likelier: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where an image is read under the less likely of two polarities: it makes a digit much more surely.

    `likelier`, `other`: (n, 11) probabilities of the glyphs that the two polarities give. Of the wrong one, a model
    sees the paper's shape, which it has been taught is no digit.
    """
    gain = other[:, :DIGITS].max(axis=1) - likelier[:, :DIGITS].max(axis=1)
    return np.asarray(gain > _POLARITY_MARGIN)
