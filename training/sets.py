"""Sets of glyphs to train on, and of images to measure on: what the service makes of them, and their classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.calibration import NON_DIGIT
from app.imaging.glyph import GLYPH_SIDE

Glyphs = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class GlyphSet:
    """Normalised glyphs, (n, 28, 28) uint8, and their classes, (n,) uint8: 0–9, and 10 for no digit."""

    glyphs: Glyphs
    labels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, chosen: NDArray[np.bool_]) -> GlyphSet:
        """The glyphs where `chosen`, (n,), is true."""
        return GlyphSet(self.glyphs[chosen], self.labels[chosen])


def concatenated(sets: Sequence[GlyphSet]) -> GlyphSet:
    """All of them, in order."""
    if not sets:
        return GlyphSet(np.zeros((0, GLYPH_SIDE, GLYPH_SIDE), np.uint8), np.zeros(0, np.uint8))
    return GlyphSet(np.concatenate([s.glyphs for s in sets]), np.concatenate([s.labels for s in sets]))


@dataclass(frozen=True, slots=True)
class Views:
    """What is seen of the images of a set: `glyphs`, (m, 28, 28) uint8, of ink that `reaches_edge`, (m,) bool, or not.

    `owners`, (m,) int32 ascending, is the image of each. An image without ink has none; one whose polarity is in doubt
    has two, the likelier first.
    """

    glyphs: Glyphs
    reaches_edge: NDArray[np.bool_]
    owners: NDArray[np.int32]

    def of(self, chosen: NDArray[np.bool_]) -> Views:
        """Those of the images where `chosen`, (n,), is true, which are numbered anew."""
        kept = chosen[self.owners]
        place = np.cumsum(chosen) - 1
        return Views(self.glyphs[kept], self.reaches_edge[kept], place[self.owners[kept]].astype(np.int32))

    @property
    def firsts(self) -> NDArray[np.intp]:
        """Which glyphs are the likelier of their image, ascending; one for every image that has ink."""
        return np.unique(self.owners, return_index=True)[1]


NO_VIEWS = Views(np.zeros((0, GLYPH_SIDE, GLYPH_SIDE), np.uint8), np.zeros(0, np.bool_), np.zeros(0, np.int32))


@dataclass(frozen=True, slots=True)
class ImageSet:
    """Images as /predict sees them, to measure on: their classes, (n,) uint8, and what it sees of them.

    `plain` is its first look, `tight` the one with paper around, of images where nothing was seen or reached the edge.
    """

    labels: NDArray[np.uint8]
    plain: Views
    tight: Views = NO_VIEWS

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, chosen: NDArray[np.bool_]) -> ImageSet:
        """The images where `chosen`, (n,), is true."""
        return ImageSet(self.labels[chosen], self.plain.of(chosen), self.tight.of(chosen))

    @classmethod
    def of_glyphs(cls, glyphs: GlyphSet) -> ImageSet:
        """Glyphs that are measured as they are."""
        count = len(glyphs)
        return cls(glyphs.labels, Views(glyphs.glyphs, np.zeros(count, np.bool_), np.arange(count, dtype=np.int32)))

    def likelier(self) -> GlyphSet:
        """One glyph of every image that has ink at the first look."""
        firsts = self.plain.firsts
        return GlyphSet(self.plain.glyphs[firsts], self.labels[self.plain.owners[firsts]])


def all_images(sets: Sequence[ImageSet]) -> ImageSet:
    """All of them, in order."""
    starts = np.cumsum([0, *(len(s) for s in sets)])[:-1].tolist()
    return ImageSet(
        np.concatenate([np.zeros(0, np.uint8), *(s.labels for s in sets)]),
        _all_views([s.plain for s in sets], starts),
        _all_views([s.tight for s in sets], starts),
    )


def _all_views(views: Sequence[Views], starts: Sequence[int]) -> Views:
    owners = [NO_VIEWS.owners, *(v.owners + start for v, start in zip(views, starts, strict=True))]
    return Views(
        np.concatenate([NO_VIEWS.glyphs, *(v.glyphs for v in views)]),
        np.concatenate([NO_VIEWS.reaches_edge, *(v.reaches_edge for v in views)]),
        np.concatenate(owners).astype(np.int32),
    )


def as_expected(images: ImageSet, non_digit_share: float) -> ImageSet:
    """A set with so many of its non-digits, chosen evenly, that they are at most `non_digit_share`, 0..1, of it."""
    return images.only(chosen_as_expected(images.labels, non_digit_share))


def chosen_as_expected(labels: NDArray[np.uint8], non_digit_share: float) -> NDArray[np.bool_]:
    """Which of some classes, (n,), such a set has: (n,)."""
    non_digits = np.flatnonzero(labels == NON_DIGIT)
    wanted = round(non_digit_share / (1 - non_digit_share) * (len(labels) - len(non_digits)))
    chosen: NDArray[np.bool_] = labels != NON_DIGIT
    if 0 < wanted < len(non_digits):
        non_digits = non_digits[np.linspace(0, len(non_digits) - 1, wanted).round().astype(int)]
    chosen[non_digits[:wanted]] = True
    return chosen
