"""What a file claims to be, told by its first bytes."""

from __future__ import annotations

_PREFIXES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", b"II+\0")
# The sizes of header that a BMP may have, and where: a text that begins with the letters BM has none of them there, nor
# four zeros before it.
_BMP_HEADERS, _BMP_HEADER_AT, _RESERVED = (12, 40, 52, 56, 64, 108, 124), 14, slice(6, 10)


def claims_a_served_format(data: bytes) -> bool:
    """Whether the bytes begin as PNG, JPEG, WebP, BMP, TIFF or GIF do, so that what cannot be decoded is damaged.

    A PNM begins with two letters only, as a text may: it claims nothing.
    """
    if data.startswith(b"RIFF"):  # sound and films are RIFF files, too
        return data[8:12] == b"WEBP"
    return data.startswith(_PREFIXES) or (data.startswith(b"BM") and has_bmp_header(data))


def has_bmp_header(data: bytes) -> bool:
    """Whether what follows the letters BM can be a bitmap's header, or as much of one as there is."""
    if len(data) < _BMP_HEADER_AT + 4:
        return len(data) > _RESERVED.start and not any(data[_RESERVED])
    return int.from_bytes(data[_BMP_HEADER_AT : _BMP_HEADER_AT + 4], "little") in _BMP_HEADERS
