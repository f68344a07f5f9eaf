"""Digits of displays: of segments, as on scales, pumps and electronic meters; of dots, as on boards and receipts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from training.augment import Pixels, Random

_HEIGHT = 96
_SHIFT = 4  # fractional bits of OpenCV's coordinates
# Segments by their usual names: from the top one clockwise a to f, g in the middle; h and i are the halves of a split
# g, s the slash of a 0. Ends are columns and rows of the corners: left or right; top, middle or bottom.
_SEGMENTS = {
    "a": ((0, 0), (1, 0)),
    "b": ((1, 0), (1, 1)),
    "c": ((1, 1), (1, 2)),
    "d": ((0, 2), (1, 2)),
    "e": ((0, 1), (0, 2)),
    "f": ((0, 0), (0, 1)),
    "g": ((0, 1), (1, 1)),
    "h": ((0, 1), (0.5, 1)),
    "i": ((0.5, 1), (1, 1)),
    "s": ((0.15, 1.8), (0.85, 0.2)),
}
_LIT = {
    "0": "abcdef",
    "1": "bc",
    "2": "abdeg",
    "3": "abcdg",
    "4": "bcfg",
    "5": "acdfg",
    "6": "acdefg",
    "7": "abc",
    "8": "abcdefg",
    "9": "abcdfg",
}
# Some displays leave out the tails of 6 and 9, or hook the 7.
_OTHERWISE = {"6": "cdefg", "7": "abcf", "9": "abcfg"}
# Digits of five columns and seven rows, a string a row; some in a second form.
_DOTS = {
    "0": (".###. #...# #...# #...# #...# #...# .###.", ".###. #...# #..## #.#.# ##..# #...# .###."),
    "1": ("..#.. .##.. ..#.. ..#.. ..#.. ..#.. .###.", "..#.. .##.. ..#.. ..#.. ..#.. ..#.. ..#.."),
    "2": (".###. #...# ....# ...#. ..#.. .#... #####", ".###. #...# ....# .###. #.... #.... #####"),
    "3": (".###. #...# ....# ..##. ....# #...# .###.", "##### ...#. ..#.. ...#. ....# #...# .###."),
    "4": ("...#. ..##. .#.#. #..#. ##### ...#. ...#.", "#...# #...# #...# ##### ....# ....# ....#"),
    "5": ("##### #.... ####. ....# ....# #...# .###.", "##### #.... #.... ####. ....# ....# ####."),
    "6": ("..##. .#... #.... ####. #...# #...# .###.", ".###. #...# #.... ####. #...# #...# .###."),
    "7": ("##### ....# ...#. ..#.. .#... .#... .#...", "##### ....# ....# ...#. ..#.. ..#.. ..#.."),
    "8": (".###. #...# #...# .###. #...# #...# .###.", "##### #...# #...# ##### #...# #...# #####"),
    "9": (".###. #...# #...# .#### ....# ...#. .##..", ".###. #...# #...# .#### ....# #...# .###."),
}
_BOARD = (7, 5)


class Ends(StrEnum):
    """How segments end: in a point, cut straight, mitred to their neighbours, or round."""

    POINTED = "pointed"
    STRAIGHT = "straight"
    MITRED = "mitred"
    ROUND = "round"


@dataclass(frozen=True, slots=True)
class Segmented:
    """A display of segments. `width`, of a cell, `thickness` and `gap`, between segments, in heights of a cell.

    `unlit`: how visible segments are that do not shine, 0 to 1. `split`: the middle one is two. `otherwise`: digits in
    their less usual form. `slashed`: so are zeros.
    """

    width: float
    thickness: float
    gap: float
    ends: Ends
    unlit: float = 0.0
    split: bool = False
    otherwise: frozenset[str] = frozenset()
    slashed: bool = False

    def cell(self, digit: str) -> Pixels:
        """The cell of a digit, (h, w) uint8, 255 on 0."""
        lit = set(_OTHERWISE.get(digit, _LIT[digit]) if digit in self.otherwise else _LIT[digit])
        if self.slashed and digit == "0":
            lit.add("s")
        every = set("abcdefg")
        if self.split:
            lit, every = (own - {"g"} | set("hi" if "g" in own else "") for own in (lit, every))
        canvas = np.zeros((_HEIGHT, max(4, round(_HEIGHT * self.width))), np.uint8)
        for names, level in ((every - lit, round(255 * self.unlit)), (lit, 255)):
            for name in sorted(names) if level else ():
                way = np.rint(self._outline(name) * _HEIGHT * (1 << _SHIFT)).astype(np.int32)
                cv2.fillPoly(canvas, [way[:, None]], level, cv2.LINE_AA, _SHIFT)
        return canvas

    def _outline(self, name: str) -> NDArray[np.float64]:
        """The corners of a segment, (n, 2), in heights of the cell."""
        half, inner = self.thickness / 2, np.array([self.width - self.thickness, (1 - self.thickness) / 2])
        start, end = (half + np.array(corner) * inner for corner in _SEGMENTS[name])
        along = (end - start) / np.hypot(*(end - start))
        across = np.array([along[1], -along[0]])
        start, end = start + along * self.gap / 2, end - along * self.gap / 2
        if name == "s" or self.ends is Ends.STRAIGHT:
            near = 0.0 if name == "s" else half
            tips = [start + along * near + across * half, end - along * near + across * half]
            return np.array([*tips, end - along * near - across * half, start + along * near - across * half])
        if self.ends is Ends.ROUND:
            angles = np.linspace(-np.pi / 2, np.pi / 2, 9)[:, None]
            cap = half * (np.cos(angles) * along + np.sin(angles) * across)
            return np.concatenate([end - along * half + cap, start + along * half - cap])
        if self.ends is Ends.MITRED and name in "abcdef":
            away = (start + end) / 2 - np.array([self.width, 1.0]) / 2
            outside = across * np.sign(across @ away)
            outer, longer = outside * half, along * half
            return np.array(
                [start - longer + outer, end + longer + outer, end - longer - outer, start + longer - outer]
            )
        sides = [start + along * half + across * half, end - along * half + across * half, end]
        return np.array([*sides, end - along * half - across * half, start + along * half - across * half, start])


@dataclass(frozen=True, slots=True)
class Dotted:
    """A display of dots. `size`, of a dot, from its own place to the next; `stretch`: width to height of a place."""

    size: float
    stretch: float
    round: bool
    otherwise: frozenset[str] = frozenset()
    unlit: float = 0.0

    def cell(self, digit: str) -> Pixels:
        """The cell of a digit, (h, w) uint8, 255 on 0."""
        rows, columns = _BOARD
        down = _HEIGHT / rows
        across = down * self.stretch
        canvas = np.zeros((_HEIGHT, max(4, round(across * columns))), np.uint8)
        half = self.size * np.array([across, down]) / 2
        for (row, column), on in _board(digit, digit in self.otherwise):
            level = 255 if on else round(255 * self.unlit)
            if not level:
                continue
            middle = np.array([(column + 0.5) * across, (row + 0.5) * down])
            if self.round:
                angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)[:, None]
                outline = middle + half * np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
            else:
                outline = middle + half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
            way = np.rint((outline - 0.5) * (1 << _SHIFT)).astype(np.int32)
            cv2.fillPoly(canvas, [way[:, None]], level, cv2.LINE_AA, _SHIFT)
        return canvas


Display = Segmented | Dotted


def any_display(random: Random) -> Display:
    """A display of either kind, most often one of seven segments."""
    if random.random() < 0.3:
        return Dotted(
            size=float(random.uniform(0.5, 1.05)),
            stretch=float(np.exp(random.normal(0, 0.15))),
            round=bool(random.random() < 0.5),
            otherwise=frozenset(digit for digit in _DOTS if random.random() < 0.4),
            unlit=float(random.uniform(0.04, 0.25)) if random.random() < 0.15 else 0.0,
        )
    thickness = float(np.exp(random.uniform(np.log(0.06), np.log(0.2))))
    width = float(random.uniform(0.42, 0.75))
    return Segmented(
        width=max(width, 2.6 * thickness),
        thickness=thickness,
        gap=float(random.choice([random.uniform(0, 0.03), random.uniform(0.02, 0.1)], p=[0.7, 0.3])),
        ends=Ends(random.choice(list(Ends), p=[0.45, 0.15, 0.25, 0.15])),
        unlit=float(random.uniform(0.03, 0.3)) if random.random() < 0.3 else 0.0,
        split=bool(random.random() < 0.15),
        otherwise=frozenset(digit for digit in _OTHERWISE if random.random() < 0.3),
        slashed=bool(random.random() < 0.04),
    )


def _board(digit: str, otherwise: bool) -> Iterator[tuple[tuple[int, int], bool]]:
    """Row and column of each place of a board, and whether the digit has a dot there."""
    for row, dots in enumerate(_DOTS[digit][int(otherwise)].split()):
        for column, dot in enumerate(dots):
            yield (row, column), dot == "#"
