"""Bytes → grey image. Limits are checked against the header, before any pixel is decoded."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from app.domain import ImageSize
from app.errors import CorruptImage, ImageTooLarge, OcrError, UnsupportedImage
from app.imaging.bombs import defused

GreyPixels = NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
FORMAT_NAMES = "PNG, JPEG, WebP, BMP, TIFF, GIF or PNM"

# A number is read from strokes a few pixels wide: above this many pixels the image is worked on reduced.
WORKING_PIXELS = 3_000_000

_BAND_PIXELS = 1_000_000
_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"BM", b"II*\0", b"MM\0*", b"GIF8")
_PNG_HEADER = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_EXIF_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)
# Pillow's own guard against decompression bombs is a process-wide number that knows nothing of `max_pixels`.
Image.MAX_IMAGE_PIXELS = None
# It warns of damaged metadata in words that the sender chooses; Python keeps each of them, and writes it to stderr.
warnings.filterwarnings("ignore", module=r"PIL\.")


@dataclass(frozen=True, slots=True)
class GreyImage:
    """A decoded image.

    `pixels`: (h, w) uint8, 0 black, 255 white, upright; reduced from `size` where that is above WORKING_PIXELS.
    `size`: width and height of the image as sent, after the EXIF orientation.
    """

    pixels: GreyPixels
    size: ImageSize


def decode_image(data: bytes, max_pixels: int) -> GreyImage:
    """Decodes the first frame or page of an image to grey.

    EXIF orientation is applied, alpha is composited on white, 16-bit and CMYK are converted. What the format is, the
    bytes decide.

    Raises UnsupportedImage for bytes that are none of FORMATS, ImageTooLarge where the header tells more than
    `max_pixels`, CorruptImage where the header or the pixels cannot be decoded.
    """
    with _opened(data, max_pixels) as image:
        width, height = image.size
        grey = _grey_pixels(image)
        orientation = _orientation(image)
    if orientation in _TURNED:
        width, height = height, width
    return GreyImage(_upright(grey, orientation), ImageSize(width, height))


def decode_colour(data: bytes, max_pixels: int) -> NDArray[np.uint8]:
    """The same image as (h, w, 3) uint8 red, green, blue, upright, reduced above WORKING_PIXELS; for drawing on.

    Raises what `decode_image` raises.
    """
    with _opened(data, max_pixels) as image:
        image.load()
        orientation = _orientation(image)
        image = _reduced(image)
        if image.mode.startswith(("I", "F", "LAB")):
            pixels = np.repeat(_to_grey(image)[:, :, np.newaxis], 3, axis=2)
        else:
            pixels = np.asarray(_on_white(image).convert("RGB"))
    return _upright(_within_working_pixels(pixels), orientation)


@contextmanager
def _opened(data: bytes, max_pixels: int) -> Iterator[Image.Image]:
    """An image whose header is read and whose size is within the limit; whatever goes wrong inside is named."""
    try:
        if data.startswith(_PNG_HEADER):  # Pillow reads on to the pixels before it tells a PNG's size
            _refuse_oversize(int.from_bytes(data[16:20]), int.from_bytes(data[20:24]), max_pixels)
        data = defused(data)
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _refuse_oversize(*image.size, max_pixels)
            yield image
    except OcrError:
        raise
    except UnidentifiedImageError:
        if data.startswith(_SIGNATURES):
            raise CorruptImage("The image's header is damaged or cut short. Send the whole file.") from None
        raise UnsupportedImage(f"The bytes are not an image of a served format. Send {FORMAT_NAMES}.") from None
    except Exception as error:  # decoders of untrusted bytes raise whatever they like
        raise CorruptImage(
            f"The image's data is damaged or cut short ({type(error).__name__}). Send the whole file."
        ) from error


def _refuse_oversize(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"The image has {width} × {height} pixels; at most {max_pixels:,} are accepted. Scale it down."
        )


def _grey_pixels(image: Image.Image) -> GreyPixels:
    """The image as (h, w) uint8, at WORKING_PIXELS or fewer."""
    shrink = (image.width * image.height / WORKING_PIXELS) ** 0.5
    if image.format == "JPEG":
        # The JPEG decoder scales by 1/2, 1/4 or 1/8 while it decodes, and can leave the colours undecoded.
        image.draft("L", (int(image.width / shrink), int(image.height / shrink)) if shrink > 1 else image.size)
    image.load()
    image = _reduced(image)
    return _within_working_pixels(_to_grey(image))


def _within_working_pixels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same picture, (h, w) or (h, w, 3), at WORKING_PIXELS or fewer."""
    height, width = pixels.shape[:2]
    scale = (WORKING_PIXELS / (height * width)) ** 0.5
    if scale >= 1:
        return pixels
    rows = max(1, int(height * scale))
    columns = max(1, min(int(width * scale), WORKING_PIXELS // rows))
    rows = min(rows, WORKING_PIXELS // columns)
    return cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _reduced(image: Image.Image) -> Image.Image:
    """The image by a whole factor smaller, so that it is near WORKING_PIXELS, before conversions multiply its bytes."""
    factor = int(np.ceil((image.width * image.height / WORKING_PIXELS) ** 0.5))
    if factor == 1 or image.mode.startswith("I;16"):  # 16 bits are two bytes a pixel, and become one at once
        return image
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "I", "F"):
        return image.reduce(factor)
    # Palettes and single bits have no mean: a band of rows at a time is converted, then reduced.
    small = Image.new("RGB", (-(-image.width // factor), -(-image.height // factor)))
    rows = factor * max(1, _BAND_PIXELS // (image.width * factor))
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(image.height, top + rows)))
        small.paste(_on_white(band).convert("RGB").reduce(factor), (0, top // factor))
    return small


def _to_grey(image: Image.Image) -> GreyPixels:
    mode = image.mode
    if mode.startswith("I;16"):
        return np.asarray(np.asarray(image) >> 8, np.uint8)
    if mode == "I":
        return np.asarray(np.clip(np.asarray(image), 0, 65535) >> 8, np.uint8)
    if mode == "F":
        values = np.nan_to_num(np.asarray(image, np.float32), nan=0.0, posinf=255.0, neginf=0.0)
        return np.asarray(np.clip(values * (255.0 if values.max(initial=0.0) <= 1.0 else 1.0), 0, 255), np.uint8)
    if mode == "LAB":
        return np.asarray(image.getchannel("L"), np.uint8)
    image = _on_white(image)
    return np.asarray(image if image.mode == "L" else image.convert("L"), np.uint8)


def _on_white(image: Image.Image) -> Image.Image:
    """Without alpha, palette or separate inks: L or RGB."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image if image.mode in ("L", "RGB") else image.convert("L" if image.mode == "1" else "RGB")


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_EXIF_ORIENTATION, 1)
    except Exception:  # damaged metadata is no reason to refuse good pixels
        return 1
    return value if value in range(1, 9) else 1


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undoes the EXIF orientation (CIPA DC-008, tag 0x0112)."""
    if orientation in _TURNED:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
