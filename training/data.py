"""Where glyphs come from: MNIST, fonts, and what is no digit, all through the service's own imaging path."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from app.calibration import NON_DIGIT
from app.domain import Polarity
from app.errors import OcrError
from app.imaging.binarise import find_ink
from app.imaging.glyph import GLYPH_SIDE, normalise_glyph
from app.imaging.segment import single_digit
from training.augment import beside, fragment, photographed, texture
from training.config import TrainingConfig
from training.fonts import NON_DIGITS, Font, draw_text, draws, find_fonts, split_families

_CHUNK = 2_000
_MNIST_FILE = "mnist.npz"
# Digits whose parts are no other digit: half of an 8 is a 0, half of a 1 is a 1.
_FRAGMENTED = "0235"


class DataError(OcrError):
    """Training data that is missing or damaged."""


@dataclass(frozen=True, slots=True)
class GlyphSet:
    """Normalised glyphs, (n, 28, 28) uint8, and their classes, (n,) uint8: 0–9, and 10 for no digit."""

    glyphs: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Mnist:
    """MNIST as Keras distributes it: (n, 28, 28) uint8 light on dark, (n,) uint8; `sha256` of the file's arrays."""

    train: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]
    writers: NDArray[np.int64] | None
    sha256: str


@dataclass(frozen=True, slots=True)
class TrainingData:
    """All that a run needs; `sources` describes it for the manifest."""

    train: GlyphSet
    validation: GlyphSet
    evaluation: dict[str, GlyphSet]
    sources: list[dict[str, object]]


def load_mnist(data_dir: Path | None) -> Mnist:
    """MNIST from `data_dir`/mnist.npz, or as Keras downloads it. Raises DataError for a missing or damaged file."""
    path = None if data_dir is None else data_dir / _MNIST_FILE
    if path is None:
        from keras.datasets import mnist

        try:
            (train, train_labels), (test, test_labels) = mnist.load_data()
        except Exception as error:  # whatever the download runs into
            raise DataError(
                f"Keras cannot download MNIST ({error}); give --data-dir a folder with mnist.npz."
            ) from error
        writers = None
    else:
        try:
            with path.open("rb") as file, np.load(file) as arrays:
                train, train_labels = arrays["x_train"], arrays["y_train"]
                test, test_labels = arrays["x_test"], arrays["y_test"]
            writers_path = path.with_name("mnist_writers.npz")
            writers = np.load(writers_path)["train"].astype(np.int64) if writers_path.exists() else None
        except FileNotFoundError:
            raise DataError(f"{path} is missing; leave --data-dir out to have Keras download MNIST.") from None
        except (OSError, KeyError, ValueError, BadZipFile) as error:
            raise DataError(f"{path} is damaged ({error}); fetch it anew.") from error
    digest = hashlib.sha256()
    for array in (train, train_labels, test, test_labels):
        digest.update(np.ascontiguousarray(array).tobytes())
    return Mnist(train, train_labels, test, test_labels, writers, digest.hexdigest())


def training_data(config: TrainingConfig) -> TrainingData:
    """Draws and normalises everything a run trains and validates on. Raises DataError or NoFonts."""
    mnist = load_mnist(config.data_dir)
    fonts = find_fonts(config.fonts_dir)
    seen_fonts, held_out_fonts = split_families(fonts, config.held_out_families)
    is_validation = _validation_split(mnist, config)
    digits, digit_labels = mnist.train[~is_validation], mnist.train_labels[~is_validation]
    with ProcessPoolExecutor(config.processes, mp_context=get_context("spawn")) as pool:
        builder = _Builder(pool, config.seed)
        train = _concatenated(
            [
                builder.mnist(digits, digit_labels, copies=0),
                *(builder.mnist(digits, digit_labels, copies=1) for _ in range(config.mnist_copies)),
                builder.font_digits(seen_fonts, config.font_digits),
                builder.non_digits(seen_fonts, config.non_digits, digits),
            ]
        )
        held_out_digits, held_out_labels = mnist.train[is_validation], mnist.train_labels[is_validation]
        evaluation = {
            "mnist_validation_writers": builder.mnist(held_out_digits, held_out_labels, copies=0),
            "mnist_validation_augmented": builder.mnist(held_out_digits, held_out_labels, copies=1),
            "held_out_font_families": builder.font_digits(held_out_fonts, config.held_out_font_digits)
            if held_out_fonts
            else _empty(),
            "held_out_non_digits": builder.non_digits(
                held_out_fonts or fonts, config.held_out_non_digits, held_out_digits
            ),
        }
        validation = _concatenated(list(evaluation.values()))
        evaluation["mnist_test"] = builder.mnist(mnist.test, mnist.test_labels, copies=0)
    sources: list[dict[str, object]] = [
        {
            "name": "MNIST, training digits",
            "licence": "CC BY-SA 3.0",
            "sha256": mnist.sha256,
            "images": len(digits),
            "validation_images": int(is_validation.sum()),
            "split": "by writer" if mnist.writers is not None else "the last images",
        },
        {
            "name": "fonts of Debian's fonts-* packages (training/fonts.txt)",
            "licence": "each font's own; free in the sense of Debian's guidelines",
            "files": len(fonts),
            "families": len({font.family for font in fonts}),
            "held_out_families": len({font.family for font in held_out_fonts}),
        },
    ]
    return TrainingData(train, validation, evaluation, sources)


def glyph_of(image: NDArray[np.uint8], polarity: Polarity) -> NDArray[np.uint8] | None:
    """The glyph of a one-digit image, (h, w) uint8, as /predict would see it; None where it finds no ink."""
    candidate = single_digit(find_ink(image, polarity))
    return None if candidate is None else normalise_glyph(candidate.ink)


def _validation_split(mnist: Mnist, config: TrainingConfig) -> NDArray[np.bool_]:
    """Which MNIST training digits validate: those of a tenth of the writers, or the last tenth."""
    count = len(mnist.train_labels)
    if mnist.writers is None:
        return np.arange(count) >= count * (1 - config.validation_share)
    writers = np.unique(mnist.writers)
    chosen = np.random.default_rng(config.seed).permutation(writers)[: round(len(writers) * config.validation_share)]
    return np.isin(mnist.writers, chosen)


def _empty() -> GlyphSet:
    return GlyphSet(np.zeros((0, GLYPH_SIDE, GLYPH_SIDE), np.uint8), np.zeros(0, np.uint8))


def _concatenated(sets: Sequence[GlyphSet]) -> GlyphSet:
    return GlyphSet(np.concatenate([s.glyphs for s in sets]), np.concatenate([s.labels for s in sets]))


class _Builder:
    """Draws glyphs in worker processes; every chunk has a seed of its own, however many processes there are."""

    def __init__(self, pool: ProcessPoolExecutor, seed: int) -> None:
        self._pool = pool
        self._seeds = np.random.SeedSequence(seed)

    def mnist(self, images: NDArray[np.uint8], labels: NDArray[np.uint8], copies: int) -> GlyphSet:
        """Every image once: as it is (`copies` 0), or photographed anew (1)."""
        starts = range(0, len(labels), _CHUNK)
        seeds = self._seeds.spawn(len(starts))
        jobs = [
            self._pool.submit(_mnist_chunk, images[s : s + _CHUNK], labels[s : s + _CHUNK], copies > 0, seed)
            for s, seed in zip(starts, seeds, strict=True)
        ]
        return _concatenated([job.result() for job in jobs])

    def font_digits(self, fonts: Sequence[Font], count: int) -> GlyphSet:
        chunks = [min(_CHUNK, count - start) for start in range(0, count, _CHUNK)]
        seeds = self._seeds.spawn(len(chunks))
        jobs = [self._pool.submit(_font_chunk, fonts, n, seed) for n, seed in zip(chunks, seeds, strict=True)]
        return _concatenated([job.result() for job in jobs])

    def non_digits(self, fonts: Sequence[Font], count: int, digits: NDArray[np.uint8]) -> GlyphSet:
        chunks = [min(_CHUNK, count - start) for start in range(0, count, _CHUNK)]
        seeds = self._seeds.spawn(len(chunks))
        jobs = [
            self._pool.submit(_non_digit_chunk, fonts, n, digits[:: max(1, len(digits) // 4_000)], seed)
            for n, seed in zip(chunks, seeds, strict=True)
        ]
        return _concatenated([job.result() for job in jobs])


def _mnist_chunk(
    images: NDArray[np.uint8], labels: NDArray[np.uint8], augmented: bool, seed: np.random.SeedSequence
) -> GlyphSet:
    random = np.random.default_rng(seed)
    glyphs: list[NDArray[np.uint8]] = []
    kept = []
    for image, label in zip(images, labels, strict=True):
        if augmented:
            glyph = glyph_of(photographed(_enlarged(image), random), Polarity.DARK_ON_LIGHT)
        else:
            glyph = glyph_of(image, Polarity.LIGHT_ON_DARK)
        if glyph is not None:
            glyphs.append(glyph)
            kept.append(label)
    return GlyphSet(np.stack(glyphs), np.array(kept, np.uint8))


def _font_chunk(fonts: Sequence[Font], count: int, seed: np.random.SeedSequence) -> GlyphSet:
    random = np.random.default_rng(seed)
    families = _by_family(fonts)
    glyphs: list[NDArray[np.uint8]] = []
    labels = []
    while len(glyphs) < count:
        digit = int(random.integers(10))
        ink = draw_text(_random_font(families, random), str(digit))
        glyph = glyph_of(photographed(ink, random), Polarity.DARK_ON_LIGHT)
        if glyph is not None:
            glyphs.append(glyph)
            labels.append(digit)
    return GlyphSet(np.stack(glyphs), np.array(labels, np.uint8))


def _non_digit_chunk(
    fonts: Sequence[Font], count: int, digits: NDArray[np.uint8], seed: np.random.SeedSequence
) -> GlyphSet:
    """Letters and punctuation (half), two digits in one crop, parts of digits, textures, and noise."""
    random = np.random.default_rng(seed)
    families = _by_family(fonts)
    glyphs: list[NDArray[np.uint8]] = []
    while len(glyphs) < count:
        kind = random.random()
        if kind < 0.5:
            font, character = _random_font(families, random), NON_DIGITS[random.integers(len(NON_DIGITS))]
            if not draws(font, character):
                continue
            image = photographed(draw_text(font, character), random)
        elif kind < 0.7:
            left, right = (_any_digit(families, digits, random) for _ in range(2))
            image = photographed(beside(left, right, random), random)
        elif kind < 0.8:
            digit = draw_text(_random_font(families, random), _FRAGMENTED[random.integers(len(_FRAGMENTED))])
            image = photographed(fragment(digit, random), random)
        elif kind < 0.95:
            image = texture(random)
        else:
            image = random.integers(0, 256, (int(random.integers(4, 40)), int(random.integers(4, 40)))).astype(np.uint8)
        glyph = glyph_of(image, Polarity.DARK_ON_LIGHT)
        if glyph is not None:
            glyphs.append(glyph)
    return GlyphSet(np.stack(glyphs), np.full(count, NON_DIGIT, np.uint8))


def _any_digit(families: list[list[Font]], digits: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    if random.random() < 0.5:
        return draw_text(_random_font(families, random), str(random.integers(10)))
    image = _enlarged(digits[random.integers(len(digits))])
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    return np.ascontiguousarray(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _enlarged(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return cv2.resize(image, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)


def _by_family(fonts: Sequence[Font]) -> list[list[Font]]:
    families: dict[str, list[Font]] = {}
    for font in fonts:
        families.setdefault(font.family, []).append(font)
    return list(families.values())


def _random_font(families: list[list[Font]], random: np.random.Generator) -> Font:
    """Every family as often as any other, however many styles it has."""
    family = families[random.integers(len(families))]
    return family[random.integers(len(family))]
