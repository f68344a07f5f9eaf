"""The drawn forms of digits, alone and as glyphs of the pool."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from training.allographs import ALLOGRAPHS, Skeleton, any_skeleton, hand, pen_strokes
from training.pool import GlyphMaker
from training.strokes import draw_strokes


def test_every_digit_has_several_forms() -> None:
    assert set(ALLOGRAPHS) == set("0123456789")
    assert all(len(forms) >= 5 for forms in ALLOGRAPHS.values())


@pytest.mark.parametrize("digit", sorted(ALLOGRAPHS))
def test_a_form_is_one_digit_high_and_no_two_are_alike(digit: str) -> None:
    random = np.random.default_rng(5)
    drawn = [np.concatenate(pen_strokes(any_skeleton(digit, random), 1.0, random)) for _ in range(20)]
    heights = [float(np.ptp(points[:, 1])) for points in drawn]
    assert min(heights) > 0.8
    assert max(heights) < 1.6
    assert len({points.tobytes() for points in drawn}) == len(drawn)


def test_a_wider_hand_writes_wider() -> None:
    form = ALLOGRAPHS["0"][0]
    narrow, wide = (np.concatenate(pen_strokes(form, width, np.random.default_rng(1))) for width in (0.8, 1.3))
    assert np.ptp(wide[:, 0]) > 1.4 * np.ptp(narrow[:, 0])


def test_the_drawn_zero_has_a_hole() -> None:
    ink = draw_strokes(pen_strokes(ALLOGRAPHS["0"][0], 1.0, np.random.default_rng(2)), 64, 4.0)
    papers, _ = cv2.connectedComponents((ink < 128).astype(np.uint8), connectivity=4)
    assert papers - 1 == 2


@pytest.mark.parametrize("slashed", ALLOGRAPHS["0"][-3:])
def test_a_slash_parts_the_hole_of_a_zero(slashed: Skeleton) -> None:
    ink = draw_strokes(pen_strokes(slashed, 1.0, np.random.default_rng(2)), 96, 4.0)
    papers, _ = cv2.connectedComponents((ink < 128).astype(np.uint8), connectivity=4)
    assert len(slashed) == 2
    assert papers - 1 >= 3


def test_who_writes_a_1_with_an_upstroke_crosses_the_7_as_a_rule() -> None:
    crossed: dict[bool, list[bool]] = {False: [], True: []}
    for seed in range(1500):
        forms = hand("17", np.random.default_rng(seed))
        stem = forms["1"][0]
        crossed[bool(stem[0, 1] - stem[:, 1].min() > 0.15)].append(len(forms["7"]) > 1)
    assert 0.94 < np.mean(crossed[True]) < 1
    assert np.mean(crossed[False]) < 0.93


def _rise(stroke: NDArray[np.float64], top: int) -> float:
    """How steeply the pen goes from a stroke's beginning to a point of it, in degrees."""
    across, down = stroke[top] - stroke[0]
    return float(np.degrees(np.arctan2(-down, across)))


def test_an_upstroke_of_a_1_is_steeper_than_the_bar_of_any_7() -> None:
    upstrokes = [_rise(one[0], int(one[0][:, 1].argmin())) for one in ALLOGRAPHS["1"] if one[0][0, 1] > -0.85]
    bars = [_rise(seven[0], int(seven[0][:, 0].argmax())) for seven in ALLOGRAPHS["7"]]
    assert len(upstrokes) > 10
    assert min(upstrokes) > 43
    assert max(bars) < 35
    assert sum(bar > 15 for bar in bars) >= 3


def test_a_bare_1_is_no_longer_than_other_digits() -> None:
    """Longer, and leaning, it would be a slash."""
    bare = [one[0] for one in ALLOGRAPHS["1"] if len(one) == 1 and np.argmin(one[0][:, 1]) == 0]
    assert bare
    assert all(np.ptp(stroke[:, 1]) < 1.1 for stroke in bare)


def test_the_pool_holds_drawn_digits_of_every_class() -> None:
    with GlyphMaker(1, seed=3) as maker:
        glyphs = maker.drawn_digits(300).result()
    assert len(glyphs) >= 290
    assert set(glyphs.labels.tolist()) == set(range(10))
    assert (glyphs.glyphs.reshape(len(glyphs), -1).max(axis=1) > 128).all()
