"""One run, from a configuration to a measured reader: compose, train, export, measure."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import keras

from app.conversion import flat_buffer
from app.errors import ModelMismatch, OcrError
from app.imaging.line import LINE_VERSION
from app.manifest import open_version
from training.config import told
from training.evaluate import threshold_for_risk
from training.export import save_compressed, shorten_weights
from training.fonts import find_fonts
from training.lines.config import LinesConfig, LinesPlaces
from training.lines.draw import Kind
from training.lines.figures import digit_answers, fitted_blank_bias, fitted_odds, fitted_temperature
from training.lines.measure import (
    Reader,
    StringsReport,
    evaluation_sets,
    measured,
    parity,
    table,
    width_milliseconds,
)
from training.lines.network import with_blank_bias
from training.lines.pool import LinePools, drawn_pools, parted_fonts
from training.lines.pools import Writers, data_sources, read_writers
from training.lines.train import fitted_reader, pool_logits
from training.machine import cpu_model
from training.resume import NoSpace, TrainingFailed

KERAS_FILE, TFLITE_FILE, REPORT_FILE = "reader.keras", "reader.tflite", "report.json"
# What is fitted, as it is before anything is derived from it; the second file, written last, tells of what.
_FITTED_FILE, _FITTED_MARK = "fitted.keras", "fitted.json"
_MODEL = "digits"
_PARITY_LINES = 200
_MIN_PARITY = 0.99
_TIMED_WIDTH = 160


class NotExported(OcrError):
    """What is trained is kept, and another backend is to export it."""


def run(config: LinesConfig, places: LinesPlaces, processes: int) -> Path:
    """Composes lines, trains a reader, exports it and measures it; a run that was stopped goes on.

    The answer is the run's folder, where `reader.keras`, `reader.tflite` and `report.json` then are. Raises NoFonts,
    DataError, NoSpace, TrainingFailed, NotExported where Keras' backend is not TensorFlow, or ModelNotFound or
    ModelMismatch for the version that it grows from.
    """
    folder = places.run_dir(config)
    began = time.monotonic()
    share = fit_reader(config, places, processes)
    if keras.backend.backend() != "tensorflow":
        raise NotExported(f"The reader is trained, and kept in {folder}; the same command on TensorFlow exports it.")
    network = keras.saving.load_model(folder / _FITTED_FILE, compile=False)
    pools = drawn_pools(config, places, processes, (Kind.VALIDATION,))
    bias = fitted_blank_bias(pool_logits(network, pools.validation, config.batch_width))
    network = with_blank_bias(network, bias)
    shorten_weights(network)
    validation = list(pool_logits(network, pools.validation, config.batch_width))
    temperature = fitted_temperature(validation)
    accepted = threshold_for_risk(*digit_answers(validation, temperature), config.risk)
    reader, agreement = _exported(network, pools, folder)
    milliseconds = width_milliseconds(reader, _TIMED_WIDTH)
    print(
        f"blanks less by {bias:.2f}; temperature {temperature:.2f}; {network.count_params():,} parameters", flush=True
    )
    print(f"{milliseconds:.2f} ms a line of {_TIMED_WIDTH} pixels, on one thread of {cpu_model()}", flush=True)
    reports = list(_measured(config, places, reader, temperature))
    print(table(reports))
    report = {
        "config": asdict(config),
        "learned_share": share,
        "parameters": network.count_params(),
        "blank_bias": bias,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "line_version": LINE_VERSION,
        "machine": cpu_model(),
        "training_data": data_sources(places.data_dir),
        "temperature": temperature,
        "threshold": accepted.threshold,
        "least_odds": fitted_odds(validation, temperature, config.risk),
        "risk": config.risk,
        "parity": agreement,
        "milliseconds": milliseconds,
        "seconds": round(time.monotonic() - began),
        "sets": [asdict(one) for one in reports],
    }
    _write(folder / REPORT_FILE, (json.dumps(report, indent=2) + "\n").encode())
    return folder


def fit_reader(config: LinesConfig, places: LinesPlaces, processes: int) -> float:
    """Composes lines and trains a reader, on any of Keras' backends; keeps it in the run's folder for `run` to go on.

    The answer is the share of what it learned that is kept. What is there already is not done again. Raises what `run`
    does, but for NotExported.
    """
    folder = places.run_dir(config)
    mark, kept = json.loads(json.dumps(told(config), default=str)), folder / _FITTED_MARK
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        fitted = json.loads(kept.read_text())
        if fitted["config"] == mark and (folder / _FITTED_FILE).exists():
            return float(fitted["learned_share"])
    smaller = _known(config, places)
    pools = drawn_pools(config, places, processes)
    counts = [sum(len(lines) for lines in pool.values()) for pool in (pools.training, pools.validation)]
    print(f"{counts[0]:,} lines to train on, {counts[1]:,} to validate on", flush=True)
    network, share = fitted_reader(config, pools, folder, smaller)
    _save(network, folder / _FITTED_FILE)
    _write(kept, json.dumps({"config": mark, "learned_share": share}).encode())
    return share


def _known(config: LinesConfig, places: LinesPlaces) -> keras.Model | None:
    """What a run begins with: a released reader, what another run fitted, or nothing."""
    if config.grows_from is not None:
        return _released_reader(places.models_dir, config.grows_from, config.second)
    if config.goes_on_from is None:
        return None
    fitted = places.run_dir(replace(config, version=config.goes_on_from)) / _FITTED_FILE
    if not fitted.exists():
        raise TrainingFailed(f"{fitted} is not there, from which this run goes on; train {config.goes_on_from} first.")
    return keras.saving.load_model(fitted, compile=False)


def _released_reader(models_dir: Path, version: str, second: bool) -> keras.Model:
    """The reader of a released version, or its second one. Raises ModelNotFound or ModelMismatch."""
    released = open_version(models_dir, _MODEL, version)
    if (released.manifest.second_reader if second else released.manifest.reader) is None:
        raise ModelMismatch(
            f"{released.folder} has no such line reader; let the configuration grow from a version with one."
        )
    files = released.second_reader_files if second else released.reader_files
    return keras.saving.load_model(files.keras, compile=False)


def _exported(network: keras.Model, pools: LinePools, folder: Path) -> tuple[Reader, float]:
    """The flat buffer of a network, written beside it, and the share of lines that both read alike."""
    buffer = flat_buffer(network, dynamic=True)
    reader = Reader(buffer)
    lines = max(pools.validation.values(), key=len).lines[:_PARITY_LINES]
    agreement, difference = parity(network, reader, lines)
    print(
        f"{TFLITE_FILE}: {agreement:.1%} of {len(lines)} lines read alike, logits within {difference:.1e}", flush=True
    )
    if agreement < _MIN_PARITY:
        raise TrainingFailed(f"{TFLITE_FILE} is not the network: it reads other texts too often.")
    _save(network, folder / KERAS_FILE)
    _write(folder / TFLITE_FILE, buffer)
    return reader, agreement


def _save(network: keras.Model, path: Path) -> None:
    aside = path.with_name(f"next.{path.name}")
    try:
        save_compressed(network, aside)
        aside.replace(path)
    except OSError as error:
        raise _no_space(path, error) from error


def _write(path: Path, content: bytes) -> None:
    aside = path.with_name(f"next.{path.name}")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    except OSError as error:
        raise _no_space(path, error) from error


def _no_space(path: Path, error: OSError) -> NoSpace:
    what = os.strerror(error.errno) if error.errno else str(error)
    return NoSpace(f"{path} could not be written ({what}); make room, and the same command goes on.")


def _measured(config: LinesConfig, places: LinesPlaces, reader: Reader, temperature: float) -> Iterator[StringsReport]:
    for name, samples in evaluation_sets(config, places, _held_out(config, places)).items():
        report = measured(reader, name, samples(), temperature)
        if report is not None:
            print(f"{name}: {report.exact:.1%} of {report.count:,} exact", flush=True)
            yield report


def _held_out(config: LinesConfig, places: LinesPlaces) -> Writers:
    fonts = parted_fonts(config, find_fonts(places.fonts_dir))
    return read_writers(places.data_dir, fonts.held_out, evaluation=True, accept_changed=places.accept_changed_data)
