"""How long each stage of an image's way takes."""

from __future__ import annotations

import time

from app.domain import Timings


class Stages:
    """How many milliseconds each stage took, however often an image was looked at.

    What was done since the last call belongs to the stage that the next one names.
    """

    def __init__(self, since: float | None = None) -> None:
        """`since`: when it was asked for, by `time.perf_counter`; what is over since then was a wait."""
        self._start = self._last = time.perf_counter() if since is None else since
        self._decode = self._segment = self._queue = self._inference = self._postprocess = 0.0
        if since is not None:
            self.waited()

    def decoded(self) -> None:
        self._decode += self._lap()

    def segmented(self) -> None:
        self._segment += self._lap()

    def waited(self) -> None:
        """After a step, for the next one's turn."""
        self._queue += self._lap()

    def computed(self, waited: float, computed: float) -> None:
        """After a network has answered; what was done besides waiting and computing is not counted."""
        self._queue += waited
        self._inference += computed
        self._lap()

    def postprocessed(self) -> None:
        self._postprocess += self._lap()

    def timings(self) -> Timings:
        """Of all stages, and since the start."""
        total = 1e3 * (time.perf_counter() - self._start)
        return Timings(self._decode, self._segment, self._queue, self._inference, self._postprocess, total)

    def _lap(self) -> float:
        last, self._last = self._last, time.perf_counter()
        return 1e3 * (self._last - last)
