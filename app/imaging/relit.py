"""A page that lies partly in the shadow, as if it lay in one light.

Where ink is parted from paper, the paper's light is smooth (`find_ink`): beside the edge of a shadow, dark paper is as
strong as faint ink. Here the light keeps its steps, and the page is divided by it, since a shadow takes the same share
of the light from paper and from ink.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from app.domain import Polarity
from app.imaging.binarise import Ink, denoised, ink_of, wider_than_strokes
from app.imaging.morphology import closed
from app.imaging.scale import reduced
from app.imaging.segment import Candidate, single_digit
from app.imaging.tight import reaches_edge

GreyPixels = NDArray[np.uint8]

# Steps of the light are looked for on an image reduced to the first longest side, and taken away at the second.
_LOOKED_AT_SIDE, _LIGHT_SIDE = 128, 256
# An image of one digit has room for a shadow from this side on.
_LEAST_SIDE = 48
# There are some where smoothing changes the light by so many grey levels of 255, on this share of the image.
_LEAST_CHANGE, _LEAST_CHANGED = 12, 0.02
# Where there is less light than this, of 255, the camera's noise is a large share of it.
_LEAST_LIGHT = 32


def relit_ink(grey: GreyPixels) -> Ink | None:
    """The dark ink of a page, (h, w) uint8, as it would be in one light; None where its light has no steps."""
    smooth = denoised(grey)
    if not _has_steps(smooth):
        return None
    light = _light(reduced(smooth, _LIGHT_SIDE))
    light = cv2.resize(light, grey.shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
    lit = np.maximum(light, np.uint8(_LEAST_LIGHT))
    return ink_of(np.asarray(cv2.divide(cv2.subtract(light, smooth), lit, scale=255.0), np.uint8))


def relit_digits(grey: GreyPixels, polarity: Polarity) -> list[Candidate]:
    """What may be the one digit of an image, (h, w) uint8, in one light; none where its light has no steps.

    Nor where it reaches the edge of the image, or the image is so small that it is cropped around a digit: there dark
    and light are ink and paper.
    """
    if polarity is Polarity.LIGHT_ON_DARK or min(grey.shape) < _LEAST_SIDE:
        return []
    ink = relit_ink(grey)
    candidate = None if ink is None else single_digit(ink)
    return [] if candidate is None or reaches_edge(candidate, grey) else [candidate]


def _has_steps(grey: GreyPixels) -> bool:
    small = reduced(grey, _LOOKED_AT_SIDE)
    side = wider_than_strokes(small)
    light = closed(small, side)  # a rule along the image's edge is no shadow
    changes = cv2.absdiff(cv2.blur(light, (side, side)), light)
    changed = cv2.threshold(changes, _LEAST_CHANGE - 1, 255, cv2.THRESH_BINARY)[1]
    return cv2.countNonZero(changed) >= _LEAST_CHANGED * light.size


def _light(grey: GreyPixels) -> GreyPixels:
    side = wider_than_strokes(grey)
    # Beyond the image it goes on: else the narrow corner between the edge of a shadow and the image's would be ink.
    reach = side // 2
    around = np.pad(grey, reach, mode="edge")
    return closed(around, side)[reach:-reach, reach:-reach]
