"""Ink that may be one stroke: how it leans, and how straight it is."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray


class StrokeForm(NamedTuple):
    """The straight line that is nearest to ink, and how far that is from it.

    `slant`: by how many columns the line goes to the right for each row up; 1 is 45°. `spread`: the standard deviation
    of the ink from it, along the rows, as a share of the ink's height: small where it is thin and straight.
    """

    slant: float
    spread: float


def stroke_form(ink: NDArray[np.uint8]) -> StrokeForm:
    """The form of ink, (h, w) uint8, by its central moments: columns regressed on rows; upright where there is none."""
    moments = cv2.moments(ink)
    upright = max(float(moments["mu02"]), 1.0)
    slope = float(moments["mu11"]) / upright
    left_over = (float(moments["mu20"]) - slope**2 * float(moments["mu02"])) / max(float(moments["m00"]), 1.0)
    return StrokeForm(-slope, math.sqrt(max(left_over, 0.0)) / len(ink))
