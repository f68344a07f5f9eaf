"""Composed numbers to measure on: by MNIST's test writers and held-out fonts, each suite with one difficulty."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests.evaluation.drawn import Sample, display_fonts, held_out_families
from training.augment import Random, texture
from training.fonts import Font, draw_text
from training.lines.boards import Board
from training.lines.compose import AnyWriter, composed
from training.lines.furniture import Rule
from training.lines.layout import Layout
from training.lines.measure import drawn_numbers
from training.lines.mixture import any_setting
from training.lines.numbers import Number
from training.lines.paper import Paper, inked, pictured
from training.lines.patterns import Pattern
from training.lines.pools import MNIST, NUMBERS, TYPES, Pool, Writers, read_writers
from training.lines.signs import Signs
from training.pool import any_font, by_family
from training.validation import png

_SEED = 20261124
_IMAGES = 200
_PAGES = 100
_MOST_DIGITS = 12
_MOST_LINES = 5
_MOST_DISPLAYED = 8
_DECIMAL_SHARE = 0.3
_COMPOSING = (MNIST, TYPES)
_THIN = ("1", "7", "11", "111", "1111", "17", "71")
_PATTERNS = tuple(kind for kind in Pattern if kind is not Pattern.NONE)

Setting = tuple[str, Layout, Paper]
Difficulty = Callable[[Setting, AnyWriter, Random], Setting]


@dataclass(frozen=True, slots=True)
class Suite:
    """Composed numbers with one difficulty; `bar`: the least share that must be read exactly."""

    name: str
    bar: float
    difficulty: Difficulty


def composed_numbers(suite: Suite, data_dir: Path, fonts_dir: Path, accept_changed: bool) -> Iterator[Sample]:
    """Numbers of 1 to 12 digits, half of them by MNIST's test writers. Raises DataError or NoFonts."""
    writers = _writers(data_dir, fonts_dir, accept_changed)
    random = np.random.default_rng((_SEED, zlib.crc32(suite.name.encode())))
    return (composed_number(suite, writers, index, random) for index in range(_IMAGES))


def unipen_numbers(data_dir: Path, fonts_dir: Path, accept_changed: bool) -> Iterator[Sample]:
    """UNIPEN's numbers of contributors that are held out, each drawn once on plain paper. Raises DataError."""
    pool = _writers(data_dir, fonts_dir, accept_changed).of(NUMBERS)
    numbers = [one for (one,) in pool.families if isinstance(one, Number)] if pool is not None else []
    return ((png(image), text) for image, text in drawn_numbers(numbers, _SEED))


def display_numbers(fonts_dir: Path) -> Iterator[Sample]:
    """Numbers of 1 to 8 digits on displays of segments, shining or dark, some with a decimal point. Raises NoFonts."""
    families = by_family(display_fonts(fonts_dir))
    random = np.random.default_rng((_SEED, 4))
    return (_display_number(families, random) for _ in range(_IMAGES))


def _display_number(families: list[list[Font]], random: Random) -> Sample:
    text = _digits(int(random.integers(1, _MOST_DISPLAYED + 1)), random)
    layout, paper = any_setting(Board(), text, random)
    place = int(random.integers(1, len(text))) if len(text) > 1 and random.random() < _DECIMAL_SHARE else len(text)
    drawn = draw_text(any_font(families, random), (text[:place] + "." + text[place:]).rstrip("."))
    height = max(1, round(layout.height))
    size = max(1, round(drawn.shape[1] * height / len(drawn))), height
    scaled = cv2.resize(drawn, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    ink = np.pad(scaled, round(height * random.uniform(0.2, 0.8)))
    return png(pictured(inked(ink, paper, height, random), None, paper, height, random)), text


def letter_pages(data_dir: Path, fonts_dir: Path, accept_changed: bool) -> Iterator[Sample]:
    """Pages of words that have no letter that is a digit to the eye. Raises DataError or NoFonts."""
    types = _writers(data_dir, fonts_dir, accept_changed).of(TYPES)
    assert types is not None
    random = np.random.default_rng((_SEED, 1))
    return (_letter_page(types, random) for _ in range(_PAGES))


def blank_pages() -> Iterator[Sample]:
    """Paper alone, in uneven light, with its grain and the camera's noise."""
    random = np.random.default_rng((_SEED, 2))
    for _ in range(_PAGES):
        height, width = (int(v) for v in random.integers(40, 1200, 2))
        light = np.linspace(1, random.uniform(0.6, 1), width) * np.linspace(1, random.uniform(0.6, 1), height)[:, None]
        page = random.uniform(120, 255) * light + random.normal(0, random.uniform(0, 8), (height, width))
        yield png(np.clip(page, 0, 255).astype(np.uint8)), ""


def texture_pages() -> Iterator[Sample]:
    """Cloth, gravel, noise: as large as a photo is."""
    random = np.random.default_rng((_SEED, 3))
    for _ in range(_PAGES):
        size = tuple(int(v) for v in random.integers(60, 600, 2))
        page = cv2.resize(texture(random), size, interpolation=cv2.INTER_LINEAR)
        yield png(page.astype(np.uint8, copy=False)), ""


def _letter_page(types: Pool, random: Random) -> Sample:
    rows = "\n" * int(random.integers(_MOST_LINES))
    layout = Layout(height=float(random.uniform(20, 60)), signs=Signs.WORDS)
    return png(composed(types.any(random), rows, layout, Paper(), random).image), ""


def composed_number(suite: Suite, writers: Writers, index: int, random: Random) -> Sample:
    """One number of a suite: the pools of those that compose take turns, by `index`."""
    pools = [pool for pool in writers.pools if pool.name in _COMPOSING]
    writer = pools[index % len(pools)].any(random)
    printed = not isinstance(writer, Number) and writer.printed
    layout = Layout(
        height=float(random.uniform(24, 56)),
        gap=float(random.uniform(0.05, 0.15) if printed else random.uniform(0.12, 0.3)),
        wander=0.0 if printed else 0.02,
    )
    text = _digits(int(random.integers(1, _MOST_DIGITS + 1)), random)
    text, layout, paper = suite.difficulty((text, layout, Paper(level=float(random.uniform(180, 250)))), writer, random)
    line = composed(writer, text, layout, paper, random)
    return png(line.image), line.text


@lru_cache(maxsize=1)
def _writers(data_dir: Path, fonts_dir: Path, accept_changed: bool) -> Writers:
    """Everyone who is held out of training; of MNIST, its test writers."""
    fonts = [font for family in held_out_families(fonts_dir) for font in family]
    return read_writers(data_dir, fonts, evaluation=True, accept_changed=accept_changed)


def _digits(length: int, random: Random) -> str:
    return "".join(str(digit) for digit in random.integers(10, size=length))


def _clean(setting: Setting, _: AnyWriter, random: Random) -> Setting:
    return _digits(5, random), *setting[1:]


def _laid(change: Callable[[Random], dict[str, Any]]) -> Difficulty:
    """Other values of the layout."""
    return lambda setting, _, random: (setting[0], replace(setting[1], **change(random)), setting[2])


def _on(change: Callable[[Random], dict[str, Any]]) -> Difficulty:
    """Other values of the paper."""
    return lambda setting, _, random: (setting[0], setting[1], replace(setting[2], **change(random)))


def _celled(setting: Setting, _: AnyWriter, random: Random) -> Setting:
    text, layout, paper = setting
    rule = (Rule.CELLS, Rule.COMB, Rule.BOX)[int(random.integers(3))]
    return text, replace(layout, pitch=None if rule is Rule.BOX else 1.1), replace(paper, rules=(rule,))


def _one(setting: Setting, _: AnyWriter, random: Random) -> Setting:
    return _digits(1, random), *setting[1:]


def _thin(setting: Setting, _: AnyWriter, random: Random) -> Setting:
    return _THIN[int(random.integers(len(_THIN)))], *setting[1:]


def _several_lines(setting: Setting, _: AnyWriter, random: Random) -> Setting:
    lengths = random.integers(1, _MOST_DIGITS + 1, size=int(random.integers(2, _MOST_LINES + 1)))
    return "\n".join(_digits(int(length), random) for length in lengths), *setting[1:]


def _close_lines(setting: Setting, writer: AnyWriter, random: Random) -> Setting:
    text, layout, paper = _several_lines(setting, writer, random)
    return text, replace(layout, leading=float(random.uniform(1.15, 1.45))), paper


SUITES = (
    Suite("clean, 5 digits", 0.985, _clean),
    Suite("touching", 0.93, _laid(lambda _: {"gap": 0.0, "kerned": 1.0})),
    Suite("overlapping", 0.93, _laid(lambda _: {"gap": -0.06, "kerned": 0.9})),
    Suite("broken strokes", 0.95, _laid(lambda _: {"breaks": 0.5})),
    Suite("slanted", 0.95, _laid(lambda random: {"slant": float(random.choice([-0.45, 0.45]))})),
    Suite("noisy", 0.95, _on(lambda _: {"noise": 22.0})),
    Suite("blurred", 0.95, _on(lambda _: {"blur": 2.0})),
    Suite("JPEG 30", 0.95, _on(lambda _: {"jpeg": 30, "noise": 6.0})),
    Suite("low contrast", 0.95, _on(lambda _: {"contrast": 0.12})),
    Suite("shadow and gradient", 0.95, _on(lambda _: {"shadow": 0.4, "gradient": 0.3})),
    Suite("inverted", 0.95, _on(lambda _: {"inverted": True})),
    Suite("ruled", 0.95, _on(lambda random: {"rules": (Rule.BELOW, Rule.ABOVE)[: int(random.integers(1, 3))]})),
    Suite("boxed", 0.95, _celled),
    Suite("patterned paper", 0.95, _on(lambda random: {"pattern": _PATTERNS[int(random.integers(len(_PATTERNS)))]})),
    Suite("rotated up to 15°", 0.95, _laid(lambda random: {"rotation": float(random.uniform(-15, 15))})),
    Suite("tiny, 12 pixels high", 0.95, _laid(lambda _: {"height": 12.0})),
    Suite("huge, 300 pixels high", 0.95, _laid(lambda _: {"height": 300.0})),
    Suite("several lines", 0.95, _several_lines),
    Suite("several lines, close to each other", 0.95, _close_lines),
    Suite("lone digits", 0.95, _one),
    Suite("thin: 1, 7, 11, 111, 1111", 0.95, _thin),
)
