"""Strokes that the readers left out for slashes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from app.alignment import BLANK, Logs
from app.calibration import NON_DIGIT
from app.ctc import Decoded, likeliest
from app.deadline import Deadline
from app.domain import Polarity
from app.imaging.line import LINE_HEIGHT, STEP_WIDTH, LineImage, LinePiece
from app.leaning_ones import Stroke, stroke_glyphs, unread_strokes, with_leaning_ones
from app.line_reading import PageText
from app.page_reader import PageReader
from app.reader import Reader
from app.stages import Stages
from tests.images import draw_number
from tests.readers import InkReader

_PITCH = 8


def look(digits: str, stroke: float) -> Logs:
    """What a look says of a line of digits, (t, 11); where `digits` has a stroke, it is a 1 to this share."""
    probabilities = np.full((_PITCH * (len(digits) + 1), BLANK + 1), 1e-6)
    probabilities[:, BLANK] = 1.0
    for place, mark in enumerate(digits, start=1):
        digit, share = (1, stroke) if mark == "/" else (int(mark), 0.99)
        probabilities[_PITCH * place, [digit, BLANK]] = share, 1 - share
    return np.asarray(np.log(probabilities / probabilities.sum(axis=1, keepdims=True)))


def line(digits: str, width: int = 6, height: int = 20) -> LineImage:
    """A line of digits 14 wide and 20 high, its strokes of another size."""
    pieces = (
        LinePiece(
            np.full((height, width) if mark == "/" else (20, 14), 255, np.uint8), float(STEP_WIDTH * _PITCH * place)
        )
        for place, mark in enumerate(digits, start=1)
    )
    pixels = np.zeros((LINE_HEIGHT, STEP_WIDTH * _PITCH * (len(digits) + 1)), np.uint8)
    return LineImage(pixels, np.eye(2, 3), (100, 400), tuple(pieces))


def page(own: LineImage, text: Decoded) -> PageText:
    return PageText((own,), (text,), ())


def read(own: Logs) -> Decoded:
    return likeliest(own).with_digits(own)


def probabilities_of(label: int, sure: float) -> NDArray[np.float64]:
    probabilities = np.full((1, NON_DIGIT + 1), (1 - sure) / NON_DIGIT)
    probabilities[0, label] = sure
    return probabilities


def said(digits: str, stroke: float, glyph: NDArray[np.float64]) -> Decoded:
    own = [look(digits, stroke)] * 3
    before = page(line(digits), read(own[0]))
    strokes = unread_strokes(before, {0: own})
    assert not strokes or stroke_glyphs(before, strokes).shape == (len(strokes), 28, 28)
    return with_leaning_ones(before, strokes, np.repeat(glyph, len(strokes), axis=0), {0: own}).texts[0]


ONE = probabilities_of(1, 0.95)


def test_a_stroke_in_a_long_run_of_digits_is_a_1_where_the_readers_are_torn() -> None:
    text = said("05/64892", 0.4, ONE)
    assert text.text == "05164892"
    assert 0.5 < text.probability < 0.8
    assert [digit.digit for digit in text.digits] == [0, 5, 1, 6, 4, 8, 9, 2]
    assert said("05/648/92", 0.4, ONE).text == "051648192"


@pytest.mark.parametrize(
    ("digits", "stroke", "glyph"),
    [
        ("12/1998", 0.4, ONE),  # a date
        ("3/4", 0.4, ONE),
        ("05/64892", 0.2, ONE),  # the readers are not torn
        ("05/64892", 0.4, probabilities_of(1, 0.4)),
        ("05/64892", 0.4, probabilities_of(NON_DIGIT, 0.95)),
        ("/564892", 0.4, ONE),  # beside the number: a rule, a bracket
        ("564892/", 0.4, ONE),
    ],
)
def test_other_strokes_are_left_out(digits: str, stroke: float, glyph: NDArray[np.float64]) -> None:
    assert said(digits, stroke, glyph).text == digits.replace("/", "")


@pytest.mark.parametrize(
    ("width", "height", "found"),
    [(6, 20, True), (6, 28, True), (6, 34, False), (6, 10, False), (20, 20, False)],
)
def test_a_stroke_is_about_as_high_as_digits_and_higher_than_wide(width: int, height: int, found: bool) -> None:
    own = look("05/64892", 0.4)
    before = page(line("05/64892", width, height), read(own))
    assert unread_strokes(before, {0: [own]}) == ([Stroke(0, 2)] if found else [])
    assert unread_strokes(before, {}) == []  # of what is sure, nothing is asked


def test_a_stroke_that_was_read_is_not_read_twice() -> None:
    own = look("05/64892", 0.9)
    assert unread_strokes(page(line("05/64892"), read(own)), {0: [own]}) == []


@pytest.mark.parametrize(("length", "text"), [(None, "44144444"), (7, "4444444")])
def test_a_page_has_the_1_that_its_reader_left_out_unless_it_is_told_how_many_there_are(
    length: int | None, text: str
) -> None:
    def opinion(glyphs: NDArray[np.uint8], _: Stages, __: Deadline) -> NDArray[np.float64]:
        return np.repeat(ONE, len(glyphs), axis=0)

    torn = InkReader(lambda place: {1: -0.4, BLANK: 0.0} if place == 2 else {4: 0.0})
    pages = PageReader(Reader(torn, 1.0, 0.5, 1.0), None, opinion)
    said, _ = pages.read(draw_number("44144444"), Polarity.AUTO, length, 100, Stages(), Deadline(60))
    assert [own.text for own in said.texts] == [text]
