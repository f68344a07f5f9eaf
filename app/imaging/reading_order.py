"""Boxes → lines: which boxes stand on one line, and the order in which a person reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from app.domain import BoundingBox

# Two boxes stand on one line where their heights overlap by at least this share of the lower one's.
_MIN_OVERLAP = 0.4
# Boxes may be writing where so many of a line, each so many pixels high at least, are alike.
_LEAST_ALIKE, _LEAST_HEIGHT = 3, 8


def reading_order(boxes: Sequence[BoundingBox]) -> list[list[int]]:
    """Indices of `boxes`, one list a line; lines from top to bottom, each from left to right.

    A box joins the line whose nearest box to its left it overlaps most in height, so that a line may slant.
    """
    lines: list[list[int]] = []
    for index in sorted(range(len(boxes)), key=lambda i: (boxes[i].left, boxes[i].top)):
        best, best_overlap = None, _MIN_OVERLAP
        for line in lines:
            overlap = _overlap(boxes[line[-1]], boxes[index])
            if overlap >= best_overlap:
                best, best_overlap = line, overlap
        if best is None:
            lines.append([index])
        else:
            best.append(index)
    return sorted(lines, key=lambda line: sum(boxes[i].top + boxes[i].bottom for i in line) / len(line))


def alike_rows(
    boxes: Sequence[BoundingBox], factor: float, share: float
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.bool_]]]:
    """The lines that may be writing: the indices of each one's boxes, (n,), and which of them are alike, (n,).

    Those are as high as the line's median to a `factor`, and at least this `share` of the line.
    """
    for line in reading_order(boxes):
        heights = np.array([boxes[index].height for index in line])
        usual = float(np.median(heights))
        alike = (heights >= max(_LEAST_HEIGHT, usual / factor)) & (heights <= factor * usual)
        if np.count_nonzero(alike) >= max(_LEAST_ALIKE, share * len(line)):
            yield np.array(line, np.intp), alike


def _overlap(one: BoundingBox, other: BoundingBox) -> float:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared / min(one.height, other.height)
