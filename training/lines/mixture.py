"""What lines are composed of for training: texts, layouts and papers that suit their writer, in all their variety."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.augment import Random
from training.lines.boards import Board
from training.lines.compose import AnyWriter, ComposedLine, composed
from training.lines.furniture import Rule
from training.lines.layout import Layout, Zeros
from training.lines.numbers import Number
from training.lines.paper import Paper, Pen
from training.lines.patterns import Pattern
from training.lines.pools import Writers
from training.lines.signs import Signs
from training.lines.wheels import Counter

# How often a number has 1, 2, … 12 digits.
_LENGTHS = np.array([6, 11, 15, 17, 16, 11, 9, 5, 3, 3, 2, 2]) / 100
# How many digits a number of 1s and 7s alone has at most: nobody counts more strokes in a row.
_MOST_THIN = 5
_HEIGHTS = (12.0, 80.0)
_LEAST_HEIGHT = 12.0
# Short dates and fractions: of numbers with so many digits, written by hand, so many more are parted by a slash.
_FRACTIONS, _FRACTION_SHARE = (2, 3, 4), 0.22
# The first or the last digit is cut off a little, or so far that nobody could be sure of it.
_CLIPPED, _A_LITTLE, _FAR = 0.06, (0.02, 0.18), (0.18, 0.6)
_PATTERNS = tuple(kind for kind in Pattern if kind is not Pattern.NONE)
_RULES = (
    *((Rule.BELOW,), (Rule.BELOW,), (Rule.ABOVE,), (Rule.ABOVE, Rule.BELOW), (Rule.ABOVE, Rule.BELOW)),
    *((Rule.BASELINE,), (Rule.THROUGH,), (Rule.BOX,), (Rule.COMB,), (Rule.CELLS,), (Rule.FRAME,), (Rule.FRAME,)),
)


def any_line(writers: Writers, random: Random) -> ComposedLine:
    """A number by any of the writers, as training sees it."""
    writer = writers.any(random)
    text = writer.text if isinstance(writer, Number) else any_text(random)
    layout, paper = any_setting(writer, text, random)
    return composed(writer, text, layout, paper, random)


def any_setting(writer: AnyWriter, text: str, random: Random) -> tuple[Layout, Paper]:
    """A layout and a paper as are usual for such writing."""
    if isinstance(writer, Counter):
        layout = counter_layout(random)
        return layout, _legible(counter_paper(random), layout.height)
    if isinstance(writer, Board):
        layout, paper = board_layout(random), board_paper(random)
    elif writer.printed:
        layout, paper = print_layout(random), print_paper(random)
    else:
        layout, paper = pen_layout(random), pen_paper(random)
        if len(text) in _FRACTIONS and random.random() < _FRACTION_SHARE:
            layout = replace(layout, signs=Signs.DATE)
    if {Rule.COMB, Rule.CELLS} & set(paper.rules):  # who fills in a form keeps to its cells
        loose = Signs.NONE if random.random() < 0.8 else layout.signs
        pitch = float(random.uniform(0.85, 1.4))
        layout = replace(layout, pitch=pitch, signs=loose, zeros=Zeros.PLAIN, joined=0.0, slope=0.3 * layout.slope)
    if set(text) == {"1"} and layout.gap < 0:  # ones on top of each other nobody could count
        layout = replace(layout, gap=0.1)
    return layout, _legible(paper, layout.height)


def _legible(paper: Paper, height: float) -> Paper:
    """With no more blur, noise and loss of resolution than leaves digits of that height to be read by people."""
    shrunk = min(1.0, max(paper.shrunk, _LEAST_HEIGHT / height))
    contrast = max(paper.contrast, 0.4 - 0.01 * height * shrunk)
    faint = contrast < 0.35
    return replace(
        paper,
        contrast=contrast,
        shrunk=shrunk,
        blur=min(paper.blur, (0.035 if faint or shrunk < 1 else 0.05) * height),
        noise=min(paper.noise, 0.12 * contrast * paper.level),
        grain=min(paper.grain, 0.15 * contrast),
        texture=Pen.PRESSED if faint and paper.texture in {Pen.PENCIL, Pen.WORN} else paper.texture,
    )


def any_text(random: Random) -> str:
    """A number: of cheque-like length, now and then round, of thin digits, or with a run of zeros or of another."""
    length = 1 + int(random.choice(len(_LENGTHS), p=_LENGTHS))
    digits = random.integers(10, size=length)
    kind = random.random()
    if kind < 0.25 and length > 2:  # round
        digits[int(random.integers(1, length)) :] = 0
    elif kind < 0.4 and length > 1:
        start = int(random.integers(length - 1))
        digits[start : start + int(random.integers(2, 7))] = 0 if random.random() < 0.5 else random.integers(10)
    elif kind < 0.45:
        digits = random.choice([1, 1, 7, 0, 4, 9], size=length)
    elif kind < 0.47:  # strokes that are no bars, nor slashes
        digits = random.choice([1, 1, 1, 7], size=min(length, _MOST_THIN))
    return "".join(str(digit) for digit in digits)


def pen_layout(random: Random) -> Layout:
    """As hands write: anything from wide to overlapping, slanted, sloping, joined."""
    spacing = random.random()
    gap = (
        random.uniform(0.25, 0.8)
        if spacing < 0.15
        else random.uniform(0.03, 0.25)
        if spacing < 0.65
        else random.uniform(-0.05, 0.03)
        if spacing < 0.87
        else random.uniform(-0.1, -0.03)
    )
    kerned = random.uniform(0.2, 1.0) if gap > 0.03 else random.uniform(0.75, 1.0)
    return Layout(
        height=_any_height(random),
        gap=float(gap),
        gap_spread=float(random.uniform(0.0, 0.1 if gap > 0.03 else 0.04)),
        kerned=float(kerned),
        slant=float(np.clip(random.normal(0.12, 0.2), -0.5, 0.5)),
        slope=float(np.clip(random.normal(0, 2.2), -6, 6)),
        wander=float(abs(random.normal(0, 0.035))),
        size_spread=float(random.uniform(0, 0.13)),
        stretch=float(np.clip(np.exp(random.normal(0.05, 0.2)), 0.6, 1.6)),
        rotation=_any_rotation(random),
        margins=_any_margins(random),
        clipped=_any_clip(random),
        signs=Signs(random.choice(list(Signs), p=[0.29, 0.35, 0.17, 0.06, 0.04, 0.05, 0.0, 0.0, 0.0, 0.04])),
        signs_inside=random.random() < 0.8,
        zeros=Zeros(random.choice(list(Zeros), p=[0.55, 0.2, 0.25])),
        joined=float(random.uniform(0.2, 0.9)) if random.random() < 0.25 else 0.0,
        restyled=0.35 if random.random() < 0.6 else 0.0,
        crossed=0.4,
        breaks=0.3 if random.random() < 0.14 else 0.0,
    )


def print_layout(random: Random) -> Layout:
    """As presses, typewriters and screens set; some so tight that digits touch or overlap."""
    tight = random.random() < 0.1
    pitch = (
        None if random.random() < 0.5 else float(random.choice([random.uniform(0.62, 0.85), random.uniform(0.8, 1.3)]))
    )
    return Layout(
        height=_any_height(random),
        gap=float(
            random.uniform(-0.1, 0.0)
            if tight
            else random.uniform(-0.03, 0.12)
            if random.random() < 0.75
            else random.uniform(0.1, 0.5)
        ),
        gap_spread=float(random.choice([0.0, 0.015])),
        kerned=float(random.uniform(0.75, 1.0) if tight else random.choice([0.0, 0.0, 0.4])),
        pitch=None if tight else pitch,
        slant=float(np.clip(random.normal(0, 0.2), -0.5, 0.5)) if random.random() < 0.15 else 0.0,
        slope=float(random.normal(0, 0.4)),
        wander=float(random.choice([0.0, 0.012, 0.03])),
        stretch=float(np.clip(np.exp(random.normal(0, 0.15)), 0.6, 1.6)),
        rotation=_any_rotation(random),
        margins=_any_margins(random),
        clipped=_any_clip(random),
        signs=Signs(random.choice(list(Signs), p=[0.32, 0.11, 0.08, 0.04, 0.19, 0.06, 0.12, 0.0, 0.02, 0.06])),
        breaks=0.3 if random.random() < 0.08 else 0.0,
    )


def counter_layout(random: Random) -> Layout:
    """As counters are photographed: often turned, now and then stretched out of proportion."""
    margins = tuple(float(v) for v in random.uniform(-0.02, random.choice([0.1, 0.8]), 4))
    return Layout(
        height=_any_height(random),
        stretch=float(np.clip(np.exp(random.normal(0, 0.25)), 0.6, 1.6)),
        rotation=_any_rotation(random, often=0.5),
        margins=(margins[0], margins[1], margins[2], margins[3]),
        clipped=_any_clip(random, often=2.0),
    )


def board_layout(random: Random) -> Layout:
    """As displays have it: cell beside cell, upright or leaning a little."""
    return Layout(
        height=_any_height(random),
        gap=float(random.uniform(0.05, 0.2) if random.random() < 0.7 else random.uniform(0.2, 0.5)),
        slant=float(random.uniform(0.03, 0.2)) if random.random() < 0.5 else 0.0,
        stretch=float(np.clip(np.exp(random.normal(0, 0.15)), 0.6, 1.6)),
        rotation=_any_rotation(random),
        margins=_any_margins(random),
        clipped=_any_clip(random),
        signs=Signs(random.choice([Signs.NONE, Signs.DECIMAL, Signs.TIME, Signs.SPACED], p=[0.55, 0.25, 0.12, 0.08])),
    )


def pen_paper(random: Random) -> Paper:
    """Notes, forms and cheques under a scanner or a camera."""
    contrast = random.uniform(0.45, 0.95) if random.random() < 0.78 else random.uniform(0.15, 0.45)
    patterned = random.random() < 0.6
    texture = random.choice(list(Pen), p=[0.5, 0.2, 0.27, 0.03])
    return replace(
        _any_picture(random),
        level=float(random.uniform(130, 250) if patterned else random.uniform(90, 255)),
        contrast=float(contrast),
        pattern=_any_pattern(random) if patterned else Pattern.NONE,
        second_pattern=_any_pattern(random) if random.random() < 0.25 else Pattern.NONE,
        pattern_strength=float(random.uniform(0.08, 0.42)),
        rules=_any_rules(random, 0.4),
        rule_strength=float(random.uniform(0.35, 1.0)),
        rule_width=float(random.uniform(0.015, 0.06)),
        neighbours=random.random() < 0.08,
        label=random.random() < 0.06,
        texture=Pen(texture),
    )


def print_paper(random: Random) -> Paper:
    """Print, typescript and screens: plainer paper, worn or spreading ink."""
    contrast = random.uniform(0.55, 1.0) if random.random() < 0.75 else random.uniform(0.15, 0.55)
    patterned = random.random() < 0.2
    return replace(
        _any_picture(random),
        level=float(random.uniform(100, 255)),
        contrast=float(contrast),
        pattern=_any_pattern(random) if patterned else Pattern.NONE,
        pattern_strength=float(random.uniform(0.05, 0.35)),
        rules=_any_rules(random, 0.4),
        rule_strength=float(random.uniform(0.4, 1.0)),
        rule_width=float(random.uniform(0.015, 0.08)),
        neighbours=random.random() < 0.2,
        label=random.random() < 0.06,
        texture=Pen(random.choice(list(Pen), p=[0.5, 0.05, 0.2, 0.25])),
        bold=float(random.choice([0.0, random.uniform(-0.05, 0.07)], p=[0.6, 0.4])),
        inverted=random.random() < 0.06,
    )


def board_paper(random: Random) -> Paper:
    """Displays that shine in the dark, or are darker than what is behind them, in a case or none."""
    contrast = random.uniform(0.5, 1.0) if random.random() < 0.75 else random.uniform(0.15, 0.5)
    return replace(
        _any_picture(random),
        level=float(random.uniform(90, 255)),
        contrast=float(contrast),
        rules=(Rule.FRAME,) if random.random() < 0.1 else (),
        rule_strength=float(random.uniform(0.3, 1.0)),
        rule_width=float(random.uniform(0.02, 0.1)),
        label=random.random() < 0.1,
        bold=float(random.choice([0.0, random.uniform(-0.03, 0.06)], p=[0.7, 0.3])),
        inverted=random.random() < 0.5,
    )


def counter_paper(random: Random) -> Paper:
    """The picture taken of a counter."""
    return replace(_any_picture(random), inverted=random.random() < 0.1)


def _any_picture(random: Random) -> Paper:
    return Paper(
        grain=float(random.uniform(0.005, 0.06)) if random.random() < 0.5 else 0.0,
        gradient=float(random.uniform(0.03, 0.3)) if random.random() < 0.35 else 0.0,
        shadow=float(random.uniform(0.08, 0.45)) if random.random() < 0.08 else 0.0,
        patched=random.random() < 0.06,
        blur=float(random.uniform(0.4, random.choice([1.0, 3.0], p=[0.8, 0.2]))) if random.random() < 0.6 else 0.0,
        noise=float(min(random.gamma(1.0, 2.5), 14)),
        shrunk=float(random.uniform(0.45, 0.9)) if random.random() < 0.12 else 1.0,
        jpeg=int(random.integers(25, 96)) if random.random() < 0.4 else None,
    )


def _any_height(random: Random) -> float:
    return float(np.exp(random.uniform(*np.log(_HEIGHTS))))


def _any_rotation(random: Random, often: float = 0.15) -> float:
    spread = 6.0 if random.random() < often else 0.7
    return float(np.clip(random.normal(0, spread), -15, 15))


def _any_margins(random: Random) -> tuple[float, float, float, float]:
    tight = random.random() < 0.35
    left, right = random.uniform(0.0, 0.15, 2) if tight else random.uniform(0.05, 0.9, 2)
    top, bottom = random.uniform(0.0, 0.12, 2) if tight else random.uniform(0.05, 0.5, 2)
    return float(left), float(top), float(right), float(bottom)


def _any_clip(random: Random, often: float = 1.0) -> tuple[float, float]:
    ends = np.where(random.random(2) < 0.6, random.uniform(*_A_LITTLE, 2), random.uniform(*_FAR, 2))
    ends = np.where(random.random(2) < often * _CLIPPED, ends, 0.0)
    return float(ends[0]), float(ends[1])


def _any_pattern(random: Random) -> Pattern:
    return _PATTERNS[int(random.integers(len(_PATTERNS)))]


def _any_rules(random: Random, often: float) -> tuple[Rule, ...]:
    return _RULES[int(random.integers(len(_RULES)))] if random.random() < often else ()
