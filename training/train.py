"""One training run: data → network → calibrated, evaluated, exported model version."""

from __future__ import annotations

import importlib.metadata
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from app.calibration import LABELS
from app.errors import OcrError
from app.imaging.glyph import PREPROCESSING_VERSION, network_input
from app.manifest import KERAS_FILE, MANIFEST_FILE, TFLITE_FILE, Manifest, file_sha256
from training.card import CARD_FILE, model_card
from training.config import TrainingConfig
from training.data import GlyphSet, training_data
from training.evaluate import fitted_temperature, scores
from training.export import parity, publish, tflite_bytes
from training.model import reference_network

_LIBRARIES = ("keras", "tensorflow", "numpy", "opencv-python-headless", "pillow")
_MIN_PARITY = 0.9999


class TrainingFailed(OcrError):
    """The run ended without a model worth keeping."""


def train(config: TrainingConfig) -> Path:
    """Trains, calibrates and evaluates a model, and publishes it as a version folder, which is returned.

    Raises DataError, NoFonts, VersionExists or TrainingFailed; no half-written version is left behind.
    """
    keras.utils.set_random_seed(config.seed)
    started = time.monotonic()
    print(f"drawing glyphs with {config.processes} processes …", flush=True)
    data = training_data(config)
    print(
        f"{len(data.train):,} glyphs to train on, {len(data.validation):,} to validate on, "
        f"drawn in {time.monotonic() - started:.0f} s",
        flush=True,
    )
    network = _without_optimizer(_fitted(config, data.train, data.validation))
    temperature = fitted_temperature(_logits(network, data.validation), data.validation.labels)
    metrics = {
        name: scores(_logits(network, glyphs), glyphs.labels, temperature)
        for name, glyphs in {"validation": data.validation, **data.evaluation}.items()
        if len(glyphs)
    }
    for name, figures in metrics.items():
        print(f"{name}: " + ", ".join(f"{key} {value:.5g}" for key, value in figures.items()), flush=True)

    tflite = tflite_bytes(network)
    sample = data.validation.glyphs[:10_000]
    agreement = parity(network, tflite, network_input(sample))
    if agreement < _MIN_PARITY:
        raise TrainingFailed(f"{TFLITE_FILE} gives the network's class on {agreement:.4%} of glyphs alone.")
    metrics["tflite_parity"] = {"n": float(len(sample)), "agreement": agreement}

    def write(folder: Path) -> None:
        network.save(folder / KERAS_FILE)
        (folder / TFLITE_FILE).write_bytes(tflite)
        manifest = Manifest(
            name=config.name,
            version=config.version,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            sha256={file: file_sha256(folder / file) for file in (KERAS_FILE, TFLITE_FILE)},
            labels=LABELS,
            preprocessing_version=PREPROCESSING_VERSION,
            parameters=network.count_params(),
            temperature=temperature,
            threshold=config.threshold,
            training_data=data.sources,
            metrics=metrics,
            libraries=_library_versions(),
        )
        (folder / MANIFEST_FILE).write_text(json.dumps(manifest.model_dump(mode="json"), indent=2) + "\n")
        (folder / CARD_FILE).write_text(model_card(manifest, config, time.monotonic() - started))

    return publish(config.models_dir / config.name / config.version, write)


def _fitted(config: TrainingConfig, train_set: GlyphSet, validation: GlyphSet) -> keras.Model:
    network = reference_network()
    steps = config.epochs * (len(train_set) // config.batch_size + 1)
    network.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(config.learning_rate, steps)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    history = network.fit(
        network_input(train_set.glyphs),
        train_set.labels,
        validation_data=(network_input(validation.glyphs), validation.labels),
        batch_size=config.batch_size,
        epochs=config.epochs,
        callbacks=[
            keras.callbacks.EarlyStopping(
                monitor="val_accuracy", patience=config.patience, restore_best_weights=True, verbose=1
            )
        ],
        verbose=2,
    )
    losses: list[Any] = history.history["loss"]
    if not np.isfinite(losses[-1]):
        raise TrainingFailed("The loss is no longer a number; try a lower learning rate.")
    return network


def _without_optimizer(network: keras.Model) -> keras.Model:
    """The same network without the optimizer's moments, which would triple the file."""
    bare = keras.Sequential.from_config(network.get_config())
    bare.set_weights(network.get_weights())
    return bare


def _logits(network: keras.Model, glyphs: GlyphSet) -> NDArray[np.float32]:
    return np.asarray(network.predict(network_input(glyphs.glyphs), batch_size=512, verbose=0), np.float32)


def _library_versions() -> dict[str, str]:
    versions = {}
    for library in _LIBRARIES:
        for distribution in (library, f"{library}-cpu"):
            try:
                versions[library] = importlib.metadata.version(distribution)
            except importlib.metadata.PackageNotFoundError:
                continue
    return versions
