"""A trained reader joins a version of the glyph network; and readers are handed on from version to version."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.errors import ModelMismatch, ModelNotFound
from app.imaging.line import LINE_VERSION
from app.manifest import (
    MANIFEST_FILE,
    READER_KERAS_FILE,
    READER_TFLITE_FILE,
    Manifest,
    ModelVersion,
    ReaderManifest,
    file_sha256,
    open_version,
)
from training.card import CARD_FILE
from training.export import publish
from training.lines.measure import StringsReport, table
from training.lines.run import KERAS_FILE, REPORT_FILE, TFLITE_FILE
from training.resume import TrainingFailed

_READER_FILES = (READER_KERAS_FILE, READER_TFLITE_FILE)
_HEADING = "## The line reader"


def publish_reader(run_dir: Path, base: ModelVersion, version: str, command: str) -> Path:
    """Publishes `version`: the base with the reader of a finished run, whose folder is returned.

    Raises TrainingFailed where the run has not finished, VersionExists, or NoSpace.
    """
    try:
        report = json.loads((run_dir / REPORT_FILE).read_text())
    except (OSError, ValueError):
        raise TrainingFailed(f"{run_dir} has no finished reader; train it first.") from None
    reader = ReaderManifest(
        name=f"{report['config']['name']} {report['config']['version']}",
        created=report["created"],
        line_version=report["line_version"],
        parameters=report["parameters"],
        temperature=report["temperature"],
        threshold=report["threshold"],
        least_odds=report["least_odds"],
        training_data=report["training_data"],
        metrics={one["name"]: _figures(one) for one in report["sets"]},
    )
    files = {READER_KERAS_FILE: run_dir / KERAS_FILE, READER_TFLITE_FILE: run_dir / TFLITE_FILE}

    def write(folder: Path) -> None:
        shutil.copytree(base.folder, folder, dirs_exist_ok=True)
        for name, source in files.items():
            shutil.copyfile(source, folder / name)
        _write_manifest(folder, base.manifest.model_copy(update={"version": version, "created": _now()}), reader)
        card = (base.folder / CARD_FILE).read_text().partition(_HEADING)[0].rstrip()
        card = card.replace(f"# {base.manifest.name} {base.manifest.version}", f"# {base.manifest.name} {version}", 1)
        (folder / CARD_FILE).write_text(f"{card}\n\n{_section(reader, report, base.manifest.version, command)}")

    return publish(base.folder.parent / version, write)


def hand_reader_on(models_dir: Path, folder: Path, manifest: Manifest) -> Manifest:
    """Puts the reader of the highest version that there is into the folder of one that is being written.

    The answer is its manifest with the reader in it: unchanged where there is no version, its reader is for other
    lines, or it has none.
    """
    try:
        latest = open_version(models_dir, manifest.name, "latest")
    except (ModelNotFound, ModelMismatch):
        return manifest
    reader = latest.manifest.reader
    if reader is None or reader.line_version != LINE_VERSION:
        return manifest
    for name in _READER_FILES:
        if name in latest.manifest.sha256:
            shutil.copyfile(latest.folder / name, folder / name)
    card, heading, section = (latest.folder / CARD_FILE).read_text().partition(_HEADING)
    if heading:
        card = (folder / CARD_FILE).read_text().rstrip()
        (folder / CARD_FILE).write_text(f"{card}\n\n{heading}{section}")
    return _write_manifest(folder, manifest, reader)


def _write_manifest(folder: Path, manifest: Manifest, reader: ReaderManifest) -> Manifest:
    hashes = {name: file_sha256(folder / name) for name in _READER_FILES if (folder / name).exists()}
    whole = manifest.model_copy(update={"reader": reader, "sha256": manifest.sha256 | hashes})
    (folder / MANIFEST_FILE).write_text(json.dumps(whole.model_dump(mode="json"), indent=2) + "\n")
    return whole


def _figures(report: dict[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in report.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _grown(report: dict[str, Any]) -> str:
    """What it began with, where that was another reader."""
    config = report["config"]
    if not config.get("grows_from"):
        return ""
    share = report["learned_share"]
    return (
        f" It grew from the reader of {config['grows_from']}, whose weights and those that its training\n"
        f"ended with are averaged, {1 - share:.0%} to {share:.0%}."
    )


def _section(reader: ReaderManifest, report: dict[str, Any], base: str, command: str) -> str:
    config = report["config"]
    sets = table([StringsReport(**one) for one in report["sets"]])
    data = "\n".join(
        f"| {one['name']} | {one['licence']} | {str(one.get('sha256', ''))[:12]} |" for one in reader.training_data
    )
    return f"""{_HEADING}

`reader.keras` ({reader.name}) reads whole numbers for `/read`: {reader.parameters:,} parameters, convolutions and CTC
(Graves et al., ICML 2006), lines 32 pixels high of line version {reader.line_version}. It first joined the glyph
network of {base}, and later versions took it over as it is. `reader.tflite` is made from it:
{report["parity"]:.1%} of lines read alike,
{report["milliseconds"]:.2f} ms for a line of 160 pixels on one thread of {report["machine"]}.

Measured by the run that made it, from the grey image to the text, on writers, fonts and meters that were held out and
on real images that no training saw:

{sets}

The logit of the blank is less by {report["blank_bias"]:.2f}, with which the most lines of validation are read exactly.
Temperature {reader.temperature:.2f}; digits with a confidence under {reader.threshold:.4f} are rejected: of those of
validation that it accepts, at most {report["risk"]:.2%} are wrong. A text that is not {reader.least_odds:.1f} times as
probable as that there is no digit is none: at most {report["risk"]:.2%} of validation's are lost by that.

| Made from | Licence | SHA-256 |
|---|---|---|
{data}
| fonts of training/fonts.txt and training/handwriting | each font's own | – |

{config["lines"]:,} composed lines, {config["epochs"]} epochs of {config["steps"]:,} batches of
{config["batch_width"]:,} columns, seed {config["seed"]}.{_grown(report)} Made with `{command}`.

What it never saw it reads badly: other scripts, digits that stand on top of each other, numbers that are turned by more
than 15°.
"""
