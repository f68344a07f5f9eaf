"""Damaged images without end, the same in every run: `python -m tests.robustness.mutations INDEX > FILE` has one."""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Callable
from functools import cache
from typing import TypeVar

import numpy as np

from tests.images import png_chunk
from tests.robustness.seeds import seeds

Random = np.random.Generator
Item = TypeVar("Item")
Mutator = Callable[[bytes, Random], bytes]

# Numbers at which lengths, counts and sides overflow, are nothing, or are too much.
_EDGES = (0, 1, 2, 3, 7, 127, 255, 256, 1000, 4095, 16384, 32767, 65535, 65536, 0xFFFFFF, 2**30, 2**31 - 1, 2**32 - 1)
_ZIP = b"PK\x03\x04\x14\0\0\0\0\0\0\0!\0" + bytes(12) + b"\5\0\0\03.txtPK\x05\x06" + bytes(18)
_HTML = b"<!doctype html><script>alert(1)</script>"
_PNG = b"\x89PNG\r\n\x1a\n"


def mutant(index: int) -> tuple[str, bytes]:
    """The mutant of a number: what was done to what, and the bytes. One to three mutations, one upon the other."""
    random = np.random.default_rng(index)
    name, data = _seed(random)
    steps = [name]
    for _ in range(int(random.choice([1, 1, 1, 2, 3]))):
        mutate = _choice(_MUTATORS, random)
        data = mutate(data, random)
        steps.append(mutate.__name__.removeprefix("_"))
    return ", ".join(steps), data


def _seed(random: Random) -> tuple[str, bytes]:
    return _choice(list(seeds().items()), random)


def _choice(items: list[Item], random: Random) -> Item:
    return items[int(random.integers(len(items)))]


def _position(data: bytes | bytearray, random: Random) -> int:
    """Of a byte; the headers come first, and matter most."""
    end = min(len(data), 64) if random.random() < 0.5 else len(data)
    return int(random.integers(max(1, end)))


def _flip_bits(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(int(random.choice([1, 2, 4, 16]))):
        if changed:
            changed[_position(changed, random)] ^= 1 << int(random.integers(8))
    return bytes(changed)


def _replace_bytes(data: bytes, random: Random) -> bytes:
    start = _position(data, random)
    count = int(random.choice([1, 2, 4, 30]))
    return data[:start] + random.bytes(count) + data[start + count :]


def _truncate(data: bytes, random: Random) -> bytes:
    return data[: _position(data, random)]


def _remove(data: bytes, random: Random) -> bytes:
    start = _position(data, random)
    return data[:start] + data[start + int(random.integers(1, 40)) :]


def _insert(data: bytes, random: Random) -> bytes:
    start = _position(data, random)
    filling = (
        random.bytes(int(random.integers(1, 40))) if random.random() < 0.5 else bytes(int(random.integers(1, 400)))
    )
    return data[:start] + filling + data[start:]


def _duplicate(data: bytes, random: Random) -> bytes:
    """A piece of the file stands there many times."""
    start = _position(data, random)
    piece = data[start : start + int(random.integers(1, 80))]
    return data[:start] + piece * int(random.choice([2, 3, 50])) + data[start:]


def _splice(data: bytes, random: Random) -> bytes:
    """The head of one file, the tail of another."""
    _, other = _seed(random)
    return data[: _position(data, random)] + other[_position(other, random) :]


def _join(data: bytes, random: Random) -> bytes:
    """Two formats in one file, either first."""
    other = _choice([_seed(random)[1], _ZIP, _HTML, bytes(1000)], random)
    return data + other if random.random() < 0.7 else other + data


def _forge_number(data: bytes, random: Random) -> bytes:
    """Any two or four bytes, in either order, say something else."""
    start = _position(data, random)
    order, kind = _choice(["<", ">"], random), _choice(["H", "I"], random)
    value = _edge(random) & (0xFFFF if kind == "H" else 0xFFFFFFFF)
    forged = struct.pack(order + kind, value)
    return data[:start] + forged + data[start + len(forged) :]


def _forge_size(data: bytes, random: Random) -> bytes:
    """Other sides in the header of whichever format it is."""
    width, height = _edge(random), _edge(random)
    if data.startswith(_PNG) and len(data) >= 33:
        header = struct.pack(">II", width, height) + data[24:29]
        return data[:8] + png_chunk(b"IHDR", header) + data[33:]
    if data.startswith(b"BM"):
        return _put(data, 18, struct.pack("<II", width, height))
    if data.startswith(b"GIF8"):
        frame = data.find(b",")
        sides = struct.pack("<HH", width & 0xFFFF, height & 0xFFFF)
        return _put(data, 6, sides) if frame < 0 or random.random() < 0.5 else _put(data, frame + 5, sides)
    if data[8:16] == b"WEBPVP8X":
        return _put(data, 24, struct.pack("<I", width)[:3] + struct.pack("<I", height)[:3])
    if data.startswith(b"\xff\xd8"):
        frame = next((at for kind in (b"\xff\xc0", b"\xff\xc2") if (at := data.find(kind)) >= 0), 0)
        return _put(data, frame + 5, struct.pack(">HH", height & 0xFFFF, width & 0xFFFF))
    if data.startswith((b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"Pf")):
        return data[:2] + f" {width} {height} ".encode() + data[3:]
    return _forge_directory(data, random)


def _forge_directory(data: bytes, random: Random) -> bytes:
    """One entry of a TIFF's first directory, or how many there are; of other files, any number."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None or len(data) < 10:
        return _forge_number(data, random)
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    if start + 14 > len(data):
        return _forge_number(data, random)
    (count,) = struct.unpack_from(f"{order}H", data, start)
    if random.random() < 0.2:
        return _put(data, start, struct.pack(f"{order}H", _edge(random) & 0xFFFF))
    entry = start + 2 + 12 * int(random.integers(max(1, min(count, 40))))
    part = int(random.integers(3))  # the kind, the count or the value
    if part == 0:
        return _put(data, entry + 2, struct.pack(f"{order}H", int(random.integers(20))))
    return _put(data, entry + 4 * part, struct.pack(f"{order}I", _edge(random)))


def _shuffle_chunks(data: bytes, random: Random) -> bytes:
    """A PNG's chunks twice, not at all, or in another order, each of them sound; of other files, any piece twice."""
    if not data.startswith(_PNG):
        return _duplicate(data, random)
    chunks: list[bytes] = []
    at = len(_PNG)
    while at + 12 <= len(data) and len(chunks) < 50:
        size = 12 + int.from_bytes(data[at : at + 4])
        chunks.append(data[at : at + size])
        at += size
    if not chunks:
        return _duplicate(data, random)
    picked = random.integers(len(chunks), size=len(chunks) + 1)
    return _PNG + b"".join([*chunks[: int(random.integers(2))], *(chunks[int(i)] for i in picked)])


def _inflate(data: bytes, random: Random) -> bytes:
    """Chunks of a PNG that unpack to a thousand times their bytes; of other files, very many zeros at a place."""
    packed = _packed_zeros(int(random.choice([10**4, 10**6, 4 * 10**6])))
    if data.startswith(_PNG) and len(data) > 33:
        kind, head = _choice(
            [(b"IDAT", b""), (b"zTXt", b"a\0\0"), (b"iCCP", b"a\0\0"), (b"iTXt", b"a\0\1\0\0\0")], random
        )
        return data[:33] + png_chunk(kind, head + packed) + data[33:]
    start = _position(data, random)
    return data[:start] + bytes(2**16) + data[start:]


@cache
def _packed_zeros(count: int) -> bytes:
    return zlib.compress(bytes(count))


def _edge(random: Random) -> int:
    return int(_choice(list(_EDGES), random)) if random.random() < 0.7 else int(random.integers(2**32))


def _put(data: bytes, start: int, piece: bytes) -> bytes:
    return data[:start] + piece + data[start + len(piece) :]


_MUTATORS: list[Mutator] = [
    *(_flip_bits, _replace_bytes, _truncate, _remove, _insert, _duplicate, _splice, _join),
    *(_forge_number, _forge_size, _forge_size, _forge_directory, _shuffle_chunks, _inflate),
]


if __name__ == "__main__":
    sys.stdout.buffer.write(mutant(int(sys.argv[1]))[1])
