"""What is asked of the service, and how near it comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

from tests.benchmarks.figures import Figures, Rounds, Starts, compared, p50_difference, p99_ratio, throughput_ratio
from tests.benchmarks.parts import ENGINES, EXPLAINED, FLOOR_RAW, PEERS, PLAIN, way_name

# How many ask at once where the bars are about throughput; where they are about one request, one does.
BUSY, ALONE = 16, 1


@dataclass(frozen=True, slots=True)
class Results:
    """What was measured; a part that was left out is empty."""

    service: Rounds = field(default_factory=dict)
    batching: Rounds = field(default_factory=dict)
    peers: Rounds = field(default_factory=dict)
    explanation: Rounds = field(default_factory=dict)
    startup: dict[str, Starts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure beside what it must be and what it had better be; `unit` is the format of all three."""

    what: str
    engine: str
    figure: float
    bar: float
    aim: float
    unit: str
    more_is_better: bool = False

    @property
    def is_met(self) -> bool:
        return self._reaches(self.bar)

    @property
    def aim_is_met(self) -> bool:
        return self._reaches(self.aim)

    def _reaches(self, goal: float) -> bool:
        return self.figure >= goal if self.more_is_better else self.figure <= goal


def bars(results: Results) -> Iterator[Bar]:
    """The bars of the parts that were measured."""
    if results.service:
        yield from _beside_the_floor(results.service)
    if results.peers:
        yield from _beside_the_peers(results.peers)
    if results.explanation:
        yield from _of_an_explanation(results.explanation)
    if results.startup:
        yield from _of_the_start(results.startup)


def faster_peer(peers: Rounds) -> str:
    """The peer that answers the most requests a second."""
    return max(PEERS, key=lambda name: median(one.requests_s for one in peers[name, BUSY]))


def _beside_the_floor(rounds: Rounds) -> Iterator[Bar]:
    for engine in ENGINES:
        name = way_name("/predict raw", engine)
        share = compared(rounds[name, BUSY], rounds[FLOOR_RAW, BUSY], throughput_ratio)
        what = f"`/predict`, raw body, {BUSY} at once: requests/s against the floor's"
        yield Bar(what, engine, share, 0.4, 0.7, "{:.2f}", more_is_better=True)
    for engine in ENGINES:
        name = way_name("/predict raw", engine)
        above = compared(rounds[name, ALONE], rounds[FLOOR_RAW, ALONE], p50_difference)
        yield Bar("`/predict`, raw body, alone: p50 above the floor's", engine, above, 1.0, 0.4, "{:.2f} ms")


def _beside_the_peers(rounds: Rounds) -> Iterator[Bar]:
    peer = faster_peer(rounds)
    other: list[Figures] = rounds[peer, BUSY]
    for engine in ENGINES:
        ratio = compared(rounds[engine, BUSY], other, throughput_ratio)
        what = f"`/predict`, multipart, {BUSY} at once: requests/s against {peer}'s"
        yield Bar(what, engine, ratio, 2.0, 4.0, "{:.2f}", more_is_better=True)
    for engine in ENGINES:
        ratio = compared(rounds[engine, BUSY], other, p99_ratio)
        yield Bar(f"… p99 against {peer}'s", engine, ratio, 0.5, 0.25, "{:.2f}")


def _of_an_explanation(rounds: Rounds) -> Iterator[Bar]:
    ratio = compared(rounds[PLAIN, BUSY], rounds[EXPLAINED, BUSY], throughput_ratio)
    yield Bar(f"`{EXPLAINED}`, {BUSY} at once: time of one against `{PLAIN}`'s", "litert", ratio, 10.0, 2.0, "{:.2f}")


def _of_the_start(startup: dict[str, Starts]) -> Iterator[Bar]:
    seconds = {"keras": (8.0, 5.0), "litert": (1.5, 0.8)}
    for engine, starts in startup.items():
        yield Bar("startup to ready, median", engine, median(starts.seconds), *seconds[engine], "{:.2f} s")
    megabytes = {"keras": (900.0, 600.0), "litert": (200.0, 120.0)}
    for engine, starts in startup.items():
        yield Bar("resident memory at ready, median", engine, median(starts.rss_mb), *megabytes[engine], "{:.0f} MB")
