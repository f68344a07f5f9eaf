"""Digits of displays, drawn; and how they stand on a line."""

from __future__ import annotations

import itertools
import string
from pathlib import Path

import numpy as np
import pytest

from training.displays import Dotted, Ends, Segmented, any_display
from training.fonts import find_display_fonts, find_fonts
from training.lines.boards import Board
from training.lines.compose import composed
from training.lines.layout import Layout
from training.lines.mixture import any_setting
from training.lines.paper import Paper
from training.lines.signs import Signs, with_signs


@pytest.mark.parametrize("seed", range(40))
def test_a_display_shows_ten_different_digits_in_cells_of_one_size(seed: int) -> None:
    display = any_display(np.random.default_rng(seed))
    cells = [display.cell(digit) for digit in string.digits]
    assert len({cell.shape for cell in cells}) == 1
    for one, other in itertools.combinations(cells, 2):
        assert np.count_nonzero((one > 127) != (other > 127)) > 0.01 * one.size
    assert all(0.005 < float(np.mean(cell > 127)) < 0.92 for cell in cells)


@pytest.mark.parametrize("ends", list(Ends))
def test_segments_are_where_they_shine(ends: Ends) -> None:
    display = Segmented(width=0.5, thickness=0.1, gap=0.02, ends=ends)
    height, width = display.cell("8").shape
    one, eight, seven = (display.cell(digit) > 127 for digit in "187")
    assert not one[:, : width // 2].any()
    assert (seven & ~eight).sum() == 0
    middle_bar = slice(round(0.47 * height), round(0.53 * height))
    assert eight[middle_bar, width // 2].all()
    assert not display.cell("0")[middle_bar, width // 2].any()
    for mirrored in (eight[::-1], eight[:, ::-1]):  # but for pixels at its edges
        assert np.mean(eight != mirrored) < 0.05


def test_unlit_segments_are_fainter_than_lit_ones() -> None:
    plain = Segmented(width=0.5, thickness=0.12, gap=0.03, ends=Ends.POINTED)
    ghostly = Segmented(width=0.5, thickness=0.12, gap=0.03, ends=Ends.POINTED, unlit=0.2)
    eight, one, ghost = plain.cell("8") > 250, plain.cell("1") > 250, ghostly.cell("1")
    assert (ghost[one] > 250).all()
    assert ghost[eight & ~one].max() <= 0.2 * 255 + 1
    assert ghost[eight & ~one].min() > 0


def test_dots_do_not_touch_unless_they_are_as_wide_as_their_places() -> None:
    apart, close = (Dotted(size=size, stretch=1.0, round=False).cell("1") > 127 for size in (0.6, 1.05))
    rows_of = [np.flatnonzero(cell.any(axis=1)) for cell in (apart, close)]
    assert (np.diff(rows_of[0]) > 1).sum() == 6
    assert (np.diff(rows_of[1]) == 1).all()


def test_digits_of_a_line_stand_in_cells_of_equal_width() -> None:
    layout = Layout(height=60, gap=0.2, margins=(0.5, 0.5, 0.5, 0.5))
    rights = 0
    for seed in range(40):
        line = composed(Board(), "818", layout, Paper(), np.random.default_rng(seed))
        first, one, last = line.boxes
        assert last.width == pytest.approx(first.width, abs=2)
        gap = last.left - first.right
        assert gap > first.width
        middle = one.left + one.width / 2 - (first.left + last.right) / 2
        assert abs(middle) < first.width / 2
        rights += middle > first.width / 4
    assert 15 < rights < 38  # the 1 of segments is at the right of its cell, and that of dots about its middle


def test_a_board_is_composed_with_points_colons_and_in_both_polarities() -> None:
    random = np.random.default_rng(5)
    seen = set()
    for _ in range(60):
        layout, paper = any_setting(Board(), "1230", random)
        line = composed(Board(), "1230", layout, paper, random)
        assert line.text == "1230"
        assert len(line.boxes) == 4
        seen |= {layout.signs, line.polarity}
    assert len(seen) == 6
    assert with_signs("1230", Signs.TIME, random) == "12:30"
    assert with_signs("12", Signs.TIME, random) == "12"


def test_displays_fonts_are_only_measured_on() -> None:
    folder = Path("/usr/share/fonts")
    displays = find_display_fonts(folder)
    if not displays:
        pytest.skip("fonts-dseg is not installed; make fonts")
    assert {font.family.split()[0] for font in displays} == {"DSEG7", "DSEG14"}
    assert not {font.path for font in displays} & {font.path for font in find_fonts(folder)}
