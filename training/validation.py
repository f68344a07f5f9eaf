"""The images of validation, as the service would be sent them: digits, and as many others as are met."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.calibration import NON_DIGIT
from training.augment import Random
from training.config import TrainingConfig
from training.data import (
    VALIDATION_DISPLAY_DIGITS,
    VALIDATION_FONT_DIGITS,
    VALIDATION_NON_DIGITS,
    validation_items,
)
from training.fonts import find_fonts, split_families
from training.pool import display_pictures, font_pictures, image_of, non_digit_pictures
from training.sets import chosen_as_expected
from training.sources import DataError, Item

_SEED = 20261123


def png(image: NDArray[np.uint8]) -> bytes:
    """An image, (h, w) uint8, as a client would send it."""
    return cv2.imencode(".png", image)[1].tobytes()


def sent(item: Item, random: Random) -> bytes:
    """A data set's item as a client would send it."""
    return item.photo if item.photo is not None else png(image_of(item, random))


def validation_images(
    config: TrainingConfig, data_dir: Path, fonts_dir: Path, accept_changed: bool = False
) -> Iterator[tuple[bytes, int]]:
    """Images of the groups and fonts that a model's temperature and threshold are chosen on, and their classes.

    What is drawn is drawn anew, by the fonts of training. Raises DataError where there is no file of any source, and
    NoFonts.
    """
    random = np.random.default_rng(_SEED)
    items = validation_items(config, data_dir, accept_changed)
    if not items:
        raise DataError(f"There is no data set of {config.name} {config.version} in {data_dir}.")
    fonts, _ = split_families(find_fonts(fonts_dir), config.held_out_families)
    digits = [item for item in items if item.label != NON_DIGIT]
    drawn = [
        (png(image), label)
        for pictures in (
            font_pictures(fonts, VALIDATION_FONT_DIGITS, True, random),
            non_digit_pictures(fonts, digits, VALIDATION_NON_DIGITS, random),
            display_pictures(VALIDATION_DISPLAY_DIGITS, random),
        )
        for image, label in pictures
    ]
    labels = [*(item.label for item in items), *(label for _, label in drawn)]
    chosen = chosen_as_expected(np.array(labels, np.uint8), config.non_digit_share)
    images = (*(sent(item, random) for item in items), *(data for data, _ in drawn))
    return ((data, label) for data, label, wanted in zip(images, labels, chosen, strict=True) if wanted)
