"""Work ends where its time is up, or where nobody waits for it."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.alignment import BLANK
from app.deadline import Deadline
from app.domain import Explanation
from app.errors import DeadlineExceeded
from app.imaging.line import STEP_WIDTH
from app.reader import Reader
from app.recogniser import Limits, Recogniser
from app.runner import InterpreterPool
from tests.api.services import OneDigit
from tests.samples.draw import pen_number

LIMITS = Limits(max_pixels=10**8, max_digits=512, timeout_s=60)


class Blank:
    """Sees no digit on any line; `then` is done at every call."""

    def __init__(self, then: Callable[[], None]) -> None:
        self.calls = 0
        self._then = then

    def logits(self, lines: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.calls += 1
        self._then()
        logits = np.zeros((len(lines), lines.shape[2] // STEP_WIDTH, BLANK + 1), np.float32)
        logits[..., BLANK] = 20
        return logits


def page() -> bytes:
    row = pen_number("1234567", 40, 5)
    return cv2.imencode(".png", np.vstack([row] * 40))[1].tobytes()


def test_a_deadline_passes() -> None:
    assert Deadline(60).remaining() > 50
    Deadline(60).check()
    with pytest.raises(DeadlineExceeded, match="within 0 s"):
        Deadline(0).check()
    assert Deadline(0).remaining() == 0


def test_what_is_cancelled_has_no_time_left() -> None:
    deadline = Deadline(60)
    deadline.cancel()
    assert deadline.remaining() == 0
    with pytest.raises(DeadlineExceeded):
        deadline.check()


def test_nothing_is_read_after_the_deadline() -> None:
    lines = Blank(then=lambda: None)
    recogniser = Recogniser(
        InterpreterPool([OneDigit()]), 1.0, 0.5, LIMITS, Reader(InterpreterPool([lines]), 1.0, 0.5, 1.0)
    )
    with pytest.raises(DeadlineExceeded):
        recogniser.predict(page(), deadline=Deadline(0))
    with pytest.raises(DeadlineExceeded):
        recogniser.read(page(), deadline=Deadline(0))
    assert lines.calls == 0


def test_an_explanation_counts_against_the_deadline() -> None:
    deadline = Deadline(60)

    class Late:
        def explanation(self, glyph: NDArray[np.uint8], digit: int) -> Explanation:
            deadline.cancel()
            return Explanation(digit, "none", tuple(map(tuple, glyph.tolist())), ())

    recogniser = Recogniser(InterpreterPool([OneDigit()]), 1.0, 0.5, LIMITS, explainer=Late())
    with pytest.raises(DeadlineExceeded):
        recogniser.predict(page(), deadline=deadline, explain=True)


def test_reading_stops_between_lines_once_nobody_waits() -> None:
    deadline = Deadline(60)
    lines = Blank(then=deadline.cancel)
    recogniser = Recogniser(
        InterpreterPool([OneDigit()]), 1.0, 0.5, LIMITS, Reader(InterpreterPool([lines]), 1.0, 0.5, 1.0)
    )
    with pytest.raises(DeadlineExceeded):
        recogniser.read(page(), deadline=deadline)
    assert lines.calls == 1
