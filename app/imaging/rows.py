"""Candidate digits → the rows that they stand in, and the ink of each row without that of the others."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from app.domain import BoundingBox
from app.imaging.binarise import Ink
from app.imaging.line import Pieces, main_line, pieces_of, slope_of, turned_boxes
from app.imaging.medians import usual_height
from app.imaging.reading_order import reading_order
from app.imaging.segment import Candidate, in_small_print, wipe

# A line is digits' from this share of the tallest line's height on; lower ones are specks, or the grain of the paper.
_LEAST_HEIGHT = 0.25
# … unless it has so many pieces, and this share of them are alike and not tiny.
_LEAST_PRINTED, _PRINTED_SHARE = 3, 0.8
# One piece alone, lower and narrower than this, is what is left of a rule: a lone 1 is written as high as other digits.
_SCRAP_HEIGHT = 0.6
_SCRAP_WIDTH = 0.2
# Rows nearer than this, in digit heights, are one: signs, dots and scraps beside the digits of a line.
_LEAST_DISTANCE = 0.75
# Such rows as are as far apart as this reach into each other's lines at most.
_CLEAR_DISTANCE = 0.9
# Of a line that the image's upper or lower edge cuts, so many of the digits are so near it, in heights of the main
# line's, and so much lower than those: what is left of a line that a crop went through. A whole one may be as near.
_CUT_SHARE = 0.5
_AT_THE_EDGE = 0.06
_CUT_HEIGHT = 0.8
# A piece so many times as high as the usual digit may be digits of two rows that touch …
_TALL = 1.4
# … where it covers so much of each row's height, and the nearest digits of the row are so near, in digit heights.
_COVERED, _NEAR = 0.5, 2.5

Row = list[Candidate]


def parted_at_rows(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates, those cut that are digits of several rows which touch; the same where there are none.

    They are cut where the least ink is between the middles of two rows.
    """
    usual = usual_height(np.array([one.box.height for one in candidates]))
    lower = [one for one in candidates if one.box.height < _TALL * usual]
    if len(lower) in (0, len(candidates)):
        return list(candidates)
    rows = _level_rows(lower)
    parted: list[Candidate] = []
    for one in candidates:
        parted += [one] if one.box.height < _TALL * usual else _parts(one, _middles(one.box, rows))
    return parted


def _middles(box: BoundingBox, rows: Sequence[Row]) -> list[float]:
    """The middles, from top to bottom, of the rows that a box reaches over."""
    x = (box.left + box.right) / 2
    found = []
    for row in rows:
        height = usual_row_height(row)
        nearest = _nearest(row, x)
        middle = (nearest.box.top + nearest.box.bottom) / 2
        covered = min(box.bottom, middle + height / 2) - max(box.top, middle - height / 2)
        away = max(nearest.box.left - box.right, box.left - nearest.box.right)
        if covered >= _COVERED * height and away <= _NEAR * height:
            found.append(middle)
    return sorted(found)


def _parts(candidate: Candidate, middles: Sequence[float]) -> list[Candidate]:
    """A candidate cut between the middles of the rows it reaches over; whole where these are less than two."""
    ink, box = candidate.ink, candidate.box
    levels = ink.sum(axis=1, dtype=np.int64)
    places = [0]
    for above, below in itertools.pairwise(middles):
        first, last = (min(max(round(y) - box.top, places[-1]), box.height - 1) for y in (above, below))
        places.append(first + int(levels[first : last + 1].argmin()))
    places.append(box.height)
    parts = []
    for top, bottom in itertools.pairwise(places):
        part = ink[top:bottom]
        rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
        if rows.size:
            y, x = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
            own = BoundingBox(box.left + x.start, box.top + top + y.start, x.stop - x.start, y.stop - y.start)
            parts.append(Candidate(own, np.ascontiguousarray(part[y, x])))
    return parts


def text_rows(candidates: Sequence[Candidate], height: int) -> list[Row]:
    """The rows that candidates stand in, from top to bottom, each from left to right; `height` is the image's.

    What is not of the main row is left out where it is low, close to another row, a lone scrap of a stroke, or cut by
    the image's edge.
    """
    main = main_line(candidates)
    rows = _level_rows(candidates)
    if len(rows) <= 1:
        return [main]
    heights = [usual_row_height(row) for row in rows]
    tallest = usual_row_height(main)
    kept: list[int] = []
    for index in sorted(range(len(rows)), key=lambda i: -sum(one.box.area for one in rows[i])):
        low = heights[index] < _LEAST_HEIGHT * tallest and not _is_print(rows[index])
        cut = heights[index] < _CUT_HEIGHT * tallest and _at_the_edge(rows[index], height, _AT_THE_EDGE * tallest)
        scrap = len(rows[index]) == 1 and _is_scrap(rows[index][0].box, tallest)
        if not kept or not (low or cut or scrap or any(_same_row(rows[index], rows[other]) for other in kept)):
            kept.append(index)
    return [rows[index] for index in sorted(kept)]


def rows_apart(ink: Ink, rows: Sequence[Row]) -> Iterator[tuple[Ink, Row, Pieces]]:
    """Each of a page's rows with the ink of the page without the other rows' digits, and the pieces of that of none.

    Lines of writing reach into each other. The ink is the same image throughout, and good until the next row is asked
    for.
    """
    strength, mask = ink.strength.copy(), ink.mask.copy()
    for row in rows:
        wipe(row, strength, mask)
    pieces = pieces_of(Ink(strength, mask, ink.levels))
    for row in rows:
        for one in row:
            place, own = one.place, one.ink > 0
            np.maximum(strength[place], one.ink, out=strength[place])
            mask[place][own] = ink.mask[place][own]
        yield Ink(strength, mask, ink.levels), row, pieces
        wipe(row, strength, mask)


def _is_scrap(box: BoundingBox, height: float) -> bool:
    """Whether a piece alone is a scrap of a stroke beside digits so high."""
    return box.height < _SCRAP_HEIGHT * height and box.width < _SCRAP_WIDTH * height


def _is_print(row: Row) -> bool:
    """Whether a row is of pieces that are all alike in height, as those of small print are and specks are not."""
    boxes = np.array([one.box.height for one in row], np.int32)
    return len(row) >= _LEAST_PRINTED and float(in_small_print(boxes).mean()) >= _PRINTED_SHARE


def _at_the_edge(row: Row, height: int, margin: float) -> bool:
    """Whether a row's pieces lie at the upper or the lower edge of an image so high."""
    near = [one.box.top <= margin or one.box.bottom >= height - margin for one in row]
    return float(np.mean(near)) >= _CUT_SHARE


def _level_rows(candidates: Sequence[Candidate]) -> list[Row]:
    """Rows of a page, which may be skewed: the slope that its longest rows have is taken away first."""
    rows = [[candidates[i] for i in row] for row in reading_order([one.box for one in candidates])]
    if len(rows) <= 1:
        return rows
    slope = slope_of(max(rows, key=len))
    if not slope:
        return rows
    boxes = turned_boxes(candidates, -slope)
    corner = boxes[:, :2].min(axis=0)
    level = [
        BoundingBox(*(int(v) for v in np.rint(box[:2] - corner)), *(max(1, int(v)) for v in np.rint(box[2:] - box[:2])))
        for box in boxes
    ]
    return [[candidates[i] for i in row] for row in reading_order(level)]


def _same_row(row: Row, other: Row) -> bool:
    """Whether two rows lie so near each other, where both are, that one is scraps of the other."""
    apart = _distance(row, other)
    return apart is not None and apart < _LEAST_DISTANCE


def are_two(row: Row, other: Row) -> bool:
    """Whether two rows are one above the other, and neither is a part of the other: the bar of a 5, half of a 0."""
    fewer, more = sorted((row, other), key=len)
    if len(more) < 2 or _shared_column(row, other) is None:
        return False
    low, high = sorted((usual_row_height(row), usual_row_height(other)))
    own, others = _piece_middles(fewer), _piece_middles(more)
    nearest = np.abs(own[:, None, 0] - others[:, 0]).argmin(axis=1)
    away = np.median(np.abs(own[:, 1] - others[nearest, 1]))
    return bool(away >= _CLEAR_DISTANCE * high) and (len(fewer) > 1 or low >= _SCRAP_HEIGHT * high)


def _piece_middles(row: Row) -> NDArray[np.float64]:
    """The middles of a row's pieces, (n, 2), x and y."""
    return np.array([(one.box.left + one.box.width / 2, one.box.top + one.box.height / 2) for one in row])


def _distance(row: Row, other: Row) -> float | None:
    """How far apart two rows are, in heights of the higher one's digits, where both are; None where nothing is both."""
    column = _shared_column(row, other)
    if column is None:
        return None
    apart = abs(_middle_at(row, column) - _middle_at(other, column))
    return apart / max(usual_row_height(row), usual_row_height(other))


def _shared_column(row: Row, other: Row) -> float | None:
    """The middle one of the columns in which both rows are, if there are any."""
    left = max(min(one.box.left for one in row), min(one.box.left for one in other))
    right = min(max(one.box.right for one in row), max(one.box.right for one in other))
    return (left + right) / 2 if left < right else None


def _middle_at(row: Row, x: float) -> float:
    """How far down a row is at a column: the middle of its nearest piece."""
    nearest = _nearest(row, x)
    return (nearest.box.top + nearest.box.bottom) / 2


def _nearest(row: Row, x: float) -> Candidate:
    """The piece of a row that is the nearest to a column."""
    return min(row, key=lambda one: abs((one.box.left + one.box.right) / 2 - x))


def usual_row_height(row: Row) -> float:
    """The median of its pieces' heights."""
    return float(statistics.median(one.box.height for one in row))
