"""Ink of one digit → 28×28 glyph, normalised as MNIST's digits were. Serving and training both go through here."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# Any change to the pixels that come out of imaging, from decoding to here, is a new version, and asks for a new model.
PREPROCESSING_VERSION = "2"

GLYPH_SIDE = 28
BOX_SIDE = 20

Glyph = NDArray[np.uint8]


def normalise_glyph(ink: NDArray[np.uint8]) -> Glyph:
    """The ink of one digit, cropped to its box, as a glyph: (28, 28) uint8, light ink on black.

    The crop is scaled, aspect ratio kept, to fit 20×20 with grey anti-aliasing, and laid into 28×28 with its centre
    of mass at the centre, as MNIST's were (LeCun, Cortes, Burges: The MNIST database). Grey levels are stretched so
    that full ink is 255.

    `ink`: (h, w) uint8, 0 for paper, rising with the contrast to it; h and w at least 1.
    """
    height, width = ink.shape
    scale = BOX_SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    scaled = cv2.resize(
        ink.astype(np.float32), size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    ).astype(np.float32, copy=False)
    full = full_ink(scaled)
    if full > 0:
        scaled = np.minimum(scaled * np.float32(255.0 / full), np.float32(255.0))
    return _centred(scaled)


def full_ink(ink: NDArray[np.float32]) -> float:
    """The level of a stroke's middle, robust against a few darker pixels: the upper quartile of what is clearly ink."""
    clear = ink[ink > 0.5 * ink.max(initial=0.0)]
    return _upper_quartile(clear) if clear.size else 0.0


def _upper_quartile(values: NDArray[np.float32]) -> float:
    """`np.percentile(values, 75)`, without its generality, which costs more than the rest of a glyph."""
    ordered = np.sort(values)
    place = 0.75 * (len(ordered) - 1)
    below = int(place)
    low, high = ordered[below], ordered[min(below + 1, len(ordered) - 1)]
    share = place - below
    # Numpy goes from the nearer end, so that the result never passes the other one.
    return float(high - (high - low) * (1 - share) if share >= 0.5 else low + (high - low) * share)


def _centred(ink: NDArray[np.float32]) -> Glyph:
    """Lays (≤ 20, ≤ 20) into (28, 28), its centre of mass as near the centre as whole pixels and the frame allow."""
    height, width = ink.shape
    mass = float(ink.sum())
    centre_y, centre_x = height / 2, width / 2
    if mass > 0:
        centre_y = float(ink.sum(axis=1) @ np.arange(height, dtype=np.float32)) / mass + 0.5
        centre_x = float(ink.sum(axis=0) @ np.arange(width, dtype=np.float32)) / mass + 0.5
    top = min(max(round(GLYPH_SIDE / 2 - centre_y), 0), GLYPH_SIDE - height)
    left = min(max(round(GLYPH_SIDE / 2 - centre_x), 0), GLYPH_SIDE - width)
    glyph = np.zeros((GLYPH_SIDE, GLYPH_SIDE), np.uint8)
    glyph[top : top + height, left : left + width] = np.rint(ink)
    return glyph


def network_input(glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Glyphs, (n, 28, 28) uint8, as a network takes them: (n, 28, 28, 1) float32 in 0..1; and lines, (n, 32, w)."""
    return (glyphs.astype(np.float32) / np.float32(255.0))[..., np.newaxis]
