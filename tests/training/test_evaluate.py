"""Figures of a set of logits: against scikit-learn, at the edges, and whatever the logits are."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support, roc_auc_score

from app.calibration import LABELS, NON_DIGIT, calibrated_probabilities
from training.evaluate import (
    VALIDATION,
    Acceptance,
    acceptance,
    answers,
    fitted_calibration,
    manifest_metrics,
    risk_coverage_curve,
    roc_curve,
    set_report,
    threshold_for_risk,
)

Sample = tuple[NDArray[np.float32], NDArray[np.uint8]]
# Confidences of few values, so that there are ties, with whether each is right.
ANSWERS = st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 0.7, 0.9, 0.99, 1.0]), st.booleans()), min_size=1)


def sample(n: int, labels: range = range(11), skill: float = 3.0, seed: int = 3) -> Sample:
    """Logits, (n, 11), that tell their labels, (n,), the better the higher `skill` is."""
    random = np.random.default_rng(seed)
    chosen = random.choice(labels, n).astype(np.uint8)
    logits = random.normal(0, 1.5, (n, 11)).astype(np.float32)
    logits[np.arange(n), chosen] += np.float32(skill)
    return logits, chosen


def split(pairs: list[tuple[float, bool]]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    return np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])


def test_the_temperature_and_the_bias_that_were_put_in_are_found() -> None:
    random = np.random.default_rng(5)
    logits = random.normal(0, 2, (4000, 11))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([random.choice(11, p=chance) for chance in chances], np.uint8)
    distorted = (2.5 * logits).astype(np.float32)
    distorted[:, NON_DIGIT] += 4.0
    found = fitted_calibration(distorted, labels)
    assert found.temperature == pytest.approx(2.5, rel=0.1)
    assert found.non_digit_bias == pytest.approx(-4.0, abs=0.4)


@pytest.mark.parametrize("only_non_digits", [False, True])
def test_without_both_kinds_there_is_no_bias(only_non_digits: bool) -> None:
    logits, labels = sample(200, range(10, 11) if only_non_digits else range(10))
    assert fitted_calibration(logits, labels).non_digit_bias == 0


@pytest.mark.parametrize("labels", [range(11), range(10), range(4, 6), range(8, 11)])
def test_the_figures_are_those_of_scikit_learn(labels: range) -> None:
    logits, truth = sample(600, labels)
    report = set_report(logits, truth, 1.3, 0.6)
    probabilities = calibrated_probabilities(logits, 1.3)
    predicted = probabilities[:, : 11 if 10 in labels else 10].argmax(axis=1)
    every = np.arange(11)
    np.testing.assert_array_equal(report.confusion, confusion_matrix(truth, predicted, labels=every))
    expected = precision_recall_fscore_support(truth, predicted, labels=every, zero_division=np.nan)
    for name, values in zip(("precision", "recall", "f1", "support"), expected, strict=True):
        ours = [np.nan if getattr(one, name) is None else getattr(one, name) for one in report.classes]
        np.testing.assert_allclose(ours, values, err_msg=name)
    present = precision_recall_fscore_support(truth, predicted, labels=list(labels), average="macro", zero_division=0)
    assert report.macro_f1 == pytest.approx(present[2])
    for label, one in enumerate(report.classes):
        if label in labels:
            assert one.roc is not None
            assert one.roc.area == pytest.approx(roc_auc_score(truth == label, probabilities[:, label]))
        else:
            assert one.roc is None
    expected_auroc = roc_auc_score(truth == 10, probabilities[:, 10]) if 10 in labels else None
    assert report.auroc == pytest.approx(expected_auroc)


@given(ANSWERS)
def test_auc_with_ties_is_that_of_scikit_learn(pairs: list[tuple[float, bool]]) -> None:
    scores, positive = split(pairs)
    curve = roc_curve(scores, positive)
    if positive.all() or not positive.any():
        assert curve is None
        return
    assert curve is not None
    assert curve.area == pytest.approx(roc_auc_score(positive, scores))
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
    assert all(np.diff(curve.x) >= 0)
    assert all(np.diff(curve.y) >= 0)


def test_a_long_curve_is_thinned_and_its_area_is_not() -> None:
    logits, truth = sample(5000, skill=0.5)
    one = set_report(logits, truth, 1.0, 0.5).classes[3]
    assert one.roc is not None
    assert len(one.roc.x) <= 40
    assert one.roc.area == pytest.approx(roc_auc_score(truth == 3, calibrated_probabilities(logits, 1.0)[:, 3]))


def test_a_digit_is_right_among_digits_and_a_non_digit_among_all() -> None:
    logits = np.zeros((4, 11), np.float32)
    logits[[0, 1, 2, 3], [3, 3, 5, 10]] = 4
    logits[1, 10] = 9  # a 3 that looks like no digit …
    digits = set_report(logits, np.array([3, 3, 6, 2], np.uint8), 1.0, 0.5)
    assert (digits.n, digits.accuracy, digits.digit_accuracy, digits.non_digit_accuracy) == (4, 0.5, 0.5, None)
    assert digits.confusion[3][3] == 2
    both = set_report(logits, np.array([3, 3, 5, 10], np.uint8), 1.0, 0.5)
    assert (both.accuracy, both.digit_accuracy, both.non_digit_accuracy) == (1, 1, 1)  # … is a 3 to /predict
    assert both.confusion[3][10] == 1  # … and `none` to the decision among eleven classes
    assert both.macro_f1 < 1


def test_an_accepted_non_digit_is_an_error() -> None:
    logits = np.zeros((4, 11), np.float32)
    logits[[0, 1, 2, 3], [7, 7, 7, 10]] = 9
    report = set_report(logits, np.array([7, 7, 10, 10], np.uint8), 1.0, 0.9)
    assert report.acceptance == Acceptance(0.9, 0.75, 1 / 3)
    assert (report.digits_accepted, report.non_digits_accepted) == (1, 0.5)


def test_digits_alone_define_nothing_of_non_digits() -> None:
    report = set_report(*sample(300, range(10)), 1.0, 0.5)
    assert (report.non_digit_accuracy, report.auroc, report.non_digits_accepted) == (None, None, None)
    assert report.classes[NON_DIGIT].recall is None
    assert report.classes[NON_DIGIT].precision is None
    assert report.risk_coverage is not None


def test_non_digits_alone_define_nothing_of_digits() -> None:
    report = set_report(*sample(300, range(10, 11)), 1.0, 0.5)
    assert report.accuracy == report.non_digit_accuracy == report.classes[NON_DIGIT].recall
    assert (report.digit_accuracy, report.auroc, report.risk_coverage, report.digits_accepted) == (None,) * 4
    assert all(one.roc is None for one in report.classes)


def test_a_perfect_set() -> None:
    logits, truth = sample(400, skill=60)
    report = set_report(logits, truth, 1.0, 0.5)
    assert (report.accuracy, report.macro_f1, report.auroc) == (1, 1, 1)
    assert report.ece == pytest.approx(0, abs=1e-9)
    assert report.acceptance.risk == 0
    assert report.non_digits_accepted == 0
    digits = set_report(*sample(400, range(10), skill=60), 1.0, 0.5)
    assert digits.risk_coverage is not None
    assert digits.risk_coverage.area == 0


def test_a_set_where_all_is_wrong() -> None:
    logits, truth = sample(400, range(10), skill=60)
    report = set_report(logits, (truth + np.uint8(1)) % np.uint8(10), 1.0, 0.5)
    assert (report.accuracy, report.macro_f1, report.acceptance.risk) == (0, 0, 1)
    assert report.ece == pytest.approx(1)
    assert report.risk_coverage is not None
    assert report.risk_coverage.area == 1


@pytest.mark.parametrize(
    ("logits", "labels", "said"),
    [
        (np.zeros((0, 11)), np.zeros(0), "empty"),
        (np.zeros((2, 10)), np.zeros(2), "shape"),
        (np.zeros((3, 11)), np.zeros(2), "2 labels"),
        (np.zeros((1, 11)), np.full(1, 11), "there is a 11"),
        (np.full((1, 11), np.nan), np.zeros(1), "finite"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    logits: NDArray[np.float64], labels: NDArray[np.float64], said: str
) -> None:
    arguments = logits.astype(np.float32), labels.astype(np.uint8)
    with pytest.raises(ValueError, match=said):
        set_report(*arguments, 1.0, 0.5)
    with pytest.raises(ValueError, match=said):
        fitted_calibration(*arguments)


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.floats(0, 6), st.floats(0.3, 5), st.floats(0, 1))
def test_every_figure_is_a_share_and_they_agree(
    seed: int, n: int, skill: float, temperature: float, threshold: float
) -> None:
    logits, truth = sample(n, skill=skill, seed=seed)
    report = set_report(logits, truth, temperature, threshold)
    for name, value in asdict(report).items():
        if isinstance(value, float):
            assert 0 <= value <= 1, name
    assert np.array(report.confusion).sum() == sum(one.support for one in report.classes) == n
    assert sum(one.count for one in report.reliability) == n
    gaps = [one.count * abs(one.confidence - one.accuracy) for one in report.reliability if one.count]  # type: ignore[operator]  # both are defined where there are any
    assert report.ece == pytest.approx(sum(gaps) / n)
    order = np.random.default_rng(seed).permutation(n)
    again = set_report(logits[order], truth[order], temperature, threshold)
    assert again.confusion == report.confusion
    assert again.risk_coverage == report.risk_coverage


@given(ANSWERS)
def test_aurc_is_the_mean_risk_over_all_orders_of_ties(pairs: list[tuple[float, bool]]) -> None:
    confidence, correct = split(pairs)
    curve = risk_coverage_curve(confidence, correct)
    assert 0 <= curve.area <= 1
    assert curve.x[-1] == 1
    assert curve.y[-1] == pytest.approx(1 - correct.mean())
    best_last, worst_last = (np.lexsort((keys, -confidence)) for keys in (correct, ~correct))
    areas = [(np.cumsum(~correct[o]) / np.arange(1, len(o) + 1)).mean() for o in (best_last, worst_last)]
    assert areas[1] - 1e-9 <= curve.area <= areas[0] + 1e-9


def test_a_risk_coverage_curve_by_hand() -> None:
    curve = risk_coverage_curve(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, True]))
    assert curve.x == (0.25, 0.5, 0.75, 1)
    assert curve.y == pytest.approx((0, 1 / 2, 1 / 3, 1 / 4))
    assert curve.area == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 4) / 4)


@given(ANSWERS, st.floats(0, 1))
def test_the_threshold_is_the_smallest_that_keeps_to_the_risk(pairs: list[tuple[float, bool]], risk: float) -> None:
    confidence, correct = split(pairs)
    found = threshold_for_risk(confidence, correct, risk)
    assert found == acceptance(confidence, correct, found.threshold)
    kept = [t for t in set(confidence.tolist()) if (~correct[confidence >= t]).mean() <= risk]
    assert found.threshold == min(kept, default=1.0)
    if kept:
        assert found.risk is not None
        assert found.risk <= risk
        assert found.coverage > 0


def test_a_risk_that_cannot_be_reached_accepts_nothing() -> None:
    wrong = np.zeros(3, bool)
    assert threshold_for_risk(np.array([0.5, 0.6, 0.99]), wrong, 0.1) == Acceptance(1.0, 0.0, None)
    assert threshold_for_risk(np.array([0.5, 0.6, 1.0]), wrong, 0.1) == Acceptance(1.0, 1 / 3, 1.0)


@pytest.mark.parametrize("risk", [-0.1, 1.5, float("nan")])
def test_a_risk_is_a_share(risk: float) -> None:
    with pytest.raises(ValueError, match=r"share of 0\.\.1"):
        threshold_for_risk(np.ones(1), np.ones(1, bool), risk)


def test_no_examples_give_no_threshold() -> None:
    with pytest.raises(ValueError, match="empty"):
        threshold_for_risk(np.zeros(0), np.zeros(0, bool), 0.1)
    with pytest.raises(ValueError, match="empty"):
        acceptance(np.zeros(0), np.zeros(0, bool), 0.1)


def test_the_manifest_gets_what_is_defined() -> None:
    logits, truth = sample(500)
    chosen = threshold_for_risk(*answers(logits, truth, 1.0), 0.05)
    reports = {
        VALIDATION: set_report(logits, truth, 1.0, chosen.threshold),
        "MNIST test": set_report(*sample(90, range(10)), 1.0, chosen.threshold),
    }
    metrics = manifest_metrics(reports)
    assert set(metrics) == {VALIDATION, "MNIST test", "threshold"}
    assert set(metrics[VALIDATION]) == {"n", "accuracy", "macro_f1", "ece", "auroc"}
    assert set(metrics["MNIST test"]) == {"n", "accuracy", "macro_f1", "ece"}
    assert metrics["threshold"]["threshold"] == chosen.threshold
    assert metrics["threshold"]["digits_accepted"] == reports["validation"].digits_accepted
    assert metrics["threshold"]["digits_risk"] == reports["validation"].digits_risk
    assert "threshold" not in manifest_metrics({"MNIST test": reports["MNIST test"]})
    assert len(reports[VALIDATION].classes) == len(LABELS)
