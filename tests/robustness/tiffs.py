"""TIFFs made by hand: sound ones, and such as no encoder writes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

SHORT, LONG, RATIONAL = 3, 4, 5
# A tag's number, its kind, how many values it has, and the value or where they lie.
Tag = tuple[int, int, int, int]

WIDTH, HEIGHT, BITS, X_RESOLUTION, EXPOSURE_TIME, EXIF = 256, 257, 258, 282, 33434, 34665
# Where what is handed over to `tiff` begins.
PAYLOAD_AT = 16


def tiff(tags: Iterable[Tag], payload: bytes, magic: bytes = b"II*\0") -> bytes:
    """A header, what the tags refer to, and the directory; a BigTIFF by its magic."""
    order = _order(magic)
    start = PAYLOAD_AT + len(payload)
    if magic == b"II+\0":
        header = magic + struct.pack("<HHQ", 8, 0, start)
    else:
        header = magic + struct.pack(f"{order}I", start) + bytes(8)
    return header + payload + directory(tags, magic)


def directory(tags: Iterable[Tag], magic: bytes = b"II*\0") -> bytes:
    tags = list(tags)
    count, tag = ("<Q", "<HHQQ") if magic == b"II+\0" else (f"{_order(magic)}H", f"{_order(magic)}HHII")
    return struct.pack(count, len(tags)) + b"".join(struct.pack(tag, *values) for values in tags) + bytes(8)


def image_tags(width: int, height: int, at: int = PAYLOAD_AT) -> list[Tag]:
    """Of a grey image of 8 bits, not compressed, in one strip."""
    values = {WIDTH: width, HEIGHT: height, BITS: 8, 259: 1, 262: 1, 273: at, 277: 1, 278: height, 279: width * height}
    return [(number, LONG, 1, value) for number, value in values.items()]


def strips(count: int, height: int | None = None, magic: bytes = b"II*\0") -> bytes:
    """One row of eight pixels a strip, all strips the same bytes; by default as many rows as strips."""
    numbers = struct.Struct(f"{_order(magic)}I")
    lists = bytes(8) + numbers.pack(PAYLOAD_AT) * count + numbers.pack(8) * count
    tags = {number: (number, kind, n, value) for number, kind, n, value in image_tags(8, height or count)}
    tags[273] = (273, LONG, count, PAYLOAD_AT + 8)
    tags[278] = (278, LONG, 1, 1)
    tags[279] = (279, LONG, count, PAYLOAD_AT + 8 + 4 * count)
    return tiff(tags.values(), lists, magic)


def one_tile(side: int, tile_side: int) -> bytes:
    """A black image in the corner of one deflated tile."""
    tile = zlib.compress(bytes(tile_side * tile_side), 1)
    values = {WIDTH: side, HEIGHT: side, BITS: 8, 259: 8, 262: 1, 277: 1, 322: tile_side, 323: tile_side}
    values |= {324: PAYLOAD_AT, 325: len(tile)}
    return tiff([(number, LONG, 1, value) for number, value in values.items()], tile)


def fractions(count: int) -> bytes:
    return struct.pack("<II", 1, 3) * count


def _order(magic: bytes) -> str:
    return "<" if magic.startswith(b"II") else ">"
