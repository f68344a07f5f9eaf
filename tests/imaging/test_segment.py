"""Ink → candidate digits."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from app.domain import BoundingBox, Polarity
from app.imaging.binarise import find_ink
from app.imaging.segment import digit_candidates, digits_by_polarity, single_digit
from tests.samples.draw import pen_number


def boxes(page: NDArray[np.uint8], limit: int = 512) -> list[BoundingBox]:
    return sorted((c.box for c in digit_candidates(find_ink(page), limit)), key=lambda box: box.left)


def similar(one: BoundingBox, other: BoundingBox, pixels: int = 2) -> bool:
    differences = (one.left - other.left, one.top - other.top, one.right - other.right, one.bottom - other.bottom)
    return max(abs(d) for d in differences) <= pixels


@pytest.mark.parametrize("text", ["1", "7", "11", "111", "1111", "0123456789", "90210"])
def test_every_digit_of_a_clean_number_is_one_candidate(text: str) -> None:
    assert len(boxes(pen_number(text, 60, 6))) == len(text)


def test_a_lone_digit_of_a_frame_is_found_without_it() -> None:
    page = pen_number("4", 80, 7)
    plain = single_digit(find_ink(page))
    framed = page.copy()
    framed[:5] = framed[:, :7] = framed[-4:] = 15
    found = single_digit(find_ink(framed))
    assert plain is not None
    assert found is not None
    assert similar(found.box, plain.box)


def test_a_faint_digit_beside_a_black_frame_is_found() -> None:
    page = np.full((100, 100), 200, np.uint8)
    cv2.line(page, (50, 25), (50, 75), 160, 8)
    page[:9] = page[:, :9] = 0
    found = single_digit(find_ink(page))
    assert found is not None
    assert similar(found.box, BoundingBox(46, 21, 9, 59), 3)


def test_the_soft_edge_of_a_frames_line_is_no_digit_but_a_stroke_beside_it_is() -> None:
    page = np.full((128, 128), 170, np.uint8)
    page[:, 106:112] = 20
    page[9:12] = 90
    page[76:, 103:106] = 130
    assert single_digit(find_ink(page)) is None
    page[40:90, 92:98] = 60
    found = single_digit(find_ink(page))
    assert found is not None
    assert similar(found.box, BoundingBox(92, 40, 6, 50))


def test_a_frame_around_nothing_is_no_digit_but_a_digit_cropped_tight_is() -> None:
    page = np.full((100, 100), 200, np.uint8)
    page[:6] = page[:, :8] = 30
    assert single_digit(find_ink(page)) is None
    zero = pen_number("0", 100, 14)
    rows, columns = np.nonzero(find_ink(zero).mask)
    crop = zero[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    found = single_digit(find_ink(crop))
    assert found is not None
    assert similar(found.box, BoundingBox(0, 0, crop.shape[1], crop.shape[0]), 3)


def test_a_round_zero_that_fills_its_image_is_no_frame() -> None:
    page = np.full((64, 64), 230, np.uint8)
    cv2.ellipse(page, (31, 31), (30, 30), 0, 0, 360, 40, 4, cv2.LINE_AA)
    found = single_digit(find_ink(page, Polarity.DARK_ON_LIGHT))
    assert found is not None
    assert similar(found.box, BoundingBox(0, 0, 64, 64), 3)
    frame = np.full((64, 64), 230, np.uint8)
    cv2.rectangle(frame, (1, 1), (62, 62), 40, 4)
    assert single_digit(find_ink(frame, Polarity.DARK_ON_LIGHT)) is None


def test_the_faint_part_of_a_stroke_belongs_to_the_digit() -> None:
    page = np.full((60, 60), 250, np.uint8)
    page[10:50, 28:33] = 20
    page[10:14, 20:28] = 140  # the serif of a 1, hardly pressed
    found = single_digit(find_ink(page))
    assert found is not None
    assert similar(found.box, BoundingBox(20, 10, 13, 40), 1)


def test_a_wheel_in_its_window_is_seen_under_both_polarities() -> None:
    page = pen_number("8", 60, 16)
    rows, columns = np.nonzero(find_ink(page, Polarity.DARK_ON_LIGHT).mask)
    crop = page[rows.min() : rows.max(), columns.min() : columns.max()]
    found = digits_by_polarity(crop)
    assert {polarity for polarity, _ in found} == {Polarity.DARK_ON_LIGHT, Polarity.LIGHT_ON_DARK}
    thin = pen_number("8", 60, 4)
    assert [polarity for polarity, _ in digits_by_polarity(thin)] == [Polarity.DARK_ON_LIGHT]
    assert [polarity for polarity, _ in digits_by_polarity(crop, Polarity.DARK_ON_LIGHT)] == [Polarity.DARK_ON_LIGHT]
    assert digits_by_polarity(np.full((60, 60), 220, np.uint8)) == []


def test_specks_and_neighbours_cut_by_the_edge_are_left_out_of_one_digit() -> None:
    page = pen_number("8", 80, 8)
    plain = single_digit(find_ink(page))
    page[10:13, 20:23] = 30
    page[30:110, :9] = 60
    found = single_digit(find_ink(page))
    assert plain is not None
    assert found is not None
    assert similar(found.box, plain.box)


def test_separators_rules_and_specks_are_no_candidates() -> None:
    page = pen_number("12", 60, 6)
    expected = boxes(page)
    bottom = expected[0].bottom
    cv2.circle(page, ((expected[0].right + expected[1].left) // 2, bottom - 3), 4, 60, -1)
    page[bottom + 14 : bottom + 17] = 60
    page[8:10, 8:10] = 60
    found = boxes(page)
    assert len(found) == 2
    assert all(similar(box, other) for box, other in zip(found, expected, strict=True))


def test_a_broken_stroke_is_one_candidate() -> None:
    page = np.full((100, 100), 230, np.uint8)
    cv2.line(page, (40, 20), (65, 20), 40, 7)  # the bar of a 5, off its body
    cv2.ellipse(page, (50, 62), (16, 20), 0, -120, 130, 40, 7)
    assert len(boxes(page)) == 1


def test_candidates_are_bounded() -> None:
    page = np.full((400, 400), 255, np.uint8)
    page[5::10, 5::10] = 0
    ticks = np.asarray(cv2.erode(page, np.ones((5, 3), np.uint8)), np.uint8)
    assert len(boxes(ticks, limit=50)) == 50


def test_ink_of_a_neighbour_stays_out_of_a_candidate() -> None:
    mask = np.zeros((60, 60), np.uint8)
    cv2.line(mask, (10, 50), (30, 8), 255, 3)  # leans over …
    cv2.line(mask, (22, 50), (42, 8), 255, 3)  # … into the box of this one
    first, second = sorted(
        digit_candidates(find_ink(np.where(mask > 0, 20, 240).astype(np.uint8)), 9), key=lambda c: c.box.left
    )
    assert first.box.right > second.box.left
    for candidate in (first, second):
        count, _ = cv2.connectedComponents((candidate.ink > 100).astype(np.uint8))
        assert count == 2  # the paper, and one stroke


def test_without_ink_there_is_nothing() -> None:
    blank = find_ink(np.full((50, 50), 200, np.uint8))
    assert single_digit(blank) is None
    assert digit_candidates(blank, 10) == []


@given(arrays(np.uint8, st.tuples(st.integers(1, 48), st.integers(1, 48))))
def test_boxes_lie_inside_any_image(image: NDArray[np.uint8]) -> None:
    ink = find_ink(image)
    single = single_digit(ink)
    for candidate in [*digit_candidates(ink, 100), *([single] if single else [])]:
        assert candidate.box.right <= image.shape[1]
        assert candidate.box.bottom <= image.shape[0]
        assert candidate.ink.shape == (candidate.box.height, candidate.box.width)
        assert candidate.ink.any()
