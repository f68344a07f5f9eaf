"""What was measured, and what is made of it: medians of rounds, and ratios within a round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from statistics import median


@dataclass(frozen=True, slots=True)
class Figures:
    """One server under one load: requests a second, milliseconds of latency and of CPU a request, MB resident."""

    requests_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_ms: float
    rss_mb: float


@dataclass(frozen=True, slots=True)
class Starts:
    """Several starts of one server: seconds until it was ready, and MB resident then."""

    seconds: tuple[float, ...]
    rss_mb: tuple[float, ...]


# A way of asking, as the tables name it (`/predict raw, keras`), and how many connections ask at once.
Case = tuple[str, int]
# Every case's figures, a round each, in the order of the rounds.
Rounds = dict[Case, list[Figures]]


def middle(rounds: Sequence[Figures]) -> Figures:
    """The median of each figure over the rounds."""
    return Figures(**{field.name: median(getattr(one, field.name) for one in rounds) for field in fields(Figures)})


def compared(
    own: Sequence[Figures], other: Sequence[Figures], comparison: Callable[[Figures, Figures], float]
) -> float:
    """The median of a comparison made within each round: what slows a machine for a while slows both."""
    return median(comparison(one, another) for one, another in zip(own, other, strict=True))


def throughput_ratio(own: Figures, other: Figures) -> float:
    return own.requests_s / other.requests_s


def p99_ratio(own: Figures, other: Figures) -> float:
    return own.p99_ms / other.p99_ms


def p50_difference(own: Figures, other: Figures) -> float:
    return own.p50_ms - other.p50_ms
