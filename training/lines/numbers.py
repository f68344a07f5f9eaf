"""Whole numbers as they were written: UNIPEN's dates, phone numbers and amounts."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.augment import Random
from training.lines.allographs import any_pen
from training.lines.shapes import Shape
from training.sources import DataError
from training.strokes import Points

NUMBERS_FILE = "unipen_strings.jsonl.gz"
# Kept from training: those held out of UNIPEN's characters, and others, who wrote no characters, to have enough.
HELD_OUT_CONTRIBUTORS = ("app", "art", "tos", "lou", "cea", "ceb", "cec", "apd", "att", "pap", "par")
_MOST_DIGITS = 12
_MOST_HEIGHT = 2.6
_WIDTHS = {"1": 0.25, ".": 0.1, ",": 0.1, ":": 0.1, "-": 0.4, "/": 0.4, " ": 0.0}


@dataclass(frozen=True, slots=True)
class Number:
    """One number in one hand: `text` its digits; `marks` each digit's shape where it stands, and "" with the rest.

    Which stroke belongs to which digit is inferred; `sure` tells whether the strokes were enough for it. Without, the
    digits' strokes are cut from the whole at even distances.
    """

    text: str
    contributor: str
    marks: tuple[tuple[str, Shape], ...]
    sure: bool
    printed: bool = False

    def pen(self, random: Random) -> float:
        """The width of the pen, in digit heights."""
        return any_pen(random)


def held_out(contributor: str) -> bool:
    """Whether a contributor's numbers are kept from training."""
    return contributor in HELD_OUT_CONTRIBUTORS


def read_numbers(path: Path) -> Iterator[Number]:
    """The numbers of a file of UNIPEN's that stand on one line; long ones in parts of 12 digits at most.

    Raises DataError where the file cannot be read.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for row in file:
                entry = json.loads(row)
                strokes = [np.array(stroke, np.float64).reshape(-1, 2) for stroke in entry["strokes"] if stroke]
                if strokes and entry["digits"]:
                    yield from _lines(number(entry["label"], strokes, entry["contributor"]))
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} cannot be read ({type(error).__name__}: {error}); fetch it anew.") from error


def _lines(whole: Number) -> Iterator[Number]:
    """Its parts, but for what stands on several lines."""
    parts = -(-len(whole.text) // _MOST_DIGITS)
    if parts > 1 and not whole.sure:
        return
    size = -(-len(whole.text) // parts)
    marks: list[tuple[str, Shape]] = []
    for index, mark in enumerate(whole.marks):
        marks.append(mark)
        digits = "".join(digit for digit, _ in marks)
        if len(digits) == size or index + 1 == len(whole.marks):
            width, height = np.ptp(np.concatenate([shape.points() for _, shape in marks]), axis=0).tolist()
            # Where strokes could not be told apart, lines are seen by how narrow the whole is.
            if digits and height < _MOST_HEIGHT and (whole.sure or width > 0.3 * len(digits)):
                yield Number(digits, whole.contributor, tuple(marks), whole.sure)
            marks = []


def number(label: str, strokes: list[NDArray[np.float64]], contributor: str) -> Number:
    """A number from its label, separators included, and its strokes, each (n, 2), in the order of writing."""
    characters = label.replace(" ", "")
    runs = _runs(characters, strokes)
    sure = runs is not None
    digits = "".join(c for c in characters if c.isdecimal())
    if runs is None:
        characters, runs = digits, _slices(len(digits), strokes)
    heights = [
        float(np.ptp(np.concatenate(run)[:, 1])) for c, run in zip(characters, runs, strict=True) if c.isdecimal()
    ]
    unit = max(float(np.median(heights)), 1e-3)
    bottoms = [float(np.concatenate(run)[:, 1].max()) for c, run in zip(characters, runs, strict=True) if c.isdecimal()]
    origin = np.array([min(float(stroke[:, 0].min()) for stroke in strokes), float(np.median(bottoms))])
    marks = tuple(
        (c if c.isdecimal() else "", Shape(tuple(_unit_stroke(stroke, origin, unit) for stroke in run)))
        for c, run in zip(characters, runs, strict=True)
    )
    return Number(digits, contributor, marks, sure)


def _unit_stroke(stroke: NDArray[np.float64], origin: NDArray[np.float64], unit: float) -> Points:
    return ((stroke - origin) / unit).astype(np.float32)


def _runs(characters: str, strokes: list[NDArray[np.float64]]) -> list[list[NDArray[np.float64]]] | None:
    """Successive strokes for each character, so that characters are as wide as is usual and do not run into each other.

    None where there are fewer strokes than characters, or no such parting is any good.
    """
    count, most = len(characters), 4
    if len(strokes) < count:
        return None
    height = float(np.median(sorted(np.ptp(s[:, 1]) for s in strokes)[-count:])) or 1.0
    low = np.array([s[:, 0].min() for s in strokes]) / height
    high = np.array([s[:, 0].max() for s in strokes]) / height
    tall = np.array([np.ptp(s[:, 1]) for s in strokes]) / height
    best = np.full((count + 1, len(strokes) + 1), np.inf)
    before = np.zeros((count + 1, len(strokes) + 1), int)
    best[0, 0] = 0
    for place, character in enumerate(characters):
        usual = _WIDTHS.get(character, 0.6)
        for start in range(place, len(strokes)):
            if not np.isfinite(best[place, start]):
                continue
            for end in range(start + 1, min(len(strokes), start + most) + 1):
                left, right = low[start:end].min(), high[start:end].max()
                cost = best[place, start] + max(0.0, right - left - usual - 0.3) ** 2 * 4 + 0.05 * (end - start - 1)
                if character.isdecimal():
                    cost += 2 * max(0.0, 0.6 - tall[start:end].max()) + 0.2 * max(0.0, usual - 0.35 - (right - left))
                elif character in ".,-: ":
                    cost += 2 * max(0.0, tall[start:end].max() - 0.5)
                if start:
                    overlap = high[:start].max() - left
                    cost += 2 * max(0.0, overlap - 0.05)
                if cost < best[place + 1, end]:
                    best[place + 1, end], before[place + 1, end] = cost, start
    if not best[count, -1] < 0.5 * count:
        return None
    runs, end = [], len(strokes)
    for place in range(count, 0, -1):
        start = int(before[place, end])
        runs.append(strokes[start:end])
        end = start
    return runs[::-1]


def _slices(count: int, strokes: list[NDArray[np.float64]]) -> list[list[NDArray[np.float64]]]:
    """The strokes, cut where they cross into the next of `count` equally wide columns."""
    low, high = min(s[:, 0].min() for s in strokes), max(s[:, 0].max() for s in strokes)
    runs: list[list[NDArray[np.float64]]] = [[] for _ in range(count)]
    for stroke in strokes:
        columns = np.clip(((stroke[:, 0] - low) / max(high - low, 1e-6) * count).astype(int), 0, count - 1)
        cuts = [0, *(np.flatnonzero(np.diff(columns)) + 1).tolist(), len(stroke)]
        for start, end in pairwise(cuts):
            runs[int(columns[start])].append(stroke[start : end + 1])
    for index, run in enumerate(runs):  # a column that nothing stands in
        if not run:
            middle = low + (index + 0.5) * (high - low) / count
            nearest = min(strokes, key=lambda s, m=middle: float(np.abs(s[:, 0] - m).min()))  # type: ignore[misc]
            point = nearest[int(np.abs(nearest[:, 0] - middle).argmin())]
            run.append(point[None])
    return runs
