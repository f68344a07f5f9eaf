"""Lines that the readers are unsure of, compared digit by digit with what the glyph network makes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from app.alignment import BLANK, Logs
from app.calibration import NON_DIGIT
from app.ctc import likeliest
from app.digit_by_digit import comparable_lines, compared, digit_glyphs
from app.imaging.line import LINE_HEIGHT, STEP_WIDTH, LineImage, LinePiece
from app.line_reading import PageText

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


def page(own: Logs, count: int) -> PageText:
    return PageText((line(count),), (likeliest(own).with_digits(own),), ())


def sure_of(*classes: int, sure: float = 0.98) -> NDArray[np.float64]:
    """The probabilities of two glyphs of each digit."""
    probabilities = np.full((len(classes), NON_DIGIT + 1), (1 - sure) / NON_DIGIT)
    probabilities[np.arange(len(classes)), classes] = sure
    return np.repeat(probabilities, 2, axis=0)


TORN = look({4: 0.98}, {1: 0.55, 7: 0.45}, {2: 0.98})


def test_where_the_readers_are_torn_the_glyphs_decide() -> None:
    torn = page(TORN, 3)
    assert torn.texts[0].text == "412"
    (said,) = compared(torn, [0], {0: [TORN, TORN]}, sure_of(4, 7, 2)).texts
    assert said.text == "472"
    assert said.probability > torn.texts[0].probability
    assert [digit.digit for digit in said.digits] == [4, 7, 2]
    assert [digit.first for digit in said.digits] == [digit.first for digit in torn.texts[0].digits]
    (said,) = compared(torn, [0], {0: [TORN, TORN]}, sure_of(4, 1, 2)).texts
    assert said.text == "412"
    assert said.probability > torn.texts[0].probability


def test_glyphs_that_know_nothing_change_nothing() -> None:
    torn = page(TORN, 3)
    (said,) = compared(torn, [0], {0: [TORN]}, np.full((6, 11), 1 / 11)).texts
    assert said.text == "412"
    assert said.probability == pytest.approx(torn.texts[0].probability, abs=0.01)


def test_a_digit_that_no_look_thinks_possible_is_not_read() -> None:
    torn = page(TORN, 3)
    (said,) = compared(torn, [0], {0: [TORN]}, sure_of(4, 5, 2)).texts
    assert said.text == "412"


def test_two_digits_may_both_be_others() -> None:
    own = look({3: 0.6, 8: 0.4}, {1: 0.6, 7: 0.4})
    (said,) = compared(page(own, 2), [0], {0: [own]}, sure_of(8, 7)).texts
    assert said.text == "87"


def test_of_several_lines_each_has_its_own_glyphs() -> None:
    other = look({5: 0.6, 6: 0.4}, {9: 0.98})
    pages = PageText((line(3), line(2)), (*page(TORN, 3).texts, *page(other, 2).texts), ())
    opinions = np.concatenate([sure_of(4, 7, 2), sure_of(6, 9)])
    assert [text.text for text in compared(pages, [0, 1], {0: [TORN], 1: [other]}, opinions).texts] == ["472", "69"]


def test_lines_that_are_unsure_are_asked_about_whose_pieces_are_their_digits() -> None:
    torn = page(TORN, 3)
    assert comparable_lines(torn, {0: [TORN]}) == [0]
    assert comparable_lines(torn, {}) == []  # it was not looked at again
    assert comparable_lines(replace(torn, lines=(line(2),)), {0: [TORN]}) == []  # two digits touch
    sure = look({4: 0.98}, {7: 0.98}, {2: 0.98})
    assert comparable_lines(page(sure, 3), {0: [sure]}) == []
    lone = look({1: 0.55, 7: 0.45})
    assert comparable_lines(page(lone, 1), {0: [lone]}) == []  # which the glyph network is asked about otherwise


def test_a_digit_is_seen_as_its_piece_and_as_what_stands_on_the_line() -> None:
    torn = page(TORN, 3)
    pixels = torn.lines[0].pixels.copy()
    pixels[14:18] = 0  # all strokes are broken, and their lower parts lost
    lower = tuple(LinePiece(np.full((8, 5), 255, np.uint8), piece.middle) for piece in torn.lines[0].pieces)
    broken = replace(torn, lines=(replace(torn.lines[0], pixels=pixels, pieces=lower),))
    whole, parted = (digit_glyphs(one, [0]) for one in (torn, broken))
    assert whole.shape == parted.shape == (6, 28, 28)
    assert whole.any(axis=(1, 2)).all()
    gap = parted[1].any(axis=1)  # the rows of the first digit on the line
    assert not gap[np.flatnonzero(gap)[0] : np.flatnonzero(gap)[-1]].all()
    assert parted[0].any(axis=1).sum() < gap.sum() or parted[0].any(axis=0).sum() > parted[1].any(axis=0).sum()
    blank = replace(torn, lines=(replace(torn.lines[0], pixels=np.zeros_like(pixels)),))
    assert (digit_glyphs(blank, [0])[::2] == digit_glyphs(blank, [0])[1::2]).all()


def test_a_text_that_the_line_has_no_room_for_is_not_read() -> None:
    """Twice the same digit needs a blank between, and so three steps."""
    steps = np.full((2, BLANK + 1), 1e-6)
    steps[0, [4, 7]] = 0.6, 0.4
    steps[1, 7] = 1.0
    own = np.asarray(np.log(steps / steps.sum(axis=1, keepdims=True)))
    narrow = page(own, 2)
    assert narrow.texts[0].text == "47"
    (said,) = compared(narrow, [0], {0: [own]}, sure_of(7, 7)).texts
    assert said.text == "47"
    assert len(said.digits) == 2
