"""Displays as writers of lines: every digit in a cell of its own, as wide as any other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.augment import Random
from training.displays import any_display
from training.lines.shapes import Shape, affine


@dataclass(frozen=True, slots=True)
class Board:
    """A display of any kind; another one for each line."""

    printed: bool = True

    def pen(self, random: Random) -> float:
        """How wide the strokes of other marks beside its digits are, in digit heights."""
        return float(random.uniform(0.06, 0.18))

    def shapes(self, text: str, random: Random) -> list[Shape | None]:
        """The digits of a text and the points between them, on one display; None for other characters."""
        display, points = any_display(random), _points(random)
        shapes: list[Shape | None] = []
        for character in text:
            if character.isdecimal():
                cell = display.cell(character)
                scale = 1 / len(cell)
                shapes.append(Shape(ink=cell, place=affine(scale, 0, 0, scale, 0, -1), celled=True))
            else:
                shapes.append(points.get(character))
        return shapes


def _points(random: Random) -> dict[str, Shape]:
    """A dot or a square on the baseline, and a colon of two."""
    size = float(random.uniform(0.07, 0.16))
    dot = np.full((12, 12), 255, np.uint8)
    if random.random() < 0.5:
        y, x = np.mgrid[:12, :12] - 5.5
        dot[np.hypot(y, x) > 6] = 0
    scale, apart = size / 12, round(12 * float(random.uniform(0.25, 0.4)) / size)
    colon = np.concatenate([dot, np.zeros((apart, 12), np.uint8), dot])
    point = Shape(ink=dot, place=affine(scale, 0, 0, scale, 0, -size))
    lift = (1 - len(colon) * scale) / 2
    return {".": point, ",": point, ":": Shape(ink=colon, place=affine(scale, 0, 0, scale, 0, lift - 1))}
