"""Plus signs and discs among digits."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from app.domain import Polarity
from app.imaging.binarise import find_ink
from app.imaging.segment import digit_candidates
from app.imaging.signs import is_disc, is_plus, without_signs
from tests.samples.draw import pen_number


def written(text: str, size: float) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    font = ImageFont.load_default(size)
    image = Image.new("L", (round(font.getlength(text) + 2 * size), round(2 * size)), 255)
    ImageDraw.Draw(image).text((size, size), text, 0, font, anchor="lm")
    return np.asarray(image)


@pytest.mark.parametrize("size", [16.0, 24.0, 48.0, 120.0])
def test_a_plus_between_digits_is_taken_out(size: float) -> None:
    """It was surely a 7: 12+34 was 12734."""
    ink = find_ink(written("12+34", size), Polarity.DARK_ON_LIGHT)
    candidates = digit_candidates(ink, 64)
    assert len(candidates) == 5
    plain, digits = without_signs(ink, candidates)
    assert len(digits) == 4
    (plus,) = (one for one in candidates if one not in digits)
    gone = plain.mask != ink.mask
    assert gone.sum() > 0
    rows, columns = np.nonzero(gone)
    assert (rows.min(), columns.min()) == (plus.box.top, plus.box.left)
    assert (rows.max() + 1, columns.max() + 1) == (plus.box.bottom, plus.box.right)


@pytest.mark.parametrize("text", ["0123456789", "11", "77", "47"])
@pytest.mark.parametrize(("height", "pen"), [(20, 2), (60, 6), (60, 16)])
def test_no_digit_is_a_plus(text: str, height: int, pen: int) -> None:
    ink = find_ink(pen_number(text, height, pen), Polarity.DARK_ON_LIGHT)
    candidates = digit_candidates(ink, 64)
    same, kept = without_signs(ink, candidates)
    assert same is ink
    assert kept == candidates


def test_a_sign_without_digits_beside_it_stays() -> None:
    """A 7 may be written like a plus: it is as high as what stands beside it."""
    ink = find_ink(written("+++", 40), Polarity.DARK_ON_LIGHT)
    candidates = digit_candidates(ink, 64)
    assert len(without_signs(ink, candidates)[1]) == len(candidates) == 3


def test_the_form_of_a_plus() -> None:
    plus = np.zeros((21, 21), bool)
    plus[9:12] = plus[:, 9:12] = True
    assert is_plus(plus)
    assert not is_plus(np.roll(plus, 6, axis=0))  # its bar is high, as a t has it
    assert not is_plus(plus[:, 6:15])  # a crossed 1
    assert not is_plus(np.ones((21, 21), bool))
    four = plus.copy()
    four[:9, 1:3] = True
    assert not is_plus(four)


def drawn(shape: str, side: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """A solid shape among digits as high as 60 pixels."""
    image = Image.new("L", (400, 120), 255)
    draw = ImageDraw.Draw(image)
    if shape == "disc":
        draw.ellipse((20, 60 - side / 2, 20 + side, 60 + side / 2), 0)
    else:
        draw.rectangle((20, 60 - side / 2, 20 + side, 60 + side / 2), 0)
    draw.text((120, 60), "4071", 0, ImageFont.load_default(60), anchor="lm")
    return np.asarray(image)


@pytest.mark.parametrize("shape", ["disc", "square"])
@pytest.mark.parametrize("side", [24, 32, 40])
def test_a_disc_or_a_square_before_digits_is_taken_out(shape: str, side: int) -> None:
    """It was surely a 0."""
    ink = find_ink(drawn(shape, side), Polarity.DARK_ON_LIGHT)
    plain, digits = without_signs(ink, digit_candidates(ink, 64))
    assert len(digits) == 4
    assert not plain.mask[:, :90].any()
    assert plain.mask[:, 100:].any()


@pytest.mark.parametrize("digit", "0123456789")
@pytest.mark.parametrize(("height", "pen"), [(12, 2), (20, 5), (60, 6), (60, 18), (200, 60)])
def test_no_digit_is_a_disc(digit: str, height: int, pen: int) -> None:
    ink = find_ink(pen_number(digit, height, pen), Polarity.DARK_ON_LIGHT)
    assert not any(is_disc(one.ink) for one in digit_candidates(ink, 64))


def test_a_stroke_that_is_thick_and_slanting_is_no_disc() -> None:
    """A 1 of a broad pen fills its hull as a disc does."""
    image = Image.new("L", (100, 100), 0)
    ImageDraw.Draw(image).line((30, 85, 70, 15), 255, 26)
    left, top, right, bottom = image.getbbox() or (0, 0, 0, 0)
    assert not is_disc(np.asarray(image.crop((left, top, right, bottom))))
