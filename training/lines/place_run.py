"""One run of the place reader, from a configuration to a measured network: draw, train, export, measure."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from app.calibration import calibrated_probabilities, expected_calibration_error
from app.classifier import PlaceClassifier
from app.conversion import flat_buffer
from app.imaging.glyph import network_input
from app.imaging.places import PLACE_VERSION
from training.augment import jittered
from training.evaluate import BINS
from training.export import shorten_weights
from training.lines.config import LinesPlaces, PlacesConfig
from training.lines.files import save_network, write_file
from training.lines.places import Labels, PlaceSet, drawn_places
from training.lines.pools import data_sources
from training.machine import cpu_model
from training.model import LOGITS, place_network
from training.precision import computing_in
from training.resume import Epochs, TrainingFailed, fit

KERAS_FILE, TFLITE_FILE, REPORT_FILE = "place-reader.keras", "place-reader.tflite", "report.json"
_MIN_PARITY = 0.99
# How strong the jitter is, in the calm epochs and before.
_CALM, _LIVELY = 0.25, 0.6
_WARM_UP_STEPS = 300
_VALIDATED_AT_ONCE = 1024
_TEMPERATURES = [round(0.5 + 0.05 * step, 2) for step in range(51)]


def run(config: PlacesConfig, places: LinesPlaces, processes: int) -> Path:
    """Draws digits of lines, trains a place reader, exports it and measures it; a run that was stopped goes on.

    The answer is the run's folder, where `place-reader.keras`, `place-reader.tflite` and `report.json` then are.
    Raises NoFonts, DataError, NoSpace or TrainingFailed.
    """
    folder = places.run_dir(config)
    training, validation = drawn_places(config, places, processes)
    print(f"{len(training):,} digits to train on, {len(validation):,} to validate on", flush=True)
    network = _fitted(config, training, validation, folder)
    shorten_weights(network)
    buffer = flat_buffer(network, dynamic=True)
    logits = PlaceClassifier(buffer, folder / TFLITE_FILE).logits(validation.places)
    ours = np.asarray(network.predict(network_input(validation.places), _VALIDATED_AT_ONCE, verbose=0))
    agreement = float(np.mean(logits.argmax(axis=1) == ours.argmax(axis=1)))
    if agreement < _MIN_PARITY:
        raise TrainingFailed(f"{TFLITE_FILE} is not the network: it tells {1 - agreement:.1%} of digits otherwise.")
    temperature = fitted_temperature(logits, validation.labels)
    report = {
        "config": asdict(config),
        "parameters": network.count_params(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "place_version": PLACE_VERSION,
        "machine": cpu_model(),
        "training_data": data_sources(places.data_dir),
        "temperature": temperature,
        "parity": agreement,
        "trained_on": len(training),
        "metrics": measured(logits, validation.labels, temperature),
    }
    print(json.dumps({name: report[name] for name in ("parity", "temperature", "metrics")}), flush=True)
    save_network(network, folder / KERAS_FILE)
    write_file(folder / TFLITE_FILE, buffer)
    write_file(folder / REPORT_FILE, (json.dumps(report, indent=2) + "\n").encode())
    return folder


def _fitted(config: PlacesConfig, training: PlaceSet, validation: PlaceSet, run_dir: Path) -> keras.Model:
    keras.utils.set_random_seed(config.seed)
    network = computing_in(config.precision, place_network(), (LOGITS,))
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, config.epochs * config.steps, warmup_target=config.learning_rate, warmup_steps=_WARM_UP_STEPS
    )
    network.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=config.weight_decay),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    fit(
        network,
        Epochs(config.epochs, config.steps, config.steps * config.batch_size),
        run_dir,
        lambda done: PlaceStream(training, config, done),
        validation_data=(network_input(validation.places), validation.labels),
        validation_batch_size=_VALIDATED_AT_ONCE,
    )
    return computing_in("float32", network, ())


class PlaceStream(keras.utils.PyDataset):  # type: ignore[misc]  # Keras ships no types
    """An epoch of batches of (n, 28, 28, 2) float32 in 0..1 and (n,) uint8 classes, every digit as likely as any other.

    A digit's two views are jittered each in its own way. Every batch has a seed of its own, from the run's, its epoch's
    and its number: a run that goes on after `done` epochs gets the batches that it would have got.
    """

    def __init__(self, places: PlaceSet, config: PlacesConfig, done: int = 0) -> None:
        super().__init__(workers=1, max_queue_size=8)
        self._places = places
        self._config = config
        self._epoch = done

    def __len__(self) -> int:
        return self._config.steps

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], Labels]:
        random = np.random.default_rng((self._config.seed, self._epoch, index))
        chosen = random.integers(len(self._places), size=self._config.batch_size)
        calm = self._epoch > self._config.epochs - self._config.calm_epochs
        shown = self._places.places[chosen]
        strength = _CALM if calm else _LIVELY
        views = [jittered(shown[..., view], random, strength) for view in range(shown.shape[-1])]
        return network_input(np.stack(views, axis=-1)), self._places.labels[chosen]

    def on_epoch_begin(self) -> None:
        self._epoch += 1


def fitted_temperature(logits: NDArray[np.float32], labels: Labels) -> float:
    """The divisor of logits, (n, 10), with which their classes, (n,), are the likeliest; 0.5..3."""

    def loss(temperature: float) -> float:
        probabilities = calibrated_probabilities(logits, temperature)
        return float(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-12)).mean())

    return min(_TEMPERATURES, key=loss)


def measured(logits: NDArray[np.float32], labels: Labels, temperature: float) -> dict[str, float]:
    """The figures of digits: how many, what share is told right, and the expected calibration error."""
    probabilities = calibrated_probabilities(logits, temperature)
    right = probabilities.argmax(axis=1) == labels
    error = expected_calibration_error(probabilities.max(axis=1), right, BINS)
    return {"n": float(len(labels)), "accuracy": float(right.mean()), "ece": error}
