"""A line or a digit seen again: somewhat wider, narrower, and slanted or turned either way; a strip also as a whole.

What is read of all of them together is surer.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from app.imaging.glyph import BOX_SIDE
from app.imaging.line import COLUMN_WIDTH, LINE_HEIGHT, MOST_WIDTH, LineImage, LinePixels, whole_image

# How much wider, and by how many columns a row the line is sheared to the right; or how much taller about its middle,
# and by how many rows lower: of what fills all rows, one or two leave.
_LEANING = ((1.12, 0.15), (0.9, 0.15), (1.12, -0.15), (0.9, -0.15))
_STANDING = ((1.08, 1.0), (0.92, -1.0))
_MARGIN = 2
# Of a digit: slanted by a fifth, turned by eight degrees, a seventh wider and narrower, about its middle.
_COS, _SIN = np.cos(np.deg2rad(8.0)), np.sin(np.deg2rad(8.0))
_DIGIT_LOOKS = np.array(
    [
        *([[1, 0.18], [0, 1]], [[1, -0.18], [0, 1]]),
        *([[_COS, -_SIN], [_SIN, _COS]], [[_COS, _SIN], [-_SIN, _COS]]),
        *([[1.15, 0], [0, 1]], [[0.87, 0], [0, 1]]),
    ]
)
# The room that a digit needs for it on each side, as a share of its longer side.
_DIGIT_ROOM = 0.2
_HALF = 127
# Larger ink is reduced to this longer side first.
_MOST_SIDE = 4 * BOX_SIDE


def other_looks(line: LineImage) -> list[LinePixels]:
    """More looks at a line, (32, w) uint8 each, w a multiple of 4 and at most 1024: six, and four at a whole strip.

    A digit that joins a rule, or is unlike the others in height, may be cut where the line was cut out of its image.
    """
    standing = [_look(line.pixels, taller=taller, lower=lower) for taller, lower in _STANDING]
    looks = [*_leaning(line.pixels), *standing]
    return looks if line.strip is None else [*looks, *_leaning(whole_image(line.strip).pixels)]


def _leaning(pixels: LinePixels) -> list[LinePixels]:
    return [_look(pixels, wider=wider, shear=shear) for wider, shear in _LEANING]


def _look(
    pixels: LinePixels, wider: float = 1.0, shear: float = 0.0, taller: float = 1.0, lower: float = 0.0
) -> LinePixels:
    leaning = abs(shear) * LINE_HEIGHT
    width = pixels.shape[1] * wider + leaning + 2 * _MARGIN
    # A line that fills the room has none to lean or widen into.
    squeezed = min(1.0, MOST_WIDTH / width)
    room = -(-int(width * squeezed) // COLUMN_WIDTH) * COLUMN_WIDTH
    start = _MARGIN + (leaning if shear > 0 else 0.0)
    down = (1 - taller) * LINE_HEIGHT / 2 + lower
    matrix = np.array([[wider * squeezed, -shear * squeezed, start * squeezed], [0, taller, down]], np.float64)
    return cv2.warpAffine(pixels, matrix, (room, LINE_HEIGHT), flags=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def other_digit_looks(ink: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Six more looks at the ink of one digit, (h, w) uint8, each cropped to its own box."""
    if (reduced := _MOST_SIDE / max(ink.shape)) < 1:
        size = max(1, round(ink.shape[1] * reduced)), max(1, round(ink.shape[0] * reduced))
        ink = cv2.resize(ink, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    height, width = ink.shape
    margin = max(2, int(_DIGIT_ROOM * max(height, width)))
    room = np.pad(ink, margin)
    has_ink = np.where(room > 0, np.uint8(255), np.uint8(0))
    middle = np.array([room.shape[1] - 1, room.shape[0] - 1]) / 2
    looks = []
    for turn in _DIGIT_LOOKS:
        matrix = np.column_stack([turn, middle - turn @ middle])
        look, inked = (
            cv2.warpAffine(pixels, matrix, room.shape[::-1], flags=cv2.INTER_LINEAR) for pixels in (room, has_ink)
        )
        # Where there was ink, however faint: a look is as high as all of the digit.
        left, top, wide, high = cv2.boundingRect((inked > _HALF).astype(np.uint8))
        looks.append(np.asarray(look[top : top + high, left : left + wide], np.uint8) if wide else ink)
    return looks
