"""Logits of the lines of an image → what they say: text, confidences, boxes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.ctc import Decoded, decoded, log_probabilities, nothing_log_probability
from app.domain import BoundingBox, DigitReading, LineReading
from app.imaging.digit_spans import digit_spans
from app.imaging.line import STEP_WIDTH, LineImage

Boxed = Callable[[BoundingBox], BoundingBox]


@dataclass(frozen=True, slots=True)
class PageText:
    """What the lines of an image say."""

    lines: tuple[LineImage, ...]
    texts: tuple[Decoded, ...]

    @property
    def confidence(self) -> float:
        """The probability that all of it is right, what says nothing too."""
        return math.prod(text.probability for text in self.texts)

    @property
    def surety(self) -> float:
        """How sure a line is, on the average: the geometric mean of their probabilities; 1 without lines."""
        logs = [math.log(max(text.probability, 1e-300)) for text in self.texts]
        return math.exp(sum(logs) / max(1, len(logs)))

    @property
    def says_nothing(self) -> bool:
        return not any(text.text for text in self.texts)


def page_text(
    lines: Sequence[LineImage],
    logits: Sequence[NDArray[np.float32]],
    temperature: float,
    least_odds: float = 1.0,
    expected_length: int | None = None,
) -> PageText:
    """What the logits, (t, 11) each, of some lines say.

    A text that is not `least_odds` times as probable as that there is no digit is none: letters and textures are like
    a digit here and there. With `expected_length`, where they do not have so many digits together: the line that says
    so many most probably, and no other.
    """
    texts = [_text_or_nothing(own, temperature, least_odds) for own in logits]
    if expected_length is not None and texts and sum(len(text.text) for text in texts) != expected_length:
        hinted = [decoded(own, temperature, expected_length) for own in logits]
        likeliest = max(range(len(texts)), key=lambda i: (_says(hinted[i], expected_length), hinted[i].probability))
        lines, texts = [lines[likeliest]], [hinted[likeliest]]
    return PageText(tuple(lines), tuple(texts))


def _text_or_nothing(logits: NDArray[np.float32], temperature: float, least_odds: float) -> Decoded:
    found = decoded(logits, temperature)
    nothing = math.exp(nothing_log_probability(log_probabilities(logits, temperature)))
    if not found.text or found.probability >= least_odds * nothing:
        return found
    return Decoded("", nothing / (nothing + found.probability), ())


def _says(text: Decoded, length: int) -> bool:
    return len(text.text) == length


def line_readings(page: PageText, threshold: float, boxed: Boxed, most_digits: int) -> tuple[LineReading, ...]:
    """The lines that say something. `boxed` takes a box of the working image to that of the image as sent.

    A digit with a confidence under `threshold` is rejected. What is after the first `most_digits` is left out.
    """
    readings = []
    left = most_digits
    for line, text in zip(page.lines, page.texts, strict=True):
        if text.digits and left > 0:
            readings.append(_line_reading(line, replace(text, digits=text.digits[:left]), threshold, boxed))
            left -= len(text.digits)
    return tuple(readings)


def _line_reading(line: LineImage, text: Decoded, threshold: float, boxed: Boxed) -> LineReading:
    spans = digit_spans(line.pixels, [STEP_WIDTH * (digit.first + digit.last) / 2 for digit in text.digits])
    boxes = [boxed(line.box(span.left, span.right, span.top, span.bottom)) for span in spans]
    whole = boxes[0]
    for box in boxes[1:]:
        whole = whole.union(box)
    # Among texts of a given length, the whole may be surer than a digit is among those of any.
    sure = [max(digit.confidence, text.probability) for digit in text.digits]
    digits = tuple(
        DigitReading(digit.digit, confidence, confidence < threshold, box)
        for digit, confidence, box in zip(text.digits, sure, boxes, strict=True)
    )
    return LineReading(text.probability, whole, digits)
