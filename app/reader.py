"""The line reader: lines of any width → logits, like widths together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from app.alignment import Logs
from app.calibration import DIGITS
from app.classifier import LINE_WIDTHS
from app.ctc import log_probabilities
from app.deadline import Deadline
from app.imaging.line import LINE_HEIGHT, STEP_WIDTH, LinePixels
from app.runner import Runner, awaited

# So many lines go through the reader between two looks at the clock.
_LINES_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Reader:
    """A line reader with its calibration. `runner`: (n, 32, w) → (n, w / 2, 11), w one of LINE_WIDTHS.

    A text that is not `least_odds` times as probable as nothing is none.
    """

    runner: Runner
    temperature: float
    threshold: float
    least_odds: float

    def logits(self, lines: list[LinePixels], deadline: Deadline) -> tuple[list[NDArray[np.float32]], float, float]:
        """The logits, (w / 2, 11), of each line, (32, w), and the milliseconds waited and computed.

        Lines of like width go through the reader together.
        """
        rooms = [next(room for room in LINE_WIDTHS if room >= line.shape[1]) for line in lines]
        groups = {room: [i for i, own in enumerate(rooms) if own == room] for room in rooms}
        parts = [
            (room, group[start : start + _LINES_AT_ONCE])
            for room, group in groups.items()
            for start in range(0, len(group), _LINES_AT_ONCE)
        ]
        logits: list[NDArray[np.float32]] = [np.zeros((0, DIGITS + 1), np.float32)] * len(lines)
        waited = computed = 0.0
        for room, part in parts:
            widened = np.zeros((len(part), LINE_HEIGHT, room), np.uint8)
            for place, index in zip(widened, part, strict=True):
                place[:, : lines[index].shape[1]] = lines[index]
            result = awaited(self.runner.submit(widened), deadline)
            waited, computed = waited + result.queue_ms, computed + result.inference_ms
            for own, index in zip(result.logits, part, strict=True):
                logits[index] = own[: lines[index].shape[1] // STEP_WIDTH]
        return logits, waited, computed

    def seen(self, looks: list[list[LinePixels]], deadline: Deadline) -> tuple[list[list[Logs]], float, float]:
        """What it says of several looks at each of some lines, (t, 11) calibrated natural logarithms, and the times."""
        logits, waited, computed = self.logits([look for own in looks for look in own], deadline)
        said = iter([log_probabilities(own, self.temperature) for own in logits])
        return [list(islice(said, len(own))) for own in looks], waited, computed
