"""How a stroke leans, and how straight it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.imaging.strokes import stroke_form


def drawn(slant: float, thickness: int = 3, height: int = 60) -> NDArray[np.uint8]:
    """A straight stroke that goes so many columns to the right for each row up."""
    ink = np.zeros((height, height + 2 * abs(round(slant * height)) + 10), np.uint8)
    middle = ink.shape[1] // 2
    reach = round(slant * (height - 10) / 2)
    cv2.line(ink, (middle - reach, height - 6), (middle + reach, 5), 255, thickness)
    return ink


@pytest.mark.parametrize("slant", [-0.5, 0.0, 0.3, 0.8])
def test_a_stroke_leans_as_it_was_drawn(slant: float) -> None:
    assert stroke_form(drawn(slant)).slant == pytest.approx(slant, abs=0.05)


def test_a_thin_straight_stroke_spreads_less_than_a_thick_one_and_a_digit() -> None:
    ring = np.zeros((60, 60), np.uint8)
    cv2.ellipse(ring, (30, 30), (16, 26), 0, 0, 360, 255, 3)
    thin, thick, round_one = (stroke_form(ink).spread for ink in (drawn(0.3), drawn(0.3, 11), ring))
    assert thin < 0.03 < thick < round_one


def test_spread_does_not_depend_on_size() -> None:
    ink = drawn(0.4, 5)
    large = cv2.resize(ink, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST).astype(np.uint8)
    assert stroke_form(large).spread == pytest.approx(stroke_form(ink).spread, rel=0.05)
    assert stroke_form(large).slant == pytest.approx(stroke_form(ink).slant, abs=0.02)


def test_where_there_is_no_ink_nothing_leans() -> None:
    assert stroke_form(np.zeros((5, 4), np.uint8)) == (0, 0)


def test_one_row_of_ink_is_a_stroke_too() -> None:
    assert stroke_form(np.full((1, 9), 200, np.uint8)).slant == 0
