"""Signs that a reader takes for digits: told by their form, and taken out of the ink.

A plus is like a crossed 7, and a disc, such as stands before the items of a list, like a 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from app.imaging.binarise import Ink
from app.imaging.medians import usual_height
from app.imaging.reading_order import reading_order
from app.imaging.segment import Candidate, wipe

# A plus is about as wide as high, and lower than the digits beside it by this share at least; a 7 that is like one is
# as high as they are.
_SQUARE, _LOWER = 0.72, 0.92
_LEAST_SIDE = 5
# Its strokes reach over this share of it, are no thicker than this, and cross so near its middle …
_REACH, _THICK, _OFF_CENTRE = 0.9, 0.5, 0.13
# … and this share of its ink is theirs.
_OF_STROKES = 0.92
# A disc, a square, or anything else that is solid and convex: its sides are alike by this factor, it fills so much of
# its box and of its hull, and of what is as strong as the lesser share of its strongest ink so much is as strong as the
# other.
_NARROW, _BOXED, _SOLID, _EVEN = 0.62, 0.65, 0.92, 0.7
_WEAK, _STRONG = 0.35, 0.65


def without_signs(ink: Ink, candidates: Sequence[Candidate]) -> tuple[Ink, list[Candidate]]:
    """An image's ink, and its candidates, without the pluses and discs among them; the same where there are none."""
    signs = {index for index, one in enumerate(candidates) if is_disc(one.ink)}
    for row in reading_order([one.box for one in candidates]):
        usual = usual_height(np.array([candidates[index].box.height for index in row]))
        signs.update(
            index
            for index in row
            if candidates[index].box.height <= _LOWER * usual and is_plus(candidates[index].ink > 0)
        )
    if not signs:
        return ink, list(candidates)
    strength, mask = ink.strength.copy(), ink.mask.copy()
    wipe((candidates[index] for index in signs), strength, mask)
    return Ink(strength, mask, ink.levels), [one for index, one in enumerate(candidates) if index not in signs]


def is_disc(ink: NDArray[np.uint8]) -> bool:
    """Whether ink, (h, w) uint8 cropped to its box, is one convex solid, about as wide as high, with a clear edge."""
    height, width = ink.shape
    if min(height, width) < max(_LEAST_SIDE, _NARROW * max(height, width)):
        return False
    strongest = int(ink.max())
    strong = np.asarray(cv2.threshold(ink, _STRONG * strongest, 1, cv2.THRESH_BINARY)[1], np.uint8)
    area = cv2.countNonZero(strong)
    if area < _BOXED * ink.size or area < _EVEN * np.count_nonzero(ink > _WEAK * strongest):
        return False
    hull = cv2.convexHull(cv2.findNonZero(strong))
    solid = np.zeros_like(strong)
    cv2.fillConvexPoly(solid, hull, 1)
    sides = cv2.minAreaRect(hull)[1]
    return bool(area >= _SOLID * cv2.countNonZero(solid) and min(sides) >= _NARROW * max(sides))


def is_plus(inked: NDArray[np.bool_]) -> bool:
    """Whether ink, (h, w) and cropped to its box, is two strokes that cross in the middle, one upright, one level."""
    height, width = inked.shape
    if min(height, width) < max(_LEAST_SIDE, _SQUARE * max(height, width)):
        return False
    upright, level = _stroke(inked.mean(axis=0)), _stroke(inked.mean(axis=1))
    if upright is None or level is None:
        return False
    beside = inked.copy()
    beside[:, upright] = False
    beside[level] = False
    return bool(beside.sum() <= (1 - _OF_STROKES) * inked.sum())


def _stroke(shares: NDArray[np.float64]) -> slice | None:
    """The columns, or the rows, of the one stroke that reaches over nearly all, with a pixel beside it for its edge."""
    full = np.flatnonzero(shares >= _REACH)
    if not full.size or full[-1] - full[0] + 1 > full.size or full.size > _THICK * len(shares):
        return None
    middle = (full[0] + full[-1] + 1) / 2 / len(shares)
    return slice(max(0, full[0] - 1), full[-1] + 2) if abs(middle - 0.5) <= _OFF_CENTRE else None
