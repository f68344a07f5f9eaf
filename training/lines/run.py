"""One run, from a configuration to a measured reader: compose, train, export, measure."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import keras

from app.conversion import flat_buffer
from app.errors import ModelMismatch
from app.imaging.line import LINE_VERSION
from app.manifest import open_version
from training.evaluate import threshold_for_risk
from training.export import NoSpace
from training.fonts import find_fonts
from training.lines.config import LinesConfig, LinesPlaces
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
from training.resume import TrainingFailed

KERAS_FILE, TFLITE_FILE, REPORT_FILE = "reader.keras", "reader.tflite", "report.json"
_MODEL = "digits"
_PARITY_LINES = 200
_MIN_PARITY = 0.99
_TIMED_WIDTH = 160


def run(config: LinesConfig, places: LinesPlaces, processes: int) -> Path:
    """Composes lines, trains a reader, exports it and measures it; a run that was stopped goes on.

    The answer is the run's folder, where `reader.keras`, `reader.tflite` and `report.json` then are. Raises NoFonts,
    DataError, NoSpace, TrainingFailed, or ModelNotFound or ModelMismatch for the version that it grows from.
    """
    folder = places.run_dir(config)
    began = time.monotonic()
    smaller = _released_reader(places.models_dir, config.grows_from, config.second) if config.grows_from else None
    pools = drawn_pools(config, places, processes)
    counts = [sum(len(lines) for lines in pool.values()) for pool in (pools.training, pools.validation)]
    print(f"{counts[0]:,} lines to train on, {counts[1]:,} to validate on", flush=True)
    network, share = fitted_reader(config, pools, folder, smaller)
    bias = fitted_blank_bias(pool_logits(network, pools.validation, config.batch_width))
    network = with_blank_bias(network, bias)
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
    aside = folder / f"next.{KERAS_FILE}"
    try:
        network.save(aside)
        aside.replace(folder / KERAS_FILE)
    except OSError as error:
        raise _no_space(folder / KERAS_FILE, error) from error
    _write(folder / TFLITE_FILE, buffer)
    return reader, agreement


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
