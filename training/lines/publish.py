"""A trained reader joins a version of the glyph network; and readers are handed on from version to version."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from app.errors import ModelMismatch, ModelNotFound
from app.manifest import (
    MANIFEST_FILE,
    READER_KERAS_FILE,
    READER_TFLITE_FILE,
    SECOND_READER_KERAS_FILE,
    SECOND_READER_TFLITE_FILE,
    Manifest,
    ModelVersion,
    NetworkFiles,
    ReaderManifest,
    file_sha256,
    open_version,
)
from training.card import CARD_FILE
from training.export import publish
from training.lines.measure import StringsReport, table
from training.lines.run import KERAS_FILE, REPORT_FILE, TFLITE_FILE
from training.resume import TrainingFailed


class Role(StrEnum):
    """What a reader does in a version: its name in the manifest."""

    READER = "reader"
    SECOND = "second_reader"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a version has a reader of a role: its files, its section of the card and what is said of it there."""

    files: NetworkFiles
    heading: str
    does: str

    @property
    def names(self) -> tuple[str, str]:
        """The names of its files."""
        return str(self.files.keras), str(self.files.tflite)


_PLACES = {
    Role.READER: _Place(
        NetworkFiles(Path(READER_KERAS_FILE), Path(READER_TFLITE_FILE)),
        "## The line reader",
        "reads whole numbers for `/read`",
    ),
    Role.SECOND: _Place(
        NetworkFiles(Path(SECOND_READER_KERAS_FILE), Path(SECOND_READER_TFLITE_FILE)),
        "## The second line reader",
        "reads lines again that the first is unsure of, for `/read`",
    ),
}


def publish_readers(runs: Mapping[Role, Path], base: ModelVersion, version: str, command: str) -> Path:
    """Publishes `version`: the base with the readers of finished runs, whose folders are given. Its folder is returned.

    A reader of the base of another role remains. Raises TrainingFailed where a run has not finished or the version
    would have a second reader alone, VersionExists, or NoSpace.
    """
    reports = {role: _report(run_dir) for role, run_dir in runs.items()}
    if Role.READER not in runs and base.manifest.reader is None:
        raise TrainingFailed(f"{base.folder} has no reader, and a second one alone reads nothing; give it a first one.")
    readers = {role: _reader_manifest(report) for role, report in reports.items()}

    def write(folder: Path) -> None:
        shutil.copytree(base.folder, folder, dirs_exist_ok=True)
        for role, run_dir in runs.items():
            shutil.copyfile(run_dir / KERAS_FILE, folder / _PLACES[role].files.keras)
            shutil.copyfile(run_dir / TFLITE_FILE, folder / _PLACES[role].files.tflite)
        _write_manifest(folder, base.manifest.model_copy(update={"version": version, "created": _now()}), readers)
        head, sections = _parted((base.folder / CARD_FILE).read_text())
        head = head.replace(f"# {base.manifest.name} {base.manifest.version}", f"# {base.manifest.name} {version}", 1)
        for role, report in reports.items():
            sections[role] = _section(role, readers[role], report, base.manifest.version, command)
        _write_card(folder, head, sections)

    return publish(base.folder.parent / version, write)


def hand_readers_on(models_dir: Path, folder: Path, manifest: Manifest) -> Manifest:
    """Puts the readers of the highest version that there is into the folder of one that is being written.

    What was fitted to weigh their opinions goes with them. The answer is its manifest with the readers in it: unchanged
    where there is no version, its readers are for other lines, or it has none.
    """
    try:
        latest = open_version(models_dir, manifest.name, "latest")
    except (ModelNotFound, ModelMismatch):
        return manifest
    found = {Role.READER: latest.manifest.reader, Role.SECOND: latest.manifest.second_reader}
    readers = {role: reader for role, reader in found.items() if reader is not None}
    if not readers:
        return manifest
    for role in readers:
        for name in _PLACES[role].names:
            shutil.copyfile(latest.folder / name, folder / name)
    _write_card(folder, (folder / CARD_FILE).read_text(), _parted((latest.folder / CARD_FILE).read_text())[1])
    return _write_manifest(folder, manifest.model_copy(update={"second_look": latest.manifest.second_look}), readers)


def _report(run_dir: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((run_dir / REPORT_FILE).read_text()))
    except (OSError, ValueError):
        raise TrainingFailed(f"{run_dir} has no finished reader; train it first.") from None


def _reader_manifest(report: dict[str, Any]) -> ReaderManifest:
    return ReaderManifest(
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


def _write_manifest(folder: Path, manifest: Manifest, readers: Mapping[Role, ReaderManifest]) -> Manifest:
    names = [name for role in readers for name in _PLACES[role].names]
    hashes = manifest.sha256 | {name: file_sha256(folder / name) for name in names}
    whole = manifest.model_copy(update={**{role.value: one for role, one in readers.items()}, "sha256": hashes})
    (folder / MANIFEST_FILE).write_text(json.dumps(whole.model_dump(mode="json"), indent=2) + "\n")
    return whole


def _parted(card: str) -> tuple[str, dict[Role, str]]:
    """What a card says before its readers, and of each."""
    sections = {}
    for role in reversed(Role):
        card, heading, section = card.partition(_PLACES[role].heading + "\n")
        if heading:
            sections[role] = heading + section
    return card, sections


def _write_card(folder: Path, head: str, sections: Mapping[Role, str]) -> None:
    parts = [head, *(sections[role] for role in Role if role in sections)]
    (folder / CARD_FILE).write_text("\n\n".join(part.strip() for part in parts) + "\n")


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
    if config.get("goes_on_from"):
        return f" It goes on from what the run {config['goes_on_from']} fitted, of which the configuration tells."
    if not config.get("grows_from"):
        return ""
    share = report["learned_share"]
    which = "second reader" if config.get("second") else "reader"
    if share == 1:
        return f" It grew from the {which} of {config['grows_from']}."
    return (
        f" It grew from the {which} of {config['grows_from']}, whose weights and those that its training\n"
        f"ended with are averaged, {1 - share:.0%} to {share:.0%}."
    )


def _section(role: Role, reader: ReaderManifest, report: dict[str, Any], base: str, command: str) -> str:
    config = report["config"]
    place = _PLACES[role]
    sets = table([StringsReport(**one) for one in report["sets"]])
    data = "\n".join(
        f"| {one['name']} | {one['licence']} | {str(one.get('sha256', ''))[:12]} |" for one in reader.training_data
    )
    return f"""{place.heading}

`{place.files.keras}` ({reader.name}) {place.does}: {reader.parameters:,} parameters, convolutions and CTC
(Graves et al., ICML 2006), lines 32 pixels high of line version {reader.line_version}. It first joined the glyph
network of {base}, and later versions took it over as it is. `{place.files.tflite}` is made from it:
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
