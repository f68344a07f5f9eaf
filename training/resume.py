"""What a run keeps after every epoch, so that one that was stopped goes on."""

from __future__ import annotations

import csv
import os
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from app.errors import OcrError

_STATE = Path("backup") / "latest.weights.h5"
_CURVES = "epochs.csv"


class NoSpace(OcrError):
    """Too little room for what a run writes, or none at all."""


class TrainingFailed(OcrError):
    """The run ended without a model worth keeping."""


@dataclass(frozen=True, slots=True)
class Epochs:
    """How long a run trains: `count` epochs of `steps` batches, which hold about `samples` altogether."""

    count: int
    steps: int
    samples: float


def fit(
    network: keras.Model,
    epochs: Epochs,
    run_dir: Path,
    batches: Callable[[int], Any],
    measures: Sequence[keras.callbacks.Callback] = (),
    **options: Any,
) -> None:
    """Trains a compiled network, and keeps the state in `run_dir` after every epoch; a run begun there goes on.

    `batches` gives the data from an epoch on. `measures` add figures to an epoch's before they are kept; `options` are
    those of Keras' `fit`. Raises TrainingFailed where it is stopped, the loss is no number, or the state is that of
    another network; NoSpace where the disk is full.
    """
    done = _epochs_done(network, run_dir / _STATE, epochs.steps)
    curves = keras.callbacks.CSVLogger(str(run_dir / _CURVES), append=True)
    kept = [curves, _Keeper(run_dir / _STATE), keras.callbacks.TerminateOnNaN(), _Progress(epochs)]
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        _forget_curves(run_dir / _CURVES, done)
        network.fit(
            batches(done),
            initial_epoch=done,
            epochs=epochs.count,
            callbacks=[*measures, *kept],
            verbose=1 if sys.stdout.isatty() else 0,
            **options,
        )
    except KeyboardInterrupt:
        raise TrainingFailed(
            f"Stopped; the same command goes on from the last whole epoch, kept in {run_dir}."
        ) from None
    except OSError as error:
        raise NoSpace(
            f"{run_dir} could not be written to ({os.strerror(error.errno) if error.errno else error}); make room, and "
            "the same command goes on from the last whole epoch."
        ) from error
    finally:
        curves.on_train_end()  # closes its file: Keras does so only where nothing stops it
    if not all(np.isfinite(weight).all() for weight in network.get_weights()):
        raise TrainingFailed("The loss is no longer a number; lower the learning rate, and begin in another folder.")


def learning_curves(run_dir: Path) -> dict[str, list[float]]:
    """The figures after every epoch, on training and on validation."""
    with (run_dir / _CURVES).open() as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]} if rows else {}


def without_optimizer(network: keras.Model) -> keras.Model:
    """The same network without the optimizer's moments, which would triple the file."""
    bare = type(network).from_config(network.get_config())
    bare.set_weights(network.get_weights())
    return bare


class _Keeper(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Keeps weights and optimizer after every epoch; aside at first, so that the state before survives a full disk.

    Keras' own BackupAndRestore overwrites the only state there is, and a stop meanwhile would cost the whole run.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002  # Keras calls it so
        self._path.parent.mkdir(parents=True, exist_ok=True)
        aside = self._path.with_name("next.weights.h5")
        self.model.save_weights(aside)
        aside.replace(self._path)


class _Progress(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """A line after every epoch: losses, samples a second, the time that is left."""

    def __init__(self, epochs: Epochs) -> None:
        super().__init__()
        self._epochs = epochs
        self._began = 0.0

    def on_epoch_begin(self, *_: object) -> None:
        self._began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        seconds = time.monotonic() - self._began
        figures = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in (logs or {}).items())
        left = (self._epochs.count - epoch - 1) * seconds / 60
        print(
            f"epoch {epoch + 1}/{self._epochs.count}: {figures}, {self._epochs.samples / seconds:,.0f} samples/s, "
            f"{left:.0f} min left",
            flush=True,
        )


def _epochs_done(network: keras.Model, state: Path, steps: int) -> int:
    """How many epochs a run has behind it, whose weights and optimizer `network` then has."""
    if not state.exists():
        return 0
    network.optimizer.build(network.trainable_variables)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Keras warns of layers that it leaves untaught
            network.load_weights(state)
    except (OSError, KeyError, ValueError, UserWarning) as error:
        raise TrainingFailed(
            f"{state} is damaged, or of another network; remove it to begin anew, or choose another version."
        ) from error
    return int(network.optimizer.iterations) // steps


def _forget_curves(path: Path, done: int) -> None:
    """Takes away lines after those of the epochs that are done: one that was stopped while it was kept has one too."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    kept = lines[: done + 1] if done else []
    if kept != lines:
        aside = path.with_suffix(".part")
        aside.write_text("".join(kept))
        aside.replace(path)
