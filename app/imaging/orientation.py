"""The EXIF orientation: how a stored image must be turned to stand upright."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_TAG = 0x0112
_TURNED = (5, 6, 7, 8)
# A camera's whole EXIF fits into the 64 KiB of a JPEG's segment. Pillow makes a fraction of every eight bytes.
MOST_EXIF_BYTES = 2**18


def orientation_of(image: Image.Image) -> int:
    """1 to 8; 1, upright, where the image tells nothing sound."""
    if len(image.info.get("exif", b"")) > MOST_EXIF_BYTES:
        return 1
    try:
        value = image.getexif().get(_TAG, 1)
    except Exception:  # damaged metadata is no reason to refuse good pixels
        return 1
    return value if value in range(1, 9) else 1


def swaps_sides(orientation: int) -> bool:
    """Whether width and height change places."""
    return orientation in _TURNED


def upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undoes the EXIF orientation (CIPA DC-008, tag 0x0112) of an image, (h, w) or (h, w, 3)."""
    if orientation in _TURNED:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
