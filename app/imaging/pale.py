"""Writing much paler than other writing of the image: pencil on a printed form, grey text beside black on a screen.

Otsu's threshold parts the strongest ink from all the rest, and what is as pale as that goes with the paper.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from app.imaging.binarise import Ink, ink_of
from app.imaging.components import AREA, components_of
from app.imaging.frames import MIN_AREA
from app.imaging.reading_order import alike_rows
from app.imaging.segment import digit_candidates

# Pale ink stands out from its paper by so many grey levels of 255, and by so many standard deviations of the paper.
_LEAST_CONTRAST, _LEAST_SIGNAL_TO_NOISE = 20.0, 5.0
# It is writing where pieces stand in a row, this share of them as high as their median within this factor; more pieces
# than these are the paper's.
_ALIKE_SHARE, _ALIKE = 0.8, 1.6
_MOST_PIECES = 300
# Pale writing may be of so many shades.
_SHADES = 2
# A piece with less than this share of strong ink is pale; what lies so near strong ink is its blurred edge.
_STRONG_SHARE = 0.3
_EDGE = np.ones((5, 5), np.uint8)


def with_pale_ink(ink: Ink) -> Ink | None:
    """The same ink with pale writing beside it made as strong; None where there is no such writing."""
    found: Ink | None = None
    for _ in range(_SHADES):
        more = _with_paler_ink(found or ink)
        if more is None:
            break
        found = more
    return found


def _with_paler_ink(ink: Ink) -> Ink | None:
    usual = cv2.mean(ink.strength, ink.mask)[0]
    # What is hardly stronger than the threshold may be pale writing of which there are specks above it.
    strong = _above(ink.strength, (usual + _lightest(ink)) / 2)
    edges = cv2.dilate(strong, _EDGE).astype(np.uint8, copy=False)
    rest = ink_of(ink.strength & ~edges, _LEAST_CONTRAST, _LEAST_SIGNAL_TO_NOISE)
    if not rest.mask.any():
        return None
    pieces = components_of(_above(ink.strength, _lightest(rest) - 1))
    strong_areas = np.bincount(pieces.labels[strong > 0], minlength=len(pieces.stats))
    areas = pieces.stats[:, AREA]
    pale = (strong_areas < _STRONG_SHARE * areas) & (areas >= MIN_AREA)
    pale[0] = False
    if not 0 < np.count_nonzero(pale) <= _MOST_PIECES:
        return None
    pale &= _in_a_row(replace(ink, mask=pieces.mask_of(pale)), pieces.middles())
    if not pale.any():
        return None
    writing = pieces.mask_of(pale)
    stronger = cv2.convertScaleAbs(ink.strength, alpha=usual / cv2.mean(ink.strength, writing)[0])
    return ink_of(np.where(cv2.dilate(writing, _EDGE) > 0, stronger, ink.strength).astype(np.uint8, copy=False))


def _above(strength: NDArray[np.uint8], level: float) -> NDArray[np.uint8]:
    return np.asarray(cv2.threshold(strength, level, 255, cv2.THRESH_BINARY)[1], np.uint8)


def _lightest(ink: Ink) -> float:
    """The least strength of what is ink; 0 where nothing is."""
    return cv2.minMaxLoc(ink.strength, ink.mask)[0]


def _in_a_row(ink: Ink, middles: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of some points, (n, 2), lie in a row of pieces of ink that may be writing."""
    boxes = [candidate.box for candidate in digit_candidates(ink, _MOST_PIECES)]
    within = np.zeros(len(middles), bool)
    for row, _ in alike_rows(boxes, _ALIKE, _ALIKE_SHARE):
        edges = np.array([(boxes[i].left, boxes[i].top, boxes[i].right, boxes[i].bottom) for i in row])
        first, last = edges[:, :2].min(axis=0), edges[:, 2:].max(axis=0)
        within |= ((middles >= first) & (middles <= last)).all(axis=1)
    return within
