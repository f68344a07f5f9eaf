"""A contact sheet of what was read wrong."""

from __future__ import annotations

import cv2
import numpy as np

Mistake = tuple[bytes, str, str]


def contact_sheet(wrong: list[Mistake], cell: int = 120, columns: int = 10, most: int = 100) -> bytes:
    """A PNG of an even choice of the mistakes (image, expected, read), each with `expected > read` under it."""
    chosen = wrong[:: max(1, len(wrong) // most)][:most]
    rows = -(-len(chosen) // columns)
    sheet = np.full((rows * (cell + 16), columns * cell, 3), 220, np.uint8)
    for index, (data, expected, text) in enumerate(chosen):
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            continue
        scale = min(cell / image.shape[1], cell / image.shape[0])
        size = (max(1, round(scale * image.shape[1])), max(1, round(scale * image.shape[0])))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        top, left = index // columns * (cell + 16), index % columns * cell
        sheet[top : top + image.shape[0], left : left + image.shape[1]] = image
        label = f"{expected or '-'} > {text or '-'}"
        cv2.putText(sheet, label, (left + 2, top + cell + 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 180), 1)
    return cv2.imencode(".png", sheet)[1].tobytes()
