"""The way of an image, with a classifier that can be reasoned about."""

from __future__ import annotations

import time
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.alignment import BLANK
from app.domain import STAGES, Polarity
from app.imaging.binarise import find_ink
from app.imaging.decode import WORKING_PIXELS
from app.imaging.glyph import normalise_glyph
from app.imaging.line import STEP_WIDTH
from app.imaging.segment import single_digit
from app.reader import Reader
from app.recogniser import Limits, Recogniser
from app.runner import InterpreterPool
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
    made = Recogniser(InterpreterPool([Likeness()]), 1.0, 0.5, Limits(max_pixels=10**6, max_digits=64, timeout_s=60))
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


class Columns:
    """A line reader that reads how many digits there are: a 1 for the first column of every run of ink, then 2, 3, …"""

    def logits(self, lines: NDArray[np.uint8]) -> NDArray[np.float32]:
        logits = np.zeros((len(lines), lines.shape[2] // STEP_WIDTH, BLANK + 1), np.float32)
        logits[..., BLANK] = 20
        for one, line in zip(logits, lines, strict=True):
            inked = (line > 100).any(axis=0)
            starts = np.flatnonzero(np.diff(inked.astype(int), prepend=0) == 1)
            for index, start in enumerate(starts):
                one[start // STEP_WIDTH] = 0
                one[start // STEP_WIDTH, (index + 1) % 10] = 20
        return logits


@pytest.fixture(scope="module")
def line_recogniser() -> Iterator[Recogniser]:
    glyphs, lines = (InterpreterPool([model]) for model in (Likeness(), Columns()))
    limits = Limits(max_pixels=10**8, max_digits=64, timeout_s=60)
    made = Recogniser(glyphs, 1.0, 0.5, limits, Reader(lines, 1.0, 0.5, 1.0))
    yield made
    made.close()


def test_lines_of_any_width_have_their_own_texts(line_recogniser: Recogniser) -> None:
    rows = [pen_number("1" * count, 40, 5) for count in (2, 9, 4)]
    width = max(row.shape[1] for row in rows)
    page = np.vstack([np.pad(row, ((0, 0), (0, width - row.shape[1])), mode="edge") for row in rows])
    reading = line_recogniser.read(png(page))
    assert reading.text == "12\n123456789\n1234"
    for line in reading.lines:
        boxes = [digit.box for digit in line.digits]
        assert [box.left for box in boxes] == sorted(box.left for box in boxes)
        assert all(box.right <= page.shape[1] and box.bottom <= page.shape[0] for box in boxes)


def test_boxes_are_in_pixels_of_a_large_image_as_sent(line_recogniser: Recogniser) -> None:
    number = pen_number("111", 700, 60)
    page = np.pad(number, 900, mode="edge")
    assert page.size > WORKING_PIXELS
    first = line_recogniser.read(png(page)).lines[0].digits[0].box
    expected = line_recogniser.read(png(number)).lines[0].digits[0].box
    assert first.left == pytest.approx(expected.left + 900, abs=30)
    assert first.height == pytest.approx(expected.height, rel=0.15)


class Hesitant:
    """A line reader that is sure of nothing, and takes its time over it."""

    def logits(self, lines: NDArray[np.uint8]) -> NDArray[np.float32]:
        time.sleep(0.02)
        logits = np.zeros((len(lines), lines.shape[2] // STEP_WIDTH, BLANK + 1), np.float32)
        logits[..., BLANK] = 20
        logits[:, 4] = [2.0, *[1.0] * BLANK]
        return logits


def test_no_time_is_counted_twice_where_a_line_is_looked_at_again() -> None:
    glyphs, lines = (InterpreterPool([model]) for model in (Likeness(), Hesitant()))
    limits = Limits(max_pixels=10**6, max_digits=64, timeout_s=60)
    reading = Recogniser(glyphs, 1.0, 0.5, limits, Reader(lines, 1.0, 0.5, 1.0)).read(png(pen_number("47", 40, 5)))
    timings = reading.timings
    assert timings.inference > 39  # once and again
    assert sum(getattr(timings, stage) for stage in STAGES) <= timings.total + 0.01


class Says:
    """A line reader that says a digit with a probability, whatever it is shown; it counts the lines."""

    def __init__(self, digit: int, sure: float) -> None:
        self._probabilities = np.full(BLANK + 1, (1 - sure) / BLANK)
        self._probabilities[digit] = sure
        self.asked = 0

    def logits(self, lines: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.asked += len(lines)
        logits = np.zeros((len(lines), lines.shape[2] // STEP_WIDTH, BLANK + 1), np.float32)
        logits[..., BLANK] = 20
        logits[:, 4] = np.log(self._probabilities)
        return logits


def test_a_second_reader_is_asked_about_what_the_first_is_unsure_of() -> None:
    limits = Limits(max_pixels=10**6, max_digits=64, timeout_s=60)
    for sure, text, asked in ((0.6, "7", 11), (0.95, "4", 0)):  # the line, six more looks, and four at all of a strip
        first, second = Says(4, sure), Says(7, 0.97)
        glyphs, one, other = (InterpreterPool([model]) for model in (Likeness(), first, second))
        readers = Reader(one, 1.0, 0.5, 1.0), Reader(other, 1.0, 0.5, 1.0)
        made = Recogniser(glyphs, 1.0, 0.5, limits, readers[0], second_reader=readers[1])
        reading = made.read(png(pen_number("47", 40, 5)))
        made.close()
        assert reading.text == text
        assert second.asked == asked
        assert first.asked == 1 + max(0, asked - 1)  # the line itself it has seen


class SeesTheOtherWay:
    """A line reader that sees nothing at first, and then eight digits, each with the same probability."""

    def __init__(self, sure: float) -> None:
        self._sure = sure
        self._asked = 0

    def logits(self, lines: NDArray[np.uint8]) -> NDArray[np.float32]:
        self._asked += 1
        probabilities = np.full((len(lines), lines.shape[2] // STEP_WIDTH, BLANK + 1), 1e-9)
        probabilities[..., BLANK] = 1.0
        if self._asked > 1:
            for place in range(8):
                probabilities[:, 2 * place + 1, BLANK] = 1e-9
                probabilities[:, 2 * place + 1, place], probabilities[:, 2 * place + 1, 9] = self._sure, 1 - self._sure
        return np.log(probabilities).astype(np.float32)


@pytest.mark.parametrize(("sure", "text"), [(0.8, "01234567"), (0.6, "")])
def test_the_other_way_of_seeing_an_image_must_be_read_as_surely_digit_by_digit(sure: float, text: str) -> None:
    glyphs, lines = (InterpreterPool([model]) for model in (Likeness(), SeesTheOtherWay(sure)))
    limits = Limits(max_pixels=10**6, max_digits=64, timeout_s=60)
    number = pen_number("358", 60, PEN)
    rows, columns = np.nonzero(find_ink(number, Polarity.DARK_ON_LIGHT).mask)
    crop = number[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    reading = Recogniser(glyphs, 1.0, 0.5, limits, Reader(lines, 1.0, 0.5, 1.0)).read(png(np.ascontiguousarray(crop)))
    assert reading.text == text
    assert 0.1 < reading.confidence < 0.9  # that there is nothing is in doubt where something was seen


def test_an_image_without_ink_reads_nothing_surely(line_recogniser: Recogniser) -> None:
    reading = line_recogniser.read(png(np.full((90, 200), 210, np.uint8)))
    assert (reading.text, reading.lines, reading.confidence) == ("", (), 1.0)


def test_a_sure_digit_is_the_same_with_a_line_reader(recogniser: Recogniser, line_recogniser: Recogniser) -> None:
    page = png(pen_number("8", 60, PEN))
    assert line_recogniser.predict(page).digit == recogniser.predict(page).digit == 8


def test_images_that_are_told_side_by_side_get_their_own_answers(recogniser: Recogniser) -> None:
    pages = [png(pen_number(digit, 60, PEN)) for digit in "0123456789"] + [png(np.full((40, 40), 200, np.uint8))]
    waiting = dict(enumerate(recogniser.predicting(page) for page in pages))
    answers: dict[int, int | None] = {}
    while waiting:
        for number, steps in list(waiting.items()):
            try:
                next(steps)
            except StopIteration as end:
                answers[number] = end.value.digit
                del waiting[number]
    assert answers == {**{digit: digit for digit in range(10)}, 10: None}


def test_a_step_that_waits_for_its_turn_counts_as_waiting(recogniser: Recogniser) -> None:
    steps = recogniser.predicting(png(pen_number("7", 60, PEN)))
    waits = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            timings = end.value.timings
            break
        waits += 1
        time.sleep(0.05)
    assert waits >= 2
    assert timings.queue >= 50 * waits
    assert sum(getattr(timings, stage) for stage in STAGES) <= timings.total + 0.01
