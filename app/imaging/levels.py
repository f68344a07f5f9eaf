"""Levels of more than 8 bits → grey."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

GreyPixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_WHITE_IS_ZERO = 0


def is_deep(image: Image.Image) -> bool:
    """Whether `eight_bits` must make an image's grey: of 16 or 32 bits, of floating-point numbers, or LAB."""
    return image.mode.startswith(("I", "F", "LAB"))


def eight_bits(image: Image.Image) -> GreyPixels:
    """An image that `is_deep` as (h, w) uint8, the level that a PNG calls transparent as white.

    Floating-point numbers are taken for shares of white where none is above 1.
    """
    if image.mode.startswith("I;16"):
        grey = np.asarray(np.asarray(image) >> 8, np.uint8)
        if "transparency" in image.info:
            grey[transparent_level(image)] = 255
        return grey
    if image.mode == "I":
        return np.asarray(np.clip(np.asarray(image), 0, 65535) >> 8, np.uint8)
    if image.mode == "LAB":
        return np.asarray(image.getchannel("L"), np.uint8)
    values = np.nan_to_num(np.asarray(image, np.float32), nan=0.0, posinf=255.0, neginf=0.0)
    return np.asarray(np.clip(values * (255.0 if values.max(initial=0.0) <= 1.0 else 1.0), 0, 255), np.uint8)


def transparent_level(image: Image.Image) -> Mask:
    """Where a 16-bit image, of which one level is transparent, is transparent: (h, w) bool."""
    return np.asarray(np.asarray(image) == image.info["transparency"], np.bool_)


def is_negative(image: Image.Image) -> bool:
    """Whether 0 is white, in a TIFF of more than 8 bits: Pillow inverts only the others."""
    return (
        isinstance(image, TiffImagePlugin.TiffImageFile)
        and image.mode.startswith(("I", "F"))
        and image.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == _WHITE_IS_ZERO
    )
