"""Grey image → its lines of digits, in reading order, each as a line reader takes it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from app.domain import Polarity
from app.imaging.binarise import Ink, find_ink, possible_polarities, unlikely_polarity
from app.imaging.blocks import levelled
from app.imaging.frames import is_frame
from app.imaging.line import (
    LINE_HEIGHT,
    MOST_WIDTH,
    Between,
    LineImage,
    Pieces,
    cut_line,
    pieces_of,
    whole_image,
)
from app.imaging.overlays import find_overlays
from app.imaging.pale import with_pale_ink
from app.imaging.panel import find_panel
from app.imaging.relit import relit_ink
from app.imaging.rows import Row, are_two, parted_at_rows, rows_apart, text_rows, usual_row_height
from app.imaging.segment import Candidate, candidate_views, digit_candidates
from app.imaging.signs import without_signs
from app.imaging.tight import is_one_mark, tight_digit, with_paper_around

# What stands farther apart than this, in digit heights, is two numbers, such as those of two columns.
_COLUMN_GAP = 4.0
# So is what stands on both sides of a gap that all rows of a page share, so wide; there must be so many such rows.
_GUTTER, _LEAST_ROWS = 1.2, 3
# Small print beside large digits, such as the cents of a price, is a number of its own: so many pieces at the end of a
# row, this share of the others' height, their tops as high to this share of it; print is alike to this factor.
_RAISED, _RAISED_HEIGHT, _LEVEL, _SET = (2, 3), (0.3, 0.55), 0.25, 1.12
# A row of which another row's line shows this share is no row of its own, unless it is clearly above or below it.
_SEEN_TWICE = 0.6

# A digit that an image is cropped tight around is as high as this share of the image.
_TIGHT = 0.97
# An image of one line is a strip where it is no higher than so many times what shows the line.
_STRIP = 2.5


@dataclass(frozen=True, slots=True)
class PageView:
    """The lines of an image, seen in one way. `rivalled`: the next one may be right, however sure this one is.

    `joined`: as a display, with pieces joined that may be digits of several rows; the next one is without.
    `in_one_light`: as if no shadow lay across it; what was seen before may have been the edge of one.
    `over_picture`: in a picture much stands in rows, so that what is read there may be none of its writing, or a part.
    """

    lines: list[LineImage]
    rivalled: bool = False
    joined: bool = False
    in_one_light: bool = False
    over_picture: bool = False


def page_views(grey: NDArray[np.uint8], polarity: Polarity, most_digits: int) -> Iterator[PageView]:
    """The lines of an image, (h, w) uint8, in each way that it may be seen, the likelier ways first.

    Blocks of another grey come first, if there are any, with what stands on them and beside them; then writing much
    paler than other writing, if there is any, with that. What may be a display is seen as one, then as any other page;
    in between, where the edge of a shadow lies across it, in one light. Then under the other polarity, where the grey
    levels leave a doubt; then those of a panel that stands out from the image; then under the other polarity, where
    light or shadow may look like ink; then as one digit that the image was cropped tight around, from top to bottom;
    last what is written over a picture. What looks like an empty cell has no lines, unless it is such a digit.
    Which of them shows digits is for a reader to say; those that it does not ask for are not made.
    """
    level = levelled(grey, polarity)
    if level is not None:
        lines = page_lines(level, Polarity.DARK_ON_LIGHT, most_digits)
        yield PageView(lines, rivalled=True)  # edges are wiped
        if not lines:  # there is nothing but the block
            return
    likely = possible_polarities(grey, polarity)
    likeliest = find_ink(grey, likely[0])
    if is_frame(likeliest):
        yield PageView([])
    else:
        paler = with_pale_ink(likeliest)
        if paler is not None:
            yield PageView(_lines_of(paler, digit_candidates(paler, most_digits)), rivalled=True)
        even = None if polarity is Polarity.LIGHT_ON_DARK else relit_ink(grey)
        # Light ink is as light that falls on the page; dark ink is not as a shadow.
        shadowed = even is not None and likely[0] is Polarity.DARK_ON_LIGHT
        views = list(candidate_views(likeliest, most_digits))
        for candidates in views:
            joined = candidates is not views[-1]
            yield PageView(_lines_of(likeliest, candidates), rivalled=shadowed, joined=joined and even is None)
            if even is not None:
                yield PageView(_lines_of(even, digit_candidates(even, most_digits)), in_one_light=shadowed)
                even, shadowed = None, False
        for one in likely[1:]:
            yield PageView(page_lines(grey, one, most_digits))
        panel = find_panel(grey)
        if panel is not None:
            for one in possible_polarities(panel.pixels, polarity):
                lines = page_lines(panel.pixels, one, most_digits)
                yield PageView([line.within(panel.to_image, grey.shape) for line in lines])
        unlikely = unlikely_polarity(grey) if polarity is Polarity.AUTO else None
        if unlikely is not None:
            yield PageView(page_lines(grey, unlikely, most_digits))
    for one in likely if is_one_mark(likeliest) else ():
        around = with_paper_around(grey, one)
        found = tight_digit(around, grey.shape, one)
        if found is not None and found.box.height >= _TIGHT * grey.shape[0]:
            lines = page_lines(around.pixels, one, most_digits)
            yield PageView([replace(line.within(around.to_image, grey.shape), lone=True) for line in lines])
    for overlay in find_overlays(grey, polarity):
        lines = _lines_of(overlay.ink, digit_candidates(overlay.ink, most_digits))
        yield PageView([line.within(overlay.to_image, grey.shape) for line in lines], over_picture=True)


def page_lines(grey: NDArray[np.uint8], polarity: Polarity, most_digits: int) -> list[LineImage]:
    """The lines of an image, (h, w) uint8, from top to bottom, and from left to right where some stand side by side.

    Empty where there is no ink. Where nothing of the ink may be a digit, the line is all of the image. At most
    `most_digits` pieces of ink, the tallest, are looked at as digits.
    """
    ink = find_ink(grey, polarity)
    return _lines_of(ink, digit_candidates(ink, most_digits))


def _lines_of(ink: Ink, candidates: list[Candidate]) -> list[LineImage]:
    """The lines of an image's candidates; there are none where its ink is no digit's, or it has no ink."""
    if not candidates:
        return [whole_image(ink)] if ink.mask.any() else []
    ink, candidates = without_signs(ink, candidates)
    if not candidates:
        return []
    rows = text_rows(parted_at_rows(candidates), ink.mask.shape[0])
    gutters = _gutters(rows)
    whole = cache(partial(pieces_of, ink))  # where rows lie one under the other, nobody asks for them

    @cache
    def cut(index: int) -> list[LineImage]:
        return _cut_row(ink, rows[index], whole(), gutters)

    kept = _seen_once(rows, cut)
    if len(kept) > 1:
        parted = rows_apart(ink, [rows[index] for index in kept])
        return [line for own, row, pieces in parted for line in _cut_row(own, row, pieces, gutters)]
    lines = cut(kept[0])
    if len(lines) == 1 and ink.mask.shape[0] <= _STRIP * lines[0].height:
        return [replace(lines[0], strip=ink)]
    return lines


def _cut_row(ink: Ink, row: Row, pieces: Pieces, gutters: Sequence[float]) -> list[LineImage]:
    return [cut_line(ink, part, pieces, between) for part, between in _numbers(row, ink.mask.shape[1], gutters)]


def _seen_once(rows: Sequence[Row], cut: Callable[[int], list[LineImage]]) -> list[int]:
    """The indices of the rows without those whose lines, `cut`, lie within those of another one that has more ink.

    Both would say the same digits. Rows one under the other are two, though each one's lines show much of the other.
    """
    kept: list[int] = []
    for index in sorted(range(len(rows)), key=lambda i: -sum(one.ink.size for one in rows[i])):
        near = [other for other in kept if not are_two(rows[index], rows[other])]
        others = [line for other in near for line in cut(other)]
        if not others or not all(any(_within(line, other) for other in others) for line in cut(index)):
            kept.append(index)
    return sorted(kept)


def _within(line: LineImage, other: LineImage) -> bool:
    """Whether another line shows most of the height of this one where its pieces are."""
    middle = float(np.mean([piece.middle for piece in line.pieces]))
    ends = line.to_image @ np.array([[middle, middle], [0.0, LINE_HEIGHT], [1.0, 1.0]])
    x, y = np.linalg.solve(other.to_image[:, :2], ends - other.to_image[:, 2:])
    seen = min(y.max(), LINE_HEIGHT) - max(y.min(), 0.0)
    return bool(seen > _SEEN_TWICE * np.ptp(y) and 0 <= x.mean() <= other.pixels.shape[1])


def _gutters(rows: Sequence[Row]) -> list[float]:
    """The middles of the gaps between columns: where no row has anything, and several have something on both sides."""
    if len(rows) < _LEAST_ROWS:
        return []
    least = _GUTTER * float(np.median([usual_row_height(row) for row in rows]))
    pieces = sorted((one.box.left, one.box.right) for row in rows for one in row)
    ends = [(row[0].box.left, max(one.box.right for one in row)) for row in rows]
    gutters, right = [], pieces[0][1]
    for left, other in pieces:
        middle = (right + left) / 2
        if left - right >= least and sum(first < middle < last for first, last in ends) >= _LEAST_ROWS:
            gutters.append(middle)
        right = max(right, other)
    return gutters


def _numbers(row: Row, width: int, gutters: Sequence[float]) -> Iterator[tuple[Row, Between | None]]:
    """The numbers of a row: parted at gutters, where a gap is wide, and where they are too long for one line."""
    height = usual_row_height(row)
    cuts = [0, *sorted({*_wide_gaps(row, height), *_at_gutters(row, gutters), *_raised(row)}), len(row)]
    parts = [row[start:end] for start, end in itertools.pairwise(cuts)]
    parts = [shorter for part in parts for shorter in _short_enough(part, height)]
    edges = [0.0, *((one[-1].box.right + other[0].box.left) / 2 for one, other in itertools.pairwise(parts))]
    edges.append(float(width))
    for index, part in enumerate(parts):
        yield part, None if len(parts) == 1 else (edges[index], edges[index + 1])


def _wide_gaps(row: Row, height: float) -> list[int]:
    """Before which pieces of a row there is so much paper that another number begins."""
    right, gaps = row[0].box.right, []
    for index, one in enumerate(row):
        if one.box.left - right > _COLUMN_GAP * height:
            gaps.append(index)
        right = max(right, one.box.right)
    return gaps


def _at_gutters(row: Row, gutters: Sequence[float]) -> list[int]:
    """Before which pieces of a row, but for its first, there is a gutter."""
    columns = np.searchsorted(gutters, [one.box.left for one in row])
    return [index for index in range(1, len(row)) if columns[index] > columns[index - 1]]


def _raised(row: Row) -> list[int]:
    """Before which piece of a row raised small print begins, if it ends in some."""
    tops, heights = np.array([(one.box.top, one.box.height) for one in row]).T
    if heights.min() > _RAISED_HEIGHT[1] * heights.max():
        return []
    for count in _RAISED:
        large, small = heights[:-count], heights[-count:]
        if not large.size or max(large.max() / large.min(), small.max() / small.min()) > _SET:
            continue
        away = abs(float(tops[:-count].mean() - tops[-count:].mean())) / float(large.mean())
        if _RAISED_HEIGHT[0] <= small.mean() / large.mean() <= _RAISED_HEIGHT[1] and away <= _LEVEL:
            return [len(row) - count]
    return []


def _short_enough(part: Row, height: float) -> list[Row]:
    """Parts that no reader's line need be squeezed for, cut at the widest gap of the middle half."""
    long = part[-1].box.right - part[0].box.left
    if len(part) < 4 or long * 0.7 * LINE_HEIGHT <= MOST_WIDTH * height:
        return [part]
    quarter = len(part) // 4
    middle = range(max(1, quarter), len(part) - quarter)
    cut = max(middle, key=lambda i: part[i].box.left - part[i - 1].box.right)
    return [*_short_enough(part[:cut], height), *_short_enough(part[cut:], height)]
