"""The way of an image, with a classifier that can be reasoned about."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.batching import MicroBatcher
from app.domain import Polarity
from app.imaging.binarise import find_ink
from app.imaging.glyph import normalise_glyph
from app.imaging.segment import single_digit
from app.recogniser import Limits, Recogniser
from tests.samples.draw import pen_number

PEN = 16


def glyph(page: NDArray[np.uint8]) -> NDArray[np.uint8]:
    candidate = single_digit(find_ink(page, Polarity.DARK_ON_LIGHT))
    assert candidate is not None
    return normalise_glyph(candidate.ink)


class Likeness:
    """Tells a glyph by its correlation with those of ten drawn digits; what is like none of them is none."""

    def __init__(self) -> None:
        self._known = np.stack([glyph(pen_number(digit, 60, PEN)) for digit in "0123456789"]).reshape(10, -1)

    def logits(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        likeness = np.corrcoef(self._known, glyphs.reshape(len(glyphs), -1))[10:, :10]
        none = np.full((len(glyphs), 1), 0.75)
        return np.asarray(80 * np.hstack([likeness, none]), np.float32)


@pytest.fixture(scope="module")
def recogniser() -> Iterator[Recogniser]:
    batcher = MicroBatcher(Likeness(), max_batch_size=8, batch_timeout_s=0.0, max_queue_size=8)
    made = Recogniser(batcher, 1.0, 0.5, Limits(max_pixels=10**6, max_digits=64, timeout_s=60))
    yield made
    made.close()


def png(image: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def bold_and_tight(digit: str) -> NDArray[np.uint8]:
    """A bold digit cropped to its ink: there is more ink than paper, so the grey levels tell the wrong polarity."""
    page = pen_number(digit, 60, PEN)
    rows, columns = np.nonzero(find_ink(page, Polarity.DARK_ON_LIGHT).mask)
    return np.ascontiguousarray(page[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1])


@pytest.mark.parametrize("digit", "358")
@pytest.mark.parametrize("inverted", [False, True])
def test_of_two_polarities_the_one_that_makes_a_digit_is_taken(
    recogniser: Recogniser, digit: str, inverted: bool
) -> None:
    crop = bold_and_tight(digit)
    prediction = recogniser.predict(png(np.uint8(255) - crop if inverted else crop))
    assert prediction.digit == int(digit)
    assert not prediction.rejected
    assert prediction.box is not None
    assert prediction.box.height >= crop.shape[0] - 2


def test_a_polarity_that_is_given_is_the_only_one(recogniser: Recogniser) -> None:
    crop = png(bold_and_tight("8"))
    assert recogniser.predict(crop, Polarity.DARK_ON_LIGHT).digit == 8
    assert recogniser.predict(crop, Polarity.LIGHT_ON_DARK).rejected


def test_without_ink_there_is_no_digit(recogniser: Recogniser) -> None:
    prediction = recogniser.predict(png(np.full((40, 40), 200, np.uint8)))
    assert (prediction.digit, prediction.rejected, prediction.box) == (None, True, None)
    assert prediction.non_digit_probability == 1.0
