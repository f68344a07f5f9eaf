"""Lines that the readers are unsure of, compared digit by digit with what the glyph network makes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from app.alignment import BLANK, Logs
from app.calibration import NON_DIGIT
from app.ctc import Decoded, likeliest
from app.deadline import Deadline
from app.digit_by_digit import comparable_lines, compared, digit_glyphs
from app.domain import Polarity
from app.imaging.line import LINE_HEIGHT, STEP_WIDTH, LineImage, LinePiece
from app.line_reading import PageText
from app.page_reader import PageReader
from app.reader import Reader
from app.stages import Stages
from tests.images import draw_number
from tests.readers import InkReader

_PITCH = 8


def look(*shares: dict[int, float]) -> Logs:
    """What a look says of a line on which each digit may be one of some, which have these shares: (t, 11)."""
    probabilities = np.full((_PITCH * (len(shares) + 1), BLANK + 1), 1e-6)
    probabilities[:, BLANK] = 1.0
    for place, own in enumerate(shares, start=1):
        row = probabilities[_PITCH * place]
        row[BLANK] = 1e-6
        for digit, share in own.items():
            row[digit] = share
    return np.asarray(np.log(probabilities / probabilities.sum(axis=1, keepdims=True)))


def line(count: int) -> LineImage:
    """A line with so many digits, bars 20 high, each a piece."""
    pixels = np.zeros((LINE_HEIGHT, STEP_WIDTH * _PITCH * (count + 1)), np.uint8)
    pieces = []
    for place in range(1, count + 1):
        middle = STEP_WIDTH * _PITCH * place
        pixels[6:26, middle - 2 : middle + 3] = 255
        pieces.append(LinePiece(np.full((20, 5), 255, np.uint8), float(middle)))
    return LineImage(pixels, np.eye(2, 3), (100, 200), tuple(pieces))


def read(own: Logs, length: int | None = None) -> Decoded:
    return likeliest(own, length).with_digits(own)


def page(own: Logs, count: int) -> PageText:
    return PageText((line(count),), (read(own),), ())


def sure_of(*classes: int, sure: float = 0.98) -> NDArray[np.float64]:
    """The probabilities of two glyphs of each digit."""
    probabilities = np.full((len(classes), NON_DIGIT + 1), (1 - sure) / NON_DIGIT)
    probabilities[np.arange(len(classes)), classes] = sure
    return np.repeat(probabilities, 2, axis=0)


TORN = look({4: 0.98}, {1: 0.55, 7: 0.45}, {2: 0.98})


def test_where_the_readers_are_torn_the_glyphs_decide() -> None:
    torn = read(TORN)
    assert torn.text == "412"
    said = compared(torn, [TORN, TORN], sure_of(4, 7, 2))
    assert said.text == "472"
    assert said.probability > torn.probability
    assert [digit.digit for digit in said.digits] == [4, 7, 2]
    assert [digit.first for digit in said.digits] == [digit.first for digit in torn.digits]
    said = compared(torn, [TORN, TORN], sure_of(4, 1, 2))
    assert said.text == "412"
    assert said.probability > torn.probability


def test_glyphs_that_know_nothing_change_nothing() -> None:
    torn = read(TORN)
    said = compared(torn, [TORN], np.full((6, 11), 1 / 11))
    assert said.text == "412"
    assert said.probability == pytest.approx(torn.probability, abs=0.01)


def test_of_an_expected_length_the_probability_remains_that_among_texts_of_it() -> None:
    """It became that among all texts: a digit less sure, or rejected, for want of an opinion."""
    faint = look({4: 0.98}, {BLANK: 0.6, 1: 0.3, 7: 0.1}, {2: 0.98})
    torn = read(faint, 3)
    assert torn.text == "412"
    assert torn.probability == pytest.approx(0.75, abs=0.01)
    said = compared(torn, [faint, faint], np.full((6, 11), 1 / 11), of_its_length=True)
    assert said.text == "412"
    assert said.probability == pytest.approx(torn.probability, abs=0.01)
    assert compared(torn, [faint], sure_of(4, 7, 2), of_its_length=True).text == "472"


def test_a_digit_that_no_look_thinks_possible_is_not_read() -> None:
    assert compared(read(TORN), [TORN], sure_of(4, 5, 2)).text == "412"


def test_two_digits_may_both_be_others() -> None:
    own = look({3: 0.6, 8: 0.4}, {1: 0.6, 7: 0.4})
    assert compared(read(own), [own], sure_of(8, 7)).text == "87"


def test_a_digit_that_the_glyphs_deny_is_doubted_before_those_that_are_merely_unsure() -> None:
    own = look(*[{1: 0.9, 4: 0.1}] * 8, {3: 0.93, 8: 0.07})
    assert compared(read(own), [own], sure_of(5, *[1] * 7, 8, sure=0.9999)).text == "111111118"


def test_a_text_that_the_line_has_no_room_for_is_not_read() -> None:
    """Twice the same digit needs a blank between, and so three steps; a wider look has them."""
    steps = np.full((2, BLANK + 1), 1e-6)
    steps[0, [4, 7]] = 0.6, 0.4
    steps[1, 7] = 1.0
    narrow = np.asarray(np.log(steps / steps.sum(axis=1, keepdims=True)))
    wide = look({7: 0.98}, {7: 0.98})
    assert read(narrow).text == "47"
    said = compared(read(narrow), [narrow, wide], sure_of(7, 7))
    assert said.text == "47"
    assert len(said.digits) == 2


def test_lines_that_are_unsure_are_asked_about_whose_pieces_are_their_digits() -> None:
    torn = page(TORN, 3)
    assert comparable_lines(torn, {0: [TORN]}) == [0]
    assert comparable_lines(torn, {}) == []  # it was not looked at again
    assert comparable_lines(replace(torn, lines=(line(2),)), {0: [TORN]}) == []  # two digits touch
    first, _, third = line(3).pieces
    bracket = replace(line(3), pieces=(first, third, replace(third, middle=third.middle + 20)))
    assert comparable_lines(replace(torn, lines=(bracket,)), {0: [TORN]}) == []  # as many pieces, but elsewhere
    sure = look({4: 0.98}, {7: 0.98}, {2: 0.98})
    assert comparable_lines(page(sure, 3), {0: [sure]}) == []
    lone = look({1: 0.55, 7: 0.45})
    assert comparable_lines(page(lone, 1), {0: [lone]}) == []  # which the glyph network is asked about otherwise
    long = look(*[{1: 0.55, 7: 0.45}] * 21)
    assert comparable_lines(page(long, 21), {0: [long]}) == []  # which would take long


def test_a_digit_is_seen_as_its_piece_and_as_what_stands_on_the_line() -> None:
    torn = read(TORN)
    pixels = line(3).pixels.copy()
    pixels[14:18] = 0  # all strokes are broken, and their lower parts lost
    lower = tuple(LinePiece(np.full((8, 5), 255, np.uint8), piece.middle) for piece in line(3).pieces)
    parted = digit_glyphs(replace(line(3), pixels=pixels, pieces=lower), torn)
    assert digit_glyphs(line(3), torn).shape == parted.shape == (6, 28, 28)
    of_piece, on_line = (np.flatnonzero(glyph.any(axis=1)) for glyph in parted[:2])
    assert len(of_piece) == np.ptp(of_piece) + 1
    assert len(on_line) < np.ptp(on_line) + 1  # with the gap of the broken stroke
    blank = digit_glyphs(replace(line(3), pixels=np.zeros_like(pixels)), torn)
    assert (blank[::2] == blank[1::2]).all()


def test_a_page_asks_the_glyph_network_about_the_digits_of_a_line_in_doubt() -> None:
    asked: list[int] = []

    def opinion(glyphs: NDArray[np.uint8], _: Stages, __: Deadline) -> NDArray[np.float64]:
        asked.append(len(glyphs))
        return sure_of(4, 7, 2)[:: 6 // len(glyphs)]  # two views of each digit, then one beside the page's others

    torn = InkReader(({4: 0.2}, {1: 0.2, 7: 0.0}, {2: 0.2}).__getitem__)
    pages = PageReader(Reader(torn, 1.0, 0.5, 1.0), None, opinion)
    said, _ = pages.read(draw_number("472"), Polarity.AUTO, None, 100, Stages(), Deadline(60))
    assert [text.text for text in said.texts] == ["472"]
    assert asked == [6, 3]
