"""1s that are slashes: "6/8" is no 618.

In a number as short as a date or a fraction, a stroke between digits that is higher than they are, leans more, and is
straight and thin, is a slash. Its height alone does not tell, nor does how it leans: some write every digit leaning.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from app.ctc import Decoded
from app.digit_by_digit import pieces_are_digits
from app.imaging.line import LineImage
from app.imaging.strokes import stroke
from app.line_reading import PageText

# On either side of it there are so many digits at most: those of a day, a month, a part of a fraction.
_MOST_BESIDE = 2
# How much likelier a stroke is a slash than a 1, in logarithms of odds: by how many times it is as high as the digits
# beside it are on the average and as the higher one is, by how much more it leans, and by how thin and straight it is.
# A logistic regression on 60 slashes of numbers that were written so, and on 1,050 1s between one or two digits in
# lines by writers whom no reader was taught on; both count the same.
_BIAS, _AS_AVERAGE, _AS_HIGHER, _LEANING, _SPREAD = -18.56, 5.53, 4.86, 5.07, -5.21
_LEAST_SPREAD = 0.01
# It is one where that is at least this: of those slashes 72 % are, and of those 1s 0.5 %.
_LEAST_ODDS = 2.5
# No neighbour counts as leaning more than 45°.
_MOST_LEANING = 1.0


def without_slashes(page: PageText) -> PageText:
    """The page without the 1s that are slashes, where every digit of a line is a piece of its own."""
    texts = [_without_slash(line, text) for line, text in zip(page.lines, page.texts, strict=True)]
    return replace(page, texts=tuple(texts))


def _without_slash(line: LineImage, text: Decoded) -> Decoded:
    """Without the likeliest of the slashes that it may have, if it has one."""
    places = range(max(1, len(text.text) - 1 - _MOST_BESIDE), min(_MOST_BESIDE, len(text.text) - 2) + 1)
    ones = [place for place in places if text.text[place] == "1"]
    if not ones or not pieces_are_digits(line, text):
        return text
    odds, place = max((_odds(line, place), place) for place in ones)
    if odds < _LEAST_ODDS:
        return text
    rest = min(1.0, text.probability / max(text.digits[place].confidence, text.probability))
    digits = text.digits[:place] + text.digits[place + 1 :]
    return Decoded(f"{text.text[:place]}{text.text[place + 1 :]}", rest / (1 + math.exp(_LEAST_ODDS - odds)), digits)


def _odds(line: LineImage, place: int) -> float:
    """The logarithm of the odds that a piece is a slash, and not a 1, where neither is the likelier beforehand."""
    before, ink, after = (piece.ink for piece in line.pieces[place - 1 : place + 2])
    own = stroke(ink)
    heights = np.array([len(before), len(after)]) / len(ink)
    leaning = np.clip([stroke(before).slant, stroke(after).slant], -_MOST_LEANING, _MOST_LEANING)
    return float(
        _BIAS
        - _AS_AVERAGE * np.log(heights.mean())
        - _AS_HIGHER * np.log(heights.max())
        + _LEANING * (own.slant - leaning.mean())
        + _SPREAD * np.log(own.spread + _LEAST_SPREAD)
    )
