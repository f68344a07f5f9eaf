"""1s that are slashes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.alignment import AlignedDigit
from app.ctc import Decoded
from app.deadline import Deadline
from app.domain import Polarity
from app.imaging.line import LINE_HEIGHT, STEP_WIDTH, LineImage, LinePiece
from app.line_reading import PageText
from app.page_reader import PageReader
from app.reader import Reader
from app.slashes import without_slashes
from app.stages import Stages
from tests.readers import InkReader

_PITCH = 12


def digit(slant: float = 0.0) -> NDArray[np.uint8]:
    """A ring 40 pixels high."""
    ink = np.zeros((44, 80), np.uint8)
    cv2.ellipse(ink, (40, 22), (12, 19), 0, 0, 360, 255, 3)
    sheared = cv2.warpAffine(ink, np.array([[1, -slant, slant * 22], [0, 1, 0]]), (80, 44)).astype(np.uint8)
    return cropped(sheared)


def one(height: int = 40, slant: float = 0.0, thickness: int = 3) -> NDArray[np.uint8]:
    ink = np.zeros((height + 20, 2 * height + 20), np.uint8)
    reach = slant * height / 2
    cv2.line(
        ink, (round(height + 10 - reach), height + 10), (round(height + 10 + reach), 10), 255, thickness, cv2.LINE_AA
    )
    return cropped(ink)


def cropped(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def read(*inks: NDArray[np.uint8], text: str, pieces: int | None = None, sure: float = 0.9) -> Decoded:
    """What becomes of a line of pieces that was read as a text, a digit of it each, its 1s so surely."""
    steps = [_PITCH * (place + 1) for place in range(len(text))]
    own = tuple(LinePiece(ink, float(STEP_WIDTH * step)) for ink, step in zip(inks[:pieces], steps, strict=False))
    line = LineImage(np.zeros((LINE_HEIGHT, STEP_WIDTH * _PITCH * 9), np.uint8), np.eye(2, 3), (100, 400), own)
    digits = tuple(
        AlignedDigit(int(mark), sure if mark == "1" else 0.99, step, step + 1)
        for mark, step in zip(text, steps, strict=True)
    )
    (found,) = without_slashes(PageText((line,), (Decoded(text, 0.8, digits),), ())).texts
    return found


def test_a_higher_leaning_stroke_between_two_digits_is_a_slash() -> None:
    found = read(digit(), one(52, 0.5), digit(), text="618")
    assert found.text == "68"
    assert [mark.digit for mark in found.digits] == [6, 8]
    assert [mark.first for mark in found.digits] == [_PITCH, 3 * _PITCH]
    assert 0.5 < found.probability < 1
    assert found.probability < read(digit(), one(70, 0.8), digit(), text="618").probability <= 0.8 / 0.9


@pytest.mark.parametrize("text", ["1218", "6112", "12112"])
def test_between_one_or_two_digits(text: str) -> None:
    place = len(text) // 2
    inks = [one(52, 0.5) if index == place else digit() for index in range(len(text))]
    assert read(*inks, text=text).text == text[:place] + text[place + 1 :]


def test_the_likelier_one_of_two_strokes_is_the_slash() -> None:
    assert read(one(), one(), one(60, 0.5), one(), text="1111").digits[-1].first == 4 * _PITCH
    assert read(one(), one(), one(60, 0.5), one(), text="1111").text == "111"


@pytest.mark.parametrize(
    "stroke",
    [
        pytest.param(one(), id="upright, as high as the digits"),
        pytest.param(one(40, 0.3), id="leaning, as high as the digits"),
        pytest.param(one(52), id="upright, higher"),
        pytest.param(one(52, 0.3, 17), id="thick"),
        pytest.param(one(40, 0.1, 1), id="with a fine pen, as high as the digits"),
        pytest.param(one(44, 0.0, 1), id="with a fine pen, upright"),
    ],
)
def test_what_may_be_a_1_is_one(stroke: NDArray[np.uint8]) -> None:
    assert read(digit(), stroke, digit(), text="618").text == "618"


def test_of_large_digits_by_a_fine_pen_a_1_is_one() -> None:
    """They are thinner for their height than others, and no straighter."""
    large = cropped(cv2.resize(digit(), None, fx=6, fy=6).astype(np.uint8))
    for slant in (0.0, 0.1, 0.2):
        assert read(large, one(len(large), slant, 5), large, text="417").text == "417"


def test_what_the_reader_is_sure_of_is_a_1() -> None:
    assert read(digit(), one(52, 0.5), digit(), text="618", sure=0.99).text == "618"


def test_where_another_1_is_as_high_and_leans_as_much_it_is_a_1() -> None:
    assert read(digit(), one(52, 0.5), digit(), one(52, 0.5), text="8191").text == "8191"
    assert read(digit(), one(52, 0.5), digit(), one(40, 0.1), text="8191").text == "891"


def test_a_neighbour_that_leans_very_far_is_no_measure() -> None:
    flat = cropped(np.eye(40, 120, dtype=np.uint8)[::-1] * 255)
    far = cv2.resize(flat, (160, 40), interpolation=cv2.INTER_NEAREST).astype(np.uint8)
    assert read(flat, one(64, 0.9), digit(), text="718").text == "78"
    assert read(far, one(64, 0.9), digit(), text="718").text == "78"


def test_where_all_digits_lean_a_leaning_stroke_is_a_1() -> None:
    assert read(digit(0.5), one(50, 0.5), digit(0.5), text="618").text == "618"
    assert read(digit(), one(50, 0.5), digit(), text="618").text == "68"


@pytest.mark.parametrize(("place", "length"), [(0, 3), (2, 3), (0, 5), (1, 5), (3, 5), (4, 5), (2, 7), (3, 7)])
def test_at_an_end_and_in_a_longer_number_it_is_a_1(place: int, length: int) -> None:
    text = "".join("1" if index == place else "6" for index in range(length))
    inks = [one(60, 0.5) if index == place else digit() for index in range(length)]
    assert read(*inks, text=text).text == text


def test_where_pieces_are_not_the_digits_nothing_is_told() -> None:
    assert read(digit(), one(52, 0.5), digit(), text="618", pieces=2).text == "618"


@pytest.mark.parametrize("text", ["", "1", "11"])
def test_shorter_texts_have_none(text: str) -> None:
    assert read(*[one(52, 0.5)] * len(text), text=text).text == text


@pytest.mark.parametrize(("expected_length", "text"), [(None, "68"), (3, "618")])
def test_a_page_is_read_so_unless_its_length_is_told(expected_length: int | None, text: str) -> None:
    page = np.full((100, 240), 255, np.uint8)
    for left, ink in zip((30, 90, 160), (digit(), one(56, 0.6), digit()), strict=True):
        top = 70 - len(ink)
        page[top:70, left : left + ink.shape[1]] -= ink
    pages = PageReader(
        Reader(InkReader(lambda place: {(6, 1, 8)[place]: 0.0, 7: -2.0}), 1.0, 0.5, 1.0), None, _no_opinion
    )
    found, _ = pages.read(page, Polarity.DARK_ON_LIGHT, expected_length, 20, Stages(), Deadline(5.0))
    assert [line.text for line in found.texts] == [text]


def _no_opinion(glyphs: NDArray[np.uint8], *_: object) -> NDArray[np.float64]:
    return np.full((len(glyphs), 11), 1 / 11)
