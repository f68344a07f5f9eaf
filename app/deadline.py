"""When the work for a request must end."""

from __future__ import annotations

import time

from app.errors import DeadlineExceeded


class Deadline:
    """A point in time, or the moment at which nobody waits for the answer any more. Safe to use from many threads.

    Work asks at its steps whether it may go on, and stops where it may not.
    """

    __slots__ = ("_cancelled", "_end", "_seconds")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._cancelled = False

    def cancel(self) -> None:
        """Nobody waits any more."""
        self._cancelled = True

    def remaining(self) -> float:
        """Seconds that are left, 0 or more."""
        return 0.0 if self._cancelled else max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """Raises DeadlineExceeded where the time is up."""
        if self._cancelled or time.monotonic() >= self._end:
            raise self.exceeded()

    def exceeded(self) -> DeadlineExceeded:
        """The error that says so."""
        return DeadlineExceeded(f"There was no answer within {self._seconds:g} s; try again, or send a smaller image.")
