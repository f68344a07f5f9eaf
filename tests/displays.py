"""Numbers on displays, to read."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from training.displays import Display


def displayed(display: Display, text: str, height: int, shines: bool = False) -> NDArray[np.uint8]:
    """The text, digits, in cells side by side: (h, w) uint8, with room around; dark, or shining in the dark."""
    ink = np.concatenate([np.pad(display.cell(digit), ((0, 0), (10, 10))) for digit in text], axis=1)
    scale = height / len(ink)
    scaled = cv2.resize(np.pad(ink, len(ink) // 2), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    strength = 0.75 * scaled.astype(np.float32)
    return np.asarray(30 + strength if shines else 225 - strength, np.uint8)
