"""Ink → candidate digits: the pieces of ink that may each be one digit.

The reference notebook took external contours of a dilated edge map. Connected components of the ink mask are the same
regions, but a frame drawn around digits does not swallow them, and each carries its own pixels, so that a neighbour
that reaches into a digit's box is left out of its glyph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.domain import BoundingBox, Polarity
from app.imaging.binarise import Ink, faint_ink, find_ink, ink_of, possible_polarities
from app.imaging.components import AREA, HEIGHT, LEFT, TOP, WIDTH, Components, chosen, masked
from app.imaging.displays import joined_parts
from app.imaging.enclosures import circles, enclosures
from app.imaging.frames import MIN_AREA, SPECK_SHARE, barred, frame_pieces, in_edge_band, is_round, spans_a_side
from app.imaging.medians import usual_height
from app.imaging.reading_order import reading_order

# What lies along a frame's line with this share of its pixels is what is left of it.
_ALONG_SHARE = 0.8
# Along a stroke's edge, ink changes within two pixels by at least this share of its strength there.
_MIN_EDGE_STEP = 0.2
# A page with more pieces of ink than this is grain, not writing: a page of text has a few thousand.
_MOST_PIECES = 20_000
# A rule is at least this many times as long as it is thick; a 1 drawn with a ruler is about 12.
_RULE_ELONGATION = 15.0
# On a line of digits, what is lower than this share of their usual height is a point, a comma or a dash.
_MIN_RELATIVE_HEIGHT = 0.4
# On a page, what is lower than this share of the tall components' height is a speck.
_MIN_PAGE_HEIGHT = 0.2

# But for what is at least so many pixels high, of which there are so many that are alike: smaller print.
_LEAST_PRINT, _LEAST_PRINTED = 8, 3
# A piece so many times as high as the usual one is digits of two rows, which touch, or no digit.
_TALLER = 1.6
# Digits of one page are alike in height to this factor.
_ALIKE = 1.25
# A pixel and its eight neighbours; and theirs.
NEIGHBOURS, _NEAR = np.ones((3, 3), np.uint8), np.ones((5, 5), np.uint8)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may be one digit.

    `box`: of its ink, in pixels of the working image. `ink`: (box.height, box.width) uint8, its own ink alone.
    """

    box: BoundingBox
    ink: NDArray[np.uint8]

    @property
    def place(self) -> tuple[slice, slice]:
        """The rows and columns of its box."""
        return slice(self.box.top, self.box.bottom), slice(self.box.left, self.box.right)


def wipe(candidates: Iterable[Candidate], *images: NDArray[np.uint8]) -> None:
    """Takes the ink of some candidates out of images, (h, w), in place."""
    for one in candidates:
        for pixels in images:
            pixels[one.place][one.ink > 0] = 0


def single_digit(ink: Ink) -> Candidate | None:
    """The one digit of an image: all its ink but frames at the edges, specks and neighbours cut by the edge.

    None where there is no ink.
    """
    ring = circles(ink.components)
    if ring.any():  # around a digit that is circled
        ring_pixels = cv2.dilate(ink.components.mask_of(ring), NEIGHBOURS).astype(np.uint8, copy=False)
        ink = ink_of(ink.strength & ~ring_pixels)
    kept = np.arange(1, len(ink.components.stats))
    frame = frame_pieces(ink.components)
    if frame.any():
        # A black frame sets the threshold too high for a faint digit inside it: look again without the frame.
        frame_mask = ink.components.mask_of(frame)
        frame_pixels = cv2.dilate(frame_mask, NEIGHBOURS).astype(np.uint8, copy=False)
        unframed = ink_of(ink.strength & ~frame_pixels)
        outside = in_edge_band(unframed.components) | _along(unframed.components, frame_pixels)
        inside = np.flatnonzero(~outside[1:]) + 1
        if inside.size:
            ink, kept = unframed, inside
        elif spans_a_side(frame_pixels) and not is_round(frame_mask):
            return None
    areas = ink.components.stats[kept, AREA]
    kept = kept[areas >= max(MIN_AREA, SPECK_SHARE * areas.max(initial=0))]
    if not kept.size:
        return None
    if kept.size > 1:
        kept = kept[_belongs_to_main(ink.components, kept)]
    return _whole_digit(ink, kept)


def _along(components: Components, frame_pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which components, by label, are the edge of a frame's line, whose pixels, (h, w), are no longer among them."""
    near = cv2.dilate(frame_pixels, _NEAR)
    count = len(components.stats)
    pixels = np.bincount(components.labels[near > 0], minlength=count)
    return np.asarray(pixels >= _ALONG_SHARE * components.stats[:, AREA])


def digits_by_polarity(grey: NDArray[np.uint8], polarity: Polarity = Polarity.AUTO) -> list[tuple[Polarity, Candidate]]:
    """The one digit of an image, (h, w) uint8, under each polarity that it may have, the likelier first.

    Two where the grey levels leave a doubt: which one is a digit is for the model to say. Empty where the likelier
    polarity finds no ink.
    """
    found: list[tuple[Polarity, Candidate]] = []
    for one in possible_polarities(grey, polarity):
        candidate = single_digit(find_ink(grey, one))
        if candidate is None:
            break
        found.append((one, candidate))
    return found


def digit_candidates(ink: Ink, limit: int) -> list[Candidate]:
    """Every piece of ink that may be a digit of a number, in no particular order, `limit` at most (the tallest).

    None of a page of grain. Frames at the edges, rules, and specks much lower than the rest are left out; pieces of a
    broken stroke that lie above one another are joined, and so are the parts of a display's digits.
    """
    return next(candidate_views(ink, limit))


def candidate_views(ink: Ink, limit: int) -> Iterator[list[Candidate]]:
    """The candidates of ink that may be a display, and then, where parts were joined for that, without."""
    components = ink.components
    groups = _pieces(ink, limit)
    joined = joined_parts(components, groups)
    for view in (joined, groups) if len(joined) < len(groups) else (joined,):
        candidates = [_candidate(components, ink.strength, group) for group in view]
        kept: list[Candidate] = []
        for line in reading_order([candidate.box for candidate in candidates]):
            on_line = [candidates[index] for index in line]
            usual = usual_height(np.array([candidate.box.height for candidate in on_line]))
            kept += [candidate for candidate in on_line if candidate.box.height >= _MIN_RELATIVE_HEIGHT * usual]
        yield sorted(kept, key=lambda candidate: -candidate.box.height)[:limit]


def _pieces(ink: Ink, limit: int) -> list[list[int]]:
    """The components that may be digits, by their labels, those together that are pieces of a broken stroke."""
    if not ink.mask.any():
        return []
    components = ink.components
    stats = components.stats
    width, height = stats[:, WIDTH], stats[:, HEIGHT]
    longer, shorter = np.maximum(width, height), np.maximum(1, np.minimum(width, height))
    usable = stats[:, AREA] >= MIN_AREA
    usable &= (longer < _RULE_ELONGATION * shorter) | (longer < 8)
    usable[0] = False
    if np.count_nonzero(usable) > _MOST_PIECES:
        return []
    usable &= ~enclosures(components) & sharp(ink)
    frame = frame_pieces(components)
    inner = usable & ~frame
    if (usable & frame).any():
        inner |= usable & _cropped_tight(components, inner)
    labels = np.flatnonzero(inner if inner.any() else usable)
    if not labels.size:
        return []
    tall = usual_height(height[labels])
    labels = labels[(height[labels] >= max(3.0, _MIN_PAGE_HEIGHT * tall)) | in_small_print(height[labels])]
    return _joined(components, labels[np.argsort(-height[labels], kind="stable")][: 2 * limit])


def in_small_print(heights: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which of some pieces, (n,), are as high as several others: a date below a clock, cents beside a price."""
    ordered = np.sort(heights)
    alike = ordered.searchsorted(heights * _ALIKE, "right") - ordered.searchsorted(heights / _ALIKE)
    return np.asarray((heights >= _LEAST_PRINT) & (alike >= _LEAST_PRINTED))


def _candidate(components: Components, strength: NDArray[np.uint8], labels: list[int]) -> Candidate:
    """The ink of some components. A pixel more than their mask, since anti-aliasing lies around it."""
    box = components.box(*labels)
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    crop = components.labels[rows, columns]
    own = crop == labels[0] if len(labels) == 1 else chosen(len(components.stats), labels)[crop]
    near = cv2.dilate(own.view(np.uint8), NEIGHBOURS)
    near *= (crop == 0) | own
    return Candidate(box, np.multiply(strength[rows, columns], near, dtype=np.uint8))


def _whole_digit(ink: Ink, kept: NDArray[np.intp]) -> Candidate:
    """The ink of the kept components, at least one, and the fainter ink that they are connected with."""
    digit = _grown(ink, kept)
    box = BoundingBox(*cv2.boundingRect(digit))
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    near = cv2.dilate(digit[rows, columns], NEIGHBOURS)  # a pixel more, as of any candidate
    return Candidate(box, np.bitwise_and(near, ink.strength[rows, columns], dtype=np.uint8))


def _grown(ink: Ink, kept: NDArray[np.intp]) -> NDArray[np.uint8]:
    """The kept components and the fainter ink that they are connected with: (h, w), 255, and 0 elsewhere.

    What runs along the image's edge is not joined by faint ink: a frame, or a neighbour in the next cell.
    """
    components, own, faint = ink.components, ink.mask, faint_ink(ink)
    count = len(components.stats)
    if len(kept) + 1 < count:
        is_own = chosen(count, kept)
        own = components.mask_of(is_own)
        bars = barred(components) & ~is_own
        if bars.any():
            near_barred = cv2.dilate(components.mask_of(bars), NEIGHBOURS).astype(np.uint8, copy=False)
            faint = faint & (~near_barred | own)
    whole_count, found = cv2.connectedComponents(faint, connectivity=8)
    if whole_count == 2:
        return faint
    whole = np.asarray(found, np.int32)
    connected = np.bincount(np.compress((own > 0).ravel(), whole.ravel()), minlength=whole_count) > 0
    return masked(whole, connected)


def _cropped_tight(components: Components, inner: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which components, by label, are as tall as the usual one of the `inner` ones, and touch neither side.

    Digits of the upper and the lower line of a page that is cropped tight: they lie along its edges as a frame does.
    """
    if not inner.any():
        return inner
    stats, usual = components.stats, usual_height(components.stats[inner, HEIGHT])
    alike = (stats[:, HEIGHT] >= usual / _ALIKE) & (stats[:, HEIGHT] <= usual * _ALIKE)
    alike &= stats[:, WIDTH] <= usual
    return np.asarray(alike & (stats[:, LEFT] > 0) & (components.rights < components.labels.shape[1]))


def sharp(ink: Ink, least_step: float = _MIN_EDGE_STEP) -> NDArray[np.bool_]:
    """Which components, by label, have an edge: a stroke's ink ends within pixels, a shade's fades.

    `least_step`: of the ink's strength along its edge, how much is lost within two pixels, 0 to 1.
    """
    components, strength = ink.components, ink.strength
    rim = np.flatnonzero(ink.mask != cv2.erode(ink.mask, NEIGHBOURS))
    labels, count = components.labels.ravel()[rim], len(components.stats)
    steps = cv2.morphologyEx(strength, cv2.MORPH_GRADIENT, NEIGHBOURS)
    step = np.bincount(labels, weights=steps.ravel()[rim], minlength=count)
    level = np.bincount(labels, weights=strength.ravel()[rim], minlength=count)
    return np.asarray(step >= least_step * level)


def _belongs_to_main(components: Components, labels: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Of some components, which belong to the digit: all, but those cut by the edge while the main one is whole."""
    height, width = components.labels.shape
    stats = components.stats[labels]
    centre_x, centre_y = stats[:, LEFT] + stats[:, WIDTH] / 2, stats[:, TOP] + stats[:, HEIGHT] / 2
    off_centre = np.hypot(centre_x / width - 0.5, centre_y / height - 0.5)
    main = int(np.argmax(stats[:, AREA] * (1.0 - off_centre)))
    cut = components.touching_edge()[labels]
    if cut[main]:
        return np.ones(len(labels), bool)
    return np.asarray(~cut)


def _joined(components: Components, labels: NDArray[np.intp]) -> list[list[int]]:
    """Groups of components that are pieces of one digit: above one another, close, together no taller than a digit."""
    stats = components.stats
    order = labels[np.argsort(-stats[labels, HEIGHT], kind="stable")].tolist()
    if not order:
        return []
    heights = stats[order, HEIGHT]
    tallest = int(heights[heights <= _TALLER * usual_height(heights)].max())
    wholes = np.zeros((len(order), 4), np.int64)  # left, top, right and bottom of each group
    groups: list[list[int]] = []
    for label in order:
        left, top, width, height = stats[label, :4].tolist()
        right, bottom = left + width, top + height
        group = (
            None
            if height >= 0.7 * tallest
            else _above_or_below(wholes[: len(groups)], left, top, right, bottom, tallest)
        )
        if group is None:
            wholes[len(groups)] = left, top, right, bottom
            groups.append([label])
        else:
            groups[group].append(label)
            own = wholes[group]
            wholes[group] = min(left, own[0]), min(top, own[1]), max(right, own[2]), max(bottom, own[3])
    return groups


def _above_or_below(
    wholes: NDArray[np.int64], left: int, top: int, right: int, bottom: int, tallest: int
) -> int | None:
    """The first of some groups, (n, 4), that a piece with these edges is one of; None where it is of none."""
    lefts, tops, rights, bottoms = wholes.T
    pieces = np.minimum(right, rights) - np.maximum(left, lefts) >= 0.6 * np.minimum(right - left, rights - lefts)
    pieces &= np.maximum(top, tops) - np.minimum(bottom, bottoms) <= 0.15 * tallest
    pieces &= np.maximum(bottom, bottoms) - np.minimum(top, tops) <= 1.1 * tallest
    return int(pieces.argmax()) if pieces.any() else None
