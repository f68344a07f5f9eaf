"""Drawn digits as shapes of a line: whole hands of them, other forms for a writer's digits, zeros joined in a chain."""

from __future__ import annotations

import numpy as np

from training.allographs import ALLOGRAPHS, Skeleton, hand, pen_strokes
from training.augment import Random
from training.lines.shapes import Shape, line
from training.strokes import Points, spline

# How often each form of 7 is crossed already is of no matter where a cross is added: these have none.
_CROSS_HEIGHTS = (-0.62, -0.42)


class DrawnHand:
    """A writer whose digits are drawn: a form of each digit, bent in the writer's own way; no data is needed."""

    printed = False

    def pen(self, random: Random) -> float:
        """The width of the pen, in digit heights."""
        return any_pen(random)

    def shapes(self, text: str, random: Random) -> list[Shape | None]:
        """The digits of a text, in one hand; None for other characters."""
        forms = hand(sorted(set(text) & set(ALLOGRAPHS)), random)
        width = float(np.exp(random.normal(0.05, 0.18)))
        return [pen_digit(forms[c], width, random) if c in forms else None for c in text]


def any_pen(random: Random) -> float:
    """A pen's width, in digit heights: pencil to marker, most often a ballpoint."""
    return float(np.exp(np.clip(random.normal(np.log(0.085), 0.38), np.log(0.03), np.log(0.2))))


def pen_digit(form: Skeleton, width: float, random: Random) -> Shape:
    """A form as it is written this once."""
    return Shape(pen_strokes(form, width, random))


def cross(seven: Shape, random: Random) -> Points:
    """A stroke across the stem of a 7."""
    points = seven.points()
    y = float(random.uniform(*_CROSS_HEIGHTS))
    stem = float(points[np.abs(points[:, 1] - y).argmin(), 0])
    half = random.uniform(0.14, 0.3, 2)
    tilt = float(random.normal(0.02, 0.05))
    return line((stem - half[0], y + tilt), (stem + half[1], y - tilt))


def zero_chain(count: int, pen: float, random: Random) -> list[Shape]:
    """Zeros in one go of a pen of that width, each joined to the next by a stroke at the top; each where it stands."""
    height = max(float(random.uniform(0.5, 1.0)), 0.35 + 2 * pen)
    width = max(float(random.uniform(0.28, 0.75)), 0.12 + 2.5 * pen)  # else its loops would fill
    step = width * float(random.uniform(0.95, 1.5)) + 0.05
    lift, turns = float(random.uniform(0, 0.35)) * (1 - height), float(random.uniform(1.0, 1.18))
    join = random.random() < 0.75
    sag = float(random.uniform(-0.06, 0.14))
    shapes = []
    for index in range(count):
        sizes = np.array([width, height]) / 2 * np.exp(random.normal(0, 0.06, 2))
        start = float(random.uniform(-0.1, 0.12))
        angle = 2 * np.pi * (np.linspace(start, turns, 26) + 0.25)
        centre = np.array([index * step, -lift - height / 2]) + random.normal(0, 0.015, 2)
        loop = centre + np.stack([np.cos(angle) * sizes[0], -np.sin(angle) * sizes[1]], axis=1)
        if join and index + 1 < count:
            top = centre + np.array([step - 0.05 * width, -sizes[1]])
            middle = (loop[-1] + top) / 2 + np.array([0, sag])
            loop = np.vstack([loop, spline(np.stack([loop[-1], middle, top]), 4)])
        shapes.append(Shape((loop.astype(np.float32),)))
    return shapes
