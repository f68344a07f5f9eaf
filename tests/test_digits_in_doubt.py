"""Digits in doubt: what else is said of them, and others of their page."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future

import numpy as np
import pytest
from numpy.typing import NDArray

from app.alignment import AlignedDigit
from app.calibration import DIGITS, NON_DIGIT
from app.ctc import Decoded
from app.deadline import Deadline
from app.digits_in_doubt import decided, lines_in_doubt, places_of, written_digits
from app.domain import Polarity
from app.imaging.glyph import normalise_glyph
from app.imaging.line import LINE_HEIGHT, STEP_WIDTH, LineImage
from app.imaging.places import place_views
from app.line_reading import PageText
from app.page_reader import PageReader
from app.place_reader import PlaceReader
from app.reader import Reader
from app.runner import Logits
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


def compared(shown: list[str], read: list[Decoded], place: tuple[int, int], likelier: str, other: str) -> PageText:
    page = PageText(tuple(drawn(text) for text in shown), tuple(read), ())
    written = written_digits(page)
    return decided(page, written, [written.places.index(place)], opinion(likelier, other))


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


def place_opinion(likelier: str, other: str, share: float) -> NDArray[np.float64]:
    """What the place reader says that is torn between two digits."""
    probabilities = np.full((1, DIGITS), 1e-6)
    probabilities[0, [int(likelier), int(other)]] = share, 1 - share
    return probabilities


def decided_with_places(read: Decoded, glyph: str, place: str, other: str, share: float = 0.999) -> str:
    """What becomes of the last digit of "07", which nothing else of the page is like, if two networks say so."""
    page = PageText((drawn("07"),), (read,), ())
    written = written_digits(page)
    return decided(page, written, [1], opinion(glyph, other), place_opinion(place, other, share)).texts[0].text


def test_what_both_networks_say_is_believed_of_a_digit_that_nothing_else_is_like() -> None:
    assert decided_with_places(said("01", doubtful=1), "7", "7", "1") == "07"


def test_what_neither_says_is_not() -> None:
    assert decided_with_places(said("01", doubtful=1), "1", "1", "7") == "01"


def test_a_place_reader_that_is_unsure_itself_changes_nothing() -> None:
    assert decided_with_places(said("01", doubtful=1), "7", "7", "1", share=0.55) == "01"


def test_a_sure_digit_takes_more_than_one_in_doubt() -> None:
    sure = Decoded("01", UNSURE, tuple(AlignedDigit(d.digit, 0.9999, d.first, d.last) for d in said("01").digits))
    torn = {share: decided_with_places(sure, "7", "7", "1", share) for share in (0.9, 0.9999)}
    doubted = {share: decided_with_places(said("01", 1), "7", "7", "1", share) for share in (0.9, 0.9999)}
    assert torn[0.9] == "01"
    assert doubted[0.9999] == "07"
    assert list(torn.values()).count("07") <= list(doubted.values()).count("07")


def test_the_place_reader_is_shown_the_digits_in_doubt_where_they_stand() -> None:
    page = PageText((drawn("40"), drawn("7")), (said("40"), said("7")), ())
    written = written_digits(page)
    shown = places_of(page, written, [1, 2])
    assert np.array_equal(shown[:1], place_views(page.lines[0].pixels, [written.spans[1]]))
    assert np.array_equal(shown[1:], place_views(page.lines[1].pixels, [written.spans[2]]))
    assert np.array_equal(shown[:, :, :, 0], written.glyphs[[1, 2]])


def test_a_page_is_read_with_a_place_reader() -> None:
    """A reader that is torn between 1 and 7 at its third digit, and a place reader that is not."""

    class RightReader:
        asked = 0

        def submit(self, places: NDArray[np.uint8]) -> Future[Logits]:
            RightReader.asked += len(places)
            logits = 9 * np.eye(DIGITS, dtype=np.float32)[[4, 0, 7, 0]]
            future: Future[Logits] = Future()
            future.set_result(Logits(logits, 0.0, 1.0))
            return future

        def close(self) -> None:
            RightReader.asked = -1

    def marks(place: int) -> Mapping[int, float]:
        return {7: 0.0, 1: 0.5} if place == 2 else {int("4070"[place]): 8.0}

    def glyphs_say(glyphs: NDArray[np.uint8], *_: object) -> NDArray[np.float64]:
        return np.full((len(glyphs), NON_DIGIT + 1), 1 / (NON_DIGIT + 1))

    pages = PageReader(Reader(InkReader(marks), 1.0, 0.5, 1.0), None, glyphs_say, PlaceReader(RightReader(), 1.0))
    read, _ = pages.read(draw_number("4070", 60), Polarity.DARK_ON_LIGHT, None, 20, Stages(), Deadline(5.0))
    assert [text.text for text in read.texts] == ["4070"]
    assert RightReader.asked == 4
    pages.close()
    assert RightReader.asked == -1
