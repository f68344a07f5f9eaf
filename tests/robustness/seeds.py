"""Whole files of every served format and all that encoders do, some hundreds of bytes each: mutations start there."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image

from tests.images import FORGED, FORGED_WEBP, VARIANTS, Grey, draw_number, encode, several_frames, with_orientation

_DRAWN = draw_number("35", 14)


@cache
def seeds() -> dict[str, bytes]:
    """The files by what they are, always the same ones."""
    pixels = _DRAWN
    files = {name: make(pixels) for name, make in VARIANTS.items()}
    for image_format in ("JPEG", "PNG", "TIFF", "WEBP"):
        files[f"turned {image_format}"] = with_orientation(pixels, 6, image_format)
    for image_format in ("GIF", "TIFF", "WEBP"):
        files[f"{image_format} of several frames"] = several_frames([pixels, pixels[::-1]], image_format)
    files |= {name: make(pixels) for name, make in _RARE.items()}
    files |= {f"forged {name}": data for name, data in FORGED.items()}
    files["forged WebP"] = FORGED_WEBP
    return files


def _mpo(pixels: Grey) -> bytes:
    """Two JPEGs in one file, as stereo cameras and phones write them."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "MPO", save_all=True, append_images=[Image.fromarray(pixels[::-1])])
    return stream.getvalue()


def _plain_pnm(pixels: Grey) -> bytes:
    rows = "\n".join(" ".join(str(level) for level in row) for row in pixels)
    return f"P2\n# in words\n{pixels.shape[1]} {pixels.shape[0]}\n255\n{rows}\n".encode()


def _plain_bits(pixels: Grey) -> bytes:
    rows = "\n".join("".join("01"[int(level < 128)] for level in row) for row in pixels)
    return f"P1 {pixels.shape[1]} {pixels.shape[0]}\n{rows}\n".encode()


def _float_pnm(pixels: Grey) -> bytes:
    header = f"Pf\n{pixels.shape[1]} {pixels.shape[0]}\n-1.0\n".encode()
    return header + (pixels.astype("<f4") / 255).tobytes()


def _run_length_bmp(pixels: Grey) -> bytes:
    """Eight bits a pixel, compressed by runs, the lowest row first."""
    body = b""
    for row in pixels[::-1]:
        ends = np.flatnonzero(np.diff(row, append=-1)) + 1
        for start, end in zip([0, *ends[:-1]], ends, strict=True):
            body += bytes([end - start, row[start]])
        body += b"\0\0"
    body += b"\0\1"
    palette = b"".join(bytes([level, level, level, 0]) for level in range(256))
    start = 14 + 40 + len(palette)
    height, width = pixels.shape
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(body), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + info + palette + body


_RARE: dict[str, Callable[[Grey], bytes]] = {
    "MPO": _mpo,
    "plain PGM": _plain_pnm,
    "plain PBM": _plain_bits,
    "floating-point PNM": _float_pnm,
    "run-length BMP": _run_length_bmp,
    "1-bit BMP": lambda pixels: encode(Image.fromarray(pixels).convert("1"), "BMP"),
    "palette BMP": lambda pixels: encode(Image.fromarray(pixels).convert("P"), "BMP"),
    "RGBA BMP": lambda pixels: encode(Image.fromarray(pixels).convert("RGBA"), "BMP"),
    "restarting JPEG": lambda pixels: encode(pixels, "JPEG", quality=60, restart_marker_blocks=1),
    "deflated TIFF": lambda pixels: encode(pixels, "TIFF", compression="tiff_adobe_deflate"),
    "JPEG TIFF": lambda pixels: encode(Image.fromarray(pixels).convert("RGB"), "TIFF", compression="jpeg"),
    "PackBits TIFF": lambda pixels: encode(pixels, "TIFF", compression="packbits"),
    "LAB TIFF": lambda pixels: encode(Image.merge("LAB", [Image.fromarray(pixels)] * 3), "TIFF"),
    "big TIFF": lambda pixels: encode(pixels, "TIFF", big_tiff=True),
    "palette TIFF": lambda pixels: encode(Image.fromarray(pixels).convert("P"), "TIFF"),
    "colour GIF": lambda pixels: encode(Image.fromarray(pixels).convert("P"), "GIF", interlace=1),
}
