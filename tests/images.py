"""Images for the tests, as arrays and as bytes: drawn digits, every served format, and forged or cut files."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
ORIENTATION_TAG = 0x0112
# How a scanner that is held in another way stores an upright picture, by the EXIF orientation that undoes it.
_STORED: dict[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def draw_number(text: str, height: int = 48, *, spacing: float = 0.45, ink: int = 20, paper: int = 240) -> Grey:
    """A number in one line, its digits `height` high and apart from each other, with paper around: (h, w) uint8."""
    digits = [_drawn_digit(character, height, ink, paper) for character in text]
    gap = np.full((height, round(spacing * height)), paper, np.uint8)
    row: list[Grey] = [digits[0]]
    for digit in digits[1:]:
        row += [gap, digit]
    return np.pad(np.hstack(row), round(0.6 * height), constant_values=paper)


def draw_digit(digit: int, side: int = 96, *, ink: int = 20, paper: int = 240) -> Grey:
    """One digit in the middle of a square of paper: (side, side) uint8."""
    glyph = _drawn_digit(str(digit), round(0.6 * side), ink, paper)
    page = np.full((side, side), paper, np.uint8)
    top, left = (side - glyph.shape[0]) // 2, (side - glyph.shape[1]) // 2
    page[top : top + glyph.shape[0], left : left + glyph.shape[1]] = glyph
    return page


def draw_lines(texts: Sequence[str], height: int = 48, *, ink: int = 20, paper: int = 240) -> Grey:
    """Several numbers, one under the other, aligned left: (h, w) uint8."""
    lines = [draw_number(text, height, ink=ink, paper=paper) for text in texts]
    width = max(line.shape[1] for line in lines)
    return np.vstack([np.pad(line, ((0, 0), (0, width - line.shape[1])), constant_values=paper) for line in lines])


def blank_page(width: int = 120, height: int = 90, level: int = 255) -> Grey:
    """Paper without ink: (height, width) uint8."""
    return np.full((height, width), level, np.uint8)


def _drawn_digit(character: str, height: int, ink: int, paper: int) -> Grey:
    """A digit cropped to its ink: Hershey's strokes, thick and anti-aliased, four times too large and then reduced."""
    large = 4 * height
    canvas = np.zeros((2 * large, 2 * large), np.uint8)
    font, pen = cv2.FONT_HERSHEY_DUPLEX, max(4, large // 9)
    scale = cv2.getFontScaleFromHeight(font, large - pen, pen)
    cv2.putText(canvas, character, (large // 2, large + large // 2), font, scale, 255, pen, cv2.LINE_AA)
    left, top, width, tall = cv2.boundingRect(canvas)
    crop = canvas[top : top + tall, left : left + width]
    size = (max(1, round(width * height / tall)), height)
    coverage = cv2.resize(crop, size, interpolation=cv2.INTER_AREA).astype(np.float64) / 255
    return np.rint(paper + (ink - paper) * coverage).astype(np.uint8)


def encode(pixels: NDArray[Any] | Image.Image, image_format: str = "PNG", **options: Any) -> bytes:
    """The bytes of an image file, by Pillow; (h, w) grey, (h, w, 3) red, green, blue, or any Pillow image."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    stream = io.BytesIO()
    image.save(stream, image_format, **options)
    return stream.getvalue()


def with_orientation(upright: Grey, orientation: int, image_format: str = "JPEG") -> bytes:
    """A file whose stored pixels lie otherwise, and whose EXIF orientation says how to put them upright."""
    image = Image.fromarray(upright)
    if orientation in _STORED:
        image = image.transpose(_STORED[orientation])
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    return encode(image, image_format, exif=exif.tobytes())


def sixteen_bit_png(pixels: Grey) -> bytes:
    """Grey with 16 bits a pixel."""
    return encode(pixels.astype(np.uint16) * 257)


def cmyk_jpeg(pixels: Grey) -> bytes:
    """Four inks, as printers' files have."""
    return encode(Image.fromarray(pixels).convert("RGB").convert("CMYK"), "JPEG", quality=95)


def transparent_rgba(pixels: Grey, image_format: str = "PNG") -> bytes:
    """Black ink on nothing: the paper is transparent black, so that only alpha tells ink from paper."""
    rgba = np.zeros((*pixels.shape, 4), np.uint8)
    rgba[:, :, 3] = 255 - pixels
    return encode(rgba, image_format)


def transparent_grey(pixels: Grey) -> bytes:
    """The same with grey and alpha."""
    image = Image.new("LA", pixels.shape[::-1])
    image.putalpha(Image.fromarray(np.uint8(255) - pixels))
    return encode(image)


def transparent_palette(pixels: Grey, image_format: str = "PNG") -> bytes:
    """Two colours, both black, the paper's transparent."""
    image = Image.fromarray((pixels < 128).astype(np.uint8), "L").convert("P")
    image.putpalette([0, 0, 0] * 256)
    return encode(image, image_format, transparency=0)


def bilevel(pixels: Grey) -> Image.Image:
    """Black and white alone, one bit a pixel."""
    return Image.fromarray(pixels).convert("1", dither=Image.Dither.NONE)


# What Pillow's encoders can do, for tests that go through all of it.
VARIANTS: dict[str, Callable[[Grey], bytes]] = {
    **{name: lambda pixels, name=name: encode(pixels, name) for name in FORMATS},  # type: ignore[misc]
    "colour PNG": lambda pixels: encode(np.dstack([pixels // 2, pixels, pixels])),
    "colour JPEG": lambda pixels: encode(np.dstack([pixels, pixels, pixels // 2]), "JPEG", quality=90),
    "progressive JPEG": lambda pixels: encode(pixels, "JPEG", quality=90, progressive=True),
    "lossless WebP": lambda pixels: encode(Image.fromarray(pixels).convert("RGB"), "WEBP", lossless=True),
    "16-bit PNG": sixteen_bit_png,
    "16-bit TIFF": lambda pixels: encode(pixels.astype(np.uint16) * 257, "TIFF"),
    "16-bit PGM": lambda pixels: encode(pixels.astype(np.uint16) * 257, "PPM"),
    "floating-point TIFF": lambda pixels: encode(pixels.astype(np.float32) / 255, "TIFF"),
    "LZW TIFF": lambda pixels: encode(pixels, "TIFF", compression="tiff_lzw"),
    "1-bit TIFF": lambda pixels: encode(bilevel(pixels), "TIFF", compression="group4"),
    "1-bit PNG": lambda pixels: encode(bilevel(pixels)),
    "1-bit PBM": lambda pixels: encode(bilevel(pixels), "PPM"),
    "colour PPM": lambda pixels: encode(Image.fromarray(pixels).convert("RGB"), "PPM"),
    "palette PNG": lambda pixels: encode(Image.fromarray(pixels).convert("P")),
    "CMYK JPEG": cmyk_jpeg,
    "CMYK TIFF": lambda pixels: encode(Image.fromarray(pixels).convert("RGB").convert("CMYK"), "TIFF"),
    "RGBA PNG": transparent_rgba,
    "RGBA WebP": lambda pixels: transparent_rgba(pixels, "WEBP"),
    "RGBA TIFF": lambda pixels: transparent_rgba(pixels, "TIFF"),
    "grey and alpha PNG": transparent_grey,
    "transparent palette PNG": transparent_palette,
    "transparent palette GIF": lambda pixels: transparent_palette(pixels, "GIF"),
}


def several_frames(frames: Sequence[Grey], image_format: str) -> bytes:
    """One file with several frames or pages: GIF, TIFF or WEBP."""
    first, *others = [Image.fromarray(frame).convert("RGB") for frame in frames]
    return encode(first, image_format, save_all=True, append_images=others)


def png(width: int, height: int, colour_type: int, row: bytes, *, bits: int = 8, extra: bytes = b"") -> bytes:
    """A PNG of `height` equal rows, written a row at a time, so that even a huge one costs the test little memory."""
    compressor = zlib.compressobj(1)
    line = b"\0" + row
    data = b"".join(compressor.compress(line) for _ in range(height)) + compressor.flush()
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")
    )


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _forged_png(width: int, height: int) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(bytes(64))) + png_chunk(b"IEND", b"")


def _forged_bmp(width: int, height: int) -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 64, 0, 0, 54) + info + bytes(64)


def _gif(screen: tuple[int, int], frame: tuple[int, int]) -> bytes:
    palette = bytes([0, 0, 0, 255, 255, 255])
    descriptor = b"," + struct.pack("<HHHHB", 0, 0, *frame, 0)
    return b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + palette + descriptor + b"\x02\x02\x44\x01\x00;"


def _forged_tiff(width: int, height: int) -> bytes:
    entries = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, 8),  # bits a sample
        (259, 3, 1),  # not compressed
        (262, 3, 1),  # black is zero
        (273, 4, 8),  # where the strip starts
        (277, 3, 1),  # samples a pixel
        (278, 4, height),
        (279, 4, 64),  # bytes of the strip
    ]
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries) + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + 64) + bytes(64) + directory


def _forged_jpeg(width: int, height: int) -> bytes:
    data = bytearray(encode(blank_page(16, 16), "JPEG"))
    start = data.index(b"\xff\xc0")
    data[start + 5 : start + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def _forged_webp(width: int, height: int) -> bytes:
    """An extended header for the canvas; its sides have 24 bits, its frame's only 14."""
    frame = encode(blank_page(16, 16), "WEBP")[12:]
    canvas = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    chunks = b"VP8X" + struct.pack("<I", 10) + bytes(4) + canvas + frame
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


HUGE = 50_000
# Small files whose headers tell 50,000 × 50,000 pixels.
FORGED: dict[str, bytes] = {
    "PNG": _forged_png(HUGE, HUGE),
    "BMP": _forged_bmp(HUGE, HUGE),
    "GIF": _gif((HUGE, HUGE), (HUGE, HUGE)),
    "GIF with a larger frame": _gif((8, 8), (HUGE, HUGE)),
    "TIFF": _forged_tiff(HUGE, HUGE),
    "JPEG": _forged_jpeg(HUGE, HUGE),
    "PPM": f"P6 {HUGE} {HUGE} 255\n".encode() + bytes(64),
}
# The size that a WebP's frames contradict: refused, as too large or as damaged.
FORGED_WEBP = _forged_webp(HUGE, HUGE)


def scanned_digits(count: int, side: int = 64) -> tuple[list[Grey], list[int]]:
    """Real handwritten digits of scikit-learn (8×8, from NIST forms), enlarged, with paper around, and their labels."""
    from sklearn.datasets import load_digits

    data = load_digits()
    images = []
    for small in data.images[:count]:
        large = cv2.resize(small.astype(np.float32) / 16, (side, side), interpolation=cv2.INTER_CUBIC)
        ink = np.pad(np.clip(large, 0, 1), side // 4)
        images.append(np.rint(240 - 220 * ink).astype(np.uint8))
    return images, [int(label) for label in data.target[:count]]
