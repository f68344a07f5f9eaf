"""Ink of one digit → 28×28 glyph. The golden glyphs pin the preprocessing version."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from app.domain import Polarity
from app.imaging.binarise import find_ink
from app.imaging.decode import decode_image
from app.imaging.glyph import GLYPH_SIDE, PREPROCESSING_VERSION, full_ink, network_input, normalise_glyph
from app.imaging.segment import digit_candidates, digits_by_polarity, single_digit
from tests.samples.draw import pen_number

GOLDEN = Path(__file__).with_name("golden.png")
SAMPLES = Path(__file__).parents[1] / "samples"


def glyph_of(page: NDArray[np.uint8], polarity: Polarity = Polarity.AUTO) -> NDArray[np.uint8]:
    candidate = single_digit(find_ink(page, polarity))
    assert candidate is not None
    return normalise_glyph(candidate.ink)


def test_the_whole_imaging_path_gives_the_golden_glyphs() -> None:
    """Where this fails, pixels have moved: that asks for a new PREPROCESSING_VERSION and a new model.

    Only then is `golden.png` written anew, with what this test computes.
    """
    assert PREPROCESSING_VERSION == "2"
    image = decode_image((SAMPLES / "number.jpg").read_bytes(), 10**7)
    candidates = sorted(digit_candidates(find_ink(image.pixels), 99), key=lambda candidate: candidate.box.left)
    one = decode_image((SAMPLES / "digit.png").read_bytes(), 10**7)
    candidates += [candidate for _, candidate in digits_by_polarity(one.pixels)]
    glyphs = np.hstack([normalise_glyph(candidate.ink) for candidate in candidates])
    golden = cv2.imread(str(GOLDEN), cv2.IMREAD_GRAYSCALE)
    assert golden is not None
    assert glyphs.shape == golden.shape
    # JPEG decoders and resampling differ by a level or two between processors.
    assert np.abs(glyphs.astype(int) - golden.astype(int)).max() <= 8


@pytest.mark.parametrize("digit", "0123456789")
def test_a_glyph_fits_20_by_20_around_its_centre_of_mass(digit: str) -> None:
    glyph = glyph_of(pen_number(digit, 90, 8))
    rows, columns = np.nonzero(glyph)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    mass = glyph.astype(float)
    assert abs((mass.sum(axis=1) @ np.arange(28)) / mass.sum() - 13.5) <= 0.6
    assert abs((mass.sum(axis=0) @ np.arange(28)) / mass.sum() - 13.5) <= 0.6


@pytest.mark.parametrize("height", [40, 80, 200])
def test_size_does_not_matter(height: int) -> None:
    small, large = glyph_of(pen_number("3", height, height // 10)), glyph_of(pen_number("3", 400, 40))
    assert np.abs(small.astype(int) - large.astype(int)).mean() < 12


def test_contrast_and_polarity_do_not_matter() -> None:
    page = pen_number("6", 90, 8)
    faint = (160 + 0.35 * (page.astype(float) - 160)).astype(np.uint8)
    assert np.abs(glyph_of(page).astype(int) - glyph_of(faint).astype(int)).mean() < 8
    np.testing.assert_array_equal(glyph_of(page), glyph_of(255 - page))


def test_an_mnist_like_image_keeps_its_pixels() -> None:
    """A digit that is normalised already comes out as it went in, but for its faintest rim."""
    glyph = glyph_of(pen_number("2", 90, 8))
    again = glyph_of(glyph, Polarity.LIGHT_ON_DARK)
    assert np.abs(glyph.astype(int) - again.astype(int)).mean() < 12


def test_strokes_thinner_than_a_pixel_stay_visible() -> None:
    ink = np.zeros((800, 600), np.uint8)
    cv2.ellipse(ink, (300, 400), (260, 380), 0, 0, 360, 200, 6)
    assert normalise_glyph(ink).max() == 255


@given(arrays(np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 60))))
def test_any_ink_gives_a_glyph(ink: NDArray[np.uint8]) -> None:
    before = ink.copy()
    glyph = normalise_glyph(ink)
    assert glyph.shape == (GLYPH_SIDE, GLYPH_SIDE)
    assert glyph.any() == ink.any()
    np.testing.assert_array_equal(ink, before)


def test_network_input_is_0_to_1() -> None:
    values = network_input(np.array([[[0, 51], [255, 102]]], np.uint8))
    assert values.dtype == np.float32
    np.testing.assert_allclose(values[..., 0], [[[0, 0.2], [1, 0.4]]], atol=1e-7)


@given(arrays(np.float32, st.tuples(st.integers(1, 20), st.integers(1, 20)), elements=st.floats(0, 255, width=32)))
def test_full_ink_is_the_upper_quartile_of_what_is_clearly_ink(ink: NDArray[np.float32]) -> None:
    clear = ink[ink > 0.5 * ink.max()]
    assert full_ink(ink) == (float(np.percentile(clear, 75)) if clear.size else 0.0)
