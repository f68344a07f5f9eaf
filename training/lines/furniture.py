"""What is printed about the digits: rules, boxes, combs and frames, as marks in the units of their line."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise

import numpy as np

from training.augment import Random
from training.lines.shapes import Shape
from training.strokes import Points

_FAR = 40.0


class Rule(StrEnum):
    """A printed line, or lines, about the digits."""

    BELOW = "below"
    ABOVE = "above"
    BASELINE = "baseline"
    THROUGH = "through"
    BOX = "box"
    COMB = "comb"
    CELLS = "cells"
    FRAME = "frame"


Spans = Sequence[tuple[float, float]]


def ruled(rules: Sequence[Rule], spans: Spans, baseline: float, random: Random) -> list[Shape]:
    """The rules about digits that reach from left to right as `spans` tell, their first line's baseline at 0 and their
    last line's at `baseline`."""
    left, right = min(span[0] for span in spans), max(span[1] for span in spans)
    shapes = [shape for rule in rules for shape in _drawn(rule, left, right, spans, baseline, random)]
    return [shape for shape in shapes if shape.strokes]


def _drawn(rule: Rule, left: float, right: float, spans: Spans, baseline: float, random: Random) -> list[Shape]:
    if rule is Rule.BELOW:
        y = baseline + random.uniform(0.06, 0.4)
        lines = [_across(y)]
        if random.random() < 0.2:
            lines.append(_across(y + random.uniform(0.06, 0.2)))
        return lines
    if rule is Rule.ABOVE:
        return [_across(-1 - random.uniform(0.06, 0.4))]
    if rule is Rule.BASELINE:
        return [_across(random.normal(0, 0.04))]
    if rule is Rule.THROUGH:
        return [_across(random.uniform(-0.85, -0.1))]
    if rule is Rule.BOX:
        before, after, above, below = random.uniform(0.08, 0.6, 4)
        return [_rectangle(left - before, -1 - above, right + after, baseline + below)]
    if rule is Rule.FRAME:  # of a table: what of it the crop has is up to the margins
        sides = random.random(4) < 0.5
        before, after, above, below = random.uniform(0.1, 0.5, 4)
        ways = [
            _line((left - before, -_FAR / 4), (left - before, _FAR / 4)),
            _line((right + after, -_FAR / 4), (right + after, _FAR / 4)),
            _line((-_FAR, -1 - above), (_FAR, -1 - above)),
            _line((-_FAR, baseline + below), (_FAR, baseline + below)),
        ]
        return [Shape((way,)) for way, there in zip(ways, sides, strict=True) if there]
    return _comb(rule, spans, baseline, random)


def _comb(rule: Rule, spans: Spans, baseline: float, random: Random) -> list[Shape]:
    """Bars between the digits; of a comb, teeth that stand on a line."""
    middles = np.array([(one + other) / 2 for (_, one), (other, _) in pairwise(spans) if other > one - 0.5])
    step = float(np.median(np.diff(middles))) if len(middles) > 1 else 0.9
    bars = [spans[0][0] - random.uniform(0.1, 0.3), *middles, spans[-1][1] + random.uniform(0.1, 0.3)]
    if random.random() < 0.3:  # cells that were left empty
        bars += [bars[-1] + step, bars[-1] + 2 * step]
    top, bottom = -1 - random.uniform(0.1, 0.35), baseline + random.uniform(0.08, 0.3)
    start = bottom - random.uniform(0.2, 0.6) if rule is Rule.COMB else top
    shapes = [Shape((_line((float(x), start), (float(x), bottom)),)) for x in bars]
    shapes.append(Shape((_line((float(bars[0]), bottom), (float(bars[-1]), bottom)),)))
    if rule is Rule.CELLS:
        shapes.append(Shape((_line((float(bars[0]), top), (float(bars[-1]), top)),)))
    return shapes


def _line(*points: tuple[float, float]) -> Points:
    return np.array(points, np.float32)


def _across(y: float) -> Shape:
    return Shape((_line((-_FAR, float(y)), (_FAR, float(y))),))


def _rectangle(left: float, top: float, right: float, bottom: float) -> Shape:
    return Shape((_line((left, top), (right, top), (right, bottom), (left, bottom), (left, top)),))
