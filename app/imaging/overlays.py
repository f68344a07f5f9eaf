"""Writing over a picture: the time stamp of a camera, a caption, a subtitle. There is no paper that it stands out from.

Its pieces are as light, or as dark, as hardly anything beside them: they are the connected components of what is at
least so light that remain nearly the same where less would do (maximally stable extremal regions; Matas, Chum, Urban,
Pajdla, BMVC 2002), and several alike stand in a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.domain import Polarity
from app.imaging.binarise import Ink, ink_of
from app.imaging.components import AREA, HEIGHT, LEFT, TOP, WIDTH, Components, components_of
from app.imaging.reading_order import alike_rows
from app.imaging.scale import reduced

# A picture is reduced to this longest side: there writing is some pixels high.
_REDUCED_SIDE = 640
# The levels from which on a pixel is light, and of how many levels less a piece may have become by so much larger.
_LEVELS, _STEPS, _MOST_GROWTH = range(32, 256, 16), 2, 1.5
# A piece is so many pixels high, at most this share of the picture, not much wider than high, and fills so much of its
# box; a level with more of them shows texture.
_LEAST_HEIGHT, _MOST_HEIGHT, _MOST_WIDTH, _LEAST_FILLED = 8, 0.6, 1.4, 0.12
_MOST_PIECES = 300
# Of the pieces of a row this share is as high as their median within this factor.
_ALIKE_SHARE, _ALIKE = 0.6, 1.3
# What else stands in a row is of its writing, too: no lower than so much of its height, and no farther from it.
_LEAST_BESIDE, _BESIDE, _ABOVE = 0.7, 1.5, 0.15
# So many ways of parting writing from the picture are worth a look.
_MOST_OVERLAYS = 4


@dataclass(frozen=True, slots=True)
class Overlay:
    """`ink`: of the writing alone. `to_image`: (2, 3), takes a point of it to the image's."""

    ink: Ink
    to_image: NDArray[np.float64]


def find_overlays(grey: NDArray[np.uint8], polarity: Polarity = Polarity.AUTO) -> list[Overlay]:
    """What may be writing over an image, (h, w) uint8, by the levels that part it; the way with most pieces first."""
    small = reduced(grey, _REDUCED_SIDE)
    (height, width), (high, wide) = grey.shape, small.shape
    to_image = np.array([[width / wide, 0.0, 0.0], [0.0, height / high, 0.0]])
    light = [] if polarity is Polarity.DARK_ON_LIGHT else list(_written(small))
    dark = [] if polarity is Polarity.LIGHT_ON_DARK else list(_written(np.uint8(255) - small))
    found = light + dark
    found.sort(key=lambda one: -one[0])
    return [Overlay(ink_of(mask), to_image) for _, mask in found[:_MOST_OVERLAYS]]


def _written(light: NDArray[np.uint8]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """What may be light writing, (h, w) uint8 of 0 and 255, and how many pieces it has, from each level on."""
    before: list[Components] = []
    least, most, _, _ = cv2.minMaxLoc(light)
    for level in (level for level in _LEVELS if least < level <= most):
        components = components_of((light >= level).astype(np.uint8))
        if len(before) == _STEPS:
            pieces = _stable(components, before.pop(0))
            among = _in_rows(components, pieces if len(pieces) <= _MOST_PIECES else pieces[:0])
            if among.any():
                yield int(np.count_nonzero(among)), components.mask_of(among)
        before.append(components)


def _stable(components: Components, larger: Components) -> NDArray[np.intp]:
    """The labels of pieces that may be characters and were hardly larger some levels before."""
    stats, (rows, _) = components.stats, components.labels.shape
    left, top, width, height, area = stats.T
    formed = (height >= _LEAST_HEIGHT) & (height <= _MOST_HEIGHT * rows) & (width <= _MOST_WIDTH * height)
    formed &= area >= _LEAST_FILLED * width * height
    formed[0] = False
    labels = np.flatnonzero(formed)
    if len(labels) > _MOST_PIECES:
        return labels  # too many, stable or not
    # A piece lies within one that was there before: which one, any of its pixels tells.
    first = [int(np.argmax(components.labels[top[i], left[i] : left[i] + width[i]] == i)) for i in labels]
    parents = larger.labels[top[labels], left[labels] + np.array(first, int)]
    return np.asarray(labels[larger.stats[parents, AREA] <= _MOST_GROWTH * area[labels]], np.intp)


def _in_rows(components: Components, pieces: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which components, by label, are rows of pieces that are alike in height, with what else stands in those."""
    stats = components.stats
    rights, bottoms = components.rights, components.bottoms
    written = np.zeros(len(stats), bool)
    for row, alike in alike_rows([components.box(label) for label in pieces.tolist()], _ALIKE, _ALIKE_SHARE):
        usual = float(np.median(stats[pieces[row], HEIGHT]))
        own = pieces[row[alike]]
        beside = (stats[:, HEIGHT] >= _LEAST_BESIDE * usual) & (stats[:, WIDTH] <= _MOST_WIDTH * stats[:, HEIGHT])
        beside &= stats[:, TOP] >= stats[own, TOP].min() - _ABOVE * usual
        beside &= bottoms <= bottoms[own].max() + _ABOVE * usual
        beside &= stats[:, LEFT] >= stats[own, LEFT].min() - _BESIDE * usual
        beside &= rights <= rights[own].max() + _BESIDE * usual
        written |= beside
        written[own] = True
    written[0] = False
    return written
