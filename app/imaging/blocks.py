"""Blocks of another grey than the page, with marks on them: sheets on a desk, buttons, badges, coloured table rows.

Within a block, ink and paper may be the other way round than beside it, and the block itself is as strong as ink.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.domain import Polarity
from app.imaging.components import AREA, HEIGHT, LEFT, TOP, WIDTH, Components, components_of
from app.imaging.medians import upper_median
from app.imaging.scale import reduced

GreyPixels = NDArray[np.uint8]
Mask = NDArray[np.uint8]
Plane = NDArray[np.float32]

# The background is what the image's edge shows, of one grey or of one that changes evenly. What differs from it by so
# many grey levels, and so many standard deviations of it (1.4826 times the median absolute deviation), is no
# background; nor is what so differs from a block a part of that.
_LEAST_DIFFERENCE, _LEAST_DEVIATIONS = 24.0, 4.0
# A block is so many pixels high and wide at least, with its marks it fills this share of its convex hull, and this
# share of it is of one grey, or of one that changes evenly.
_LEAST_SIDE, _LEAST_FILLED, _LEAST_EVEN = 16, 0.7, 0.55
# So many are looked at, and so many times the image's pixels: blocks lie beside each other, unless they are rings.
_MOST_BLOCKS, _MOST_LOOKS = 64, 4
# Of its upright box a block fills this share without its marks, a large one, which may be turned, this one.
_LEAST_UPRIGHT, _LEAST_TURNED = 0.42, 0.25
# A mark is so many pixels high at least, fills less than this share of its convex hull, and its strokes are this share
# of its lesser side at most: a bold digit, which is as even as a block, has holes that are convex or fat.
_LEAST_MARK, _CONVEX, _FAT, _MOST_MARKS = 6, 0.85, 0.5, 200
# With fewer marks than these, a block fills this share of a rectangle or a circle: the hole of a 0 may be like a mark.
_SEVERAL, _DRAWN_SHAPE = 3, 0.9
# Where one digit is expected, ink that fills this share of such a shape may be a block.
_NEARLY_DRAWN = 0.8
# Marks are holes in a block, unless they differ from what is beside it, too: then only a large one is looked at.
_LEAST_SHEET = 64
# Of its hull a block without a hole fills this share.
_SOLID = 0.93
# Blocks whose heights differ by less than this share, and that are of one grey, are alike.
_UNLIKE = 0.15
# A block without marks is a picture where it is not much longer than wide, and so much higher than what else there is.
_LEAST_ROUND, _TALLER = 0.6, 2.0
# So much of a block's edge is wiped, in pixels and as a share of its lesser side.
_LEAST_RIM, _RIM = 2, 0.02
# Whether there are blocks is asked of an image reduced to this longest side.
_REDUCED_SIDE = 640
# A page may lie on a desk and have buttons on it.
_DEPTH = 2
# Points of a block that its grey is estimated from, at most; how near the last estimate they are, of 255, to count for
# the next one; and the share that is so near their median where no estimate is needed.
_SAMPLED, _REACHES, _PLAIN = 500, (48.0, 24.0, 12.0), 0.9
_STEADY = 1e-3


@dataclass(frozen=True, slots=True)
class _Block:
    """`rows`, `columns`: where it is. `inside`: (h, w) 255 on it, 0 beside it. `paper`: (h, w), its grey.

    `size`: the width and height of its own box. `is_drawn`: it is a rectangle or a circle. `is_solid`: there is hardly
    a hole in it.
    """

    rows: slice
    columns: slice
    inside: Mask
    paper: Plane
    size: tuple[int, int]
    is_drawn: bool
    is_solid: bool


def levelled(grey: GreyPixels, polarity: Polarity) -> GreyPixels | None:
    """An image, (h, w) uint8, with all marks dark on white, whether they are on blocks or beside them.

    Solid pictures beside writing are wiped. None where there is neither these nor a block with marks. `polarity`: that
    of the marks; under AUTO, they may differ from their paper in either way.
    """
    found: GreyPixels | None = None
    small = reduced(grey, _REDUCED_SIDE)
    if small is not grey and _once_levelled(small, polarity) is None:
        return None  # which most images tell at a fraction of their pixels
    for _ in range(_DEPTH):
        once = _once_levelled(grey if found is None else found, polarity if found is None else Polarity.DARK_ON_LIGHT)
        if once is None:
            break
        found = once
    return found


def may_be_block(ink: GreyPixels) -> bool:
    """Whether the ink, (h, w) uint8, of what is taken for one digit has the outline of a disc or a box.

    It may be a block that a digit stands on, or the edge of one; of digits, a bold 1 and a round 0 are like that.
    """
    if min(ink.shape) < _LEAST_SIDE:
        return False
    inked = cv2.threshold(ink, int(ink.max()) // 2, 1, cv2.THRESH_BINARY)[1]
    outlines, _ = cv2.findContours(inked, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outline = max(outlines, key=cv2.contourArea)
    return _drawn_share(outline, cv2.minAreaRect(outline)[1]) >= _NEARLY_DRAWN


def _drawn_share(outline: cv2.typing.MatLike, size: Sequence[float]) -> float:
    """How much an outline fills of its least rectangle, of that `size`, or of its least circle, if that is less."""
    wide, high = size
    shape = min(wide * high, np.pi * cv2.minEnclosingCircle(outline)[1] ** 2)
    return cv2.contourArea(outline) / max(shape, 1.0)


def _once_levelled(grey: GreyPixels, polarity: Polarity) -> GreyPixels | None:
    border = np.zeros_like(grey)
    border[[0, -1]] = border[:, [0, -1]] = 1
    sides = [float(side.mean()) for side in (grey[0], grey[-1], grey[:, 0], grey[:, -1])]
    paper = _plane(grey, border, changes=max(sides) - min(sides) > _LEAST_DIFFERENCE)
    beside = np.abs(grey - paper)
    spread = 1.4826 * upper_median(beside[border > 0])
    least = max(_LEAST_DIFFERENCE, _LEAST_DEVIATIONS * spread)
    components = components_of((beside > least).view(np.uint8))
    blocks = list(_blocks(grey, components, least))
    if not blocks:
        return None
    strength = _strength(grey, paper, polarity)
    for block in blocks:
        own, around = strength[block.rows, block.columns], _around(block)
        own[cv2.dilate(block.inside, around) > 0] = 0
        within = cv2.erode(block.inside, around) > 0
        own[within] = _strength(grey[block.rows, block.columns], block.paper, polarity)[within]
    return np.asarray(255 - strength, np.uint8)


def _blocks(grey: GreyPixels, components: Components, least: float) -> Iterator[_Block]:
    """The blocks that have marks, those that are like one of them, and plain ones that writing stands beside."""
    taken = np.zeros_like(grey)
    marked: list[_Block] = []
    bare: list[_Block] = []
    seen = 0
    for label in _large(components):
        seen += int(np.prod(components.stats[label, [WIDTH, HEIGHT]], dtype=np.int64))
        if seen > _MOST_LOOKS * grey.size:
            break
        block = _block(grey, components, label, taken)
        if block is None:
            continue
        if _is_marked(grey, block, least):
            marked.append(block)
            taken[block.rows, block.columns] |= block.inside
        elif block.is_drawn:
            bare.append(block)
    heights = components.stats[1:, HEIGHT]
    heights = heights[heights >= _LEAST_MARK]
    low = float(np.median(heights)) if len(heights) >= _SEVERAL + len(bare) else np.inf
    yield from marked
    for block in bare:
        alone = len(heights) == 1 and block.is_solid  # a ball, an empty label
        plain = min(block.size) >= max(_LEAST_ROUND * max(block.size), 0.0 if alone else _TALLER * low)
        if (plain or any(_alike(block, other) for other in marked)) and not _is_taken(block, taken):
            yield block


def _alike(block: _Block, other: _Block) -> bool:
    """Whether two blocks are of one height and one grey, as the keys of a pad are."""
    (_, height), (_, others) = block.size, other.size
    level = abs(float(np.median(block.paper)) - float(np.median(other.paper)))
    return abs(height - others) <= _UNLIKE * others and level <= _LEAST_DIFFERENCE / 2


def _is_taken(block: _Block, taken: Mask) -> bool:
    return bool((taken[block.rows, block.columns] & block.inside).any())


def _around(block: _Block) -> Mask:
    """The neighbourhood of a pixel that is wiped at a block's edge."""
    side = 2 * max(_LEAST_RIM, round(_RIM * min(block.inside.shape))) + 1
    return np.ones((side, side), np.uint8)


def _strength(grey: GreyPixels, paper: Plane, polarity: Polarity) -> GreyPixels:
    """How much a pixel differs from its paper, 0 to 255; only in the way that the polarity says."""
    difference = grey - paper
    if polarity is Polarity.AUTO:
        difference = np.abs(difference)
    elif polarity is Polarity.DARK_ON_LIGHT:
        difference = -difference
    return np.asarray(np.clip(difference, 0, 255), np.uint8)


def _large(components: Components) -> list[int]:
    """The labels of what may be a block, the largest first."""
    stats = components.stats
    side = np.minimum(stats[:, WIDTH], stats[:, HEIGHT])
    least = np.where(side >= _LEAST_SHEET, _LEAST_TURNED, _LEAST_UPRIGHT)
    large = (side >= _LEAST_SIDE) & (stats[:, AREA] >= least * stats[:, WIDTH] * stats[:, HEIGHT])
    large[0] = False
    labels = np.flatnonzero(large)
    order: list[int] = labels[np.argsort(-stats[labels, AREA], kind="stable")][:_MOST_BLOCKS].tolist()
    return order


def _block(grey: GreyPixels, components: Components, label: int, taken: Mask) -> _Block | None:
    """The block that a component is; None where it is none, or lies on one that is `taken` already."""
    left, top, width, height = components.stats[label, [LEFT, TOP, WIDTH, HEIGHT]].tolist()
    pad = 2 * max(_LEAST_RIM, round(_RIM * min(width, height)))  # for its rim, which is wiped
    rows = slice(max(0, top - pad), top + height + pad)
    columns = slice(max(0, left - pad), left + width + pad)
    own = (components.labels[rows, columns] == label).view(np.uint8)
    if (taken[rows, columns] & own).any():
        return None
    outlines, relations = cv2.findContours(own, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    (outer,) = np.flatnonzero(relations[0, :, 3] < 0)  # of one component there is one
    holes = (hole for index, hole in enumerate(outlines) if index != outer)
    marks = sum(1 for _ in itertools.islice((1 for hole in holes if np.ptp(hole[:, 0, 1]) >= _LEAST_MARK), _SEVERAL))
    hull = cv2.convexHull(outlines[outer])  # marks at a block's edge may be as dark as what is beside it
    area, (_, (wide, high), _) = cv2.contourArea(outlines[outer]), cv2.minAreaRect(hull)
    if min(wide, high) < _LEAST_SIDE or area < _LEAST_FILLED * cv2.contourArea(hull):
        return None
    is_drawn = _drawn_share(outlines[outer], (wide, high)) >= _DRAWN_SHAPE
    promising = is_drawn and (marks or min(width, height) >= _LEAST_ROUND * max(width, height))
    if not promising and marks < _SEVERAL and min(width, height) < _LEAST_SHEET:
        return None  # what follows costs more, and most digits come to here
    inside = np.zeros_like(own)
    cv2.fillConvexPoly(inside, hull, 255)
    pixels = grey[rows, columns]
    paper = _plane(pixels, inside)
    even = np.abs(pixels - paper)[inside > 0] <= _LEAST_DIFFERENCE / 2
    if float(even.mean()) < _LEAST_EVEN:
        return None
    is_solid = components.stats[label, AREA] >= _SOLID * np.count_nonzero(inside)
    return _Block(rows, columns, inside, paper, (width, height), is_drawn, bool(is_solid))


def _plane(pixels: GreyPixels, inside: Mask, changes: bool = True) -> Plane:
    """The grey of most of what is inside, which may change evenly from side to side: (h, w) float32.

    Least squares of a plane, again and again of what is near it, from the median on; that alone if nothing `changes`.
    """
    height, width = pixels.shape
    places = np.flatnonzero(inside)
    places = places[:: -(-len(places) // _SAMPLED)]
    values = pixels.ravel()[places].astype(np.float64)
    level = upper_median(values)
    if not changes or np.mean(np.abs(values - level) <= _REACHES[-1]) >= _PLAIN:
        return np.full(pixels.shape, level, np.float32)
    terms = np.column_stack([np.ones(len(places)), places % width / width, places // width / height])
    plane = np.array([level, 0.0, 0.0])
    steady = np.diag([0.0, 1.0, 1.0]) * _STEADY  # points in a row tell nothing of the way across it
    for reach in _REACHES:
        near = np.abs(terms @ plane - values) <= reach
        if np.count_nonzero(near) < _LEAST_EVEN * len(values) / 2:
            break
        own = terms[near]
        plane = np.linalg.solve(own.T @ own + steady, own.T @ values[near])
    across, down = np.arange(width) / width, np.arange(height)[:, np.newaxis] / height
    return np.asarray(plane[0] + plane[1] * across + plane[2] * down, np.float32)


def _is_marked(grey: GreyPixels, block: _Block, least: float) -> bool:
    """Whether there is something on a block that may be writing."""
    within = cv2.erode(block.inside, _around(block))
    differs = np.abs(grey[block.rows, block.columns] - block.paper) > least
    marks = components_of(np.asarray(within * differs, np.uint8))
    beside = np.unique(marks.labels[cv2.dilate(255 - within, np.ones((3, 3), np.uint8)) > 0])  # shades of the edge
    heights = marks.stats[:, HEIGHT].copy()
    heights[0] = heights[beside] = 0
    labels = np.argsort(-heights, kind="stable")[:_MOST_MARKS]
    written = (_is_written(marks, label) for label in labels[heights[labels] >= _LEAST_MARK].tolist())
    return sum(itertools.islice((one for one in written if one), _SEVERAL)) >= (1 if block.is_drawn else _SEVERAL)


def _is_written(marks: Components, label: int) -> bool:
    """Whether a mark is of strokes that turn."""
    left, top, width, height = marks.stats[label, [LEFT, TOP, WIDTH, HEIGHT]].tolist()
    own = np.pad((marks.labels[top : top + height, left : left + width] == label).view(np.uint8), 1)
    hull = np.zeros_like(own)
    cv2.fillConvexPoly(hull, cv2.convexHull(cv2.findNonZero(own)), 1)
    if marks.stats[label, AREA] >= _CONVEX * np.count_nonzero(hull):
        return False
    thickness = 2 * float(cv2.distanceTransform(own, cv2.DIST_L2, 3).max())
    return bool(thickness <= _FAT * min(width, height))
