"""Pictures made smaller."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def reduced(pixels: NDArray[np.uint8], longest_side: int) -> NDArray[np.uint8]:
    """A picture, (h, w) or (h, w, 3) uint8, at `longest_side` pixels or fewer; itself where it has no more."""
    height, width = pixels.shape[:2]
    scale = longest_side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
