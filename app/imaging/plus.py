"""Plus signs, which a reader takes for crossed 7s: told by their form, and taken out of the ink."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.imaging.binarise import Ink
from app.imaging.medians import usual_height
from app.imaging.reading_order import reading_order
from app.imaging.segment import Candidate

# A plus is about as wide as high, and lower than the digits beside it by this share at least; a 7 that is like one is
# as high as they are.
_SQUARE, _LOWER = 0.72, 0.92
_LEAST_SIDE = 5
# Its strokes reach over this share of it, are no thicker than this, and cross so near its middle …
_REACH, _THICK, _OFF_CENTRE = 0.9, 0.5, 0.13
# … and this share of its ink is theirs.
_OF_STROKES = 0.92


def without_pluses(ink: Ink, candidates: Sequence[Candidate]) -> tuple[Ink, list[Candidate]]:
    """An image's ink, and its candidates, without the plus signs among them; the same where there is none."""
    pluses: set[int] = set()
    for row in reading_order([one.box for one in candidates]):
        usual = usual_height(np.array([candidates[index].box.height for index in row]))
        pluses.update(
            index
            for index in row
            if candidates[index].box.height <= _LOWER * usual and is_plus(candidates[index].ink > 0)
        )
    if not pluses:
        return ink, list(candidates)
    strength, mask = ink.strength.copy(), ink.mask.copy()
    for index in pluses:
        box, own = candidates[index].box, candidates[index].ink > 0
        for pixels in (strength, mask):
            pixels[box.top : box.bottom, box.left : box.right][own] = 0
    return Ink(strength, mask, ink.levels), [one for index, one in enumerate(candidates) if index not in pluses]


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
