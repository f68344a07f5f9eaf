"""More looks at one line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.domain import Polarity
from app.imaging.line import COLUMN_WIDTH, LINE_HEIGHT, MOST_WIDTH, LineImage
from app.imaging.looks import other_looks
from app.imaging.page import page_lines
from tests.samples.draw import pen_number


def line_of(pixels: NDArray[np.uint8]) -> LineImage:
    return LineImage(pixels, np.eye(2, 3), (pixels.shape[0], pixels.shape[1]))


@given(st.integers(1, MOST_WIDTH // COLUMN_WIDTH))
def test_looks_are_lines(columns: int) -> None:
    line = np.zeros((LINE_HEIGHT, COLUMN_WIDTH * columns), np.uint8)
    line[8:24, ::7] = 255
    before = line.copy()
    looks = other_looks(line_of(line))
    assert len(looks) == 6
    for look in looks:
        assert look.shape[0] == LINE_HEIGHT
        assert look.shape[1] % COLUMN_WIDTH == 0
        assert look.shape[1] <= MOST_WIDTH
    np.testing.assert_array_equal(line, before)


@pytest.mark.parametrize("width", [160, MOST_WIDTH])
def test_nothing_of_the_line_is_lost(width: int) -> None:
    line = np.zeros((LINE_HEIGHT, width), np.uint8)
    line[4:28, 2:5] = line[4:28, width - 5 : width - 2] = 255
    for look in other_looks(line_of(line)):
        ink = look > 100
        for rows in (ink[6:8], ink[24:26]):  # both strokes, above and below
            columns = np.flatnonzero(rows.any(axis=0))
            assert np.count_nonzero(np.diff(columns) > 8) == 1


def test_looks_differ_in_width_and_slant() -> None:
    line = np.zeros((LINE_HEIGHT, 160), np.uint8)
    line[2:30, 40:43] = line[2:30, 120:123] = 255
    apart, slants = [], []
    for look in other_looks(line_of(line)):
        top, bottom = (np.flatnonzero((look[rows] > 100).any(axis=0)) for rows in (slice(3, 6), slice(26, 29)))
        apart.append(top[-1] - top[0])
        slants.append(top[0] - bottom[0])
    assert min(apart[0], apart[2]) > max(apart[4:]) >= min(apart[4:]) > max(apart[1], apart[3])
    assert min(slants[:2]) > 2 > -2 > max(slants[2:4])
    assert slants[4:] == [0, 0]


def test_looks_differ_in_height() -> None:
    line = np.zeros((LINE_HEIGHT, 160), np.uint8)
    line[8:24, 40:43] = 255
    rows = [np.flatnonzero((look > 100).any(axis=1)) for look in other_looks(line_of(line))]
    tall = [int(own[-1] - own[0]) + 1 for own in rows]
    assert tall[4] > tall[0] == tall[1] == tall[2] == tall[3] > tall[5]


def test_a_strip_is_seen_as_a_whole_too() -> None:
    number = pen_number("40817", 60, 6)
    (strip,) = page_lines(number, Polarity.DARK_ON_LIGHT, 50)
    (alone,) = page_lines(np.pad(number, ((90, 90), (0, 0)), constant_values=number.max()), Polarity.DARK_ON_LIGHT, 50)
    assert len(other_looks(strip)) > len(other_looks(alone)) == 6


def test_what_joins_a_rule_below_low_digits_is_seen_in_the_whole_of_a_strip() -> None:
    strip = np.full((52, 172), 200, np.uint8)
    strip[46:48] = 60  # a rule, and a high stroke that stands on it
    strip[4:48, 16:20] = 60
    for left in (60, 100, 130):  # rings of less than half its height
        strip[20:37, left : left + 17] = 60
        strip[23:34, left + 3 : left + 14] = 200
    (line,) = page_lines(strip, Polarity.DARK_ON_LIGHT, 50)
    assert line.height < 44
    whole = other_looks(line)[len(other_looks(line_of(line.pixels)))]  # the first that is not of the line alone
    assert (whole > 100).any(axis=1).sum() > 0.8 * LINE_HEIGHT
