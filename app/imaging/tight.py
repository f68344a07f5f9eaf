"""One digit that an image is cropped tight around: seen as if there were paper around, it is no frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from app.domain import BoundingBox, Polarity
from app.imaging.binarise import Ink, find_ink, possible_polarities
from app.imaging.frames import EDGE_BAND, large_pieces
from app.imaging.segment import Candidate, sharp, single_digit

# A digit may be written in so many pieces.
_PIECES_OF_A_MARK = 3
# How much paper is put around an image that may be cropped tight, as a share of its longer side; and what share of the
# ink a digit has away from the image's edges.
_PAPER_AROUND = 0.25
_INNER_SHARE = 0.05


def tight_digits(grey: NDArray[np.uint8], polarity: Polarity = Polarity.AUTO) -> list[Candidate]:
    """What `tight_digit` finds under each polarity that an image, (h, w) uint8, may have, the likelier first."""
    return [found for one in possible_polarities(grey, polarity) if (found := tight_digit(grey, one)) is not None]


def is_one_mark(ink: Ink) -> bool:
    """Whether an image shows one mark, in a few pieces at most, that reaches its edge: a frame, or a tight crop.

    What has no ink is a blank page, a shade has no edges, and grain and textures are more pieces.
    """
    pieces = large_pieces(ink)
    if not 0 < np.count_nonzero(pieces) <= _PIECES_OF_A_MARK or not (pieces & ink.components.touching_edge()).any():
        return False
    return bool(sharp(ink)[pieces].all())


def tight_digit(grey: NDArray[np.uint8], polarity: Polarity) -> Candidate | None:
    """The one digit of an image, (h, w) uint8, that is cropped tight around it: seen as if there were paper around.

    Nothing of it is taken for a frame then. None where there is no ink, or next to none away from the image's edges:
    that is a frame after all, or a rule.
    """
    height, width = grey.shape
    around, margin = with_paper_around(grey, polarity)
    found = single_digit(find_ink(around, polarity))
    if found is None:
        return None
    box = found.box
    left, top = max(box.left - margin, 0), max(box.top - margin, 0)
    right, bottom = min(box.right - margin, width), min(box.bottom - margin, height)
    band_y, band_x = margin + max(1, round(EDGE_BAND * height)), margin + max(1, round(EDGE_BAND * width))
    rows = slice(max(band_y - box.top, 0), max(2 * margin + height - band_y - box.top, 0))
    columns = slice(max(band_x - box.left, 0), max(2 * margin + width - band_x - box.left, 0))
    inside = float(found.ink[rows, columns].sum(dtype=np.float64))
    if left >= right or top >= bottom or inside < _INNER_SHARE * float(found.ink.sum(dtype=np.float64)):
        return None
    return Candidate(BoundingBox(left, top, right - left, bottom - top), found.ink)


def with_paper_around(grey: NDArray[np.uint8], polarity: Polarity) -> tuple[NDArray[np.uint8], int]:
    """An image, (h, w) uint8, with a margin of its own paper on every side, and how many pixels wide that is."""
    margin = max(2, round(_PAPER_AROUND * max(grey.shape)))
    level = float(np.percentile(grey, 95 if polarity is Polarity.DARK_ON_LIGHT else 5))
    around = cv2.copyMakeBorder(grey, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=level)
    return np.asarray(around, np.uint8), margin


def reaches_edge(candidate: Candidate, grey: NDArray[np.uint8]) -> bool:
    """Whether a candidate's ink reaches the edge of the image, (h, w), that it was found in."""
    height, width = grey.shape
    box = candidate.box
    return min(box.left, box.top) == 0 or box.right == width or box.bottom == height
