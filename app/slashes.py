"""1s that are slashes: "6/8" is no 618.

In a number as short as a date or a fraction, a stroke between digits that the reader is not sure of is the likelier a
slash, the higher it is than they are, and the more it leans. Both tell little each alone: some write every 1 so.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from app.ctc import Decoded
from app.digit_by_digit import pieces_are_digits
from app.imaging.line import LineImage
from app.imaging.strokes import stroke_form
from app.line_reading import PageText

# On either side of it there are so many digits at most: those of a day, a month, a part of a fraction.
_MOST_BESIDE = 2
# What the reader is as sure of is a 1.
_SURE = 0.95
# How much likelier a stroke is a slash than a 1, in logarithms of odds: by how many times it is as high as the digits
# beside it are on the average and as the higher one is, by how much more it leans, and by how straight it is. A
# logistic regression on 60 slashes of numbers that were written so, and on 1,050 1s between one or two digits in lines
# by writers whom no reader was taught on; both count the same.
_BIAS, _AS_AVERAGE, _AS_HIGHER, _LEANING, _SPREAD = -17.84, 5.60, 4.83, 5.00, -4.65
# It is one where that is at least this: of those slashes 73 % are, and of those 1s 0.7 %.
_LEAST_ODDS = 2.5
# A stroke that spreads less is written with a finer pen, and no straighter.
_LEAST_SPREAD = 0.03
# No neighbour counts as leaning more than 45°.
_MOST_LEANING = 1.0
# No 1 counts as less sure.
_LEAST = 1e-4
# A number with another 1 that is at least so many times as high, and leans at most so much less, has such 1s.
_AS_HIGH, _LEANS_LESS = 0.9, 0.15


def without_slashes(page: PageText) -> PageText:
    """The page without the 1s that are slashes, where every digit of a line is a piece of its own."""
    texts = [_without_slash(line, text) for line, text in zip(page.lines, page.texts, strict=True)]
    return replace(page, texts=tuple(texts))


def _without_slash(line: LineImage, text: Decoded) -> Decoded:
    """Without the likeliest of the slashes that it may have, if it has one."""
    places = range(max(1, len(text.text) - 1 - _MOST_BESIDE), min(_MOST_BESIDE, len(text.text) - 2) + 1)
    if not any(text.text[place] == "1" for place in places) or not pieces_are_digits(line, text):
        return text
    unsure = [place for place in places if text.text[place] == "1" and text.digits[place].confidence < _SURE]
    strokes = [place for place in unsure if not _is_like_another(line, text, place)]
    odds, place = max(((_odds(line, place), place) for place in strokes), default=(-math.inf, 0))
    if odds < _LEAST_ODDS:
        return text
    # The rest of the text is as sure as it was, and that this is a slash the surer, the likelier it is one.
    rest = min(1.0, text.probability / max(text.digits[place].confidence, _LEAST))
    digits = text.digits[:place] + text.digits[place + 1 :]
    return Decoded(f"{text.text[:place]}{text.text[place + 1 :]}", rest / (1 + math.exp(_LEAST_ODDS - odds)), digits)


def _is_like_another(line: LineImage, text: Decoded, place: int) -> bool:
    """Whether another 1 of a line is as high as that in one place, and leans as much."""
    own = line.pieces[place].ink
    others = [line.pieces[other].ink for other, digit in enumerate(text.text) if digit == "1" and other != place]
    least = stroke_form(own).slant - _LEANS_LESS
    return any(len(ink) >= _AS_HIGH * len(own) and stroke_form(ink).slant >= least for ink in others)


def _odds(line: LineImage, place: int) -> float:
    """The logarithm of the odds that a piece is a slash, and not a 1, where neither is the likelier beforehand."""
    before, ink, after = (piece.ink for piece in line.pieces[place - 1 : place + 2])
    own = stroke_form(ink)
    heights = np.array([len(before), len(after)]) / len(ink)
    leaning = np.clip([stroke_form(before).slant, stroke_form(after).slant], -_MOST_LEANING, _MOST_LEANING)
    return float(
        _BIAS
        - _AS_AVERAGE * np.log(heights.mean())
        - _AS_HIGHER * np.log(heights.max())
        + _LEANING * (own.slant - leaning.mean())
        + _SPREAD * np.log(max(own.spread, _LEAST_SPREAD))
    )
