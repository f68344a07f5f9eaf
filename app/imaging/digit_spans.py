"""Where on a line its digits are: a reader tells about where each is, the ink how far it reaches."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.imaging.line import LINE_HEIGHT, LinePixels

# What of a line is this strong, of 255, is ink.
_INK = 80
# A digit reaches no farther from its middle than this share of the line's height.
_REACH = 0.55
# Gaps of so many columns are within a digit: a broken stroke, the paper between a 5 and its bar.
_BROKEN = 2


class Span(NamedTuple):
    """A part of a line, in its pixels, half-open."""

    left: int
    right: int
    top: int
    bottom: int


def digit_spans(pixels: LinePixels, middles: Sequence[float]) -> list[Span]:
    """The span of each digit of a line, (32, w) uint8, whose middles, ascending, lie about at these columns.

    It is that of the ink around the middle, no farther than halfway to the next digit; of as much of the line as a
    digit is usually wide where there is none.
    """
    width = pixels.shape[1]
    reach = _REACH * LINE_HEIGHT
    ink = np.asarray(pixels >= _INK)
    inked = np.asarray(ink.any(axis=0))
    edges = [0.0, *((one + other) / 2 for one, other in itertools.pairwise(middles)), float(width)]
    spans = []
    for middle, (low, high) in zip(middles, itertools.pairwise(edges), strict=False):
        left = min(max(int(max(low, middle - reach)), 0), width - 1)
        right = min(max(math.ceil(min(high, middle + reach)), left + 1), width)
        first, last = _run(inked[left:right], middle - left)
        rows = np.flatnonzero(ink[:, left + first : left + last].any(axis=1))
        top, bottom = (int(rows[0]), int(rows[-1]) + 1) if rows.size else (0, LINE_HEIGHT)
        spans.append(Span(left + first, left + last, top, bottom))
    return spans


def _run(inked: NDArray[np.bool_], middle: float) -> tuple[int, int]:
    """The widest run of columns with ink that holds the middle or lies near it; all of them without ink."""
    columns = np.flatnonzero(inked)
    if not columns.size:
        return 0, len(inked)
    ends = np.flatnonzero(columns[1:] - columns[:-1] > _BROKEN + 1).tolist()
    runs = itertools.pairwise([0, *(end + 1 for end in ends), len(columns)])

    def nearness(run: tuple[int, int]) -> float:
        begin, end = run
        away = max(0.0, float(columns[begin]) - middle, middle - float(columns[end - 1]))
        return end - begin - 2 * away

    begin, end = max(runs, key=nearness)
    return int(columns[begin]), int(columns[end - 1]) + 1
