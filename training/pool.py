"""The pool of glyphs that a run draws its batches from: every source, drawn many times over, through the imaging path.

Drawing and normalising an image costs about a millisecond, a training step a fraction of that a glyph. So the heavy
augmentation is done once, in worker processes, into a pool that is several times the sources; a light one
(`augment.jittered`) is done anew in every epoch.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from app.calibration import NON_DIGIT
from app.domain import Polarity
from app.imaging.binarise import find_ink, likely_polarities
from app.imaging.decode import decode_image
from app.imaging.glyph import normalise_glyph
from app.imaging.segment import Candidate, digits_by_polarity, single_digit
from app.imaging.tight import reaches_edge, tight_digits
from training.allographs import any_skeleton, pen_strokes
from training.augment import Random, beside, fragment, outlined, photographed, printed, rephotographed, texture
from training.displays import any_display
from training.fonts import NON_DIGITS, Font, draw_text, draws
from training.sets import NO_VIEWS, Glyphs, GlyphSet, ImageSet, Views, all_images, concatenated
from training.sources import Item
from training.strokes import draw_strokes

_CHUNK = 1_000
_MAX_PIXELS = 50_000_000
_DRAWN_HEIGHT = 64
# Digits whose parts are no other digit: half of an 8 is a 0, half of a 1 is a 1.
_FRAGMENTED = "0235"
# Of the clean digits of fonts, those of which the outlines alone are printed.
_OUTLINED_SHARE = 0.1
# Of the non-digits drawn, those that are digits under the wrong polarity.
_REVERSED_SHARE = 0.15

# An image, (h, w) uint8, and its class.
Picture = tuple[NDArray[np.uint8], int]
Set = TypeVar("Set")


def glyph_of(image: NDArray[np.uint8], polarity: Polarity) -> Glyphs | None:
    """The glyph of a one-digit image, (h, w) uint8, as /predict would see it; None where it finds no ink."""
    candidate = single_digit(find_ink(image, polarity))
    return None if candidate is None else normalise_glyph(candidate.ink)


class GlyphMaker:
    """Makes glyphs in worker processes. Every chunk has a seed of its own, however many processes there are."""

    def __init__(self, processes: int, seed: int) -> None:
        # Ctrl-C reaches every process: the first one ends the others, which need not tell of it as well.
        deaf = (signal.SIGINT, signal.SIG_IGN)
        self._executor = ProcessPoolExecutor(processes, get_context("spawn"), signal.signal, deaf)
        self._seeds = np.random.SeedSequence(seed)

    def __enter__(self) -> GlyphMaker:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(cancel_futures=True)

    def items(self, items: Sequence[Item], copies: int) -> Future[GlyphSet]:
        """Every item as it is (`copies` 0), or that many times augmented. Items without ink are left out."""
        work = [item for item in items for _ in range(max(1, copies))]
        return self._submitted([(_item_glyphs, (chunk, copies > 0)) for chunk in _chunked(work)], concatenated)

    def images(self, items: Sequence[Item]) -> Future[ImageSet]:
        """Every item as it is, to measure on."""
        return self._submitted([(_item_images, (chunk,)) for chunk in _chunked(items)], all_images)

    def font_digits(self, fonts: Sequence[Font], count: int) -> Future[GlyphSet]:
        """Digits drawn from fonts and photographed, every family as often as any other."""
        return self._submitted([(_font_glyphs, (fonts, n)) for n in _chunks(count)], concatenated)

    def printed_digits(self, fonts: Sequence[Font], count: int) -> Future[GlyphSet]:
        """Digits drawn from fonts, clean, as a screen or a PDF shows them; of some, the outlines alone."""
        return self._submitted([(_printed_glyphs, (fonts, n)) for n in _chunks(count)], concatenated)

    def drawn_digits(self, count: int) -> Future[GlyphSet]:
        """Digits in the forms of `allographs`, with any pen, photographed."""
        return self._submitted([(_drawn_glyphs, (n,)) for n in _chunks(count)], concatenated)

    def display_digits(self, count: int) -> Future[GlyphSet]:
        """Digits of displays, of segments and of dots, photographed."""
        return self._submitted([(_display_glyphs, (n,)) for n in _chunks(count)], concatenated)

    def display_images(self, count: int) -> Future[ImageSet]:
        """The same, to measure on."""
        return self._submitted([(_display_images, (n,)) for n in _chunks(count)], all_images)

    def font_images(self, fonts: Sequence[Font], count: int, as_photos: bool) -> Future[ImageSet]:
        """The same, to measure on; or clean, as a screen or a PDF shows them."""
        return self._submitted([(_font_images, (fonts, n, as_photos)) for n in _chunks(count)], all_images)

    def non_digits(self, fonts: Sequence[Font], digits: Sequence[Item], count: int) -> Future[GlyphSet]:
        """Letters and signs of fonts, two digits in one crop, parts of digits, textures and noise.

        And digits seen under the wrong polarity, from fonts and from `digits`.
        """
        return self._submitted([(_non_digit_glyphs, (fonts, _some(digits), n)) for n in _chunks(count)], concatenated)

    def non_digit_images(self, fonts: Sequence[Font], digits: Sequence[Item], count: int) -> Future[ImageSet]:
        """The same, to measure on, but for the wrong polarities: which is right, the images cannot be asked."""
        return self._submitted([(_non_digit_images, (fonts, _some(digits), n)) for n in _chunks(count)], all_images)

    def _submitted(
        self, jobs: Sequence[tuple[Callable[..., Set], tuple[object, ...]]], join: Callable[[Sequence[Set]], Set]
    ) -> Future[Set]:
        seeds = self._seeds.spawn(len(jobs))
        parts = [self._executor.submit(f, *arguments, seed) for (f, arguments), seed in zip(jobs, seeds, strict=True)]
        return _Joined(parts, join)


class _Joined(Future[Set]):
    """The parts of one set; `result` waits for them and puts them together."""

    def __init__(self, parts: Sequence[Future[Set]], join: Callable[[Sequence[Set]], Set]) -> None:
        super().__init__()
        self._parts = parts
        self._join = join

    def result(self, timeout: float | None = None) -> Set:
        return self._join([part.result(timeout) for part in self._parts])


def _chunks(count: int) -> Iterator[int]:
    for start in range(0, count, _CHUNK):
        yield min(_CHUNK, count - start)


def _chunked(items: Sequence[Item]) -> list[Sequence[Item]]:
    return [items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK)]


def _some(items: Sequence[Item]) -> Sequence[Item]:
    """Enough of them, evenly: all would take long to reach every process."""
    return items[:: max(1, len(items) // 2000)]


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
    if not augmented:
        return glyph_of(image_of(item, random), Polarity.AUTO)
    if item.photo is not None:
        return glyph_of(rephotographed(_photo(item.photo), random), Polarity.AUTO)
    return glyph_of(photographed(_item_ink(item, random), random), Polarity.DARK_ON_LIGHT)


def image_of(item: Item, random: Random) -> NDArray[np.uint8]:
    """An item as it would be sent: a bitmap and a photo as they are, strokes drawn with some pen on white."""
    if item.photo is not None:
        return _photo(item.photo)
    if item.ink is not None:
        return item.ink
    return np.pad(np.uint8(255) - _item_ink(item, random), 4, constant_values=255)


def _photo(data: bytes) -> NDArray[np.uint8]:
    return decode_image(data, _MAX_PIXELS).pixels


def _item_images(items: Sequence[Item], seed: np.random.SeedSequence) -> ImageSet:
    random = np.random.default_rng(seed)
    return _as_sent((image_of(item, random), item.label) for item in items)


def _as_sent(pairs: Iterable[Picture]) -> ImageSet:
    """Images and their classes, through the imaging path of /predict."""
    cv2.setNumThreads(1)
    sets = [ImageSet(np.zeros(0, np.uint8), NO_VIEWS)]
    for image, label in pairs:
        plain = _views([found for _, found in digits_by_polarity(image)], image)
        sees_tight = not len(plain.owners) or plain.reaches_edge.any()
        tight = _views(tight_digits(image), image) if sees_tight else NO_VIEWS
        sets.append(ImageSet(np.array([label], np.uint8), plain, tight))
    return all_images(sets)


def _views(candidates: Sequence[Candidate], image: NDArray[np.uint8]) -> Views:
    """What is seen of one image."""
    if not candidates:
        return NO_VIEWS
    glyphs = np.stack([normalise_glyph(candidate.ink) for candidate in candidates])
    at_edge = np.array([reaches_edge(candidate, image) for candidate in candidates])
    return Views(glyphs, at_edge, np.zeros(len(candidates), np.int32))


def _item_ink(item: Item, random: Random) -> NDArray[np.uint8]:
    if item.strokes is not None:
        return draw_strokes(item.strokes, _DRAWN_HEIGHT, _any_pen(random))
    assert item.ink is not None  # noqa: S101  # an item has exactly one of the three
    scale = max(1, round(_DRAWN_HEIGHT / max(item.ink.shape)))
    if scale == 1:
        return item.ink
    return cv2.resize(item.ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)


def _any_pen(random: Random) -> float:
    """The width of a pen's stroke, in pixels, on a digit of the height that strokes are drawn at."""
    return float(np.exp(random.uniform(np.log(1.5), np.log(11.0))))


def _font_glyphs(fonts: Sequence[Font], count: int, seed: np.random.SeedSequence) -> GlyphSet:
    random = np.random.default_rng(seed)
    families = by_family(fonts)
    glyphs: list[Glyphs] = []
    labels = []
    while len(glyphs) < count:
        digit = int(random.integers(10))
        image = photographed(draw_text(any_font(families, random), str(digit)), random)
        glyph = glyph_of(image, Polarity.DARK_ON_LIGHT)
        if glyph is not None:
            glyphs.append(glyph)
            labels.append(digit)
    return GlyphSet(np.stack(glyphs), np.array(labels, np.uint8))


def _printed_glyphs(fonts: Sequence[Font], count: int, seed: np.random.SeedSequence) -> GlyphSet:
    random = np.random.default_rng(seed)
    families = by_family(fonts)

    def drawn() -> Iterator[tuple[Glyphs | None, int]]:
        for _ in range(count):
            digit = int(random.integers(10))
            ink = draw_text(any_font(families, random), str(digit))
            ink = outlined(ink, random) if random.random() < _OUTLINED_SHARE else ink
            yield glyph_of(printed(ink, random), Polarity.DARK_ON_LIGHT), digit

    return _collected(drawn())


def _drawn_glyphs(count: int, seed: np.random.SeedSequence) -> GlyphSet:
    random = np.random.default_rng(seed)

    def drawn() -> Iterator[tuple[Glyphs | None, int]]:
        for _ in range(count):
            digit = int(random.integers(10))
            width = float(np.exp(random.normal(0.1, 0.28)))
            slant = np.array([[1, 0], [float(random.normal(-0.05, 0.18)), 1]], np.float32)
            strokes = [stroke @ slant for stroke in pen_strokes(any_skeleton(str(digit), random), width, random)]
            ink = draw_strokes(strokes, _DRAWN_HEIGHT, _any_pen(random))
            yield glyph_of(photographed(ink, random), Polarity.DARK_ON_LIGHT), digit

    return _collected(drawn())


def display_pictures(count: int, random: Random) -> Iterator[Picture]:
    """So many digits of displays, photographed."""
    for _ in range(count):
        digit = int(random.integers(10))
        cell = any_display(random).cell(str(digit))
        left, top, width, height = cv2.boundingRect(cell)
        yield photographed(np.ascontiguousarray(cell[top : top + height, left : left + width]), random), digit


def _display_glyphs(count: int, seed: np.random.SeedSequence) -> GlyphSet:
    pictures = display_pictures(count, np.random.default_rng(seed))
    return _collected((glyph_of(image, Polarity.DARK_ON_LIGHT), digit) for image, digit in pictures)


def _display_images(count: int, seed: np.random.SeedSequence) -> ImageSet:
    return _as_sent(display_pictures(count, np.random.default_rng(seed)))


def font_pictures(fonts: Sequence[Font], count: int, as_photos: bool, random: Random) -> Iterator[Picture]:
    """So many digits of fonts, every family as often as any other: photographed, or clean, as a screen shows them."""
    families = by_family(fonts)
    for _ in range(count):
        digit = int(random.integers(10))
        ink = draw_text(any_font(families, random), str(digit))
        yield (photographed(ink, random) if as_photos else printed(ink, random)), digit


def _font_images(fonts: Sequence[Font], count: int, as_photos: bool, seed: np.random.SeedSequence) -> ImageSet:
    return _as_sent(font_pictures(fonts, count, as_photos, np.random.default_rng(seed)))


def _non_digit_glyphs(
    fonts: Sequence[Font], digits: Sequence[Item], count: int, seed: np.random.SeedSequence
) -> GlyphSet:
    random = np.random.default_rng(seed)
    families = by_family(fonts)
    glyphs: list[Glyphs] = []
    while len(glyphs) < count:
        if random.random() < _REVERSED_SHARE:
            glyph = _reversed_glyph(families, digits, random)
        else:
            image = _non_digit_image(families, digits, random)
            glyph = None if image is None else glyph_of(image, Polarity.DARK_ON_LIGHT)
        if glyph is not None:
            glyphs.append(glyph)
    return GlyphSet(np.stack(glyphs), np.full(count, NON_DIGIT, np.uint8))


def non_digit_pictures(fonts: Sequence[Font], digits: Sequence[Item], count: int, random: Random) -> Iterator[Picture]:
    """So many letters and signs of fonts, pairs and parts of digits, textures and noise."""
    families = by_family(fonts)
    drawn = 0
    while drawn < count:
        image = _non_digit_image(families, digits, random)
        if image is not None:
            drawn += 1
            yield image, NON_DIGIT


def _non_digit_images(
    fonts: Sequence[Font], digits: Sequence[Item], count: int, seed: np.random.SeedSequence
) -> ImageSet:
    return _as_sent(non_digit_pictures(fonts, digits, count, np.random.default_rng(seed)))


def _reversed_glyph(families: Sequence[Sequence[Font]], digits: Sequence[Item], random: Random) -> Glyphs | None:
    """What is seen of a digit under the wrong polarity: the paper around it and in its holes."""
    item = digits[int(random.integers(len(digits)))] if digits and random.random() < 0.5 else None
    if item is not None and item.photo is not None:
        image = rephotographed(_photo(item.photo), random)
        likely = likely_polarities(image)
        if len(likely) > 1:  # which one is wrong is not known
            return None
        return glyph_of(image, likely[0].reversed)
    ink = draw_text(any_font(families, random), str(random.integers(10))) if item is None else _item_ink(item, random)
    image = photographed(ink, random)
    height, width = image.shape
    # A tight crop, such as a wheel fills of its window.
    top, bottom = (random.uniform(0, 0.2, 2) * height).astype(int)
    left, right = (random.uniform(0, 0.2, 2) * width).astype(int)
    return glyph_of(np.ascontiguousarray(image[top : height - bottom, left : width - right]), Polarity.LIGHT_ON_DARK)


def _non_digit_image(
    families: Sequence[Sequence[Font]], digits: Sequence[Item], random: Random
) -> NDArray[np.uint8] | None:
    kind = random.random()
    if kind < 0.4:
        font, character = any_font(families, random), NON_DIGITS[int(random.integers(len(NON_DIGITS)))]
        return photographed(draw_text(font, character), random) if draws(font, character) else None
    if kind < 0.7:
        left, right = (_any_digit(families, digits, random) for _ in range(2))
        return photographed(beside(left, right, random), random)
    if kind < 0.8:
        digit = draw_text(any_font(families, random), _FRAGMENTED[int(random.integers(len(_FRAGMENTED)))])
        return photographed(fragment(digit, random), random)
    if kind < 0.95:
        return texture(random)
    side = random.integers(4, 40, 2)
    return random.integers(0, 256, (int(side[0]), int(side[1]))).astype(np.uint8)


def _any_digit(families: Sequence[Sequence[Font]], digits: Sequence[Item], random: Random) -> NDArray[np.uint8]:
    if not digits or random.random() < 0.4:
        return draw_text(any_font(families, random), str(random.integers(10)))
    item = digits[int(random.integers(len(digits)))]
    if item.photo is not None:
        return draw_text(any_font(families, random), str(random.integers(10)))
    ink = _item_ink(item, random)
    rows, columns = np.flatnonzero((ink > 64).any(axis=1)), np.flatnonzero((ink > 64).any(axis=0))
    return np.ascontiguousarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def by_family(fonts: Sequence[Font]) -> list[list[Font]]:
    """The fonts of each family, families in the order of their first font."""
    families: dict[str, list[Font]] = {}
    for font in fonts:
        families.setdefault(font.family, []).append(font)
    return list(families.values())


def any_font(families: Sequence[Sequence[Font]], random: Random) -> Font:
    """Every family as often as any other, however many styles it has."""
    family = families[int(random.integers(len(families)))]
    return family[int(random.integers(len(family)))]
