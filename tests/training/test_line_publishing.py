"""A trained reader joins a version, and is handed on to the next."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from app.errors import ModelMismatch
from app.imaging.line import LINE_VERSION
from app.manifest import ModelVersion, SecondLook, file_sha256, open_version
from training.export import VersionExists
from training.lines.__main__ import main
from training.lines.config import LinesConfig, ReaderSize
from training.lines.measure import StringsReport
from training.lines.network import line_reader
from training.lines.publish import Role, hand_readers_on, publish_readers
from training.lines.run import KERAS_FILE, REPORT_FILE, TFLITE_FILE
from training.resume import TrainingFailed


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a finished run leaves, of an untrained reader."""
    folder = tmp_path_factory.mktemp("run")
    line_reader(ReaderSize()).save(folder / KERAS_FILE)
    (folder / TFLITE_FILE).write_bytes(b"flat")
    report = {
        "config": asdict(LinesConfig(version="1.2.3")),
        "created": "2026-01-01T00:00:00+00:00",
        "line_version": LINE_VERSION,
        "machine": "a processor",
        "parameters": 9,
        "blank_bias": 1.5,
        "training_data": [{"name": "MNIST", "licence": "CC BY-SA 3.0", "sha256": "06af5dfe"}],
        "temperature": 1.5,
        "threshold": 0.6,
        "least_odds": 3.0,
        "risk": 0.005,
        "parity": 1.0,
        "milliseconds": 1.25,
        "sets": [asdict(StringsReport("cheques", 10, 0.8, 0.05, 4.0, 0.5, None))],
    }
    (folder / REPORT_FILE).write_text(json.dumps(report))
    return folder


@pytest.fixture
def base(version: ModelVersion, tmp_path: Path) -> ModelVersion:
    """A version without a reader, of a folder of its own."""
    folder = tmp_path / "models" / "digits" / "0.0.1"
    shutil.copytree(version.folder, folder)
    manifest = json.loads((folder / "manifest.json").read_text()) | {
        "version": "0.0.1",
        "reader": None,
        "second_reader": None,
    }
    for name in ("reader.keras", "reader.tflite", "second-reader.keras", "second-reader.tflite"):
        manifest["sha256"].pop(name, None)
        (folder / name).unlink(missing_ok=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "README.md").write_text("# digits 0.0.1\n\nWhat it is.\n")
    return open_version(tmp_path / "models", "digits", "0.0.1")


def test_the_card_says_what_a_reader_grew_from(run_dir: Path, base: ModelVersion, tmp_path: Path) -> None:
    folder = publish_readers({Role.READER: run_dir}, base, "0.1.0", "publish")
    assert "grew" not in (folder / "README.md").read_text()
    grown = tmp_path / "run"
    shutil.copytree(run_dir, grown)
    report = json.loads((grown / REPORT_FILE).read_text())
    report["config"] |= {"grows_from": "0.1.0"}
    report["learned_share"] = 0.7
    (grown / REPORT_FILE).write_text(json.dumps(report))
    card = (publish_readers({Role.READER: grown}, base, "0.2.0", "publish") / "README.md").read_text()
    assert "It grew from the reader of 0.1.0, whose weights and those" in card
    assert "averaged, 30% to 70%." in card
    report["learned_share"] = 1.0
    (grown / REPORT_FILE).write_text(json.dumps(report))
    card = (publish_readers({Role.READER: grown}, base, "0.3.0", "publish") / "README.md").read_text()
    assert "It grew from the reader of 0.1.0. Made with" in card
    report["config"] |= {"second": True}
    (grown / REPORT_FILE).write_text(json.dumps(report))
    card = (
        publish_readers({Role.SECOND: grown}, open_version(folder.parents[1], "digits", "0.1.0"), "0.4.0", "publish")
        / "README.md"
    ).read_text()
    assert "It grew from the second reader of 0.1.0. Made with" in card


def test_a_version_with_a_reader_is_the_base_and_the_reader(run_dir: Path, base: ModelVersion) -> None:
    folder = publish_readers({Role.READER: run_dir}, base, "0.1.0", "python -m training.lines publish")
    opened = open_version(base.folder.parents[1], "digits", "latest")
    assert opened.folder == folder
    reader = opened.manifest.reader
    assert reader is not None
    assert (reader.name, reader.temperature, reader.threshold) == ("reader 1.2.3", 1.5, 0.6)
    assert reader.metrics["cheques"]["exact"] == 0.8
    assert opened.manifest.sha256["model.keras"] == base.manifest.sha256["model.keras"]
    assert opened.manifest.sha256["reader.keras"] == file_sha256(opened.reader_files.keras)
    card = (folder / "README.md").read_text()
    assert card.startswith("# digits 0.1.0\n")
    assert "What it is." in card
    assert card.count("## The line reader") == 1
    assert "| cheques | 10 | 80.0% |" in card
    with pytest.raises(VersionExists):
        publish_readers({Role.READER: run_dir}, base, "0.1.0", "again")


def test_a_next_version_gets_the_reader_of_the_highest(run_dir: Path, base: ModelVersion, tmp_path: Path) -> None:
    models = base.folder.parents[1]
    weights = SecondLook(glyphs=0.8, reader=0.3)
    weighed = replace(base, manifest=base.manifest.model_copy(update={"second_look": weights}))
    publish_readers({Role.READER: run_dir}, weighed, "0.1.0", "python -m training.lines publish")
    next_folder = tmp_path / "next"
    next_folder.mkdir()
    (next_folder / "README.md").write_text("# digits 0.2.0\n")
    manifest = hand_readers_on(models, next_folder, base.manifest.model_copy(update={"version": "0.2.0"}))
    assert manifest.reader is not None
    assert manifest.second_look == weights
    assert manifest.sha256["reader.keras"] == file_sha256(next_folder / "reader.keras")
    assert json.loads((next_folder / "manifest.json").read_text())["reader"]["name"] == "reader 1.2.3"
    assert (next_folder / "README.md").read_text().startswith("# digits 0.2.0\n\n## The line reader\n")


def test_a_second_reader_has_a_place_of_its_own(run_dir: Path, base: ModelVersion, tmp_path: Path) -> None:
    models = base.folder.parents[1]
    folder = publish_readers({Role.READER: run_dir, Role.SECOND: run_dir}, base, "0.1.0", "both")
    opened = open_version(models, "digits", "latest")
    assert opened.manifest.second_reader == opened.manifest.reader
    assert opened.manifest.sha256["second-reader.tflite"] == file_sha256(opened.second_reader_files.tflite)
    headings = [line for line in (folder / "README.md").read_text().splitlines() if line.startswith("#")]
    assert headings == ["# digits 0.1.0", "## The line reader", "## The second line reader"]
    again = publish_readers({Role.READER: run_dir}, opened, "0.2.0", "the first anew")
    assert open_version(models, "digits", "latest").manifest.second_reader == opened.manifest.second_reader
    card = (again / "README.md").read_text()
    assert [card.count(made) for made in ("Made with `the first anew`", "Made with `both`")] == [1, 1]
    next_folder = tmp_path / "next"
    next_folder.mkdir()
    (next_folder / "README.md").write_text("# digits 0.3.0\n")
    manifest = hand_readers_on(models, next_folder, base.manifest.model_copy(update={"version": "0.3.0"}))
    assert manifest.second_reader == opened.manifest.second_reader
    assert (next_folder / "README.md").read_text().count("## The second line reader\n") == 1


def test_a_second_reader_does_not_come_alone(
    run_dir: Path, base: ModelVersion, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(TrainingFailed, match="give it a first one"):
        publish_readers({Role.SECOND: run_dir}, base, "0.1.0", "…")
    assert main(["publish", "--models-dir", str(base.folder.parents[1])]) == 1
    assert "--run, --second or both" in capsys.readouterr().err


def test_without_a_reader_there_is_none_to_hand_on(base: ModelVersion, tmp_path: Path) -> None:
    assert hand_readers_on(base.folder.parents[1], tmp_path, base.manifest) == base.manifest
    assert hand_readers_on(tmp_path / "no models", tmp_path, base.manifest) == base.manifest


def test_a_reader_for_other_lines_or_without_its_file_is_refused(run_dir: Path, base: ModelVersion) -> None:
    models = base.folder.parents[1]
    path = publish_readers({Role.READER: run_dir}, base, "0.1.0", "…") / "manifest.json"
    whole = path.read_text()
    path.write_text(whole.replace(f'"line_version": "{LINE_VERSION}"', '"line_version": "0"'))
    with pytest.raises(ModelMismatch, match="lines of version 0"):
        open_version(models, "digits", "latest")
    manifest = json.loads(whole)
    del manifest["sha256"]["reader.keras"]
    path.write_text(json.dumps(manifest))
    with pytest.raises(ModelMismatch, match=r"names no reader\.keras"):
        open_version(models, "digits", "latest")
    path.write_text(json.dumps(json.loads(whole) | {"second_reader": json.loads(whole)["reader"]}))
    with pytest.raises(ModelMismatch, match=r"names no second-reader\.keras"):
        open_version(models, "digits", "latest")


def test_a_run_that_has_not_finished_is_not_published(
    base: ModelVersion, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(TrainingFailed, match="no finished reader"):
        publish_readers({Role.READER: tmp_path}, base, "0.1.0", "…")
    assert main(["publish", "--run", str(tmp_path), "--models-dir", str(base.folder.parents[1])]) == 1
    assert "no finished reader" in capsys.readouterr().err
