"""Lines that the readers are unsure of, compared digit by digit with what the glyph network makes of their pieces.

A reader knows how many digits there are, the glyph network better which one each is, where its ink stands apart. Where
a line has as many pieces as digits, of the likely texts that one is taken which both together make the most probable.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from app.alignment import NEVER, Logs, aligned_digits, alignments
from app.calibration import DIGITS
from app.ctc import Decoded, length_log_probability
from app.imaging.digit_spans import digit_spans
from app.imaging.glyph import normalise_glyph
from app.imaging.line import LineImage
from app.line_reading import UNSURE, PageText, digit_middles

# The glyphs' probabilities count with this power. By trial: with it, texts composed of writers whom no network was
# taught on are the likeliest.
_WEIGHT = 0.3
# No digit is less probable to a glyph: about a smudged one it knows nothing.
_LEAST = 1e-4
# A digit that the first look is less sure of may be another one.
_SURE = 0.95
# … and so many of them at most: the time that a line takes grows with its length and with them.
_MOST_PLACES = 6
# Of a lone digit the glyph network is asked otherwise (`second_opinion`).
_LEAST_DIGITS, _MOST_DIGITS = 2, 20
# A digit's glyphs: of its piece of ink, and of its span of the line, which has what broke off, too.
_VIEWS = 2


def comparable_lines(page: PageText, looks: Mapping[int, Sequence[Logs]]) -> list[int]:
    """The indices of the lines, of those that were looked at again, whose digits the glyph network is asked about."""
    return [
        index
        for index in looks
        if page.texts[index].probability < UNSURE
        and _LEAST_DIGITS <= len(page.texts[index].digits) <= _MOST_DIGITS
        and pieces_are_digits(page.lines[index], page.texts[index])
    ]


def pieces_are_digits(line: LineImage, text: Decoded) -> bool:
    """Whether there is one piece where each digit stands: nearer to it than to the digits beside it."""
    middles = digit_middles(text)
    if not middles or len(line.pieces) != len(middles):
        return False
    edges = [-math.inf, *((one + other) / 2 for one, other in pairwise(middles)), math.inf]
    return all(left <= piece.middle <= right for piece, (left, right) in zip(line.pieces, pairwise(edges), strict=True))


def digit_glyphs(line: LineImage, text: Decoded) -> NDArray[np.uint8]:
    """The glyphs of the digits of a comparable line, (2n, 28, 28) uint8: two of each digit."""
    glyphs = []
    for piece, span in zip(line.pieces, digit_spans(line.pixels, digit_middles(text)), strict=True):
        on_line = line.pixels[span.top : span.bottom, span.left : span.right]
        glyphs += [normalise_glyph(ink) for ink in (piece.ink, on_line if on_line.any() else piece.ink)]
    return np.stack(glyphs)


def compared(
    text: Decoded, looks: Sequence[Logs], probabilities: NDArray[np.float64], of_its_length: bool = False
) -> Decoded:
    """Of the likely texts, all as long as what was read, the one that looks and glyphs together make the most probable.

    `looks`: what every look says of the line, (t, 11) calibrated natural logarithms each; `probabilities`, (2n, 11):
    of its glyphs. `of_its_length`: its probability is that among texts of that length, which was expected.
    """
    glyphs = np.log(np.maximum(probabilities[:, :DIGITS], _LEAST)).reshape(-1, _VIEWS, DIGITS).mean(axis=1)
    first = {likely: alignments(looks[0], likely) for likely in sorted(_likely_texts(text, glyphs))}
    texts = [likely for likely, own in first.items() if own.whole != NEVER]  # of a narrow line there may be no room
    ways = [[first[likely], *(alignments(look, likely) for look in looks[1:])] for likely in texts]
    given = [length_log_probability(look, len(text.text)) if of_its_length else 0.0 for look in looks]
    seen = np.array([np.mean([way.probability(of) for way, of in zip(own, given, strict=True)]) for own in ways])
    said = np.array([sum(own[int(digit)] for own, digit in zip(glyphs, likely, strict=True)) for likely in texts])
    together = np.log(np.maximum(seen, np.finfo(np.float64).tiny)) + _WEIGHT * said
    shares = np.exp(together - together.max())
    best = int(shares.argmax())
    # What no candidate has, other texts have, as before.
    probability = float(shares[best] / shares.sum() * min(seen.sum(), 1.0))
    return Decoded(texts[best], probability, aligned_digits(looks[0], ways[best][0]))


def _likely_texts(read: Decoded, glyphs: Logs) -> set[str]:
    """What was read, what the glyphs, (n, 10), say, and what was read but for one of the digits that are in doubt.

    There it is one of the two that are the likeliest by the glyphs. Digits that these would have otherwise come first,
    then those that the first look is least sure of.
    """
    ranked = np.argsort(-glyphs, axis=1)[:, :2].tolist()
    agrees = [digit.digit == likely[0] for digit, likely in zip(read.digits, ranked, strict=True)]
    places = [place for place, digit in enumerate(read.digits) if not agrees[place] or digit.confidence < _SURE]
    places.sort(key=lambda place: (agrees[place], read.digits[place].confidence))
    single = {
        f"{read.text[:place]}{other}{read.text[place + 1 :]}"
        for place in places[:_MOST_PLACES]
        for other in ranked[place]
    }
    return {read.text, "".join(str(first) for first, _ in ranked)} | single
