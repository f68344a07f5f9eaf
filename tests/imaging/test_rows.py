"""Rows of digits that reach into each other, and what only seems to be a row of its own."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.domain import BoundingBox, Polarity
from app.imaging.line import LineImage
from app.imaging.page import page_lines
from app.imaging.rows import are_two
from app.imaging.segment import Candidate
from app.recogniser import Recogniser
from tests.samples.draw import pen_number

HEIGHT = 40
# Where a row begins, left and top, and its digits.
Placed = tuple[int, int, str]


def sheet(rows: Sequence[Placed], pen: int = 4) -> NDArray[np.uint8]:
    """Numbers of digits 40 pixels high where they are to stand, on one sheet."""
    inks = [(left, top, 255 - pen_number(text, HEIGHT, pen, 3)) for left, top, text in rows]
    width = max(left + ink.shape[1] for left, _, ink in inks)
    height = max(top + ink.shape[0] for _, top, ink in inks)
    written = np.zeros((height, width), np.uint8)
    for left, top, ink in inks:
        # What is paler than ink is the sample's paper.
        part = written[top : top + ink.shape[0], left : left + ink.shape[1]]
        np.maximum(part, np.where(ink > 80, ink, 0).astype(np.uint8), out=part)
    return np.asarray(255 - written, np.uint8)


def lines_of(page: NDArray[np.uint8]) -> list[LineImage]:
    return page_lines(page, Polarity.DARK_ON_LIGHT, 512)


def png(page: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", page)[1].tobytes()


def test_a_line_shows_nothing_of_the_rows_beside_it() -> None:
    """A short row was shown with much of a long one, since lines reach through the whole page."""
    rows: list[Placed] = [(0, 0, "40817563"), (160, 50, "42"), (0, 100, "93620481")]
    apart: list[Placed] = [(left, 2 * top, text) for left, top, text in rows]
    for near, far in zip(lines_of(sheet(rows)), lines_of(sheet(apart)), strict=True):
        assert near.pixels.shape == far.pixels.shape
        assert np.abs(near.pixels.astype(int) - far.pixels).mean() < 2


@pytest.mark.parametrize("leading", [50, 56, 64])
def test_rows_close_to_each_other_are_read(released: Recogniser, leading: int) -> None:
    texts = ["40826", "36", "5193640", "7", "620481"]
    page = sheet([(0, index * leading, text) for index, text in enumerate(texts)])
    assert released.read(png(page)).text == "\n".join(texts)


@pytest.mark.parametrize(("pen", "leading"), [(8, 52), (10, 54)])
def test_rows_of_bold_digits_are_read(released: Recogniser, pen: int, leading: int) -> None:
    """Nothing was read of rows that are nearer to each other than a stroke is thick."""
    texts = ["40826", "51936", "62048"]
    page = sheet([(0, index * leading, text) for index, text in enumerate(texts)], pen)
    assert released.read(png(page)).text == "\n".join(texts)


def test_rows_that_touch_are_cut_apart(released: Recogniser) -> None:
    texts = ["40826", "51936", "62048"]
    page = sheet([(0, index * 60, text) for index, text in enumerate(texts)])
    assert len(lines_of(page)) == 3
    cv2.line(page, (68, 54), (70, 94), 30, 4)  # from the 0 of the first row to the 1 of the second
    tops = [line.box(0, line.pixels.shape[1]).top for line in lines_of(page)]
    assert len(tops) == 3
    assert tops == sorted(tops)
    assert released.read(png(page)).text == "\n".join(texts)


def test_a_stroke_through_two_rows_does_not_join_the_others() -> None:
    """What is lower than the highest piece was taken for parts of broken digits, across the rows."""
    page = sheet([(0, 0, "40826519"), (0, 60, "51936204")])
    cv2.line(page, (36, 22), (30, 118), 30, 4)
    lines = lines_of(page)
    assert len(lines) == 2
    assert all(len(line.pieces) >= 7 for line in lines)


def row_of(*boxes: tuple[int, int, int, int]) -> list[Candidate]:
    """A row of pieces by their boxes: left, top, width, height."""
    return [Candidate(BoundingBox(*box), np.full((box[3], box[2]), 255, np.uint8)) for box in boxes]


LONG = row_of((10, 60, 24, 34), (44, 62, 24, 32), (78, 60, 24, 34), (112, 61, 24, 33), (146, 60, 24, 34))


def test_a_short_row_above_a_long_one_is_another() -> None:
    assert are_two(row_of((112, 26, 24, 30), (146, 25, 24, 32)), LONG)
    assert are_two(LONG, row_of((112, 26, 24, 30)))


def test_the_halves_of_a_digit_are_no_two_rows() -> None:
    assert not are_two(row_of((18, 18, 14, 12)), row_of((18, 30, 14, 12)))


def test_the_bar_of_a_digit_is_no_row() -> None:
    """The upper stroke of a 5, which is broken off."""
    assert not are_two(row_of((48, 30, 22, 12)), LONG)


def test_parts_of_a_line_that_meet_where_a_digit_is_broken_are_no_two_rows() -> None:
    """Nearest to each other are the halves of the broken digit, one in each part: those are far apart."""
    left = row_of((19, 38, 33, 48), (60, 38, 33, 48), (101, 38, 33, 48), (160, 14, 9, 44))
    right = row_of((160, 65, 9, 42), (182, 37, 35, 50), (223, 37, 34, 50), (264, 37, 35, 50), (305, 37, 34, 50))
    assert not are_two(left, right)


def test_rows_side_by_side_are_not_one_above_the_other() -> None:
    assert not are_two(LONG, row_of((200, 10, 24, 34), (234, 10, 24, 34)))


def test_a_digit_in_two_parts_is_one_line() -> None:
    page = np.full((59, 50), 230, np.uint8)
    for top, open_end in ((18, 27), (29, 27)):
        cv2.rectangle(page, (18, top), (31, top + 11), 40, 3)
        page[open_end : open_end + 4, 18:32] = 230
    assert len(lines_of(page)) == 1


def test_a_broken_off_bar_beside_a_line_is_no_line() -> None:
    page = np.full((39, 141), 220, np.uint8)
    for left, top, width, height in ((31, 9, 14, 8), (5, 10, 15, 22), (25, 20, 14, 14), (68, 16, 22, 16)):
        cv2.rectangle(page, (left + 1, top + 1), (left + width - 2, top + height - 2), 40, 2)
    assert len(lines_of(page)) == 1
