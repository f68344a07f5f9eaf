"""Images → lines in reading order."""

from __future__ import annotations

from itertools import islice

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from app.domain import Polarity
from app.imaging.line import MOST_WIDTH, LineImage, line_image
from app.imaging.page import page_lines, page_views
from tests.samples.draw import pen_number

MOST = 512


def lines_of(page: NDArray[np.uint8]) -> list[LineImage]:
    return page_lines(page, Polarity.DARK_ON_LIGHT, MOST)


def stacked(texts: list[str], heights: list[int]) -> NDArray[np.uint8]:
    """Numbers under each other, flush left."""
    rows = [pen_number(text, height, max(2, height // 10), 3) for text, height in zip(texts, heights, strict=True)]
    width = max(row.shape[1] for row in rows)
    return np.vstack([np.pad(row, ((0, 0), (0, width - row.shape[1])), mode="edge") for row in rows])


def top_of(line: LineImage) -> int:
    return line.box(0, line.pixels.shape[1]).top


def test_one_line_is_seen_as_training_sees_it() -> None:
    page = pen_number("40817", 50, 5)
    (line,) = lines_of(page)
    expected = line_image(page, Polarity.DARK_ON_LIGHT)
    assert expected is not None
    np.testing.assert_array_equal(line.pixels, expected.pixels)
    np.testing.assert_array_equal(line.to_image, expected.to_image)


def test_lines_come_from_top_to_bottom() -> None:
    lines = lines_of(stacked(["4081", "75", "936"], [40, 40, 40]))
    assert len(lines) == 3
    assert [top_of(line) for line in lines] == sorted(top_of(line) for line in lines)


def test_numbers_of_different_sizes_are_lines_of_one_page() -> None:
    lines = lines_of(stacked(["4081", "7593026"], [90, 30]))
    assert len(lines) == 2
    for line in lines:  # each brought to its own height
        rows = np.flatnonzero((line.pixels > 100).any(axis=1))
        assert 17 <= rows[-1] - rows[0] + 1 <= 30


@pytest.mark.parametrize("degrees", [-12, 12])
def test_a_skewed_page_has_the_same_lines(degrees: float) -> None:
    page = np.pad(stacked(["408175", "936204", "581936"], [40, 40, 40]), 120, mode="edge")
    height, width = page.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    skewed = cv2.warpAffine(page, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    lines = lines_of(np.asarray(skewed, np.uint8))
    assert len(lines) == 3
    for line in lines:
        assert np.rad2deg(np.arctan2(line.to_image[1, 0], line.to_image[0, 0])) == pytest.approx(degrees, abs=3)


def test_columns_are_read_apart() -> None:
    page = np.hstack([stacked(["408", "175"], [40, 40]), np.full((160, 200), 233, np.uint8)])
    page = np.hstack([page, stacked(["936", "204"], [40, 40])])
    lines = lines_of(page)
    assert len(lines) == 4
    boxes = [line.box(0, line.pixels.shape[1]) for line in lines]
    assert boxes[0].right < boxes[1].left
    assert boxes[0].top < boxes[2].top


def test_a_long_row_is_cut_rather_than_squeezed() -> None:
    lines = lines_of(np.hstack([pen_number("4081759362" * 4, 30, 3, seed) for seed in range(2)]))
    assert len(lines) > 1
    assert all(line.pixels.shape[1] <= MOST_WIDTH for line in lines)


def test_specks_and_separators_make_no_line_of_their_own() -> None:
    page = pen_number("40817", 60, 6)
    page[20:23, 100:103] = 60
    page[-12:-8, 40:44] = 60
    assert len(lines_of(page)) == 1


def test_scraps_of_the_lines_above_and_below_are_left_out() -> None:
    page = stacked(["40817", "93620", "58193"], [40, 40, 40])
    assert len(lines_of(np.ascontiguousarray(page[48:-48]))) == 1


def test_a_panel_of_the_other_polarity_is_seen_by_itself() -> None:
    label = 255 - pen_number("40817", 60, 8)
    page = np.full((400, 600), 205, np.uint8)
    page[120 : 120 + label.shape[0], 60 : 60 + label.shape[1]] = label
    views = [view.lines for view in page_views(page, Polarity.AUTO, MOST)]
    box = views[-1][0].box(0, views[-1][0].pixels.shape[1])
    assert box.left >= 50
    assert box.top >= 110
    assert box.right <= 70 + label.shape[1]


def test_a_polarity_that_is_given_is_the_only_one() -> None:
    page = pen_number("40817", 60, 18)
    assert len(list(page_views(page, Polarity.DARK_ON_LIGHT, MOST))) == 1


def test_without_ink_there_are_no_lines() -> None:
    assert lines_of(np.full((60, 200), 220, np.uint8)) == []


@settings(deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 64), st.integers(1, 64))), st.sampled_from(list(Polarity)))
def test_every_line_of_any_image_lies_within_it(image: NDArray[np.uint8], polarity: Polarity) -> None:
    before = image.copy()
    for lines in (view.lines for view in page_views(image, polarity, MOST)):
        for line in lines:
            box = line.box(0, line.pixels.shape[1])
            assert box.right <= image.shape[1]
            assert box.bottom <= image.shape[0]
    np.testing.assert_array_equal(image, before)


def test_noise_is_bounded() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (1200, 1600)).astype(np.uint8)
    for lines in (view.lines for view in islice(page_views(noise, Polarity.AUTO, MOST), 4)):
        assert len(lines) <= MOST


def typed(texts: list[str]) -> NDArray[np.uint8]:
    """Typed numbers of one height under each other, 30 pixels apart."""
    page = np.full((len(texts) * 70, 260), 255, np.uint8)
    for index, text in enumerate(texts):
        cv2.putText(page, text, (20, 70 * index + 50), cv2.FONT_HERSHEY_SIMPLEX, 1.8, 0, 4)
    return page


def rows_of_ink(page: NDArray[np.uint8]) -> NDArray[np.intp]:
    return np.flatnonzero((page < 128).any(axis=1))


def test_lines_cropped_tight_are_all_there() -> None:
    page = typed(["44447", "47447", "77447"])
    ink = rows_of_ink(page)
    assert len(lines_of(np.ascontiguousarray(page[ink[0] : ink[-1] + 1]))) == 3


@pytest.mark.parametrize("left", [8, 14, 20])
def test_what_a_crop_left_of_a_line_is_none(left: int) -> None:
    page = typed(["44447", "47447"])
    ink = rows_of_ink(page)
    end = int(ink[np.argmax(np.diff(ink))])  # of the first line
    assert len(lines_of(np.ascontiguousarray(page[end + 1 - left :]))) == 1
    start = int(ink[np.argmax(np.diff(ink)) + 1])  # of the second
    assert len(lines_of(np.ascontiguousarray(page[: start + left]))) == 1


def test_a_scrap_of_a_rule_beside_a_number_is_no_line() -> None:
    page = np.pad(typed(["40817"]), ((0, 20), (0, 20)), constant_values=255)
    bottom = int(rows_of_ink(page)[-1])
    page[bottom - 5 : bottom + 14, 250:253] = 0
    assert len(lines_of(page)) == 1


def test_a_raised_sign_beside_a_number_does_not_make_it_two() -> None:
    page = np.full((60, 200), 255, np.uint8)
    page[18:54, 16:20] = 0  # a 1, and smaller zeros
    for left in (44, 76, 108):
        cv2.ellipse(page, (left, 36), (10, 12), 0, 0, 360, 0, 4)
    page[12:26, 140:143] = page[12:15, 140:168] = page[23:26, 140:168] = 0  # "=", joined at one end
    assert len(lines_of(page)) == 1
