"""One run, from a configuration to a published version: draw, train, calibrate, measure, report, export."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import time
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np

from app.calibration import LABELS, NON_DIGIT
from app.conversion import flat_buffer
from app.imaging.glyph import PREPROCESSING_VERSION
from app.manifest import (
    KERAS_FILE,
    MANIFEST_FILE,
    TFLITE_DYNAMIC_FILE,
    TFLITE_FILE,
    TFLITE_INT8_FILE,
    Manifest,
    ModelVersion,
    file_sha256,
    open_version,
)
from training.card import CARD_FILE, model_card
from training.config import ConfigError, TrainingConfig, told
from training.data import TrainingData, planned_sources, share_weights, training_data
from training.evaluate import (
    VALIDATION,
    SetReport,
    answers,
    fitted_calibration,
    manifest_metrics,
    set_report,
    threshold_for_risk,
)
from training.export import parity, publish, refuse_to_start, tflite_int8_bytes
from training.latency import LITERT_CALLS, litert_milliseconds
from training.lines.publish import hand_readers_on
from training.machine import cpu_model
from training.model import NETWORKS
from training.own import read_own
from training.report import DRAWN_SETS, worst_mistakes, write_reports
from training.resume import NoSpace
from training.sets import GlyphSet, ImageSet, Views, as_expected
from training.sources import DataError
from training.stream import Share
from training.train import TrainingFailed, fitted_network, image_logits, learning_curves, with_non_digit_bias

_POOL = "pool.npz"
# Of what is in it: a pool of another layout is drawn anew.
POOL_LAYOUT = 2
_SECONDS = "seconds"
_ABOUT_TRAINING = {
    "name",
    "version",
    "font_weight",
    "drawn_weight",
    "display_weight",
    "printed_weight",
    "non_digit_weight",
    "network",
    "grows_from",
    "learned_shares",
    "batch_size",
    "steps",
    "epochs",
    "calm_epochs",
    "learning_rate",
    "weight_decay",
    "precision",
    "risk",
    "non_digit_share",
}
_LIBRARIES = ("keras", "tensorflow", "numpy", "opencv-python-headless", "pillow")
_PARITY_GLYPHS = 10_000
_MIN_PARITY = 0.9999
_MIN_DYNAMIC_PARITY = 0.998
_MIN_INT8_PARITY = 0.999
_INT8_SAMPLE = 1_000


@dataclass(frozen=True, slots=True)
class Places:
    """Where a run reads and writes: `runs_dir` holds the state of runs, `models_dir` the published versions.

    `accept_changed_data`: data files may be others than the recorded ones.
    """

    data_dir: Path
    fonts_dir: Path
    models_dir: Path
    runs_dir: Path
    accept_changed_data: bool = False

    def run_dir(self, config: TrainingConfig) -> Path:
        return self.runs_dir / f"{config.name}-{config.version}"


@dataclass(frozen=True, slots=True)
class Measured:
    """A network with what was measured of it: logits and figures of every set, temperature and threshold."""

    network: keras.Model
    temperature: float
    threshold: float
    reports: dict[str, SetReport]


def run(config: TrainingConfig, places: Places, processes: int, command: str, own: Path | None = None) -> Path:
    """Trains, calibrates, measures and publishes a version, whose folder is returned. A run that was stopped goes on.

    `own` is a folder of the user's images that joins the training.

    Raises ConfigError, DataError, NoFonts, VersionExists, NoSpace or TrainingFailed, and ModelNotFound or ModelMismatch
    for a version that it grows from; all but NoSpace and TrainingFailed before any work.
    """
    folder = places.models_dir / config.name / config.version
    run_dir = places.run_dir(config)
    planned_sources(config)
    if config.network not in NETWORKS:
        raise ConfigError(f"There is no network {config.network!r}; there are {', '.join(NETWORKS)}.")
    refuse_to_start(folder, folder.parent, run_dir)
    known = None
    if config.grows_from is not None:
        known = loaded_network(open_version(places.models_dir, config.name, config.grows_from))
    started = time.monotonic() - _seconds_before(run_dir)
    data = pooled_data(config, places, processes, own)
    count = sum(len(share.glyphs) for share in data.shares)
    print(f"{count:,} glyphs drawn, {time.monotonic() - started:.0f} s", flush=True)
    try:
        network = fitted_network(config, data, run_dir, known)
    finally:
        with contextlib.suppress(OSError):  # a full disk has a message of its own
            (run_dir / _SECONDS).write_text(f"{time.monotonic() - started:.0f}")
    measured = measure(network, data, config)
    curves = learning_curves(run_dir)
    return publish_version(config, places, data, measured, curves, command, time.monotonic() - started)


def loaded_network(version: ModelVersion) -> keras.Model:
    """The network of a verified version, to train on."""
    return keras.saving.load_model(version.files.keras, compile=False, safe_mode=True)


def _seconds_before(run_dir: Path) -> float:
    """How long the run has taken before it was stopped."""
    try:
        return float((run_dir / _SECONDS).read_text())
    except (OSError, ValueError):
        return 0.0


def measure(network: keras.Model, data: TrainingData, config: TrainingConfig) -> Measured:
    """Calibrates a network on validation and measures it on every set; prints a line for each.

    The network that is returned has the fitted bias of the non-digit logit within.
    """
    validation = as_expected(data.validation, config.non_digit_share)
    labels = validation.labels
    seen = np.unique(validation.plain.owners)  # where the first look shows no ink, mostly no network is asked
    calibration = fitted_calibration(image_logits(network, validation)[seen], labels[seen])
    network, temperature = with_non_digit_bias(network, calibration.non_digit_bias), calibration.temperature
    logits = image_logits(network, validation, temperature)
    # Of digits: how often non-digits turn up is the user's affair, and they have a probability of their own.
    digits = labels != NON_DIGIT
    threshold = threshold_for_risk(*answers(logits[digits], labels[digits], temperature), config.risk).threshold
    reports = {}
    for name, images in {VALIDATION: validation, **data.evaluation}.items():
        if not len(images):
            continue
        report = set_report(image_logits(network, images, temperature), images.labels, temperature, threshold)
        reports[name] = report
        auroc = "" if report.auroc is None else f", AUROC {report.auroc:.4f}"
        digits = "" if report.digit_accuracy is None else f", digits {report.digit_accuracy:.2%}"
        print(f"{name}: n {report.n}, accuracy {report.accuracy:.2%}{digits}, ECE {report.ece:.2%}{auroc}", flush=True)
    return Measured(network, temperature, threshold, reports)


def publish_version(
    config: TrainingConfig,
    places: Places,
    data: TrainingData,
    measured: Measured,
    curves: dict[str, list[float]],
    command: str,
    seconds: float,
) -> Path:
    """Exports a measured network, checks its flat buffers against it, times them, and writes the version's folder.

    Raises TrainingFailed where a flat buffer disagrees with the network too often, VersionExists, or NoSpace.
    """
    network = measured.network
    seen = [images.plain.glyphs for images in (data.validation, *data.evaluation.values())]
    everything = np.concatenate(seen)
    random = np.random.default_rng(config.seed)
    sample = everything[random.permutation(len(everything))[:_PARITY_GLYPHS]]
    of_each = -(-_INT8_SAMPLE // len(data.shares))
    trained = [share.glyphs.glyphs[random.permutation(len(share.glyphs))[:of_each]] for share in data.shares]
    int8 = tflite_int8_bytes(network, np.concatenate(trained))
    buffers = {
        TFLITE_FILE: flat_buffer(network),
        TFLITE_DYNAMIC_FILE: flat_buffer(network, dynamic=True),
        TFLITE_INT8_FILE: int8,
    }
    metrics = manifest_metrics(measured.reports)
    for file, buffer in buffers.items():
        agreement = parity(network, buffer, sample)
        print(f"{file}: the network's class on {agreement:.3%} of {len(sample):,} glyphs", flush=True)
        metrics[file] = {"n": float(len(sample)), "agreement": agreement}
    if metrics[TFLITE_FILE]["agreement"] < _MIN_PARITY:
        raise TrainingFailed(f"{TFLITE_FILE} is not the network: it gives another class too often.")
    for file, least in ((TFLITE_DYNAMIC_FILE, _MIN_DYNAMIC_PARITY), (TFLITE_INT8_FILE, _MIN_INT8_PARITY)):
        if metrics[file]["agreement"] < least:
            print(f"{file} is left out: it gives another class too often", flush=True)
            del buffers[file]
    for file, buffer in buffers.items():
        milliseconds = litert_milliseconds(buffer)
        print(f"{file}: {milliseconds:.3f} ms a glyph, on one thread of {cpu_model()}", flush=True)
        metrics[file] |= {"calls": float(LITERT_CALLS), "milliseconds": milliseconds}
    mistakes = {
        name: worst_mistakes(images, image_logits(network, images, measured.temperature), measured.temperature)
        for name, images in data.evaluation.items()
        if name in DRAWN_SETS
    }

    def write(folder: Path) -> None:
        network.save(folder / KERAS_FILE)
        for file, buffer in buffers.items():
            (folder / file).write_bytes(buffer)
        manifest = Manifest(
            name=config.name,
            version=config.version,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            sha256={file: file_sha256(folder / file) for file in (KERAS_FILE, *buffers)},
            labels=LABELS,
            preprocessing_version=PREPROCESSING_VERSION,
            parameters=network.count_params(),
            temperature=measured.temperature,
            threshold=measured.threshold,
            training_data=data.sources,
            metrics=metrics,
            libraries={library: _installed_version(library) for library in _LIBRARIES},
        )
        (folder / MANIFEST_FILE).write_text(json.dumps(manifest.model_dump(mode="json"), indent=2) + "\n")
        write_reports(folder, measured.reports, curves, mistakes)
        (folder / CARD_FILE).write_text(model_card(manifest, config, measured.reports, command, seconds))
        hand_readers_on(places.models_dir, folder, manifest)

    return publish(places.models_dir / config.name / config.version, write)


def _installed_version(library: str) -> str:
    """The version of a library, TensorFlow's CPU build included."""
    for distribution in (library, f"{library}-cpu"):
        try:
            return importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "unknown"


def pooled_data(config: TrainingConfig, places: Places, processes: int, own: Path | None = None) -> TrainingData:
    """The glyphs of a run, drawn once and kept in its folder, so that a run that goes on need not draw them again.

    Raises what `training_data` raises, DataError where the glyphs that were kept are damaged, and NoSpace.
    """
    path = places.run_dir(config) / _POOL
    fingerprint = _fingerprint(config, own)
    if (kept := _kept_pool(path, fingerprint, share_weights(config))) is not None:
        return kept
    data = training_data(config, places.data_dir, places.fonts_dir, processes, own, places.accept_changed_data)
    aside = path.with_suffix(".part.npz")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(aside, **_packed(fingerprint, data))
        aside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise NoSpace(f"{path} could not be written ({error.strerror or error}); make room, begin again.") from error
    return data


def _kept_pool(path: Path, fingerprint: str, weights: Mapping[str, float]) -> TrainingData | None:
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file) as arrays:
            index = json.loads(str(arrays["index"]))
            return _unpacked(index, arrays, weights) if index["fingerprint"] == fingerprint else None
    except (OSError, EOFError, KeyError, ValueError, BadZipFile, zlib.error) as error:
        raise DataError(f"{path} is damaged ({error}); remove it, and its glyphs are drawn anew.") from error


def _fingerprint(config: TrainingConfig, own: Path | None) -> str:
    """What the drawn glyphs depend on: the part of the configuration that is about data, and the imaging path."""
    about_data = {name: value for name, value in told(config).items() if name not in _ABOUT_TRAINING}
    about_data["sources"] = [asdict(replace(plan, weight=0.0)) for plan in config.sources]
    images = "" if own is None else read_own(own)[1]
    return hashlib.sha256(json.dumps([about_data, PREPROCESSING_VERSION, POOL_LAYOUT, images]).encode()).hexdigest()


def _packed(fingerprint: str, data: TrainingData) -> dict[str, Any]:
    index = {
        "fingerprint": fingerprint,
        "shares": [share.name for share in data.shares],
        "evaluation": list(data.evaluation),
        "sources": data.sources,
    }
    arrays: dict[str, Any] = {"index": np.array(json.dumps(index))}
    for i, share in enumerate(data.shares):
        arrays[f"share{i}/glyphs"], arrays[f"share{i}/labels"] = share.glyphs.glyphs, share.glyphs.labels
    sets = [("validation", data.validation), *((f"evaluation{i}", s) for i, s in enumerate(data.evaluation.values()))]
    for name, images in sets:
        arrays[f"{name}/labels"] = images.labels
        for look, views in (("plain", images.plain), ("tight", images.tight)):
            for what, array in asdict(views).items():
                arrays[f"{name}/{look}/{what}"] = array
    return arrays


def _unpacked(index: dict[str, Any], arrays: Any, weights: Mapping[str, float]) -> TrainingData:
    def glyphs(name: str) -> GlyphSet:
        return GlyphSet(arrays[f"{name}/glyphs"], arrays[f"{name}/labels"])

    def views(name: str) -> Views:
        return Views(**{field.name: arrays[f"{name}/{field.name}"] for field in fields(Views)})

    def images(name: str) -> ImageSet:
        return ImageSet(arrays[f"{name}/labels"], views(f"{name}/plain"), views(f"{name}/tight"))

    return TrainingData(
        shares=[Share(name, glyphs(f"share{i}"), weights[name]) for i, name in enumerate(index["shares"])],
        validation=images("validation"),
        evaluation={name: images(f"evaluation{i}") for i, name in enumerate(index["evaluation"])},
        sources=index["sources"],
    )
