"""Fitting a network to a pool of glyphs: resumable, with its progress on the terminal."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from app.errors import OcrError
from app.imaging.glyph import network_input
from training.config import TrainingConfig
from training.data import TrainingData
from training.model import NETWORKS
from training.pool import GlyphSet
from training.stream import GlyphStream

_BACKUP = "backup"
_CURVES = "epochs.csv"


class TrainingFailed(OcrError):
    """The run ended without a model worth keeping."""


def fitted_network(
    config: TrainingConfig, data: TrainingData, run_dir: Path, network: keras.Model | None = None
) -> keras.Model:
    """Trains `network`, or the one that the configuration names, from its first weights.

    `run_dir` keeps the state after every epoch, and a run that was begun there goes on. Raises TrainingFailed
    where it is stopped, or the loss is no number.
    """
    keras.utils.set_random_seed(config.seed)
    if network is None:
        network = NETWORKS[config.network]()
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, config.epochs * config.steps, warmup_target=config.learning_rate, warmup_steps=config.steps // 4
    )
    network.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=config.weight_decay),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    stream = GlyphStream(data.shares, config.batch_size, config.steps, config.seed)
    try:
        network.fit(
            stream,
            validation_data=(network_input(data.validation.glyphs), data.validation.labels),
            epochs=config.epochs,
            callbacks=[
                keras.callbacks.BackupAndRestore(str(run_dir / _BACKUP), delete_checkpoint=False),
                keras.callbacks.CSVLogger(str(run_dir / _CURVES), append=True),
                keras.callbacks.TerminateOnNaN(),
            ],
            verbose=1 if sys.stdout.isatty() else 2,
        )
    except KeyboardInterrupt:
        raise TrainingFailed(
            f"Stopped; the same command goes on from the last whole epoch, kept in {run_dir}."
        ) from None
    if not all(np.isfinite(weight).all() for weight in network.get_weights()):
        raise TrainingFailed("The loss is no longer a number; lower the learning rate, and begin in another folder.")
    return _without_optimizer(network)


def learning_curves(run_dir: Path) -> dict[str, list[float]]:
    """Loss and accuracy after every epoch, on training and on validation."""
    with (run_dir / _CURVES).open() as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]} if rows else {}


def logits_of(network: keras.Model, glyphs: GlyphSet) -> NDArray[np.float32]:
    """Logits, (n, 11) float32, of a set."""
    return np.asarray(network.predict(network_input(glyphs.glyphs), batch_size=512, verbose=0), np.float32)


def _without_optimizer(network: keras.Model) -> keras.Model:
    """The same network without the optimizer's moments, which would triple the file."""
    bare = type(network).from_config(network.get_config())
    bare.set_weights(network.get_weights())
    return bare
