"""A second look at a lone digit that the glyph network is unsure of: seen in other ways, and by the line readers too.

What looks like a frame, like nothing, or like another digit may be part of one whose image was cropped tight around
it: that is tried first, where it reaches the image's edge. Networks of unlike kinds, trained apart, are less often
wrong about the same digit than each alone (Hansen, Salamon: Neural network ensembles, IEEE PAMI 1990). A digit that
is sure at once, and away from the edge, costs nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from app.calibration import DIGITS, NON_DIGIT, calibrated_probabilities
from app.ctc import digit_log_probabilities, log_probabilities
from app.imaging.glyph import normalise_glyph
from app.imaging.looks import other_digit_looks

# Where no class is as probable as this, an image is looked at again. Fitted to each threshold (`training second-look`),
# the negative log-likelihood of validation's 5,239 images was, with digits 1.7.0, 0.1036 with 0.9 (303 of them were
# looked at again), 0.1012 with 0.95 (445) and 0.1007 with 0.98 (720): beyond, more work wins next to nothing.
_UNSURE = 0.95
# What is seen in another way must be a digit this surely.
_SURE_OF_OTHER = 0.9
# No opinion is surer than this that a class is none: else it would outweigh whatever the others are sure of.
_LEAST_PROBABILITY = 1e-6
# How much the glyph network's opinion and the line readers' count, where a version does not say.
EVEN_WEIGHTS = (0.5, 0.5)

# Probabilities, (n, 11) float64, that one network gives n looks at a digit, or each of n line readers one.
Opinion = NDArray[np.float64]
# What several opinions, the glyph network's first, come to: (11,).
Agreement = Callable[[Sequence[Opinion]], NDArray[np.float64]]


def is_unsure(probabilities: NDArray[np.float64]) -> bool:
    """Whether a second look is worth its time, after the first one's probabilities, (11,)."""
    return float(probabilities.max()) < _UNSURE


def is_surely_right(other: NDArray[np.float64], first: NDArray[np.float64] | None) -> bool:
    """Whether another way of seeing an image is the right one, by the probabilities, (11,), of what is seen in each.

    As cropped tight around a digit, or as in one light. `first` is None where there was nothing to be seen.
    """
    surely = float(other[:DIGITS].max())
    least = _SURE_OF_OTHER if first is None else max(_SURE_OF_OTHER, float(first[:DIGITS].max()))
    return surely >= least


def other_glyphs(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The glyphs of other looks at the ink of a digit, (h, w) uint8: (n, 28, 28) uint8."""
    return np.stack([normalise_glyph(look) for look in other_digit_looks(ink)])


def reader_probabilities(logits: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    """How probable a line reader's logits, (t, 11), make it that a line is each digit alone, or none: (11,).

    None are nothing, and several digits.
    """
    digits = np.exp(digit_log_probabilities(log_probabilities(logits, temperature)))
    digits /= max(1.0, float(digits.sum()))
    return np.append(digits, 1.0 - digits.sum())


def evidence(opinion: Opinion) -> NDArray[np.float64]:
    """The mean logarithms of the probabilities that one network gives its looks, (n, 11): (11,)."""
    return np.asarray(np.log(np.maximum(opinion, _LEAST_PROBABILITY)).mean(axis=0))


def agreed(
    opinions: Sequence[Opinion], weights: Sequence[float] = EVEN_WEIGHTS, non_digit: float = 0.0
) -> NDArray[np.float64]:
    """What several opinions come to: (11,). Each is of one network, whatever its number of looks.

    A logarithmic opinion pool (Genest, Zidek: Combining probability distributions, Statistical Science 1986): the
    product of probabilities, each to the power of its weight, 0 or more. The less the weights are together, the less
    sure is what is agreed on. `non_digit` is added to the logarithm for no digit. One opinion alone is taken as it is.
    """
    logs = [evidence(opinion) for opinion in opinions]
    if len(logs) == 1:
        together = logs[0]
    else:
        together = np.sum([weight * log for weight, log in zip(weights, logs, strict=True)], axis=0)
        together[NON_DIGIT] += non_digit
    return np.asarray(calibrated_probabilities(together[np.newaxis], 1.0)[0])
