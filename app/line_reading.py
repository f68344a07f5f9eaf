"""Logits of the lines of an image → what they say: text, confidences, boxes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.alignment import NEVER, Alignments, Logs, aligned_digits, alignments
from app.ctc import Decoded, likeliest, log_probabilities, nothing_log_probability
from app.domain import BoundingBox, DigitReading, LineReading
from app.expected_length import lengths_together
from app.imaging.digit_spans import digit_spans
from app.imaging.line import STEP_WIDTH, LineImage

# Lines whose text is less probable are looked at again, unless a page has more of them than this.
UNSURE = 0.9
_MOST_UNSURE = 16
# A line with more digits counts as several where it is said how sure a page is.
_DIGITS_OF_A_LINE = 4
# What several looks agree on need not be surer than so many times as probable as nothing. Their averages are never as
# far apart as what one look says, of whom `least_odds` are. By trial, on numbers of writers whom no network was taught
# on, 9,200 images: to odds of 41, 25 right ones would be none; of 2,000 lines without digits, 10 more are read so.
_LEAST_AGREED_ODDS = 6.0
# What no piece of ink bears out must be at least this probable.
_LEAST_OF_NO_PIECES = 0.5

Boxed = Callable[[BoundingBox], BoundingBox]


@dataclass(frozen=True, slots=True)
class PageText:
    """What the lines of an image say; `logits`, (t, 11) each, say it."""

    lines: tuple[LineImage, ...]
    texts: tuple[Decoded, ...]
    logits: tuple[NDArray[np.float32], ...]

    @property
    def confidence(self) -> float:
        """The probability that all of it is right, what says nothing too."""
        return math.prod(text.probability for text in self.texts)

    @property
    def surety(self) -> float:
        """How sure a line is, on the average: the geometric mean of their probabilities; 1 without lines.

        Of a long number it is that of four of its digits, which as a whole would be the less probable the longer it is.
        """
        logs = [math.log(max(text.probability, 1e-300)) for text in self.texts]
        lines = sum(max(1.0, len(text.text) / _DIGITS_OF_A_LINE) for text in self.texts)
        return math.exp(sum(logs) / max(1.0, lines))

    @property
    def count(self) -> int:
        """How many digits it says."""
        return sum(len(text.text) for text in self.texts)

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
    a digit here and there. With `expected_length`, where they do not have so many digits together: the likeliest texts
    that do, if any can.
    """
    texts = [_text_or_nothing(own, temperature, least_odds) for own in logits]
    if expected_length is not None and texts and sum(len(text.text) for text in texts) != expected_length:
        logs = [log_probabilities(own, temperature) for own in logits]
        lengths = [expected_length] if len(texts) == 1 else lengths_together(logs, texts, expected_length)
        if lengths is not None:
            texts = [
                text if len(text.text) == length else likeliest(own, length).with_digits(own)
                for own, text, length in zip(logs, texts, lengths, strict=True)
            ]
    return PageText(tuple(lines), tuple(texts), tuple(logits))


def _text_or_nothing(logits: NDArray[np.float32], temperature: float, least_odds: float) -> Decoded:
    logs = log_probabilities(logits, temperature)
    found = likeliest(logs)
    nothing = math.exp(nothing_log_probability(logs))
    if not found.text or found.probability >= least_odds * nothing:
        return found.with_digits(logs)
    return Decoded("", nothing / (nothing + found.probability), ())


def unsure_lines(page: PageText) -> list[int]:
    """The indices of the lines that are worth another look; none of a page that has too many."""
    unsure = [index for index, text in enumerate(page.texts) if text.probability < UNSURE]
    return unsure if len(unsure) <= _MOST_UNSURE else []


def looked_again(
    page: PageText,
    unsure: Sequence[int],
    looks: Sequence[Sequence[Logs]],
    least_odds: float = 1.0,
    expected_length: int | None = None,
) -> PageText:
    """The page with the texts that several looks at its unsure lines agree on.

    `looks`: for each unsure line what every look says, (t, 11) calibrated natural logarithms, that of the page first.
    Of what any of them says, the text that is the most probable on the average is taken; its probability is that
    average. A page that has the `expected_length` keeps it, line by line.
    """
    texts = list(page.texts)
    lengths = [len(text.text) for text in texts]
    kept = sum(lengths) == expected_length
    for index, own in zip(unsure, looks, strict=True):
        if lengths[index] or not kept:
            texts[index] = _agreed(own, min(least_odds, _LEAST_AGREED_ODDS), lengths[index] if kept else None)
    return replace(page, texts=tuple(texts))


def without_guesses(page: PageText, temperature: float) -> PageText:
    """The page without texts that are likelier wrong than right, and that no piece of ink bears out.

    Such a line is an image as a whole: a digit out of focus, or a texture that is somewhat like one.
    """
    texts = list(page.texts)
    for index, (line, text) in enumerate(zip(page.lines, texts, strict=True)):
        if not line.pieces and text.text and text.probability < _LEAST_OF_NO_PIECES:
            nothing = math.exp(nothing_log_probability(log_probabilities(page.logits[index], temperature)))
            texts[index] = Decoded("", nothing / max(nothing + text.probability, 1e-9), ())
    return replace(page, texts=tuple(texts))


def _agreed(logs: Sequence[Logs], least_odds: float, expected_length: int | None) -> Decoded:
    said = [likeliest(own, expected_length) for own in logs]
    found: dict[str, float] = {}
    first: dict[str, Alignments] = {}
    for text in sorted({one.text for one in said}):
        # A look that says a text says how probable it is, too: of those of a given length.
        ways = [
            one.alignments if one.text == text else alignments(log, text) for one, log in zip(said, logs, strict=True)
        ]
        sure = [one.probability if one.text == text else way.probability() for one, way in zip(said, ways, strict=True)]
        found[text], first[text] = float(np.mean(sure)), ways[0]
    nothing = float(np.mean([math.exp(nothing_log_probability(log)) for log in logs]))
    there = [text for text in found if first[text].whole != NEVER]
    best = max(there, key=lambda text: found[text], default="")
    if best and (expected_length is not None or found[best] >= least_odds * nothing):
        return Decoded(best, found[best], aligned_digits(logs[0], first[best]))
    return Decoded("", nothing / max(nothing + found.get(best, 0.0) * bool(best), 1e-9), ())


def digit_middles(text: Decoded) -> list[float]:
    """The columns of a line in the middle of its digits."""
    return [STEP_WIDTH * (digit.first + digit.last) / 2 for digit in text.digits]


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
    spans = digit_spans(line.pixels, digit_middles(text))
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
