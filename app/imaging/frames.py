"""Which ink is a frame's, around a digit or around none: it touches the image's edge and stays near it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.imaging.binarise import Ink
from app.imaging.components import AREA, HEIGHT, LEFT, TOP, WIDTH, Components

# Pixels of a component that lie this near the image's edge, as a share of its side, may be a frame's.
EDGE_BAND = 0.18
# A component with this share of its pixels in the edge band, touching the edge, is a piece of a frame.
_FRAME_SHARE = 0.75
# One that covers this share of a side that it touches is no part of a digit, however close.
_BAR_SHARE = 0.5
# A frame's line runs along at least this share of the image's side.
_SIDE_SHARE = 0.97
# This share of each side makes a corner.
_CORNER = 0.1
# The cell of a frame is not narrower than this share of its height, or only one side of the frame is there.
_NARROW = 0.8
# What has less ink than this share of the largest component is a speck beside one digit.
SPECK_SHARE = 0.06
MIN_AREA = 4


def frame_pieces(components: Components) -> NDArray[np.bool_]:
    """Which components, by label, are pieces of a frame: they touch the image's edge and stay near it."""
    frame = components.touching_edge()
    frame[0] = False
    return np.asarray(frame & in_edge_band(components)) if frame.any() else frame


def in_edge_band(components: Components) -> NDArray[np.bool_]:
    """Which components, by label, have nearly all their pixels near the image's edges."""
    height, width = components.labels.shape
    band_y, band_x = max(1, round(EDGE_BAND * height)), max(1, round(EDGE_BAND * width))
    inside = components.labels[band_y : height - band_y, band_x : width - band_x]
    count = len(components.stats)
    inside_area = np.bincount(inside.ravel(), minlength=count)[:count]
    share = 1.0 - inside_area / np.maximum(1, components.stats[:, AREA])
    return np.asarray(share >= _FRAME_SHARE)


def barred(components: Components) -> NDArray[np.bool_]:
    """Which components, by label, cover at least half of a side that they touch."""
    height, width = components.labels.shape
    stats = components.stats
    beside = (stats[:, LEFT] == 0) | (components.rights == width)
    above = (stats[:, TOP] == 0) | (components.bottoms == height)
    covering = (beside & (stats[:, HEIGHT] >= _BAR_SHARE * height)) | (above & (stats[:, WIDTH] >= _BAR_SHARE * width))
    covering[0] = False
    return np.asarray(covering)


def spans_a_side(ink: NDArray[np.uint8]) -> bool:
    """Whether ink runs along nearly all of one side of the image, as a frame's does and a digit cropped tight does not.

    `ink`: (h, w), nonzero on ink.
    """
    height, width = ink.shape
    band_y, band_x = max(1, round(EDGE_BAND * height)), max(1, round(EDGE_BAND * width))
    sides = (
        ink[:band_y].any(0),
        ink[height - band_y :].any(0),
        ink[:, :band_x].any(1),
        ink[:, width - band_x :].any(1),
    )
    return any(float(side.mean()) >= _SIDE_SHARE for side in sides)


def is_round(ink: NDArray[np.uint8]) -> bool:
    """Whether ink leaves the image's corners free: a 0 cropped tight does, a frame does not. `ink`: as above."""
    height, width = ink.shape
    y, x = max(1, round(_CORNER * height)), max(1, round(_CORNER * width))
    return not any(corner.any() for corner in (ink[:y, :x], ink[:y, -x:], ink[-y:, :x], ink[-y:, -x:]))


def large_pieces(ink: Ink) -> NDArray[np.bool_]:
    """Which components, by label, are no specks beside the largest."""
    areas = ink.components.stats[:, AREA]
    pieces = np.asarray(areas >= max(MIN_AREA, SPECK_SHARE * areas[1:].max(initial=0)))
    pieces[0] = False
    return pieces


def is_frame(ink: Ink) -> bool:
    """Whether all ink but specks is what is left of a frame: there is no digit in that cell.

    Of a narrow image, with ink on both sides, it may be a crop of 11.
    """
    components = ink.components
    height, width = ink.mask.shape
    pieces = large_pieces(ink)
    if not pieces.any() or (pieces & ~components.touching_edge()).any():
        return False
    lefts, rights = components.stats[pieces, LEFT], components.rights[pieces]
    if width < _NARROW * height and lefts.min() == 0 and rights.max() == width:
        return False
    if (pieces & ~in_edge_band(components)).any():  # after what is cheaper, and tells most images
        return False
    frame = components.mask_of(pieces)
    return spans_a_side(frame) and not is_round(frame)
