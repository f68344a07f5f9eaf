"""TIFFs whose directories ask for far more time or memory than the image needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Literal, NamedTuple

from app.errors import CorruptImage, UnsupportedImage

# The last two are misspelt; Pillow takes them nevertheless.
CLASSIC = (b"II*\0", b"MM\0*", b"II\0*", b"MM*\0")
BIG = b"II+\0"
BIG_BIG_ENDIAN = b"MM\0+"

# Pillow keeps an object of 300 bytes for each. A page of 40 million pixels has 8,000 rows, or 10,000 tiles of 64 × 64.
_MOST_STRIPS = 100_000
# Tiles are unpacked whole, however little of them the image shows: one may have twice the image's pixels, or so many.
_LARGE_TILE = 2048 * 2048
_SMALLEST_TILE = 16
# Pillow makes a fraction of each, in Python. A camera writes tens.
_MOST_FRACTIONS = 10_000
# Each becomes a number of Python. The three curves of a transfer function have 65,536 each.
_MOST_NUMBERS = 200_000
# Encoders write up to a hundred.
_MOST_TAGS = 10_000

_WIDTH, _HEIGHT, _SAMPLES, _TILE_WIDTH, _TILE_HEIGHT = 256, 257, 277, 322, 323
_STRIPS = (273, 279, 324, 325)  # where the strips or tiles lie, and their lengths
# Directories of their own, EXIF, GPS and interoperability, which Pillow unpacks. The orientation is in none of them.
_METADATA = (34665, 34853, 40965)
_PRIVATE = 32_768  # tags from here on are no decoder's business, and Pillow leaves them packed
_FRACTIONS = (5, 10)
_BYTES = (1, 2, 6, 7)
_UNIT_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}


class _Tag(NamedTuple):
    position: int  # in the file
    number: int
    kind: int
    values: int  # how many
    first: int  # of them, if it is a whole number


class _File(NamedTuple):
    """A TIFF's bytes, and how its numbers are written; what lies beyond its end reads as zeros."""

    data: bytes
    order: Literal["little", "big"]
    is_big: bool

    def number(self, position: int, size: int) -> int:
        return int.from_bytes(self.data[position : position + size].ljust(size, b"\0"), self.order)

    def offset(self, position: int) -> int:
        return self.number(position, 8 if self.is_big else 4)

    def tags(self, start: int) -> Iterator[_Tag]:
        """Of the directory at `start`. Raises CorruptImage where there are too many."""
        count_bytes, tag_bytes, field_bytes = (8, 20, 8) if self.is_big else (2, 12, 4)
        count = self.number(start, count_bytes)
        if count > _MOST_TAGS:
            raise CorruptImage("The TIFF has far more tags than an image needs. Save it anew.")
        first = start + count_bytes
        for position in range(first, min(first + count * tag_bytes, len(self.data)), tag_bytes):
            kind, values = self.number(position + 2, 2), self.number(position + 4, field_bytes)
            unit, field = _UNIT_BYTES.get(kind, 1), position + 4 + field_bytes
            value_at = field if unit * values <= field_bytes else self.offset(field)
            yield _Tag(position, self.number(position, 2), kind, values, self.number(value_at, unit))


def without_metadata(data: bytes) -> bytes:
    """The same image, whose first page, which alone is read, points to no directories of metadata.

    Raises CorruptImage where there are strips, tiles, numbers or tags without end, UnsupportedImage for a BigTIFF
    whose numbers begin with their highest byte: Pillow takes it for an ordinary TIFF.
    """
    if data.startswith(BIG_BIG_ENDIAN):
        raise UnsupportedImage("A big-endian BigTIFF is not served. Save it as an ordinary TIFF.")
    file = _File(data, "little" if data.startswith(b"II") else "big", data.startswith(BIG))
    tags = list(file.tags(file.offset(8 if file.is_big else 4)))
    _check_parts(tags)
    _check_numbers(tags, len(data))
    pointers = [tag for tag in tags if tag.number in _METADATA]
    if not pointers:
        return data
    changed = bytearray(data)
    for tag in pointers:  # the number after it means nothing to anybody
        changed[tag.position : tag.position + 2] = (tag.number + 1).to_bytes(2, file.order)
    return bytes(changed)


def _check_numbers(tags: list[_Tag], size: int) -> None:
    """`size`: of the file. What would be larger than that, Pillow passes over."""
    fractions = sum(tag.values for tag in tags if tag.kind in _FRACTIONS and 8 * tag.values <= size)
    numbers = max((tag.values for tag in tags if tag.kind not in _BYTES and tag.number < _PRIVATE), default=0)
    if fractions > _MOST_FRACTIONS or numbers > _MOST_NUMBERS:
        raise CorruptImage("The TIFF has far more numbers than an image needs. Save it anew.")


def _check_parts(tags: list[_Tag]) -> None:
    """Of a tag that is there twice, one library takes the first, another the last: the worse is supposed."""
    values = defaultdict[int, list[int]](list)
    for tag in tags:
        values[tag.number].append(tag.first)
    width, height = (min(values[side], default=0) for side in (_WIDTH, _HEIGHT))
    tiles = -(-width // _SMALLEST_TILE) * -(-height // _SMALLEST_TILE)
    most = min(max([1, *values[_SAMPLES]]) * max(height, tiles), _MOST_STRIPS)
    if any(tag.number in _STRIPS and tag.values > most for tag in tags):
        raise CorruptImage("The TIFF has far more strips or tiles than an image needs. Save it anew.")
    tile = max(values[_TILE_WIDTH], default=0) * max(values[_TILE_HEIGHT], default=0)
    if tile > max(_LARGE_TILE, 2 * width * height):
        raise CorruptImage("The TIFF has far larger tiles than its image. Save it anew.")
