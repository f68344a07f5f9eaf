"""Lone digits and thin strokes that the line reader is unsure of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from app.calibration import NON_DIGIT
from app.ctc import Decoded
from app.imaging.line import LINE_HEIGHT, LineImage, LinePiece
from app.line_reading import PageText
from app.second_opinion import doubtful_lines, glyphs_of, with_opinions


def line(*widths: int) -> LineImage:
    """A line with pieces 20 high, of these widths, 16 columns apart."""
    pieces = tuple(LinePiece(np.full((20, width), 255, np.uint8), 8.0 + 16 * i) for i, width in enumerate(widths))
    return LineImage(np.zeros((LINE_HEIGHT, 128), np.uint8), np.eye(2, 3), (100, 200), pieces)


def page(text: str, probability: float, *lines: LineImage) -> PageText:
    return PageText(lines, tuple(Decoded(text, probability, ()) for _ in lines), ())


def sure_of(*classes: int, sure: float = 0.99) -> NDArray[np.float64]:
    probabilities = np.full((len(classes), 11), (1 - sure) / 10)
    probabilities[np.arange(len(classes)), classes] = sure
    return probabilities


@pytest.mark.parametrize(
    ("probability", "widths", "asked"),
    [
        (0.5, (14,), True),
        (0.9, (14,), False),  # the reader is sure
        (0.5, (5, 6, 4), True),
        (0.5, (5, 14, 4), False),  # a piece may be two digits that touch
        (0.5, (4,) * 7, False),
        (0.5, (), False),
    ],
)
def test_lone_digits_and_thin_strokes_are_asked_about(probability: float, widths: tuple[int, ...], asked: bool) -> None:
    assert doubtful_lines(page("1", probability, line(*widths))) == ([0] if asked else [])


@pytest.mark.parametrize(
    ("probability", "pieces", "asked"),
    [(0.3, 1, True), (0.9, 1, False), (0.3, 2, False), (0.3, 6, False), (0.3, 0, False)],
)
def test_one_piece_that_is_taken_for_nothing_unsurely_is_asked_about_and_a_word_is_not(
    probability: float, pieces: int, asked: bool
) -> None:
    assert doubtful_lines(page("", probability, line(*[14] * pieces))) == ([0] if asked else [])


@pytest.mark.parametrize(
    ("opinion", "text"), [(sure_of(0), "0"), (sure_of(0, sure=0.45), ""), (sure_of(NON_DIGIT), ""), (sure_of(8), "")]
)
def test_a_digit_that_fills_its_image_is_one_where_both_say_so(opinion: NDArray[np.float64], text: str) -> None:
    """The frame of an empty cell was surely a 0."""
    doubted = page("0", 0.95, replace(line(14), lone=True))
    assert doubtful_lines(doubted) == [0]
    (said,) = with_opinions(doubted, [0], opinion).texts
    assert said.text == text
    assert said.probability == (0.95 if text else 0.5)
    assert not doubtful_lines(page("0", 0.95, replace(line(), lone=True)))  # nothing to ask about


@pytest.mark.parametrize(("opinion", "text"), [(sure_of(NON_DIGIT), ""), (sure_of(NON_DIGIT, sure=0.8), "0")])
def test_one_round_thing_is_a_0_unless_the_glyph_network_is_sure_that_it_is_none(
    opinion: NDArray[np.float64], text: str
) -> None:
    """The photo of a ball was surely a 0."""
    sure = page("0", 0.99, line(14))
    assert doubtful_lines(sure) == [0]
    assert with_opinions(sure, [0], opinion).texts[0].text == text
    assert not doubtful_lines(page("0", 0.99, line(14, 14)))


def test_strokes_that_were_miscounted_are_counted_by_their_pieces() -> None:
    doubted = page("11", 0.4, line(4, 4, 4))
    assert glyphs_of(doubted.lines).shape == (3, 28, 28)
    (text,) = with_opinions(doubted, [0], sure_of(1, 1, 7)).texts
    assert text.text == "117"
    assert text.probability == pytest.approx(0.99**3)
    assert [digit.first for digit in text.digits] == [4, 12, 20]


def test_a_digit_that_was_taken_for_nothing_is_read() -> None:
    assert with_opinions(page("", 0.6, line(14)), [0], sure_of(8)).texts[0].text == "8"


@pytest.mark.parametrize(
    "opinion",
    [
        sure_of(1, 1, NON_DIGIT),  # fewer digits than the reader has
        sure_of(1, 1, 1, sure=0.9),  # 0.73 of all three
    ],
)
def test_an_unsure_or_shorter_opinion_is_not_taken(opinion: NDArray[np.float64]) -> None:
    doubted = page("111", 0.4, line(4, 4, 4))
    assert with_opinions(doubted, [0], opinion) == doubted


def slashed(*heights: int, slants: tuple[float, ...] = (0.0, 0.4, 0.0)) -> LineImage:
    """Strokes 3 wide, of these heights, 24 columns apart, which go so many columns to the right for each row up."""
    pieces = []
    for index, (height, slant) in enumerate(zip(heights, slants, strict=True)):
        ink = np.zeros((height, 3 + round(slant * height)), np.uint8)
        for row in range(height):
            left = round(slant * (height - 1 - row))
            ink[row, left : left + 3] = 255
        pieces.append(LinePiece(ink, 8.0 + 24 * index))
    return LineImage(np.zeros((LINE_HEIGHT, 128), np.uint8), np.eye(2, 3), (100, 200), tuple(pieces))


@pytest.mark.parametrize("probability", [0.3, 0.99])
@pytest.mark.parametrize("seen_as", [1, NON_DIGIT])
def test_the_slash_of_a_date_is_no_1(probability: float, seen_as: int) -> None:
    date = page("111", probability, slashed(40, 52, 38))
    assert doubtful_lines(date) == [0]
    assert with_opinions(date, [0], sure_of(1, seen_as, 1)).texts[0].text == "11"


@pytest.mark.parametrize(("text", "seen_as"), [("191", 7), ("17", 1), ("17", NON_DIGIT)])
def test_a_sure_text_is_told_of_a_slash_alone(text: str, seen_as: int) -> None:
    sure = page(text, 0.99, slashed(40, 52, 38))
    assert with_opinions(sure, [0], sure_of(1, seen_as, 1)) == sure


@pytest.mark.parametrize(
    ("line", "seen_as"),
    [
        (slashed(40, 52, 38), 9),  # a digit that is as high
        (slashed(40, 44, 38), 1),  # no higher than a 1 may be
        (slashed(52, 40, 38), 1),  # nothing before it
        (slashed(40, 52, 38, slants=(0.4, 0.0, 0.4)), 1),  # the others slant
    ],
)
def test_a_digit_among_thin_ones_is_no_slash(line: LineImage, seen_as: int) -> None:
    read = page("1" + str(seen_as) + "1", 0.5, line)
    assert with_opinions(read, [0], sure_of(1, seen_as, 1)).texts[0].text == read.texts[0].text


def test_each_line_has_its_own_opinion() -> None:
    doubted = page("1", 0.4, line(14), line(14, 14), line(4, 4))
    assert doubtful_lines(doubted) == [0, 2]
    texts = with_opinions(doubted, [0, 2], sure_of(3, 1, 1)).texts
    assert [text.text for text in texts] == ["3", "1", "11"]


def test_an_opinion_of_another_length_than_is_expected_is_not_taken() -> None:
    doubted = page("11", 0.4, line(4, 4, 4))
    assert with_opinions(doubted, [0], sure_of(1, 1, 1), expected_length=2) == doubted
    assert with_opinions(doubted, [0], sure_of(1, 1, 1), expected_length=3).texts[0].text == "111"
