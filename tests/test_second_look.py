"""A second look at digits that the glyph network is unsure of."""

from __future__ import annotations

import time
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.alignment import BLANK
from app.calibration import LABELS, NON_DIGIT
from app.deadline import Deadline
from app.domain import STAGES
from app.errors import DeadlineExceeded
from app.imaging.line import LINE_HEIGHT, STEP_WIDTH, digit_line
from app.imaging.looks import other_digit_looks
from app.reader import Reader
from app.recogniser import Limits, Recogniser
from app.runner import InterpreterPool
from app.second_look import agreed, is_unsure, other_glyphs, reader_probabilities
from tests.samples.draw import pen_number


def torn(sure: float, digit: int = 4, other: int = 9) -> NDArray[np.float64]:
    """Probabilities, (11,), of a digit that may be another; the rest is shared by all the others."""
    probabilities = np.full(len(LABELS), 1e-4)
    probabilities[digit] = sure
    probabilities[other] = 1 - probabilities.sum() + probabilities[other]
    return probabilities


class Fixed:
    """A network of glyphs that always says the same; it counts what it is asked."""

    def __init__(self, probabilities: NDArray[np.float64], seconds: float = 0.0) -> None:
        self._seconds = seconds
        self._logits = np.log(probabilities).astype(np.float32)
        self.asked = 0

    def logits(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        time.sleep(self._seconds)
        self.asked += len(glyphs)
        return np.tile(self._logits, (len(glyphs), 1))


class FixedReader:
    """A line reader that reads one text of every line, whatever it shows; it counts the lines."""

    def __init__(self, text: str, seconds: float = 0.0) -> None:
        self._text = text
        self._seconds = seconds
        self.asked = 0

    def logits(self, lines: NDArray[np.uint8]) -> NDArray[np.float32]:
        time.sleep(self._seconds)
        self.asked += len(lines)
        logits = np.zeros((len(lines), lines.shape[2] // STEP_WIDTH, BLANK + 1), np.float32)
        logits[..., BLANK] = 12
        for place, digit in enumerate(self._text):
            logits[:, 2 + 3 * place] = 0
            logits[:, 2 + 3 * place, int(digit)] = 12
        return logits


def png(text: str) -> bytes:
    return cv2.imencode(".png", pen_number(text, 40, 5))[1].tobytes()


@pytest.fixture
def made() -> Iterator[list[Recogniser]]:
    recognisers: list[Recogniser] = []
    yield recognisers
    for one in recognisers:
        one.close()


def recogniser(made: list[Recogniser], glyphs: Fixed, reader: FixedReader | None) -> Recogniser:
    lines = Reader(InterpreterPool([reader]), 1.0, 0.5, 1.0) if reader else None
    limits = Limits(max_pixels=10**6, max_digits=64, timeout_s=60)
    made.append(Recogniser(InterpreterPool([glyphs]), 1.0, 0.5, limits, lines))
    return made[-1]


def test_the_line_reader_settles_what_the_glyph_network_is_torn_about(made: list[Recogniser]) -> None:
    glyphs, reader = Fixed(torn(0.55)), FixedReader("9")
    prediction = recogniser(made, glyphs, reader).predict(png("9"))
    assert prediction.digit == 9
    assert prediction.confidence > 0.9
    assert sum(prediction.probabilities) + prediction.non_digit_probability == pytest.approx(1)
    assert reader.asked == 1


def test_a_digit_that_is_sure_is_not_looked_at_again(made: list[Recogniser]) -> None:
    glyphs, reader = Fixed(torn(0.97)), FixedReader("9")
    prediction = recogniser(made, glyphs, reader).predict(png("4"))
    assert prediction.digit == 4
    assert prediction.confidence == pytest.approx(0.97, abs=1e-6)
    assert (glyphs.asked, reader.asked) == (1, 0)


def test_what_is_surely_no_digit_is_not_looked_at_again(made: list[Recogniser]) -> None:
    glyphs, reader = Fixed(torn(0.97, NON_DIGIT)), FixedReader("9")
    prediction = recogniser(made, glyphs, reader).predict(png("4"))
    assert prediction.rejected
    assert (glyphs.asked, reader.asked) == (1, 0)


def test_without_a_line_reader_the_glyph_network_looks_again_alone(made: list[Recogniser]) -> None:
    glyphs = Fixed(torn(0.6))
    prediction = recogniser(made, glyphs, None).predict(png("4"))
    assert prediction.digit == 4
    assert prediction.confidence == pytest.approx(0.6, abs=1e-3)
    assert glyphs.asked > 1


def test_no_time_of_a_second_look_is_counted_twice(made: list[Recogniser]) -> None:
    timings = recogniser(made, Fixed(torn(0.6), 0.02), FixedReader("9", 0.02)).predict(png("9")).timings
    assert timings.inference > 59  # the glyph, its other looks, the line
    assert sum(getattr(timings, stage) for stage in STAGES) <= timings.total + 0.01


def test_a_second_look_ends_at_the_deadline(made: list[Recogniser]) -> None:
    with pytest.raises(DeadlineExceeded):
        recogniser(made, Fixed(torn(0.6), 0.1), None).predict(png("9"), deadline=Deadline(0.15))


@pytest.mark.parametrize("strength", [3, 40, 255])
def test_faint_parts_of_a_digit_are_in_every_look(strength: int) -> None:
    """A 9 of which the pen hardly wrote the stem was a 0 in every look but the first."""
    ink = np.zeros((60, 36), np.uint8)
    cv2.ellipse(ink, (18, 16), (14, 13), 0, 0, 360, 230, 4)
    cv2.line(ink, (31, 16), (28, 59), strength, 4)
    heights = [look.shape[0] for look in other_digit_looks(ink)]
    assert min(heights) >= 54


def test_ink_of_nothing_has_looks() -> None:
    assert not other_glyphs(np.zeros((12, 9), np.uint8)).any()


def test_two_digits_read_as_a_line_are_no_digit() -> None:
    (logits,) = FixedReader("47").logits(np.zeros((1, LINE_HEIGHT, 64), np.uint8))
    probabilities = reader_probabilities(logits, 1.0)
    assert probabilities.shape == (len(LABELS),)
    assert probabilities.argmax() == NON_DIGIT
    assert probabilities.sum() == pytest.approx(1)


def test_nothing_read_of_a_line_is_no_digit() -> None:
    (logits,) = FixedReader("").logits(np.zeros((1, LINE_HEIGHT, 64), np.uint8))
    assert reader_probabilities(logits, 1.0)[NON_DIGIT] > 0.99


def test_opinions_of_one_network_weigh_no_more_for_their_number() -> None:
    nines = np.tile(torn(0.3), (7, 1))
    fours = torn(0.7)[np.newaxis]
    together = agreed([nines, fours])
    assert together[4] == pytest.approx(together[9], rel=0.01)
    assert together.sum() == pytest.approx(1)


def test_the_weightier_opinion_prevails_and_less_weight_is_less_sure() -> None:
    nine, four = torn(0.1)[np.newaxis], torn(0.8)[np.newaxis]
    assert agreed([nine, four], (1.0, 0.2)).argmax() == 9
    assert agreed([nine, four], (0.2, 1.0)).argmax() == 4
    assert agreed([four, four], (1.0, 1.0)).max() > agreed([four, four]).max() > agreed([four, four], (0.2, 0.2)).max()


def test_no_digit_may_be_likelier_or_less_likely_than_the_opinions_say() -> None:
    even = np.full((1, len(LABELS)), 1 / len(LABELS))
    assert agreed([even, even], non_digit=-1.0).argmin() == NON_DIGIT
    assert agreed([even, even], non_digit=1.0).argmax() == NON_DIGIT


def test_one_opinion_alone_is_taken_as_it_is() -> None:
    assert agreed([torn(0.7)[np.newaxis]], (0.2, 0.9)) == pytest.approx(torn(0.7))


def test_an_opinion_that_rules_a_digit_out_can_be_outweighed() -> None:
    never, sure = np.zeros((1, len(LABELS))), np.zeros((1, len(LABELS)))
    never[0, 4], sure[0, 9] = 1.0, 1.0
    together = agreed([never, sure, sure], (1 / 3, 1 / 3, 1 / 3))
    assert np.isfinite(together).all()
    assert together.argmax() == 9


@pytest.mark.parametrize(("most", "unsure"), [(0.94, True), (0.96, False)])
def test_from_a_certain_probability_on_an_answer_is_sure(most: float, unsure: bool) -> None:
    assert is_unsure(torn(most)) == unsure


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (40, 2), (24, 16), (3, 2_000)])
def test_looks_at_ink_of_any_shape_are_crops_with_ink(size: tuple[int, int]) -> None:
    ink = np.full(size, 200, np.uint8)
    looks = other_digit_looks(ink)
    for look in looks:
        inked = look > 0
        assert all(edge.any() for edge in (inked[0], inked[-1], inked[:, 0], inked[:, -1]))
    assert other_glyphs(ink).shape == (len(looks), 28, 28)


def test_large_ink_is_looked_at_as_small_ink_is() -> None:
    large = np.uint8(255) - pen_number("4", 960, 110)
    small = cv2.resize(large, None, fx=1 / 16, fy=1 / 16, interpolation=cv2.INTER_AREA)
    assert max(look.size for look in other_digit_looks(large)) < 100 * 100
    difference = other_glyphs(large).astype(int) - other_glyphs(np.asarray(small, np.uint8))
    assert np.abs(difference).mean() < 8


def test_looks_differ_from_each_other_and_from_the_ink() -> None:
    glyphs = other_glyphs(255 - pen_number("4", 40, 5))
    assert len(np.unique(glyphs.reshape(len(glyphs), -1), axis=0)) == len(glyphs)


def test_the_line_of_a_digit_has_it_as_high_as_lines_have_their_digits() -> None:
    line = digit_line(np.full((50, 30), 255, np.uint8))
    assert line.shape[0] == LINE_HEIGHT
    rows, columns = np.flatnonzero(line.max(axis=1) > 127), np.flatnonzero(line.max(axis=0) > 127)
    assert len(rows) == pytest.approx(23, abs=1)
    assert len(columns) == pytest.approx(23 * 30 / 50, abs=1)
    assert columns[0] > 0
    assert rows[0] == pytest.approx((LINE_HEIGHT - 23) / 2, abs=1)
