"""What the glyph network says of lone digits and of thin strokes that the line reader is unsure of.

A reader sees a line as a whole: of a lone stroke it cannot know whether it is a 1 or a scratch, and of four alike it
may count three; and the frame of an empty cell is like the 0 of a display. Pieces that lie apart have been counted
already, and the glyph network knows what is no digit; which of some thin strokes is a slash, their heights tell. The
network is asked, too, about one round thing, which to a reader is a 0. How many digits other lines have, the reader
knows better: a piece may be two digits that touch, or half of one, and in a word an S is no 5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.alignment import AlignedDigit
from app.calibration import DIGITS, NON_DIGIT
from app.ctc import Decoded
from app.imaging.glyph import normalise_glyph
from app.imaging.line import STEP_WIDTH, LineImage
from app.imaging.strokes import stroke_form
from app.line_reading import PageText

# A line is asked about where its text is less probable than this.
_UNSURE = 0.8
# Pieces are thin strokes where none is wider than this share of its height.
_THIN = 0.6
# Between thin strokes, one that is so many times as high as all others is a slash.
_SLASH_HEIGHT = 1.2
# So many pieces are counted, at most.
_MOST_PIECES = 6
# A slash has a stroke on either side.
_LEAST_WITH_SLASH = 3
# What an image is cropped tight around is a digit only where both say so, the glyph network that it is likelier that
# digit than anything else; where they do not, nothing is as likely.
_EVEN = 0.5
# What the glyphs say is taken from this probability on.
_SURE = 0.9


def doubtful_lines(page: PageText) -> list[int]:
    """The indices of the lines that the glyph network is to be asked about."""
    return [
        index
        for index, (line, text) in enumerate(zip(page.lines, page.texts, strict=True))
        if _highest_between(line) is not None
        or (line.lone and text.text and line.pieces)
        or _may_be_a_ball(line, text)
        or (text.probability < _UNSURE and (len(line.pieces) == 1 or _thin(line)))
    ]


def _may_be_a_ball(line: LineImage, text: Decoded) -> bool:
    """Whether a line is one piece that is read as 0, as anything round is that has paper around it."""
    return text.text == "0" and len(line.pieces) == 1


def _thin(line: LineImage) -> bool:
    shapes = [piece.ink.shape for piece in line.pieces]
    return 1 < len(shapes) <= _MOST_PIECES and all(width <= _THIN * height for height, width in shapes)


def _highest_between(line: LineImage) -> int | None:
    """Which of a line's thin pieces may be a slash between others: the one much higher, and no less slanting."""
    if not _thin(line) or len(line.pieces) < _LEAST_WITH_SLASH:
        return None
    heights = [piece.ink.shape[0] for piece in line.pieces]
    highest = int(np.argmax(heights))
    others = [piece.ink for index, piece in enumerate(line.pieces) if index != highest]
    if not 0 < highest < len(heights) - 1 or heights[highest] < _SLASH_HEIGHT * max(map(len, others)):
        return None
    slanting = stroke_form(line.pieces[highest].ink).slant >= np.mean([stroke_form(ink).slant for ink in others])
    return highest if slanting else None


def glyphs_of(lines: Sequence[LineImage]) -> NDArray[np.uint8]:
    """The glyphs of all their pieces, (n, 28, 28) uint8, line after line; at least one."""
    return np.stack([normalise_glyph(piece.ink) for line in lines for piece in line.pieces])


def with_opinions(
    page: PageText, doubtful: Sequence[int], probabilities: NDArray[np.float64], expected_length: int | None = None
) -> PageText:
    """The page with those texts that the glyphs' probabilities, (n, 11), make sure, and of no fewer digits but a slash.

    `probabilities` are of the glyphs of the doubtful lines. Where a length is expected, of that length alone.
    """
    texts = list(page.texts)
    start = 0
    for index in doubtful:
        line = page.lines[index]
        own = probabilities[start : start + len(line.pieces)]
        start += len(line.pieces)
        slash = _slash(line, own)
        opinion = _read(line, own, slash)
        text = texts[index]
        if line.lone and text.text and (opinion.text != text.text or opinion.probability < _EVEN):
            texts[index] = Decoded("", max(_EVEN, 1 - text.probability), ())
            continue
        if _may_be_a_ball(line, text) and own[0, NON_DIGIT] >= _SURE:
            texts[index] = Decoded("", float(own[0, NON_DIGIT]), ())
            continue
        fits = len(opinion.text) >= len(text.text) - (slash is not None)
        if text.probability >= _UNSURE:  # a sure text is told nothing but that a slash is no digit
            fits = slash is not None and len(opinion.text) == len(text.text) - 1
        fits &= expected_length is None or len(opinion.text) == expected_length
        if fits and opinion.probability >= _SURE:
            texts[index] = opinion
    return replace(page, texts=tuple(texts))


def _slash(line: LineImage, probabilities: NDArray[np.float64]) -> int | None:
    """Which piece of a line is a slash, if one is, by what its glyph may be: one stroke, or nothing known."""
    highest = _highest_between(line)
    return None if highest is None or int(probabilities[highest].argmax()) not in (1, NON_DIGIT) else highest


def _read(line: LineImage, probabilities: NDArray[np.float64], slash: int | None) -> Decoded:
    """What the pieces say, but a slash; those that are likelier no digit are left out."""
    digits = []
    sure = 1.0
    for index, (piece, own) in enumerate(zip(line.pieces, probabilities, strict=True)):
        if index == slash:
            continue
        digit = int(own[:DIGITS].argmax())
        if own[NON_DIGIT] > own[digit]:
            sure *= float(own[NON_DIGIT])
            continue
        sure *= float(own[digit])
        step = max(0, math.floor(piece.middle / STEP_WIDTH))
        digits.append(AlignedDigit(digit, float(own[digit]), step, step + 1))
    return Decoded("".join(str(digit.digit) for digit in digits), sure, tuple(digits))
