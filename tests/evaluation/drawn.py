"""What is drawn to measure on: digits and letters of font families that training has not seen, and textures."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.augment import Random, photographed, printed, texture
from training.configs.digits_1_0_0 import config
from training.fonts import LOOKALIKES, Font, NoFonts, draw_text, draws, find_display_fonts, find_fonts, split_families
from training.pool import any_font, by_family, font_pictures
from training.validation import png

SEED = 20261123
Sample = tuple[bytes, str]
# Ink, (h, w) uint8, 255 on 0 → an image of it, dark on light.
Paper = Callable[[NDArray[np.uint8], Random], NDArray[np.uint8]]

_DISPLAY_DIGITS = 2_000
_DIGITS = min(5_000, config.held_out_font_digits)
_LETTERS = 3_000
_TEXTURES = 1_000
# Letters that are digits to the eye are nobody's mistake.
_UNLIKE_DIGITS = "".join(c for c in string.ascii_letters if c not in LOOKALIKES)


def rendered_digits(fonts_dir: Path, as_photos: bool) -> Iterator[Sample]:
    """Digits, each as often as any other, of every held-out family as often as of any other. Raises NoFonts."""
    fonts = [font for family in held_out_families(fonts_dir) for font in family]
    pictures = font_pictures(fonts, _DIGITS, as_photos, np.random.default_rng(SEED))
    return ((png(image), str(digit)) for image, digit in pictures)


def display_digits(fonts_dir: Path) -> Iterator[Sample]:
    """Digits of seven and fourteen segments, photographed; each font family as often as any other. Raises NoFonts."""
    pictures = font_pictures(display_fonts(fonts_dir), _DISPLAY_DIGITS, True, np.random.default_rng(SEED))
    return ((png(image), str(digit)) for image, digit in pictures)


def rendered_letters(fonts_dir: Path) -> Iterator[Sample]:
    """Letters that are unlike a digit, of held-out families, half of them photographed. Raises NoFonts."""
    families = held_out_families(fonts_dir)
    random = np.random.default_rng(SEED)
    return (_letter(families, photographed if index % 2 else printed, random) for index in range(_LETTERS))


def textures() -> Iterator[Sample]:
    """Images without any writing."""
    random = np.random.default_rng(SEED)
    return ((png(texture(random)), "") for _ in range(_TEXTURES))


def _letter(families: list[list[Font]], paper: Paper, random: Random) -> Sample:
    while True:  # not every font has letters
        font, letter = any_font(families, random), _UNLIKE_DIGITS[int(random.integers(len(_UNLIKE_DIGITS)))]
        if draws(font, letter):
            return png(paper(draw_text(font, letter), random)), ""


def display_fonts(fonts_dir: Path) -> list[Font]:
    """Fonts of displays' segments, which training draws by itself and has not seen. Raises NoFonts."""
    fonts = find_display_fonts(fonts_dir)
    if not fonts:
        raise NoFonts(f"There is no font of a display under {fonts_dir}; install those of training/fonts.txt.")
    return fonts


@lru_cache(maxsize=1)
def held_out_families(fonts_dir: Path) -> list[list[Font]]:
    """Fonts of families that training has not seen, a list a family. Raises NoFonts."""
    _, held_out = split_families(find_fonts(fonts_dir), config.held_out_families)
    if not held_out:
        raise NoFonts(f"Of the fonts under {fonts_dir} none is held out; install those of training/fonts.txt.")
    return by_family(held_out)
