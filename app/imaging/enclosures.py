"""Ink drawn around other ink: boxes and circles around digits, the grid of a table."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.imaging.components import AREA, HEIGHT, LEFT, TOP, WIDTH, Components
from app.imaging.medians import usual_height

# What is around digits fills less than this share of its box, and what it holds is at least this part of its height.
_DENSITY = 0.2
_HELD_HEIGHT = 0.25
# … or so many pieces, so high and as high as others to this factor, as are digits of a table in its grid.
_HELD_DIGITS, _LEAST_DIGIT, _ALIKE = 3, 6, 1.25
# A circle or a box around the one digit of an image may be larger, and its sides differ by less than this.
_CIRCLED_HEIGHT, _ROUND = 0.12, 0.85
_MOST = 64


def enclosures(components: Components) -> NDArray[np.bool_]:
    """Which components, by label, are around others: thin for their size, with taller ink than a dot inside."""
    return _around(components, _HELD_HEIGHT)


def circles(components: Components) -> NDArray[np.bool_]:
    """Which components, by label, are around the one digit of an image.

    They are about as wide as high: a 0 around a stroke or a dot of its own is narrower.
    """
    width, height = components.stats[:, WIDTH], components.stats[:, HEIGHT]
    return _around(components, _CIRCLED_HEIGHT) & (width >= _ROUND * height) & (height >= _ROUND * width)


def _around(components: Components, held_height: float) -> NDArray[np.bool_]:
    stats = components.stats
    lefts, tops, heights = stats[:, LEFT], stats[:, TOP], stats[:, HEIGHT]
    density = stats[:, AREA] / np.maximum(1, stats[:, WIDTH] * heights)
    around = np.zeros(len(stats), bool)
    if len(stats) == 2:  # one piece is around no other
        return around
    thin = np.flatnonzero(density < _DENSITY)
    for label in thin[np.argsort(-heights[thin], kind="stable")][:_MOST]:
        inside = (lefts > lefts[label]) & (components.rights < components.rights[label])
        inside &= (tops > tops[label]) & (components.bottoms < components.bottoms[label])
        high = inside & (heights >= max(held_height * heights[label], _LEAST_DIGIT))
        around[label] = high.any() or _digits_among(heights[inside]) >= _HELD_DIGITS
    around[0] = False
    return around


def _digits_among(heights: NDArray[np.int32]) -> int:
    """How many of some pieces are as high as the usual one of those that are as high as a digit."""
    high = heights[heights >= _LEAST_DIGIT]
    if not high.size:
        return 0
    usual = usual_height(high)
    return int(np.count_nonzero((high >= usual / _ALIKE) & (high <= usual * _ALIKE)))
