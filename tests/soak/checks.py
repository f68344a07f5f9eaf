"""What a soak found, each against its bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One figure. `met`: whether the bar is; None where there is none."""

    what: str
    figure: str
    bar: str = "–"
    met: bool | None = None


def table(checks: Sequence[Check]) -> str:
    """Markdown."""
    rows = [f"| {c.what} | {c.figure} | {c.bar} | {_MET[c.met]} |" for c in checks]
    return "\n".join(["| What | Measured | Bar | |", "|---|---|---|---|", *rows])


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all are not above; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


_MET = {True: "met", False: "**missed**", None: ""}
