"""Boxes → lines: which boxes stand on one line, and the order in which a person reads them."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain import BoundingBox

# Two boxes stand on one line where their heights overlap by at least this share of the lower one's.
_MIN_OVERLAP = 0.4


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


def _overlap(one: BoundingBox, other: BoundingBox) -> float:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared / min(one.height, other.height)
