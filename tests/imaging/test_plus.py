"""Plus signs among digits."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from app.domain import Polarity
from app.imaging.binarise import find_ink
from app.imaging.plus import is_plus, without_pluses
from app.imaging.segment import digit_candidates
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
    plain, digits = without_pluses(ink, candidates)
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
    same, kept = without_pluses(ink, candidates)
    assert same is ink
    assert kept == candidates


def test_a_sign_without_digits_beside_it_stays() -> None:
    """A 7 may be written like a plus: it is as high as what stands beside it."""
    ink = find_ink(written("+++", 40), Polarity.DARK_ON_LIGHT)
    candidates = digit_candidates(ink, 64)
    assert len(without_pluses(ink, candidates)[1]) == len(candidates) == 3


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
