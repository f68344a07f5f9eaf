"""The fast closing is OpenCV's, pixel for pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.imaging.morphology import closed


@given(st.integers(1, 140), st.integers(1, 140), st.integers(1, 30), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_it_is_opencvs(height: int, width: int, reach: int, share: float, seed: int) -> None:
    side = 2 * reach + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)).astype(np.uint8)
    random = np.random.default_rng(seed)
    grey = random.integers(0, 256, (height, width)).astype(np.uint8)
    grey[random.random(grey.shape) < share] = 255  # at most of the shares, the disc finds paper everywhere
    np.testing.assert_array_equal(closed(grey, side), cv2.morphologyEx(grey, cv2.MORPH_CLOSE, kernel))


@pytest.mark.parametrize("side", [29, 51])
def test_it_fills_what_is_narrower_than_the_kernel(side: int) -> None:
    page = np.full((128, 128), 200, np.uint8)
    page[20:100, 60:70] = 10
    assert (closed(page, side) == 200).all()
