"""A model version is verified before anything of it is loaded; where it is not what it says, the message says which."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.errors import ModelError, ModelMismatch, ModelNotFound
from app.manifest import ModelVersion, open_version

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def models(version: ModelVersion, tmp_path: Path) -> Path:
    """A copy of the real model as version 1.0.0."""
    add_version(version, tmp_path, "1.0.0")
    return tmp_path


def add_version(original: ModelVersion, models: Path, number: str, name: str = "digits") -> Path:
    folder = models / name / number
    shutil.copytree(original.folder, folder)
    change(folder, lambda manifest: manifest.update(version=number, name=name))
    return folder


def change(folder: Path, edit: Change) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    edit(manifest)
    path.write_text(json.dumps(manifest))


def assert_refused(models: Path, *names: str, version: str = "latest") -> None:
    """Nothing is opened, and the message names what is wrong."""
    with pytest.raises(ModelMismatch) as raised:
        open_version(models, "digits", version)
    for name in names:
        assert name in str(raised.value)


def test_the_committed_model_is_sound(version: ModelVersion) -> None:
    manifest = version.manifest
    assert manifest.name == "digits"
    assert manifest.version == version.folder.name
    assert manifest.labels == (*"0123456789", "none")
    assert {"model.keras", "model.tflite"} <= set(manifest.sha256)
    assert {path.name for path in version.folder.iterdir()} >= {"manifest.json", "README.md", *manifest.sha256}
    assert manifest.temperature > 0
    assert 0 < manifest.threshold < 1


def test_a_copy_opens(models: Path) -> None:
    opened = open_version(models, "digits", "latest")
    assert opened.folder == models / "digits" / "1.0.0"
    assert opened.manifest.version == "1.0.0"


@pytest.mark.parametrize("file", ["model.keras", "model.tflite"])
def test_a_tampered_file_is_refused(models: Path, file: str) -> None:
    path = models / "digits" / "1.0.0" / file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert_refused(models, file, "sha256")


@pytest.mark.parametrize("file", ["model.keras", "model.tflite"])
def test_a_missing_file_is_refused(models: Path, file: str) -> None:
    (models / "digits" / "1.0.0" / file).unlink()
    assert_refused(models, file, "missing")


def test_an_empty_file_is_refused(models: Path) -> None:
    (models / "digits" / "1.0.0" / "model.keras").write_bytes(b"")
    assert_refused(models, "model.keras")


def test_a_folder_in_a_files_place_is_refused(models: Path) -> None:
    path = models / "digits" / "1.0.0" / "model.keras"
    path.unlink()
    path.mkdir()
    assert_refused(models, "model.keras")


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (lambda m: m.update(preprocessing_version="0"), "preprocessing version 0"),
        (lambda m: m.update(labels=[*"1234567890", "none"]), "labels"),
        (lambda m: m.update(labels=list("0123456789")), "labels"),
        (lambda m: m.update(name="letters"), "letters"),
        (lambda m: m.update(version="1.0.1"), "1.0.1"),
        (lambda m: m["sha256"].pop("model.keras"), "model.keras"),
        (lambda m: m["sha256"].update({"model.keras": "0" * 64}), "model.keras"),
        (lambda m: m["sha256"].update({"other.bin": "0" * 64}), "other.bin"),
        (lambda m: m.pop("temperature"), "temperature"),
        (lambda m: m.update(temperature=0), "temperature"),
        (lambda m: m.update(temperature="hot"), "temperature"),
        (lambda m: m.update(threshold=1.5), "threshold"),
        (lambda m: m.pop("labels"), "labels"),
        (lambda m: m.update(version="one"), "version"),
        (lambda m: m.update(surprise=1), "surprise"),
    ],
)
def test_a_manifest_that_says_otherwise_is_refused(models: Path, edit: Change, named: str) -> None:
    change(models / "digits" / "1.0.0", edit)
    assert_refused(models, named)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", "\x00"])
def test_a_manifest_that_is_none_is_refused(models: Path, text: str) -> None:
    (models / "digits" / "1.0.0" / "manifest.json").write_text(text)
    assert_refused(models, "manifest.json")


def test_a_version_without_a_manifest_is_refused(models: Path) -> None:
    (models / "digits" / "1.0.0" / "manifest.json").unlink()
    assert_refused(models, "manifest.json")


def test_latest_is_the_highest_semantic_version(version: ModelVersion, models: Path) -> None:
    for number in ("9.0.0", "10.0.0", "2.11.0", "10.0.0-rc.1"):
        if "-" not in number:
            add_version(version, models, number)
    assert open_version(models, "digits", "latest").manifest.version == "10.0.0"
    assert open_version(models, "digits", "2.11.0").manifest.version == "2.11.0"


@pytest.mark.parametrize(("lower", "higher"), [("1.9.0", "1.10.0"), ("1.0.9", "1.0.10"), ("1.99.99", "2.0.0")])
def test_every_part_of_a_version_is_a_number(version: ModelVersion, tmp_path: Path, lower: str, higher: str) -> None:
    for number in (higher, lower):
        add_version(version, tmp_path, number)
    assert open_version(tmp_path, "digits", "latest").manifest.version == higher


def test_other_folders_and_files_are_passed_over(models: Path) -> None:
    for name in ("latest", "v2.0.0", "3", "3.0", "3.0.0.0", "4.0.0-rc.1", "5.0.0.part", ".6.0.0", "runs"):
        (models / "digits" / name).mkdir()
    (models / "digits" / "7.0.0").write_text("a file")
    assert open_version(models, "digits", "latest").manifest.version == "1.0.0"


def test_a_broken_latest_is_not_passed_over(version: ModelVersion, models: Path) -> None:
    """An older model never takes its place in silence."""
    folder = add_version(version, models, "2.0.0")
    (folder / "model.keras").unlink()
    assert_refused(models, "2.0.0", "model.keras")
    assert open_version(models, "digits", "1.0.0").manifest.version == "1.0.0"


def test_a_version_that_is_not_there_is_named(models: Path) -> None:
    with pytest.raises(ModelNotFound) as raised:
        open_version(models, "digits", "3.2.1")
    assert "3.2.1" in str(raised.value)
    assert "1.0.0" in str(raised.value)


@pytest.mark.parametrize("name", ["letters", ""])
def test_a_model_that_is_not_there_is_named(models: Path, name: str) -> None:
    with pytest.raises(ModelNotFound) as raised:
        open_version(models / "nowhere" if not name else models, name or "digits", "latest")
    assert (name or "nowhere") in str(raised.value)
    assert "DIGIT_OCR_MODEL_DIR" in str(raised.value)


def test_another_model_beside_it_is_another_model(version: ModelVersion, models: Path) -> None:
    add_version(version, models, "8.0.0", name="letters")
    assert open_version(models, "digits", "latest").manifest.version == "1.0.0"
    assert open_version(models, "letters", "latest").manifest.name == "letters"


def test_every_refusal_is_a_model_error() -> None:
    assert issubclass(ModelMismatch, ModelError)
    assert issubclass(ModelNotFound, ModelError)
