"""Marks of a pen or a press, in units of a digit's height, and how they come onto a canvas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from training.augment import Pixels
from training.strokes import Points

Affine = NDArray[np.float64]

_SHIFT = 4  # fractional bits of OpenCV's line coordinates
_INK = 96
_STEP = 0.08
_TOP, _ROWS = -2.0, 38
_FAR = 1e3


@dataclass(frozen=True, slots=True)
class Shape:
    """A mark: y runs down, a digit stands from −1 to its baseline, 0.

    Exactly one of: `strokes`, each (n, 2) float32 of a pen's way, dense enough to be drawn as lines; `ink`, (h, w)
    uint8, 255 on 0, which `place`, (2, 3), takes from pixels to units. A `celled` one takes up all of its pixels, with
    ink or not, as the digits of a display do.
    """

    strokes: tuple[Points, ...] = ()
    ink: Pixels | None = None
    place: Affine | None = None
    celled: bool = False

    def moved(self, matrix: Affine) -> Shape:
        """The same mark after an affine map, (2, 3)."""
        if self.ink is None:
            turn, shift = matrix[:, :2].T.astype(np.float32), matrix[:, 2].astype(np.float32)
            return Shape(tuple(stroke @ turn + shift for stroke in self.strokes))
        return replace(self, place=chained(matrix, _placed(self)))

    def points(self) -> Points:
        """Where there is ink, (n, 2): the pen's way, or the left and right ends of every row of pixels."""
        if self.ink is None:
            return np.concatenate(self.strokes) if len(self.strokes) > 1 else self.strokes[0]
        return self._edges(self.ink > _INK)

    def room(self) -> Points:
        """What it takes up on its line, (n, 2): where there is ink, or all of its cell."""
        return self.points() if self.ink is None or not self.celled else self._edges(np.ones_like(self.ink, bool))

    def _edges(self, on: NDArray[np.bool_]) -> Points:
        """The left and right ends of what is on in every row of its pixels, (n, 2)."""
        rows = np.flatnonzero(on.any(axis=1))
        if not rows.size:
            rows = np.arange(len(on))
        left = on.argmax(axis=1)[rows] - 0.5
        right = on.shape[1] - 0.5 - on[:, ::-1].argmax(axis=1)[rows]
        corners = np.stack([np.concatenate([left, right]), np.concatenate([rows, rows])]).astype(np.float64)
        place = _placed(self)
        return np.asarray((place[:, :2] @ corners + place[:, 2:]).T, np.float32)


def affine(xx: float, xy: float, yx: float, yy: float, x: float = 0.0, y: float = 0.0) -> Affine:
    """The map (x, y) → (xx·x + xy·y + …, yx·x + yy·y + …)."""
    return np.array([[xx, xy, x], [yx, yy, y]])


def shifted(x: float, y: float) -> Affine:
    """The map that moves by x and y."""
    return affine(1, 0, 0, 1, x, y)


def chained(second: Affine, first: Affine) -> Affine:
    """The map that does the first, then the second."""
    matrix = second[:, :2] @ first
    matrix[:, 2] += second[:, 2]
    return matrix


def line(*points: tuple[float, float]) -> Points:
    """Straight lines through the points, with points between them no farther apart than a profile's rows."""
    corners = np.array(points, np.float64)
    parts = [corners[:1]]
    for start, end in pairwise(corners):
        count = max(1, int(np.ceil(np.abs(end - start).max() / _STEP)))
        parts.append(start + (end - start) * np.arange(1, count + 1)[:, None] / count)
    return np.concatenate(parts).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Profile:
    """How far ink reaches to the left and right in each of a line's rows, (rows,); without ink, past all bounds."""

    left: NDArray[np.float64]
    right: NDArray[np.float64]

    @property
    def width(self) -> float:
        """Of the widest row: what slant does not change."""
        return max(0.0, float((self.right - self.left).max()))

    def joined(self, other: Profile) -> Profile:
        """Of both together."""
        return Profile(np.minimum(self.left, other.left), np.maximum(self.right, other.right))

    def moved(self, x: float) -> Profile:
        """After a move to the right."""
        return Profile(self.left + x, self.right + x)

    def distance(self, other: Profile) -> float:
        """The least distance from this one's right to the other's left in any row; large where they share no row."""
        return float((other.left - self.right).min())


def profile(points: Points, radius: float) -> Profile:
    """Of ink at the points, (n, 2), with a pen of that radius."""
    rows = np.clip(((points[:, 1] - _TOP) / _STEP).astype(np.intp), 0, _ROWS - 1)
    left, right = np.full(_ROWS + 2, _FAR), np.full(_ROWS + 2, -_FAR)
    np.minimum.at(left, rows + 1, points[:, 0] - radius)
    np.maximum.at(right, rows + 1, points[:, 0] + radius)
    left = np.minimum(np.minimum(left[:-2], left[1:-1]), left[2:])
    right = np.maximum(np.maximum(right[:-2], right[1:-1]), right[2:])
    return Profile(left, right)


def draw(canvas: Pixels, shapes: Sequence[Shape], pen: float) -> None:
    """Draws marks, whose units are the canvas' pixels, onto it; strokes with a pen of that width."""
    thickness = max(1, round(pen))
    lines = [
        np.rint(np.repeat(stroke, 2, axis=0) * (1 << _SHIFT) if len(stroke) == 1 else stroke * (1 << _SHIFT))
        for shape in shapes
        for stroke in shape.strokes
    ]
    if lines:
        cv2.polylines(
            canvas, [way.astype(np.int32)[:, None] for way in lines], False, 255, thickness, cv2.LINE_AA, _SHIFT
        )
    for shape in shapes:
        if shape.ink is not None:
            _stamp(canvas, shape.ink, _placed(shape))


def _stamp(canvas: Pixels, ink: Pixels, place: Affine) -> None:
    height, width = ink.shape
    corners = place[:, :2] @ np.array([[-1, width, -1, width], [-1, -1, height, height]]) + place[:, 2:]
    low = np.maximum(np.floor(corners.min(axis=1)).astype(int), 0)
    high = np.minimum(np.ceil(corners.max(axis=1)).astype(int) + 1, canvas.shape[::-1])
    if (high <= low).any():
        return
    matrix = place.copy()
    matrix[:, 2] -= low
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    patch = cv2.warpAffine(ink, matrix, size, flags=cv2.INTER_CUBIC)
    scale = float(np.sqrt(abs(np.linalg.det(place[:, :2]))))
    if scale > 1.3:  # a bitmap that grows would blur: its edges are made as steep as they were
        steepness = min(4.0, 0.8 * scale)
        patch = cv2.convertScaleAbs(
            np.maximum(patch, round(127 - 127 / steepness)), None, steepness, 127 * (1 - steepness)
        )
    room = canvas[low[1] : high[1], low[0] : high[0]]
    np.maximum(room, patch.astype(np.uint8, copy=False), out=room)


def _placed(shape: Shape) -> Affine:
    return affine(1, 0, 0, 1) if shape.place is None else shape.place
