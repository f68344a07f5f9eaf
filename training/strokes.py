"""Pen strokes, and their ink at any size and stroke width."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Strokes = Sequence[Points]

_SHIFT = 4  # fractional bits of OpenCV's line coordinates
_MARGIN = 2


def draw_strokes(strokes: Strokes, height: int, pen: float) -> NDArray[np.uint8]:
    """Draws strokes, each (n, 2) float32 with y down and n ≥ 1, as ink: (h, w) uint8, 255 on 0.

    Their longer side becomes `height` pixels (1 for a single dot); `pen` is the stroke's width in pixels.
    """
    points = np.concatenate(list(strokes))
    low, high = points.min(axis=0), points.max(axis=0)
    extent = float(max(high - low))
    scale = (height - 1) / extent if extent > 0 else 1.0
    margin = pen / 2 + _MARGIN
    width, tall = np.ceil((high - low) * scale + 2 * margin).astype(int) + 1
    ink = np.zeros((int(tall), int(width)), np.uint8)
    thickness = max(1, round(pen))
    for stroke in strokes:
        line = np.rint(((stroke - low) * scale + margin) * (1 << _SHIFT)).astype(np.int32)
        if len(line) == 1:
            line = np.repeat(line, 2, axis=0)
        cv2.polylines(ink, [line[:, None]], False, 255, thickness, cv2.LINE_AA, _SHIFT)
    return ink


def spline(points: NDArray[np.float64], steps: int = 8) -> Points:
    """A smooth way through (n, 2) points, n ≥ 2: Catmull–Rom."""
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    before, start, end, after = padded[:-3, None], padded[1:-2, None], padded[2:-1, None], padded[3:, None]
    t = np.arange(steps)[None, :, None] / steps
    curve = 2 * start + (end - before) * t + (2 * before - 5 * start + 4 * end - after) * t**2
    curve = 0.5 * (curve + (3 * start - before - 3 * end + after) * t**3)
    return np.vstack([curve.reshape(-1, 2), points[-1:]]).astype(np.float32)
