"""A model version on disk: `models/<name>/<version>/` and the manifest that describes it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.calibration import LABELS
from app.errors import ModelMismatch, ModelNotFound
from app.imaging.glyph import PREPROCESSING_VERSION
from app.imaging.line import LINE_VERSION

MANIFEST_FILE = "manifest.json"
KERAS_FILE = "model.keras"
TFLITE_FILE = "model.tflite"
TFLITE_INT8_FILE = "model-int8.tflite"
TFLITE_DYNAMIC_FILE = "model-dynamic.tflite"
READER_KERAS_FILE = "reader.keras"
READER_TFLITE_FILE = "reader.tflite"
SECOND_READER_KERAS_FILE = "second-reader.keras"
SECOND_READER_TFLITE_FILE = "second-reader.tflite"
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")


class ReaderManifest(BaseModel):
    """What a version says of its line reader, which reads numbers without parting their digits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="The reader's own name.", examples=["reader 1.0.0"])
    created: str = Field(description="When it was trained, ISO 8601, UTC.")
    line_version: str = Field(description="Version of the imaging path that its lines came through.")
    parameters: int = Field(description="Number of trained parameters.")
    temperature: float = Field(gt=0, description="Divisor of the logits that calibrates the probabilities.")
    threshold: float = Field(ge=0, le=1, description="Confidence under which a digit of a number is rejected.")
    least_odds: float = Field(gt=0, description="How many times as probable as no digit a text must be.")
    training_data: list[dict[str, Any]] = Field(description="What it was trained on: source, licence, hash.")
    metrics: dict[str, dict[str, float]] = Field(description="Measured figures, one group a set of images.")


class SecondLook(BaseModel):
    """How much opinions count where a digit is looked at again: the powers that their probabilities are raised to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    glyphs: float = Field(ge=0, description="Of the glyph network.")
    reader: float = Field(ge=0, description="Of the line reader.")
    non_digit: float = Field(0.0, description="Added to the logarithm of the product for no digit.")


class Manifest(BaseModel):
    """What a model version says of itself; the answer of `GET /model`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="Name of the model.", examples=["digits"])
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$", description="Semantic version.", examples=["0.1.0"])
    created: str = Field(description="When it was trained, ISO 8601, UTC.")
    sha256: dict[str, str] = Field(description="SHA-256 of every file of the version, by its name.")
    labels: tuple[str, ...] = Field(description="Classes in the order of the logits: ten digits, then `none`.")
    preprocessing_version: str = Field(description="Version of the imaging path that its glyphs came through.")
    parameters: int = Field(description="Number of trained parameters.")
    temperature: float = Field(gt=0, description="Divisor of the logits that calibrates the probabilities.")
    threshold: float = Field(ge=0, le=1, description="Confidence under which a digit is rejected.")
    training_data: list[dict[str, Any]] = Field(description="What it was trained on: source, licence, count, hash.")
    metrics: dict[str, dict[str, float]] = Field(description="Measured figures, one group a set of images.")
    libraries: dict[str, str] = Field(description="Versions of the libraries it was trained with.")
    second_look: SecondLook | None = Field(
        None, description="Weights of opinions on a digit that is looked at again; a half each where it is not said."
    )
    reader: ReaderManifest | None = Field(None, description="Of the line reader, where the version has one.")
    second_reader: ReaderManifest | None = Field(
        None,
        description="Of the line reader that is asked about lines that the first is unsure of, where there is one.",
    )


@dataclass(frozen=True, slots=True)
class NetworkFiles:
    """One network in its forms: the source of truth, and flat buffers exported from it.

    `dynamic`: with weights of 8 bits, where the version has it.
    """

    keras: Path
    tflite: Path
    dynamic: Path | None = None

    @property
    def served(self) -> Path:
        """The flat buffer that takes the least time."""
        return self.dynamic or self.tflite


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A version whose files are those that its manifest names."""

    folder: Path
    manifest: Manifest

    @property
    def files(self) -> NetworkFiles:
        """Of the network of single digits."""
        dynamic = self.folder / TFLITE_DYNAMIC_FILE if TFLITE_DYNAMIC_FILE in self.manifest.sha256 else None
        return NetworkFiles(self.folder / KERAS_FILE, self.folder / TFLITE_FILE, dynamic)

    @property
    def reader_files(self) -> NetworkFiles:
        """Of the line reader, where the manifest has one."""
        return NetworkFiles(self.folder / READER_KERAS_FILE, self.folder / READER_TFLITE_FILE)

    @property
    def second_reader_files(self) -> NetworkFiles:
        """Of the second line reader, where the manifest has one."""
        return NetworkFiles(self.folder / SECOND_READER_KERAS_FILE, self.folder / SECOND_READER_TFLITE_FILE)


def open_version(models_dir: Path, name: str, version: str) -> ModelVersion:
    """Finds a model version, `latest` being the highest, and verifies it before anything of it is loaded.

    Raises ModelNotFound where there is no such folder, ModelMismatch where the manifest does not parse, a file is
    missing or has another SHA-256, or the model is made for other labels or another preprocessing version.
    """
    folder = _version_folder(models_dir, name, version)
    manifest = _read_manifest(folder)
    if (manifest.name, manifest.version) != (name, folder.name):
        raise ModelMismatch(f"{folder} holds the manifest of {manifest.name} {manifest.version}; put the version back.")
    if manifest.preprocessing_version != PREPROCESSING_VERSION:
        raise ModelMismatch(
            f"{folder} was trained for preprocessing version {manifest.preprocessing_version}, and this service has "
            f"{PREPROCESSING_VERSION}; serve a version that was trained with this release."
        )
    if manifest.labels != LABELS:
        raise ModelMismatch(f"{folder} has the labels {manifest.labels}; this service needs {LABELS}.")
    needed = [KERAS_FILE, TFLITE_FILE]
    for reader, files in (
        (manifest.reader, (READER_KERAS_FILE, READER_TFLITE_FILE)),
        (manifest.second_reader, (SECOND_READER_KERAS_FILE, SECOND_READER_TFLITE_FILE)),
    ):
        if reader is None:
            continue
        needed += files
        if reader.line_version != LINE_VERSION:
            raise ModelMismatch(
                f"{folder} has a line reader for lines of version {reader.line_version}, and this service makes "
                f"{LINE_VERSION}; serve a version that was trained with this release."
            )
    for file in needed:
        if file not in manifest.sha256:
            raise ModelMismatch(f"{folder / MANIFEST_FILE} names no {file}; copy the version anew.")
    for file, expected in manifest.sha256.items():
        actual = file_sha256(folder / file)
        if actual != expected:
            raise ModelMismatch(
                f"{folder / file} is not the file of its manifest (sha256 {actual or 'none: it is missing'}, expected "
                f"{expected}); copy the version anew."
            )
    return ModelVersion(folder, manifest)


def next_version(models_dir: Path, name: str) -> str:
    """The version after the highest there is, its minor number raised; 0.1.0 where there is none."""
    versions = _versions(models_dir / name)
    if not versions:
        return "0.1.0"
    major, minor, _ = max(versions)
    return f"{major}.{minor + 1}.0"


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal; empty where the file cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _version_folder(models_dir: Path, name: str, version: str) -> Path:
    versions = _versions(models_dir / name)
    if not versions:
        raise ModelNotFound(
            f"There is no model version in {models_dir / name}; set DIGIT_OCR_MODEL_DIR to their folder."
        )
    if version == "latest":
        return versions[max(versions)]
    for folder in versions.values():
        if folder.name == version:
            return folder
    known = ", ".join(versions[key].name for key in sorted(versions))
    raise ModelNotFound(f"There is no version {version} of the model {name}; there are {known}, or latest.")


def _versions(parent: Path) -> dict[tuple[int, int, int], Path]:
    return {
        (int(match[1]), int(match[2]), int(match[3])): folder
        for folder in _folders(parent)
        if (match := _VERSION.fullmatch(folder.name))
    }


def _folders(parent: Path) -> list[Path]:
    try:
        return [path for path in parent.iterdir() if path.is_dir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ModelNotFound(f"{parent} cannot be read ({error.strerror}); let this user read it.") from error


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST_FILE
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ModelMismatch(f"{path} cannot be read ({error.strerror}); copy the version anew.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise ModelMismatch(f"{path} is not a manifest: {where}: {first['msg']}; copy the version anew.") from error
