"""Images of one line → what a line reader sees."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from app.domain import Polarity
from app.imaging.binarise import find_ink
from app.imaging.line import (
    COLUMN_WIDTH,
    LINE_HEIGHT,
    MOST_WIDTH,
    LineImage,
    line_image,
    lines_by_polarity,
    normalise_line,
)
from app.imaging.segment import digit_candidates
from tests.samples.draw import pen_number


def seen(image: NDArray[np.uint8], polarity: Polarity = Polarity.AUTO) -> LineImage:
    line = line_image(image, polarity)
    assert line is not None
    return line


def turned(image: NDArray[np.uint8], degrees: float) -> NDArray[np.uint8]:
    """The whole image, its lines falling by so many degrees."""
    height, width = image.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    matrix[1, 2] += height
    size = (width, 3 * height)
    return cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE).astype(np.uint8, copy=False)


def rows_of_ink(line: LineImage) -> NDArray[np.intp]:
    return np.flatnonzero((line.pixels > 100).any(axis=1))


@given(arrays(np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 200))))
def test_any_ink_becomes_a_line(strength: NDArray[np.uint8]) -> None:
    before = strength.copy()
    line = normalise_line(strength)
    assert line.dtype == np.uint8
    assert line.shape[0] == LINE_HEIGHT
    assert line.shape[1] % COLUMN_WIDTH == 0
    assert 0 < line.shape[1] <= MOST_WIDTH
    np.testing.assert_array_equal(strength, before)
    if not strength.any():
        assert not line.any()


@given(arrays(np.uint8, st.tuples(st.integers(1, 48), st.integers(1, 48))), st.sampled_from(list(Polarity)))
def test_any_image_has_a_line_within_it_or_none(image: NDArray[np.uint8], polarity: Polarity) -> None:
    line = line_image(image, polarity)
    if line is None:
        return
    height, width = line.pixels.shape
    assert (height, width % COLUMN_WIDTH) == (LINE_HEIGHT, 0)
    for left in range(0, width, 7):
        box = line.box(left, left + 2)
        assert box.right <= image.shape[1]
        assert box.bottom <= image.shape[0]


def test_full_ink_is_white_however_faint() -> None:
    strength = np.zeros((32, 100), np.uint8)
    strength[6:28, 20:24] = 30
    assert normalise_line(strength).max() == 255


def test_aspect_is_kept_and_a_long_line_squeezed() -> None:
    assert normalise_line(np.ones((64, 200), np.uint8)).shape == (LINE_HEIGHT, 100)
    assert normalise_line(np.ones((64, 202), np.uint8)).shape == (LINE_HEIGHT, 104)
    assert normalise_line(np.ones((1, 50_000), np.uint8)).shape == (LINE_HEIGHT, MOST_WIDTH)


@pytest.mark.parametrize("height", [14, 40, 160])
@pytest.mark.parametrize("around", [0, 60])
def test_digits_are_as_high_whatever_the_image_is(height: int, around: int) -> None:
    page = np.pad(pen_number("40817", height, max(2, height // 10)), around, mode="edge")
    rows = rows_of_ink(seen(page))
    assert 19 <= rows[-1] - rows[0] + 1 <= 29
    assert abs((rows[0] + rows[-1]) / 2 - LINE_HEIGHT / 2) < 3


def test_light_digits_on_dark_are_the_same_line() -> None:
    page = pen_number("40817", 50, 5)
    np.testing.assert_array_equal(seen(page).pixels, seen(255 - page).pixels)


def test_a_line_in_doubt_is_seen_under_both_polarities() -> None:
    page = pen_number("40817", 60, 18)
    ink = np.argwhere(find_ink(page).mask)
    (top, left), (bottom, right) = ink.min(axis=0), ink.max(axis=0)
    tight = np.ascontiguousarray(page[top:bottom, left:right])
    assert len(lines_by_polarity(tight)) == 2
    assert len(lines_by_polarity(tight, Polarity.DARK_ON_LIGHT)) == 1
    np.testing.assert_array_equal(lines_by_polarity(page)[0].pixels, seen(page).pixels)
    assert lines_by_polarity(np.full((50, 200), 200, np.uint8)) == []


@pytest.mark.parametrize("degrees", [-15, -7, 7, 15])
def test_a_sloping_line_is_made_level(degrees: float) -> None:
    page = turned(pen_number("4081752", 40, 5), degrees)
    line = seen(page)
    assert np.rad2deg(np.arctan2(line.to_image[1, 0], line.to_image[0, 0])) == pytest.approx(degrees, abs=2.5)
    rows = rows_of_ink(line)
    assert 19 <= rows[-1] - rows[0] + 1 <= 31


@pytest.mark.parametrize("text", ["7", "17"])
def test_of_few_digits_the_slope_is_not_guessed(text: str) -> None:
    line = seen(turned(pen_number(text, 40, 5), 10))
    assert line.to_image[1, 0] == 0


@pytest.mark.parametrize("degrees", [0, 12])
def test_what_is_seen_lies_where_it_was_in_the_image(degrees: float) -> None:
    page = turned(pen_number("408175", 40, 5), degrees) if degrees else pen_number("408175", 40, 5)
    line = seen(page)
    inverse = np.linalg.inv(np.vstack([line.to_image, [0, 0, 1]]))
    for candidate in digit_candidates(find_ink(page), 20):
        box = candidate.box
        corners = np.array([[box.left, box.right], [box.top, box.bottom], [1, 1]])
        x, y = (inverse @ corners)[:2].mean(axis=1)
        assert line.pixels[max(0, int(y) - 9) : int(y) + 9, max(0, int(x) - 5) : int(x) + 5].max() > 150
        back = line.box(x - 8, x + 8, y - 12, y + 12)
        assert back.left <= (box.left + box.right) / 2 <= back.right
        assert back.top <= (box.top + box.bottom) / 2 <= back.bottom


def test_digits_that_touch_the_edge_or_a_rule_are_kept() -> None:
    page = pen_number("40817", 60, 6)
    columns = np.flatnonzero(find_ink(page).mask.any(axis=0))
    cut = np.ascontiguousarray(page[:, columns[0] + 3 : columns[-1] - 3])
    assert abs(seen(cut).pixels.shape[1] - seen(page).pixels.shape[1]) <= 12
    ruled = page.copy()
    ruled[96:99] = 60
    assert abs(seen(ruled).pixels.shape[1] - seen(page).pixels.shape[1]) <= 60


def test_without_ink_there_is_no_line() -> None:
    assert line_image(np.full((50, 200), 200, np.uint8)) is None


@pytest.mark.parametrize("shape", [(1, 40_000), (40_000, 1), (3, 33_000)])
def test_strips_are_bounded(shape: tuple[int, int]) -> None:
    image = np.full(shape, 230, np.uint8)
    image[::1, ::9] = 20
    image[::9] = 20
    line = line_image(image, Polarity.DARK_ON_LIGHT)
    assert line is None or line.pixels.shape[1] <= MOST_WIDTH


@pytest.mark.parametrize("shape", [(3_000_000, 1), (40_000, 3), (1, 3_000_000)])
def test_a_line_of_an_image_like_a_thread_is_no_wider_than_it(shape: tuple[int, int]) -> None:
    """A margin of a share of the height was many times the image: a few bytes took gigabytes, or ended in a 500."""
    thread = np.full(shape, 255, np.uint8)
    thread[shape[0] // 2, shape[1] // 2] = 0
    line = line_image(thread, Polarity.DARK_ON_LIGHT)
    assert line is not None
    assert line.pixels.shape[0] == LINE_HEIGHT
    assert line.pixels.size <= LINE_HEIGHT * MOST_WIDTH
