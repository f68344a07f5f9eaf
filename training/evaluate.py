"""How good a model's logits are, and the temperature that calibrates them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.calibration import DIGITS, NON_DIGIT, calibrated_probabilities, expected_calibration_error

_TEMPERATURES = np.geomspace(0.3, 5.0, 400)


def fitted_temperature(logits: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    """The temperature with the least negative log-likelihood of `labels`, (n,), under `logits`, (n, 11)."""

    def loss(temperature: float) -> float:
        probabilities = calibrated_probabilities(logits, temperature)
        return float(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-12)).mean())

    return float(min(_TEMPERATURES, key=loss))


def scores(logits: NDArray[np.float32], labels: NDArray[np.uint8], temperature: float) -> dict[str, float]:
    """Figures of one set: `n`, `accuracy` over the classes it has, `ece`, and `macro_f1`.

    A set of digits alone is scored as /predict answers it: the best of the ten digits. A set with non-digits is
    scored over all eleven classes.
    """
    probabilities = calibrated_probabilities(logits, temperature)
    classes = len(probabilities[0]) if (labels == NON_DIGIT).any() else DIGITS
    predicted = probabilities[:, :classes].argmax(axis=1)
    correct = predicted == labels
    f1 = []
    for label in np.unique(labels):
        hits = int(np.sum(correct & (labels == label)))
        f1.append(2 * hits / (int(np.sum(predicted == label)) + int(np.sum(labels == label))))
    return {
        "n": float(len(labels)),
        "accuracy": float(correct.mean()),
        "macro_f1": float(np.mean(f1)),
        "ece": expected_calibration_error(probabilities[:, :classes].max(axis=1), correct),
    }
