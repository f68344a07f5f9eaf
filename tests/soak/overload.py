"""Ten times as many requests as the service can answer, for a while; and what it is like right after."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from statistics import median

from tests.soak.checks import Check, percentile
from tests.soak.client import Answer, Connection, Lost

_OVERLOAD = 10.0
_LIVEZ_MS = 50.0
_RECOVERED_S = 1.0
# How many times as long a request may take that is called normal again.
_USUAL_AGAIN = 3.0


@dataclass(frozen=True, slots=True)
class Load:
    """How much is offered: `factor` times the capacity, over so many connections; a little less is sent.

    A connection that waits for an answer sends nothing meanwhile.

    The capacity is measured first, with as many clients as keep all workers `busy` and are never too many.
    """

    request: bytes
    connections: int
    seconds: float
    factor: float = 12.0
    measuring_s: float = 5.0
    busy: int = 16


@dataclass(slots=True)
class Outcome:
    """What came of a load."""

    capacity: float = 0.0
    usual_s: float = 0.0
    answers: list[Answer] = field(default_factory=list)
    lost: int = 0
    livez_ms: list[float | None] = field(default_factory=list)
    recovery_s: float = 0.0

    @property
    def accepted(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.status == 200]

    @property
    def others(self) -> Counter[str]:
        """What is neither an answer nor a polite refusal."""
        return Counter(
            f"{answer.status} {answer.problem}"
            for answer in self.answers
            if answer.status != 200 and (answer.status, answer.problem) != (503, "overloaded")
        )


async def overload(port: int, load: Load) -> Outcome:
    """Each connection sends at its share of the rate, or as soon as it is answered where that is later."""
    outcome = Outcome(usual_s=await _usual(port, load.request), capacity=await _capacity(port, load))
    interval = load.connections / (load.factor * outcome.capacity)
    probe = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.soak.probe", str(port), str(load.seconds)), stdout=asyncio.subprocess.PIPE
    )
    end = time.monotonic() + load.seconds

    async def send(number: int) -> None:
        connection = Connection(port)
        due = time.monotonic() + interval * number / load.connections
        while (now := max(due, time.monotonic())) < end:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due = now + interval
            try:
                outcome.answers.append(await connection.ask(load.request))
            except Lost:
                outcome.lost += 1
        connection.close()

    sending = asyncio.gather(*(send(number) for number in range(load.connections)))
    await asyncio.sleep(max(0.0, end - time.monotonic()))
    outcome.recovery_s = await _recovery(port, load.request, outcome.usual_s)
    await sending
    output, _ = await probe.communicate()
    outcome.livez_ms = json.loads(output)
    return outcome


def checks(outcome: Outcome, load: Load, deadline_s: float) -> list[Check]:
    accepted = [answer.seconds for answer in outcome.accepted]
    refused = [answer.seconds for answer in outcome.answers if answer.status == 503]
    p99, refused_p99 = percentile(accepted, 0.99), percentile(refused, 0.99)
    livez = [milliseconds for milliseconds in outcome.livez_ms if milliseconds is not None]
    unanswered = len(outcome.livez_ms) - len(livez)
    offered = (len(outcome.answers) + outcome.lost) / load.seconds
    others = ", ".join(f"{count} × {what}" for what, count in outcome.others.items()) or "none"
    return [
        Check(
            "capacity, requests a second", f"{outcome.capacity:.0f}; a lone one takes {1e3 * outcome.usual_s:.1f} ms"
        ),
        Check(
            "overload: sent, requests a second",
            f"{offered:.0f} over {load.connections} connections for {load.seconds:.0f} s",
            f"≥ {_OVERLOAD:g} × capacity",
            offered >= _OVERLOAD * outcome.capacity,
        ),
        Check("overload: answered, a second", f"{len(accepted) / load.seconds:.0f}"),
        Check("overload: other than 200 and `overloaded`", others, "none", not outcome.others),
        Check("overload: without an answer", f"{outcome.lost}", "0", outcome.lost == 0),
        Check("overload: p99 of what was accepted", f"{p99:.3f} s", f"< {deadline_s:g} s", 0 < p99 < deadline_s),
        Check("overload: p99 of what was refused", f"{refused_p99:.3f} s"),
        Check(
            "overload: p99 of /livez",
            f"{percentile(livez, 0.99):.1f} ms of {len(livez)}, {unanswered} failed",
            f"≤ {_LIVEZ_MS:.0f} ms, 0 failed",
            bool(livez) and percentile(livez, 0.99) <= _LIVEZ_MS and not unanswered,
        ),
        Check(
            "overload: normal again after",
            f"{outcome.recovery_s:.3f} s",
            f"≤ {_RECOVERED_S:g} s",
            outcome.recovery_s <= _RECOVERED_S,
        ),
    ]


async def _capacity(port: int, load: Load) -> float:
    """Answers a second where a few clients ask one request after the other."""
    count = 0
    end = time.monotonic() + load.measuring_s

    async def ask() -> None:
        nonlocal count
        connection = Connection(port)
        while time.monotonic() < end:
            answer = await connection.ask(load.request)
            count += answer.status == 200
        connection.close()

    await asyncio.gather(*(ask() for _ in range(load.busy)))
    return max(1.0, count / load.measuring_s)


async def _usual(port: int, request: bytes) -> float:
    """Seconds that a lone request takes."""
    connection = Connection(port)
    seconds = [(await connection.ask(request)).seconds for _ in range(20)]
    connection.close()
    return median(seconds)


async def _recovery(port: int, request: bytes, usual_s: float) -> float:
    """Seconds until a new client has its answer about as soon as usual."""
    started = time.monotonic()
    connection = Connection(port)
    while time.monotonic() < started + 60:
        try:
            answer = await connection.ask(request)
            if answer.status == 200 and answer.seconds <= _USUAL_AGAIN * usual_s:
                break
        except Lost:
            pass
        await asyncio.sleep(0.01)
    connection.close()
    return time.monotonic() - started
