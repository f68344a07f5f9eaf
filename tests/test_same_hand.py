"""Digits in doubt, beside others of their page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from app.alignment import BLANK, AlignedDigit, Logs
from app.calibration import NON_DIGIT
from app.ctc import Decoded
from app.deadline import Deadline
from app.domain import Polarity
from app.imaging.glyph import normalise_glyph
from app.imaging.line import LINE_HEIGHT, STEP_WIDTH, LineImage
from app.line_reading import PageText
from app.page_reader import PageReader
from app.reader import Reader
from app.same_hand import in_one_hand, lines_in_doubt, written_digits
from app.stages import Stages
from tests.images import draw_number
from tests.readers import InkReader
from tests.samples.draw import pen_number

_PITCH = 12
SURE, UNSURE = 0.99, 0.55


def drawn(text: str) -> LineImage:
    """A line of digits as a pen writes them, one every 24 pixels."""
    pixels = np.zeros((LINE_HEIGHT, STEP_WIDTH * _PITCH * (len(text) + 1)), np.uint8)
    for place, digit in enumerate(text, start=1):
        ink = 255 - pen_number(digit, 24, 3)
        ink = np.where(ink > 80, ink, 0).astype(np.uint8)
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        left = STEP_WIDTH * _PITCH * place - ink.shape[1] // 2
        pixels[: len(ink), left : left + ink.shape[1]] = ink
    return LineImage(pixels, np.eye(2, 3), pixels.shape)


def said(text: str, doubtful: int | None = None) -> Decoded:
    """What a reader makes of such a line, in doubt of the digit at one place."""
    digits = tuple(
        AlignedDigit(int(digit), UNSURE if place == doubtful else SURE, _PITCH * (place + 1), _PITCH * (place + 1) + 1)
        for place, digit in enumerate(text)
    )
    return Decoded(text, UNSURE if doubtful is not None else SURE, digits)


def opinion(likelier: str, other: str) -> NDArray[np.float64]:
    """What the glyph network says that holds one of two digits likelier, which is not enough by itself."""
    probabilities = np.full((1, NON_DIGIT + 1), 1e-4)
    probabilities[0, [int(likelier), int(other)]] = 0.85, 0.15
    return probabilities


def look(text: str, place: int, shares: Mapping[str, float]) -> Logs:
    """What a look says of such a line, (t, 11): a text, of which one digit may be each of several ones."""
    probabilities = np.full((_PITCH * (len(text) + 2), BLANK + 1), 1e-6)
    probabilities[:, BLANK] = 1.0
    for index, digit in enumerate(text):
        step = probabilities[_PITCH * (index + 1)]
        for one, share in shares.items() if index == place else {digit: 0.99}.items():
            step[int(one)] = share
        step[BLANK] = 1e-3
    return np.asarray(np.log(probabilities / probabilities.sum(axis=1, keepdims=True)))


def compared(
    shown: list[str],
    read: list[Decoded],
    place: tuple[int, int],
    likelier: str,
    other: str,
    torn: Sequence[float] = (0.55, 0.45),
) -> PageText:
    """What becomes of a page with one digit in doubt: the reader is torn between it and what else it may be."""
    page = PageText(tuple(drawn(text) for text in shown), tuple(read), ())
    written = written_digits(page)
    text = read[place[0]].text
    instead = other if text[place[1]] == likelier else likelier
    shares = dict(zip((text[place[1]], instead), torn, strict=True))
    looks = {place[0]: [look(text, place[1], shares)]}
    return in_one_hand(page, written, [written.places.index(place)], opinion(likelier, other), looks)


@pytest.mark.parametrize(("own", "other"), [("7", "1"), ("8", "3"), ("5", "6"), ("9", "4"), ("2", "3")])
def test_a_digit_like_the_sure_ones_of_another_class_is_one_of_them(own: str, other: str) -> None:
    shown = [f"{own}{other}0", f"0{own}"]
    page = compared(shown, [said(shown[0]), said(f"0{other}", doubtful=1)], (1, 1), own, other)
    assert [text.text for text in page.texts] == shown
    changed = page.texts[1].digits[1]
    assert 0.5 < changed.confidence < 1
    assert changed.first == _PITCH * 2
    assert page.texts[1].probability == pytest.approx(changed.confidence)


def test_on_one_line_as_well() -> None:
    page = compared(["7170"], [said("7110", doubtful=2)], (0, 2), "7", "1")
    assert page.texts[0].text == "7170"


@pytest.mark.parametrize(("own", "other"), [("7", "1"), ("8", "3"), ("5", "6")])
def test_a_digit_that_is_read_right_stays(own: str, other: str) -> None:
    shown = [f"{own}{other}0", f"0{own}"]
    read = [said(shown[0]), said(shown[1], doubtful=1)]
    assert compared(shown, read, (1, 1), other, own).texts == tuple(read)


def test_a_digit_that_the_looks_are_sure_of_stays() -> None:
    shown = ["870", "07"]
    read = [said(shown[0]), said("08", doubtful=1)]
    assert compared(shown, read, (1, 1), "7", "8", (0.6, 0.4)).texts[1].text == "07"
    assert compared(shown, read, (1, 1), "7", "8", (0.999, 1e-6)).texts[1].text == "08"


@pytest.mark.parametrize(("second", "becomes"), [((1e-3, 0.9), "07"), ((0.999, 1e-6), "01")])
def test_all_looks_count_by_how_probable_they_make_the_text(second: tuple[float, float], becomes: str) -> None:
    """One look is torn; another one is sure, or sees something else altogether."""
    page = PageText((drawn("170"), drawn("07")), (said("170"), said("01", doubtful=1)), ())
    written = written_digits(page)
    torn, other = (look("01", 1, dict(zip("17", shares, strict=True))) for shares in ((0.5, 0.4), second))
    for looks in ([torn, other], [other, torn]):
        read = in_one_hand(page, written, [written.places.index((1, 1))], opinion("1", "7"), {1: looks})
        assert read.texts[1].text == becomes


def test_looks_that_hardly_say_a_text_count_for_little() -> None:
    """Of thirty more that see a 9 there, what little else they see is no 7."""
    page = PageText((drawn("170"), drawn("07")), (said("170"), said("01", doubtful=1)), ())
    written = written_digits(page)
    torn, elsewhere = look("01", 1, {"1": 0.5, "7": 0.4}), look("01", 1, {"9": 0.99, "1": 0.01, "7": 1e-6})
    looks = {1: [torn, *[elsewhere] * 30]}
    read = in_one_hand(page, written, [written.places.index((1, 1))], opinion("7", "1"), looks)
    assert read.texts[1].text == "07"


def test_a_text_that_the_looks_hardly_say_stays() -> None:
    """The glyph network changed it: what else they see there would be taken for another digit."""
    page = PageText((drawn("870"), drawn("08")), (said("870"), said("07", doubtful=1)), ())
    written = written_digits(page)
    longer = look("017", 2, {"7": 1e-3, "8": 0.99})
    read = in_one_hand(page, written, [written.places.index((1, 1))], opinion("8", "7"), {1: [longer]})
    assert read.texts[1].text == "07"


@pytest.mark.parametrize("first", ["70", "10"])
def test_a_page_that_shows_but_one_of_both_digits_tells_nothing(first: str) -> None:
    read = [said(first), said("01", doubtful=1)]
    assert compared([first, "07"], read, (1, 1), "7", "1").texts == tuple(read)


def test_digits_that_are_unsure_themselves_are_no_witnesses() -> None:
    first = Decoded("71", 0.3, tuple(AlignedDigit(d.digit, 0.6, d.first, d.last) for d in said("71").digits))
    read = [first, said("01", doubtful=1)]
    assert compared(["71", "07"], read, (1, 1), "7", "1").texts == tuple(read)


def test_only_unsure_lines_that_were_looked_at_again_are_compared() -> None:
    read = (said("710"), said("01", doubtful=1), Decoded("", 0.4, ()), said("44", doubtful=0))
    page = PageText(tuple(drawn(text) for text in ("710", "07", "", "44")), read, ())
    assert lines_in_doubt(page, {1: [], 2: []}) == [1]
    assert lines_in_doubt(page, {}) == []


def test_a_lone_digit_and_a_very_long_page_are_not_compared() -> None:
    lone = PageText((drawn("7"),), (said("7", doubtful=0),), ())
    assert lines_in_doubt(lone, {0: []}) == []
    many = PageText((drawn("7"),) * 300, (said("7", doubtful=0),) * 300, ())
    assert lines_in_doubt(many, {0: []}) == []


def test_what_is_written_has_a_glyph_of_each_digit() -> None:
    page = PageText((drawn("40"), drawn("7")), (said("40"), said("7")), ())
    written = written_digits(page)
    assert written.places == [(0, 0), (0, 1), (1, 0)]
    assert written.of([1]) == [2]
    for index, digit in enumerate("407"):
        ink = drawn(digit).pixels
        columns = np.flatnonzero(ink.any(axis=0))
        rows = np.flatnonzero(ink.any(axis=1))
        expected = normalise_glyph(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
        assert np.abs(written.glyphs[index].astype(int) - expected).mean() < 3


def test_where_there_is_no_ink_nothing_is_written() -> None:
    blank = LineImage(np.zeros_like(drawn("40").pixels), np.eye(2, 3), (32, 72))
    written = written_digits(PageText((blank,), (said("40", doubtful=0),), ()))
    assert written.places == []
    assert written.of([0]) == []


def test_a_page_is_read_so() -> None:
    """A reader that is torn at the third of four digits, and a glyph network that holds 7 likelier there."""

    def marks(place: int) -> Mapping[int, float]:
        return {7: 0.0, 1: 1.0} if place == 2 else {int("7170"[place]): 8.0}

    def glyphs_say(glyphs: NDArray[np.uint8], *_: object) -> NDArray[np.float64]:
        return np.repeat(opinion("7", "1"), len(glyphs), axis=0)

    pages = PageReader(Reader(InkReader(marks), 1.0, 0.5, 1.0), None, glyphs_say)
    grey = draw_number("7170", 60)
    read, confidence = pages.read(grey, Polarity.DARK_ON_LIGHT, None, 20, Stages(), Deadline(5.0))
    assert [text.text for text in read.texts] == ["7170"]
    assert 0 < confidence < 1
