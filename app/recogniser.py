"""The whole way of an image: bytes → grey → ink → candidates → glyphs → logits → probabilities → answer.
Where the probabilities are unsure, the digit is looked at again before it is answered.

A number goes bytes → grey → ink → lines → logits → text; by its digits' glyphs where the model has no line reader.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

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
)
from app.errors import NotExplainable
from app.explanation import Explainer
from app.imaging.binarise import find_ink
from app.imaging.blocks import levelled, may_be_block
from app.imaging.decode import GreyImage, decode_image
from app.imaging.glyph import Glyph, normalise_glyph
from app.imaging.line import digit_line
from app.imaging.reading_order import reading_order
from app.imaging.relit import relit_digits
from app.imaging.segment import Candidate, digit_candidates, digits_by_polarity, single_digit
from app.imaging.tight import reaches_edge, tight_digits
from app.line_reading import line_readings
from app.page_reader import PageReader
from app.reader import Reader
from app.runner import Runner, awaited
from app.second_look import (
    Agreement,
    agreed,
    is_surely_right,
    is_unsure,
    other_glyphs,
)
from app.stages import Stages
from app.steps import Steps, finished

# Where what is no digit is the likelier, a mark is left out of a reading.
_NON_DIGIT_SHARE = 0.5


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
        second_reader: Reader | None = None,
        agreement: Agreement = agreed,
    ) -> None:
        self._runner = runner
        self._temperature = temperature
        self._threshold = threshold
        self._limits = limits
        self._pages = None if reader is None else PageReader(reader, second_reader, self._probabilities)
        self._explainer = explainer
        self._agreement = agreement

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
        return finished(self.predicting(data, polarity, min_confidence, deadline, explain))

    def predicting(
        self,
        data: bytes,
        polarity: Polarity = Polarity.AUTO,
        min_confidence: float | None = None,
        deadline: Deadline | None = None,
        explain: bool = False,
        since: float | None = None,
    ) -> Steps[Prediction]:
        """The same in steps: what one image needs next, others are likely to need as well.

        `since`: when it was asked for, by `time.perf_counter`, where that was earlier; the wait counts as one for a
        thread.
        """
        stages = Stages(since)
        deadline = deadline or Deadline(self._limits.timeout_s)
        deadline.check()
        image = decode_image(data, self._limits.max_pixels)
        stages.decoded()
        yield
        stages.waited()
        deadline.check()
        found = [found for _, found in digits_by_polarity(image.pixels, polarity)]
        seen = yield from self._seen(found, stages, deadline)
        if seen is not None and may_be_block(seen.candidate.ink):
            seen = yield from self._seen_on_block(seen, image.pixels, polarity, stages, deadline)
            if seen is None:
                return _without_digit(image, stages)
        if seen is None or reaches_edge(seen.candidate, image.pixels):
            for other_digits in (tight_digits, relit_digits):
                other = yield from self._seen(other_digits(image.pixels, polarity), stages, deadline)
                if other is not None and is_surely_right(
                    other.probabilities, None if seen is None else seen.probabilities
                ):
                    seen = other
                    break
        if seen is None:
            return _without_digit(image, stages)
        if is_unsure(seen.probabilities):
            yield
            stages.waited()
            seen = self._seen_again(seen, stages, deadline)
        digit = int(seen.probabilities[:DIGITS].argmax())
        confidence = float(seen.probabilities[digit])
        threshold = self._threshold if min_confidence is None else min_confidence
        explanation = self._explained(seen.glyph, digit, deadline) if explain else None
        stages.postprocessed()
        return Prediction(
            digit=digit,
            confidence=confidence,
            rejected=confidence < threshold,
            probabilities=tuple(seen.probabilities[:DIGITS].tolist()),
            non_digit_probability=float(seen.probabilities[NON_DIGIT]),
            box=_original_box(seen.candidate.box, image),
            image=image.size,
            timings=stages.timings(),
            explanation=explanation,
        )

    def read(
        self,
        data: bytes,
        polarity: Polarity = Polarity.AUTO,
        min_confidence: float | None = None,
        expected_length: int | None = None,
        deadline: Deadline | None = None,
        since: float | None = None,
    ) -> Reading:
        """All the digits of an image, in reading order.

        `expected_length` is a hint: the best reading of that length. `since` is that of `predicting`. Raises what
        `predict` raises.
        """
        stages = Stages(since)
        deadline = deadline or Deadline(self._limits.timeout_s)
        deadline.check()
        image = decode_image(data, self._limits.max_pixels)
        stages.decoded()
        asked = _Asked(image, stages, polarity, min_confidence, expected_length, deadline)
        return self._read_glyphs(asked) if self._pages is None else self._read_lines(self._pages, asked)

    def _read_lines(self, pages: PageReader, asked: _Asked) -> Reading:
        """A reading by the line reader."""
        image, most = asked.image, self._limits.max_digits
        page, confidence = pages.read(
            image.pixels, asked.polarity, asked.expected_length, most, asked.stages, asked.deadline
        )
        threshold = pages.reader.threshold if asked.min_confidence is None else asked.min_confidence
        lines = line_readings(page, threshold, lambda box: _original_box(box, image), most)
        asked.stages.postprocessed()
        return Reading(confidence, lines, image.size, asked.stages.timings())

    def _read_glyphs(self, asked: _Asked) -> Reading:
        """A reading by the digits' glyphs: of the marks found, the `expected_length` likeliest digits are kept."""
        image, stages = asked.image, asked.stages
        candidates = digit_candidates(find_ink(image.pixels, asked.polarity), self._limits.max_digits)
        if not candidates:
            stages.segmented()
            return Reading(1.0, (), image.size, stages.timings())
        glyphs = np.stack([normalise_glyph(candidate.ink) for candidate in candidates])
        stages.segmented()
        probabilities = self._probabilities(glyphs, stages, asked.deadline)
        kept = _kept(probabilities[:, NON_DIGIT], asked.expected_length)
        threshold = self._threshold if asked.min_confidence is None else asked.min_confidence
        lines = _lines(candidates, probabilities, kept, threshold, image)
        confidence = math.prod(line.confidence for line in lines) * float(probabilities[~kept, NON_DIGIT].prod())
        stages.postprocessed()
        return Reading(confidence, lines, image.size, stages.timings())

    def close(self) -> None:
        """Ends the models' threads, once what is queued is served."""
        self._runner.close()
        if self._pages is not None:
            self._pages.close()

    def _seen(self, candidates: list[Candidate], stages: Stages, deadline: Deadline) -> Steps[_Seen | None]:
        """The one of the candidates, by polarity and the likelier first, that is a digit; None where there is none."""
        if not candidates:
            stages.segmented()
            return None
        glyphs = np.stack([normalise_glyph(candidate.ink) for candidate in candidates])
        stages.segmented()
        yield
        stages.waited()
        scored = self._probabilities(glyphs, stages, deadline)
        taken = int(len(candidates) > 1 and other_polarity_is_right(scored[:1], scored[1:])[0])
        return _Seen(candidates[taken], glyphs[taken], scored[taken])

    def _seen_on_block(
        self, seen: _Seen, grey: NDArray[np.uint8], polarity: Polarity, stages: Stages, deadline: Deadline
    ) -> Steps[_Seen | None]:
        """What stands on a block, where what was seen may be one and that is a digit: a white 4 on a disc is no 0.

        None where nothing stands on it: a ball, an empty label.
        """
        level = levelled(grey, polarity)
        if level is None:
            return seen
        candidate = single_digit(find_ink(level, Polarity.DARK_ON_LIGHT))
        on_block = yield from self._seen([] if candidate is None else [candidate], stages, deadline)
        if on_block is not None and on_block.probabilities[NON_DIGIT] >= _NON_DIGIT_SHARE:
            return seen
        return on_block

    def _seen_again(self, seen: _Seen, stages: Stages, deadline: Deadline) -> _Seen:
        """With the probabilities that other looks agree on, and the line readers where there are any."""
        glyphs = other_glyphs(seen.candidate.ink)
        stages.segmented()
        opinions = [np.vstack([seen.probabilities, self._probabilities(glyphs, stages, deadline)])]
        if self._pages is not None:
            line = digit_line(seen.candidate.ink)
            stages.segmented()
            opinions.append(self._pages.digit_opinion(line, stages, deadline))
        return replace(seen, probabilities=self._agreement(opinions))

    def _probabilities(self, glyphs: NDArray[np.uint8], stages: Stages, deadline: Deadline) -> NDArray[np.float64]:
        result = awaited(self._runner.submit(glyphs), deadline)
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
    stages: Stages
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


def _without_digit(image: GreyImage, stages: Stages) -> Prediction:
    """The answer where there is no ink of a digit."""
    return Prediction(None, 0.0, True, (0.0,) * DIGITS, 1.0, None, image.size, stages.timings())


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
