"""Bytes → grey image."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from app.domain import ImageSize, Polarity
from app.errors import CorruptImage, ImageTooLarge, UnsupportedImage
from app.imaging.binarise import find_ink
from app.imaging.decode import WORKING_PIXELS, decode_colour, decode_image
from tests.images import Grey, draw_number, png, png_chunk
from tests.robustness.tiffs import PAYLOAD_AT, tiff

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


@pytest.mark.parametrize(
    "data",
    [
        b"RIFF\x24\0\0\0WAVEfmt " + bytes(40),
        b"RIFF\x24\0\0\0AVI LIST" + bytes(40),
        b"RIFF",
        b"BM",
        b"BMW is a car, and this a letter about it.",
        b"BM" + bytes(60),
    ],
    ids=["sound", "film", "four letters", "two letters", "text", "zeros"],
)
def test_what_only_begins_like_an_image_is_unsupported(data: bytes) -> None:
    with pytest.raises(UnsupportedImage, match="PNG, JPEG"):
        decode_image(data, LIMIT)


@pytest.mark.parametrize("data", [b"RIFF\x24\0\0\0WEBPVP8 " + bytes(8), encoded(ramp(), "BMP")[:40]])
def test_what_begins_as_an_image_is_corrupt(data: bytes) -> None:
    with pytest.raises(CorruptImage):
        decode_image(data, LIMIT)


@pytest.mark.parametrize("compression", ["raw", "tiff_adobe_deflate"])
def test_white_may_be_zero_in_a_tiff_of_16_bits(compression: str) -> None:
    image = Image.fromarray(np.array([[0, 257 * 100, 65535]], np.uint16))
    data = encoded(image, "TIFF", tiffinfo={262: 0}, compression=compression)
    np.testing.assert_array_equal(decode_image(data, LIMIT).pixels, [[255, 155, 0]])
    np.testing.assert_array_equal(decode_colour(data, LIMIT)[:, :, 1], [[255, 155, 0]])


def test_white_may_be_zero_in_a_tiff_of_8_bits() -> None:
    data = encoded(ramp(), "TIFF", tiffinfo={262: 0})
    np.testing.assert_array_equal(decode_image(data, LIMIT).pixels, np.asarray(ramp()))


def sixteen_bits(levels: list[int], transparent: int) -> bytes:
    row = struct.pack(f">{len(levels)}H", *levels)
    return png(len(levels), 1, 0, row, bits=16, extra=png_chunk(b"tRNS", struct.pack(">H", transparent)))


def test_a_transparent_level_of_16_bits_is_laid_on_white() -> None:
    data = sixteen_bits([300, 301, 257 * 100, 65535], 301)
    np.testing.assert_array_equal(decode_image(data, LIMIT).pixels, [[1, 255, 100, 255]])
    np.testing.assert_array_equal(decode_colour(data, LIMIT)[:, :, 2], [[1, 255, 100, 255]])


def test_grey_with_premultiplied_alpha_is_laid_on_white() -> None:
    tags = {256: 2, 257: 1, 258: 0x80008, 259: 1, 262: 1, 273: PAYLOAD_AT, 277: 2, 278: 1, 279: 4, 338: 1}
    data = tiff(
        [(tag, 4 if tag != 258 else 3, 2 if tag == 258 else 1, value) for tag, value in tags.items()], b"\0\xff\0\0"
    )
    np.testing.assert_array_equal(decode_image(data, LIMIT).pixels, [[0, 255]])


XMP = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


@pytest.mark.parametrize(
    "text",
    [
        png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
        png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP)),
        png_chunk(b"zTXt", b"XML:com.adobe.xmp\0\0" + zlib.compress(XMP)),
    ],
    ids=["as it is", "packed", "packed, of another kind"],
)
def test_the_orientation_may_stand_in_a_text(text: bytes) -> None:
    large = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2**21)))
    data = png(6, 1, 0, bytes(range(6)), extra=large + text)
    assert decode_image(data, LIMIT).size == ImageSize(1, 6)


def test_a_text_cut_short_is_no_image() -> None:
    data = png(6, 1, 0, bytes(range(6)), extra=png_chunk(b"tEXt", b"Comment\0" + bytes(100)))
    with pytest.raises(CorruptImage):
        decode_image(data[:60], LIMIT)


def white_on_nothing(number: Grey, mode: str) -> Image.Image:
    """White ink on transparent paper, as canvases and exported icons have it."""
    opacity = Image.fromarray(np.uint8(255) - number)
    if mode == "P":
        image = Image.fromarray((number < 128).astype(np.uint8)).convert("P")
        image.putpalette([255, 255, 255] * 256)
        image.info["transparency"] = 0
        return image
    image = Image.new(mode.rstrip("A"), opacity.size, "white").convert(mode)
    image.putalpha(opacity)
    return image


@pytest.mark.parametrize("image_format", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_white_ink_on_nothing_is_told_by_its_opacity(mode: str, image_format: str) -> None:
    number = draw_number("407", 40, ink=0, paper=255)
    options = {"lossless": True} if image_format == "WEBP" else {}
    data = encoded(white_on_nothing(number, mode), image_format, **options)
    np.testing.assert_allclose(decode_image(data, LIMIT).pixels.astype(int), number.astype(int), atol=1)
    np.testing.assert_array_equal(decode_colour(data, LIMIT)[:, :, 0], decode_image(data, LIMIT).pixels)


@pytest.mark.parametrize("image_format", ["PNG", "GIF"])
def test_a_white_palette_is_told_by_its_opacity(image_format: str) -> None:
    number = draw_number("407", 40, ink=0, paper=255)
    pixels = decode_image(encoded(white_on_nothing(number, "P"), image_format, transparency=0), LIMIT).pixels
    np.testing.assert_array_equal(pixels, np.where(number < 128, 0, 255))


def test_a_white_level_of_16_bits_is_told_by_its_opacity() -> None:
    data = sixteen_bits([0, 65535, 65535, 0], 0)
    np.testing.assert_array_equal(decode_image(data, LIMIT).pixels, [[255, 0, 0, 255]])


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_large_white_ink_on_nothing_is_worked_on_reduced(mode: str) -> None:
    number = np.full((2001, 4000), 255, np.uint8)
    number[:, 2000:] = 0
    pixels = decode_image(encoded(white_on_nothing(number, mode)), 10**8).pixels
    assert pixels.size <= WORKING_PIXELS
    assert pixels[:, : pixels.shape[1] // 2 - 4].min() > 250
    assert pixels[:, pixels.shape[1] // 2 + 4 :].max() < 5


@pytest.mark.parametrize("colour", [(255, 255, 255, 255), (255, 255, 255, 0), (255, 255, 255, 128)])
def test_a_page_that_is_evenly_white_stays_white(colour: tuple[int, ...]) -> None:
    assert decode_image(encoded(Image.new("RGBA", (40, 30), colour)), LIMIT).pixels.min() == 255


def in_colours(number: Grey, ink: tuple[int, ...], paper: tuple[int, ...]) -> Image.Image:
    share = number[:, :, np.newaxis] / 255
    return Image.fromarray(np.rint(np.array(paper) * share + np.array(ink) * (1 - share)).astype(np.uint8))


EQUALLY_BRIGHT = {
    "red on green": ((255, 0, 0), (0, 128, 0)),
    "green on red": ((40, 140, 40), (220, 40, 40)),
    "orange on light green": ((255, 160, 60), (120, 205, 120)),
    "blue on red": ((40, 60, 255), (180, 20, 20)),
    "grey on red": ((120, 120, 120), (255, 60, 60)),
    "pink on light blue": ((255, 182, 193), (173, 216, 230)),
}
ENCODERS: list[tuple[str, dict[str, Any]]] = [
    *(("PNG", {}), ("BMP", {}), ("WEBP", {"lossless": True}), ("WEBP", {"quality": 80})),
    *(("JPEG", {"quality": 95}), ("JPEG", {"quality": 70})),
]


@pytest.mark.parametrize("colours", EQUALLY_BRIGHT)
@pytest.mark.parametrize(("image_format", "options"), ENCODERS)
def test_colours_of_equal_brightness_are_told_apart(colours: str, image_format: str, options: dict[str, Any]) -> None:
    number = draw_number("4071", 48, ink=0, paper=255)
    data = encoded(in_colours(number, *EQUALLY_BRIGHT[colours]), image_format, **options)
    pixels = decode_image(data, LIMIT).pixels
    assert pixels.shape == number.shape
    assert np.corrcoef(pixels.ravel(), number.ravel())[0, 1] > 0.95
    assert pixels[number == 255].mean() - pixels[number == 0].mean() > 60
    assert np.median(pixels) > 220


def test_a_large_jpeg_in_colours_of_equal_brightness_is_reduced_alike() -> None:
    number = np.full((2001, 4000), 255, np.uint8)
    number[900:1100, 1000:1100] = 0
    data = encoded(in_colours(number, (220, 40, 40), (40, 140, 40)), "JPEG")
    pixels = decode_image(data, 10**8).pixels
    assert pixels.shape == decode_colour(data, 10**8).shape[:2]
    assert pixels.min() < 100
    assert np.median(pixels) > 220


@pytest.mark.parametrize("orientation", [3, 6])
def test_turned_colours_of_equal_brightness_are_put_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = in_colours(draw_number("4", 48, ink=0, paper=255), (255, 0, 0), (0, 128, 0))
    turned = decode_image(encoded(stored, exif=exif.tobytes()), LIMIT).pixels
    upright = decode_image(encoded(stored), LIMIT).pixels
    np.testing.assert_array_equal(turned, np.rot90(upright, 2 if orientation == 3 else -1))


@pytest.mark.parametrize("paper", [(255, 90, 90), (90, 180, 90), (250, 240, 200), (60, 60, 200)])
@pytest.mark.parametrize("noise", [0.0, 2.0, 4.0])
@pytest.mark.parametrize(("image_format", "options"), [("PNG", {}), ("JPEG", {"quality": 75})])
def test_a_page_of_one_colour_stays_blank(
    paper: tuple[int, ...], noise: float, image_format: str, options: dict[str, Any]
) -> None:
    random = np.random.default_rng(5)
    page = np.rint(np.array(paper) + random.normal(0, noise, (300, 400, 3))).clip(0, 255).astype(np.uint8)
    image = Image.fromarray(page)
    pixels = decode_image(encoded(image, image_format, **options), LIMIT).pixels
    for polarity in (Polarity.DARK_ON_LIGHT, Polarity.LIGHT_ON_DARK):
        assert not find_ink(pixels, polarity).mask.any()
    if image_format == "PNG":
        np.testing.assert_array_equal(pixels, np.asarray(image.convert("L")))


def test_where_grey_tells_the_ink_colours_change_nothing() -> None:
    """Not even where a single dark stroke is on paper of two colours as bright as each other."""
    page = np.asarray(Image.new("RGB", (600, 400), (255, 182, 193))).copy()
    page[200:] = (173, 216, 230)
    page[100:118, 300:303] = 100
    image = Image.fromarray(page)
    np.testing.assert_array_equal(decode_image(encoded(image), LIMIT).pixels, np.asarray(image.convert("L")))
