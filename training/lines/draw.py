"""Lines to train on: composed, and taken through the imaging path. Worker processes import this, and no framework."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.imaging.line import COLUMN_WIDTH, LINE_HEIGHT, STEP_WIDTH, LineImage, LinePixels, line_image
from training.augment import Random
from training.fonts import Font
from training.lines.compose import ComposedLine
from training.lines.config import LinesConfig, LinesPlaces
from training.lines.mixture import any_line
from training.lines.pools import Writers, read_writers
from training.lines.wordless import any_line_without_digits, any_wordy_line
from training.sources import hashed_share

NO_DIGIT = -1
MOST_DIGITS = 12
# Of a digit's height, so much above and below its middle must be seen.
_SEEN = 0.3

Labels = NDArray[np.int8]
DrawnLine = tuple[LinePixels, str]


class Kind(StrEnum):
    """What lines are for: to validate on, of the writers that are kept for it and as they would be served; to train on.

    Wordy ones are to train on, too.
    """

    VALIDATION = "validation"
    TRAINING = "training"
    WORDY = "wordy"


@dataclass(frozen=True, slots=True)
class Part:
    """The `number`th part of a pool, of `count` lines of a kind, and all that it takes to draw it into its file."""

    file: Path
    number: int
    count: int
    kind: Kind
    config: LinesConfig
    places: LinesPlaces
    fonts: tuple[Font, ...]


def for_validation(config: LinesConfig, group: str) -> bool:
    """Whether a writer or a font's family, of those that are not held out, is kept for validation."""
    return hashed_share(group, config.validation_share, salt="validation/")


def drawn_part(part: Part) -> int:
    """Draws one part into its file. The answer is how many lines it was asked for."""
    cv2.setNumThreads(1)
    seed = np.random.SeedSequence(part.config.seed, spawn_key=(_SPAWNED[part.kind], part.number))
    writers = _writers(part.places, part.fonts, part.kind is Kind.VALIDATION, part.config)
    lines = list(_DRAWN[part.kind](writers, part.config, part.count, np.random.default_rng(seed)))
    aside = part.file.with_suffix(".part.npz")
    np.savez(aside, **packed_arrays(lines, part.config.widths))
    aside.replace(part.file)
    return part.count


@lru_cache(maxsize=2)
def _writers(places: LinesPlaces, fonts: tuple[Font, ...], validation: bool, config: LinesConfig) -> Writers:
    return read_writers(
        places.data_dir,
        fonts,
        accept_changed=places.accept_changed_data,
        chosen=lambda group: for_validation(config, group) == validation,
    )


def training_lines(writers: Writers, config: LinesConfig, count: int, random: Random) -> Iterator[DrawnLine]:
    """So many lines with their texts, but for those of which the imaging path leaves no ink or not all digits.

    Under the wrong polarity, what is seen is the paper around digits and in their holes: no text.
    """
    for _ in range(count):
        composed, line = _drawn(writers, config, random)
        if line is not None and fits(line.pixels.shape[1], composed.text) and _all_seen(composed, line):
            yield line.pixels, composed.text


def served_lines(writers: Writers, config: LinesConfig, count: int, random: Random) -> Iterator[DrawnLine]:
    """So many lines, whatever the imaging path leaves of them; without ink, as a line of paper."""
    for _ in range(count):
        composed, line = _drawn(writers, config, random)
        yield np.zeros((LINE_HEIGHT, COLUMN_WIDTH), np.uint8) if line is None else line.pixels, composed.text


def wordy_lines(writers: Writers, _: LinesConfig, count: int, random: Random) -> Iterator[DrawnLine]:
    """So many lines of words, with or without a number, but for those of which the imaging path leaves nothing."""
    for _line in range(count):
        composed = any_wordy_line(writers, random)
        line = line_image(composed.image, composed.polarity)
        if line is not None and fits(line.pixels.shape[1], composed.text) and _all_seen(composed, line):
            yield line.pixels, composed.text


_DRAWN = {Kind.VALIDATION: served_lines, Kind.TRAINING: training_lines, Kind.WORDY: wordy_lines}
_SPAWNED = {Kind.TRAINING: 0, Kind.VALIDATION: 1, Kind.WORDY: 2}


def _drawn(writers: Writers, config: LinesConfig, random: Random) -> tuple[ComposedLine, LineImage | None]:
    kind = random.random()
    if kind < config.without_digits:
        composed = any_line_without_digits(writers, random)
    else:
        composed = any_line(writers, random)
        if kind < config.without_digits + config.reversed_share:
            composed = replace(composed, text="", boxes=(), polarity=composed.polarity.reversed)
    return composed, line_image(composed.image, composed.polarity)


def fits(width: int, text: str) -> bool:
    """Whether a line of that width has steps enough for a text: one a digit, and a blank between two that are alike."""
    repeats = sum(one == other for one, other in pairwise(text))
    return len(text) + repeats <= width // STEP_WIDTH


def _all_seen(composed: ComposedLine, line: LineImage) -> bool:
    """Whether the line shows the middle part of every digit."""
    boxes = np.array([[box.left, box.top, box.right, box.bottom] for box in composed.boxes], np.float64).reshape(-1, 4)
    inverse = np.linalg.inv(np.vstack([line.to_image, [0, 0, 1]]))
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    x, y = inverse[:2, :2] @ middles.T + inverse[:2, 2:]
    reach = _SEEN * (boxes[:, 3] - boxes[:, 1]) * float(np.hypot(*inverse[:2, 1]))
    height, width = line.pixels.shape
    return bool(((x > 0) & (x < width) & (y - reach > 0) & (y + reach < height)).all())


def labelled(texts: Sequence[str]) -> Labels:
    """The digits of texts, (n, 12) int8, NO_DIGIT after the last."""
    labels = np.full((len(texts), MOST_DIGITS), NO_DIGIT, np.int8)
    for row, text in zip(labels, texts, strict=True):
        row[: len(text)] = [int(digit) for digit in text]
    return labels


def text_of(labels: Labels) -> str:
    """The text of one row of labels."""
    return "".join(str(digit) for digit in labels if digit != NO_DIGIT)


def packed_arrays(lines: Iterable[DrawnLine], widths: Sequence[int]) -> dict[str, Any]:
    """Lines by the least width that each fits: by "width/name" the arrays of a `LineSet`."""
    arrays: dict[str, Any] = {}
    drawn = list(lines)
    for width, narrower in zip(widths, (0, *widths), strict=False):
        own = [(pixels, text) for pixels, text in drawn if narrower < pixels.shape[1] <= width]
        kept = np.zeros((len(own), LINE_HEIGHT, width), np.uint8)
        for room, (pixels, _) in zip(kept, own, strict=True):
            room[:, : pixels.shape[1]] = pixels
        arrays[f"{width}/lines"] = kept
        arrays[f"{width}/widths"] = np.array([pixels.shape[1] for pixels, _ in own], np.int16)
        arrays[f"{width}/labels"] = labelled([text for _, text in own])
    return arrays
