"""How well strings are read: what share exactly, how many characters wrong, how far a confidence can be relied on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from app.alignment import BLANK, NEVER, alignments
from app.ctc import decoded, greedy_text, log_probabilities, nothing_log_probability

# In logarithms.
_MOST_ODDS = 7.0
_BLANK_BIASES = np.linspace(0.0, 3.0, 13)
_TEMPERATURES = np.geomspace(0.5, 4.0, 25)


@dataclass(frozen=True, slots=True)
class Figures:
    """Of `count` strings: the share read exactly, and the edits that would mend the others, per true character.

    Where no string has a character, the edits are per string.
    """

    count: int
    exact: float
    character_errors: float


def figures(pairs: Iterable[tuple[str, str]]) -> Figures:
    """Of what strings are, and what they are read as. Without any, all is 0."""
    count = exact = edits = characters = 0
    for expected, read in pairs:
        count += 1
        exact += expected == read
        edits += 0 if expected == read else edit_distance(expected, read)
        characters += len(expected)
    return Figures(count, exact / max(1, count), edits / max(1, characters or count))


def edit_distance(one: str, other: str) -> int:
    """The least number of characters to put in, take out or change (Levenshtein, 1966)."""
    row = list(range(len(other) + 1))
    for place, character in enumerate(one, start=1):
        before, row[0] = row[0], place
        for index, candidate in enumerate(other, start=1):
            changed = before + (character != candidate)
            before, row[index] = row[index], min(row[index] + 1, row[index - 1] + 1, changed)
    return row[-1]


def fitted_blank_bias(read: Iterable[tuple[str, NDArray[np.float32]]]) -> float:
    """How much less the logit of the blank should be, 0..3, so that the most texts are read exactly.

    `read`: texts and the logits, (t, 11), of their lines. Blanks are what most steps of a line are, and so what a
    reader says where it is in doubt: a digit is more often lost than made up.
    """
    lines = list(read)
    exact = []
    for bias in _BLANK_BIASES:
        lowered = np.zeros(BLANK + 1, np.float32)
        lowered[BLANK] = bias
        exact.append(sum(greedy_text(logits - lowered) == expected for expected, logits in lines))
    return float(_BLANK_BIASES[int(np.argmax(exact))])


def fitted_temperature(read: Iterable[tuple[str, NDArray[np.float32]]]) -> float:
    """The divisor of logits, 0.5..4, with which a text's probability tells best whether it is right.

    `read`: texts and the logits, (t, 11), of their lines. The likeliest class of a step, and so the greedy text, does
    not depend on the divisor; the fit has the least negative log-likelihood of right and wrong.
    """
    losses = np.zeros(len(_TEMPERATURES))
    for expected, logits in read:
        text = greedy_text(logits)
        for index, temperature in enumerate(_TEMPERATURES):
            whole = alignments(log_probabilities(logits, float(temperature)), text).whole
            probability = 0.0 if whole == NEVER else min(float(np.exp(whole)), 1.0)
            losses[index] -= np.log(max(probability if text == expected else 1 - probability, 1e-6))
    return float(_TEMPERATURES[losses.argmin()])


def fitted_odds(read: Iterable[tuple[str, NDArray[np.float32]]], temperature: float, risk: float) -> float:
    """How many times as probable as nothing a text must be, 1 or more, so that of right texts the share `risk` is lost.

    `read`: texts and the logits, (t, 11), of their lines.
    """
    odds = []
    for expected, logits in read:
        found = decoded(logits, temperature)
        if expected and found.text == expected:
            logs = log_probabilities(logits, temperature)
            odds.append(float(np.log(max(found.probability, 1e-300))) - nothing_log_probability(logs))
    return float(np.exp(np.clip(np.quantile(odds, risk), 0.0, _MOST_ODDS))) if odds else 1.0


def digit_answers(
    read: Iterable[tuple[str, NDArray[np.float32]]], temperature: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The confidence of every digit that lines are read as, and whether it is right, (n,) each.

    `read`: texts and the logits, (t, 11), of their lines. A digit is right where it stands in the longest parts that
    both texts have in common.
    """
    confidences: list[float] = []
    rights: list[bool] = []
    for expected, logits in read:
        found = decoded(logits, temperature)
        right = np.zeros(len(found.digits), bool)
        for _, start, size in SequenceMatcher(None, expected, found.text, autojunk=False).get_matching_blocks():
            right[start : start + size] = True
        confidences += [digit.confidence for digit in found.digits]
        rights += right.tolist()
    return np.array(confidences, np.float64), np.array(rights, bool)


def reliable(answers: Sequence[tuple[bool, float]], confidence: float) -> tuple[float, float | None]:
    """Of answers, right or not, with their confidences: the share with at least that one, and the share right of these.

    The second is None where there are none.
    """
    sure = [right for right, one in answers if one >= confidence]
    return len(sure) / max(1, len(answers)), (sum(sure) / len(sure) if sure else None)
