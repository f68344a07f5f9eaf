"""One digit of a line, as the place reader sees it: its glyph, and the part of the line that it stands in.

A glyph has a digit's form, whatever its size; the line around it has its size, its place, and what is beside it.
Serving and training both go through here.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from app.imaging.digit_spans import Span
from app.imaging.glyph import GLYPH_SIDE, normalise_glyph
from app.imaging.line import LINE_HEIGHT, LinePixels

# Any change to the pixels that come out of here is a new version, as is one of LINE_VERSION or PREPROCESSING_VERSION.
PLACE_VERSION = "1"
# A digit's glyph and its surroundings.
PLACE_CHANNELS = 2

Places = NDArray[np.uint8]


def place_views(pixels: LinePixels, spans: Sequence[Span]) -> Places:
    """The digits of a line, (32, w) uint8, in their spans, as the place reader sees them: (n, 28, 28, 2) uint8."""
    views = np.zeros((len(spans), GLYPH_SIDE, GLYPH_SIDE, PLACE_CHANNELS), np.uint8)
    for view, span in zip(views, spans, strict=True):
        view[:, :, 0] = normalise_glyph(pixels[span.top : span.bottom, span.left : span.right])
        view[:, :, 1] = _surroundings(pixels, span)
    return views


def _surroundings(pixels: LinePixels, span: Span) -> NDArray[np.uint8]:
    """As much of the line about the middle of a span as is as wide as the line is high, (28, 28) uint8."""
    first = round((span.left + span.right - LINE_HEIGHT) / 2)
    left, right = max(first, 0), min(first + LINE_HEIGHT, pixels.shape[1])
    around = np.zeros((LINE_HEIGHT, LINE_HEIGHT), np.uint8)
    around[:, left - first : right - first] = pixels[:, left:right]
    shrunk = cv2.resize(around, (GLYPH_SIDE, GLYPH_SIDE), interpolation=cv2.INTER_AREA)
    return shrunk.astype(np.uint8, copy=False)
