"""Writing over a picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from app.domain import Polarity
from app.imaging.components import HEIGHT
from app.imaging.overlays import find_overlays

Picture = NDArray[np.uint8]


def sky(height: int, width: int) -> Picture:
    """Light that changes slowly, and a dark hill."""
    image = np.linspace(90, 210, width)[np.newaxis] + np.linspace(-40, 40, height)[:, np.newaxis]
    image[height // 2 :, : width // 2] = 40
    return np.clip(image + np.random.default_rng(1).normal(0, 3, image.shape), 0, 255).astype(np.uint8)


def captioned(image: Picture, size: int, level: int = 255) -> Picture:
    height, width = image.shape
    whole = Image.fromarray(image)
    font = ImageFont.load_default(size)
    ImageDraw.Draw(whole).text(
        (width // 2, height // 2), "407182", level, font, anchor="mm", stroke_width=3, stroke_fill=255 - level
    )
    return np.asarray(whole)


@pytest.mark.parametrize("level", [255, 0])
@pytest.mark.parametrize("shape", [(200, 360), (900, 1600)])
def test_writing_is_parted_from_the_picture_and_found_where_it_is(level: int, shape: tuple[int, int]) -> None:
    size = shape[0] // 5
    first, *_ = find_overlays(captioned(sky(*shape), size, level))
    high = first.ink.components.stats[1:]
    assert np.count_nonzero(high[:, HEIGHT] > 8) == 6
    left, top, width, height = cv2.boundingRect(first.ink.mask)
    corners = first.to_image @ np.array([[left, left + width], [top, top + height], [1.0, 1.0]])
    assert corners.mean(axis=1) == pytest.approx([shape[1] / 2, shape[0] / 2], rel=0.05)
    assert np.diff(corners)[1, 0] == pytest.approx(0.72 * size, rel=0.2)


@pytest.mark.parametrize("level", [255, 0])
def test_only_writing_of_the_given_polarity_is_found(level: int) -> None:
    image = captioned(sky(200, 360), 40, level)
    for polarity in (Polarity.LIGHT_ON_DARK, Polarity.DARK_ON_LIGHT):
        found = find_overlays(image, polarity)
        inside = [image[overlay.ink.mask > 0].mean() for overlay in found]
        assert all((mean > 128) == (polarity is Polarity.LIGHT_ON_DARK) for mean in inside)
        if (level == 255) == (polarity is Polarity.LIGHT_ON_DARK):
            assert found


def test_a_picture_without_writing_has_none() -> None:
    assert not find_overlays(sky(200, 360))


@pytest.mark.parametrize("level", [0, 128, 255])
def test_what_is_blank_has_none(level: int) -> None:
    assert not find_overlays(np.full((50, 80), level, np.uint8))


def test_a_million_specks_are_no_writing() -> None:
    noise = np.random.default_rng(2).integers(0, 256, (1000, 1000)).astype(np.uint8)
    assert not find_overlays(noise)
