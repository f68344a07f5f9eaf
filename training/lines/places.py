"""Digits of composed lines, as the place reader sees them, kept on disk. Worker processes import this, no framework."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from app.imaging.digit_spans import digit_spans
from app.imaging.glyph import GLYPH_SIDE, PREPROCESSING_VERSION
from app.imaging.line import LINE_VERSION, LineImage, line_image
from app.imaging.places import PLACE_CHANNELS, PLACE_VERSION, Places, place_views
from training.augment import Random
from training.config import told
from training.fonts import Font, find_fonts
from training.lines.compose import ComposedLine
from training.lines.config import LinesPlaces, PlacesConfig
from training.lines.draw import all_seen, fits, writers_of
from training.lines.mixture import any_line
from training.lines.pool import draw_parts, forget_others, parted_fonts
from training.lines.pools import Writers
from training.resume import NoSpace
from training.sources import DataError

_PART = 900
_FOLDER, _INDEX = "places", "index.json"
# What in a configuration leaves the digits as they are: more lines are more parts.
_NOT_OF_A_PLACE = {
    *("version", "name", "lines", "validation_lines", "batch_size", "steps", "epochs", "calm_epochs"),
    *("learning_rate", "weight_decay", "precision"),
}
# A reader tells the middle of a digit no nearer than this, in columns.
_ABOUT = 1.2

Labels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PlaceSet:
    """Digits in their places, (n, 28, 28, 2) uint8, and which they are, (n,) uint8."""

    places: Places
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class PlacePart:
    """The `number`th part of a pool, of the digits of `count` lines, and all that it takes to draw it into its file."""

    file: Path
    number: int
    count: int
    validation: bool
    config: PlacesConfig
    places: LinesPlaces
    fonts: tuple[Font, ...]


def drawn_places(config: PlacesConfig, places: LinesPlaces, processes: int) -> tuple[PlaceSet, PlaceSet]:
    """The digits of a run, to train on and to validate on, drawn once and kept in its folder.

    What is there already is not drawn again. Raises NoFonts, DataError where data or kept digits are damaged, and
    NoSpace.
    """
    folder = places.run_dir(config) / _FOLDER
    fonts = parted_fonts(config, find_fonts(places.fonts_dir))
    training = _parts(folder, False, config, places, fonts.training)
    validation = _parts(folder, True, config, places, fonts.validation)
    try:
        forget_others(folder, _fingerprint(config))
        missing = [part for part in (*validation, *training) if not part.file.exists()]
        if missing:
            draw_parts(draw_part, missing, processes)
    except OSError as error:
        raise NoSpace(f"{folder} could not be written ({error.strerror or error}); make room, begin again.") from error
    return _read(training), _read(validation)


def _parts(
    folder: Path, validation: bool, config: PlacesConfig, places: LinesPlaces, fonts: tuple[Font, ...]
) -> list[PlacePart]:
    whole, kind = (config.validation_lines, "validation") if validation else (config.lines, "training")
    counts = [min(_PART, whole - start) for start in range(0, whole, _PART)]
    return [
        PlacePart(folder / f"{kind}-{number:05d}-{count}.npz", number, count, validation, config, places, fonts)
        for number, count in enumerate(counts)
    ]


def _fingerprint(config: PlacesConfig) -> str:
    """What the digits depend on: the part of the configuration that is about them, and the imaging path."""
    of_a_place = {name: value for name, value in told(config).items() if name not in _NOT_OF_A_PLACE}
    versions = [PREPROCESSING_VERSION, LINE_VERSION, PLACE_VERSION]
    return hashlib.sha256(json.dumps([of_a_place, *versions]).encode()).hexdigest()


def draw_part(part: PlacePart) -> int:
    """Draws one part into its file. The answer is how many lines it was asked for."""
    cv2.setNumThreads(1)
    writers = writers_of(part.places, part.fonts, part.validation, part.config)
    random = np.random.default_rng((part.config.seed, int(part.validation), part.number))
    views, labels = [np.zeros((0, GLYPH_SIDE, GLYPH_SIDE, PLACE_CHANNELS), np.uint8)], [np.zeros(0, np.uint8)]
    for own, text in composed_places(writers, part.count, random):
        views.append(own)
        labels.append(np.array([int(digit) for digit in text], np.uint8))
    aside = part.file.with_suffix(".part.npz")
    np.savez(aside, places=np.concatenate(views), labels=np.concatenate(labels))
    aside.replace(part.file)
    return part.count


def composed_places(writers: Writers, count: int, random: Random) -> Iterator[tuple[Places, str]]:
    """The digits of so many lines in their places, (n, 28, 28, 2) uint8 each, and which they are.

    But for lines of which the imaging path leaves no ink or not all digits.
    """
    for _ in range(count):
        composed = any_line(writers, random)
        line = line_image(composed.image, composed.polarity)
        if line is not None and fits(line.pixels.shape[1], composed.text) and all_seen(composed, line):
            yield _cut(composed, line, random), composed.text


def _cut(composed: ComposedLine, line: LineImage, random: Random) -> Places:
    """The digits where they are, or about there: a reader does not tell it better."""
    inverse = np.linalg.inv(np.vstack([line.to_image, [0, 0, 1]]))
    middles = np.array([(box.left + box.width / 2, box.top + box.height / 2) for box in composed.boxes])
    columns = inverse[0, :2] @ middles.T + inverse[0, 2] + random.normal(0, _ABOUT, len(middles))
    return place_views(line.pixels, digit_spans(line.pixels, np.maximum.accumulate(columns).tolist()))


def _read(parts: Sequence[PlacePart]) -> PlaceSet:
    places, labels = [], []
    for part in parts:
        try:
            with part.file.open("rb") as file, np.load(file) as kept:
                places.append(kept["places"])
                labels.append(kept["labels"])
        except (OSError, EOFError, KeyError, ValueError, BadZipFile, zlib.error) as error:
            raise DataError(f"{part.file} is damaged ({error}); remove it, and its digits are drawn anew.") from error
    return PlaceSet(np.concatenate(places), np.concatenate(labels))
