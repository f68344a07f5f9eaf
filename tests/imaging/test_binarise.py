"""Grey image → ink."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app.domain import Polarity
from app.imaging.binarise import faint_ink, find_ink, ink_of, likely_polarities
from tests.samples.draw import pen_number

SHAPES = st.tuples(st.integers(1, 40), st.integers(1, 40))


@pytest.mark.parametrize("level", [0, 40, 128, 255])
def test_a_blank_page_has_no_ink(level: int) -> None:
    assert not find_ink(np.full((60, 80), level, np.uint8)).mask.any()


@pytest.mark.parametrize("noise", [1, 3, 6])
def test_paper_grain_is_no_ink(noise: int) -> None:
    grain = np.random.default_rng(noise).normal(200, noise, (120, 160))
    assert not find_ink(np.clip(grain, 0, 255).astype(np.uint8)).mask.any()


def test_both_polarities_have_the_same_ink() -> None:
    page = pen_number("2718", 60, 6)
    dark, light = find_ink(page, Polarity.DARK_ON_LIGHT), find_ink(255 - page, Polarity.LIGHT_ON_DARK)
    np.testing.assert_array_equal(dark.mask, light.mask)
    np.testing.assert_array_equal(dark.strength, light.strength)


@pytest.mark.parametrize("pen", [3, 6, 12])
def test_polarity_is_told_from_the_image(pen: int) -> None:
    page = pen_number("31415", 60, pen)
    assert likely_polarities(page)[0] is Polarity.DARK_ON_LIGHT
    assert likely_polarities(255 - page)[0] is Polarity.LIGHT_ON_DARK


def test_polarity_of_a_tight_crop() -> None:
    page = pen_number("0", 100, 14)
    rows, columns = np.nonzero(find_ink(page).mask)
    crop = page[rows.min() : rows.max(), columns.min() : columns.max()]
    assert likely_polarities(crop)[0] is Polarity.DARK_ON_LIGHT
    assert likely_polarities(255 - crop)[0] is Polarity.LIGHT_ON_DARK


def test_a_dark_frame_does_not_turn_the_polarity() -> None:
    page = pen_number("5", 60, 7)
    page[:10] = page[-10:] = 20
    page[:, :10] = page[:, -10:] = 20
    assert likely_polarities(page)[0] is Polarity.DARK_ON_LIGHT


def test_a_shadow_is_no_ink() -> None:
    page = pen_number("1234", 60, 6).astype(float)
    shadow = np.linspace(1.0, 0.35, page.shape[1])
    plain, shaded = find_ink(page.astype(np.uint8)).mask > 0, find_ink((page * shadow).astype(np.uint8)).mask > 0
    shared = (plain & shaded).sum() / (plain | shaded).sum()
    assert shared > 0.8


@given(arrays(np.uint8, SHAPES), st.sampled_from(Polarity))
def test_any_image_gives_ink_of_its_own_size(image: np.ndarray, polarity: Polarity) -> None:
    before = image.copy()
    ink = find_ink(image, polarity)
    assert ink.mask.shape == ink.strength.shape == image.shape
    assert set(np.unique(ink.mask)) <= {0, 255}
    np.testing.assert_array_equal(image, before)


def test_only_a_doubtful_image_has_two_polarities() -> None:
    page = pen_number("31415", 60, 4)
    assert likely_polarities(page) == (Polarity.DARK_ON_LIGHT,)
    bold = pen_number("1", 60, 16)
    rows, columns = np.nonzero(find_ink(bold, Polarity.DARK_ON_LIGHT).mask)
    crop = bold[rows.min() : rows.max(), columns.min() : columns.max()]
    assert set(likely_polarities(crop)) == {Polarity.DARK_ON_LIGHT, Polarity.LIGHT_ON_DARK}


def test_a_stroke_that_fades_is_one_stroke() -> None:
    strength = np.zeros((40, 40), np.uint8)
    strength[5:35, 18:22] = 200
    strength[16:24, 18:22] = 80  # the pen hardly touched the paper
    strength[10:14, 30:34] = 80  # as faint, and connected with nothing
    ink = ink_of(strength)
    assert not ink.mask[20, 20]
    faint = faint_ink(ink)
    assert faint[5:35, 18:22].all()
    assert not faint[30:, 25:].any()


@given(arrays(np.uint8, SHAPES))
def test_the_mask_is_what_is_stronger_than_a_threshold(strength: np.ndarray) -> None:
    ink = ink_of(strength)
    np.testing.assert_array_equal(ink.levels, np.bincount(strength.ravel(), minlength=256))
    inked, paper = strength[ink.mask > 0], strength[ink.mask == 0]
    assert inked.min(initial=255) > paper.max(initial=0) or not inked.size
    faint = faint_ink(ink)
    assert (faint[ink.mask > 0] == 255).all()
    assert not faint[strength < strength[faint > 0].min(initial=255)].any()


def test_noise_is_no_faint_ink() -> None:
    random = np.random.default_rng(2)
    strength = np.clip(random.normal(20, 12, (80, 80)), 0, 255).astype(np.uint8)
    strength[20:60, 38:44] = 120
    faint = faint_ink(ink_of(strength))
    faint[19:61, 37:45] = 0
    assert np.count_nonzero(faint) < 0.01 * faint.size


def test_grain_tells_no_polarity() -> None:
    """An empty cell with a frame was once read as light on dark, and the paper beside the frame as a 1."""
    random = np.random.default_rng(4)
    cell = np.clip(150 + random.gamma(1.0, 3.0, (128, 128)) ** 1.2, 0, 255).astype(np.uint8)
    cell[:, 116:] = 10
    for page in (cell, np.uint8(255) - cell):
        dark = page is cell
        assert likely_polarities(page)[0] is (Polarity.DARK_ON_LIGHT if dark else Polarity.LIGHT_ON_DARK)
