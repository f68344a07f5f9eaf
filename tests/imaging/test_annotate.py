"""A reading drawn on its image."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from app.domain import BoundingBox, DigitReading, ImageSize, LineReading, Reading
from app.imaging.annotate import annotated_png
from tests.images import Grey, blank_page, draw_number, encode, png, transparent_rgba

MOST_PIXELS = 40_000_000


def reading_of(box: BoundingBox, size: ImageSize) -> Reading:
    digit = DigitReading(digit=4, confidence=0.9, rejected=False, box=box)
    return Reading(0.9, (LineReading(0.9, box, (digit,)),), size)


def drawn(data: bytes, reading: Reading) -> Grey:
    picture = Image.open(io.BytesIO(annotated_png(data, MOST_PIXELS, reading)))
    assert picture.format == "PNG"
    return np.asarray(picture.convert("RGB"))


def test_a_box_is_drawn_on_the_image() -> None:
    picture = drawn(encode(blank_page(200, 100)), reading_of(BoundingBox(50, 40, 20, 30), ImageSize(200, 100)))
    assert picture.shape == (100, 200, 3)
    assert (picture[40, 50:71] != 255).any(axis=1).all()
    assert (picture[80:] == 255).all()


@pytest.mark.parametrize(("width", "height"), [(1_200_000, 2), (MOST_PIXELS, 1), (40_000, 30), (2, 1_200_000)])
def test_an_image_of_any_length_is_drawn_on(width: int, height: int) -> None:
    """A PNG of more than a million pixels a side cannot be written."""
    data = png(width, height, 0, b"\xc8" * width)
    picture = drawn(data, reading_of(BoundingBox(0, 0, max(1, width // 2), 1), ImageSize(width, height)))
    assert max(picture.shape) == 32_000
    assert picture[-1, -1].tolist() == [200, 200, 200]
    assert picture[0, 0].tolist() != [200, 200, 200]


def test_white_ink_on_nothing_is_seen_in_the_picture() -> None:
    number = draw_number("4", ink=0, paper=255)
    rgba = np.full((*number.shape, 4), 255, np.uint8)
    rgba[:, :, 3] = 255 - number
    empty = Reading(1.0, (), ImageSize(*number.shape[::-1]))
    np.testing.assert_array_equal(drawn(encode(rgba), empty), drawn(transparent_rgba(number), empty))
