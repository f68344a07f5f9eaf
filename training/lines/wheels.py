"""Counters: photographed wheels of one meter, side by side behind a window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.calibration import NON_DIGIT
from app.domain import Polarity
from app.imaging.decode import decode_image
from training.augment import Pixels, Random
from training.sources import Item

_MAX_PIXELS = 50_000_000
_CANDIDATES = 12
_UNSURE = (0.42, 0.58)
_INSET = 0.12
_SHADOWED = 0.3


@dataclass(frozen=True, slots=True)
class Wheel:
    """One digit's photo, (h, w) uint8, and the mean and spread of its grey."""

    pixels: Pixels
    mean: float
    spread: float


@dataclass(frozen=True, slots=True)
class Counter:
    """The wheels of one meter, or of meters like it: all ten digits of one polarity."""

    name: str
    polarity: Polarity
    wheels: Mapping[str, Sequence[Wheel]]
    printed: bool = True

    @property
    def count(self) -> int:
        """How many photos there are."""
        return sum(len(photos) for photos in self.wheels.values())


@dataclass(frozen=True, slots=True)
class Strip:
    """A counter's picture, (h, w) uint8, and each digit's left, top, right and bottom in it, (n, 4)."""

    pixels: Pixels
    boxes: np.ndarray[tuple[int, int], np.dtype[np.float64]]


def counters(items: Iterable[Item]) -> list[Counter]:
    """A counter of each group of photos and polarity that has all ten digits."""
    groups: dict[tuple[str, Polarity], dict[str, list[Wheel]]] = {}
    for item in items:
        if item.photo is None or item.label == NON_DIGIT:
            continue
        pixels = decode_image(item.photo, _MAX_PIXELS).pixels
        polarity = _polarity(pixels)
        if polarity is not None and min(pixels.shape) >= 8:
            wheel = Wheel(pixels, float(pixels.mean()), float(pixels.std()))
            groups.setdefault((item.group, polarity), {}).setdefault(str(item.label), []).append(wheel)
    return [Counter(group, polarity, wheels) for (group, polarity), wheels in groups.items() if len(wheels) == 10]


def strip(counter: Counter, text: str, height: float, random: Random) -> Strip:
    """The wheels of a text, each of about the same light, `height` pixels high, with what holds them around."""
    wheels = _alike(counter, text, random)
    tall = max(8, round(height * random.uniform(1.25, 1.6)))
    wide = max(5, round(tall * float(np.median([w.pixels.shape[1] / w.pixels.shape[0] for w in wheels]))))
    gap = 0 if random.random() < 0.3 else round(tall * random.uniform(0.02, 0.3))
    rail, level = round(tall * random.uniform(0, 0.25)), float(np.mean([w.mean for w in wheels]))
    case = float(random.choice([level, random.uniform(5, 60), random.uniform(120, 230)], p=[0.35, 0.35, 0.3]))
    picture = np.full((tall + 2 * rail, len(wheels) * (wide + gap) + gap), case, np.float32)
    boxes = np.zeros((len(wheels), 4))
    for index, wheel in enumerate(wheels):
        left, drop = gap + index * (wide + gap), float(random.normal(0, 0.03)) * tall
        interpolation = cv2.INTER_AREA if tall < len(wheel.pixels) else cv2.INTER_CUBIC
        cell = cv2.resize(wheel.pixels, (wide, tall), interpolation=interpolation).astype(np.float32)
        cell = level + (cell - wheel.mean) * (_mean_spread(wheels) / max(wheel.spread, 1.0)) ** 0.7
        move = np.array([[1, 0, 0], [0, 1, drop]])
        cell = cv2.warpAffine(cell, move, (wide, tall), borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
        picture[rail : rail + tall, left : left + wide] = cell
        inset = _INSET * np.array([wide, tall, -wide, -tall])
        boxes[index] = np.array([left, rail, left + wide, rail + tall]) + inset
    if gap > 2 and random.random() < 0.5:  # the edges of the windows
        edge = float(random.uniform(0, 255))
        for index in range(len(wheels) + 1):
            x = index * (wide + gap) + gap // 2
            picture[:, x : x + max(1, gap // 4)] = edge
    if counter.polarity is Polarity.DARK_ON_LIGHT and random.random() < _SHADOWED:
        starts = gap + np.arange(len(wheels)) * (wide + gap)
        picture[rail : rail + tall] *= _shadows(picture.shape[1], tall, wide, gap, starts, random)
    return Strip(np.clip(picture, 0, 255).astype(np.uint8), boxes)


def _shadows(
    width: int, tall: int, wide: int, gap: int, starts: NDArray[np.int64], random: Random
) -> NDArray[np.float32]:
    """What is left of the light, (tall, width) in 0..1, where bars of shadow stand at one side of every window.

    Windows lie deep in their case: the light of a lamp beside it leaves ragged bars as dark as digits.
    """
    light = np.ones((tall, width), np.float32)
    dark, into = float(random.uniform(0.1, 0.7)), float(random.uniform(0, 0.12)) * wide
    broad = into + float(random.uniform(0.05, 0.35)) * min(wide, gap + 0.15 * wide)
    at_left = random.random() < 0.75
    ragged = float(random.uniform(0, 0.05)) * wide
    smooth = max(1, round(tall * float(random.uniform(0.05, 0.3)))) | 1
    x = np.arange(width)
    for start in starts.tolist():
        inner, outer = cv2.GaussianBlur(random.normal(0, ragged * smooth**0.5, (tall, 2)), (1, smooth), 0).T[..., None]
        edges = (start + into - broad, start + into) if at_left else (start + wide - into, start + wide - into + broad)
        light[(x > edges[0] + outer) & (x < edges[1] + inner)] = dark
    edged = float(random.uniform(0, 0.08)) * tall  # of the upper edge too
    light[: round(edged)] = np.minimum(light[: round(edged)], dark)
    return cv2.GaussianBlur(light, (0, 0), max(0.3, 0.02 * wide)).astype(np.float32, copy=False)


def _mean_spread(wheels: Sequence[Wheel]) -> float:
    return float(np.mean([wheel.spread for wheel in wheels]))


def _alike(counter: Counter, text: str, random: Random) -> list[Wheel]:
    """A wheel for each digit; of some at random the one whose shape and light are most like the first's."""
    chosen: list[Wheel] = []
    for digit in text:
        some = counter.wheels[digit]
        picks = [some[int(i)] for i in random.integers(len(some), size=_CANDIDATES if chosen else 1)]
        first = chosen[0] if chosen else picks[0]
        chosen.append(min(picks, key=lambda wheel, to=first: _unlikeness(wheel, to)))  # type: ignore[misc]
    return chosen


def _unlikeness(one: Wheel, other: Wheel) -> float:
    shape = np.log(one.pixels.shape[1] / one.pixels.shape[0] * other.pixels.shape[0] / other.pixels.shape[1])
    return abs(one.mean - other.mean) / 30 + abs(one.spread - other.spread) / 15 + 5 * abs(float(shape))


def _polarity(pixels: Pixels) -> Polarity | None:
    """Which of the two greys there is less of within the photo, as of ink there is; None where that is in doubt."""
    height, width = pixels.shape
    middle = np.ascontiguousarray(pixels[height // 8 : height - height // 8, width // 8 : width - width // 8])
    if not middle.size:
        return None
    _, light = cv2.threshold(middle, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    share = float(np.mean(light))
    if _UNSURE[0] < share < _UNSURE[1]:
        return None
    return Polarity.DARK_ON_LIGHT if share > 0.5 else Polarity.LIGHT_ON_DARK
