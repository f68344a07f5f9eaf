"""Who writes: sources of digit shapes, each consistent within one string."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from app.calibration import NON_DIGIT
from training.augment import Pixels, Random
from training.fonts import Font
from training.lines.allographs import any_pen
from training.lines.shapes import Shape, affine
from training.sources import Item

_FACE_HEIGHT = 64
_MIN_DIGITS = 4
_INK = 64
# Debian's handwriting; what comes from npm is handwriting throughout.
_HANDWRITTEN = (
    *("Breip", "Cupola", "Dancing Script", "Delphine", "DkgHandwriting", "Joscelyn", "Kristi", "Purisa", "Rufscript"),
    *("Steve", "Summersby", "femkeklaver"),
)


class Writer(Protocol):
    """Draws characters in one hand or type. `printed`: it keeps to lines, as a press does and a hand does not."""

    @property
    def printed(self) -> bool: ...

    def pen(self, random: Random) -> float:
        """How wide its strokes are for a string, in digit heights."""
        ...

    def shapes(self, text: str, random: Random) -> list[Shape | None]:
        """Each character's shape; None for those that it does not draw, which no digit is."""
        ...


@dataclass(frozen=True, slots=True)
class Hand:
    """One writer's own digits, as bitmaps or pen strokes.

    `digits`: those of each class, as far as there are any. `spare`: everyone's of the same source, for what is missing:
    one writer then stands in for it throughout a string. `unit`: the height of the writer's digits.
    """

    name: str
    digits: Mapping[str, Sequence[Item]]
    spare: Mapping[str, Sequence[Item]]
    unit: float
    printed: bool = False

    def pen(self, random: Random) -> float:
        any_digit = next(iter(self.digits.values()))
        item = any_digit[int(random.integers(len(any_digit)))]
        return any_pen(random) if item.ink is None else stroke_width(item.ink) / self.unit

    def shapes(self, text: str, random: Random) -> list[Shape | None]:
        stand_ins: dict[str, Sequence[Item]] = {}
        shapes: list[Shape | None] = []
        for character in text:
            if not character.isdecimal():
                shapes.append(None)
                continue
            own = self.digits.get(character) or stand_ins.get(character)
            if not own:
                others = self.spare[character]
                own = stand_ins[character] = [others[int(random.integers(len(others)))]]
            stood_in = character in stand_ins
            item = own[int(random.integers(len(own)))]
            shapes.append(_shape(item, _extent(item) if stood_in else self.unit))
        return shapes


@dataclass(frozen=True, slots=True)
class Type:
    """A font."""

    font: Font
    printed: bool = True

    def pen(self, random: Random) -> float:  # noqa: ARG002  # a type has but one width
        ink, *_ = _glyph(self.font.path, "1")
        return stroke_width(ink) / _type_unit(self.font.path)

    def shapes(self, text: str, random: Random) -> list[Shape | None]:  # noqa: ARG002
        return [self._shape("." if c == "·" else c, raised=c == "·") for c in text]

    def _shape(self, character: str, raised: bool) -> Shape | None:
        ink, left, top = _glyph(self.font.path, character)
        if not character.isdecimal() and (
            not ink.any() or ink.tobytes() == _glyph(self.font.path, "\U0010fffd")[0].tobytes()
        ):
            return None
        scale = 1 / _type_unit(self.font.path)
        return Shape(ink=ink, place=affine(scale, 0, 0, scale, left * scale, top * scale - 0.42 * raised))


def hands(items: Iterable[Item]) -> list[Hand]:
    """A hand of each group of the items that has enough digits; photos and what is no digit are left out."""
    groups: dict[str, dict[str, list[Item]]] = {}
    spare: dict[str, list[Item]] = {}
    for item in items:
        if item.label != NON_DIGIT and item.photo is None:
            groups.setdefault(item.group, {}).setdefault(str(item.label), []).append(item)
            spare.setdefault(str(item.label), []).append(item)
    if len(spare) < 10:  # there is no one who could stand in
        return []
    return [
        Hand(name, digits, spare, float(np.median([_extent(item) for own in digits.values() for item in own])))
        for name, digits in groups.items()
        if len(digits) >= _MIN_DIGITS
    ]


def types(fonts: Iterable[Font]) -> list[Type]:
    """A type of each font that has digits; one of handwriting is no print."""
    return [
        Type(font, printed=font.family not in _HANDWRITTEN and "fontsource" not in font.path.parts) for font in fonts
    ]


def stroke_width(ink: Pixels) -> float:
    """About how wide the strokes of ink, (h, w) uint8, are, in pixels."""
    mask = np.pad((ink > _INK).astype(np.uint8), 1)
    area, edge = float(ink.sum()) / 255, float(np.count_nonzero(mask - cv2.erode(mask, np.ones((3, 3), np.uint8))))
    return float(np.clip(2.2 * area / max(edge, 1.0), 0.5, 0.4 * max(ink.shape)))


def _extent(item: Item) -> float:
    """The digit's height, or its width where that is more than twice as much."""
    if item.strokes is not None:
        points = np.concatenate(item.strokes)
        width, height = np.ptp(points, axis=0).tolist()
    else:
        assert item.ink is not None  # noqa: S101  # photos are no hand
        height = float(np.count_nonzero((item.ink > _INK).any(axis=1)))
        width = float(np.count_nonzero((item.ink > _INK).any(axis=0)))
    return max(float(height), float(width) / 2, 1e-3)


def _shape(item: Item, unit: float) -> Shape:
    """An item on its baseline, its height within reason of the writer's others."""
    own = _extent(item)
    scale = float(np.clip(own / unit, 0.6, 1.35)) / own
    if item.strokes is not None:
        points = np.concatenate(item.strokes)
        low, bottom = points[:, 0].min(), points[:, 1].max()
        return Shape(tuple((stroke - [low, bottom]).astype(np.float32) * np.float32(scale) for stroke in item.strokes))
    assert item.ink is not None  # noqa: S101
    rows, columns = np.flatnonzero((item.ink > _INK).any(axis=1)), np.flatnonzero((item.ink > _INK).any(axis=0))
    if not rows.size:
        return Shape(ink=item.ink, place=affine(scale, 0, 0, scale, 0, -scale * len(item.ink)))
    place = affine(scale, 0, 0, scale, -scale * float(columns[0]), -scale * float(rows[-1] + 1))
    return Shape(ink=item.ink, place=place)


@lru_cache(maxsize=512)
def _face(path: Path) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), _FACE_HEIGHT)


@lru_cache(maxsize=8192)
def _glyph(path: Path, character: str) -> tuple[Pixels, int, int]:
    """Its ink, (h, w) uint8, and where its top left lies from the start of the baseline, in pixels."""
    face = _face(path)
    left, top, right, bottom = (int(v) for v in face.getbbox(character, anchor="ls"))
    if right <= left or bottom <= top:
        return np.zeros((1, 1), np.uint8), 0, 0
    image = Image.new("L", (right - left + 4, bottom - top + 4))
    ImageDraw.Draw(image).text((2 - left, 2 - top), character, font=face, fill=255, anchor="ls")
    pixels = np.asarray(image)
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    if not rows.size:
        return np.zeros((1, 1), np.uint8), 0, 0
    ink = np.ascontiguousarray(pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    return ink, left - 2 + int(columns[0]), top - 2 + int(rows[0])


@lru_cache(maxsize=2048)
def _type_unit(path: Path) -> float:
    return float(max(1, _glyph(path, "8")[0].shape[0]))
