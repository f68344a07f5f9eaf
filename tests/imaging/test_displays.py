"""Segments and dots that do not touch, as digits."""

from __future__ import annotations

import numpy as np
import pytest

from app.domain import Polarity
from app.imaging.binarise import find_ink
from app.imaging.components import Components
from app.imaging.displays import joined_parts
from app.imaging.page import page_lines
from tests.displays import displayed
from tests.samples.draw import pen_number
from training.displays import Display, Dotted, Ends, Segmented

SEGMENTS = Segmented(width=0.55, thickness=0.1, gap=0.05, ends=Ends.STRAIGHT)
ROUND_DOTS = Dotted(size=0.6, stretch=1.0, round=True)
SQUARE_DOTS = Dotted(size=0.8, stretch=1.0, round=False)


@pytest.mark.parametrize("text", ["0", "1", "2", "5", "2525", "0123456789", "11"])
@pytest.mark.parametrize("display", [SEGMENTS, ROUND_DOTS, SQUARE_DOTS])
@pytest.mark.parametrize("height", [48, 96, 192])
def test_a_display_is_one_line_as_high_as_its_digits(display: Display, text: str, height: int) -> None:
    page = displayed(display, text, height)
    (line,) = page_lines(page, Polarity.DARK_ON_LIGHT, 512)
    lit = np.ptp(np.flatnonzero(find_ink(page).mask.any(axis=1))) + 1
    assert 0.9 * lit <= line.height <= 1.7 * lit


@pytest.mark.parametrize("leading", [1.15, 1.4, 2.0])
def test_lines_of_a_page_remain_lines(leading: float) -> None:
    number = pen_number("4071", 60, 6)
    rows, columns = np.nonzero(find_ink(number).mask)
    line = number[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    gap = np.full((round((leading - 1) * len(line)), line.shape[1]), 255, np.uint8)
    page = np.pad(np.concatenate([line, gap, line, gap, line]), 30, constant_values=255)
    assert len(page_lines(page, Polarity.DARK_ON_LIGHT, 512)) == 3


def test_pieces_that_are_no_higher_together_remain_as_they_are() -> None:
    # left, top, width, height and area: a number, and a dash and a comma close to its digits
    stats = np.array([[0, 0, 200, 80, 0], [10, 10, 30, 50, 500], [50, 10, 30, 50, 500], [52, 62, 8, 8, 40]], np.int32)
    components = Components(np.zeros((80, 200), np.int32), stats)
    assert joined_parts(components, [[1], [2], [3]]) == [[1], [2], [3]]
    assert joined_parts(components, [[1]]) == [[1]]
    assert joined_parts(components, []) == []
