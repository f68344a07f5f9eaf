"""Digits of displays: segments or dots that do not touch, which are parts of one digit all the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.imaging.components import AREA, Components
from app.imaging.medians import usual_height, weighted_median

# Parts lie no farther apart than so many strokes are thick, uprights one above the other than so many: between them
# may be the place of a part that does not shine. Dots lie no farther apart than so many are wide.
_APART, _UPRIGHTS_APART, _DOTS_APART = 1.0, 1.8, 1.1
# An upright is so many times as high as wide, at least.
_UPRIGHT = 2.0
# How thick the stroke of a piece is: so many times its area is what it would be were it as long as its box's sides.
_THICKNESS = 1.3
# Pieces that are hardly longer than wide, and fill their boxes, are dots where most are, of so many at least.
_ROUND, _FILLED, _DOTTED_SHARE, _LEAST_DOTS = 1.4, 0.6, 0.7, 8
# What shares more rows than this with a piece, of the lower one's, is beside it: another digit. What shares more of its
# columns, of the narrower one's, is in line with it. What is no higher than so many strokes are thick is no digit.
_BESIDE, _IN_LINE, _LOW = 0.6, 0.6, 2.0
# Pieces were parts of digits where together they are so many times as high, and no more than this share is alone.
_HIGHER, _MOST_ALONE = 1.5, 0.4
# A page with more pieces than this is no display.
_MOST_PIECES = 300

Groups = list[list[int]]


def joined_parts(components: Components, groups: Groups) -> Groups:
    """Groups of components, by their labels, with those that are parts of a display's digits joined.

    They are as they were where that does not make them much higher: a page of some lines, for one.
    """
    if not 1 < len(groups) <= _MOST_PIECES:
        return groups
    pieces = [components.box(*group) for group in groups]
    if max(piece.top for piece in pieces) < min(piece.bottom for piece in pieces):  # there is but one row of them
        return groups
    boxes = np.array([(piece.left, piece.top, piece.right, piece.bottom) for piece in pieces])
    areas = np.array([components.stats[group, AREA].sum() for group in groups])
    owners = _connected(_near_dots(boxes, areas) if _dotted(boxes, areas) else _near_segments(boxes, areas))
    alone = sum(owners.count(owner) == 1 for owner in owners)
    if alone > _MOST_ALONE * len(groups):
        return groups
    wholes: Groups = [[] for _ in range(max(owners) + 1)]
    for group, owner in zip(groups, owners, strict=True):
        wholes[owner] += group
    before = np.array([piece.height for piece in pieces])
    after = np.array([components.box(*whole).height for whole in wholes])
    return wholes if usual_height(after) >= _HIGHER * usual_height(before) else groups


def _dots(boxes: NDArray[np.int64], areas: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which pieces are as wide as high, about, and fill their boxes."""
    sides = boxes[:, 2:] - boxes[:, :2]
    filled = areas >= _FILLED * sides.prod(axis=1)
    return np.asarray(filled & (sides.max(axis=1) <= _ROUND * sides.min(axis=1)))


def _dotted(boxes: NDArray[np.int64], areas: NDArray[np.int64]) -> bool:
    return bool(np.count_nonzero(_dots(boxes, areas)) >= max(_LEAST_DOTS, _DOTTED_SHARE * len(boxes)))


def _near_dots(boxes: NDArray[np.int64], areas: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which dots, (n, n), are parts of one digit."""
    wide = _median_of((boxes[:, 2:] - boxes[:, :2]).min(axis=1)[_dots(boxes, areas)])
    return np.asarray((_apart(boxes) <= _DOTS_APART * wide).all(axis=2))


def _near_segments(boxes: NDArray[np.int64], areas: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which segments, (n, n), are parts of one digit: near each other, and not side by side."""
    wide, high = (boxes[:, 2:] - boxes[:, :2]).T
    thick = _median_of(np.minimum(np.minimum(wide, high), _THICKNESS * areas / (wide + high)))
    apart = _apart(boxes)
    near = (apart <= _APART * thick).all(axis=2)
    upright = high >= _UPRIGHT * wide
    in_line = -apart[:, :, 0] > _IN_LINE * np.minimum(wide[:, None], wide)
    near |= in_line & (apart[:, :, 1] <= _UPRIGHTS_APART * thick) & upright & upright[:, None]
    lower = np.minimum(high[:, None], high)
    beside = (-apart[:, :, 1] > _BESIDE * lower) & (lower > _LOW * thick)
    return np.asarray(near & ~beside)


def _median_of(values: NDArray[np.int64] | NDArray[np.float64]) -> float:
    return weighted_median(values, np.ones(len(values)))


def _apart(boxes: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many columns and rows are between each two, (n, n, 2); below 0 they share so many."""
    low, high = boxes[:, :2], boxes[:, 2:]
    return np.asarray(np.maximum(low[:, None], low) - np.minimum(high[:, None], high))


def _connected(near: NDArray[np.bool_]) -> list[int]:
    """The number of the group, from 0 on, of each of n pieces by which are near each other, (n, n)."""
    owners = list(range(len(near)))

    def owner(piece: int) -> int:
        while owners[piece] != piece:
            piece = owners[piece]
        return piece

    for one, other in np.argwhere(np.triu(near, 1)).tolist():
        low, high = sorted((owner(one), owner(other)))
        owners[high] = low
    numbers: dict[int, int] = {}
    return [numbers.setdefault(owner(piece), len(numbers)) for piece in range(len(near))]
