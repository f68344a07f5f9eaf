"""What was answered → the figures of a set. Pure: neither images nor a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.calibration import NON_DIGIT, expected_calibration_error
from app.domain import Prediction
from training.evaluate import BINS, roc_curve
from training.lines.figures import edit_distance

# Of the texts that are reported with this confidence, as many are to be right.
SURE = 0.9


@dataclass(frozen=True, slots=True)
class Answer:
    """What an image shows and what was read of it, empty where that is no digit.

    `prediction`: /predict's answer as a whole. `confidence`: that of /read's text. `milliseconds`: from bytes to
    answer.
    """

    expected: str
    text: str
    prediction: Prediction | None = None
    confidence: float = 0.0
    milliseconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Score:
    """How digits were told: the share that is right, edits per digit, the expected calibration error of confidences."""

    images: int
    exact: float
    digit_errors: float
    ece: float


@dataclass(frozen=True, slots=True)
class NumberScore:
    """How /read read: the share of texts exactly right, edits per digit (per image where there are no digits).

    `sure`: the share of confidences of 0.9 or more; `sure_exact`: how many of those texts are right, None where there
    are none. `milliseconds`: the median from bytes to answer.
    """

    images: int
    exact: float
    digit_errors: float
    sure: float
    sure_exact: float | None
    milliseconds: float


@dataclass(frozen=True, slots=True)
class NonDigitScore:
    """How what is no digit was answered: the share answered with no digit, and the share not accepted as one.

    `auroc`: of the non-digit probability against digits; None where there was no digit.
    """

    images: int
    no_digit: float
    not_accepted: float
    auroc: float | None


def predicted(expected: str, prediction: Prediction) -> Answer:
    """The answer of /predict."""
    return Answer(expected, "" if prediction.digit is None else str(prediction.digit), prediction)


def scored(answers: Sequence[Answer]) -> Score:
    """How digits were told by /predict. Raises ValueError where there is none."""
    _refuse_empty(answers)
    predictions = predictions_of(answers)
    right = np.array([answer.text == answer.expected for answer in answers])
    edits = sum(edit_distance(answer.text, answer.expected) for answer in answers)
    confidence = np.array([prediction.confidence for prediction in predictions])
    return Score(
        images=len(answers),
        exact=float(right.mean()),
        digit_errors=edits / sum(len(answer.expected) for answer in answers),
        ece=expected_calibration_error(confidence, right, BINS),
    )


def scored_classes(answers: Sequence[Answer]) -> Score:
    """How /predict told the eleven classes, that of no digit among them. Raises ValueError where there is no answer."""
    _refuse_empty(answers)
    probabilities = np.array([(*one.probabilities, one.non_digit_probability) for one in predictions_of(answers)])
    expected = np.array([int(answer.expected) if answer.expected else NON_DIGIT for answer in answers])
    right = probabilities.argmax(axis=1) == expected
    wrong = float(1 - right.mean())
    ece = expected_calibration_error(probabilities.max(axis=1), right, BINS)
    return Score(images=len(answers), exact=float(right.mean()), digit_errors=wrong, ece=ece)


def scored_numbers(answers: Sequence[Answer]) -> NumberScore:
    """How texts were read by /read. Raises ValueError where there is none."""
    _refuse_empty(answers)
    digits = sum(len(answer.expected) for answer in answers)
    edits = sum(edit_distance(answer.text, answer.expected) for answer in answers)
    sure = [answer.text == answer.expected for answer in answers if answer.confidence >= SURE]
    return NumberScore(
        images=len(answers),
        exact=float(np.mean([answer.text == answer.expected for answer in answers])),
        digit_errors=edits / (digits or len(answers)),
        sure=len(sure) / len(answers),
        sure_exact=float(np.mean(sure)) if sure else None,
        milliseconds=float(np.median([answer.milliseconds for answer in answers])),
    )


def scored_non_digits(answers: Sequence[Answer], digits: Sequence[Answer]) -> NonDigitScore:
    """How non-digits were answered by /predict, and told from `digits`. Raises ValueError where there is none."""
    _refuse_empty(answers)
    predictions = predictions_of(answers)
    return NonDigitScore(
        images=len(answers),
        no_digit=float(np.mean([says_no_digit(prediction) for prediction in predictions])),
        not_accepted=float(np.mean([prediction.digit is None or prediction.rejected for prediction in predictions])),
        auroc=auroc(predictions, predictions_of(digits)),
    )


def says_no_digit(prediction: Prediction) -> bool:
    """Whether the answer is that there is no digit: none found, or none as likely as that there is none."""
    return prediction.digit is None or prediction.non_digit_probability > max(prediction.probabilities)


def auroc(non_digits: Sequence[Prediction], digits: Sequence[Prediction]) -> float | None:
    """How often a non-digit has a larger non-digit probability than a digit, equal ones counting half.

    None where there are no digits, or none but digits.
    """
    scores = np.array([prediction.non_digit_probability for prediction in (*non_digits, *digits)])
    curve = roc_curve(scores, np.arange(len(scores)) < len(non_digits))
    return None if curve is None else curve.area


def predictions_of(answers: Sequence[Answer]) -> list[Prediction]:
    """What /predict answered; nothing of /read."""
    return [answer.prediction for answer in answers if answer.prediction is not None]


def _refuse_empty(answers: Sequence[Answer]) -> None:
    if not answers:
        raise ValueError("The set is empty: there is nothing to measure.")
