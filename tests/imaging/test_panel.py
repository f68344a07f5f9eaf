"""Signs, labels and windows on plain backgrounds."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from app.imaging.panel import find_panel
from tests.samples.draw import pen_number


def on_background(label: NDArray[np.uint8], degrees: float, level: int = 0) -> NDArray[np.uint8]:
    """A label turned on a plain background of 500 × 700."""
    height, width = label.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    matrix[:, 2] += [350 - width / 2, 250 - height / 2]
    page = cv2.warpAffine(label, matrix, (700, 500), borderValue=level)
    return np.asarray(page, np.uint8)


@pytest.mark.parametrize("degrees", [-30, -10, 0, 14, 40])
@pytest.mark.parametrize("level", [0, 90])
def test_a_label_is_found_and_turned_upright(degrees: float, level: int) -> None:
    label = pen_number("40817", 60, 6)
    panel = find_panel(on_background(label, degrees, level))
    assert panel is not None
    assert panel.pixels.shape[0] == pytest.approx(label.shape[0], rel=0.12)
    assert panel.pixels.shape[1] == pytest.approx(label.shape[1], rel=0.08)
    assert np.rad2deg(np.arctan2(panel.to_image[1, 0], panel.to_image[0, 0])) == pytest.approx(degrees, abs=1.5)


def test_a_point_of_the_panel_is_where_it_was() -> None:
    label = np.full((80, 300), 230, np.uint8)
    cv2.circle(label, (60, 30), 6, 10, -1)
    page = on_background(label, 12)
    panel = find_panel(page)
    assert panel is not None
    y, x = (float(v) for v in np.argwhere(panel.pixels[10:-10, 10:-10] < 60).mean(axis=0) + 10.5)
    where = panel.to_image @ [x, y, 1]
    column, row = (int(v) for v in where)
    assert page[row, column] < 60


def test_digits_on_paper_are_no_panel() -> None:
    assert find_panel(pen_number("40817", 60, 6)) is None
    assert find_panel(np.full((100, 100), 128, np.uint8)) is None


@pytest.mark.parametrize(("blocks", "found"), [(1, True), (2, True), (3, False), (6, False)])
def test_a_panel_stands_by_itself(blocks: int, found: bool) -> None:
    page = np.full((200, 460), 240, np.uint8)
    for index in range(blocks):  # the first one is somewhat larger, as a letter may be
        left, height = 20 + 70 * index, 52 if index else 56
        page[60 : 60 + height, left : left + 44] = 40
    assert (find_panel(page) is not None) == found


@settings(deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 80), st.integers(1, 80))))
def test_any_image_has_a_panel_or_none(image: NDArray[np.uint8]) -> None:
    panel = find_panel(image)
    assert panel is None or panel.pixels.size
