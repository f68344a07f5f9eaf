"""Composed lines: digits of one writer, set in a layout, on paper. Every random draw is from the generator given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

import cv2
import numpy as np
from numpy.typing import NDArray

from app.domain import BoundingBox, Polarity
from training.augment import Pixels, Random
from training.lines.allographs import DrawnHand
from training.lines.furniture import ruled
from training.lines.layout import Layout, Mark, placed, turned
from training.lines.numbers import Number
from training.lines.paper import Paper, inked, photographed_line, pictured
from training.lines.shapes import Affine, Shape, affine, chained, draw, shifted
from training.lines.wheels import Counter, strip
from training.lines.writers import Writer

_DRAWN_HEIGHT = 40  # smaller digits are drawn larger, then shrunk
_MOST_SHRUNK = 3
_LABELS = ("R$", "EUR", "kWh", "NR", "Fr", "cm", "DATA", "pts", "TM", "REF", "A", "m", "X", "Euro", "Um")

AnyWriter = Writer | Number | Counter


@dataclass(frozen=True, slots=True)
class ComposedLine:
    """An image of a number, (h, w) uint8, its digits, and each digit's box in reading order.

    `text` has a line feed between lines, as /read answers; `polarity` tells whether ink is the darker.
    """

    image: Pixels
    text: str
    boxes: tuple[BoundingBox, ...]
    polarity: Polarity


def composed(writer: AnyWriter, text: str, layout: Layout, paper: Paper, random: Random) -> ComposedLine:
    """The text, digits with line feeds between lines, as the writer would write it. A number's text is its own."""
    if isinstance(writer, Counter):
        return _counted(writer, text, layout, paper, random)
    if isinstance(writer, Number):
        if text != writer.text:
            raise ValueError(f"the number reads {writer.text}, not {text}")
        pen = layout.pen or writer.pen(random)
        rows = [[Mark(shape, digit) for digit, shape in writer.marks]]
    else:
        pen = layout.pen or writer.pen(random)
        rows = [placed(writer, row, layout, pen, random) for row in text.split("\n")]
    rows = _stacked(rows, layout.leading, random)
    frame = _Frame.around(rows, layout, pen, random)
    print_shapes = _printed(rows, paper, layout, random)
    marks = [mark for row in rows for mark in row]
    if paper.neighbours:
        marks += _neighbours(writer, frame, random)
    ink = frame.drawn([mark.shape for mark in marks], frame.matrix, pen)
    print_ink: Pixels | None = None
    if print_shapes:
        width = paper.rule_width * float(np.exp(random.normal(0, 0.2)))
        print_ink = frame.drawn(print_shapes, frame.print_matrix, width)
    if paper.label:
        print_ink = _labelled(np.zeros_like(ink) if print_ink is None else print_ink, layout.height, random)
    if layout.breaks:
        ink = _broken(ink, frame.boxes, layout, random)
    image = pictured(inked(ink, paper, layout.height, random), print_ink, paper, layout.height, random)
    polarity = Polarity.LIGHT_ON_DARK if paper.inverted else Polarity.DARK_ON_LIGHT
    return ComposedLine(image, text, frame.boxes, polarity)


@dataclass(frozen=True, slots=True)
class _Frame:
    """The crop: its size in pixels, the way into it for writing and for print, and the boxes of the digits."""

    width: int
    height: int
    size: float
    matrix: Affine
    print_matrix: Affine
    boxes: tuple[BoundingBox, ...]

    @classmethod
    def around(cls, rows: Sequence[Sequence[Mark]], layout: Layout, pen: float, random: Random) -> _Frame:
        matrix = turned(layout)
        marks = [mark for row in rows for mark in row]
        radius = pen * layout.height / 2
        spans, digits = [], []
        for mark in marks:
            points = mark.shape.moved(matrix).points()
            grown = radius if mark.shape.ink is None else 0.5
            span = (*(points.min(axis=0) - grown).tolist(), *(points.max(axis=0) + grown).tolist())
            spans.append(span)
            if mark.digit:
                digits.append(span)
        kept = np.array((spans if layout.signs_inside else digits) or spans or [(0, -layout.height, layout.height, 0)])
        left, top, right, bottom = layout.margins
        low = kept[:, :2].min(axis=0) - np.array([left, top]) * layout.height
        high = kept[:, 2:].max(axis=0) + np.array([right, bottom]) * layout.height
        before, after = layout.clipped
        if digits and before:
            low[0] = max(low[0], digits[0][0] + before * (digits[0][2] - digits[0][0]))
        if digits and after:
            high[0] = min(high[0], digits[-1][2] - after * (digits[-1][2] - digits[-1][0]))
        width, height = (max(8, int(v)) for v in np.ceil(high - low))
        boxes = tuple(
            _box(span, width, height) for span in (np.array(digits or np.zeros((0, 4))) - [*low, *low]).tolist()
        )
        print_turn = turned(layout, slanted=False)
        tilt = np.deg2rad(float(random.normal(0, 0.6)))
        print_turn = chained(affine(1, -tilt, tilt, 1), print_turn)
        move = shifted(-float(low[0]), -float(low[1]))
        return cls(width, height, layout.height, chained(move, matrix), chained(move, print_turn), boxes)

    def drawn(self, shapes: Sequence[Shape], matrix: Affine, pen: float) -> Pixels:
        """Shapes as ink, (height, width) uint8; `pen` in digit heights."""
        factor = int(np.clip(np.ceil(_DRAWN_HEIGHT / self.size), 1, _MOST_SHRUNK))
        larger = affine(factor, 0, 0, factor, (factor - 1) / 2, (factor - 1) / 2)
        canvas = np.zeros((self.height * factor, self.width * factor), np.uint8)
        way = chained(larger, matrix)
        draw(canvas, [shape.moved(way) for shape in shapes], pen * self.size * factor)
        if factor == 1:
            return canvas
        return cv2.resize(canvas, (self.width, self.height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _box(span: Sequence[float], width: int, height: int) -> BoundingBox:
    """The pixels that left, top, right and bottom reach into; at least one, within the image."""
    left, top = max(0, min(floor(span[0]), width - 1)), max(0, min(floor(span[1]), height - 1))
    right, bottom = min(ceil(span[2]), width), min(ceil(span[3]), height)
    return BoundingBox(left, top, max(1, right - left), max(1, bottom - top))


def _stacked(rows: list[list[Mark]], leading: float, random: Random) -> list[list[Mark]]:
    """Lines under each other, flush to the left or right or neither."""
    if len(rows) == 1:
        return rows
    flush = random.random()
    ends = [max((float(m.shape.points()[:, 0].max()) for m in row), default=0.0) for row in rows]
    stacked = []
    for index, row in enumerate(rows):
        indent = 0.0 if flush < 0.4 else max(ends) - ends[index]
        if flush > 0.8:
            indent *= float(random.random())
        move = shifted(indent, index * leading)
        stacked.append([Mark(mark.shape.moved(move), mark.digit) for mark in row])
    return stacked


def _printed(rows: Sequence[Sequence[Mark]], paper: Paper, layout: Layout, random: Random) -> list[Shape]:
    if not paper.rules:
        return []
    spans = []
    for mark in (mark for mark in rows[0] if mark.digit):
        x = mark.shape.points()[:, 0]
        spans.append((float(x.min()), float(x.max())))
    baseline = layout.leading * (len(rows) - 1)
    return ruled(paper.rules, spans or [(0.0, 1.0)], baseline, random)


def _neighbours(writer: Writer | Number, frame: _Frame, random: Random) -> list[Mark]:
    """A little of the lines above and below."""
    hand: Writer = DrawnHand() if isinstance(writer, Number) else writer
    inverse = np.linalg.inv(np.vstack([frame.matrix, [0, 0, 1]]))[:2]
    corners = np.array([[0, frame.width, 0, frame.width], [0, 0, frame.height, frame.height]])
    x, y = inverse[:, :2] @ corners + inverse[:, 2:]
    marks = []
    for below in np.flatnonzero(random.random(2) < 0.6):
        visible = float(random.uniform(0.04, 0.3))
        baseline = y[2:].max() - visible + 1.05 if below else y[:2].min() + visible
        text = "".join(str(d) for d in random.integers(10, size=int(random.integers(2, 9))))
        start, step = float(x.min() + random.uniform(-0.5, 1.5)), float(random.uniform(0.6, 0.9))
        for index, shape in enumerate(hand.shapes(text, random)):
            if shape is not None:
                marks.append(Mark(shape.moved(shifted(start + index * step, float(baseline))), ""))
    return marks


def _labelled(print_ink: Pixels, digit: float, random: Random) -> Pixels:
    """With a word in small print near an edge."""
    height, width = print_ink.shape
    word = _LABELS[int(random.integers(len(_LABELS)))]
    size = float(np.clip(digit * random.uniform(0.2, 0.45), 6, 40))
    at_right, at_bottom = random.random(2) < 0.5
    x = round(width - size * 0.8 * len(word)) if at_right else round(random.uniform(-0.3, 0.3) * size)
    y = height - 1 if at_bottom else round(size * random.uniform(0.7, 1.1))
    cv2.putText(
        print_ink, word, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size / 22, 255, max(1, round(size / 14)), cv2.LINE_AA
    )
    return print_ink


def _broken(ink: Pixels, boxes: Sequence[BoundingBox], layout: Layout, random: Random) -> Pixels:
    """Narrow gaps across strokes, as a pen that skips or a poor print leaves them."""
    for box in boxes:
        if random.random() >= layout.breaks:
            continue
        middle = np.array([box.left, box.top]) + random.uniform(0.2, 0.8, 2) * [box.width, box.height]
        angle, reach = random.uniform(0, np.pi), 0.35 * layout.height
        way = np.array([np.cos(angle), np.sin(angle)]) * reach
        ends = np.rint(np.stack([middle - way, middle + way])).astype(np.int32)
        width = max(1, round(layout.height * random.uniform(0.03, 0.09)))
        cv2.polylines(ink, [ends[:, None]], False, 0, width, cv2.LINE_AA)
    return ink


def _counted(counter: Counter, text: str, layout: Layout, paper: Paper, random: Random) -> ComposedLine:
    """A counter's strip, turned and stretched, with something dark, grey or like itself around it."""
    picture = strip(counter, text, layout.height, random)
    high, wide = picture.pixels.shape
    matrix = chained(turned(layout, slanted=False), affine(1 / layout.height, 0, 0, 1 / layout.height))
    corners = matrix[:, :2] @ np.array([[0, wide, 0, wide], [0, 0, high, high]], np.float64)
    left, top, right, bottom = layout.margins
    low = corners.min(axis=1) - np.array([left, top]) * layout.height
    high = corners.max(axis=1) + np.array([right, bottom]) * layout.height
    ends = [(digit[0][0], digit[1][0]) for digit in (_span(box, matrix) for box in picture.boxes[[0, -1]])]
    before, after = layout.clipped
    if before:
        low[0] = max(low[0], ends[0][0] + before * (ends[0][1] - ends[0][0]))
    if after:
        high[0] = min(high[0], ends[1][1] - after * (ends[1][1] - ends[1][0]))
    size = np.maximum(8, np.ceil(high - low)).astype(int)
    matrix = chained(shifted(-float(low[0]), -float(low[1])), matrix)
    around = float(random.choice([random.uniform(0, 40), random.uniform(40, 230), float(picture.pixels.mean())]))
    image = cv2.warpAffine(
        picture.pixels, matrix, (int(size[0]), int(size[1])), flags=cv2.INTER_LINEAR, borderValue=around
    ).astype(np.float32)
    if paper.gradient:
        image *= np.linspace(1 - paper.gradient, 1 + paper.gradient, int(size[0]), dtype=np.float32)
    spans = [_span(box, matrix) for box in picture.boxes]
    boxes = [_box((*near, *far), int(size[0]), int(size[1])) for near, far in spans]
    image = 255 - image if paper.inverted else image
    polarity = counter.polarity.reversed if paper.inverted else counter.polarity
    return ComposedLine(photographed_line(image, paper, layout.height, random), text, tuple(boxes), polarity)


def _span(box: NDArray[np.float64], matrix: Affine) -> tuple[list[float], list[float]]:
    """The least and the most x and y of a box's corners (left, top, right, bottom) where the matrix puts them."""
    x0, y0, x1, y1 = box.tolist()
    corners = matrix[:, :2] @ np.array([[x0, x1, x0, x1], [y0, y0, y1, y1]]) + matrix[:, 2:]
    return corners.min(axis=1).tolist(), corners.max(axis=1).tolist()
