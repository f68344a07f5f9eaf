"""Ink of one line of digits → an image of a fixed height, straight and without its surroundings.

A line reader sees nothing else. Serving and training both go through here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, floor

import cv2
import numpy as np
from numpy.typing import NDArray

from app.domain import BoundingBox, Polarity
from app.imaging.binarise import Ink, find_ink, possible_polarities
from app.imaging.glyph import full_ink
from app.imaging.medians import weighted_median
from app.imaging.reading_order import reading_order
from app.imaging.segment import Candidate, digit_candidates

# Any change to the pixels that come out of here is a new version, as is one of PREPROCESSING_VERSION.
LINE_VERSION = "1"

LINE_HEIGHT = 32
# A line's width is a multiple of what a reader makes one column of …
COLUMN_WIDTH = 4
# … and at most this: some 60 digits. What is wider is squeezed.
MOST_WIDTH = 1024
# A reader gives logits for every second pixel. Of neighbours that are the same digit, and so need a blank between them,
# one pair in fourteen is less than eight pixels apart.
STEP_WIDTH = 2
# How high the usual digit of a line becomes, and how high the line may become for it.
_DIGIT_HEIGHT = 23
_MOST_HEIGHT = 30
# The paper kept beside the outermost ink, as a share of the line's height.
_BESIDE = 0.12
_MOST_CANDIDATES = 64
# A line is turned where it slopes by more degrees than a reader bears, and by at most so many; beyond, it is no line.
_LEAST_SLOPE, _MOST_SLOPE, _NO_LINE = 2.5, 15.0, 25.0
_LEAST_POINTS = 3
# OpenCV turns no image with a longer side.
_MOST_SIDE = 32_000
# A piece of ink may belong to the line, and tells its slope, from this share of the usual digit's height on …
_LOW, _HIGH = 0.5, 2.0
# … its middle no farther from the line's than this, in digit heights; it makes the line reach no farther than that.
_AWAY, _REACH = 1.0, 1.2
# Pieces with less ink are specks, longer ones are rules.
_LEAST_AREA = 8
_MOST_ASPECT, _MOST_TALLNESS = 6.0, 10.0

LinePixels = NDArray[np.uint8]
Boxes = NDArray[np.float64]
Points = NDArray[np.float64]
# The columns of an image, left and right, that a line lies between.
Between = tuple[float, float]


@dataclass(frozen=True, slots=True)
class LinePiece:
    """A piece of a line that may be one digit: its ink, (h, w) uint8, at the image's size, and its middle column."""

    ink: NDArray[np.uint8]
    middle: float


@dataclass(frozen=True, slots=True)
class LineImage:
    """One line, cut out of an image.

    `pixels`: (32, w) uint8, light ink on black, w a multiple of 4. `to_image`: (2, 3), takes a point of the line, from
    its top left, to that of the image, whose height and width `shape` tells. `pieces`: by which the line was found,
    from left to right. `strip`: the ink of the whole image, where that is hardly higher than the line. `lone`: it is
    one digit that the image is cropped tight around, or none.
    """

    pixels: LinePixels
    to_image: NDArray[np.float64]
    shape: tuple[int, int]
    pieces: tuple[LinePiece, ...] = ()
    strip: Ink | None = None
    lone: bool = False

    @property
    def height(self) -> float:
        """How high the part of the image is that shows the line, in its pixels."""
        return LINE_HEIGHT * float(np.hypot(*self.to_image[:, 1]))

    def box(self, left: float, right: float, top: float = 0.0, bottom: float = LINE_HEIGHT) -> BoundingBox:
        """The least box of the image around a part of the line; at least one pixel, within the image."""
        corners = np.array([[left, right, left, right], [top, top, bottom, bottom]])
        x, y = (self.to_image[:, :2] @ corners + self.to_image[:, 2:]).tolist()
        height, width = self.shape
        first_x, first_y = min(max(floor(min(x)), 0), width - 1), min(max(floor(min(y)), 0), height - 1)
        last_x, last_y = min(max(ceil(max(x)), 1), width), min(max(ceil(max(y)), 1), height)
        return BoundingBox(first_x, first_y, max(1, last_x - first_x), max(1, last_y - first_y))

    def within(self, to_image: NDArray[np.float64], shape: tuple[int, ...]) -> LineImage:
        """The same line, in the image of which its own is a part; `to_image`, (2, 3), takes points there."""
        way = to_image[:, :2] @ self.to_image
        way[:, 2] += to_image[:, 2]
        return replace(self, to_image=way, shape=(shape[0], shape[1]))


def line_image(grey: NDArray[np.uint8], polarity: Polarity = Polarity.AUTO) -> LineImage | None:
    """The line of digits that an image, (h, w) uint8, shows; None where there is no ink.

    Where nothing of the ink may be a digit, it is all of the image.
    """
    ink = find_ink(grey, polarity)
    if not ink.mask.any():
        return None
    candidates = digit_candidates(ink, _MOST_CANDIDATES)
    return cut_line(ink, main_line(candidates), pieces_of(ink)) if candidates else whole_image(ink)


def whole_image(ink: Ink) -> LineImage:
    """All of an image, between the first and the last column with ink, as a line."""
    height, width = ink.mask.shape
    return _cut(ink, _Region((width / 2, height / 2), width, height))


def cut_line(ink: Ink, candidates: Sequence[Candidate], pieces: Pieces, between: Between | None = None) -> LineImage:
    """The line of some candidates, at least one, with what else of an image's ink, `pieces`, may belong to it.

    It reaches through the whole image, or lies `between` two columns of it.
    """
    line = _cut(ink, _line_region(candidates, pieces, ink.mask.shape, between))
    way = np.linalg.inv(line.to_image[:, :2])
    centres = [(one.box.left + one.box.width / 2, one.box.top + one.box.height / 2) for one in candidates]
    columns = (np.array(centres) - line.to_image[:, 2]) @ way[0]
    own = (LinePiece(one.ink, float(column)) for one, column in zip(candidates, columns, strict=True))
    return replace(line, pieces=tuple(sorted(own, key=lambda piece: piece.middle)))


def _cut(ink: Ink, region: _Region) -> LineImage:
    region = region.trimmed(ink.mask)
    pixels = normalise_line(region.cut(ink.strength))
    across = region.width / _scaled_width(region.height, region.width)
    return LineImage(pixels, region.to_image(across, region.height / LINE_HEIGHT), ink.mask.shape)


def lines_by_polarity(grey: NDArray[np.uint8], polarity: Polarity = Polarity.AUTO) -> list[LineImage]:
    """The line of an image, (h, w) uint8, under each polarity that it may have, the likelier first.

    Two where the grey levels leave a doubt: which one shows digits is for the reader to say. Empty without ink.
    """
    return [line for one in possible_polarities(grey, polarity) if (line := line_image(grey, one)) is not None]


def digit_line(ink: NDArray[np.uint8]) -> LinePixels:
    """The ink of one digit, (h, w) uint8 and cropped to its box, as a line of its own: (32, w) uint8."""
    beyond = round(ink.shape[0] * (LINE_HEIGHT / _DIGIT_HEIGHT - 1) / 2)
    beside = round(_BESIDE * (ink.shape[0] + 2 * beyond))
    return normalise_line(np.pad(ink, ((beyond, beyond), (beside, beside))))


def normalise_line(strength: NDArray[np.uint8]) -> LinePixels:
    """The ink of one line, cropped to its box with a margin, as a reader takes it: (32, w) uint8, light ink on black.

    Scaled, aspect ratio kept unless it were wider than 1024; w is made a multiple of 4 by paper on the right. Grey
    levels are stretched so that full ink is 255.

    `strength`: (h, w) uint8, 0 for paper, rising with the contrast to it; h and w at least 1. A margin of a fifth of
    the digits' height above and below makes them 23 pixels high.
    """
    height, full_width = strength.shape
    width = _scaled_width(height, full_width)
    shrunk = height > LINE_HEIGHT or full_width > width
    scaled = cv2.resize(
        strength.astype(np.float32),
        (width, LINE_HEIGHT),
        interpolation=cv2.INTER_AREA if shrunk else cv2.INTER_LINEAR,
    ).astype(np.float32, copy=False)
    full = full_ink(scaled)
    if full > 0:
        scaled = np.minimum(scaled * np.float32(255.0 / full), np.float32(255.0))
    line = np.zeros((LINE_HEIGHT, -(-width // COLUMN_WIDTH) * COLUMN_WIDTH), np.uint8)
    line[:, :width] = np.rint(scaled)
    return line


def _scaled_width(height: int, width: int) -> int:
    return min(max(round(width * LINE_HEIGHT / height), 1), MOST_WIDTH)


@dataclass(frozen=True, slots=True)
class Pieces:
    """The connected pieces of an image's ink that are neither specks nor rules, about: (n, 2) each, x and y."""

    middles: NDArray[np.float64]
    halves: NDArray[np.float64]

    def turned(self, turn: NDArray[np.float64]) -> Boxes:
        """Left, top, right and bottom of each once its middle is turned: (n, 4)."""
        middles = self.middles @ turn.T
        return np.concatenate([middles - self.halves, middles + self.halves], axis=1)


def pieces_of(ink: Ink) -> Pieces:
    """The pieces that may belong to one of the lines of an image."""
    left, top, width, height, area = ink.components.stats[1:].T.astype(np.float64)
    kept = (area >= _LEAST_AREA) & (width < _MOST_ASPECT * height) & (height < _MOST_TALLNESS * width)
    middles = np.column_stack([left + width / 2, top + height / 2])[kept]
    return Pieces(middles, np.column_stack([width, height])[kept] / 2)


@dataclass(frozen=True, slots=True)
class _Region:
    """A part of an image: `width` by `height` pixels about a centre, its rows falling by `slope` degrees."""

    centre: tuple[float, float]
    width: int
    height: int
    slope: float = 0.0

    def cut(self, strength: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The region's ink, (height, width) uint8; beyond the image there is none."""
        matrix = self.to_image(1.0, 1.0)
        if self.slope:
            matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5  # from edges to the middles of pixels
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            return cv2.warpAffine(strength, matrix, (self.width, self.height), flags=flags).astype(np.uint8, copy=False)
        left, top = (int(corner) for corner in matrix[:, 2])
        room = np.zeros((self.height, self.width), np.uint8)
        seen = strength[max(top, 0) : max(top + self.height, 0), max(left, 0) : max(left + self.width, 0)]
        y, x = max(-top, 0), max(-left, 0)
        room[y : y + seen.shape[0], x : x + seen.shape[1]] = seen
        return room

    def trimmed(self, mask: NDArray[np.uint8]) -> _Region:
        """Without the columns at both ends that have no ink, but for a margin."""
        columns = np.flatnonzero(self.cut(mask).max(axis=0))
        if not columns.size:
            return self
        # No wider than the image: of a high and narrow one, a share of its height is many times as much.
        margin = min(round(_BESIDE * self.height), mask.shape[1])
        first, last = int(columns[0]) - margin, int(columns[-1]) + 1 + margin
        move = _rotation(self.slope)[:, 0] * ((first + last) / 2 - self.width / 2)
        centre = (self.centre[0] + float(move[0]), self.centre[1] + float(move[1]))
        return _Region(centre, last - first, self.height, self.slope)

    def to_image(self, across: float, down: float) -> NDArray[np.float64]:
        """The way of a point from the region's top left, in steps of so many pixels, to the image: (2, 3)."""
        turn = _rotation(self.slope)
        corner = np.rint(np.array(self.centre) - turn @ np.array([self.width / 2, self.height / 2]))
        return np.column_stack([turn * [across, down], corner])


def _line_region(
    candidates: Sequence[Candidate], pieces: Pieces, shape: tuple[int, ...], between: Between | None
) -> _Region:
    height, width = shape
    slope = slope_of(candidates) if max(shape) < _MOST_SIDE else 0.0
    turn = _rotation(-slope)
    line = turned_boxes(candidates, -slope)
    digit, middle = _digit(line)
    others = pieces.turned(turn)
    tall = others[:, 3] - others[:, 1]
    away = np.abs((others[:, 1] + others[:, 3]) / 2 - middle)
    near = (tall >= _LOW * digit) & (tall <= _HIGH * digit) & (away <= _AWAY * digit)
    if between is not None:
        near &= (pieces.middles[:, 0] >= between[0]) & (pieces.middles[:, 0] <= between[1])
    line = np.concatenate([line, others[near]])
    digit, middle = _digit(line)
    top = min(max(float(line[:, 1].min()), middle - _REACH * digit), middle - digit / 2)
    bottom = min(max(float(line[:, 3].max()), middle + digit / 2), middle + _REACH * digit)
    scale = min(_DIGIT_HEIGHT / digit, _MOST_HEIGHT / (bottom - top))
    ends = turn[0] @ np.array([[0, width, 0, width], [0, 0, height, height]])
    if between is not None:  # columns of the image, at the height where the line is there
        low, high = candidates[0].box, candidates[-1].box
        heights = [(low.top + low.bottom) / 2, (high.top + high.bottom) / 2]
        ends = turn[0] @ np.array([between, heights])
    centre = turn.T @ np.array([(ends.min() + ends.max()) / 2, (top + bottom) / 2])
    size = max(1, round(float(np.ptp(ends)))), max(1, round(LINE_HEIGHT / scale))
    return _Region((float(centre[0]), float(centre[1])), *size, slope)


def main_line(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those of the line that covers most; of the lines above and below, an image may show a little."""
    lines = reading_order([candidate.box for candidate in candidates])
    return [candidates[i] for i in max(lines, key=lambda line: sum(candidates[i].box.area for i in line), default=[])]


def _outline(candidate: Candidate) -> Points:
    """The corners of a candidate's ink, in pixels of its image: (n, 2)."""
    hull = np.asarray(cv2.convexHull(cv2.findNonZero(candidate.ink)), np.float64).reshape(-1, 2)
    return np.add(hull, (candidate.box.left + 0.5, candidate.box.top + 0.5))


def _spans(outlines: Sequence[Points], turn: NDArray[np.float64]) -> Boxes:
    """Left, top, right and bottom of each outline once it is turned: (n, 4)."""
    turned = [outline @ turn.T for outline in outlines]
    return np.array([[*(points.min(axis=0) - 0.5), *(points.max(axis=0) + 0.5)] for points in turned])


def _digit(boxes: Boxes) -> tuple[float, float]:
    """How high the usual digit of a line is, and the middle of the line."""
    heights = boxes[:, 3] - boxes[:, 1]
    return weighted_median(heights, heights), weighted_median((boxes[:, 1] + boxes[:, 3]) / 2, heights)


def turned_boxes(candidates: Sequence[Candidate], degrees: float) -> Boxes:
    """Left, top, right and bottom of each candidate's ink in an image turned about its corner: (n, 4) float64."""
    if not degrees:
        boxes = [one.box for one in candidates]
        return np.array([(box.left, box.top, box.right, box.bottom) for box in boxes], np.float64)
    return _spans([_outline(candidate) for candidate in candidates], _rotation(degrees))


def slope_of(candidates: Sequence[Candidate]) -> float:
    """By how many degrees a line falls, 15 at most; 0 for less than a reader bears, and where that cannot be told.

    The median slope between any two middles, weighted by their distance: few strays do not turn it (Theil, 1950; Sen,
    1968).
    """
    spans = turned_boxes(candidates, 0.0)
    digit, _ = _digit(spans)
    tall = spans[spans[:, 3] - spans[:, 1] >= _LOW * digit]
    x, y = (tall[:, 0] + tall[:, 2]) / 2, (tall[:, 1] + tall[:, 3]) / 2
    if len(x) < _LEAST_POINTS:
        return 0.0
    one, other = np.triu_indices(len(x), 1)
    across = np.abs(x[other] - x[one])
    far = across > digit / 2
    if not far.any():
        return 0.0
    slopes = ((y[other] - y[one]) / np.where(far, x[other] - x[one], 1.0))[far]
    degrees = float(np.rad2deg(np.arctan(weighted_median(slopes, across[far]))))
    return min(max(degrees, -_MOST_SLOPE), _MOST_SLOPE) if _LEAST_SLOPE <= abs(degrees) <= _NO_LINE else 0.0


def _rotation(degrees: float) -> NDArray[np.float64]:
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[cos, -sin], [sin, cos]])
