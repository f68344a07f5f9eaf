"""Does the memory of a service grow with the requests it has answered?"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from tests.memory import resident_mib
from tests.soak.checks import Check
from tests.soak.client import Connection, Lost
from tests.soak.traffic import Request, sequence

_CONNECTIONS = 8
_SAMPLES = 200
# Of samples that are one figure together: a lone one may fall into the middle of a large image.
_WINDOW = 20
_MOST_PERCENT = 3.0


@dataclass(slots=True)
class Growth:
    """Resident MiB at equal distances, from the end of the warm-up on."""

    requests: int = 0
    seconds: float = 0.0
    resident_mib: list[float] = field(default_factory=list)
    unexpected: Counter[str] = field(default_factory=Counter)

    @property
    def first(self) -> float:
        return median(self.resident_mib[:_WINDOW])

    @property
    def last(self) -> float:
        return median(self.resident_mib[-_WINDOW:])

    @property
    def percent(self) -> float:
        return 100 * (self.last / self.first - 1)


async def growth(pid: int, port: int, warm_up: int, count: int, tell: Callable[[str], None] = lambda _: None) -> Growth:
    """Sends the mixture, `count` requests after `warm_up` ones, over a few connections at once."""
    found = Growth(requests=count)
    await _send(port, sequence(warm_up), found, lambda _: None)
    started = time.monotonic()
    every = max(1, count // _SAMPLES)

    def sample(done: int) -> None:
        if done % every == 0:
            found.resident_mib.append(resident_mib(pid))
            if done % (20 * every) == 0:
                tell(f"{done:,} requests, {time.monotonic() - started:.0f} s, {found.resident_mib[-1]:.1f} MiB")

    await _send(port, sequence(count), found, sample)
    found.seconds = time.monotonic() - started
    return found


async def _send(port: int, requests: list[Request], found: Growth, on_done: Callable[[int], None]) -> None:
    waiting = iter(requests)
    done = 0

    async def send() -> None:
        nonlocal done
        connection = Connection(port)
        for request in waiting:
            try:
                answer = await connection.ask(request.data)
                if answer.status != request.status:
                    found.unexpected[f"{answer.status} {answer.problem} for {request.status}"] += 1
            except Lost:
                found.unexpected["lost"] += 1
            done += 1
            on_done(done)
        connection.close()

    await asyncio.gather(*(send() for _ in range(_CONNECTIONS)))


def checks(found: Growth) -> list[Check]:
    unexpected = ", ".join(f"{count} × {what}" for what, count in found.unexpected.items()) or "none"
    return [
        Check("memory: requests a second", f"{found.requests / max(found.seconds, 1e-9):.0f}"),
        Check("memory: answers that were not expected", unexpected, "none", not found.unexpected),
        Check(
            f"memory: growth over {found.requests:,} requests",
            f"{found.percent:+.2f} % ({found.first:.1f} → {found.last:.1f} MiB; most {max(found.resident_mib):.1f})",
            f"≤ {_MOST_PERCENT:g} %",
            found.percent <= _MOST_PERCENT,
        ),
    ]
