"""Logits of a line reader → text, against every alignment that there is."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from app.alignment import BLANK, NEVER, aligned_digits, alignments, best_alignment, other_digits
from app.ctc import (
    best_of_length,
    decoded,
    digit_log_probabilities,
    greedy_text,
    length_log_probability,
    likely_texts,
    log_probabilities,
)

CLASSES = 11
Logs = NDArray[np.float64]
lines = arrays(np.float32, st.tuples(st.integers(1, 3), st.just(CLASSES)), elements=st.floats(-8, 8, width=32))


def collapsed(path: tuple[int, ...]) -> str:
    return "".join(str(label) for label, _ in itertools.groupby(path) if label != BLANK)


def every_text(logs: Logs) -> tuple[dict[str, float], dict[str, float]]:
    """Of each text: its probability, which is that of all its alignments, and that of the likeliest of them."""
    whole: dict[str, float] = {}
    best: dict[str, float] = {}
    for path in itertools.product(range(CLASSES), repeat=len(logs)):
        probability = math.exp(sum(row[label] for row, label in zip(logs.tolist(), path, strict=True)))
        text = collapsed(path)
        whole[text] = whole.get(text, 0.0) + probability
        best[text] = max(best.get(text, 0.0), probability)
    return whole, best


def written(text: str, height: float = 12.0, between: int = 2) -> NDArray[np.float32]:
    """The logits of a sure reader: each digit for two steps, with blanks between."""
    labels = [BLANK] * between
    for digit in text:
        labels += [int(digit)] * 2 + [BLANK] * between
    logits = np.zeros((len(labels), CLASSES), np.float32)
    logits[np.arange(len(labels)), labels] = height
    return logits


@settings(max_examples=25, deadline=None)
@given(lines)
def test_a_text_is_as_probable_as_all_its_alignments(logits: NDArray[np.float32]) -> None:
    logs = log_probabilities(logits)
    whole, best = every_text(logs)
    assert sum(whole.values()) == pytest.approx(1.0)
    for text, probability in whole.items():
        found = alignments(logs, text)
        assert math.exp(found.whole) == pytest.approx(probability, rel=1e-9)
        path = best_alignment(logs, found.states)
        assert collapsed(tuple(found.states[path].tolist())) == text
        assert math.exp(logs[np.arange(len(logs)), found.states[path]].sum()) == pytest.approx(best[text], rel=1e-9)
    assert alignments(logs, "1" * len(logs) + "11").whole == NEVER


@settings(max_examples=25, deadline=None)
@given(lines)
def test_the_search_finds_the_likeliest_text(logits: NDArray[np.float32]) -> None:
    logs = log_probabilities(logits)
    whole, best = every_text(logs)
    likeliest = max(whole.values())
    found = likely_texts(logs, beams=10_000, least=0.0)
    assert whole[found[0][0]] == pytest.approx(likeliest)
    for text, log_probability in found[:20]:
        assert math.exp(log_probability) == pytest.approx(whole[text])
    assert best[greedy_text(logs)] == pytest.approx(max(best.values()))
    answer = decoded(logits)
    assert answer.probability == pytest.approx(whole[answer.text])
    assert answer.probability >= 0.98 * whole[greedy_text(logs)]


@settings(max_examples=25, deadline=None)
@given(lines, st.integers(0, 4))
def test_a_length_is_as_probable_as_all_texts_of_it(logits: NDArray[np.float32], length: int) -> None:
    logs = log_probabilities(logits)
    whole, best = every_text(logs)
    of_length = {text: probability for text, probability in whole.items() if len(text) == length}
    given_length = length_log_probability(logs, length)
    if not of_length:
        assert given_length == NEVER
        assert decoded(logits, expected_length=length).text == decoded(logits).text
        return
    assert math.exp(given_length) == pytest.approx(sum(of_length.values()), rel=1e-9)
    found = best_of_length(logs, length, given_length)
    answer = decoded(logits, expected_length=length)
    assert len(answer.text) == length
    assert answer.probability == pytest.approx(whole[answer.text] / sum(of_length.values()))
    likeliest_alignment = max((text for text in of_length), key=lambda text: best[text])
    assert math.exp(found.whole) >= 0.999_999 * whole[likeliest_alignment]


@settings(max_examples=25, deadline=None)
@given(lines, st.text("0123456789", min_size=1, max_size=3))
def test_a_digit_is_as_sure_as_its_text_is_among_those_that_differ_there(
    logits: NDArray[np.float32], text: str
) -> None:
    logs = log_probabilities(logits)
    whole, _ = every_text(logs)
    digits = aligned_digits(logs, alignments(logs, text))
    if text not in whole:
        assert digits == ()
        return
    assert "".join(str(digit.digit) for digit in digits) == text
    for place, digit in enumerate(digits):
        before, after = text[:place], text[place + 1 :]
        others = [before + other + after for other in ("", *"0123456789")]
        total = sum(whole.get(other, 0.0) for other in others)
        assert digit.confidence == pytest.approx(whole[text] / total, rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(lines, st.text("0123456789", min_size=1, max_size=3))
def test_another_digit_in_a_place_is_as_probable_as_that_text(logits: NDArray[np.float32], text: str) -> None:
    logs = log_probabilities(logits)
    whole, _ = every_text(logs)
    shares = other_digits(logs, alignments(logs, text))
    assert shares.shape == (len(text), 10)
    if text not in whole:
        assert not shares.any()
        return
    for place in range(len(text)):
        for digit in range(10):
            other = f"{text[:place]}{digit}{text[place + 1 :]}"
            assert shares[place, digit] == pytest.approx(whole.get(other, 0.0) / whole[text], rel=1e-6)


def test_digits_stand_where_they_were_written() -> None:
    answer = decoded(written("1002"))
    assert answer.text == "1002"
    assert answer.probability > 0.99
    assert [(digit.first, digit.last) for digit in answer.digits] == [(2, 4), (6, 8), (10, 12), (14, 16)]
    assert all(digit.confidence > 0.99 for digit in answer.digits)


def test_a_digit_in_doubt_is_told_from_sure_ones() -> None:
    logits = written("147")
    logits[6:8, 9] = 11.5
    first, doubtful, last = decoded(logits).digits
    assert doubtful.digit == 4
    assert doubtful.confidence < 0.8 < 0.99 < min(first.confidence, last.confidence)


def test_a_line_without_digits_has_an_empty_text() -> None:
    answer = decoded(written(""))
    assert (answer.text, answer.digits) == ("", ())
    assert answer.probability > 0.99


def test_the_search_sums_what_no_single_alignment_shows() -> None:
    """Graves' example: the likeliest alignment is of blanks, yet the digit has more in all (steps of 0.6 and 0.4)."""
    logits = np.full((2, CLASSES), -50, np.float32)
    logits[:, BLANK], logits[:, 7] = math.log(0.6), math.log(0.4)
    assert greedy_text(logits) == ""
    answer = decoded(logits)
    assert answer.text == "7"
    assert answer.probability == pytest.approx(1 - 0.36, abs=1e-6)


@pytest.mark.parametrize("length", [0, 1, 3, 4, 5, 9])
def test_an_expected_length_is_kept(length: int) -> None:
    logits = written("1002", height=4)
    answer = decoded(logits, expected_length=length)
    assert len(answer.text) == length
    assert 0 < answer.probability <= 1
    assert len(answer.digits) == length


def test_a_length_that_does_not_fit_is_passed_over() -> None:
    assert decoded(written("12"), expected_length=40).text == "12"


def test_a_higher_temperature_is_less_sure_of_the_same_text() -> None:
    sure, less = (decoded(written("1002", height=6), temperature) for temperature in (1.0, 1.5))
    assert sure.text == less.text
    assert sure.probability > less.probability


@settings(deadline=None, max_examples=30)
@given(arrays(np.float32, st.tuples(st.integers(1, 60), st.just(CLASSES)), elements=st.floats(-100, 100, width=32)))
def test_any_logits_give_a_text_and_probabilities(logits: NDArray[np.float32]) -> None:
    answer = decoded(logits)
    assert 0 <= answer.probability <= 1
    assert "".join(str(digit.digit) for digit in answer.digits) == answer.text
    for digit, other in itertools.pairwise(answer.digits):
        assert digit.last <= other.first
    for digit in answer.digits:
        assert 0 <= digit.first < digit.last <= len(logits)
        assert 0 <= digit.confidence <= 1


def test_lone_digits_are_as_probable_as_all_their_alignments() -> None:
    random = np.random.default_rng(7)
    for steps in (1, 2, 40):
        logs = log_probabilities(random.normal(0, 3, (steps, BLANK + 1)).astype(np.float32))
        expected = [alignments(logs, str(digit)).whole for digit in range(10)]
        assert digit_log_probabilities(logs) == pytest.approx(expected)
