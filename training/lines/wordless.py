"""Lines without a digit: words, letters of a hand, signs, bare paper and forms, textures. A reader reads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from app.domain import Polarity
from training.augment import Random, texture
from training.lines.allographs import DrawnHand
from training.lines.compose import AnyWriter, ComposedLine, composed
from training.lines.mixture import any_setting, any_text
from training.lines.numbers import Number
from training.lines.pools import TYPES, Writers
from training.lines.shapes import Shape, affine
from training.lines.signs import Signs
from training.sources import Item

# Of a hundred lines, so many are words in print, letters of a hand, signs, bare paper; the others are textures.
_WORDS, _LETTERS, _SIGNS, _BARE = 35, 30, 10, 15
# Of wordy lines, how many are textures; of the others, how many have a number; of the others, how many are print; of
# those, how many are words of any letters.
_TEXTURED, _NUMBERED, _PRINTED, _LABELLED = 0.1, 0.3, 0.6, 0.7
_LENGTHS = (2, 13)
_MOST_BARE = 6.0
_HEIGHTS = (16, 64)


def any_line_without_digits(writers: Writers, random: Random) -> ComposedLine:
    """What is found where a number is looked for, and is none: its text is empty."""
    kind = 100 * random.random()
    types = writers.of(TYPES)
    if kind < _WORDS and types is not None:
        return _composed(types.any(random), Signs.WORDS, random)
    kind -= _WORDS
    if kind < _LETTERS and writers.letters:
        return _composed(_lettered(writers.letters, random), Signs.NONE, random)
    kind -= _LETTERS
    if kind < _SIGNS:
        return _composed(DrawnHand(), Signs.AMOUNT, random)
    if kind - _SIGNS < _BARE:
        return _composed(DrawnHand(), Signs.NONE, random)
    return _textured(random)


def any_wordy_line(writers: Writers, random: Random) -> ComposedLine:
    """Words in print or letters of a hand, of which nothing is read; some have a number among them. Some textures."""
    types = writers.of(TYPES)
    if random.random() < _TEXTURED:
        return _textured(random)
    if types is not None and random.random() < _NUMBERED:
        writer, text = types.any(random), any_text(random)
        layout, paper = any_setting(writer, text, random)
        return composed(writer, text, replace(layout, signs=Signs.LABELLED), paper, random)
    if types is not None and random.random() < _PRINTED:
        return _composed(types.any(random), Signs.LABELLED if random.random() < _LABELLED else Signs.WORDS, random)
    return any_line_without_digits(writers, random)


def _composed(writer: AnyWriter, signs: Signs, random: Random) -> ComposedLine:
    layout, paper = any_setting(writer, "", random)
    margins = layout.margins
    if signs is Signs.NONE and not isinstance(writer, Number):  # paper as long as a number
        margins = (margins[0], margins[1], float(random.uniform(0, _MOST_BARE)), margins[3])
    layout = replace(layout, signs=signs, margins=margins, clipped=(0.0, 0.0))
    return composed(writer, "", layout, replace(paper, neighbours=False), random)


def _lettered(letters: Sequence[Sequence[Item]], random: Random) -> Number:
    """Letters of one hand, side by side, as a number without digits."""
    own = letters[int(random.integers(len(letters)))]
    marks = []
    x, gap = 0.0, float(random.uniform(0.0, 0.3))
    for index in random.integers(len(own), size=int(random.integers(*_LENGTHS))):
        strokes = own[int(index)].strokes or ()
        points = np.concatenate(strokes)
        low, high = points.min(axis=0), points.max(axis=0)
        scale = float(random.uniform(0.7, 1.1)) / max(float(high[1] - low[1]), float(high[0] - low[0]) / 2, 1e-3)
        place = affine(scale, 0, 0, scale, x - scale * float(low[0]), -scale * float(high[1]))
        marks.append(("", Shape(tuple(np.asarray(stroke, np.float32) for stroke in strokes)).moved(place)))
        x += scale * float(high[0] - low[0]) + gap + float(random.normal(0, 0.04))
    return Number("", "", tuple(marks), sure=True)


def _textured(random: Random) -> ComposedLine:
    """Paper, cloth, noise: in the shape of a line, somewhat blurred by being enlarged."""
    height = int(random.integers(*_HEIGHTS))
    width = int(height * random.uniform(1.0, 7.0))
    image = cv2.resize(texture(random), (width, height), interpolation=cv2.INTER_LINEAR)
    return ComposedLine(image.astype(np.uint8, copy=False), "", (), Polarity.DARK_ON_LIGHT)
