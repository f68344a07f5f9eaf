"""Ink on paper, as a scanner or a camera shows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from training.augment import Pixels, Random
from training.lines.furniture import Rule
from training.lines.patterns import Field, Pattern, pattern, smooth_field

_LEVELS = np.float32(1 / 255)


class Pen(StrEnum):
    """How ink takes to paper: all over, grainy like a pencil's, pressed unevenly, or worn like a poor print's."""

    EVEN = "even"
    PENCIL = "pencil"
    PRESSED = "pressed"
    WORN = "worn"


@dataclass(frozen=True, slots=True)
class Paper:
    """What is written on, what with, and how its picture is taken.

    `level`: the paper's grey, 0 to 255. `contrast`: how much darker the ink is, 0 to 1; `pattern_strength` and
    `rule_strength` are shares of that. `grain`, `gradient`, `shadow`: of the paper, as shares of its level. `patched`:
    a part of it is lighter or darker. `rule_width`: in digit heights. `neighbours`: of the lines above and below, a
    little is in the crop. `label`: something small is printed beside. `bold`: how much ink spreads, in digit heights;
    below 0 it shrinks. `blur`: sigma, in pixels. `noise`: its spread, in grey levels. `shrunk`: how much smaller the
    picture once was. `jpeg`: its quality. `inverted`: light ink on dark.
    """

    level: float = 235.0
    contrast: float = 0.8
    pattern: Pattern = Pattern.NONE
    second_pattern: Pattern = Pattern.NONE
    pattern_strength: float = 0.2
    grain: float = 0.0
    gradient: float = 0.0
    shadow: float = 0.0
    patched: bool = False
    rules: tuple[Rule, ...] = ()
    rule_strength: float = 0.7
    rule_width: float = 0.035
    neighbours: bool = False
    label: bool = False
    texture: Pen = Pen.EVEN
    bold: float = 0.0
    blur: float = 0.0
    noise: float = 1.0
    shrunk: float = 1.0
    jpeg: int | None = None
    inverted: bool = False


def inked(ink: Pixels, paper: Paper, digit: float, random: Random) -> Field:
    """How much of the ink, (h, w) uint8, has come onto the paper: 0 to 1; `digit` is the digits' height in pixels."""
    if abs(paper.bold) * digit >= 0.5:
        side = 1 + round(abs(paper.bold) * digit)
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        changed = cv2.dilate(ink, kernel) if paper.bold > 0 else cv2.erode(ink, kernel)
        if paper.bold > 0 or changed.sum(dtype=np.int64) > 0.5 * ink.sum(dtype=np.int64):
            ink = changed.astype(np.uint8, copy=False)
    coverage = ink.astype(np.float32) * _LEVELS
    height, width = ink.shape
    if paper.texture is Pen.PENCIL:
        grain = random.standard_normal((height, width), np.float32)
        coverage *= np.clip(0.75 + np.float32(random.uniform(0.08, 0.3)) * grain, 0.15, 1)
    elif paper.texture is Pen.PRESSED:
        hills = smooth_field(height, width, digit * random.uniform(0.3, 1.5), random)
        coverage *= np.clip(0.8 + np.float32(random.uniform(0.1, 0.3)) * hills, 0.35, 1)
    elif paper.texture is Pen.WORN:
        hills = smooth_field(height, width, max(2.0, digit * random.uniform(0.06, 0.25)), random)
        coverage *= np.clip((hills + np.float32(random.uniform(0.9, 2.2))) * np.float32(1.2), 0.12, 1)
    return coverage


def pictured(ink: Field, print_ink: Pixels | None, paper: Paper, digit: float, random: Random) -> Pixels:
    """Ink, 0 to 1, and print, 0 to 255, both (h, w), on paper: (h, w) uint8, dark on light unless inverted."""
    height, width = ink.shape
    image = _lit(height, width, paper, digit, random)
    if paper.pattern is not Pattern.NONE:
        field = pattern(paper.pattern, height, width, digit, random)
        if paper.second_pattern is not Pattern.NONE:
            field = np.maximum(field, pattern(paper.second_pattern, height, width, digit, random))
        image *= 1 - np.float32(paper.contrast * paper.pattern_strength) * field
    if print_ink is not None:
        image *= 1 - np.float32(paper.contrast * paper.rule_strength) * _LEVELS * print_ink
    image *= 1 - np.float32(paper.contrast) * ink
    return photographed_line(255 - image if paper.inverted else image, paper, digit, random)


def photographed_line(image: Field, paper: Paper, digit: float, random: Random) -> Pixels:
    """The picture, (h, w) uint8, that is taken of it: its blur, resolution, noise and compression are the paper's."""
    height, width = image.shape
    if paper.shrunk < 1:
        size = max(4, round(width * paper.shrunk)), max(4, round(height * paper.shrunk))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        image = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32, copy=False)
    if paper.blur > 0.25:
        sigma = min(paper.blur, 0.09 * digit)
        image = cv2.GaussianBlur(image, (0, 0), sigma).astype(np.float32, copy=False)
    if paper.noise > 0:
        image = image + np.float32(paper.noise) * random.standard_normal((height, width), np.float32)
    pixels = np.clip(image, 0, 255).astype(np.uint8)
    if paper.jpeg is not None:
        _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, paper.jpeg])
        pixels = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)
    return pixels


def _lit(height: int, width: int, paper: Paper, digit: float, random: Random) -> Field:
    """The paper itself, in its light."""
    image = np.full((height, width), paper.level, np.float32)
    if paper.grain:
        hills = random.standard_normal((height, width), np.float32)
        if random.random() < 0.6:
            hills = smooth_field(height, width, max(1.5, digit * random.uniform(0.04, 0.3)), random)
        image *= 1 + np.float32(paper.grain) * hills
    if paper.gradient:
        y, x = np.linspace(-1, 1, height, dtype=np.float32)[:, None], np.linspace(-1, 1, width, dtype=np.float32)
        slope = random.normal(0, 1, 2)
        slope *= paper.gradient / max(float(np.abs(slope).sum()), 1e-6)
        image *= 1 + np.float32(slope[0]) * y + np.float32(slope[1]) * x
    if paper.shadow:
        angle, place = random.uniform(0, 2 * np.pi), random.uniform(0.2, 0.8, 2)
        y, x = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None, :]
        side = (y - place[0] * height) * np.float32(np.sin(angle)) + (x - place[1] * width) * np.float32(np.cos(angle))
        soft = digit * random.uniform(0.03, 0.8)
        image *= 1 - np.float32(paper.shadow) * np.clip(0.5 + side / np.float32(soft), 0, 1)
    if paper.patched:
        left, top = int(random.integers(width)), int(random.integers(height))
        image[top if random.random() < 0.5 else 0 :, left:] *= np.float32(random.uniform(0.82, 1.15))
    return image
