"""Writing much paler than other writing of the image."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from app.domain import Polarity
from app.imaging.binarise import Ink, find_ink
from app.imaging.components import HEIGHT
from app.imaging.pale import with_pale_ink
from tests.samples.draw import pen_number

Picture = NDArray[np.uint8]


def paper(height: int, width: int, grain: float = 2.0) -> NDArray[np.float64]:
    return np.random.default_rng(3).normal(240.0, grain, (height, width))


def under(image: NDArray[np.float64], top: int, text: str, share: float) -> None:
    """Writes on an image; `share` of the strength of black ink."""
    written = (255 - pen_number(text, 32, 4).astype(np.float64)) * share
    high, wide = written.shape
    image[top : top + high, 10 : 10 + wide] -= written


def picture(image: NDArray[np.float64]) -> Picture:
    return np.clip(image, 0, 255).astype(np.uint8)


def digits(ink: Ink) -> int:
    return int(np.count_nonzero(ink.components.stats[1:, HEIGHT] > 30))


@pytest.mark.parametrize("share", [0.12, 0.25, 0.45])
def test_pale_writing_becomes_as_strong_as_the_rest(share: float) -> None:
    image = paper(150, 240)
    under(image, 10, "40718", 0.9)
    above = find_ink(picture(image), Polarity.DARK_ON_LIGHT)
    under(image, 80, "26953", share)
    whole = with_pale_ink(find_ink(picture(image), Polarity.DARK_ON_LIGHT))
    assert whole is not None
    assert np.mean(whole.mask[:70] != above.mask[:70]) < 0.01  # the threshold is another one
    pale = whole.mask[75:] > 0
    assert digits(whole) == 10
    assert whole.strength[75:][pale].mean() == pytest.approx(whole.strength[whole.mask > 0].mean(), rel=0.2)


def test_two_shades_of_pale_writing_are_found() -> None:
    image = paper(220, 240)
    for row, share in enumerate((0.95, 0.4, 0.15)):
        under(image, 10 + 70 * row, "26953", share)
    whole = with_pale_ink(find_ink(picture(image), Polarity.DARK_ON_LIGHT))
    assert whole is not None
    assert digits(whole) == 15


@pytest.mark.parametrize("grain", [1.0, 6.0, 20.0])
def test_beside_writing_of_one_strength_there_is_none(grain: float) -> None:
    image = paper(150, 240, grain)
    under(image, 10, "40718", 0.9)
    under(image, 80, "26953", 0.8)
    assert with_pale_ink(find_ink(picture(image), Polarity.DARK_ON_LIGHT)) is None


def test_two_spots_and_a_shade_are_no_writing() -> None:
    image = paper(150, 240)
    under(image, 10, "40718", 0.9)
    image[95:115, 20:40] -= 60
    image[95:115, 80:90] -= 60
    image[85:135] -= 25 * np.exp(-(((np.arange(240) - 180) / 20) ** 2))
    assert with_pale_ink(find_ink(picture(image), Polarity.DARK_ON_LIGHT)) is None


def test_an_image_without_ink_has_no_pale_ink() -> None:
    assert with_pale_ink(find_ink(picture(paper(60, 60)))) is None
