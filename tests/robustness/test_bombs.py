"""Small files that are made to cost much: refused, or answered in the time and memory that their pixels deserve."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from app.domain import ImageSize
from app.errors import CorruptImage, UnsupportedImage
from app.imaging.decode import WORKING_PIXELS, decode_colour, decode_image
from tests.conftest import ROOT
from tests.images import blank_page, encode, png, png_chunk
from tests.robustness.tiffs import (
    BITS,
    EXIF,
    EXPOSURE_TIME,
    LONG,
    PAYLOAD_AT,
    RATIONAL,
    SHORT,
    X_RESOLUTION,
    directory,
    fractions,
    image_tags,
    one_tile,
    strips,
    tiff,
)

MAX_PIXELS = 40_000_000
BODY = 10 * 2**20 - 4096
# The slowest takes a fiftieth of this where nothing else runs.
ALLOWED_SECONDS = 30.0


def progressive_jpeg(side: int, scans: int) -> bytes:
    """With so many scans more than it needs, all of them empty."""
    data = encode(blank_page(side, side, 200), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * scans + data[-2:]


def before_the_pixels_of_a_jpeg(filling: bytes) -> bytes:
    data = encode(blank_page(16, 16), "JPEG")
    return data[:2] + filling + data[2:]


def chunky_png(chunk: bytes) -> bytes:
    data = png(20, 20, 0, bytes(20))
    return data[:33] + chunk * (BODY // len(chunk)) + data[33:]


def column(height: int) -> bytes:
    """A PNG one pixel wide."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, height, 8, 0, 0, 0, 0))
    pixels = png_chunk(b"IDAT", zlib.compress(bytes(2 * height), 1))
    return b"\x89PNG\r\n\x1a\n" + header + pixels + png_chunk(b"IEND", b"")


def with_resolutions(count: int) -> bytes:
    """A TIFF of 8 × 8 whose resolution is so many fractions."""
    many = (X_RESOLUTION, RATIONAL, count, PAYLOAD_AT + 64)
    return tiff([*image_tags(8, 8), many], bytes(64) + fractions(count))


def with_exposure_times(count: int) -> bytes:
    """A TIFF of 8 × 8 that points to EXIF with so many fractions."""
    values = bytes(64) + fractions(count)
    metadata = directory([(EXPOSURE_TIME, RATIONAL, count, PAYLOAD_AT + 64)])
    return tiff([*image_tags(8, 8), (EXIF, LONG, 1, PAYLOAD_AT + len(values))], values + metadata)


def with_bits(count: int) -> bytes:
    """A TIFF of 8 × 8 that says so many times how many bits a sample has."""
    bits = (BITS, SHORT, count, PAYLOAD_AT + 64)
    return tiff([bits if tag[0] == BITS else tag for tag in image_tags(8, 8)], bytes(64) + b"\x08\0" * count)


def endless_exif(tag: int, count: int) -> bytes:
    """EXIF whose one tag is a list of fractions."""
    values = fractions(count)
    return tiff([(296, LONG, 1, 2), (tag, RATIONAL, count, PAYLOAD_AT)], values)


def exif_of_a_jpeg(count: int) -> bytes:
    """Over as many segments as it takes."""
    exif = endless_exif(X_RESOLUTION, count)
    pieces = [b"Exif\0\0" + exif[start : start + 65_000] for start in range(0, len(exif), 65_000)]
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", 2 + len(piece)) + piece for piece in pieces)
    data = encode(blank_page(16, 16), "JPEG")
    return data[:2] + segments + data[20:]  # without JFIF's header, which would tell the resolution


def text_chunks(kind: str) -> bytes:
    """A PNG with texts and a profile of megabytes, packed."""
    packed = zlib.compress(bytes(3 * 2**20))
    chunk = {
        "zTXt": lambda: png_chunk(b"zTXt", b"Comment\0\0" + packed),
        "iTXt": lambda: png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + packed),
        "iCCP": lambda: png_chunk(b"iCCP", b"profile\0\0" + packed),
        "tEXt": lambda: png_chunk(b"tEXt", b"Comment\0" + b"x" * 3 * 2**20),
    }[kind]()
    return png(20, 20, 0, bytes(20), extra=chunk)


REFUSED: dict[str, Callable[[], bytes]] = {
    "scans of a JPEG": lambda: progressive_jpeg(1000, 80_000),
    "segments of a JPEG": lambda: before_the_pixels_of_a_jpeg(b"\xff\xe9\0\2" * (BODY // 4)),
    "comments of a JPEG": lambda: before_the_pixels_of_a_jpeg(b"\xff\xfe\0\3x" * (BODY // 5)),
    "padding of a JPEG": lambda: before_the_pixels_of_a_jpeg(b"\xff" * BODY),
    "chunks of a PNG": lambda: chunky_png(png_chunk(b"abCd", b"")),
    "pixels of a PNG in empty chunks": lambda: chunky_png(png_chunk(b"IDAT", b"")),
    "EXIF of a JPEG": lambda: exif_of_a_jpeg(1_200_000),
    "strips of a TIFF": lambda: strips(1_200_000),
    "strips of a BigTIFF": lambda: strips(1_200_000, magic=b"II+\0"),
    "strips of a TIFF with its magic reversed": lambda: strips(1_200_000, magic=b"II\0*"),
    "strips of a big-endian TIFF with its magic reversed": lambda: strips(1_200_000, magic=b"MM*\0"),
    "more strips than rows": lambda: strips(2_000, height=100),
    "a tile far larger than its image": lambda: one_tile(64, 8192),
    "resolution of a TIFF": lambda: with_resolutions(1_200_000),
    "bits of a TIFF": lambda: with_bits(4_000_000),
    "tags of a BigTIFF": lambda: tiff([*image_tags(8, 8), *[(40_000, LONG, 1, 0)] * 400_000], bytes(64), b"II+\0"),
    "comments before a PNM's size": lambda: b"P5 " + b"#\n" * (BODY // 2) + b"2 2 255 aaaa",
    "spaces before a PNM's size": lambda: b"P5" + b" " * BODY + b"2 2 255 aaaa",
    "a PNM that is all comments": lambda: b"P2 2000 2000 255\n" + b"#\n" * (BODY // 2),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_no_encoder_writes_is_refused_at_once(what: str) -> None:
    data = REFUSED[what]()
    started = time.monotonic()
    with pytest.raises(CorruptImage):
        decode_image(data, MAX_PIXELS)
    assert time.monotonic() - started < ALLOWED_SECONDS


ANSWERED: dict[str, tuple[Callable[[], bytes], tuple[int, int]]] = {
    "a progressive JPEG": (lambda: progressive_jpeg(64, 0), (64, 64)),
    "a JPEG with some scans more": (lambda: progressive_jpeg(64, 60), (64, 64)),
    "a JPEG with a thumbnail's worth of metadata": (
        lambda: before_the_pixels_of_a_jpeg((b"\xff\xe1\xff\xff" + b"\xff\xda" * 32_766 + b"x") * 20),
        (16, 16),
    ),
    "a JPEG that a film follows": (lambda: encode(blank_page(16, 16), "JPEG") + b"\xff\xda\xff\xe1" * 10**5, (16, 16)),
    "a PNG that zeros follow": (lambda: png(20, 20, 0, bytes(20)) + bytes(BODY), (20, 20)),
    "a PNG of many small chunks": (lambda: chunky_png(png_chunk(b"abCd", bytes(1024))), (20, 20)),
    "a PNG of text without end": (
        lambda: chunky_png(png_chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(900_000)))),
        (20, 20),
    ),
    "a PNG of metadata without end": (
        lambda: chunky_png(png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(900_000)))),
        (20, 20),
    ),
    **{
        f"a PNG with a large {kind}": (partial(text_chunks, kind), (20, 20))
        for kind in ("tEXt", "zTXt", "iTXt", "iCCP")
    },
    "a PNG of fractions": (
        lambda: png(20, 20, 0, bytes(20), extra=png_chunk(b"eXIf", endless_exif(0x0112, 1_200_000))),
        (20, 20),
    ),
    "a WebP of fractions": (
        lambda: encode(blank_page(16, 16), "WEBP", exif=endless_exif(0x0112, 1_200_000)),
        (16, 16),
    ),
    "a TIFF of a row a strip": (lambda: strips(8000), (8, 8000)),
    "a BigTIFF of a row a strip": (lambda: strips(8000, magic=b"II+\0"), (8, 8000)),
    "a TIFF with its magic reversed": (lambda: strips(8, magic=b"II\0*"), (8, 8)),
    "a big-endian TIFF of a row a strip": (lambda: strips(8, magic=b"MM\0*"), (8, 8)),
    "a TIFF of one large tile": (lambda: one_tile(64, 1024), (64, 64)),
    "a TIFF with metadata": (lambda: with_exposure_times(3), (8, 8)),
    "a TIFF with metadata without end": (lambda: with_exposure_times(1_200_000), (8, 8)),
    "a plain PNM with comments": (lambda: b"P2 # a\n2 # b\n1\n255\n" + b"# c\n" * 10**5 + b"9 # d\r200\n", (2, 1)),
    "plain bits without spaces": (lambda: b"P1 3000 3000\n" + b"1" * 9_000_000, (3000, 3000)),
    "one row": (lambda: png(MAX_PIXELS, 1, 0, bytes(MAX_PIXELS)), (MAX_PIXELS, 1)),
    "one column": (lambda: column(10**7), (1, 10**7)),
    "two rows": (lambda: png(MAX_PIXELS // 2, 2, 0, bytes(MAX_PIXELS // 2)), (MAX_PIXELS // 2, 2)),
}


@pytest.mark.parametrize("what", ANSWERED)
def test_what_is_only_unusual_is_an_image(what: str) -> None:
    make, size = ANSWERED[what]
    data = make()
    image = decode_image(data, MAX_PIXELS)
    assert image.size == ImageSize(*size)
    assert 0 < image.pixels.size <= WORKING_PIXELS
    assert decode_colour(data, MAX_PIXELS).shape[:2] == image.pixels.shape


def test_a_big_endian_big_tiff_is_told_apart() -> None:
    """Pillow would read its header as that of an ordinary TIFF, and find a directory of the sender's choice."""
    data = b"MM\0+" + struct.pack(">HHQ", 8, 0, 16) + bytes(16)
    with pytest.raises(UnsupportedImage, match="ordinary TIFF"):
        decode_image(data, MAX_PIXELS)


def test_comments_of_a_plain_pnm_part_nothing() -> None:
    data = b"P2 # width\n2 # height\n1\n255\n9 # one\n# two\n200\n"
    assert decode_image(data, MAX_PIXELS).pixels.tolist() == [[9, 200]]


def test_damaged_metadata_is_no_news(tmp_path: Path) -> None:
    """Pillow's warnings hold what the sender wrote: they neither pile up in the process nor run into the log."""
    (tmp_path / "image").write_bytes(_tiff_with_damaged_tags(1000))
    program = (
        "import sys, pathlib, PIL.TiffImagePlugin as tiff\n"
        "from app.imaging.decode import decode_image\n"
        "size = decode_image(pathlib.Path(sys.argv[1]).read_bytes(), 1000).size\n"
        "print(size.width, len(getattr(tiff, '__warningregistry__', {}).keys() - {'version'}))\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "image")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=100)
    width, kept = json.loads(f"[{done.stdout.replace(' ', ',')}]")
    assert (width, kept) == (8, 0)
    assert "Warning" not in done.stderr


def _tiff_with_damaged_tags(count: int) -> bytes:
    """A sound image, and tags whose values lie beyond the file."""
    return tiff([*image_tags(8, 4), *((40_000 + n, 2, 10**6, 16) for n in range(count))], bytes(32))
