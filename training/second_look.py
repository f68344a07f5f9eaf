"""How much each network's opinion counts where the service looks at a digit again: fitted on validation.

The service itself is asked, since what it looks at again, and how, is its own affair.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from app.calibration import NON_DIGIT, calibrated_probabilities, expected_calibration_error
from app.composition import build_recogniser
from app.manifest import MANIFEST_FILE, ModelVersion, SecondLook
from app.second_look import EVEN_WEIGHTS, Opinion, agreed, evidence
from app.settings import Settings
from training.card import CARD_FILE, SecondLookFit, with_second_look
from training.evaluate import BINS, non_digit_bias
from training.export import publish, refuse_to_start
from training.resume import TrainingFailed

# The weights that are tried: all of the coarser ones, then those finer steps about the best of them.
_WEIGHTS = np.arange(0, 1.55, 0.1).round(2).tolist()
_FINER = (-0.05, 0.0, 0.05)
# Weights with which the mean negative log-likelihood is so little more than the least, in nats, are as good.
_AS_GOOD = 0.002
# No class is less probable where likelihoods are compared.
_LEAST = 1e-12
EVEN = SecondLook(glyphs=EVEN_WEIGHTS[0], reader=EVEN_WEIGHTS[1])

Labels = NDArray[np.uint8]
Probabilities = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Looks:
    """What is seen of images whose classes are `labels`, (n,).

    `probabilities`, (n, 11): of the first look, but for the images that are looked at `again`, (m,). `glyphs` and
    `reader`, (m, 11): what the glyph network and the line readers make of those, as logarithms.
    """

    labels: Labels
    probabilities: Probabilities
    again: NDArray[np.intp]
    glyphs: Probabilities
    reader: Probabilities

    def answers(self, weights: SecondLook) -> Probabilities:
        """What the service answers with these weights, (n, 11)."""
        answers = self.probabilities.copy()
        answers[self.again] = _pooled(self, weights)
        return answers


def publish_second_look(
    base: ModelVersion, version: str, images: Callable[[], Iterable[tuple[bytes, int]]], command: str
) -> Path:
    """Publishes `version`: the base with weights fitted on `images`, each with its class. Its folder is returned.

    The images are asked for once it is known that the version may be published. Raises TrainingFailed where the base
    has no line reader or nothing is looked at again, VersionExists, NoSpace, and what `images` raises.
    """
    folder = base.folder.parent / version
    refuse_to_start(folder, folder.parent)
    if base.manifest.reader is None:
        raise TrainingFailed(f"{base.folder} has no line reader: there is one opinion alone.")
    looks = looked_at(base, images())
    if not looks.again.size:
        raise TrainingFailed(f"{base.folder} is sure of all of validation: there is nothing to fit.")
    weights = fitted_weights(looks)
    fit = SecondLookFit(weights, len(looks.labels), len(looks.again), scored(looks, EVEN), scored(looks, weights))
    print(f"with a half each: {fit.before}\nwith {weights}: {fit.after}", flush=True)

    def write(aside: Path) -> None:
        shutil.copytree(base.folder, aside, dirs_exist_ok=True)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = base.manifest.model_copy(update={"version": version, "created": now, "second_look": weights})
        (aside / MANIFEST_FILE).write_text(json.dumps(manifest.model_dump(mode="json"), indent=2) + "\n")
        card = (base.folder / CARD_FILE).read_text()
        (aside / CARD_FILE).write_text(with_second_look(card, base.manifest, version, fit, command))

    return publish(folder, write)


def looked_at(model: ModelVersion, images: Iterable[tuple[bytes, int]]) -> Looks:
    """What the service sees of images, each with its class."""
    seen: list[Sequence[Opinion]] = []

    def noted(opinions: Sequence[Opinion]) -> Probabilities:
        seen.append(opinions)
        return agreed(opinions)

    recogniser = build_recogniser(Settings(engine="litert", threads=1), model, agreement=noted)
    labels: list[int] = []
    firsts: list[tuple[float, ...]] = []
    again: list[int] = []
    opinions: list[list[Probabilities]] = []
    for data, label in tqdm(images, desc="validation", unit="image", disable=None):
        prediction = recogniser.predict(data)
        if seen:
            again.append(len(labels))
            opinions.append([evidence(opinion) for opinion in seen.pop()])
        labels.append(label)
        firsts.append((*prediction.probabilities, prediction.non_digit_probability))
    recogniser.close()
    both = np.array(opinions, np.float64).reshape(-1, len(EVEN_WEIGHTS), NON_DIGIT + 1)
    return Looks(np.array(labels, np.uint8), np.array(firsts), np.array(again, np.intp), both[:, 0], both[:, 1])


def fitted_weights(looks: Looks) -> SecondLook:
    """The weights with the least negative log-likelihood of the classes of what is looked at again.

    With each pair goes the bias of no digit that is best for it, as the calibration of the first look has one. Of pairs
    that are as good, it is the one with which the confidence is nearest the truth over all images (the least ECE).
    """
    labels = looks.labels[looks.again]

    def loss(weights: SecondLook) -> float:
        probabilities = _pooled(looks, weights)[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(probabilities, _LEAST)).mean())

    def weighed(glyphs: float, reader: float) -> SecondLook:
        bias = non_digit_bias(glyphs * looks.glyphs + reader * looks.reader, labels, 1.0)
        return SecondLook(glyphs=round(glyphs, 2), reader=round(reader, 2), non_digit=round(bias, 3))

    best = min(itertools.starmap(weighed, itertools.product(_WEIGHTS, repeat=2)), key=loss)
    finer = [
        weighed(max(best.glyphs + more, 0.0), max(best.reader + other, 0.0))
        for more, other in itertools.product(_FINER, repeat=2)
    ]
    least = min(map(loss, finer)) + _AS_GOOD
    return min((weights for weights in finer if loss(weights) <= least), key=lambda weights: _ece(looks, weights))


def _pooled(looks: Looks, weights: SecondLook) -> Probabilities:
    together = weights.glyphs * looks.glyphs + weights.reader * looks.reader
    together[:, NON_DIGIT] += weights.non_digit
    return calibrated_probabilities(together, 1.0)


def _ece(looks: Looks, weights: SecondLook) -> float:
    """The expected calibration error over all images with these weights."""
    answers = looks.answers(weights)
    return expected_calibration_error(answers.max(axis=1), answers.argmax(axis=1) == looks.labels, BINS)


def scored(looks: Looks, weights: SecondLook) -> str:
    """What share of the images is right with these weights, and how probable they make what is, in words."""
    answers = looks.answers(weights)
    right = answers.argmax(axis=1) == looks.labels
    probabilities = answers[np.arange(len(answers)), looks.labels]
    loss = -np.log(np.maximum(probabilities, _LEAST)).mean()
    shares = f"{right[looks.again].mean():.1%} of them are right, {right.mean():.2%} of all"
    return f"{shares}; of all, the ECE is {_ece(looks, weights):.2%} and the negative log-likelihood {loss:.4f}"
