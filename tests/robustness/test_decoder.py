"""What is always so of the decoder, whatever the image: found by Hypothesis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image

from app.domain import ImageSize
from app.errors import ImageTooLarge, InputError
from app.imaging.decode import decode_colour, decode_image
from tests.images import encode, sixteen_bit_png, with_orientation
from tests.robustness.decoding import complaint

LIMIT = 10_000

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")
many = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)

greys = arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=40), fill=st.nothing())
_sides = arrays.array_shapes(min_dims=2, max_dims=2, max_side=40)
colours = _sides.flatmap(lambda sides: arrays.arrays(np.uint8, (*sides, 3), fill=st.nothing()))
colours_with_alpha = _sides.flatmap(lambda sides: arrays.arrays(np.uint8, (*sides, 4), fill=st.nothing()))
signatures = st.sampled_from(
    [
        *(
            b"",
            b"\x89PNG\r\n\x1a\n",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            b"\xff\xd8\xff",
            b"\xff\xd8\xff\xe0\0\x10JFIF\0",
        ),
        *(b"GIF87a", b"GIF89a", b"BM", b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"II*\0\x08\0\0\0"),
        *(b"RIFF\xff\0\0\0WEBPVP8 ", b"RIFF\xff\0\0\0WEBPVP8L", b"RIFF\xff\0\0\0WEBPVP8X"),
        *(b"P1 ", b"P2\n", b"P3 2 2 255 ", b"P4", b"P5 3 3 255\n", b"P6", b"Pf 2 2 -1\n", b"P7"),
    ]
)
# A range of grey levels from which on they are what is read, and neither colours nor opacity.
VISIBLE = 30
# With what an encoder must be told for it.
LOSSLESS: dict[str, dict[str, Any]] = {
    "PNG": {},
    "BMP": {},
    "TIFF": {},
    "PPM": {},
    "WEBP": {"lossless": True, "exact": True},
}


def luma(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """ITU-R 601-2, as everybody's grey is."""
    return np.asarray(pixels[..., :3] @ np.array([0.299, 0.587, 0.114]))


@given(signatures, st.binary(max_size=300))
@many
def test_any_bytes_are_an_image_or_an_error_of_the_sender(signature: bytes, data: bytes) -> None:
    assert complaint(signature + data) == ""


@given(greys, st.sampled_from([*LOSSLESS, "GIF"]))
@many
def test_grey_survives(pixels: NDArray[np.uint8], image_format: str) -> None:
    image = decode_image(encode(pixels, image_format, **LOSSLESS.get(image_format, {})), LIMIT)
    # WebP stores colours, and the way back to grey rounds.
    np.testing.assert_allclose(image.pixels.astype(int), pixels.astype(int), atol=1 if image_format == "WEBP" else 0)
    assert image.size == ImageSize(pixels.shape[1], pixels.shape[0])


@given(greys, st.sampled_from(["none", "tiff_lzw", "tiff_adobe_deflate", "packbits"]))
@many
def test_grey_survives_every_packing_of_a_tiff(pixels: NDArray[np.uint8], compression: str) -> None:
    options = {} if compression == "none" else {"compression": compression}
    np.testing.assert_array_equal(decode_image(encode(pixels, "TIFF", **options), LIMIT).pixels, pixels)


@given(greys)
@many
def test_sixteen_bits_are_the_same_grey(pixels: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(decode_image(sixteen_bit_png(pixels), LIMIT).pixels, pixels)


@given(colours, st.sampled_from(list(LOSSLESS)))
@many
def test_colours_become_their_grey(pixels: NDArray[np.uint8], image_format: str) -> None:
    assume(np.ptp(luma(pixels)) >= VISIBLE)
    data = encode(pixels, image_format, **LOSSLESS[image_format])
    np.testing.assert_allclose(decode_image(data, LIMIT).pixels, luma(pixels), atol=1.5)
    np.testing.assert_array_equal(decode_colour(data, LIMIT), pixels)


@given(colours_with_alpha, st.sampled_from(["PNG", "TIFF", "WEBP"]))
@many
def test_what_is_transparent_is_white_paper(pixels: NDArray[np.uint8], image_format: str) -> None:
    alpha = pixels[..., 3].astype(np.float64) / 255
    on_white = luma(pixels) * alpha + 255 * (1 - alpha)
    assume(np.ptp(on_white) >= VISIBLE)
    decoded = decode_image(encode(pixels, image_format, **LOSSLESS[image_format]), LIMIT).pixels
    np.testing.assert_allclose(decoded, on_white, atol=2.5)


@given(greys, st.integers(1, 8), st.sampled_from(["PNG", "TIFF"]))
@many
def test_a_turned_image_is_put_upright(pixels: NDArray[np.uint8], orientation: int, image_format: str) -> None:
    image = decode_image(with_orientation(pixels, orientation, image_format), LIMIT)
    np.testing.assert_array_equal(image.pixels, pixels)
    assert image.size == ImageSize(pixels.shape[1], pixels.shape[0])
    assert image.pixels.flags.c_contiguous


@given(greys, st.integers(1, 100), st.booleans())
@many
def test_a_jpeg_is_near_what_it_shows(pixels: NDArray[np.uint8], quality: int, progressive: bool) -> None:
    """Of any quality: the size is right, and the mean grey is."""
    image = decode_image(encode(pixels, "JPEG", quality=quality, progressive=progressive), LIMIT)
    assert image.pixels.shape == pixels.shape
    if quality >= 90:
        assert abs(float(image.pixels.mean()) - float(pixels.mean())) < 8


@given(greys, st.integers(1, 1600), st.sampled_from([*LOSSLESS, "GIF", "JPEG"]))
@many
def test_the_limit_of_pixels_holds(pixels: NDArray[np.uint8], limit: int, image_format: str) -> None:
    data = encode(pixels, image_format)
    if pixels.size <= limit:
        assert decode_image(data, limit).pixels.size <= limit
    else:
        with pytest.raises(ImageTooLarge):
            decode_image(data, limit)


@given(greys, st.sampled_from([*LOSSLESS, "GIF", "JPEG"]), st.data())
@many
def test_a_file_cut_short_is_never_something_else(
    pixels: NDArray[np.uint8], image_format: str, data: st.DataObject
) -> None:
    """It is refused, or so little is missing that the pixels are all there."""
    whole = encode(pixels, image_format, **LOSSLESS.get(image_format, {}))
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    try:
        image = decode_image(cut, LIMIT)
    except InputError:
        return
    np.testing.assert_array_equal(image.pixels, decode_image(whole, LIMIT).pixels)


@given(greys, st.binary(max_size=100), st.sampled_from([*LOSSLESS, "GIF", "JPEG"]))
@many
def test_what_follows_an_image_is_nothing(pixels: NDArray[np.uint8], tail: bytes, image_format: str) -> None:
    whole = encode(pixels, image_format, **LOSSLESS.get(image_format, {}))
    np.testing.assert_array_equal(decode_image(whole + tail, LIMIT).pixels, decode_image(whole, LIMIT).pixels)


@given(greys)
@many
def test_the_same_picture_is_the_same_in_colour(pixels: NDArray[np.uint8]) -> None:
    assume(pixels.size > 1)
    for image in (
        Image.fromarray(pixels),
        Image.fromarray(pixels).convert("RGB"),
        Image.fromarray(pixels).convert("P"),
    ):
        data = encode(image)
        colour = decode_colour(data, LIMIT)
        np.testing.assert_allclose(luma(colour), decode_image(data, LIMIT).pixels, atol=1.5)
