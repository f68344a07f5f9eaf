"""One digit that an image is cropped tight around: seen as if there were paper around, it is no frame."""

from __future__ import annotations

from math import ceil, floor
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.domain import BoundingBox, Polarity
from app.imaging.binarise import Ink, find_ink, possible_polarities
from app.imaging.frames import EDGE_BAND, large_pieces
from app.imaging.segment import NEIGHBOURS, Candidate, sharp, single_digit

# A digit may be written in so many pieces.
_PIECES_OF_A_MARK = 3
# A mark that fills an image is in focus: within two pixels of its edge, this share of its strength there is lost.
_LEAST_STEP = 0.3
# … and of a single one more: of 97 digits in tight crops (meters, photos, displays; a trial), all but one lose 0.6
# of it or more, and shades and blurred textures 0.1 to 0.4.
_LEAST_OWN_STEP = 0.45
# So many pixels beside the image's edge are not looked at for that.
_BESIDE_EDGE = 2
# How much paper is put around an image that may be cropped tight, as a share of its longer side; and what share of the
# ink a digit has away from the image's edges.
_PAPER_AROUND = 0.25
_INNER_SHARE = 0.05
# What lies at one side of an image leaves no more than this share of its width free on the other.
_MOST_BESIDE = 0.5
# A larger image is reduced to this longer side: paper around a strip would be a hundred times as large as the strip.
_MOST_SIDE = 320


def tight_digits(grey: NDArray[np.uint8], polarity: Polarity = Polarity.AUTO) -> list[Candidate]:
    """What `tight_digit` finds under each polarity that an image, (h, w) uint8, may have, the likelier first."""
    views = ((one, with_paper_around(grey, one)) for one in possible_polarities(grey, polarity))
    return [found for one, around in views if (found := tight_digit(around, grey.shape, one)) is not None]


def is_one_mark(ink: Ink) -> bool:
    """Whether an image shows one mark, in a few pieces at most, that reaches its edge: a frame, or a tight crop.

    What has no ink is a blank page, a shade has no edges, and grain and textures are more pieces.
    """
    pieces = large_pieces(ink)
    if not 0 < np.count_nonzero(pieces) <= _PIECES_OF_A_MARK or not (pieces & ink.components.touching_edge()).any():
        return False
    return bool(sharp(ink, _LEAST_STEP)[pieces].all())


def tight_digit(around: Around, shape: tuple[int, ...], polarity: Polarity) -> Candidate | None:
    """The one digit of an image of a `shape`, (h, w), that is cropped tight around it, with paper `around`.

    Nothing of it is taken for a frame then. None where there is no ink, or next to none away from the image's edges, or
    only beside one of them: that is a frame after all, or a rule; nor where the ink only fades. A large image is seen
    reduced, and so is the candidate's ink.
    """
    ink = find_ink(around.pixels, polarity)
    found = single_digit(ink)
    if found is None or not _ends_within(ink, around.margin):
        return None
    box, margin = found.box, around.margin
    height, width = (side - 2 * margin for side in around.pixels.shape)
    band_y, band_x = margin + max(1, round(EDGE_BAND * height)), margin + max(1, round(EDGE_BAND * width))
    rows = slice(max(band_y - box.top, 0), max(2 * margin + height - band_y - box.top, 0))
    columns = slice(max(band_x - box.left, 0), max(2 * margin + width - band_x - box.left, 0))
    beside = sorted((box.left - margin, margin + width - box.right))
    if beside[0] <= _BESIDE_EDGE and beside[1] > _MOST_BESIDE * width:
        return None
    inside = float(found.ink[rows, columns].sum(dtype=np.float64))
    corners = around.to_image @ [[box.left, box.right], [box.top, box.bottom], [1, 1]]
    left, top = (max(floor(low), 0) for low in corners[:, 0].tolist())
    right, bottom = (min(ceil(high), side) for high, side in zip(corners[:, 1].tolist(), shape[::-1], strict=True))
    if left >= right or top >= bottom or inside < _INNER_SHARE * float(found.ink.sum(dtype=np.float64)):
        return None
    return Candidate(BoundingBox(left, top, right - left, bottom - top), found.ink)


def _ends_within(ink: Ink, margin: int) -> bool:
    """Whether what an image shows, with paper around, has edges of its own: a stroke's ink ends, a shade fades.

    At the image's edge the paper makes an edge of anything: only what lies away from it tells, if something does.
    """
    inside = slice(margin + _BESIDE_EDGE, -margin - _BESIDE_EDGE)
    rim = (ink.mask != cv2.erode(ink.mask, NEIGHBOURS))[inside, inside]
    steps = cv2.morphologyEx(ink.strength, cv2.MORPH_GRADIENT, NEIGHBOURS)[inside, inside][rim]
    strength = ink.strength[inside, inside][rim].sum(dtype=np.float64)
    return bool(steps.sum(dtype=np.float64) >= _LEAST_OWN_STEP * strength)


class Around(NamedTuple):
    """An image with a margin of its own paper on every side, `margin` pixels wide; large ones are reduced.

    `pixels`: (h, w) uint8. `to_image`: (2, 3), takes a point of them to the image's.
    """

    pixels: NDArray[np.uint8]
    margin: int
    to_image: NDArray[np.float64]


def with_paper_around(grey: NDArray[np.uint8], polarity: Polarity) -> Around:
    """An image, (h, w) uint8, as if it were not cropped tight."""
    height, width = grey.shape
    scale = min(1.0, _MOST_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = grey if scale == 1.0 else cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    margin = max(2, round(_PAPER_AROUND * max(size)))
    level = float(np.percentile(small, 95 if polarity is Polarity.DARK_ON_LIGHT else 5))
    pixels = cv2.copyMakeBorder(small, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=level)
    across, down = width / size[0], height / size[1]
    to_image = np.array([[across, 0.0, -margin * across], [0.0, down, -margin * down]])
    return Around(np.asarray(pixels, np.uint8), margin, to_image)


def reaches_edge(candidate: Candidate, grey: NDArray[np.uint8]) -> bool:
    """Whether a candidate's ink reaches the edge of the image, (h, w), that it was found in."""
    height, width = grey.shape
    box = candidate.box
    return min(box.left, box.top) == 0 or box.right == width or box.bottom == height
