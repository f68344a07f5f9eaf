"""The whole way of an image: bytes → grey → ink → candidates → glyphs → logits → probabilities → answer.
Where the probabilities are unsure, the digit is looked at again before it is answered.

A number goes bytes → grey → ink → lines → logits → text; by its digits' glyphs where the model has no line reader.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from app.calibration import DIGITS, NON_DIGIT, calibrated_probabilities, other_polarity_is_right
from app.deadline import Deadline
from app.domain import (
    BoundingBox,
    DigitReading,
    Explanation,
    ImageSize,
    LineReading,
    Polarity,
    Prediction,
    Reading,
    Timings,
)
from app.errors import NotExplainable
from app.explanation import Explainer
from app.imaging.binarise import find_ink
from app.imaging.decode import GreyImage, decode_image
from app.imaging.glyph import Glyph, normalise_glyph
from app.imaging.line import digit_line
from app.imaging.looks import other_looks
from app.imaging.page import page_views
from app.imaging.reading_order import reading_order
from app.imaging.segment import Candidate, digit_candidates, digits_by_polarity
from app.imaging.tight import reaches_edge, tight_digits
from app.line_reading import PageText, line_readings, looked_again, page_text, unsure_lines, without_guesses
from app.reader import Reader
from app.runner import Logits, Runner, awaited
from app.second_look import agreed, is_cropped_tight, is_unsure, other_glyphs, reader_probabilities
from app.second_opinion import doubtful_lines, glyphs_of, with_opinions

# Where what is no digit is the likelier, a mark is left out of a reading.
_NON_DIGIT_SHARE = 0.5
# What is read so surely is not looked at in another way.
_SURELY = 0.5
# Where one way of looking shows nothing, another must be read at least this surely.
_LEAST_SURETY = 0.3


@dataclass(frozen=True, slots=True)
class Limits:
    """What one image may cost: pixels as its header tells, digits read from it, seconds where no deadline is given."""

    max_pixels: int
    max_digits: int
    timeout_s: float


class Recogniser:
    """Answers images, given as bytes, with digits. Blocking; safe to call from many threads."""

    def __init__(
        self,
        runner: Runner,
        temperature: float,
        threshold: float,
        limits: Limits,
        reader: Reader | None = None,
        explainer: Explainer | None = None,
    ) -> None:
        self._runner = runner
        self._temperature = temperature
        self._threshold = threshold
        self._limits = limits
        self._reader = reader
        self._explainer = explainer

    def predict(
        self,
        data: bytes,
        polarity: Polarity = Polarity.AUTO,
        min_confidence: float | None = None,
        deadline: Deadline | None = None,
        explain: bool = False,
    ) -> Prediction:
        """The one digit of an image. `min_confidence` replaces the model's own threshold.

        Raises the errors of `decode_image`, Overloaded, ShuttingDown, DeadlineExceeded at `deadline`, or, where it is
        to `explain` the digit, NotExplainable.
        """
        clock = _Clock()
        deadline = deadline or Deadline(self._limits.timeout_s)
        deadline.check()
        image = decode_image(data, self._limits.max_pixels)
        decode = clock.lap()
        deadline.check()
        stages = _Stages(clock)
        seen = self._seen([found for _, found in digits_by_polarity(image.pixels, polarity)], stages, deadline)
        if seen is None or (is_unsure(seen.probabilities) and reaches_edge(seen.candidate, image.pixels)):
            tight = self._seen(tight_digits(image.pixels, polarity), stages, deadline)
            if tight is not None and is_cropped_tight(
                tight.probabilities, None if seen is None else seen.probabilities
            ):
                seen = tight
        if seen is None:
            return Prediction(None, 0.0, True, (0.0,) * DIGITS, 1.0, None, image.size, stages.timings(decode))
        if is_unsure(seen.probabilities):
            seen = self._seen_again(seen, stages, deadline)
        digit = int(seen.probabilities[:DIGITS].argmax())
        confidence = float(seen.probabilities[digit])
        threshold = self._threshold if min_confidence is None else min_confidence
        explanation = self._explained(seen.glyph, digit, deadline) if explain else None
        return Prediction(
            digit=digit,
            confidence=confidence,
            rejected=confidence < threshold,
            probabilities=tuple(seen.probabilities[:DIGITS].tolist()),
            non_digit_probability=float(seen.probabilities[NON_DIGIT]),
            box=_original_box(seen.candidate.box, image),
            image=image.size,
            timings=stages.timings(decode),
            explanation=explanation,
        )

    def read(
        self,
        data: bytes,
        polarity: Polarity = Polarity.AUTO,
        min_confidence: float | None = None,
        expected_length: int | None = None,
        deadline: Deadline | None = None,
    ) -> Reading:
        """All the digits of an image, in reading order.

        `expected_length` is a hint: the best reading of that length. Raises what `predict` raises.
        """
        clock = _Clock()
        deadline = deadline or Deadline(self._limits.timeout_s)
        deadline.check()
        image = decode_image(data, self._limits.max_pixels)
        asked = _Asked(image, clock, polarity, min_confidence, expected_length, deadline)
        return self._read_glyphs(asked) if self._reader is None else self._read_lines(self._reader, asked)

    def _read_lines(self, reader: Reader, asked: _Asked) -> Reading:
        """A reading by the line reader, of the way of seeing the image that it makes the surest digits of."""
        image, clock, expected_length, deadline = asked.image, asked.clock, asked.expected_length, asked.deadline
        decode = clock.lap()
        segment = queue = inference = postprocess = 0.0
        read: PageText | None = None
        for lines in page_views(image.pixels, asked.polarity, self._limits.max_digits):
            segment += clock.lap()
            logits, waited, computed = reader.logits([line.pixels for line in lines], deadline)
            queue, inference = queue + waited, inference + computed
            clock.lap()
            found = page_text(lines, logits, reader.temperature, reader.least_odds, expected_length)
            if unsure := unsure_lines(found):
                others = [other_looks(found.lines[index].pixels) for index in unsure]
                postprocess += clock.lap()
                logits, waited, computed = reader.logits([look for own in others for look in own], deadline)
                queue, inference = queue + waited, inference + computed
                clock.lap()
                more = iter(logits)
                looks = [[found.logits[i], *islice(more, len(own))] for i, own in zip(unsure, others, strict=True)]
                found = looked_again(found, unsure, looks, reader.temperature, reader.least_odds, expected_length)
            if doubtful := doubtful_lines(found):
                glyphs = glyphs_of([found.lines[index] for index in doubtful])
                postprocess += clock.lap()
                result = self._logits(glyphs, deadline)
                queue, inference = queue + result.queue_ms, inference + result.inference_ms
                clock.lap()
                scored = calibrated_probabilities(result.logits, self._temperature)
                found = with_opinions(found, doubtful, scored, expected_length)
            if expected_length is None:
                found = without_guesses(found, reader.temperature)
            postprocess += clock.lap()
            if read is None or (
                not found.says_nothing and found.surety > (_LEAST_SURETY if read.says_nothing else read.surety)
            ):
                read = found
            if not found.says_nothing and found.surety >= _SURELY:
                break
        assert read is not None  # noqa: S101  # there is one way at least
        threshold = reader.threshold if asked.min_confidence is None else asked.min_confidence
        readings = line_readings(read, threshold, lambda box: _original_box(box, image), self._limits.max_digits)
        timings = Timings(decode, segment, queue, inference, postprocess + clock.lap(), clock.total())
        return Reading(read.confidence, readings, image.size, timings)

    def _read_glyphs(self, asked: _Asked) -> Reading:
        """A reading by the digits' glyphs: of the marks found, the `expected_length` likeliest digits are kept."""
        image, clock = asked.image, asked.clock
        decode = clock.lap()
        candidates = digit_candidates(find_ink(image.pixels, asked.polarity), self._limits.max_digits)
        if not candidates:
            return Reading(1.0, (), image.size, Timings(decode=decode, segment=clock.lap(), total=clock.total()))
        glyphs = np.stack([normalise_glyph(candidate.ink) for candidate in candidates])
        segment = clock.lap()
        result = self._logits(glyphs, asked.deadline)
        clock.lap()
        probabilities = calibrated_probabilities(result.logits, self._temperature)
        kept = _kept(probabilities[:, NON_DIGIT], asked.expected_length)
        threshold = self._threshold if asked.min_confidence is None else asked.min_confidence
        lines = _lines(candidates, probabilities, kept, threshold, image)
        confidence = math.prod(line.confidence for line in lines) * float(probabilities[~kept, NON_DIGIT].prod())
        timings = Timings(decode, segment, result.queue_ms, result.inference_ms, clock.lap(), clock.total())
        return Reading(confidence, lines, image.size, timings)

    def close(self) -> None:
        """Ends the models' threads, once what is queued is served."""
        self._runner.close()
        if self._reader is not None:
            self._reader.runner.close()

    def _logits(self, glyphs: NDArray[np.uint8], deadline: Deadline) -> Logits:
        return awaited(self._runner.submit(glyphs), deadline)

    def _seen(self, candidates: list[Candidate], stages: _Stages, deadline: Deadline) -> _Seen | None:
        """The one of the candidates, by polarity and the likelier first, that is a digit; None where there is none."""
        if not candidates:
            stages.segmented()
            return None
        glyphs = np.stack([normalise_glyph(candidate.ink) for candidate in candidates])
        stages.segmented()
        scored = self._probabilities(glyphs, stages, deadline)
        taken = int(len(candidates) > 1 and other_polarity_is_right(scored[:1], scored[1:])[0])
        return _Seen(candidates[taken], glyphs[taken], scored[taken])

    def _seen_again(self, seen: _Seen, stages: _Stages, deadline: Deadline) -> _Seen:
        """With the probabilities that other looks agree on, and the line reader where there is one."""
        glyphs = other_glyphs(seen.candidate.ink)
        stages.segmented()
        opinions = [np.vstack([seen.probabilities, self._probabilities(glyphs, stages, deadline)])]
        if self._reader is not None:
            line = digit_line(seen.candidate.ink)
            stages.segmented()
            logits, waited, computed = self._reader.logits([line], deadline)
            stages.computed(waited, computed)
            opinions.append(reader_probabilities(logits[0], self._reader.temperature)[np.newaxis])
        return replace(seen, probabilities=agreed(opinions))

    def _probabilities(self, glyphs: NDArray[np.uint8], stages: _Stages, deadline: Deadline) -> NDArray[np.float64]:
        result = self._logits(glyphs, deadline)
        stages.computed(result.queue_ms, result.inference_ms)
        return calibrated_probabilities(result.logits, self._temperature)

    def _explained(self, glyph: Glyph, digit: int, deadline: Deadline) -> Explanation:
        if self._explainer is None:
            raise NotExplainable("The model served has no explanations; ask without explain=true.")
        explanation = self._explainer.explanation(glyph, digit)
        deadline.check()
        return explanation


@dataclass(frozen=True, slots=True)
class _Asked:
    """An image that is being read, and how it is to be read."""

    image: GreyImage
    clock: _Clock
    polarity: Polarity
    min_confidence: float | None
    expected_length: int | None
    deadline: Deadline


@dataclass(frozen=True, slots=True)
class _Seen:
    """What may be the one digit of an image, its glyph, and the probabilities, (11,), of what it is."""

    candidate: Candidate
    glyph: Glyph
    probabilities: NDArray[np.float64]


class _Stages:
    """How many milliseconds each stage after decoding took, however often an image was looked at."""

    def __init__(self, clock: _Clock) -> None:
        self._clock = clock
        self._segment = self._queue = self._inference = 0.0

    def segmented(self) -> None:
        self._segment += self._clock.lap()

    def computed(self, waited: float, computed: float) -> None:
        """After a network has answered; what was done besides waiting and computing is not counted."""
        self._queue += waited
        self._inference += computed
        self._clock.lap()

    def timings(self, decode: float) -> Timings:
        """The last lap, before the answer, is postprocessing."""
        postprocess = self._clock.lap()
        return Timings(decode, self._segment, self._queue, self._inference, postprocess, self._clock.total())


class _Clock:
    """Milliseconds since the last lap, and since the start."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()

    def lap(self) -> float:
        last, self._last = self._last, time.perf_counter()
        return 1e3 * (self._last - last)

    def total(self) -> float:
        return 1e3 * (time.perf_counter() - self._start)


def _kept(non_digit: NDArray[np.float64], expected_length: int | None) -> NDArray[np.bool_]:
    """Which marks are read as digits."""
    if expected_length is None:
        return np.asarray(non_digit < _NON_DIGIT_SHARE)
    kept = np.zeros(len(non_digit), bool)
    kept[np.argsort(non_digit, kind="stable")[:expected_length]] = True
    return kept


def _lines(
    candidates: list[Candidate],
    probabilities: NDArray[np.float64],
    kept: NDArray[np.bool_],
    threshold: float,
    image: GreyImage,
) -> tuple[LineReading, ...]:
    indices = np.flatnonzero(kept)
    lines = []
    for order in reading_order([candidates[i].box for i in indices]):
        digits = []
        for position in order:
            index = int(indices[position])
            digit = int(probabilities[index, :DIGITS].argmax())
            confidence = float(probabilities[index, digit])
            box = _original_box(candidates[index].box, image)
            digits.append(DigitReading(digit, confidence, confidence < threshold, box))
        box = digits[0].box
        for reading in digits[1:]:
            box = box.union(reading.box)
        lines.append(LineReading(math.prod(reading.confidence for reading in digits), box, tuple(digits)))
    return tuple(lines)


def _original_box(box: BoundingBox, image: GreyImage) -> BoundingBox:
    """A box of the working image in pixels of the image as sent."""
    height, width = image.pixels.shape
    size: ImageSize = image.size
    if (width, height) == (size.width, size.height):
        return box
    across, down = size.width / width, size.height / height
    left, top = math.floor(box.left * across), math.floor(box.top * down)
    right, bottom = min(size.width, math.ceil(box.right * across)), min(size.height, math.ceil(box.bottom * down))
    return BoundingBox(left, top, right - left, bottom - top)
