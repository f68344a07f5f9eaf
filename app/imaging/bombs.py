"""Files that are small and show few pixels, and would yet keep a decoder busy for minutes or fill the memory.

The limits are far above what any encoder writes; they are checked in milliseconds, before a decoder sees the file.
"""

from __future__ import annotations

import re

from app.errors import CorruptImage
from app.imaging import png_text, tiff_directory
from app.imaging.orientation import MOST_EXIF_BYTES

# A scan may be empty, and still the JPEG decoder goes over all pixels for it; encoders write up to 20.
_MOST_SCANS = 100
# Pillow goes through these one by one, in Python. Encoders write tens.
_MOST_SEGMENTS = 2_000
_MOST_PADDING = 65_536

_JPEG = b"\xff\xd8\xff"
_START_OF_SCAN = b"\xff\xda"
_END_OF_IMAGE = 0xD9
_MARKER = re.compile(rb"\xff++([^\x00\xff\xd0-\xd7])")  # not the escaped 0xff of pixels, nor a restart among them
_EXIF = b"\xff\xe1"
_EXIF_HEADER = b"Exif\0\0"
_TIFF = (*tiff_directory.CLASSIC, tiff_directory.BIG, tiff_directory.BIG_BIG_ENDIAN)
_PLAIN_PNM = (b"P1", b"P2", b"P3")
_BILEVEL_PNM = (b"P1", b"P4")
_PNM = (*_PLAIN_PNM, b"P4", b"P5", b"P6", b"Pf")
_COMMENT = re.compile(rb"#[^\r\n]*+[\r\n]?")
_PNM_TOKEN = re.compile(rb"(?:\s++|#[^\r\n]*+[\r\n])*+[^\s#]*+")


def defused(data: bytes) -> bytes:
    """The same image, in bytes that cost a decoder no more than its pixels do.

    Raises CorruptImage where there is no such image, UnsupportedImage where a decoder would take the file for another
    format. What is no image at all is left for the decoder to tell.
    """
    if data.startswith(_JPEG):
        _check_jpeg(data)
    elif data.startswith(png_text.SIGNATURE):
        data = png_text.without_text(data)
    elif data.startswith(_TIFF):
        data = tiff_directory.without_metadata(data)
    elif data[:2] in _PNM:
        if data[:2] in _PLAIN_PNM:  # Pillow copies the rest of the file for each comment
            data = _COMMENT.sub(b"", data)
        _check_pnm_header(data)
    return data


def _check_jpeg(data: bytes) -> None:
    scans = segments = padding = exif = 0
    position = 2
    maybe_many = data.count(_START_OF_SCAN) > _MOST_SCANS  # thumbnails and what follows the image count here, too
    while (marker := _MARKER.search(data, position)) and marker[1][0] != _END_OF_IMAGE:
        if not scans:
            padding += marker.end() - 2 - position
        segments += 1
        scans += marker[0].endswith(_START_OF_SCAN)
        length = int.from_bytes(data[marker.end() : marker.end() + 2])
        if marker[0].endswith(_EXIF) and data.startswith(_EXIF_HEADER, marker.end() + 2):
            exif += length  # Pillow joins these, and reads the resolution
        if scans > _MOST_SCANS or segments > _MOST_SEGMENTS or padding > _MOST_PADDING or exif > MOST_EXIF_BYTES:
            raise CorruptImage("The JPEG has far more parts than an image needs. Save it anew.")
        if scans and not maybe_many:
            return
        position = marker.end() + length


def _check_pnm_header(data: bytes) -> None:
    """Of width, height and, but for bits, the greatest level, with the spaces and comments before them."""
    position = 2
    for _ in range(2 if data[:2] in _BILEVEL_PNM else 3):
        token = _PNM_TOKEN.match(data, position)
        position = token.end() if token else position
    if position > _MOST_PADDING:
        raise CorruptImage("The PNM's header is far longer than an image needs. Save it anew.")
