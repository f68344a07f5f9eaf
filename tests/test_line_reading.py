"""What the logits of lines say: text, confidences, boxes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from app.alignment import BLANK, Logs
from app.ctc import Decoded, log_probabilities
from app.domain import BoundingBox
from app.imaging.line import LINE_HEIGHT, STEP_WIDTH, LineImage, LinePiece
from app.line_reading import PageText, line_readings, looked_again, page_text, unsure_lines, without_guesses


def line(width: int = 96, left: int = 10, top: int = 20) -> LineImage:
    """A line that shows a part of an image of 400 × 300 at twice its size; ink where `said` says that digits are."""
    pixels = np.zeros((LINE_HEIGHT, width), np.uint8)
    pixels[6:26, 8::24] = pixels[6:26, 9::24] = 255
    return LineImage(pixels, np.array([[2.0, 0, left], [0, 2.0, top]]), (300, 400))


def said(text: str, width: int = 96, sure: float = 12.0) -> NDArray[np.float32]:
    """Logits that say these digits 24 pixels apart, from pixel 8 on; those after the first with other digits near."""
    logits = np.zeros((width // STEP_WIDTH, BLANK + 1), np.float32)
    logits[:, BLANK] = 12
    for index, digit in enumerate(text):
        step = (8 + 24 * index) // STEP_WIDTH
        logits[step, BLANK] = 0
        logits[step, int(digit)] = sure if index else 12
    return logits


def same(box: BoundingBox) -> BoundingBox:
    return box


def test_a_line_has_its_text_boxes_and_confidences() -> None:
    page = page_text([line()], [said("407")], 1.0)
    (reading,) = line_readings(page, 0.5, same, 64)
    assert reading.text == "407"
    assert reading.confidence == pytest.approx(page.confidence)
    assert page.confidence > 0.9
    lefts = [digit.box.left for digit in reading.digits]
    assert lefts == [26, 74, 122]
    assert all(digit.box.top == 32 and digit.box.height == 40 for digit in reading.digits)
    assert (reading.box.left, reading.box.right) == (26, reading.digits[-1].box.right)


def test_an_unsure_digit_is_read_and_rejected() -> None:
    (reading,) = line_readings(page_text([line()], [said("40", sure=1.0)], 1.0), 0.9, same, 64)
    assert reading.text == "40"
    assert [digit.rejected for digit in reading.digits] == [False, True]


def test_boxes_are_taken_to_the_image_that_was_sent() -> None:
    def halved(box: BoundingBox) -> BoundingBox:
        return BoundingBox(box.left // 2, box.top // 2, box.width // 2, box.height // 2)

    (reading,) = line_readings(page_text([line()], [said("4")], 1.0), 0.5, halved, 64)
    assert reading.digits[0].box.left == 13


def test_lines_that_say_nothing_are_left_out_and_count_for_the_confidence() -> None:
    page = page_text([line(), line(), line()], [said("12"), said(""), said("3")], 1.0)
    assert [reading.text for reading in line_readings(page, 0.5, same, 64)] == ["12", "3"]
    assert not page.says_nothing
    assert page.confidence == pytest.approx(np.prod([text.probability for text in page.texts]))
    assert page_text([line()], [said("")], 1.0).says_nothing
    assert page_text([], [], 1.0).confidence == 1.0


def test_of_an_expected_length_the_best_reading_is_taken() -> None:
    unsure = said("408", sure=1.0)
    assert [text.text for text in page_text([line()], [unsure], 1.0, 1.0, 3).texts] == ["408"]
    assert page_text([line()], [said("408")], 1.0, 1.0, 2).texts[0].text in {"40", "48", "08"}


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (5, ["4081", "7"]),  # a digit that was overlooked
        (3, ["408", ""]),  # a mark that is none
        (40, ["408", "7"]),  # more than anything could be miscounted by
        (300, ["408", "7"]),
    ],
)
def test_several_lines_have_the_expected_length_together(length: int, expected: list[str]) -> None:
    """One line was taken to have all of the digits: of two lines of six, 13 digits were one line's."""
    overlooked = said("4081")
    overlooked[(8 + 3 * 24) // STEP_WIDTH, BLANK] = 13
    mark = said("")
    mark[4] = 0
    mark[4, 7], mark[4, BLANK] = 2.0, 1.0
    page = page_text([line(), line(top=120)], [overlooked, mark], 1.0, 1.0)
    assert [text.text for text in page.texts] == ["408", "7"]
    hinted = page_text([line(), line(top=120)], [overlooked, mark], 1.0, 1.0, length)
    assert [text.text for text in hinted.texts] == expected
    again = looked_again(hinted, [1], [heard(mark, said("77"), said("77"))], 1.0, length)
    assert len(again.texts[1].text) == len(expected[1]) or length > 8


def test_of_a_page_of_many_lines_the_unsure_ones_are_counted_anew() -> None:
    lines = [line(top=40 * index) for index in range(60)]
    logits = [said("12")] * 40 + [said("03", sure=1.0)] + [said("12")] * 19
    page = page_text(lines, logits, 1.0, 1.0, 119)
    assert [text.text for text in page.texts] == ["12"] * 40 + ["0"] + ["12"] * 19


def test_lines_that_have_the_expected_length_together_are_all_kept() -> None:
    page = page_text([line(), line(top=120)], [said("12"), said("345")], 1.0, 1.0, 5)
    assert [text.text for text in page.texts] == ["12", "345"]


def test_without_lines_an_expected_length_makes_none() -> None:
    assert page_text([], [], 1.0, 1.0, 4).texts == ()


def test_a_text_hardly_likelier_than_none_is_none() -> None:
    faint = said("")
    faint[4] = 0
    faint[4, 1], faint[4, BLANK] = 2.0, 1.0
    assert page_text([line()], [faint], 1.0).texts[0].text == "1"
    page = page_text([line()], [faint], 1.0, 20.0)
    assert page.says_nothing
    assert 0 < page.confidence < 0.5
    assert line_readings(page, 0.5, same, 64) == ()
    assert page_text([line()], [said("1")], 1.0, 20.0).texts[0].text == "1"


def test_no_more_digits_than_the_limit() -> None:
    page = page_text([line(), line(), line()], [said("12"), said("345"), said("6")], 1.0)
    assert [reading.text for reading in line_readings(page, 0.5, same, 4)] == ["12", "34"]


def heard(*looks: NDArray[np.float32]) -> list[Logs]:
    return [log_probabilities(logits) for logits in looks]


def test_lines_that_are_unsure_are_looked_at_again() -> None:
    page = page_text([line(), line()], [said("12"), said("30", sure=0.5)], 1.0)
    assert unsure_lines(page) == [1]
    again = looked_again(page, [1], [heard(said("30", sure=0.5), said("38"), said("38"), said("35"))])
    assert [text.text for text in again.texts] == ["12", "38"]
    assert 0.4 < again.texts[1].probability < 0.75
    assert [digit.digit for digit in again.texts[1].digits] == [3, 8]


def test_looks_of_which_most_say_nothing_say_nothing() -> None:
    page = page_text([line()], [said("3", sure=0.5)], 1.0)
    again = looked_again(page, [0], [heard(said(""), said(""), said(""), said("3"))])
    assert again.says_nothing
    assert again.texts[0].probability > 0.7


@pytest.mark.parametrize(("silent", "text"), [(0, "12"), (1, "12"), (2, "")])
def test_what_most_looks_agree_on_is_read_though_one_sees_nothing(silent: int, text: str) -> None:
    """Nine looks of ten are sure, one sees nothing: that is nine times as probable, whatever one look must be."""
    page = page_text([line()], [said("12", sure=1.0)], 1.0)
    looks = heard(*[said("12")] * (10 - silent), *[said("")] * silent)
    again = looked_again(page, [0], [looks], 40.0)
    assert again.texts[0].text == text


def test_looks_keep_to_an_expected_length() -> None:
    page = page_text([line()], [said("30", sure=0.5)], 1.0, 1.0, 2)
    again = looked_again(page, [0], [heard(said("30", sure=0.5), said("3"), said("381"))], 1.0, 2)
    assert len(again.texts[0].text) == 2


def test_a_page_with_very_many_unsure_lines_is_not_looked_at_again() -> None:
    page = page_text([line()] * 40, [said("30", sure=0.5)] * 40, 1.0)
    assert unsure_lines(page) == []


def test_what_no_piece_of_ink_bears_out_is_not_guessed_at() -> None:
    piece = LinePiece(np.full((20, 14), 255, np.uint8), 8.0)
    lines = (line(), replace(line(), pieces=(piece,)), line(), line())
    texts = (Decoded("2", 0.4, ()), Decoded("2", 0.4, ()), Decoded("7", 0.6, ()), Decoded("", 0.3, ()))
    torn = np.log(np.full((1, BLANK + 1), 0.04)).astype(np.float32)  # two digits alike, and nothing half as likely
    torn[0, [2, 7, BLANK]] = np.log([0.4, 0.4, 0.2])
    kept = without_guesses(PageText(lines, texts, (torn,) * 4), 1.0)
    assert [text.text for text in kept.texts] == ["", "2", "7", ""]
    assert [text.probability for text in kept.texts[1:]] == pytest.approx([0.4, 0.6, 0.3])
    assert kept.texts[0].probability < 0.4  # that it is not the one digit does not make it none


def test_a_long_number_is_as_sure_as_its_digits() -> None:
    def sure(*texts: tuple[str, float]) -> float:
        return PageText((), tuple(Decoded(text, probability, ()) for text, probability in texts), ()).surety

    assert sure(("12345678", 0.36)) == pytest.approx(0.6)
    assert sure(("1234", 0.6)) == sure(("1", 0.6)) == pytest.approx(0.6)
    assert sure(("12345678", 0.36), ("1", 0.6)) == pytest.approx(0.6)
    assert sure(("12345678", 0.1)) > sure(("1", 0.11))
    assert sure() == 1.0
