"""A reading drawn on its image."""

from __future__ import annotations

import cv2
import numpy as np

from app.domain import Reading
from app.errors import ImageTooLarge
from app.imaging.decode import decode_colour
from app.imaging.scale import reduced

_SURE = (60, 160, 0)
_UNSURE = (0, 90, 230)
# A PNG holds a million pixels a side, as far as OpenCV and browsers go; OpenCV draws with coordinates of 16 bits.
_LONGEST_SIDE = 32_000


def annotated_png(data: bytes, max_pixels: int, reading: Reading) -> bytes:
    """The image with a box around every digit and the digit above it, as a PNG; unsure digits in another colour.

    An image above WORKING_PIXELS or _LONGEST_SIDE is drawn reduced. Raises the errors of `decode_image`, ImageTooLarge
    for a picture that cannot be encoded.
    """
    image = np.ascontiguousarray(reduced(decode_colour(data, max_pixels), _LONGEST_SIDE)[:, :, ::-1])
    scale = image.shape[1] / reading.image.width
    for line in reading.lines:
        for digit in line.digits:
            box, colour = digit.box, _UNSURE if digit.rejected else _SURE
            corner = (round(box.left * scale), round(box.top * scale))
            opposite = (round(box.right * scale), round(box.bottom * scale))
            thickness = max(1, round(box.height * scale / 40))
            cv2.rectangle(image, corner, opposite, colour, thickness)
            size = max(0.35, box.height * scale / 90)
            label = (corner[0], max(round(22 * size), corner[1] - 2 * thickness))
            cv2.putText(image, str(digit.digit), label, cv2.FONT_HERSHEY_SIMPLEX, size, colour, thickness)
    encoded, png = cv2.imencode(".png", image)
    if not encoded:
        raise ImageTooLarge("The image is too large to be drawn on. Ask for application/json.")
    return png.tobytes()
