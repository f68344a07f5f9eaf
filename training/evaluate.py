"""How good a model's logits are: figures and curves of a set, the temperature, the threshold for a stated risk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.calibration import DIGITS, LABELS, NON_DIGIT, calibrated_probabilities, expected_calibration_error

VALIDATION = "validation"
THRESHOLD = "threshold"
BINS = 15
_TEMPERATURES = np.geomspace(0.3, 5.0, 120)
_MOST_BIAS = 20.0
_HALVINGS = 25
_CURVE_POINTS = 40

Logits = NDArray[np.float32]
AnyLogits = NDArray[np.floating[Any]]
Labels = NDArray[np.uint8]
Probabilities = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What makes logits fit: the bias is added to that of no digit, then all are divided by the temperature."""

    temperature: float
    non_digit_bias: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of a curve, x ascending within 0..1, thinned to at most 40; `area` is that of all its points."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    area: float


@dataclass(frozen=True, slots=True)
class ClassReport:
    """One class against the rest.

    None where undefined: `precision` of a class never predicted, `recall` of one the set has not, `f1` of one with
    neither, `roc` (x: false positive rate, y: true positive rate, area: AUC) where all or none are of the class.
    """

    label: str
    support: int
    precision: float | None
    recall: float | None
    f1: float | None
    roc: Curve | None


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Confidences of `low`..`high`: how many, their mean, and the share of them that was right (None where empty)."""

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What a threshold does: `coverage` is the share accepted, `risk` the share of those that is wrong.

    `risk` is None where nothing is accepted.
    """

    threshold: float
    coverage: float
    risk: float | None


@dataclass(frozen=True, slots=True)
class SetReport:
    """Figures of one set; what a set without digits, or without non-digits, does not define is None.

    `accuracy` is that of /predict before it looks again: a digit is right where it is the likeliest of ten digits, a
    non-digit where `none` is the likeliest of all eleven classes. `macro_f1` (mean over the classes that the set has),
    `classes`, `confusion` (rows: true; columns: predicted), `ece` and `reliability` are of one decision a glyph: among
    ten digits in a set of digits alone, else among eleven classes, so that a digit taken for `none` is seen.
    `auroc` is that of the non-digit probability. `risk_coverage` (area: AURC), `acceptance` and the shares of digits
    and non-digits accepted are of the digit that /predict gives; an accepted non-digit is an error. `digits_risk` is
    the share of the accepted digits that is wrong.
    """

    n: int
    accuracy: float
    digit_accuracy: float | None
    non_digit_accuracy: float | None
    macro_f1: float
    ece: float
    auroc: float | None
    acceptance: Acceptance
    digits_accepted: float | None
    digits_risk: float | None
    non_digits_accepted: float | None
    classes: tuple[ClassReport, ...]
    confusion: tuple[tuple[int, ...], ...]
    reliability: tuple[ReliabilityBin, ...]
    risk_coverage: Curve | None


def fitted_calibration(logits: Logits, labels: Labels) -> Calibration:
    """The temperature, 0.3..5, and the bias of the non-digit logit that fit `labels`, (n,), best: (n, 11) `logits`.

    Bias-corrected temperature scaling (Alexandari, Kundaje, Shrikumar, ICML 2020), with the one bias that is needed:
    a run draws non-digits far oftener than they are met, so that a bare temperature leaves each digit some of their
    probability. The fit has the least negative log-likelihood. Where all or none are non-digits, the bias is 0. Raises
    ValueError for what `set_report` refuses.
    """
    _refuse_unmeasurable(logits, labels)
    fits = []
    for temperature in _TEMPERATURES:
        bias = non_digit_bias(logits, labels, float(temperature))
        probabilities = calibrated_probabilities(_biased(logits, bias), float(temperature))
        loss = -np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-12)).mean()
        fits.append((float(loss), Calibration(float(temperature), bias)))
    return min(fits, key=lambda fit: fit[0])[1]


def non_digit_bias(logits: AnyLogits, labels: Labels, temperature: float) -> float:
    """The bias of the non-digit logit with which the likelihood of `labels`, (n,), has no slope; (n, 11) `logits`.

    There the mean non-digit probability is the share of non-digits; where they are all or none, it is 0.
    """
    share = float((labels == NON_DIGIT).mean())
    if share in (0.0, 1.0):
        return 0.0
    low, high = -_MOST_BIAS, _MOST_BIAS
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        mean = calibrated_probabilities(_biased(logits, middle), temperature)[:, NON_DIGIT].mean()
        low, high = (middle, high) if mean < share else (low, middle)
    return (low + high) / 2


def _biased(logits: AnyLogits, bias: float) -> AnyLogits:
    changed = logits.copy()
    changed[:, NON_DIGIT] += bias
    return changed


def set_report(logits: Logits, labels: Labels, temperature: float, threshold: float) -> SetReport:
    """Everything measured of one set: `logits`, (n, 11) float32, of glyphs of the classes `labels`, (n,) uint8, 0..10.

    Raises ValueError for an empty set, or arrays of other shapes or values.
    """
    _refuse_unmeasurable(logits, labels)
    probabilities = calibrated_probabilities(logits, temperature)
    digits = labels < NON_DIGIT
    predicted, confidence = decisions(logits, labels, temperature)
    answer_confidence, answer_right = answers(logits, labels, temperature)
    right = np.where(digits, answer_right, probabilities.argmax(axis=1) == NON_DIGIT)
    confusion = np.bincount(labels.astype(int) * len(LABELS) + predicted, minlength=len(LABELS) ** 2)
    confusion = confusion.reshape(len(LABELS), len(LABELS))
    classes = tuple(_class_report(label, confusion, probabilities, labels) for label in range(len(LABELS)))
    non_digit_roc = classes[NON_DIGIT].roc
    accepted = answer_confidence >= threshold
    return SetReport(
        n=len(labels),
        accuracy=float(right.mean()),
        digit_accuracy=_share(right[digits]),
        non_digit_accuracy=_share(right[~digits]),
        macro_f1=float(np.mean([report.f1 for report in classes if report.support and report.f1 is not None])),
        ece=expected_calibration_error(confidence, predicted == labels, BINS),
        auroc=None if non_digit_roc is None else non_digit_roc.area,
        acceptance=acceptance(answer_confidence, answer_right, threshold),
        digits_accepted=_share(accepted[digits]),
        digits_risk=_share(~answer_right[digits & accepted]),
        non_digits_accepted=_share(accepted[~digits]),
        classes=classes,
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        reliability=reliability_bins(confidence, predicted == labels),
        risk_coverage=risk_coverage_curve(answer_confidence, answer_right) if digits.any() else None,
    )


def decisions(logits: Logits, labels: Labels, temperature: float) -> tuple[NDArray[np.intp], Probabilities]:
    """The class decided on, (n,), and its probability, (n,): of ten digits in a set of digits alone, else of eleven."""
    classes = len(LABELS) if (labels == NON_DIGIT).any() else DIGITS
    probabilities = calibrated_probabilities(logits, temperature)[:, :classes]
    return probabilities.argmax(axis=1), probabilities.max(axis=1)


def answers(logits: Logits, labels: Labels, temperature: float) -> tuple[Probabilities, Flags]:
    """The confidence of /predict's digit, (n,) float64, and whether it is right, (n,): never for a non-digit."""
    digits = calibrated_probabilities(logits, temperature)[:, :DIGITS]
    return digits.max(axis=1), digits.argmax(axis=1) == labels


def acceptance(confidence: Probabilities, correct: Flags, threshold: float) -> Acceptance:
    """What is accepted, as /predict does it: with a confidence, (n,), of `threshold` or more. `correct`: (n,)."""
    _refuse_empty(confidence)
    accepted = confidence >= threshold
    return Acceptance(threshold, float(accepted.mean()), _share(~correct[accepted]))


def threshold_for_risk(confidence: Probabilities, correct: Flags, risk: float) -> Acceptance:
    """The smallest threshold whose accepted part is wrong at most at the rate `risk`, 0..1, and what it accepts.

    `confidence`: (n,) float64 in 0..1; `correct`: (n,). Conservative: only confidences that were seen are thresholds,
    so that nothing is accepted below the least confidence that was measured, and equal confidences are accepted or
    rejected together. The risk is that of these examples, not a bound for others. Where no threshold keeps to `risk`,
    the threshold is 1.0, and the result says what that accepts: usually nothing, with a risk of None. Raises ValueError
    for no examples, or a risk outside 0..1.
    """
    if not 0 <= risk <= 1:
        raise ValueError(f"A risk is a share of 0..1, not {risk}.")
    values, accepted, errors = _accepted_errors(confidence, correct)
    kept = np.flatnonzero(errors / accepted <= risk)
    return acceptance(confidence, correct, float(values[kept[-1]]) if kept.size else 1.0)


def roc_curve(scores: Probabilities, positive: Flags) -> Curve | None:
    """ROC curve and AUC of `scores`, (n,), for what is `positive`, (n,); None where all or none are.

    Equal scores make one step, so that each tied pair counts half: T. Fawcett, "An introduction to ROC analysis",
    Pattern Recognition Letters 27, 2006, algorithms 1 and 2.
    """
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        return None
    _, accepted, false = _accepted_errors(scores, positive)
    false = np.append(0, false)
    true = np.append(0, accepted) - false
    area = float((np.diff(false) * (true[1:] + true[:-1])).sum()) / (2 * positives * negatives)
    bends = (np.diff(false, 2) != 0) | (np.diff(true, 2) != 0)
    corners = np.concatenate([[True], bends, [True]])
    return _curve(false[corners] / negatives, true[corners] / positives, area)


def risk_coverage_curve(confidence: Probabilities, correct: Flags) -> Curve:
    """Risk (y) over coverage (x) as the least confident are rejected, and the area under it (AURC), 0..1.

    Y. Geifman, R. El-Yaniv, "Selective Classification for Deep Neural Networks", NeurIPS 2017. AURC is the mean risk
    over the coverages 1/n … n/n (Geifman, Uziel, El-Yaniv, "Bias-Reduced Uncertainty Estimation", ICLR 2019); within
    equal confidences the errors are spread evenly, so that the order of the examples does not matter.
    """
    _, accepted, errors = _accepted_errors(confidence, correct)
    count = np.arange(1, len(confidence) + 1)
    area = float((np.interp(count, np.append(0, accepted), np.append(0, errors)) / count).mean())
    return _curve(accepted / len(confidence), errors / accepted, area)


def reliability_bins(confidence: Probabilities, correct: Flags) -> tuple[ReliabilityBin, ...]:
    """The 15 equal-width bins of confidence, (n,) in 0..1, that the ECE is summed over. `correct`: (n,)."""
    index = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return tuple(
        ReliabilityBin(
            low=bin_ / BINS,
            high=(bin_ + 1) / BINS,
            count=int((index == bin_).sum()),
            confidence=_share(confidence[index == bin_]),
            accuracy=_share(correct[index == bin_]),
        )
        for bin_ in range(BINS)
    )


def manifest_metrics(reports: Mapping[str, SetReport]) -> dict[str, dict[str, float]]:
    """The manifest's groups of figures: one a set, without what is undefined, and `threshold`, as on validation."""
    groups = {
        name: _defined(
            n=report.n, accuracy=report.accuracy, macro_f1=report.macro_f1, ece=report.ece, auroc=report.auroc
        )
        for name, report in reports.items()
    }
    if VALIDATION in reports:
        report = reports[VALIDATION]
        groups[THRESHOLD] = _defined(
            threshold=report.acceptance.threshold,
            digits_accepted=report.digits_accepted,
            digits_risk=report.digits_risk,
            non_digits_accepted=report.non_digits_accepted,
        )
    return groups


def _refuse_empty(values: Labels | Probabilities) -> None:
    if not len(values):
        raise ValueError("The set is empty: there is nothing to measure.")


def _refuse_unmeasurable(logits: Logits, labels: Labels) -> None:
    _refuse_empty(labels)
    if logits.shape != (len(labels), len(LABELS)):
        raise ValueError(f"{len(labels)} labels need logits of the shape ({len(labels)}, 11), not {logits.shape}.")
    if labels.max() > NON_DIGIT:
        raise ValueError(f"Labels are 0–10; there is a {labels.max()}.")
    if not np.isfinite(logits).all():
        raise ValueError("Some logits are no finite numbers.")


def _class_report(label: int, confusion: NDArray[np.intp], probabilities: Probabilities, labels: Labels) -> ClassReport:
    hits, support, predicted = int(confusion[label, label]), int(confusion[label].sum()), int(confusion[:, label].sum())
    return ClassReport(
        label=LABELS[label],
        support=support,
        precision=hits / predicted if predicted else None,
        recall=hits / support if support else None,
        f1=2 * hits / (predicted + support) if predicted + support else None,
        roc=roc_curve(probabilities[:, label], labels == label),
    )


def _accepted_errors(
    confidence: Probabilities, correct: Flags
) -> tuple[Probabilities, NDArray[np.intp], NDArray[np.intp]]:
    """Distinct confidences, descending, how many are accepted at each, and how many of those are wrong; each (k,)."""
    _refuse_empty(confidence)
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    return ranked[ends], ends + 1, np.cumsum(~correct[order])[ends]


def _curve(x: Probabilities, y: Probabilities, area: float) -> Curve:
    kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), _CURVE_POINTS)).round().astype(int))
    return Curve(tuple(x[kept].tolist()), tuple(y[kept].tolist()), area)


def _share(values: Flags | Probabilities) -> float | None:
    return float(values.mean()) if values.size else None


def _defined(**figures: float | None) -> dict[str, float]:
    return {name: float(value) for name, value in figures.items() if value is not None}
