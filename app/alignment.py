"""How the digits of a given text lie along a line's steps, under connectionist temporal classification.

An alignment goes through a text's states, its digits with blanks before, between and after them, and stays in each for
some steps; it may pass over a blank between digits that differ. Recurrences here run along states, not along steps:
what enters a state, (t,), becomes the state's own probabilities in a few operations on whole arrays. Probabilities are
logarithms where nothing else is said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.calibration import DIGITS

# The last of a reader's classes: no digit here, or the digit before has ended.
BLANK = DIGITS
NEVER = -np.inf

Logs = NDArray[np.float64]
States = NDArray[np.intp]

# Shares are at most this, in logarithms: where a text has next to no alignment, those of others would overflow.
_MOST_SHARE = 300.0


@dataclass(frozen=True, slots=True)
class Alignments:
    """All alignments of a text: `forward`, (states, t + 1), is that of being in a state after so many steps.

    It counts all that leads there. `whole` is that of the text; NEVER where the steps are too few for it.
    """

    states: States
    forward: Logs
    whole: float

    def probability(self, given: float = 0.0) -> float:
        """That of the text, 0 to 1; among such texts only as have together the probability whose logarithm is given."""
        return 0.0 if self.whole == NEVER else math.exp(min(self.whole - given, 0.0))


@dataclass(frozen=True, slots=True)
class AlignedDigit:
    """One digit of a text, at the steps `first` to `last`, half-open, of its likeliest alignment.

    `confidence`: the probability that it is right if all the others are, and not another digit or none.
    """

    digit: int
    confidence: float
    first: int
    last: int


def alignments(logs: Logs, text: str) -> Alignments:
    """The forward algorithm (Graves et al., ICML 2006). `logs`: (t, 11), t ≥ 1, of the digits and the blank."""
    states = np.full(2 * len(text) + 1, BLANK, np.intp)
    states[1::2] = [int(digit) for digit in text]
    forward = _forward(logs, states)
    return Alignments(states, forward, float(np.logaddexp.reduce(forward[-2:, -1])))


def aligned_digits(logs: Logs, text: Alignments) -> tuple[AlignedDigit, ...]:
    """Where the digits of a text stand, and how sure each of them is; none for a text that the steps are too few for.

    A digit's confidence is the text's probability over that of all texts that differ from it there alone, in having
    another digit or none.
    """
    states, forward = text.states, text.forward[:, 1:]
    if len(states) == 1 or text.whole == NEVER:
        return ()
    backward = _backward(logs, states)
    without = _shares(_without_digit(states, forward, backward) - text.whole)
    shares = _with_other_digits(logs, text, backward).sum(axis=1) + without
    path = best_alignment(logs, states)
    digits = []
    for index, share in enumerate(shares):
        steps = np.flatnonzero(path == 2 * index + 1)
        confidence = min(1.0, 1.0 / float(share))
        digits.append(AlignedDigit(int(states[2 * index + 1]), confidence, int(steps[0]), int(steps[-1]) + 1))
    return tuple(digits)


def other_digits(logs: Logs, text: Alignments) -> NDArray[np.float64]:
    """How many times as probable as a text each is that has another digit in one place: (n, 10), of the text itself 1.

    Zeros for a text that the steps are too few for.
    """
    if len(text.states) == 1 or text.whole == NEVER:
        return np.zeros((len(text.states) // 2, DIGITS))
    return _with_other_digits(logs, text, _backward(logs, text.states))


def best_alignment(logs: Logs, states: States) -> States:
    """The state in which the likeliest alignment is at each step, (t,). The steps must not be too few for a text."""
    best = _forward(logs, states, np.maximum)
    earlier = (np.cumsum(logs, axis=0) - logs).T
    path = np.zeros(len(logs), np.intp)
    state, end = len(states) - 1, len(logs)
    if state and best[state - 1, -1] > best[state, -1]:
        state -= 1
    while state:
        entering = _entering(best, states, state, np.maximum)
        start = int(np.argmax((entering - earlier[states[state]])[:end]))
        path[start:end] = state
        past = _may_be_passed(states, state - 1) and best[state - 2, start] > best[state - 1, start]
        state, end = state - (2 if past else 1), start
    return path


def _may_be_passed(states: States, state: int) -> bool:
    """Whether it is a blank between two digits that differ."""
    return 0 < state < len(states) - 1 and states[state] == BLANK and states[state - 1] != states[state + 1]


def _forward(logs: Logs, states: States, add: np.ufunc = np.logaddexp) -> Logs:
    """Of being in a state after so many steps, by any way: (states, t + 1). With `np.maximum`, by the likeliest."""
    passed = np.cumsum(logs, axis=0).T
    earlier = passed - logs.T
    forward = np.full((len(states), len(logs) + 1), NEVER)
    forward[0, 0], forward[0, 1:] = 0.0, passed[BLANK]
    for state, label in enumerate(states[1:], start=1):
        entering = _entering(forward, states, state, add)
        np.add(add.accumulate(entering - earlier[label]), passed[label], out=forward[state, 1:])
    return forward


def _entering(forward: Logs, states: States, state: int, add: np.ufunc) -> Logs:
    """Of coming into a state, 1 or later, at each step, (t,)."""
    if _may_be_passed(states, state - 1):
        return np.asarray(add(forward[state - 1, :-1], forward[state - 2, :-1]))
    return forward[state - 1, :-1]


def _backward(logs: Logs, states: States) -> Logs:
    """Of leaving a state after each step, and coming to the end by any way: (states, t)."""
    return _forward(logs[::-1], states[::-1])[::-1, :0:-1]


def _with_other_digits(logs: Logs, text: Alignments, backward: Logs) -> NDArray[np.float64]:
    """Of each place and digit, (n, 10): how many times as probable as the text that is which has that digit there.

    Not in logarithms, but in shares of what all alignments of the text have at each step (Rabiner, 1989).
    """
    so_far = np.logaddexp.reduce(text.forward[:, 1:], axis=0)
    earlier = np.concatenate([[0.0], so_far[:-1]])
    entering = _beside(_shares(text.forward[:, :-1] - earlier), text.states, before=True)
    leaving = np.full((len(text.states), len(logs)), NEVER)
    leaving[:, :-1], leaving[-1, -1] = backward[:, 1:], 0.0
    leaving = _beside(_shares(leaving + so_far - text.whole), text.states, before=False)
    factors = np.exp(logs[:, :DIGITS] + (earlier - so_far)[:, None])
    within = np.ascontiguousarray(np.moveaxis(entering, 2, 0))
    share = np.zeros_like(within[0])
    for entered, factor in zip(within, factors, strict=True):
        entered += share
        entered *= factor
        share = entered
    return np.asarray(np.einsum("tnc,nct->nc", within, leaving))


def _shares(logs: Logs) -> NDArray[np.float64]:
    return np.asarray(np.exp(np.minimum(logs, _MOST_SHARE)))


def _beside(shares: NDArray[np.float64], states: States, before: bool) -> NDArray[np.float64]:
    """Between a digit of any class in each place and what is beside it there: its blank, or straight a digit that
    differs. (2n + 1, t) → (n, 10, t)."""
    digits, blanks = states[1::2], shares[:-1:2] if before else shares[2::2]
    straight, neighbours = np.zeros_like(blanks), np.full(len(digits), BLANK)
    if before:
        straight[1:], neighbours[1:] = shares[1:-2:2], digits[:-1]
    else:
        straight[:-1], neighbours[:-1] = shares[3::2], digits[1:]
    differ = neighbours[:, None] != np.arange(DIGITS)
    return np.asarray(blanks[:, None] + differ[:, :, None] * straight[:, None])


def _without_digit(states: States, forward: Logs, backward: Logs) -> Logs:
    """Of each digit, (n,): of the text without it."""
    digits, steps = states[1::2], forward.shape[1]
    blank, straight, after = (np.full((len(digits), steps + 1), NEVER) for _ in range(3))
    blank[:, 1:], blank[0, 0] = forward[:-1:2], 0.0
    straight[1:, 1:] = forward[1:-2:2]
    after[:-1, :-1], after[-1, -1] = backward[3::2], 0.0
    differ = np.ones(len(digits), bool)
    differ[1:-1] = digits[:-2] != digits[2:]
    before = np.where(differ[:, None], np.logaddexp(blank, straight), blank)
    return np.asarray(np.logaddexp.reduce(before + after, axis=1))
