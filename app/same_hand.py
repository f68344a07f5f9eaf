"""Digits that are in doubt, compared with those of the same page that are not: who writes one 7 writes the next alike.

Characters of one source have one style, and are recognised better together (Veeramachaneni and Nagy, "Style context
with second-order statistics", IEEE Transactions on Pattern Analysis and Machine Intelligence 27, 2005).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from app.alignment import AlignedDigit, Logs, alignments, other_digits
from app.calibration import DIGITS
from app.ctc import Decoded
from app.imaging.digit_spans import digit_spans
from app.imaging.glyph import normalise_glyph
from app.line_reading import UNSURE, PageText, digit_middles

# Digits as sure as this show how their writer writes; pages with more digits than this are not compared.
_SURE = 0.97
_MOST_DIGITS = 256
# Glyphs are blurred by so many pixels, and moved over each other by up to so many.
_BLUR, _MOVED = 1.0, 2
# No digit is less probable to the glyph network, nor to the reader beside the one that it read.
_LEAST, _LEAST_READ = 1e-4, 1e-6
# A look that makes a text less probable says something else, and nothing of its digits.
_LEAST_TEXT = 1e-4
# How likely a digit is read right rather than to be another one, in logarithms of odds: a logistic regression on the
# digits of unsure lines and pages by writers of MNIST and pendigits whom no reader was taught on, no digit of a page
# written twice. By trial, each fifth of them, and UNIPEN's, with weights fitted to the others: of 12,655, of which 523
# were read wrong, 104 become right and 23 wrong.
_BIAS, _READER, _GLYPH, _ALIKE = 0.31, 0.54, 0.42, 4.36

Glyphs = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Written:
    """All digits of a page, line after line: where each is (line, place), and its glyph, (n, 28, 28)."""

    places: list[tuple[int, int]]
    digits: list[AlignedDigit]
    glyphs: Glyphs

    def of(self, lines: Sequence[int]) -> list[int]:
        """The indices of the digits of some lines."""
        return [index for index, (line, _) in enumerate(self.places) if line in lines]


def lines_in_doubt(page: PageText, looks: Mapping[int, Sequence[Logs]]) -> list[int]:
    """The indices of the lines, of those that were looked at again, whose digits are to be compared with others."""
    if not 1 < page.count <= _MOST_DIGITS:
        return []
    return [index for index in looks if page.texts[index].digits and page.texts[index].probability < UNSURE]


def written_digits(page: PageText) -> Written:
    """What a page says, and what it looks like; digits where there is no ink are left out."""
    places, digits, glyphs = [], [], []
    for index, (line, text) in enumerate(zip(page.lines, page.texts, strict=True)):
        for place, span in enumerate(digit_spans(line.pixels, digit_middles(text)) if text.digits else ()):
            ink = line.pixels[span.top : span.bottom, span.left : span.right]
            if ink.any():
                places.append((index, place))
                digits.append(text.digits[place])
                glyphs.append(normalise_glyph(ink))
    return Written(places, digits, np.array(glyphs, np.uint8))


def in_one_hand(
    page: PageText,
    written: Written,
    doubtful: Sequence[int],
    probabilities: NDArray[np.float64],
    looks: Mapping[int, Sequence[Logs]],
) -> PageText:
    """The page with those digits in doubt replaced that are likelier one of the page's other digits of another class.

    `doubtful`: the indices of these digits in `written`; `probabilities`, (n, 11): what the glyph network says of them.
    `looks`: what every look of the first reader says of their lines, (t, 11) calibrated natural logarithms; what the
    second one says tells nothing more, by trial. A text that they hardly say, as one that the glyph network changed,
    stays as it is.
    """
    patterns = _patterns(written.glyphs)
    texts = list(page.texts)
    read: dict[int, NDArray[np.float64] | None] = {}
    for index, own in zip(doubtful, probabilities, strict=True):
        line, place = written.places[index]
        digit = written.digits[index].digit
        alike = _likenesses(index, written, patterns)
        if digit not in alike or len(alike) == 1:
            continue  # only what both digits look like on this page can tell
        if line not in read:
            read[line] = _read_as(page.texts[line].text, looks[line])
        said = read[line]
        if said is None:
            continue
        odds = _odds(digit, said[place], own, alike)
        other = min(odds, key=lambda one: odds[one])
        if odds[other] < 0:
            texts[line] = _with_digit(texts[line], place, other, 1 / (1 + math.exp(odds[other])))
    return replace(page, texts=tuple(texts))


def _read_as(text: str, looks: Sequence[Logs]) -> NDArray[np.float64] | None:
    """How probable each digit is in each place of a text that is right otherwise, (n, 10), added up over looks.

    None where they hardly say the text.
    """
    whole, probable = 0.0, np.zeros((len(text), DIGITS))
    for look in looks:
        ways = alignments(look, text)
        probability = ways.probability()
        if probability >= _LEAST_TEXT:
            whole += probability
            probable += probability * other_digits(look, ways)
    return probable if whole >= _LEAST_TEXT * len(looks) else None


def _patterns(glyphs: Glyphs) -> NDArray[np.float32]:
    """The glyphs blurred, each of mean 0 and length 1, as (n, 28, 28)."""
    blurred = np.stack([cv2.GaussianBlur(glyph.astype(np.float32), (0, 0), _BLUR) for glyph in glyphs])
    blurred -= blurred.mean(axis=(1, 2), keepdims=True)
    lengths = np.sqrt((blurred**2).sum(axis=(1, 2), keepdims=True))
    return np.asarray(blurred / np.maximum(lengths, 1e-6), np.float32)


def _likenesses(index: int, written: Written, patterns: NDArray[np.float32]) -> dict[int, float]:
    """How much a digit is like the sure one of each class that is the most like it: the greatest correlation."""
    moves = range(-_MOVED, _MOVED + 1)
    moved = np.stack([np.roll(patterns[index], (y, x), (0, 1)).ravel() for y in moves for x in moves])
    alike = (moved @ patterns.reshape(len(patterns), -1).T).max(axis=0)
    found: dict[int, float] = {}
    for other, digit in enumerate(written.digits):
        if other != index and digit.confidence >= _SURE:
            found[digit.digit] = max(found.get(digit.digit, -1.0), float(alike[other]))
    return found


def _odds(
    digit: int, read: NDArray[np.float64], glyph: NDArray[np.float64], alike: Mapping[int, float]
) -> dict[int, float]:
    """The logarithms of the odds that a digit is what was read, and not each of the others that the page shows.

    `read`, (10,): how probable each is to the reader; `glyph`, (11,): to the glyph network.
    """
    seen = np.log(np.maximum(glyph[:DIGITS], _LEAST))
    said = np.log(np.maximum(read / read[digit], _LEAST_READ))
    return {
        other: float(
            _BIAS - _READER * said[other] + _GLYPH * (seen[digit] - seen[other]) + _ALIKE * (alike[digit] - likeness)
        )
        for other, likeness in alike.items()
        if other != digit
    }


def _with_digit(text: Decoded, place: int, digit: int, confidence: float) -> Decoded:
    """A text with another digit at a place; all else is as sure as it was."""
    read = text.digits[place]
    rest = min(1.0, text.probability / max(read.confidence, _LEAST))
    digits = (*text.digits[:place], replace(read, digit=digit, confidence=confidence), *text.digits[place + 1 :])
    return Decoded("".join(str(one.digit) for one in digits), rest * confidence, digits)
