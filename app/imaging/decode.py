"""Bytes → grey image. Limits are checked against the header, before any pixel is decoded."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from app.domain import ImageSize
from app.errors import CorruptImage, ImageTooLarge, OcrError, UnsupportedImage
from app.imaging.bombs import defused
from app.imaging.hidden_ink import ink_of_colours, ink_of_opacity, is_blank, is_nearly_flat
from app.imaging.levels import eight_bits, is_deep, is_negative, transparent_level
from app.imaging.orientation import orientation_of, swaps_sides, upright
from app.imaging.signatures import claims_a_served_format, has_bmp_header
from app.imaging.transparency import on_white, opacity

GreyPixels = NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
FORMAT_NAMES = "PNG, JPEG, WebP, BMP, TIFF, GIF or PNM"

# A number is read from strokes a few pixels wide: above this many pixels the image is worked on reduced.
WORKING_PIXELS = 3_000_000

_BAND_PIXELS = 1_000_000
_PNG_HEADER = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_WITHOUT_COLOUR = ("1", "L", "LA", "La")
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
    bytes decide. Where white on white is left of a transparent image, the grey is how transparent it is; where the
    colours of an image differ and their grey levels do not, it is the colours' own difference.

    Raises UnsupportedImage for bytes that are none of FORMATS, ImageTooLarge where the header tells more than
    `max_pixels`, CorruptImage where the header or the pixels cannot be decoded.
    """
    with _opened(data, max_pixels) as image:
        width, height = image.size
        has_colour = image.mode not in _WITHOUT_COLOUR and not is_deep(image)
        _draft(image, "L")
        image.load()
        small = _reduced(image)
        grey = _or_opacity(_grey_pixels(small, is_negative(image)), image, small)
        if has_colour and is_nearly_flat(grey):
            if image.format == "JPEG":  # its colours were left undecoded
                small = _jpeg_in_colour(data, max_pixels)
            in_colour = ink_of_colours(_colour_pixels(small))
            grey = grey if in_colour is None else in_colour
        orientation = orientation_of(image)
    if swaps_sides(orientation):
        width, height = height, width
    return GreyImage(upright(grey, orientation), ImageSize(width, height))


def decode_colour(data: bytes, max_pixels: int) -> NDArray[np.uint8]:
    """The same image as (h, w, 3) uint8 red, green, blue, upright, reduced above WORKING_PIXELS; for drawing on.

    What would be white on white is black. Raises what `decode_image` raises.
    """
    with _opened(data, max_pixels) as image:
        _draft(image, "RGB")
        image.load()
        small = _reduced(image)
        pixels = _grey_pixels(small, is_negative(image)) if is_deep(image) else _colour_pixels(small)
        pixels = _or_opacity(pixels, image, small)
        orientation = orientation_of(image)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, np.newaxis], 3, axis=2)
    return upright(pixels, orientation)


@contextmanager
def _opened(data: bytes, max_pixels: int) -> Iterator[Image.Image]:
    """An image whose header is read and whose size is within the limit; whatever goes wrong inside is named."""
    try:
        if data.startswith(_PNG_HEADER):  # Pillow reads on to the pixels before it tells a PNG's size
            _refuse_oversize(int.from_bytes(data[16:20]), int.from_bytes(data[20:24]), max_pixels)
        if data.startswith(b"BM") and not has_bmp_header(data):  # Pillow calls it a damaged bitmap
            raise _unsupported()
        data = defused(data)
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _refuse_oversize(*image.size, max_pixels)
            yield image
    except OcrError:
        raise
    except UnidentifiedImageError:
        if claims_a_served_format(data):
            raise CorruptImage("The image's header is damaged or cut short. Send the whole file.") from None
        raise _unsupported() from None
    except Exception as error:  # decoders of untrusted bytes raise whatever they like
        raise CorruptImage(
            f"The image's data is damaged or cut short ({type(error).__name__}). Send the whole file."
        ) from error


def _refuse_oversize(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"The image has {width} × {height} pixels; at most {max_pixels:,} are accepted. Scale it down."
        )


def _unsupported() -> UnsupportedImage:
    return UnsupportedImage(f"The bytes are not an image of a served format. Send {FORMAT_NAMES}.")


def _draft(image: Image.Image, mode: str) -> None:
    """Of a JPEG, whose decoder scales by 1/2, 1/4 or 1/8 while it decodes, and can leave the colours undecoded."""
    if image.format == "JPEG":
        shrink = max(1.0, (image.width * image.height / WORKING_PIXELS) ** 0.5)
        image.draft(mode, (int(image.width / shrink), int(image.height / shrink)))


def _jpeg_in_colour(data: bytes, max_pixels: int) -> Image.Image:
    """Anew, as small as `decode_image` has it."""
    with _opened(data, max_pixels) as image:
        _draft(image, "RGB")
        image.load()
        return _reduced(image)


def _grey_pixels(small: Image.Image, negative: bool) -> GreyPixels:
    """An image as (h, w) uint8, at WORKING_PIXELS or fewer."""
    if is_deep(small):
        grey = eight_bits(small)
        return _within_working_pixels(np.uint8(255) - grey if negative else grey)
    shown = on_white(small)
    return _within_working_pixels(np.asarray(shown if shown.mode == "L" else shown.convert("L"), np.uint8))


def _colour_pixels(small: Image.Image) -> NDArray[np.uint8]:
    """The same as (h, w, 3) uint8 red, green, blue."""
    return _within_working_pixels(np.asarray(on_white(small).convert("RGB")))


def _or_opacity(pixels: NDArray[np.uint8], image: Image.Image, small: Image.Image) -> NDArray[np.uint8]:
    """`pixels`, or, where they show nothing of a transparent image, what is opaque of it as dark: (h, w) uint8."""
    if not image.has_transparency_data or not is_blank(pixels):
        return pixels
    if is_deep(small):
        opaque = np.where(transparent_level(small), 0, 255).astype(np.uint8)
    elif small.has_transparency_data:
        opaque = np.asarray(opacity(small))
    else:  # it was laid on white before it was reduced
        opaque = np.asarray(_by_bands(image, _reduction(image), "L", opacity))
    ink = ink_of_opacity(_within_working_pixels(opaque))
    return pixels if ink is None else ink


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


def _reduction(image: Image.Image) -> int:
    """The whole factor by which an image becomes smaller, so that it is near WORKING_PIXELS."""
    return int(np.ceil((image.width * image.height / WORKING_PIXELS) ** 0.5))


def _reduced(image: Image.Image) -> Image.Image:
    """The image near WORKING_PIXELS, before conversions multiply its bytes."""
    factor = _reduction(image)
    if factor == 1 or image.mode.startswith("I;16"):  # 16 bits are two bytes a pixel, and become one at once
        return image
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "I", "F"):
        return image.reduce(factor)
    # Palettes and single bits have no mean.
    return _by_bands(image, factor, "RGB", lambda band: on_white(band).convert("RGB"))


def _by_bands(
    image: Image.Image, factor: int, mode: str, converted: Callable[[Image.Image], Image.Image]
) -> Image.Image:
    """The image in another mode and by a factor smaller: a band of rows at a time is converted, then reduced."""
    small = Image.new(mode, (-(-image.width // factor), -(-image.height // factor)))
    rows = factor * max(1, _BAND_PIXELS // (image.width * factor))
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(image.height, top + rows)))
        small.paste(converted(band).reduce(factor), (0, top // factor))
    return small
