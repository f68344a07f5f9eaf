"""A sign, a label or the window of a meter that stands out from a plain background, upright and by itself.

Within it, ink and paper may be the other way round than in the image as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.imaging.scale import reduced

# Panels are looked for on an image reduced to this longest side.
_REDUCED_SIDE = 320
# The background is what the image's edge shows; what differs from it by so many grey levels, and so many standard
# deviations of it (1.4826 times the median absolute deviation), is not background.
_LEAST_DIFFERENCE, _LEAST_DEVIATIONS = 8.0, 4.0
# A panel fills this share of the rectangle around it …
_LEAST_FILLED = 0.8
# … which is this share of the image, at least and at most, and so many pixels high and wide.
_LEAST_SHARE, _MOST_SHARE, _LEAST_SIDE = 0.02, 0.9, 12.0
# It stands by itself: of the area of all that stands out, it has this share at least. A letter of a page has less.
_LEAST_ALONE = 0.5
# Its rim, as a share of its lesser side, is left out.
_RIM = 0.03


@dataclass(frozen=True, slots=True)
class Panel:
    """`pixels`: (h, w) uint8. `to_image`: (2, 3), takes a point of the panel, from its top left, to the image's."""

    pixels: NDArray[np.uint8]
    to_image: NDArray[np.float64]


def find_panel(grey: NDArray[np.uint8]) -> Panel | None:
    """The panel of an image, (h, w) uint8, turned upright by at most 45°; None where nothing like one stands out."""
    height, width = grey.shape
    scale = min(1.0, _REDUCED_SIDE / max(height, width))
    small = reduced(grey, _REDUCED_SIDE)
    outline = _largest_outline(_not_background(small))
    if outline is None:
        return None
    centre, (wide, high), angle = cv2.minAreaRect(outline)
    share = wide * high / small.size
    if not _LEAST_SHARE <= share <= _MOST_SHARE or cv2.contourArea(outline) < _LEAST_FILLED * wide * high:
        return None
    turns = round(angle / 90)
    angle -= 90 * turns
    if turns % 2:
        wide, high = high, wide
    rim = _RIM * min(wide, high)
    box_width, box_height = (wide - 2 * rim) / scale, (high - 2 * rim) / scale
    if min(box_width, box_height) < _LEAST_SIDE:
        return None
    return _cut(grey, ((centre[0] + 0.5) / scale, (centre[1] + 0.5) / scale), (box_width, box_height), angle)


def _not_background(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    edge = np.concatenate((grey[0], grey[-1], grey[:, 0], grey[:, -1])).astype(np.float32)
    level = float(np.median(edge))
    spread = 1.4826 * float(np.median(np.abs(edge - level)))
    other = np.abs(grey.astype(np.float32) - level) > max(_LEAST_DIFFERENCE, _LEAST_DEVIATIONS * spread)
    return np.asarray(cv2.morphologyEx(other.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)), np.uint8)


def _largest_outline(mask: NDArray[np.uint8]) -> NDArray[np.int32] | None:
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    areas = [cv2.contourArea(outline) for outline in outlines]
    if not areas or max(areas) < _LEAST_ALONE * sum(areas):
        return None
    return np.asarray(outlines[areas.index(max(areas))], np.int32)


def _cut(grey: NDArray[np.uint8], centre: tuple[float, float], size: tuple[float, float], angle: float) -> Panel:
    width, height = (max(1, round(side)) for side in size)
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    turn = np.array([[cos, -sin], [sin, cos]])
    corner = np.array(centre) - turn @ np.array([width / 2, height / 2])
    matrix = np.column_stack([turn, corner + turn @ np.array([0.5, 0.5]) - 0.5])  # from edges to the middles of pixels
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    pixels = cv2.warpAffine(grey, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return Panel(pixels.astype(np.uint8, copy=False), np.column_stack([turn, corner]))
