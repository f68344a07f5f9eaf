"""What the peers serve: the project's own imaging, network and calibration, with the server around it left out.

The network is the version's flat buffer that is served, on LiteRT with one thread, as the service has it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.calibration import DIGITS, NON_DIGIT, calibrated_probabilities
from app.classifier import GlyphClassifier
from app.imaging.decode import decode_image
from app.imaging.glyph import normalise_glyph
from app.imaging.segment import digits_by_polarity
from app.manifest import open_version

MODELS = Path(__file__).parents[3] / "models"
# As many as the service puts into one batch by default.
MAX_BATCH_SIZE = 64
_MAX_PIXELS = 40_000_000


class Network:
    """The network of the latest version and its calibration, warm."""

    def __init__(self) -> None:
        cv2.setNumThreads(1)  # as in the service
        version = open_version(MODELS, "digits", "latest")
        self._classifier = GlyphClassifier(version.files.served.read_bytes(), version.files.served)
        self._temperature = version.manifest.temperature

    def answers(self, glyphs: NDArray[np.uint8]) -> list[dict[str, Any]]:
        """The answer for each of (n, 28, 28) glyphs: digit and probabilities, as the service gives them."""
        probabilities = calibrated_probabilities(self._classifier.logits(glyphs), self._temperature)
        return [
            {
                "digit": int(row[:DIGITS].argmax()),
                "probabilities": row[:DIGITS].tolist(),
                "non_digit_probability": float(row[NON_DIGIT]),
            }
            for row in probabilities
        ]


def glyph(data: bytes) -> NDArray[np.uint8]:
    """The glyph, (28, 28), of an image file that shows a digit of one clear polarity."""
    image = decode_image(data, _MAX_PIXELS)
    _, candidate = digits_by_polarity(image.pixels)[0]
    return normalise_glyph(candidate.ink)
