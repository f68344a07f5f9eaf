"""Bytes → grey image."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from app.domain import ImageSize
from app.errors import CorruptImage, ImageTooLarge, UnsupportedImage
from app.imaging.decode import WORKING_PIXELS, decode_colour, decode_image

LIMIT = 1_000_000


def encoded(image: Image.Image, image_format: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, image_format, **options)
    return stream.getvalue()


def ramp(width: int = 6, height: int = 4) -> Image.Image:
    """Every pixel another grey."""
    return Image.fromarray((np.arange(width * height, dtype=np.uint8) * 9).reshape(height, width))


@pytest.mark.parametrize("image_format", ["PNG", "BMP", "TIFF", "GIF", "PPM", "WEBP"])
def test_lossless_formats_keep_every_level(image_format: str) -> None:
    options = {"lossless": True} if image_format == "WEBP" else {}
    decoded = decode_image(encoded(ramp(), image_format, **options), LIMIT)
    np.testing.assert_allclose(decoded.pixels.astype(int), np.asarray(ramp()).astype(int), atol=1)
    assert decoded.size == ImageSize(6, 4)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(ramp(), exif=exif.tobytes())
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    decoded = decode_image(data, LIMIT)
    np.testing.assert_array_equal(decoded.pixels, np.asarray(upright))
    assert decoded.size == ImageSize(*upright.size)
    np.testing.assert_array_equal(decode_colour(data, LIMIT)[:, :, 0], np.asarray(upright))


def test_a_damaged_orientation_is_passed_over() -> None:
    exif = Image.Exif()
    exif[0x0112] = 77
    np.testing.assert_array_equal(decode_image(encoded(ramp(), exif=exif.tobytes()), LIMIT).pixels, np.asarray(ramp()))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_laid_on_white(mode: str) -> None:
    image = Image.new(mode, (4, 2), 0)
    image.putpixel((1, 1), (0, 255) if mode == "LA" else (0, 0, 0, 255))
    pixels = decode_image(encoded(image), LIMIT).pixels
    assert pixels[1, 1] == 0
    assert pixels[0, 0] == 255


def test_a_transparent_palette_entry_is_laid_on_white() -> None:
    image = Image.new("P", (4, 2), 0)
    image.putpalette([0, 0, 0, 80, 80, 80])
    image.putpixel((1, 1), 1)
    pixels = decode_image(encoded(image, transparency=0), LIMIT).pixels
    assert pixels[0, 0] == 255
    assert pixels[1, 1] == 80


@pytest.mark.parametrize("image_format", ["PNG", "TIFF", "PPM"])
def test_16_bits_become_8(image_format: str) -> None:
    deep = np.array([[0, 257 * 100, 65535]], np.uint16)
    pixels = decode_image(encoded(Image.fromarray(deep), image_format), LIMIT).pixels
    np.testing.assert_array_equal(pixels, [[0, 100, 255]])


def test_floating_point_levels_are_scaled() -> None:
    image = Image.fromarray(np.array([[0.0, 0.5, 1.0, np.nan]], np.float32))
    np.testing.assert_array_equal(decode_image(encoded(image, "TIFF"), LIMIT).pixels, [[0, 127, 255, 0]])


def test_cmyk_is_converted() -> None:
    image = Image.new("CMYK", (32, 16), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 16, 16))
    pixels = decode_image(encoded(image, "JPEG", quality=95), LIMIT).pixels
    assert pixels[8, 4] < 30
    assert pixels[8, 28] > 225


def test_one_bit_images_are_black_and_white() -> None:
    image = Image.new("1", (2, 1), 1)
    image.putpixel((0, 0), 0)
    np.testing.assert_array_equal(decode_image(encoded(image), LIMIT).pixels, [[0, 255]])


def test_only_the_first_frame_is_read() -> None:
    data = encoded(Image.new("L", (3, 3), 10), "GIF", save_all=True, append_images=[Image.new("L", (3, 3), 200)])
    assert decode_image(data, LIMIT).pixels.max() == 10


def test_the_pixel_limit_is_told_from_the_header() -> None:
    data = encoded(Image.new("L", (101, 100)))
    with pytest.raises(ImageTooLarge, match=r"101 × 100 .* 10,099"):
        decode_image(data[:33], 10_099)  # nothing but the header is there: nothing else is needed
    assert decode_image(data, 10_100).size == ImageSize(101, 100)


@pytest.mark.parametrize(
    ("image_format", "mode"), [("PNG", "L"), ("PNG", "RGB"), ("PNG", "RGBA"), ("JPEG", "L"), ("JPEG", "RGB")]
)
def test_large_images_are_worked_on_reduced(image_format: str, mode: str) -> None:
    image = Image.new(mode, (4000, 2001), "white")
    image.paste("black", (2000, 0, 4000, 2001))
    decoded = decode_image(encoded(image, image_format), 10**8)
    assert decoded.size == ImageSize(4000, 2001)
    height, width = decoded.pixels.shape
    assert height * width <= WORKING_PIXELS
    assert width / height == pytest.approx(4000 / 2001, rel=0.01)
    assert decoded.pixels[:, : width // 2 - 4].min() > 250
    assert decoded.pixels[:, width // 2 + 4 :].max() < 5


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.7 ...", b"<svg/>", bytes(1000)])
def test_what_is_no_image_is_unsupported(data: bytes) -> None:
    with pytest.raises(UnsupportedImage, match="PNG, JPEG"):
        decode_image(data, LIMIT)


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_a_truncated_image_is_corrupt(image_format: str, share: float) -> None:
    random = np.random.default_rng(1)
    data = encoded(Image.fromarray(random.integers(0, 256, (64, 64)).astype(np.uint8)), image_format)
    with pytest.raises(CorruptImage):
        decode_image(data[: max(8, int(share * len(data)))], LIMIT)


def test_the_input_is_not_believed_by_its_name() -> None:
    # A format that Pillow knows and this service does not serve.
    with pytest.raises(UnsupportedImage):
        decode_image(encoded(ramp(32, 32), "ICO", sizes=[(16, 16)]), LIMIT)
