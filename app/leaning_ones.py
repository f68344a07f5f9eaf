"""Leaning 1s that the readers left out for slashes, where a slash is unlikely.

One stroke may be either. Slashes part the numbers of dates and fractions, and those have no more than four digits: a
stroke within a longer run of digits is the likelier a 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.alignment import NEVER, Alignments, Logs, aligned_digits, alignments
from app.ctc import Decoded
from app.imaging.glyph import normalise_glyph
from app.imaging.line import LINE_HEIGHT, LineImage, LinePiece
from app.line_reading import PageText, digit_middles

# No more digits than these are together beside a slash: a year.
_MOST_BESIDE_SLASH = 4
# So many times as probable as the readers have it is a 1 within a longer run. By trial, on numbers of writers whom no
# network was taught on: of 13 that are read otherwise with it, 12 become right and none wrong.
_LIKELIER = 3.0
# A stroke is as high as the line's pieces usually are, about, and higher than wide; to the glyph network it is a 1.
_LEAST_HEIGHT, _MOST_HEIGHT = 0.6, 1.5
_LEAST_ONE = 0.5
# So many columns beyond its ink, a reader may see it still.
_BEYOND = 1.0


class Stroke(NamedTuple):
    """A piece of a line, by their indices, that no digit of its text stands on."""

    line: int
    piece: int


def unread_strokes(page: PageText, lines: Mapping[int, Sequence[Logs]]) -> list[Stroke]:
    """What may be a 1 that was left out, of the lines that have been looked at again, from left to right."""
    return [
        Stroke(index, number)
        for index in lines
        for number, piece in enumerate(page.lines[index].pieces)
        if _is_like_a_digit(piece, page.lines[index]) and _place_of(piece, page.lines[index], page.texts[index])
    ]


def stroke_glyphs(page: PageText, strokes: Sequence[Stroke]) -> NDArray[np.uint8]:
    """Their glyphs, (n, 28, 28) uint8; at least one."""
    return np.stack([normalise_glyph(page.lines[stroke.line].pieces[stroke.piece].ink) for stroke in strokes])


def with_leaning_ones(
    page: PageText,
    strokes: Sequence[Stroke],
    probabilities: NDArray[np.float64],
    looks: Mapping[int, Sequence[Logs]],
) -> PageText:
    """The page with a 1 for each of the strokes that is likelier one than a slash.

    `probabilities`, (n, 11): of the strokes' glyphs. `looks`: of each of their lines what every look says, (t, 11)
    calibrated natural logarithms.
    """
    texts = list(page.texts)
    for (index, number), own in zip(strokes, probabilities, strict=True):
        line, text = page.lines[index], texts[index]
        place = _place_of(line.pieces[number], line, text)
        if place and own[1] >= _LEAST_ONE:
            texts[index] = _likelier(text, f"{text.text[:place]}1{text.text[place:]}", looks[index])
    return replace(page, texts=tuple(texts))


def _is_like_a_digit(piece: LinePiece, line: LineImage) -> bool:
    height, width = piece.ink.shape
    usual = float(np.median([len(other.ink) for other in line.pieces]))
    return bool(width < height and _LEAST_HEIGHT * usual <= height <= _MOST_HEIGHT * usual)


def _place_of(piece: LinePiece, line: LineImage, text: Decoded) -> int:
    """Before which digit of a text a piece stands that none stands on; 0 where one does, or where it may be a slash."""
    reach = piece.ink.shape[1] * LINE_HEIGHT / line.height / 2 + _BEYOND
    away = np.array(digit_middles(text)) - piece.middle
    place = int(np.count_nonzero(away < 0))
    longest = max(place, len(away) - place)
    stands_apart = 0 < place < len(away) and bool((np.abs(away) > reach).all())
    return place if stands_apart and longest > _MOST_BESIDE_SLASH else 0


@dataclass(frozen=True, slots=True)
class _Seen:
    """A text by every look at its line, and how probable it is on the average."""

    ways: list[Alignments]
    probability: float


def _seen(text: str, looks: Sequence[Logs]) -> _Seen:
    ways = [alignments(look, text) for look in looks]
    return _Seen(ways, float(np.mean([way.probability() for way in ways])))


def _likelier(text: Decoded, with_one: str, looks: Sequence[Logs]) -> Decoded:
    """The likelier one of two texts."""
    without, other = _seen(text.text, looks), _seen(with_one, looks)
    weighted = _LIKELIER * other.probability
    if weighted <= without.probability or other.ways[0].whole == NEVER:
        return text
    share = weighted / (weighted + without.probability)
    probability = share * (without.probability + other.probability)
    return Decoded(with_one, probability, aligned_digits(looks[0], other.ways[0]))
