"""Medians: the weighted one, by which lines and pages tell how high their usual digit is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def weighted_median(values: NDArray[Any], weights: NDArray[Any]) -> float:
    """The least of some values, (n,), n ≥ 1, up to which there is half of all weight; weights, (n,), are above 0."""
    order = np.argsort(values, kind="stable")
    cumulative = weights[order].cumsum()
    return float(values[order[cumulative.searchsorted(cumulative[-1] / 2)]])


def usual_height(heights: NDArray[Any]) -> float:
    """The height of the usual digit among pieces, (n,), n ≥ 1: their median, each weighted by its height squared."""
    tall = heights.astype(np.float64)
    return weighted_median(tall, tall**2)


def upper_median(values: NDArray[Any]) -> float:
    """The median of some values, (n,), n ≥ 1; of an even number the greater one of the two in the middle.

    In a fifth of the time of NumPy's.
    """
    middle = len(values) // 2
    return float(np.partition(values, middle)[middle])
