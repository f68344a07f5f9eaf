"""The pool of glyphs that a run draws its batches from: every source, drawn many times over, through the imaging path.

Drawing and normalising an image costs about a millisecond, a training step a fraction of that a glyph. So the heavy
augmentation is done once, in worker processes, into a pool that is several times the sources; a light one
(`augment.jittered`) is done anew in every epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import cv2
import numpy as np
from numpy.typing import NDArray

from app.calibration import NON_DIGIT
from app.domain import Polarity
from app.imaging.binarise import find_ink
from app.imaging.decode import decode_image
from app.imaging.glyph import GLYPH_SIDE, normalise_glyph
from app.imaging.segment import single_digit
from training.augment import Random, beside, fragment, photographed, rephotographed, texture
from training.fonts import NON_DIGITS, Font, draw_text, draws
from training.sources import Item
from training.strokes import draw_strokes

_CHUNK = 1_000
_MAX_PIXELS = 50_000_000
_DRAWN_HEIGHT = 64
# Digits whose parts are no other digit: half of an 8 is a 0, half of a 1 is a 1.
_FRAGMENTED = "0235"

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


def glyph_of(image: NDArray[np.uint8], polarity: Polarity) -> Glyphs | None:
    """The glyph of a one-digit image, (h, w) uint8, as /predict would see it; None where it finds no ink."""
    candidate = single_digit(find_ink(image, polarity))
    return None if candidate is None else normalise_glyph(candidate.ink)


class GlyphMaker:
    """Makes glyphs in worker processes. Every chunk has a seed of its own, however many processes there are."""

    def __init__(self, processes: int, seed: int) -> None:
        self._executor = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
        self._seeds = np.random.SeedSequence(seed)

    def __enter__(self) -> GlyphMaker:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(cancel_futures=True)

    def items(self, items: Sequence[Item], copies: int) -> Future[GlyphSet]:
        """Every item as it is (`copies` 0), or that many times augmented. Items without ink are left out."""
        work = [item for item in items for _ in range(max(1, copies))]
        chunks = [work[start : start + _CHUNK] for start in range(0, len(work), _CHUNK)]
        return self._submitted([(_item_glyphs, (chunk, copies > 0)) for chunk in chunks])

    def font_digits(self, fonts: Sequence[Font], count: int) -> Future[GlyphSet]:
        """Digits drawn from fonts, every family as often as any other."""
        return self._submitted([(_font_glyphs, (fonts, n)) for n in _chunks(count)])

    def non_digits(self, fonts: Sequence[Font], digits: Sequence[Item], count: int) -> Future[GlyphSet]:
        """Letters and signs of fonts, two digits in one crop, parts of digits, textures and noise."""
        return self._submitted(
            [(_non_digit_glyphs, (fonts, digits[:: max(1, len(digits) // 2000)], n)) for n in _chunks(count)]
        )

    def _submitted(self, jobs: Sequence[tuple[Callable[..., GlyphSet], tuple[object, ...]]]) -> Future[GlyphSet]:
        seeds = self._seeds.spawn(len(jobs))
        parts = [self._executor.submit(f, *arguments, seed) for (f, arguments), seed in zip(jobs, seeds, strict=True)]
        return _Joined(parts)


class _Joined(Future[GlyphSet]):
    """The parts of one set; `result` waits for them and puts them together."""

    def __init__(self, parts: Sequence[Future[GlyphSet]]) -> None:
        super().__init__()
        self._parts = parts

    def result(self, timeout: float | None = None) -> GlyphSet:
        return concatenated([part.result(timeout) for part in self._parts])


def _chunks(count: int) -> Iterator[int]:
    for start in range(0, count, _CHUNK):
        yield min(_CHUNK, count - start)


def _collected(pairs: Iterator[tuple[Glyphs | None, int]]) -> GlyphSet:
    kept = [(glyph, label) for glyph, label in pairs if glyph is not None]
    if not kept:
        return concatenated([])
    return GlyphSet(np.stack([glyph for glyph, _ in kept]), np.array([label for _, label in kept], np.uint8))


def _item_glyphs(items: Sequence[Item], augmented: bool, seed: np.random.SeedSequence) -> GlyphSet:
    cv2.setNumThreads(1)
    random = np.random.default_rng(seed)
    return _collected((_item_glyph(item, augmented, random), item.label) for item in items)


def _item_glyph(item: Item, augmented: bool, random: Random) -> Glyphs | None:
    if item.photo is not None:
        image = decode_image(item.photo, _MAX_PIXELS).pixels
        return glyph_of(rephotographed(image, random) if augmented else image, Polarity.AUTO)
    ink = _item_ink(item, random)
    if augmented:
        return glyph_of(photographed(ink, random), Polarity.DARK_ON_LIGHT)
    return glyph_of(np.pad(ink, 4), Polarity.LIGHT_ON_DARK)


def _item_ink(item: Item, random: Random) -> NDArray[np.uint8]:
    if item.strokes is not None:
        pen = float(np.exp(random.uniform(np.log(1.5), np.log(11.0))))
        return draw_strokes(item.strokes, _DRAWN_HEIGHT, pen)
    assert item.ink is not None  # noqa: S101  # an item has exactly one of the three
    scale = max(1, round(_DRAWN_HEIGHT / max(item.ink.shape)))
    if scale == 1:
        return item.ink
    return cv2.resize(item.ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)


def _font_glyphs(fonts: Sequence[Font], count: int, seed: np.random.SeedSequence) -> GlyphSet:
    random = np.random.default_rng(seed)
    families = _by_family(fonts)
    glyphs: list[Glyphs] = []
    labels = []
    while len(glyphs) < count:
        digit = int(random.integers(10))
        glyph = glyph_of(
            photographed(draw_text(_any_font(families, random), str(digit)), random), Polarity.DARK_ON_LIGHT
        )
        if glyph is not None:
            glyphs.append(glyph)
            labels.append(digit)
    return GlyphSet(np.stack(glyphs), np.array(labels, np.uint8))


def _non_digit_glyphs(
    fonts: Sequence[Font], digits: Sequence[Item], count: int, seed: np.random.SeedSequence
) -> GlyphSet:
    random = np.random.default_rng(seed)
    families = _by_family(fonts)
    glyphs: list[Glyphs] = []
    while len(glyphs) < count:
        image = _non_digit_image(families, digits, random)
        glyph = None if image is None else glyph_of(image, Polarity.DARK_ON_LIGHT)
        if glyph is not None:
            glyphs.append(glyph)
    return GlyphSet(np.stack(glyphs), np.full(count, NON_DIGIT, np.uint8))


def _non_digit_image(
    families: Sequence[Sequence[Font]], digits: Sequence[Item], random: Random
) -> NDArray[np.uint8] | None:
    kind = random.random()
    if kind < 0.4:
        font, character = _any_font(families, random), NON_DIGITS[int(random.integers(len(NON_DIGITS)))]
        return photographed(draw_text(font, character), random) if draws(font, character) else None
    if kind < 0.7:
        left, right = (_any_digit(families, digits, random) for _ in range(2))
        return photographed(beside(left, right, random), random)
    if kind < 0.8:
        digit = draw_text(_any_font(families, random), _FRAGMENTED[int(random.integers(len(_FRAGMENTED)))])
        return photographed(fragment(digit, random), random)
    if kind < 0.95:
        return texture(random)
    side = random.integers(4, 40, 2)
    return random.integers(0, 256, (int(side[0]), int(side[1]))).astype(np.uint8)


def _any_digit(families: Sequence[Sequence[Font]], digits: Sequence[Item], random: Random) -> NDArray[np.uint8]:
    if not digits or random.random() < 0.4:
        return draw_text(_any_font(families, random), str(random.integers(10)))
    ink = _item_ink(digits[int(random.integers(len(digits)))], random)
    rows, columns = np.flatnonzero((ink > 64).any(axis=1)), np.flatnonzero((ink > 64).any(axis=0))
    return np.ascontiguousarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _by_family(fonts: Sequence[Font]) -> list[list[Font]]:
    families: dict[str, list[Font]] = {}
    for font in fonts:
        families.setdefault(font.family, []).append(font)
    return list(families.values())


def _any_font(families: Sequence[Sequence[Font]], random: Random) -> Font:
    """Every family as often as any other, however many styles it has."""
    family = families[int(random.integers(len(families)))]
    return family[int(random.integers(len(family)))]
