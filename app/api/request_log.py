"""The log's lines of requests, so many a second: a flood of requests is counted rather than written."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import structlog

# Our own faults, and requests whose answer never began: the service is not the same after many of them.
_ALWAYS = {0, 500, 504}

_log = structlog.get_logger("digit_ocr.request")


class RequestLog:
    """Writes a line a request; beyond `lines_per_s` in a second, one line tells how many were left out."""

    def __init__(self, lines_per_s: int) -> None:
        self._lines_per_s = lines_per_s
        self._second = 0.0
        self._written = 0
        self._left_out: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def takes(self, status: int) -> bool:
        """Whether a request with this status gets its line. Otherwise it is counted."""
        now = time.monotonic()
        if now - self._second >= 1:
            self._second, self._written = now, 0
        if self._written < self._lines_per_s or status in _ALWAYS:
            self._written += 1
            return True
        self._left_out[str(status)] += 1
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(1, self.tell)
        return False

    def write(self, **fields: Any) -> None:
        """Writes the line of one request."""
        _log.info("request", **fields)

    def tell(self) -> None:
        """Writes how many requests were left out since the last time, if any were."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._left_out:
            _log.info("requests left out", count=self._left_out.total(), statuses=dict(self._left_out))
            self._left_out.clear()
