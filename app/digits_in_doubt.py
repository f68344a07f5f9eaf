"""Digits that are in doubt, one by one: what else is said of them, and what else of the same page is like them.

A line reader sees a line as a whole; the glyph network sees a digit's form, and the place reader its form, size and
place. Networks of unlike kinds are less often wrong about the same digit than each alone (Hansen, Salamon: Neural
network ensembles, IEEE PAMI 1990). And who writes one 7 writes the next alike: characters of one source have one style,
and are recognised better together (Veeramachaneni and Nagy, "Style context with second-order statistics", IEEE
Transactions on Pattern Analysis and Machine Intelligence 27, 2005).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from app.alignment import AlignedDigit, Logs
from app.calibration import DIGITS
from app.ctc import Decoded
from app.imaging.digit_spans import Span, digit_spans
from app.imaging.glyph import normalise_glyph
from app.imaging.places import Places, place_views
from app.line_reading import UNSURE, PageText, digit_middles

# Digits as sure as this show how their writer writes; pages with more digits than this are not compared.
_SURE = 0.97
_MOST_DIGITS = 256
# Glyphs are blurred by so many pixels, and moved over each other by up to so many.
_BLUR, _MOVED = 1.0, 2
# No digit is less probable to the glyph network, and none surer to the reader.
_LEAST, _MOST = 1e-4, 1 - 1e-4


@dataclass(frozen=True, slots=True)
class _Weights:
    """How likely a digit is read right rather than to be another one, in logarithms of odds: what each witness counts.

    Of the reader it is the logarithm of the odds of its digit; of the networks, by how much the logarithm of its
    probability is more than that of the other one's; of likeness, by how much more it is like the page's own.
    """

    bias: float
    reader: float
    glyph: float
    place: float
    alike: float


# A logistic regression on the digits of unsure lines and pages by writers whom no reader was taught on, no digit
# written twice. By trial, each fifth of them with weights fitted to the others: of 16,684, of which 431 were read
# wrong, 50 become right and 13 wrong.
_WITHOUT_PLACES = _Weights(1.57, 0.25, 0.64, 0.0, 8.43)
# The same with a place reader.
_WITH_PLACES = _Weights(1.08, 0.16, 0.38, 0.41, 5.84)

Glyphs = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Written:
    """All digits of a page, line after line: where each is (line, place; span), and its glyph, (n, 28, 28)."""

    places: list[tuple[int, int]]
    digits: list[AlignedDigit]
    spans: list[Span]
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
    places, digits, spans, glyphs = [], [], [], []
    for index, (line, text) in enumerate(zip(page.lines, page.texts, strict=True)):
        for place, span in enumerate(digit_spans(line.pixels, digit_middles(text)) if text.digits else ()):
            ink = line.pixels[span.top : span.bottom, span.left : span.right]
            if ink.any():
                places.append((index, place))
                digits.append(text.digits[place])
                spans.append(span)
                glyphs.append(normalise_glyph(ink))
    return Written(places, digits, spans, np.array(glyphs, np.uint8))


def places_of(page: PageText, written: Written, doubtful: Sequence[int]) -> Places:
    """What the place reader is shown of digits, by their indices in `written`: (n, 28, 28, 2) uint8; at least one."""
    shown = ((page.lines[written.places[index][0]].pixels, written.spans[index]) for index in doubtful)
    return np.concatenate([place_views(pixels, [span]) for pixels, span in shown])


def decided(
    page: PageText,
    written: Written,
    doubtful: Sequence[int],
    glyphs_say: NDArray[np.float64],
    places_say: NDArray[np.float64] | None = None,
) -> PageText:
    """The page with those digits in doubt replaced that are likelier other ones.

    `doubtful`: the indices of these digits in `written`; what is said of them by the glyph network, (n, 11)
    probabilities, and by the place reader, (n, 10), where there is one.
    """
    patterns = _patterns(written.glyphs)
    texts = list(page.texts)
    for number, index in enumerate(doubtful):
        line, place = written.places[index]
        digit, alike = written.digits[index], _likenesses(index, written, patterns)
        if places_say is None:
            other, odds = _likeliest_other(digit, _WITHOUT_PLACES, alike, glyphs_say[number])
        else:
            other, odds = _likeliest_other(digit, _WITH_PLACES, alike, glyphs_say[number], places_say[number])
        if odds < 0:
            texts[line] = _with_digit(texts[line], place, other, 1 / (1 + math.exp(odds)))
    return replace(page, texts=tuple(texts))


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


def _likeliest_other(
    read: AlignedDigit,
    weights: _Weights,
    alike: Mapping[int, float],
    glyph: NDArray[np.float64],
    place: NDArray[np.float64] | None = None,
) -> tuple[int, float]:
    """The digit that another one is likeliest to be, and the logarithm of the odds that it is what was read instead.

    How alike they are counts where the page shows both. Where no place reader tells, nothing else is enough: otherwise
    the odds are infinite.
    """
    sure = min(max(read.confidence, _LEAST), _MOST)
    odds = np.full(DIGITS, weights.bias + weights.reader * math.log(sure / (1 - sure)))
    odds += weights.glyph * _lead(glyph, read.digit)
    shown = np.array([read.digit in alike and other in alike for other in range(DIGITS)])
    if place is None:
        odds[~shown] = math.inf
    else:
        odds += weights.place * _lead(place, read.digit)
    for other in np.flatnonzero(shown):
        odds[other] += weights.alike * (alike[read.digit] - alike[int(other)])
    odds[read.digit] = math.inf
    best = int(odds.argmin())
    return best, float(odds[best])


def _lead(probabilities: NDArray[np.float64], digit: int) -> NDArray[np.float64]:
    """By how much the logarithm of a digit's probability is more than that of each digit, (10,)."""
    logs = np.log(np.maximum(probabilities[:DIGITS], _LEAST))
    return np.asarray(logs[digit] - logs)


def _with_digit(text: Decoded, place: int, digit: int, confidence: float) -> Decoded:
    """A text with another digit at a place; all else is as sure as it was."""
    read = text.digits[place]
    rest = min(1.0, text.probability / max(read.confidence, _LEAST))
    digits = (*text.digits[:place], replace(read, digit=digit, confidence=confidence), *text.digits[place + 1 :])
    return Decoded("".join(str(one.digit) for one in digits), rest * confidence, digits)
