"""Digits as pens of many countries form them, as skeletons: what no data set has enough of can be drawn at will.

Among them the slashed 0, the 1 with a long upstroke (sharp, round or leaning back), the crossed 7, the one whose bar
rises and the one that is like a plus, the curled 9 and the one that is like an e or a P, the looped 2 and the one with
a closed head, the open 4, the 5 that is like a root sign, the open 6, the 8 that is like a B. No upstroke of a 1 is as
flat as the bar of a 7 that rises: nobody could tell those two apart.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from training.augment import Random
from training.strokes import Points, spline

Skeleton = tuple[NDArray[np.float64], ...]

# How many of those whose 1 has an upstroke cross the 7.
_CROSSING = 0.85
# How far to the left of the stem, and how far below its top, an upstroke begins at least.
_UPSTROKE = (0.12, 0.15)


def _skeleton(*strokes: str) -> Skeleton:
    """Strokes as "x,y x,y …" in hundredths of the digit's height, y running down from its top."""
    return tuple(
        np.array([[float(v) for v in point.split(",")] for point in stroke.split()]) / 100 - [0, 1]
        for stroke in strokes
    )


# The way of the pen through each form; the first forms of a digit are the commoner ones.
ALLOGRAPHS: dict[str, tuple[Skeleton, ...]] = {
    "0": (
        _skeleton("36,2 10,22 2,60 20,97 48,86 62,45 50,8 32,3"),
        _skeleton("48,10 24,4 6,34 4,72 24,100 52,84 60,40 46,6 22,0"),
        _skeleton("30,0 4,30 8,84 34,100 58,70 56,24 38,4 26,14 44,16 72,6"),  # a tail at the top
        _skeleton("30,0 -2,40 12,96 42,98 64,52 48,6 26,2"),
        _skeleton("40,0 14,14 0,56 14,96 46,92 62,50 56,14"),  # left open
        _skeleton("30,2 8,28 4,66 22,98 46,88 58,52 48,12 30,4 20,18 30,36 46,30"),  # a curl within
        _skeleton("10,4 6,40 10,96 44,100 62,56 44,14 12,6"),  # like a D
        _skeleton("36,2 10,22 2,60 20,97 48,86 62,45 50,8 32,3", "66,-4 34,48 -2,104"),  # slashed
        _skeleton("36,0 8,26 4,64 24,98 52,80 60,40 48,8 30,2", "50,20 16,82"),  # slashed within
        _skeleton("34,0 8,22 2,60 20,98 50,88 62,48 52,10 30,2", "8,-8 34,48 64,108"),  # slashed the other way
    ),
    "1": (
        _skeleton("10,28 24,16 36,2", "36,2 34,50 32,100"),
        _skeleton("20,0 18,50 16,100"),
        _skeleton("-14,58 10,32 34,0", "34,0 32,50 30,100"),  # a long upstroke
        _skeleton("-22,88 6,46 34,0", "34,0 32,50 30,100"),  # from the baseline
        _skeleton("-10,52 16,22 30,0 30,10 26,60 22,104"),
        _skeleton("34,-2 25,46 12,102"),  # bare and leaning, but no longer than others: longer, it would be a slash
        _skeleton("6,30 20,16 30,0", "30,0 30,96", "6,98 54,96"),  # with a foot
        _skeleton("-30,74 0,44 24,6 30,-2 22,50 14,104 6,112"),
        _skeleton("-30,66 -10,32 12,6 24,2 26,20 18,60 12,100"),  # a round top
        _skeleton("-34,56 -8,22 18,0", "18,0 24,46 36,100"),  # leaning back
        _skeleton("-34,72 4,20 24,0 30,14 28,60 32,92 44,98"),  # a flick at the foot
        _skeleton("-24,50 -6,28 12,6 22,0", "22,0 10,56 -4,104"),
        _skeleton("-30,86 8,36 40,0", "40,0 28,50 12,102"),
        _skeleton("-48,78 -30,86 -2,70 20,36 28,0", "28,0 26,50 24,100"),  # an upstroke that swings in from below
        _skeleton("-14,44 8,20 28,0", "28,0 28,50 24,100", "0,100 50,99"),
        _skeleton("-26,104 -6,62 14,22 20,0", "20,0 24,48 36,102"),  # like a lambda
        _skeleton("-6,64 10,30 18,0 24,30 30,100"),
        _skeleton("8,26 30,-4 28,50 24,108"),
        _skeleton("28,0 16,52 4,100 14,98 30,88"),  # a flick to the next digit
    ),
    "2": (
        _skeleton("6,24 20,4 46,6 54,28 30,66 4,95", "4,95 60,93"),
        _skeleton("4,22 22,2 48,10 46,40 22,76 4,92 2,80 16,80 34,94 64,92"),  # looped
        _skeleton("8,36 2,14 26,-2 54,12 48,46 20,82 -2,92 -4,80 12,78 36,96 74,88"),
        _skeleton("20,34 6,22 14,2 46,0 56,26 34,64 2,90 -8,78 8,70 32,92 66,104 84,92"),  # like a Q
        _skeleton("2,6 26,2 54,4 32,46 4,96 30,94 62,96"),  # like a Z
        _skeleton("4,26 18,2 50,4 50,34 14,82 0,98 30,92 58,98 66,88"),
        _skeleton("34,38 14,44 4,26 18,2 46,0 58,22 44,54 10,94 26,84 44,94 66,98"),  # a closed head
        _skeleton("26,48 8,38 6,16 28,-2 52,8 54,34 34,70 4,96 20,86 40,96 62,94"),
        _skeleton(
            "40,30 26,50 6,40 4,14 30,-4 56,10 54,44 26,80 -2,98 18,88 44,102 74,92"
        ),  # like a Q, its bowl closed
        _skeleton("22,36 10,30 12,8 34,0 48,16 38,46 12,82 2,98 24,90 50,98"),  # a small head
        _skeleton("14,40 28,36 26,20 12,18 16,2 42,0 52,24 34,62 6,96", "6,96 60,92"),  # a curl at the start
        _skeleton("4,20 22,4 48,8 46,34 20,70 -4,98 20,96 60,100 70,112"),
    ),
    "3": (
        _skeleton("8,10 32,0 52,18 42,40 22,47", "22,47 50,58 54,84 26,100 2,88"),
        _skeleton("4,4 30,2 54,4 34,34 22,44 48,50 56,78 34,100 4,92"),  # a flat top
        _skeleton("6,14 26,0 48,10 42,34 18,46 14,44 44,50 52,78 30,98 0,90 -6,80"),
        _skeleton("10,16 34,2 50,20 30,42 20,40 26,46 50,60 46,92 14,106 -10,92"),
        _skeleton("2,10 30,-4 56,8 40,36 20,42 12,48 26,46 52,62 40,98 6,108 -14,98"),
        _skeleton("4,2 54,0 24,36", "24,36 48,46 54,76 30,100 -4,94"),  # angular
        _skeleton("6,22 14,2 42,2 48,22 28,44 16,46 40,52 50,76 32,100 4,104 -12,94"),
    ),
    "4": (
        _skeleton("34,0 18,36 2,62 60,60", "46,34 44,68 40,100"),
        _skeleton("8,2 4,50 10,58 54,54", "50,4 46,54 44,104"),  # open
        _skeleton("42,2 4,66 62,64", "42,2 40,104"),  # closed
        _skeleton("14,0 2,44 2,56 26,52 48,48", "52,18 40,70 32,112"),
        _skeleton("26,-4 10,36 -2,62 4,66 30,54 56,44", "48,28 42,62 38,96"),
        _skeleton("10,4 8,52", "8,52 58,50", "52,-2 50,104"),  # like an H
        _skeleton("20,-6 4,60 8,68 60,62", "36,40 30,74 28,102"),
        _skeleton("12,0 0,52 36,44 44,6 40,60 34,106"),  # in one go
        _skeleton("18,0 0,44 8,70 38,62 58,28 54,70 62,98 82,88"),  # like a u, a tail at the foot
        _skeleton("14,6 2,40 6,62 30,60 50,34", "56,16 48,58 44,104"),
        _skeleton("30,0 2,56 56,48", "36,30 32,104"),
        _skeleton("14,0 6,100", "10,62 34,44 42,60 40,104"),  # like an h
        _skeleton("24,0 0,58 48,62", "46,2 40,60 34,102"),
    ),
    "5": (
        _skeleton("12,4 10,24 6,44 36,40 56,62 46,92 18,100 0,88", "12,4 56,2"),
        _skeleton("56,2 14,4 10,24 6,44 36,40 56,62 46,92 18,100 0,88"),
        _skeleton("50,4 20,2 10,22 22,42 44,58 46,84 20,100 0,90"),  # like an S
        _skeleton("14,10 8,46 38,44 52,66 40,94 12,102 -6,92", "12,10 44,2 78,-6"),  # a bar flying up
        _skeleton("18,2 8,42 30,40 48,60 38,92 8,104 -16,96 -22,86", "16,4 64,4"),
        _skeleton("16,4 10,40 34,38 44,56 34,86 8,98", "26,-2 60,-8"),  # a bar apart
        _skeleton("-4,56 4,66 12,100 22,50 34,6", "34,6 66,2"),  # like a root sign
        _skeleton("2,62 10,58 18,98 26,80 30,10 36,2 72,4"),
        _skeleton("30,2 24,48 46,60 40,92 14,102 0,86", "30,2 64,-6"),
        _skeleton("52,4 14,2 10,46 50,50 46,98 2,100"),  # angular
        _skeleton("14,4 8,30 6,50 30,40 52,58 46,88 22,100 4,86 4,64", "14,4 62,0"),  # its bowl all but closed
        _skeleton("58,2 16,4 8,28 6,48 28,40 50,56 46,86 24,100 8,88 6,70"),
        _skeleton("36,4 16,30 30,46 36,74 20,100 -4,92", "34,6 66,-4"),
    ),
    "6": (
        _skeleton("48,2 22,24 4,64 16,96 44,94 52,70 34,54 10,70"),
        _skeleton("38,-10 14,26 2,68 16,98 44,92 50,66 30,56 8,76"),
        _skeleton("54,8 34,0 10,28 2,70 22,100 52,86 46,60 22,60 6,80"),
        _skeleton("24,-14 8,40 4,86 24,100 46,82 40,62 20,64 6,88"),  # like a b
        _skeleton("44,4 16,30 2,74 20,100 50,84 44,62 24,66 30,80 48,76"),
        _skeleton("44,0 16,30 4,70 18,100 46,94 54,74 42,62 30,66"),  # left open
        _skeleton("26,0 8,48 4,92 14,90 40,58 50,70 42,98"),  # left open at the foot, like a k
    ),
    "7": (
        _skeleton("2,6 30,5 58,4 38,46 22,100"),
        _skeleton("2,6 30,5 58,4 38,46 22,100", "8,52 34,50 62,46"),  # crossed
        _skeleton("2,16 4,2 24,6 46,8 62,0 46,40 30,100", "14,54 60,46"),
        _skeleton("0,20 4,2 30,6 60,2 40,50 26,104"),
        _skeleton("4,12 18,0 38,10 58,2 50,36 34,110", "18,50 38,56 66,44"),  # a wavy top
        _skeleton("6,8 56,2 36,44 20,84 14,112", "2,60 24,50 54,54"),
        _skeleton("2,4 56,4", "56,4 26,100", "16,48 50,48"),
        _skeleton("8,14 20,2 44,4 38,40 22,100", "-8,54 28,50 66,44"),  # a short top, a long bar
        _skeleton("2,10 50,2 28,52 2,98", "-2,60 56,42"),  # like a Z with a bar
        _skeleton("4,14 8,2 32,6 58,0 36,46 14,88 8,100 20,102", "12,52 58,46"),
        _skeleton("14,12 18,4 36,2 32,44 22,100", "-4,52 52,48"),  # hardly a top: like a plus
        _skeleton("30,0 24,50 14,104", "30,0 20,8 12,20", "-8,48 22,50 56,44"),
        _skeleton("34,-2 20,102", "-6,44 58,42"),
        _skeleton("0,24 8,6 28,-2 36,12 30,40 16,100", "-4,58 46,48"),  # a round top
        _skeleton("20,6 10,14 16,-2 60,-4 44,30 26,98", "16,46 64,40"),
        _skeleton("0,20 28,9 56,0", "56,0 38,46 22,102"),  # its bar rising
        _skeleton("-4,24 24,14 48,-2 40,40 28,100"),
        _skeleton("4,30 8,10 34,6 54,0 36,52 24,102"),  # it begins with a hook
    ),
    "8": (
        _skeleton("46,14 26,2 10,18 24,42 50,66 46,94 20,100 6,78 28,48 50,30 46,14"),
        _skeleton("50,8 28,0 8,14 18,38 46,60 52,86 26,102 2,86 14,58 44,36 54,14"),
        _skeleton("28,48 8,32 12,6 36,0 48,20 28,48 4,66 4,92 30,102 52,84 28,48"),
        _skeleton("14,4 10,50 12,98", "10,4 44,6 44,38 14,48 50,58 50,92 12,98"),  # like a B
        _skeleton("56,2 30,0 10,20 28,44 48,68 36,98 8,94 8,70 36,42 62,6"),  # open at the top
        _skeleton("50,10 26,0 10,18 30,44 54,72 32,102 4,88 10,66 40,44 44,20"),
        _skeleton("30,44 10,24 30,0 48,20 28,46 2,76 28,102 56,80 32,50"),
    ),
    "9": (
        _skeleton("50,20 28,4 8,24 18,46 40,42 52,18 50,60 42,100"),
        _skeleton("50,20 26,2 6,22 14,46 40,42 52,12 52,64 36,98 6,96"),  # hooked
        _skeleton("48,24 30,0 6,18 10,44 38,44 50,10 50,70 34,112 4,112 4,96 28,82 62,66"),  # like a g
        _skeleton("46,14 22,0 2,22 14,48 42,34 50,2 44,50 40,104"),
        _skeleton("18,44 0,30 12,4 40,2 46,26 22,46 36,38 52,52 38,100"),  # a curl before the stem
        _skeleton("48,10 30,-2 10,12 14,36 40,34 50,8 38,54 14,106"),
        _skeleton("34,46 8,40 6,10 34,-4 54,14 46,46 22,50 44,48 50,70 34,108 8,104"),  # curled
        _skeleton("24,50 46,30 48,6 26,-2 8,18 20,44 36,60 32,104"),
        _skeleton(
            "52,16 32,0 10,10 14,34 42,34 54,12 42,42 54,68 40,98 10,104 -2,90"
        ),  # nearly an 8 above an open hook
        _skeleton("46,22 30,0 10,14 16,38 38,42 50,24 46,40 60,70 44,100 10,102 0,86"),
        _skeleton("38,38 14,36 10,10 34,0 50,16 34,42 56,62 50,92 18,104 -4,92"),
        _skeleton("6,34 30,34 50,22 44,4 26,0 12,16 14,44 20,72 22,102"),  # like an e with a long stem
        _skeleton("10,44 36,34 48,14 34,-2 16,8 10,32 14,64 12,104"),
        _skeleton("4,30 12,38 22,24 36,40 52,26 46,4 28,0 18,20 16,60 8,106"),  # like a P with a hook
        _skeleton("20,40 44,36 52,16 36,0 18,10 16,40 12,76 2,108"),  # like a P
        _skeleton("12,22 30,40 50,26 42,2 20,2 20,30 24,66 18,104"),
        _skeleton("2,38 26,42 44,24 36,4 18,6 10,28 16,60 34,84 30,102"),
    ),
}


def any_skeleton(digit: str, random: Random) -> Skeleton:
    """A form of the digit, bent as one writer would."""
    forms = ALLOGRAPHS[digit]
    return tuple(stroke + random.normal(0, 0.022, stroke.shape) for stroke in forms[int(random.integers(len(forms)))])


def hand(digits: Iterable[str], random: Random) -> dict[str, Skeleton]:
    """A form of each digit, as one hand has them: who writes a 1 with an upstroke crosses the 7, as a rule."""
    forms = {digit: any_skeleton(digit, random) for digit in digits}
    if "7" in forms and tells_by_cross(forms.get("1"), random):
        forms["7"] = crossed_seven(random)
    return forms


def tells_by_cross(one: Skeleton | None, random: Random) -> bool:
    """Whether the hand of such a 1 crosses its 7: where the 1 has an upstroke to tell it from, most do."""
    return one is not None and _has_upstroke(one) and random.random() < _CROSSING


def crossed_seven(random: Random) -> Skeleton:
    """A form of 7 with a stroke across its stem."""
    while len(seven := any_skeleton("7", random)) < 2:
        pass
    return seven


def _has_upstroke(one: Skeleton) -> bool:
    """Whether the pen begins to the left of the stem, and below its top."""
    start, top = one[0][0], one[0][one[0][:, 1].argmin()]
    return bool(start[0] < top[0] - _UPSTROKE[0] and start[1] > top[1] + _UPSTROKE[1])


def pen_strokes(form: Skeleton, width: float, random: Random) -> tuple[Points, ...]:
    """A form as it is written this once, `width` times as wide: strokes, each (n, 2) float32, in digit heights."""
    stretch = np.array([width, 1.0]) * np.exp(random.normal(0, 0.04, 2))
    return tuple(spline((stroke + random.normal(0, 0.012, stroke.shape)) * stretch) for stroke in form)
