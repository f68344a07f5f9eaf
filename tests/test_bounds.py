"""What is no number at all, through the model that is served: an answer in time, bounded, and no invented digits."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.composition import build_recogniser
from app.manifest import ModelVersion
from app.recogniser import Recogniser
from app.settings import Settings
from tests.conftest import MODELS


@pytest.fixture(scope="module")
def recogniser(version: ModelVersion) -> Iterator[Recogniser]:
    made = build_recogniser(Settings(model_dir=MODELS), version)
    yield made
    made.close()


def specks() -> NDArray[np.uint8]:
    """100,000 of them."""
    random = np.random.default_rng(1)
    page = np.full((1200, 1600), 235, np.uint8)
    rows, columns = random.integers(0, 600, 100_000) * 2, random.integers(0, 800, 100_000) * 2
    page[rows, columns] = 40
    return page


def noise() -> NDArray[np.uint8]:
    return np.random.default_rng(2).integers(0, 256, (700, 900)).astype(np.uint8)


def barcode() -> NDArray[np.uint8]:
    """95 modules, as an EAN-13 has them."""
    modules = np.random.default_rng(3).integers(0, 2, 95)
    modules[[0, 1, 2, -3, -2, -1]] = 1, 0, 1, 1, 0, 1
    bars = np.repeat(np.where(modules == 1, 20, 245), 4).astype(np.uint8)
    return np.pad(np.tile(bars, (120, 1)), 40, constant_values=245)


def strip() -> NDArray[np.uint8]:
    return np.tile(np.array([[30, 220, 220, 90]], np.uint8), (1, 2500))


def fur() -> NDArray[np.uint8]:
    """Hair of an animal: short strokes of all greys, one way."""
    random = np.random.default_rng(4)
    photo = np.full((600, 800), 120, np.uint8)
    for _ in range(20_000):
        x, y = (int(v) for v in random.integers(0, 800, 2))
        lean = (int(random.integers(-4, 5)), int(random.integers(8, 20)))
        cv2.line(photo, (x, y), (x + lean[0], y + lean[1]), int(random.integers(40, 220)), 1, cv2.LINE_AA)
    return photo


@pytest.mark.parametrize("draw", [specks, noise, barcode, strip, fur], ids=lambda draw: draw.__name__)
def test_nothing_is_read_of_what_is_no_number(recogniser: Recogniser, draw: object) -> None:
    assert callable(draw)
    reading = recogniser.read(cv2.imencode(".png", draw())[1].tobytes())
    assert reading.text == ""
    assert reading.timings.total < 1e3 * Settings(model_dir=MODELS).request_timeout_s
