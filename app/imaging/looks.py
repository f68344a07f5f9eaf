"""A line seen again: somewhat wider, narrower, and slanted either way. What is read of all of them is surer."""

from __future__ import annotations

import cv2
import numpy as np

from app.imaging.line import COLUMN_WIDTH, LINE_HEIGHT, MOST_WIDTH, LinePixels

# How much wider, and by how many columns a row the line is sheared to the right.
_LOOKS = ((1.12, 0.0), (0.9, 0.0), (1.0, 0.18), (1.0, -0.18))
_MARGIN = 2


def other_looks(pixels: LinePixels) -> list[LinePixels]:
    """Four more looks at a line, (32, w) uint8 each, w a multiple of 4 and at most 1024."""
    return [_look(pixels, wider, shear) for wider, shear in _LOOKS]


def _look(pixels: LinePixels, wider: float, shear: float) -> LinePixels:
    leaning = abs(shear) * LINE_HEIGHT
    width = pixels.shape[1] * wider + leaning + 2 * _MARGIN
    # A line that fills the room has none to lean or widen into.
    squeezed = min(1.0, MOST_WIDTH / width)
    room = -(-int(width * squeezed) // COLUMN_WIDTH) * COLUMN_WIDTH
    start = _MARGIN + (leaning if shear > 0 else 0.0)
    matrix = np.array([[wider * squeezed, -shear * squeezed, start * squeezed], [0, 1, 0]], np.float64)
    return cv2.warpAffine(pixels, matrix, (room, LINE_HEIGHT), flags=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
