"""Logits of a line reader → text, by connectionist temporal classification (Graves et al., ICML 2006).

For every step along a line, a reader gives the probabilities of ten digits and of a blank. An alignment names one of
them at each step; its text is what remains once repeats are merged and blanks dropped. A text is as probable as all its
alignments together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.alignment import BLANK, NEVER, AlignedDigit, Alignments, Logs, aligned_digits, alignments
from app.calibration import DIGITS

# Where a text has half of all probability, no other is likelier.
_SURELY = float(np.log(0.5))
# Prefixes that the search keeps at each step, and how probable a digit must be there to go on with one.
_BEAMS = 12
_LEAST_PROBABILITY = 1e-3


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, its probability, and its digits. Where its length was given, the probability is that among such texts."""

    text: str
    probability: float
    digits: tuple[AlignedDigit, ...]


@dataclass(frozen=True, slots=True)
class Likeliest:
    """A text with all its alignments, and its probability, as that of a Decoded; where its digits lie is not told."""

    text: str
    probability: float
    alignments: Alignments

    def with_digits(self, logs: Logs) -> Decoded:
        """With its digits, which `logs`, (t, 11), say."""
        return Decoded(self.text, self.probability, aligned_digits(logs, self.alignments))


def decoded(logits: NDArray[np.float32], temperature: float = 1.0, expected_length: int | None = None) -> Decoded:
    """What a reader's logits, (t, 11) with t ≥ 1, say; `temperature` calibrates them.

    With `expected_length`, a text of so many digits, unless t steps are too few for any: then it is as without.
    """
    logs = log_probabilities(logits, temperature)
    return likeliest(logs, expected_length).with_digits(logs)


def likeliest(logs: Logs, expected_length: int | None = None) -> Likeliest:
    """The same of a reader's calibrated `logs`, (t, 11), without the digits: half of the work."""
    given = 0.0
    found: Alignments | None = None
    if expected_length is not None:
        given = length_log_probability(logs, expected_length)
        found = None if given == NEVER else best_of_length(logs, expected_length, given)
    if found is None:
        given = 0.0
        found = alignments(logs, greedy_text(logs))
        if found.whole < _SURELY:
            found = _likeliest([found, alignments(logs, likely_texts(logs)[0][0])])
    return Likeliest(_text(found), found.probability(given), found)


def nothing_log_probability(logs: Logs) -> float:
    """The logarithm of the probability that there is no digit. `logs`: (t, 11)."""
    return float(logs[:, BLANK].sum())


def digit_log_probabilities(logs: Logs) -> Logs:
    """Of each digit, how probable it is that the text is that digit alone: natural logarithms, (10,), of (t, 11)."""
    blanks = np.concatenate([[0.0], logs[:, BLANK].cumsum()])[:, np.newaxis]
    digits = np.concatenate([np.zeros((1, DIGITS)), logs[:, :DIGITS].cumsum(axis=0)])
    # Blanks until a step, the digit until another, and blanks again.
    begun = np.logaddexp.accumulate((blanks - digits)[:-1], axis=0)
    return np.asarray(np.logaddexp.reduce(begun + (digits - blanks)[1:], axis=0) + blanks[-1])


def log_probabilities(logits: NDArray[np.float32], temperature: float = 1.0) -> Logs:
    """Logarithms of the softmax of (t, 11) logits divided by `temperature` (> 0): (t, 11) float64."""
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    return np.asarray(scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True)))


def greedy_text(logits: NDArray[np.floating]) -> str:
    """The text of the likeliest alignment, which names the likeliest class at each step. `logits`: (t, 11)."""
    classes = logits.argmax(axis=1)
    begins = classes != BLANK
    begins[1:] &= classes[1:] != classes[:-1]
    return "".join(map(str, classes[begins].tolist()))


def likely_texts(logs: Logs, beams: int = _BEAMS, least: float = _LEAST_PROBABILITY) -> list[tuple[str, float]]:
    """Texts, the likeliest first, with the logarithms of their probabilities, as far as the search has summed them.

    A prefix beam search (Hannun, Maas, Jurafsky, Ng, "First-Pass Large Vocabulary Continuous Speech Recognition using
    Bi-Directional Recurrent DNNs", 2014): `beams` prefixes are kept, and go on with digits of a probability of `least`
    or more.
    """
    # Of each prefix, the probabilities of its alignments that end in a blank, and in its last digit.
    kept: dict[str, tuple[float, float]] = {"": (1.0, 0.0)}
    scale = 0.0
    for row in np.exp(logs).tolist():
        blank, digits = row[BLANK], [(str(d), p) for d, p in enumerate(row[:DIGITS]) if p >= least]
        grown: dict[str, tuple[float, float]] = {}
        for prefix, (in_blank, in_digit) in kept.items():
            last, both = prefix[-1:], in_blank + in_digit
            before = grown.get(prefix, (0.0, 0.0))
            repeated = in_digit * row[int(last)] if last else 0.0
            grown[prefix] = (before[0] + both * blank, before[1] + repeated)
            for digit, probability in digits:
                so_far = in_blank if digit == last else both  # the same digit again is another one only after a blank
                if so_far:
                    before = grown.get(prefix + digit, (0.0, 0.0))
                    grown[prefix + digit] = (before[0], before[1] + probability * so_far)
        likely = sorted(grown.items(), key=_probability_of, reverse=True)[:beams]
        total = sum(likely[0][1])
        kept = {prefix: (in_blank / total, in_digit / total) for prefix, (in_blank, in_digit) in likely}
        scale += float(np.log(total))
    return [(prefix, float(np.log(sum(found))) + scale) for prefix, found in kept.items() if sum(found)]


def _probability_of(prefix: tuple[str, tuple[float, float]]) -> float:
    in_blank, in_digit = prefix[1]
    return in_blank + in_digit


def length_log_probability(logs: Logs, length: int) -> float:
    """The logarithm of the probability that a text has so many digits, whichever they are; NEVER where it cannot."""
    return float(length_log_probabilities(logs, length)[-1]) if length <= len(logs) else NEVER


def length_log_probabilities(logs: Logs, most: int) -> Logs:
    """The same of every length from 0 to `most`, which t steps must be enough for: (most + 1,)."""
    blanks, digits = _by_length(logs, most, np.logaddexp)
    ends = np.array([blank[-1] for blank in blanks]), np.array([digit[:, -1] for digit in digits])
    return np.asarray(np.logaddexp(ends[0], np.logaddexp.reduce(ends[1], axis=1)))


def best_of_length(logs: Logs, length: int, given: float) -> Alignments:
    """A text of so many digits: that of the likeliest alignment with as many, or a likelier one that the search finds.

    `given`: the logarithm of the probability of that length, which must be possible.
    """
    greedy = greedy_text(logs)
    found = [alignments(logs, greedy)] if len(greedy) == length else []
    if found and found[0].whole - given >= _SURELY:
        return found[0]
    texts = [_aligned_text(logs, length), *(text for text, _ in likely_texts(logs) if len(text) == length)]
    return _likeliest([*found, *(alignments(logs, text) for text in texts)])


def _likeliest(found: Iterable[Alignments]) -> Alignments:
    return max(found, key=lambda one: one.whole)


def _text(found: Alignments) -> str:
    return "".join(str(label) for label in found.states[1::2])


def _aligned_text(logs: Logs, length: int) -> str:
    """The text of the likeliest alignment with so many digits."""
    blanks, digits = _by_length(logs, length, np.maximum)
    text = ""
    end, last = len(logs), BLANK
    for count in range(length, 0, -1):
        # Out of the blank after the digit, or straight out of a digit that differs from the one after it.
        ways = digits[count][:, end - 1].copy()
        if last != BLANK:
            ways[last] = NEVER
        if blanks[count][end - 1] >= ways.max():
            end = _entered(_later(digits[count].max(axis=0)), logs[:, BLANK], end)
            ways = digits[count][:, end - 1]
        last = int(ways.argmax())
        end = _entered(_into(blanks[count - 1], digits[count - 1], count, np.maximum)[last], logs[:, last], end)
        text = str(last) + text
    return text


def _by_length(logs: Logs, length: int, add: np.ufunc) -> tuple[list[Logs], list[Logs]]:
    """By how many digits there were, 0 to `length`: of being in the blank after them, (t,), and in the last, (10, t).

    Of all ways there, or with `np.maximum` for `add` of the likeliest.
    """
    blanks, digits = [np.cumsum(logs[:, BLANK])], [np.full((DIGITS, len(logs)), NEVER)]
    for count in range(1, length + 1):
        entering = _into(blanks[-1], digits[-1], count, add)
        digits.append(_stayed(entering, logs[:, :DIGITS].T, add))
        blanks.append(_stayed(_later(add.reduce(digits[-1], axis=0)), logs[:, BLANK], add))
    return blanks, digits


def _into(blank: Logs, digits: Logs, count: int, add: np.ufunc) -> Logs:
    """Of coming into the digit number `count`, of each class, (10, t): from the blank before, or from another digit."""
    up = np.full((DIGITS + 1, digits.shape[1]), NEVER)
    down = up.copy()
    up[1:] = add.accumulate(digits, axis=0)
    down[:-1] = add.accumulate(digits[::-1], axis=0)[::-1]
    entering = _later(add(add(up[:-1], down[1:]), blank))
    if count == 1:
        entering[:, 0] = 0.0
    return entering


def _stayed(entering: Logs, logs: Logs, add: np.ufunc) -> Logs:
    """Of being in a state at each step, (…, t), from that of coming into it there, and that of its class."""
    passed = np.cumsum(logs, axis=-1)
    return np.asarray(passed + add.accumulate(entering - (passed - logs), axis=-1))


def _entered(entering: Logs, logs: Logs, end: int) -> int:
    """The step at which the likeliest way came into the state that it is in until `end`."""
    return int(np.argmax((entering - (np.cumsum(logs) - logs))[:end]))


def _later(logs: Logs) -> Logs:
    """What was at the step before, (…, t); before the first step there was nothing."""
    moved = np.full_like(logs, NEVER)
    moved[..., 1:] = logs[..., :-1]
    return moved
