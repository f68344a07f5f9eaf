"""How the digits of a line stand: gaps, overlaps, baseline, slant, sizes, and the signs between them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np

from training.allographs import crossed_seven, hand, tells_by_cross
from training.augment import Random
from training.lines.allographs import cross, pen_digit, zero_chain
from training.lines.shapes import Affine, Profile, Shape, affine, profile, shifted
from training.lines.sign_strokes import sign
from training.lines.signs import DIGITS, Signs, with_signs
from training.lines.writers import Writer
from training.strokes import spline

_SPACE = (0.25, 0.6)
# Of the widths of two digits: how far their middles stay apart. Half of them would be digits that touch.
_LEAST_ADVANCE = 0.38
_DESCENDING = "479"
# For each of the first a random number is drawn, also where none is restyled, for the rest only where some are: else
# the lines that `make evaluate` composes would be others than those of versions before.
_RESTYLED, _RESTYLED_TOO = "01234579", "68"


class Zeros(StrEnum):
    """How zeros are written: like other digits, smaller and higher, or joined into a chain."""

    PLAIN = "plain"
    SMALL = "small"
    CHAIN = "chain"


@dataclass(frozen=True, slots=True)
class Layout:
    """How a line is set. Lengths are in digit heights, angles in degrees.

    `height`: of a digit, in pixels. `gap`: between neighbours, with its spread; below 0 they overlap. `kerned`: how far
    gaps are those between inks, row by row, rather than between boxes. `pitch`: the distance of digits' middles where
    it is fixed. `slant`: a shear to the right. `slope`: the baseline's. `wander`: how far digits leave it.
    `size_spread`: of digits' sizes. `stretch`: width to height. `rotation`: of the whole. `margins`: left, top, right,
    bottom. `clipped`: shares of the first and the last digit that the crop cuts off. `signs_inside`: the crop holds all
    signs, not only the digits. `joined`: how often the pen goes on from digit to digit. `restyled`: how often a digit
    has another form than its writer's. `crossed`: how often 7s are crossed. `breaks`: how often a digit is broken.
    `pen`: the strokes' width, the writer's own where it is None. `leading`: from line to line.
    """

    height: float = 32.0
    gap: float = 0.2
    gap_spread: float = 0.0
    kerned: float = 0.0
    pitch: float | None = None
    slant: float = 0.0
    slope: float = 0.0
    wander: float = 0.0
    size_spread: float = 0.0
    stretch: float = 1.0
    rotation: float = 0.0
    margins: tuple[float, float, float, float] = (0.4, 0.4, 0.4, 0.4)
    clipped: tuple[float, float] = (0.0, 0.0)
    signs: Signs = Signs.NONE
    signs_inside: bool = True
    zeros: Zeros = Zeros.PLAIN
    joined: float = 0.0
    restyled: float = 0.0
    crossed: float = 0.0
    breaks: float = 0.0
    pen: float | None = None
    leading: float = 1.7


@dataclass(frozen=True, slots=True)
class Mark:
    """A shape where it stands on its line; `digit` is empty for what is none."""

    shape: Shape
    digit: str


@dataclass(frozen=True, slots=True)
class _Group:
    """Marks that keep their places to each other."""

    marks: list[Mark]
    space: float

    @property
    def is_digit(self) -> bool:
        return bool(self.marks[0].digit)


def turned(layout: Layout, slanted: bool = True) -> Affine:
    """From a line's units to pixels: slant, stretch, size and rotation; without its slant for what is printed."""
    angle = np.deg2rad(layout.rotation)
    cos, sin = layout.height * np.cos(angle), layout.height * np.sin(angle)
    slant = layout.slant * layout.stretch if slanted else 0.0
    return affine(cos * layout.stretch, -sin - cos * slant, sin * layout.stretch, cos - sin * slant)


def placed(writer: Writer, text: str, layout: Layout, pen: float, random: Random) -> list[Mark]:
    """The marks of one line: the text's digits in their order, signs between them, and what the pen drew from one to
    the next."""
    groups = _groups(writer, text, layout, pen, random)
    free = not writer.printed
    marks: list[Mark] = []
    before: Profile | None = None
    middle, width, drift, after_digit = 0.0, 0.0, 0.0, False
    slope = float(np.tan(np.deg2rad(layout.slope)))
    for group in groups:
        points = np.concatenate([mark.shape.room() for mark in group.marks])
        ink = profile(points, 0.0 if group.marks[0].shape.ink is not None else pen / 2)
        left, right = float(points[:, 0].min()), float(points[:, 0].max())
        gap = layout.gap + float(random.normal(0, layout.gap_spread)) + group.space
        x = -left
        if before is not None:
            x = _next_x(before, ink, gap, layout.kerned)
            if layout.pitch is not None and group.is_digit and after_digit:
                loose = _next_x(before, ink, -0.06, 1.0)
                x = max(loose, middle + layout.pitch - (left + right) / 2)
            if group.is_digit and after_digit:  # overlap has its limits
                x = max(x, middle + 0.05 + _LEAST_ADVANCE * (width + ink.width) - (left + right) / 2)
        drift = 0.7 * drift + float(random.normal(0, layout.wander))
        move = shifted(x, drift - slope * x)
        marks += [Mark(mark.shape.moved(move), mark.digit) for mark in group.marks]
        moved = ink.moved(x)
        before = moved if before is None else before.joined(moved)
        after_digit = group.is_digit
        if after_digit:
            last = group.marks[-1].shape.room()
            middle = x + float(last[:, 0].min() + last[:, 0].max()) / 2
            width = ink.width if len(group.marks) == 1 else float(np.ptp(last[:, 0]))
    return marks + _joins(marks, layout.joined, random) if free and layout.joined else marks


def _next_x(before: Profile, ink: Profile, gap: float, kerned: float) -> float:
    boxed = gap + float(before.right.max() - ink.left.min())
    between = before.distance(ink)
    if between > 100:  # they share no row
        return boxed - kerned * min(0.15, 0.5 * abs(gap) + 0.05)
    return (1 - kerned) * boxed + kerned * (gap - between)


def _groups(writer: Writer, text: str, layout: Layout, pen: float, random: Random) -> list[_Group]:
    written = with_signs(text, layout.signs, random)
    shapes = _restyled(written, writer, layout, random)
    small = float(random.uniform(0.45, 0.85))
    lift = float(random.uniform(0, 1.1)) * (1 - small)
    cents = len(written) - 2 if layout.signs is Signs.AMOUNT and written[-3:-2] in {",", "."} else len(written)
    cents_size = float(random.uniform(0.5, 0.75)) if random.random() < 0.3 else 1.0
    reaches = {} if writer.printed or random.random() < 0.5 else _any_reaches(random)
    groups: list[_Group] = []
    space, skip = 0.0, 0
    for index, (character, shape) in enumerate(zip(written, shapes, strict=True)):
        if skip:
            skip -= 1
            continue
        run = _run_of_zeros(written, index) if layout.zeros is not Zeros.PLAIN else 0
        if run > 1 and layout.zeros is Zeros.CHAIN:
            groups.append(_Group([Mark(zero, "0") for zero in zero_chain(run, pen, random)], space))
            space, skip = 0.0, run - 1
            continue
        shape = sign(character, random) if shape is None and character not in DIGITS else shape
        if shape is None:
            space += float(random.uniform(*_SPACE))
            continue
        if character in DIGITS:
            scale = float(np.exp(random.normal(0, layout.size_spread)))
            y = 0.0
            if layout.zeros is Zeros.SMALL and character == "0":
                scale, y = scale * small, -lift
            elif character in reaches:
                scale, y = scale * (1 + reaches[character]), max(0.0, reaches[character]) * (character in _DESCENDING)
            if index >= cents and cents_size < 1:
                scale, y = scale * cents_size, cents_size - 1
            shape = shape.moved(_jittered(scale, y, 0.0 if writer.printed else 1.0, random))
        groups.append(_Group([Mark(shape, character if character in DIGITS else "")], space))
        space = 0.0
    return groups


def _any_reaches(random: Random) -> dict[str, float]:
    """How much longer a hand makes some digits, beyond the baseline or above the others."""
    return {digit: float(random.uniform(0.05, 0.35)) for digit in "14679" if random.random() < 0.5}


def _run_of_zeros(written: str, index: int) -> int:
    end = index
    while end < len(written) and written[end] == "0":
        end += 1
    return end - index


def _restyled(written: str, writer: Writer, layout: Layout, random: Random) -> list[Shape | None]:
    """The writer's shapes; some digits in another form, the same throughout the line, and some 7s crossed."""
    shapes = writer.shapes(written, random)
    if writer.printed:
        return shapes
    restyled = [digit for digit in _RESTYLED if digit in written and random.random() < layout.restyled]
    if layout.restyled:
        restyled += [digit for digit in _RESTYLED_TOO if digit in written and random.random() < layout.restyled]
    forms = hand(restyled, random)
    if "7" in written and "7" not in forms and tells_by_cross(forms.get("1"), random):
        forms["7"] = crossed_seven(random)
    for digit, form in forms.items():
        width = float(np.exp(random.normal(0, 0.15)))
        shapes = [
            pen_digit(form, width, random) if c == digit else shape for c, shape in zip(written, shapes, strict=True)
        ]
    if "7" in written and "7" not in forms and random.random() < layout.crossed:
        shapes = [
            Shape((*shape.strokes, cross(shape, random))) if c == "7" and shape and shape.strokes else shape
            for c, shape in zip(written, shapes, strict=True)
        ]
    return shapes


def _jittered(scale: float, y: float, freedom: float, random: Random) -> Affine:
    """A size, a lift and, of a hand, a little turn, lean and stretch of its own."""
    if not freedom:
        return affine(scale, 0, 0, scale, 0, y)
    turn, lean, stretch = random.normal(0, 0.045), random.normal(0, 0.05), np.exp(random.normal(0, 0.05))
    return affine(scale * stretch, -scale * (turn + lean), scale * turn * stretch, scale, 0, y)


def _joins(marks: list[Mark], often: float, random: Random) -> list[Mark]:
    """Strokes by which the pen goes on from a digit to the next without being lifted."""
    joins = []
    for one, other in pairwise(marks):
        if not (one.digit and other.digit and one.shape.strokes and other.shape.strokes) or random.random() >= often:
            continue
        start, end = one.shape.strokes[-1][-1].astype(np.float64), other.shape.strokes[0][0].astype(np.float64)
        reach = float(np.hypot(*(end - start)))
        if 0.05 < reach < 0.75 and end[0] > start[0] - 0.1:
            middle = (start + end) / 2 + [0, reach * random.uniform(-0.1, 0.25)]
            joins.append(Mark(Shape((spline(np.stack([start, middle, end])),)), ""))
    return joins
