"""How many digits each line of an image has, where it is said how many they have together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from app.alignment import NEVER, Logs
from app.ctc import Decoded, length_log_probabilities

# A line's digits are miscounted by so many at most; or it is no line of digits.
_MOST_WRONG = 3
# Only so many lines, the least sure ones, may have another number of digits than they seem to.
_MOST_DOUBTED = 32


def lengths_together(lines: Sequence[Logs], seeming: Sequence[Decoded], together: int) -> list[int] | None:
    """The likeliest number of digits of every line, so many `together`; None where that cannot be.

    `lines`: calibrated natural logarithms of each, (t, 11). `seeming`: what each says by itself.
    """
    doubted = sorted(range(len(lines)), key=lambda index: seeming[index].probability)[:_MOST_DOUBTED]
    lengths = [len(text.text) for text in seeming]
    left = together - sum(lengths) + sum(lengths[index] for index in doubted)
    # By how many digits the doubted lines until here have: how probable that is, and each one's number.
    best: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, ())}
    for index in doubted:
        grown: dict[int, tuple[float, tuple[int, ...]]] = {}
        for count, log in _possible(lines[index], lengths[index]).items():
            for so_far, (logs, counts) in best.items():
                if logs + log > grown.get(so_far + count, (NEVER, ()))[0]:
                    grown[so_far + count] = (logs + log, (*counts, count))
        best = grown
    if left not in best:
        return None
    for index, count in zip(doubted, best[left][1], strict=True):
        lengths[index] = count
    return lengths


def _possible(logs: Logs, length: int) -> Mapping[int, float]:
    """How many digits a line may have that seems to have `length`, and the logarithm of how probable each number is."""
    most = min(length + _MOST_WRONG, len(logs))
    found = length_log_probabilities(logs, most)
    least = max(length - _MOST_WRONG, 0)
    return {count: float(found[count]) for count in {0, *range(least, most + 1)} if np.isfinite(found[count])}
