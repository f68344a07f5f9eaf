"""A page that lies partly in the shadow, as if it lay in one light.

Where ink is parted from paper, the paper's light is smooth (`find_ink`): beside the edge of a shadow, dark paper is as
strong as faint ink. Here the light keeps its steps, and the page is divided by it, since a shadow takes the same share
of the light from paper and from ink.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from app.imaging.binarise import Ink, denoised, ink_of, wider_than_strokes
from app.imaging.morphology import closed
from app.imaging.scale import reduced

GreyPixels = NDArray[np.uint8]

# Steps of the light are looked for on an image reduced to the first longest side, and taken away at the second.
_LOOKED_AT_SIDE, _LIGHT_SIDE = 128, 256
# There is one where smoothing changes the light by so many grey levels of 255, on this share of the image.
_LEAST_CHANGE, _LEAST_CHANGED = 12, 0.02


def relit_ink(grey: GreyPixels) -> Ink | None:
    """The dark ink of a page, (h, w) uint8, as it would be in one light; None where its light has no steps."""
    smooth = denoised(grey)
    if not _has_steps(smooth):
        return None
    light = _light(reduced(smooth, _LIGHT_SIDE))
    light = cv2.resize(light, grey.shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
    shares = np.asarray(cv2.divide(smooth, light, scale=255.0), np.uint8)
    return ink_of(np.uint8(255) - shares)


def _has_steps(grey: GreyPixels) -> bool:
    light = _light(reduced(grey, _LOOKED_AT_SIDE))
    side = wider_than_strokes(light)
    changes = cv2.absdiff(cv2.blur(light, (side, side)), light)
    changed = cv2.countNonZero(cv2.compare(changes, _LEAST_CHANGE, cv2.CMP_GE))
    return changed >= _LEAST_CHANGED * light.size


def _light(grey: GreyPixels) -> GreyPixels:
    return closed(grey, wider_than_strokes(grey))
