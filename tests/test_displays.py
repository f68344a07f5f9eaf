"""Numbers on displays, as the released model reads them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from app.recogniser import Recogniser
from tests.displays import displayed
from tests.images import encode
from training.displays import Display, Dotted, Ends, Segmented

DISPLAYS: tuple[Display, ...] = (
    Segmented(width=0.55, thickness=0.1, gap=0.02, ends=Ends.POINTED),
    Segmented(width=0.5, thickness=0.12, gap=0.05, ends=Ends.STRAIGHT),
    Segmented(width=0.55, thickness=0.09, gap=0.03, ends=Ends.MITRED, unlit=0.1),
    Dotted(size=0.7, stretch=1.0, round=True),
)


@pytest.mark.parametrize("shines", [False, True])
@pytest.mark.parametrize("display", DISPLAYS)
def test_numbers_of_displays_are_read(released: Recogniser, display: Display, shines: bool) -> None:
    """Their digits come in parts; the upper halves were a line, and the lower ones another."""
    texts = ("4071", "2598", "36", "15", "880640", "07")
    read = [released.read(encode(displayed(display, text, 48, shines))).text for text in texts]
    assert read == list(texts)


@pytest.mark.parametrize("shines", [False, True])
def test_lone_digits_of_displays_are_told(released: Recogniser, shines: bool) -> None:
    told = [
        (display, digit)
        for display in DISPLAYS
        for digit in "0123456789"
        if str(released.predict(encode(displayed(display, digit, 48, shines))).digit) == digit
    ]
    assert len(told) >= 0.95 * 10 * len(DISPLAYS)


def test_the_frame_of_an_empty_cell_is_no_display(released: Recogniser) -> None:
    """Its lines were a 0 of segments."""
    cell = np.full((128, 128), 190, np.float32)
    cell[:, :10], cell[4:7] = 40, 120
    photo = cv2.GaussianBlur(cell, (0, 0), 1.0) + np.random.default_rng(1).normal(0, 1.5, cell.shape)
    reading = released.read(encode(np.clip(photo, 0, 255).astype(np.uint8)))
    assert reading.text == ""
