"""Ink that grey levels hide: white on transparent paper, and colours as bright as the paper's."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

GreyPixels = NDArray[np.uint8]
Pixels = NDArray[np.uint8]

# Under this range of grey levels nothing stands out of a composite …
_BLANK_RANGE = 10
# … and from this range of opacities on something is drawn.
_MIN_OPACITY_RANGE = 32
# Grey is nearly flat where all but this share of it, at either end, has a range below _FLAT_RANGE, and all of it one
# below _WHOLE_RANGE: the fewest strokes of ordinary ink reach farther.
_TAIL = 0.001
_FLAT_RANGE = 25
_WHOLE_RANGE = 60
# Colours stand out from each other by at least this distance in RGB; the noise of a page whose grey is nearly flat
# reaches 40.
_MIN_COLOUR_RANGE = 50.0
# The colours' axis and range are taken from about so many pixels.
_SAMPLED_PIXELS = 2**16


def is_blank(pixels: Pixels) -> bool:
    """Whether nothing stands out of an image, (h, w) or (h, w, 3) uint8."""
    darkest, lightest, *_ = cv2.minMaxLoc(pixels.reshape(len(pixels), -1))
    return lightest - darkest < _BLANK_RANGE


def ink_of_opacity(opacity: GreyPixels) -> GreyPixels | None:
    """What is opaque, (h, w) uint8 with 0 for transparent, as dark ink on white; None where it is evenly opaque."""
    least, most, *_ = cv2.minMaxLoc(opacity)
    return np.uint8(255) - opacity if most - least >= _MIN_OPACITY_RANGE else None


def is_nearly_flat(grey: GreyPixels) -> bool:
    """Whether an image, (h, w) uint8, has so little contrast that its colours may have more."""
    darkest, lightest, *_ = cv2.minMaxLoc(grey)
    if lightest - darkest >= _WHOLE_RANGE:
        return False
    counts = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel().cumsum(dtype=np.float64)
    low, high = counts.searchsorted((_TAIL * grey.size, (1 - _TAIL) * grey.size))
    return bool(high - low < _FLAT_RANGE)


def ink_of_colours(colours: Pixels) -> GreyPixels | None:
    """An image, (h, w, 3) uint8, along the axis on which its colours differ most: (h, w) uint8, the commoner light.

    The scale is the colours' own distance, so that noise remains as faint as it is. None where they differ little.
    """
    step = max(1, math.isqrt(colours.shape[0] * colours.shape[1] // _SAMPLED_PIXELS))
    sample = colours[::step, ::step].reshape(-1, 3).astype(np.float32)
    deviations = sample - sample.mean(axis=0)
    axis = np.linalg.eigh(deviations.T @ deviations)[1][:, -1].astype(np.float32)
    low, paper, high = np.quantile(sample @ axis, (_TAIL, 0.5, 1 - _TAIL))
    if high - low < _MIN_COLOUR_RANGE:
        return None
    if paper - low < high - paper:
        axis, high, low = -axis, -low, -high
    scale = min(1.0, 255.0 / float(high - low))
    along = cv2.transform(colours.astype(np.float32), axis[np.newaxis] * scale)
    grey = np.clip(np.rint(along + (255.0 - float(high) * scale)), 0, 255)
    return np.asarray(grey, np.uint8)
