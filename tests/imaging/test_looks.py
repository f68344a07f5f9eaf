"""More looks at one line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.imaging.line import COLUMN_WIDTH, LINE_HEIGHT, MOST_WIDTH
from app.imaging.looks import other_looks


@given(st.integers(1, MOST_WIDTH // COLUMN_WIDTH))
def test_looks_are_lines(columns: int) -> None:
    line = np.zeros((LINE_HEIGHT, COLUMN_WIDTH * columns), np.uint8)
    line[8:24, ::7] = 255
    before = line.copy()
    looks = other_looks(line)
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
    for look in other_looks(line):
        ink = look > 100
        for rows in (ink[6:8], ink[24:26]):  # both strokes, above and below
            columns = np.flatnonzero(rows.any(axis=0))
            assert np.count_nonzero(np.diff(columns) > 8) == 1


def test_looks_differ_in_width_and_slant() -> None:
    line = np.zeros((LINE_HEIGHT, 160), np.uint8)
    line[2:30, 40:43] = line[2:30, 120:123] = 255
    apart, slants = [], []
    for look in other_looks(line):
        top, bottom = (np.flatnonzero((look[rows] > 100).any(axis=0)) for rows in (slice(3, 6), slice(26, 29)))
        apart.append(top[-1] - top[0])
        slants.append(top[0] - bottom[0])
    assert min(apart[0], apart[2]) > max(apart[4:]) >= min(apart[4:]) > max(apart[1], apart[3])
    assert min(slants[:2]) > 2 > -2 > max(slants[2:4])
    assert slants[4:] == [0, 0]


def test_looks_differ_in_height() -> None:
    line = np.zeros((LINE_HEIGHT, 160), np.uint8)
    line[8:24, 40:43] = 255
    rows = [np.flatnonzero((look > 100).any(axis=1)) for look in other_looks(line)]
    tall = [int(own[-1] - own[0]) + 1 for own in rows]
    assert tall[4] > tall[0] == tall[1] == tall[2] == tall[3] > tall[5]
