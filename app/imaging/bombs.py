"""Files that are small and show few pixels, and would yet keep a decoder busy for minutes or fill the memory.

The limits are far above what any encoder writes; they are checked in milliseconds, before a decoder sees the file.
"""

from __future__ import annotations

import re
import struct

from app.errors import CorruptImage

# A scan may be empty, and still the JPEG decoder goes over all pixels for it; encoders write up to 20.
_MOST_SCANS = 100
# Pillow goes through these one by one, in Python. Encoders write tens, and some hundreds of IDATs.
_MOST_SEGMENTS = 2_000
_MOST_CHUNKS = 50_000
_MOST_PADDING = 65_536
# Pillow keeps an object of 300 bytes for each. A page of 40 million pixels has 8,000 rows, or 160,000 tiles of 16 × 16.
_MOST_STRIPS = 200_000

_JPEG = b"\xff\xd8\xff"
_START_OF_SCAN = b"\xff\xda"
_END_OF_IMAGE = 0xD9
_MARKER = re.compile(rb"\xff++([^\x00\xff\xd0-\xd7])")  # not the escaped 0xff of pixels, nor a restart among them
_PNG = b"\x89PNG\r\n\x1a\n"
_TIFF = {b"II*\0": "<", b"MM\0*": ">"}
_STRIP_TAGS = (273, 279, 324, 325)  # where the strips or tiles lie, and their lengths
_PLAIN_PNM = (b"P1", b"P2", b"P3")
_BILEVEL_PNM = (b"P1", b"P4")
_PNM = (*_PLAIN_PNM, b"P4", b"P5", b"P6", b"Pf")
_COMMENT = re.compile(rb"#[^\r\n]*+[\r\n]?")
_PNM_TOKEN = re.compile(rb"(?:\s++|#[^\r\n]*+[\r\n])*+[^\s#]*+")


def defused(data: bytes) -> bytes:
    """The same image, in bytes that cost a decoder no more than its pixels do.

    Raises CorruptImage where there is no such image. What is no image at all is left for the decoder to tell.
    """
    if data.startswith(_JPEG):
        _check_jpeg(data)
    elif data.startswith(_PNG):
        _check_png(data)
    elif data[:4] in _TIFF:
        _check_tiff(data, _TIFF[data[:4]])
    elif data[:2] in _PNM:
        if data[:2] in _PLAIN_PNM:  # Pillow copies the rest of the file for each comment
            data = _COMMENT.sub(b"", data)
        _check_pnm_header(data)
    return data


def _check_jpeg(data: bytes) -> None:
    scans = segments = padding = 0
    position = 2
    maybe_many = data.count(_START_OF_SCAN) > _MOST_SCANS  # thumbnails and what follows the image count here, too
    while (marker := _MARKER.search(data, position)) and marker[1][0] != _END_OF_IMAGE:
        if not scans:
            padding += marker.end() - 2 - position
        segments += 1
        scans += marker[0].endswith(_START_OF_SCAN)
        if scans > _MOST_SCANS or segments > _MOST_SEGMENTS or padding > _MOST_PADDING:
            raise CorruptImage("The JPEG has far more parts than an image needs. Save it anew.")
        if scans and not maybe_many:
            return
        position = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2])


def _check_png(data: bytes) -> None:
    position = len(_PNG)
    for _ in range(_MOST_CHUNKS):
        if position >= len(data) or data[position + 4 : position + 8] == b"IEND":
            return
        position += 12 + int.from_bytes(data[position : position + 4])
    raise CorruptImage("The PNG has far more chunks than an image needs. Save it anew.")


def _check_tiff(data: bytes, order: str) -> None:
    """Of the first page, which alone is read."""
    try:
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, start)
    except struct.error:  # cut short: the decoder says so
        return
    entries = data[start + 2 : start + 2 + 12 * count]
    whole = entries[: len(entries) // 12 * 12]
    if any(tag in _STRIP_TAGS and n > _MOST_STRIPS for tag, _, n, _ in struct.iter_unpack(f"{order}HHII", whole)):
        raise CorruptImage("The TIFF has far more strips than an image needs. Save it anew.")


def _check_pnm_header(data: bytes) -> None:
    """Of width, height and, but for bits, the greatest level, with the spaces and comments before them."""
    position = 2
    for _ in range(2 if data[:2] in _BILEVEL_PNM else 3):
        token = _PNM_TOKEN.match(data, position)
        position = token.end() if token else position
    if position > _MOST_PADDING:
        raise CorruptImage("The PNM's header is far longer than an image needs. Save it anew.")
