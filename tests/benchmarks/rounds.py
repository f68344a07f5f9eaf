"""Measuring: each case in several rounds, those that are compared next to each other."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.benchmarks import load
from tests.benchmarks.figures import Figures, Rounds, Starts
from tests.benchmarks.machine import Cpus
from tests.benchmarks.process_tree import cpu_seconds, rss_bytes
from tests.benchmarks.servers import Running, Server, running
from tests.benchmarks.uploads import Upload

_WARM_UP_S = 1
_MB = 1e6


@dataclass(frozen=True, slots=True)
class Plan:
    """How long a load lasts, how many rounds there are, how many starts, and which CPUs do what."""

    seconds: int
    rounds: int
    starts: int
    cpus: Cpus


@dataclass(frozen=True, slots=True)
class Way:
    """A way of asking a server, with the name that the tables give it."""

    name: str
    server: Running
    path: str
    upload: Upload


@contextmanager
def standing(servers: Sequence[Server], plan: Plan) -> Iterator[list[Running]]:
    """Several servers at once, ready and paused."""
    with ExitStack() as stack:
        up = []
        for server in servers:
            one = stack.enter_context(running(server, plan.cpus.servers))
            one.pause()
            up.append(one)
        yield up


def measured(ways: Sequence[Way], connections: Sequence[int], plan: Plan) -> Rounds:
    """Every way at every number of connections. Every other round goes backwards, so that none is always the first."""
    rounds: Rounds = {}
    for count in connections:
        for turn in range(plan.rounds):
            for way in ways if turn % 2 == 0 else reversed(ways):
                figures = _figures(way, count, plan)
                rounds.setdefault((way.name, count), []).append(figures)
                print(f"{way.name}, {count} at once: {figures.requests_s:,.0f} requests/s", file=sys.stderr, flush=True)
    return rounds


def started(server: Server, plan: Plan) -> Starts:
    """Starts a server several times, on all CPUs: while it starts there is no load to keep out of its way."""
    seconds, resident = [], []
    for _ in range(plan.starts):
        with running(server, plan.cpus.all) as one:
            seconds.append(one.start_s)
            resident.append(rss_bytes(one.pid) / _MB)
        print(f"{server.name} started in {seconds[-1]:.2f} s", file=sys.stderr, flush=True)
    return Starts(tuple(seconds), tuple(resident))


def _figures(way: Way, connections: int, plan: Plan) -> Figures:
    url = way.server.url(way.path)
    with way.server.awake():
        way.server.check(way.path, way.upload)
        load.posted(url, way.upload, connections, _WARM_UP_S, plan.cpus.wrk)
        way.server.check(way.path, way.upload)
        before = cpu_seconds(way.server.pid)
        seen = load.posted(url, way.upload, connections, plan.seconds, plan.cpus.wrk)
        cpu = cpu_seconds(way.server.pid) - before
        resident = rss_bytes(way.server.pid)
        way.server.check(way.path, way.upload)
    return Figures(
        requests_s=seen.requests / seen.seconds,
        p50_ms=seen.p50_ms,
        p95_ms=seen.p95_ms,
        p99_ms=seen.p99_ms,
        cpu_ms=1e3 * cpu / seen.requests,
        rss_mb=resident / _MB,
    )
