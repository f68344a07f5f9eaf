"""SIGTERM under load: what had arrived by then is answered."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from subprocess import Popen

from tests.soak.checks import Check
from tests.soak.client import Connection, Lost

_POLITE = ("200", "503 overloaded", "503 shutting-down")


@dataclass(slots=True)
class Stop:
    """What came of the requests sent whole before the signal, and of later ones; and how the process ended."""

    before: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    after: Counter[str] = field(default_factory=Counter)
    status: int | None = None
    seconds: float = 0.0


async def stop_under_load(process: Popen[bytes], port: int, request: bytes, connections: int, seconds: float) -> Stop:
    """Loads the service, ends it after so many seconds, and goes on sending until it is gone."""
    stop = Stop()
    told = float("inf")

    async def send() -> None:
        connection = Connection(port)
        while process.poll() is None:
            try:
                answer = await connection.ask(request)
                sent, what = connection.sent, f"{answer.status} {answer.problem}".strip()
            except Lost as lost:
                sent, what = lost.sent, "lost"
            if not sent:  # the service takes no more connections
                await asyncio.sleep(0.01)
                continue
            early = sent < told
            (stop.before if early else stop.after)[what] += 1
            stop.in_flight += early and time.monotonic() > told
        connection.close()

    sending = asyncio.gather(*(send() for _ in range(connections)))
    await asyncio.sleep(seconds)
    told = time.monotonic()
    process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(process.wait, 120)
    stop.seconds = time.monotonic() - told
    stop.status = process.returncode
    await sending
    return stop


def checks(stop: Stop) -> list[Check]:
    rude = {what: count for what, count in stop.before.items() if what not in _POLITE}
    return [
        Check("SIGTERM: requests before it", _told(stop.before)),
        Check("SIGTERM: of those, in flight when it came", f"{stop.in_flight}", "some", stop.in_flight > 0),
        Check("SIGTERM: of those, neither answered nor refused politely", _told(rude), "none", not rude),
        Check("SIGTERM: requests after it", _told(stop.after)),
        Check("SIGTERM: exit status", f"{stop.status} after {stop.seconds:.1f} s", "0", stop.status == 0),
    ]


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} × {what}" for what, count in sorted(counts.items())) or "none"
