"""How the time of /read grows: with the digits on a page, and with the pixels of a photo of one number."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from app.recogniser import Recogniser
from tests.samples.draw import pen_number
from training.validation import png

_DIGITS = (1, 5, 10, 20, 50, 100, 200, 500)
_MEGAPIXELS = (0.1, 0.5, 1, 3, 12, 36)
_IN_A_ROW = 20
_HEIGHT = 40
_TIMES = 7

_NUMBER = "40817593"

HEAD = ("| Image | Pixels | Digits | Digits read | ms |", "|---|---|---|---|---|")


def growth_rows(recogniser: Recogniser) -> Iterator[str]:
    """A row for every size: the median of seven readings."""
    for count in _DIGITS:
        yield growth_row(recogniser, "page of numbers", page_of(count), count)
    for megapixels in _MEGAPIXELS:
        yield growth_row(recogniser, "one number across a photo", photo_of(megapixels), len(_NUMBER))


def page_of(count: int) -> NDArray[np.uint8]:
    """So many digits in rows of twenty."""
    digits = "".join(str(digit) for digit in np.random.default_rng(count).integers(10, size=count))
    rows = [
        pen_number(digits[i : i + _IN_A_ROW], _HEIGHT, 4, i)[_HEIGHT // 4 : -_HEIGHT // 4]
        for i in range(0, count, _IN_A_ROW)
    ]
    width = max(row.shape[1] for row in rows)
    return np.vstack([np.pad(row, ((0, 0), (0, width - row.shape[1])), mode="edge") for row in rows])


def photo_of(megapixels: float) -> NDArray[np.uint8]:
    """A number across a photo, three wide to two high."""
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    width = round(1.5 * height)
    number = pen_number(_NUMBER, max(12, width // 10), max(2, width // 90))
    photo = np.full((height, width), 232, np.uint8)
    top, left = (height - number.shape[0]) // 2, (width - number.shape[1]) // 2
    photo[top : top + number.shape[0], left : left + number.shape[1]] = number
    return photo


def growth_row(recogniser: Recogniser, name: str, image: NDArray[np.uint8], digits: int) -> str:
    """The row of one image, which shows so many digits."""
    data = png(image)
    readings = [recogniser.read(data) for _ in range(_TIMES)]
    milliseconds = statistics.median(reading.timings.total for reading in readings)
    found = sum(len(line.digits) for line in readings[0].lines)
    return f"| {name} | {image.size:,} | {digits} | {found} | {milliseconds:.1f} |"
