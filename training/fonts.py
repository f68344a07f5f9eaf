"""Characters drawn from font files."""

from __future__ import annotations

import contextlib
import hashlib
import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from app.errors import OcrError

# Letters that are digits to the eye are left out rather than taught as something else.
LOOKALIKES = set("OoQDlIiSsZzBbGgqJj")
NON_DIGITS = "".join(c for c in string.ascii_letters if c not in LOOKALIKES) + ".,-:;+=*#%&?@()[]{}<>~^$€£"
# Families with these words in their name draw symbols, not digits.
_SYMBOLIC = ("symbol", "emoji", "math", "icon", "awesome", "dingbat", "ornament", "braille", "barcode", "bullets")
# … and these families and files draw signs in the digits' places, digits on keys, or digits left out of black boxes.
_NO_DIGITS = frozenset({"D050000L", "Linux Biolinum Keyboard O", "OCRBE", "OCRBX"})
# Displays' segments, to measure on: what training sees of them is drawn (training/displays.py). Both series have
# families whose digits are symbols.
_DISPLAY_SERIES = "DSEG"
_DISPLAYS = ("DSEG7 Classic", "DSEG7 Modern", "DSEG14 Classic", "DSEG14 Modern")
# Series whose families differ in their letters: their digits are nearly the same, but for slant and weight.
_SERIES = ("Playwrite", "Edu")
_DRAWN_HEIGHT = 64


@dataclass(frozen=True, slots=True)
class Font:
    """A font file that draws the ten digits; styles of one family, and families of one series, share `family`."""

    path: Path
    family: str


class NoFonts(OcrError):
    """No usable font file where fonts were looked for."""


def find_fonts(folder: Path) -> list[Font]:
    """The fonts under `folder` that draw ten different digits, ordered by path. Raises NoFonts where there are none."""
    fonts = []
    for font in _readable(folder):
        family, stem = font.family, font.path.stem
        symbolic = any(word in family.lower() for word in _SYMBOLIC) or bool(_NO_DIGITS & {family, stem})
        if not symbolic and not family.startswith(_DISPLAY_SERIES) and _draws_digits(font.path):
            series = next((name for name in _SERIES if family.startswith(f"{name} ")), family)
            fonts.append(Font(font.path, series))
    if not fonts:
        raise NoFonts(f"No TrueType or OpenType font under {folder}; install those of training/fonts.txt (make fonts).")
    return fonts


def find_display_fonts(folder: Path) -> list[Font]:
    """The fonts under `folder` that draw digits of seven or fourteen segments, ordered by path; there may be none."""
    return [font for font in _readable(folder) if font.family.startswith(_DISPLAYS)]


def _readable(folder: Path) -> Iterator[Font]:
    """The fonts under `folder` with their own families, but for files that FreeType does not read."""
    for path in sorted(path for suffix in ("ttf", "otf", "woff") for path in folder.rglob(f"*.{suffix}")):
        with contextlib.suppress(OSError):
            yield Font(path, str(_load(path).getname()[0]))


def split_families(fonts: Iterable[Font], held_out: float) -> tuple[list[Font], list[Font]]:
    """Parts fonts into two, by family: about the share `held_out` of families goes to the second.

    The hash of its name decides, so that a family stays on its side whatever else is installed. The first part is
    never empty.
    """
    kept: list[Font] = []
    others: list[Font] = []
    for font in fonts:
        digest = hashlib.sha256(font.family.encode()).digest()
        (others if digest[0] < held_out * 256 else kept).append(font)
    return (kept, others) if kept else (others, [])


def draws(font: Font, character: str) -> bool:
    """Whether the font has a shape of its own for the character, rather than the box of a missing one."""
    return draw_text(font, character).tobytes() not in (_missing(font), bytes(1))


def draw_text(font: Font, text: str) -> NDArray[np.uint8]:
    """The text as ink: (h, w) uint8, 255 on 0, cropped to its ink; (1, 1) zeros where the font draws nothing."""
    face = _load(font.path)
    left, top, right, bottom = (int(v) for v in face.getbbox(text))
    if right <= left or bottom <= top:
        return np.zeros((1, 1), np.uint8)
    image = Image.new("L", (right - left + 4, bottom - top + 4))
    ImageDraw.Draw(image).text((2 - left, 2 - top), text, font=face, fill=255)
    pixels = np.asarray(image)
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    if not rows.size:
        return np.zeros((1, 1), np.uint8)
    return np.ascontiguousarray(pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


@lru_cache(maxsize=512)
def _load(path: Path) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), _DRAWN_HEIGHT)


def _draws_digits(path: Path) -> bool:
    font = Font(path, "")
    try:
        drawn = {draw_text(font, digit).tobytes() for digit in string.digits}
    except OSError:  # damaged after its head
        return False
    return len(drawn) == 10 and _missing(font) not in drawn


def _missing(font: Font) -> bytes:
    return draw_text(font, "\U0010fffd").tobytes()
