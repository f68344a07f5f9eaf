"""Figures of answers: against scikit-learn, at the edges, and whatever the answers are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from app.domain import ImageSize, Prediction, Timings
from tests.evaluation.figures import (
    Answer,
    auroc,
    predicted,
    says_no_digit,
    scored,
    scored_classes,
    scored_non_digits,
    scored_numbers,
)

# Few values, so that there are ties.
SHARES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0]), min_size=1)
TEXTS = st.text("0123", max_size=6)


def prediction(digit: int | None = 3, confidence: float = 0.9, non_digit: float = 0.0) -> Prediction:
    """An answer of /predict, accepted from a confidence of 0.5 on."""
    probabilities = tuple(confidence if i == digit else 0.0 for i in range(10))
    return Prediction(digit, confidence, confidence < 0.5, probabilities, non_digit, None, ImageSize(1, 1), Timings())


NO_INK = prediction(None, 0.0, 1.0)


def test_texts_are_scored_by_images_and_by_digits() -> None:
    read = [("12", "12", 0.95, 1.0), ("345", "45", 0.9, 9.0), ("6", "68", 0.5, 2.0)]
    score = scored_numbers([Answer(expected, text, None, sure, ms) for expected, text, sure, ms in read])
    assert (score.images, score.exact, score.digit_errors) == (3, 1 / 3, 2 / 6)
    assert (score.sure, score.sure_exact, score.milliseconds) == (2 / 3, 1 / 2, 2.0)


def test_of_pages_without_digits_errors_are_counted_by_page() -> None:
    score = scored_numbers([Answer("", "", None, 0.3), Answer("", "17", None, 0.3)])
    assert (score.exact, score.digit_errors, score.sure, score.sure_exact) == (0.5, 1.0, 0.0, None)


def test_the_calibration_error_is_that_of_the_confidence_among_digits() -> None:
    sure = [predicted("3", prediction(3, 0.9))] * 3
    assert scored([*sure, predicted("4", prediction(3, 0.9))]).ece == pytest.approx(0.15)
    assert scored(sure).ece == pytest.approx(0.1)


def test_eleven_classes_are_told_by_the_most_probable_of_all() -> None:
    answers = [predicted("3", prediction(3, 0.9)), predicted("3", prediction(3, 0.3, 0.7)), predicted("", NO_INK)]
    score = scored_classes(answers)
    assert score.exact == pytest.approx(2 / 3)
    assert score.ece == pytest.approx((0.1 + 0.7 + 0.0) / 3)


def test_a_digit_without_ink_is_wrong_and_says_so() -> None:
    score = scored([predicted("3", NO_INK)])
    assert (score.exact, score.digit_errors, score.ece) == (0, 1, 0)


def test_a_digit_is_right_even_where_it_is_more_likely_none() -> None:
    assert scored([predicted("3", prediction(3, 0.2, 0.8))]).exact == 1


@pytest.mark.parametrize(
    ("answer", "no_digit"),
    [
        (NO_INK, True),
        (prediction(3, 0.4, 0.6), True),
        (prediction(3, 0.6, 0.4), False),
        (prediction(3, 0.5, 0.5), False),
        (prediction(3, 0.35, 0.45), True),  # less than a half, and more than any digit
    ],
)
def test_no_digit_is_what_is_likelier_than_every_digit(answer: Prediction, no_digit: bool) -> None:
    assert says_no_digit(answer) is no_digit


def test_blanks_are_counted_by_what_is_answered_and_by_what_is_accepted() -> None:
    unsure, wrong = prediction(3, 0.4, 0.3), prediction(3, 0.9, 0.1)
    score = scored_non_digits([predicted("", answer) for answer in (NO_INK, NO_INK, unsure, wrong)], [])
    assert (score.images, score.no_digit, score.not_accepted, score.auroc) == (4, 0.5, 0.75, None)


@given(SHARES, SHARES)
def test_auroc_is_that_of_scikit_learn(non_digits: list[float], digits: list[float]) -> None:
    area = auroc(*([prediction(3, 0.5, share) for share in shares] for shares in (non_digits, digits)))
    truth = np.arange(len(non_digits) + len(digits)) < len(non_digits)
    assert area == pytest.approx(roc_auc_score(truth, [*non_digits, *digits]))


def test_auroc_of_one_kind_alone_is_undefined() -> None:
    assert auroc([], [NO_INK]) is None
    assert auroc([NO_INK], []) is None
    assert auroc([], []) is None


def test_nothing_cannot_be_scored() -> None:
    with pytest.raises(ValueError, match="empty"):
        scored([])
    with pytest.raises(ValueError, match="empty"):
        scored_non_digits([], [])
