"""Digits that an image is cropped tight around, and cells that only look like them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.deadline import Deadline
from app.domain import Polarity
from app.imaging.binarise import find_ink
from app.imaging.frames import is_frame
from app.imaging.tight import with_paper_around
from app.recogniser import Recogniser
from tests.samples.draw import pen_number


def png(image: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def tight(text: str, height: int, pen: int) -> NDArray[np.uint8]:
    """A drawn digit without any paper around it."""
    page = pen_number(text, height, pen)
    rows, columns = np.nonzero(page < 128)
    return np.ascontiguousarray(page[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1])


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize(("height", "pen"), [(24, 2), (28, 2), (60, 5), (200, 18)])
def test_digits_cropped_tight_are_read(released: Recogniser, height: int, pen: int, inverted: bool) -> None:
    """They lie along the image's edges as frames do, and most 2s, 5s and 7s were answered with no digit.

    A 6 of 28 pixels lost its upper stroke to a frame, and was surely a 0.
    """
    said = []
    for digit in "0123456789":
        crop = tight(digit, height, pen)
        prediction = released.predict(png(np.uint8(255) - crop if inverted else crop))
        said.append(prediction.digit)
        if prediction.box is not None:
            assert prediction.box.right <= crop.shape[1]
            assert prediction.box.bottom <= crop.shape[0]
            assert prediction.box.height >= 0.9 * crop.shape[0]
    assert said == list(range(10))


@pytest.mark.parametrize("sides", [(0, 1, 2, 3), (0, 3), (2,), (0, 1)])
def test_what_is_left_of_a_frame_is_no_digit_cropped_tight(released: Recogniser, sides: tuple[int, ...]) -> None:
    assert released.predict(png(cell(*sides))).rejected


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (3, 400)])
@pytest.mark.parametrize("level", [0, 255])
def test_images_of_one_level_and_of_any_size_show_nothing(
    released: Recogniser, size: tuple[int, int], level: int
) -> None:
    data = png(np.full(size, level, np.uint8))
    assert released.predict(data).rejected
    assert released.read(data).text == ""


def cell(*sides: int, size: tuple[int, int] = (64, 64)) -> NDArray[np.uint8]:
    """A cell of paper in an uneven light, with what a crop left of its frame: on which of four sides."""
    height, width = size
    page = np.tile(np.linspace(215, 195, width), (height, 1)).astype(np.uint8)
    for side in sides:
        np.rot90(page, side)[:4] = 40
    return page


@pytest.mark.parametrize("sides", [(0, 1, 2, 3), (0, 3), (1,), (3,), (0, 1), (2, 3)])
def test_an_empty_cell_is_read_as_nothing(released: Recogniser, sides: tuple[int, ...]) -> None:
    """Its rules were read as a 1 or a 7, in every sixth photo of an empty cell."""
    assert released.read(png(cell(*sides))).text == ""


@pytest.mark.parametrize("side", [1, 3])
def test_a_page_beside_which_it_is_dark_is_read_as_nothing(released: Recogniser, side: int) -> None:
    """An image higher than wide was no frame's, since it may be a crop of 11."""
    page = cell(side, size=(300, 225))
    np.rot90(page, side)[:24] = 40
    assert released.read(png(page)).text == ""
    assert released.predict(png(page)).rejected


@pytest.mark.parametrize(("height", "pen"), [(40, 4), (120, 10)])
def test_a_lone_digit_cropped_tight_is_read_with_its_box(released: Recogniser, height: int, pen: int) -> None:
    for digit in "0123456789":
        crop = tight(digit, height, pen)
        reading = released.read(png(crop))
        assert reading.text == digit
        box = reading.lines[0].digits[0].box
        assert box.right <= crop.shape[1]
        assert box.bottom <= crop.shape[0]
        assert box.height >= 0.7 * crop.shape[0]


@pytest.mark.parametrize("seed", range(6))
def test_the_shade_of_a_tall_strip_is_no_1(released: Recogniser, seed: int) -> None:
    """Of the paper that such an image is seen with, it gets edges that it does not have."""
    random = np.random.default_rng(seed)
    width = int(random.integers(60, 140))
    left, right = random.uniform(90, 240, 2).tolist()
    across = np.linspace(left, right, width)
    page = across + random.normal(0, random.uniform(2, 8), (8 * width, width))
    data = png(np.clip(page, 0, 255).astype(np.uint8))
    assert released.read(data).text == ""
    assert released.predict(data).rejected


def test_numbers_cropped_tight_are_read(released: Recogniser) -> None:
    for text in ("11", "17", "40", "2573", "71"):
        assert released.read(png(tight(text, 60, 6))).text == text


def test_a_frame_is_none_with_a_digit_in_it_or_around_a_narrow_crop() -> None:
    def frame(page: NDArray[np.uint8]) -> bool:
        return is_frame(find_ink(page, Polarity.DARK_ON_LIGHT))

    empty = cell(0, 1)
    written = empty.copy()
    written[20:46, 22:44] = np.minimum(written[20:46, 22:44], pen_number("4", 26, 3)[:26, :22])
    assert frame(empty)
    assert not frame(written)
    assert not frame(np.full((64, 64), 200, np.uint8))
    assert not frame(cell(1, 3, size=(64, 40)))  # 11


@pytest.mark.parametrize("size", [(10_000, 2), (3, 40_000), (5, 9_000)])
def test_strips_take_no_longer_for_the_paper_around_them(released: Recogniser, size: tuple[int, int]) -> None:
    """The paper was as wide as a share of the longer side: thousands of times as much as the strip, and ten seconds."""
    strip = np.full(size, 230, np.uint8)
    strip[size[0] // 3 : -size[0] // 3 or None, :: max(2, size[1] // 2)] = 20
    around = with_paper_around(strip, Polarity.DARK_ON_LIGHT)
    assert around.pixels.size < 500 * 500
    released.read(png(strip), deadline=Deadline(5))
    released.predict(png(strip), deadline=Deadline(5))


def test_a_large_digit_cropped_tight_has_its_box_in_pixels_of_the_image(released: Recogniser) -> None:
    crop = tight("5", 900, 90)
    for box in (released.predict(png(crop)).box, released.read(png(crop)).lines[0].digits[0].box):
        assert box is not None
        assert box.right <= crop.shape[1]
        assert box.bottom <= crop.shape[0]
        assert box.height >= 0.9 * crop.shape[0]
