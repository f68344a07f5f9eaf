"""The 885 printed digits of a forerunner, whose images are not to be had: remade from fonts, with the same counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from app.domain import Polarity
from training.augment import Random
from training.fonts import Font, draw_text
from training.pool import glyph_of
from training.sets import Glyphs, GlyphSet

# How many images of 0, 1, … 9 the 885-image project had.
CLASS_COUNTS = (105, 91, 77, 78, 112, 115, 80, 52, 75, 100)
TEST_IMAGES = 88  # a tenth of them, as its author held out
_HEIGHTS = (16, 65)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A small set in three parts: fitted on, stopped early on, measured on."""

    train: GlyphSet
    validation: GlyphSet
    test: GlyphSet


def printed_digits(fonts: Sequence[Font], seed: int) -> GlyphSet:
    """885 clean printed digits in random order, each of another family as long as there are enough.

    Drawn 16 to 64 pixels high and normalised as the service would. The same fonts and seed give the same set.
    """
    random = np.random.default_rng(seed)
    glyphs: list[Glyphs] = []
    labels: list[int] = []
    for digit, count in enumerate(CLASS_COUNTS):
        drawn = _drawn(fonts, str(digit), random)
        glyphs += [next(drawn) for _ in range(count)]
        labels += [digit] * count
    order = random.permutation(len(labels))
    return GlyphSet(np.stack(glyphs)[order], np.array(labels, np.uint8)[order])


def split(digits: GlyphSet) -> HeldOut:
    """88 images to measure on; of the others a tenth to stop on. The author's own may have been one set."""
    validation = TEST_IMAGES + (len(digits) - TEST_IMAGES) // 10
    index = np.arange(len(digits))
    return HeldOut(
        digits.only(index >= validation),
        digits.only((index >= TEST_IMAGES) & (index < validation)),
        digits.only(index < TEST_IMAGES),
    )


def _drawn(fonts: Sequence[Font], character: str, random: Random) -> Iterator[Glyphs]:
    families: dict[str, list[Font]] = {}
    for font in fonts:
        families.setdefault(font.family, []).append(font)
    names = list(families)
    while True:
        for index in random.permutation(len(names)):
            styles = families[names[index]]
            ink = draw_text(styles[random.integers(len(styles))], character)
            height = int(random.integers(*_HEIGHTS))
            width = max(1, round(ink.shape[1] * height / ink.shape[0]))
            ink = cv2.resize(ink, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
            page = cv2.copyMakeBorder(ink, 8, 8, 8, 8, cv2.BORDER_CONSTANT).astype(np.uint8, copy=False)
            glyph = glyph_of(page, Polarity.LIGHT_ON_DARK)
            if glyph is not None:
                yield glyph
