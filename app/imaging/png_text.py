"""PNG without its texts and colour profile, which may be far larger than the image and say nothing of its pixels."""

from __future__ import annotations

import zlib

from app.errors import CorruptImage

SIGNATURE = b"\x89PNG\r\n\x1a\n"

# Pillow goes through these one by one, in Python. Encoders write some hundreds of IDATs.
_MOST_CHUNKS = 50_000
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
# Older programs keep the orientation in a text.
_WITH_ORIENTATION = (b"XML:com.adobe.xmp", b"Raw profile type exif", b"exif")
# Pillow refuses an image for a text that unpacks to more.
_MOST_UNPACKED = 2**20


def without_text(data: bytes) -> bytes:
    """The same image without texts and colour profile, but for those texts that may tell the orientation.

    What is damaged or cut short is left for the decoder to tell. Raises CorruptImage where chunks are without end.
    """
    kept: list[bytes] = []
    start, position = 0, len(SIGNATURE)
    room = _MOST_UNPACKED
    for _ in range(_MOST_CHUNKS):
        kind = data[position + 4 : position + 8]
        end = position + 12 + int.from_bytes(data[position : position + 4])
        if end > len(data) or kind == b"IEND":
            return b"".join((*kept, data[start:]))
        needed = kind != b"iCCP"
        if kind in _TEXTS:
            needed = room > 0 and data.startswith(_WITH_ORIENTATION, position + 8)
            if needed:
                room -= _unpacked_size(kind, data[position + 8 : end - 4])
                needed = room > 0
        if not needed:
            kept.append(data[start:position])
            start = end
        position = end
    raise CorruptImage("The PNG has far more chunks than an image needs. Save it anew.")


def _unpacked_size(kind: bytes, text: bytes) -> int:
    """How many bytes a packed text unpacks to, or _MOST_UNPACKED; 0 of one that is not packed, or is damaged."""
    packed = b""
    if kind == b"zTXt":
        packed = text.partition(b"\0")[2][1:]
    elif kind == b"iTXt":
        _, _, rest = text.partition(b"\0")
        if rest[:1] != b"\0":
            packed = rest[2:].split(b"\0", 2)[-1]
    try:
        return len(zlib.decompressobj().decompress(packed, _MOST_UNPACKED))
    except zlib.error:
        return 0
