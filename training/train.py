"""Fitting a network to a pool of glyphs, and asking it for the logits of images."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from app.calibration import DIGITS, LABELS, NON_DIGIT, calibrated_probabilities, other_polarity_is_right
from app.imaging.glyph import network_input
from app.second_look import is_surely_right
from training.averaging import keep_best_share
from training.config import TrainingConfig
from training.data import TrainingData
from training.export import round_weights
from training.model import LOGITS, NETWORKS
from training.precision import computing_in
from training.resume import Epochs, fit, without_optimizer
from training.resume import TrainingFailed as TrainingFailed  # who trains a network looks for them here
from training.resume import learning_curves as learning_curves
from training.sets import GlyphSet, ImageSet, Views, as_expected
from training.stream import GlyphStream

# The batches that the statistics of averaged weights are measured on.
_STATISTICS = 100
# A logit of certainty.
_SURE = 100.0


def fitted_network(
    config: TrainingConfig, data: TrainingData, run_dir: Path, network: keras.Model | None = None
) -> keras.Model:
    """Trains `network`, or the one that the configuration names, and rounds its weights to what 8 bits hold.

    `run_dir` keeps the state after every epoch, and a run that was begun there goes on. Raises TrainingFailed
    where it is stopped, the loss is no number, or the state is that of another network; NoSpace where the disk is full.
    """
    keras.utils.set_random_seed(config.seed)
    if network is None:
        network = NETWORKS[config.network]()
    network = computing_in(config.precision, network, (LOGITS,))
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, config.epochs * config.steps, warmup_target=config.learning_rate, warmup_steps=config.steps // 4
    )
    before = network.get_weights()
    network.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=config.weight_decay),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    lively = config.epochs - config.calm_epochs
    validation = data.validation.likelier()

    def stream(done: int) -> GlyphStream:
        return GlyphStream(data.shares, config.batch_size, config.steps, config.seed, lively, done)

    fit(
        network,
        Epochs(config.epochs, config.steps, config.steps * config.batch_size),
        run_dir,
        stream,
        validation_data=(network_input(validation.glyphs), validation.labels),
    )
    fitted = computing_in("float32", network, ())
    more = stream(config.epochs)
    keep_best_share(
        fitted,
        before,
        config.learned_shares,
        lambda: (more[index][0] for index in range(_STATISTICS)),
        lambda: _right(fitted, as_expected(data.validation, config.non_digit_share).likelier()),
    )
    round_weights(fitted)
    return fitted


def _right(network: keras.Model, glyphs: GlyphSet) -> float:
    """What share of glyphs a network tells the class of."""
    answers = network.predict(network_input(glyphs.glyphs), batch_size=512, verbose=0).argmax(axis=1)
    return float(np.mean(answers == glyphs.labels))


def image_logits(network: keras.Model, images: ImageSet, temperature: float = 1.0) -> NDArray[np.float32]:
    """Logits, (n, 11) float32, of the glyph that /predict answers with, for each image of a set.

    Of two polarities it is that which the service takes, and the look with paper around where it takes that; an image
    without ink is no digit, as surely as can be said.
    """
    plain, tight = (_glyph_logits(network, views) for views in (images.plain, images.tight))
    plainly, tightly = (calibrated_probabilities(logits, temperature) for logits in (plain, tight))
    answered = np.full((len(images), len(LABELS)), -_SURE, np.float32)
    answered[:, NON_DIGIT] = _SURE
    first = _taken(images.plain, plainly)
    for image, glyph in first.items():
        answered[image] = plain[glyph]
    for image, glyph in _taken(images.tight, tightly).items():
        seen = first.get(image)
        may_be_tight = seen is None or images.plain.reaches_edge[seen]
        if may_be_tight and is_surely_right(tightly[glyph], None if seen is None else plainly[seen]):
            answered[image] = tight[glyph]
    return answered


def _glyph_logits(network: keras.Model, views: Views) -> NDArray[np.float32]:
    """(m, 11) float32; those of a network that knows digits alone have next to no probability of no digit."""
    if not len(views.glyphs):
        return np.zeros((0, len(LABELS)), np.float32)
    logits = np.asarray(network.predict(network_input(views.glyphs), batch_size=512, verbose=0), np.float32)
    if logits.shape[1] == DIGITS:
        logits = np.pad(logits, ((0, 0), (0, 1)), constant_values=-_SURE)
    return logits


def _taken(views: Views, probabilities: NDArray[np.float64]) -> dict[int, int]:
    """Which glyph the service takes of each image that has one, by the probabilities, (m, 11)."""
    firsts = views.firsts
    taken = dict(zip(views.owners[firsts].tolist(), firsts.tolist(), strict=True))
    seconds = np.setdiff1d(np.arange(len(views.owners)), firsts)
    right = seconds[other_polarity_is_right(probabilities[seconds - 1], probabilities[seconds])]
    return taken | dict(zip(views.owners[right].tolist(), right.tolist(), strict=True))


def with_non_digit_bias(network: keras.Model, bias: float) -> keras.Model:
    """The same network, with `bias` added to its logit of no digit."""
    changed = without_optimizer(network)
    last = changed.get_layer(LOGITS)
    kernel, biases = last.get_weights()
    biases[NON_DIGIT] += bias
    last.set_weights([kernel, biases])
    return changed
