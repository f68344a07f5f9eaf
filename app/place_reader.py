"""The place reader: which digit stands at a place of a line, asked about places that are in doubt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.calibration import calibrated_probabilities
from app.deadline import Deadline
from app.imaging.places import Places
from app.runner import Runner, awaited
from app.stages import Stages


@dataclass(frozen=True, slots=True)
class PlaceReader:
    """A network of places with its calibration. `runner`: (n, 28, 28, 2) → (n, 10)."""

    runner: Runner
    temperature: float

    def probabilities(self, places: Places, stages: Stages, deadline: Deadline) -> NDArray[np.float64]:
        """How probable each digit is at places, (n, 28, 28, 2) uint8, n ≥ 1, where there is one: (n, 10).

        Raises Overloaded, ShuttingDown, or DeadlineExceeded at `deadline`.
        """
        result = awaited(self.runner.submit(places), deadline)
        stages.computed(result.queue_ms, result.inference_ms)
        return calibrated_probabilities(result.logits, self.temperature)
