"""Security paper: fine printed patterns as fields of darkness, 0 to 1, (h, w) float32, scaled by the digits' height."""

from __future__ import annotations

from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from training.augment import Random

Field = NDArray[np.float32]
_LEAST_PERIOD = 2.5  # pixels: what is finer is grey


class Pattern(StrEnum):
    """What is printed under the writing."""

    NONE = "none"
    WAVES = "waves"
    SLANTED = "slanted"
    HATCH = "hatch"
    WEAVE = "weave"
    CONTOURS = "contours"
    RINGS = "rings"
    DOTS = "dots"
    ZIGZAG = "zigzag"
    FAN = "fan"
    MOTTLED = "mottled"


def pattern(kind: Pattern, height: int, width: int, digit: float, random: Random) -> Field:
    """A pattern of the kind for digits `digit` pixels high."""
    y, x = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None, :]
    if kind is Pattern.WAVES:
        return _waves(y, x, digit, float(random.normal(0, 3)), (0.1, 0.24), random)
    if kind is Pattern.SLANTED:
        return _waves(y, x, digit, float(random.uniform(6, 40) * random.choice([-1, 1])), (0.18, 0.45), random)
    if kind is Pattern.HATCH:
        angles = random.uniform(15, 75), -random.uniform(15, 75)
        return np.maximum(*(_waves(y, x, digit, float(angle), (0.12, 0.4), random) for angle in angles))
    if kind is Pattern.WEAVE:
        return _weave(y, x, digit, random)
    if kind is Pattern.CONTOURS:
        return _contours(height, width, digit, random)
    if kind is Pattern.RINGS:
        return _rings(y, x, digit, random)
    if kind is Pattern.DOTS:
        return _dots(y, x, digit, random)
    if kind is Pattern.ZIGZAG:
        period = _period(digit, 0.1, 0.25, random)
        teeth = np.abs((x / (digit * random.uniform(0.1, 0.5))) % 2 - 1) * np.float32(random.uniform(0.5, 2.5))
        return _lines(y / period + teeth, 0.0)
    if kind is Pattern.FAN:
        angle = np.arctan2(y + digit * random.uniform(0.2, 4), x - width * random.uniform(-0.3, 1.3))
        bend = np.sin(y / digit * random.uniform(0.5, 2)) * random.uniform(0, 0.5)
        return _lines((angle * np.float32(random.uniform(8, 30)) + bend).astype(np.float32), 0.5)
    if kind is Pattern.MOTTLED:
        fine = random.standard_normal((height, width), np.float32)
        smooth = cv2.GaussianBlur(fine, (0, 0), float(max(0.6, digit * random.uniform(0.01, 0.08))))
        return np.asarray(np.clip(0.5 + 0.35 * smooth / (float(smooth.std()) or 1.0), 0, 1), np.float32)
    return np.zeros((height, width), np.float32)


def smooth_field(height: int, width: int, scale: float, random: Random) -> Field:
    """Smooth noise of about unit spread, whose hills are `scale` pixels wide."""
    rows, columns = max(2, round(height / scale) + 2), max(2, round(width / scale) + 2)
    coarse = random.standard_normal((rows, columns), np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32, copy=False)


def _period(digit: float, low: float, high: float, random: Random) -> float:
    return max(_LEAST_PERIOD, digit * float(random.uniform(low, high)))


def _lines(phase: Field, thin: float) -> Field:
    """Lines where the phase is whole; the thinner, the nearer `thin` is to 1."""
    steepness = np.float32(1 / (1 - thin))
    return np.asarray(np.clip((np.cos(np.float32(2 * np.pi) * phase) - thin) * steepness, 0, 1), np.float32)


def _waves(y: Field, x: Field, digit: float, degrees: float, period: tuple[float, float], random: Random) -> Field:
    angle = np.deg2rad(degrees)
    step = _period(digit, *period, random)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    if abs(degrees) < 20:  # lines that lie: their waves run along x alone, which is cheap
        sway = _sway(x, digit, step, random)
        return _lines(
            (y * cos / np.float32(step) + (x * sin / np.float32(step) + sway)).astype(np.float32), _thin(random)
        )
    sway = _sway(y, digit, step, random)
    return _lines(((y * cos + x * sin) / np.float32(step) + sway).astype(np.float32), _thin(random))


def _sway(along: Field, digit: float, step: float, random: Random) -> Field:
    """How far wavy lines leave the straight, in periods."""
    sway = np.zeros_like(along)
    for _ in range(int(random.integers(1, 4))):
        length = digit * random.uniform(0.4, 5)
        sway += np.sin(along * np.float32(2 * np.pi / length) + np.float32(random.uniform(0, 6))) * np.float32(
            random.uniform(0, 0.06) * length / step
        )
    return sway


def _thin(random: Random) -> float:
    return float(random.uniform(-0.4, 0.75))


def _weave(y: Field, x: Field, digit: float, random: Random) -> Field:
    period, cell = _period(digit, 0.08, 0.14, random), digit * random.uniform(0.2, 0.45)
    across = (np.floor(y / cell) + np.floor(x / cell)) % 2
    return np.where(across > 0, _lines(y / np.float32(period), 0.0), _lines(x / np.float32(period), 0.0)).astype(
        np.float32
    )


def _contours(height: int, width: int, digit: float, random: Random) -> Field:
    hills = smooth_field(height, width, digit * random.uniform(1.2, 3.5), random)
    slope = np.arange(width, dtype=np.float32)[None, :] * np.float32(random.normal(0, 1.2) / digit)
    return _lines(
        (hills * np.float32(random.uniform(1.5, 4)) + slope).astype(np.float32), float(random.uniform(0.4, 0.85))
    )


def _rings(y: Field, x: Field, digit: float, random: Random) -> Field:
    far = y - digit * np.float32(random.uniform(-2, 4)), x - np.float32(random.uniform(-0.2, 1.2) * x.shape[1])
    distance = np.sqrt(far[0] ** 2 + far[1] ** 2)
    period = np.float32(_period(digit, 0.15, 0.5, random))
    sway = np.sin(x / np.float32(digit * random.uniform(0.2, 1))) * np.float32(random.uniform(0, 0.4))
    return _lines((distance / period + sway).astype(np.float32), _thin(random))


def _dots(y: Field, x: Field, digit: float, random: Random) -> Field:
    """A raster of dark or light dots, perhaps with rows of dashes between them."""
    period = np.float32(2 * np.pi / _period(digit, 0.1, 0.3, random))
    stretch = np.float32(random.uniform(0.5, 1.5))
    turn = np.float32(random.choice([0.0, 0.2, 0.8]))
    waves = np.cos((y + turn * x) * period) * np.cos((x - turn * y) * period * stretch)
    raster = np.clip(waves * np.float32(random.uniform(1.2, 3)) - np.float32(random.uniform(0, 1)), 0, 1)
    return np.asarray(1 - raster if random.random() < 0.5 else raster, np.float32)
