"""Lines that the readers are unsure of, compared digit by digit with what the glyph network makes of their pieces.

A reader knows how many digits there are, the glyph network better which one each is, where its ink stands apart. Where
a line has as many pieces as digits, of the likely texts that one is taken which both together make the most probable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.alignment import NEVER, Logs, aligned_digits, alignments
from app.calibration import DIGITS
from app.ctc import Decoded
from app.imaging.digit_spans import digit_spans
from app.imaging.glyph import normalise_glyph
from app.imaging.line import STEP_WIDTH
from app.line_reading import UNSURE, PageText

# The glyphs' probabilities count with this power: of composed lines of validation, by which neither network was taught,
# the texts are then the likeliest.
_WEIGHT = 0.3
# No digit is less probable to a glyph: about a smudged one it knows nothing.
_LEAST = 1e-4
# A digit that the first look is less sure of may be another one.
_SURE = 0.95
# … and so many of them at most, which bounds the time that a long line takes.
_MOST_PLACES = 6
# Of a lone digit the glyph network is asked otherwise (`second_opinion`).
_LEAST_DIGITS = 2
# A digit's glyphs: of its piece of ink, and of its span of the line, which has what broke off, too.
_VIEWS = 2


def comparable_lines(page: PageText, looks: Mapping[int, Sequence[Logs]]) -> list[int]:
    """The indices of the lines, of those that were looked at again, whose digits the glyph network is asked about."""
    return [
        index
        for index in looks
        if page.texts[index].probability < UNSURE
        and len(page.texts[index].digits) >= _LEAST_DIGITS
        and len(page.texts[index].digits) == len(page.lines[index].pieces)
    ]


def digit_glyphs(page: PageText, comparable: Sequence[int]) -> NDArray[np.uint8]:
    """The glyphs of the digits of some lines, (n, 28, 28) uint8, line after line: two of each digit."""
    glyphs = []
    for index in comparable:
        line, digits = page.lines[index], page.texts[index].digits
        spans = digit_spans(line.pixels, [STEP_WIDTH * (digit.first + digit.last) / 2 for digit in digits])
        for piece, span in zip(line.pieces, spans, strict=True):
            on_line = line.pixels[span.top : span.bottom, span.left : span.right]
            glyphs += [normalise_glyph(ink) for ink in (piece.ink, on_line if on_line.any() else piece.ink)]
    return np.stack(glyphs)


def compared(
    page: PageText,
    comparable: Sequence[int],
    looks: Mapping[int, Sequence[Logs]],
    probabilities: NDArray[np.float64],
) -> PageText:
    """The page with the texts that looks and glyphs make the most probable together.

    `looks`: what every look says of a line, (t, 11) calibrated natural logarithms each; `probabilities`, (n, 11), are
    of the glyphs of the comparable lines.
    """
    texts = list(page.texts)
    logs = np.log(np.maximum(probabilities[:, :DIGITS], _LEAST)).reshape(-1, _VIEWS, DIGITS).mean(axis=1)
    start = 0
    for index in comparable:
        end = start + len(texts[index].digits)
        texts[index] = _most_probable(texts[index], looks[index], logs[start:end])
        start = end
    return replace(page, texts=tuple(texts))


def _most_probable(read: Decoded, looks: Sequence[Logs], glyphs: Logs) -> Decoded:
    """Of the likely texts, all as long as what was read, the one that looks and glyphs, (n, 10), agree on."""
    first = {text: alignments(looks[0], text) for text in sorted(_likely_texts(read, glyphs))}
    texts = [text for text, own in first.items() if own.whole != NEVER]  # of a narrow line there may be no room for it
    ways = [[first[text], *(alignments(look, text) for look in looks[1:])] for text in texts]
    seen = np.array([np.mean([np.exp(min(way.whole, 0.0)) for way in own]) for own in ways])
    said = np.array([sum(own[int(digit)] for own, digit in zip(glyphs, text, strict=True)) for text in texts])
    together = np.log(np.maximum(seen, np.finfo(np.float64).tiny)) + _WEIGHT * said
    shares = np.exp(together - together.max())
    best = int(shares.argmax())
    # What no candidate has, other texts have, as before.
    probability = float(shares[best] / shares.sum() * min(seen.sum(), 1.0))
    return Decoded(texts[best], probability, aligned_digits(looks[0], ways[best][0]))


def _likely_texts(read: Decoded, glyphs: Logs) -> set[str]:
    """What was read, what the glyphs say, and what was read but for one of the digits that either doubts the most.

    There it is one of the two that are the likeliest by the glyphs.
    """
    ranked = np.argsort(-glyphs, axis=1)[:, :2].tolist()
    places = [
        place
        for place, (digit, likely) in enumerate(zip(read.digits, ranked, strict=True))
        if digit.digit != likely[0] or digit.confidence < _SURE
    ]
    places.sort(key=lambda place: read.digits[place].confidence)
    single = {
        f"{read.text[:place]}{other}{read.text[place + 1 :]}"
        for place in places[:_MOST_PLACES]
        for other in ranked[place]
    }
    return {read.text, "".join(str(first) for first, _ in ranked)} | single
