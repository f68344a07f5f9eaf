"""A version published again, its networks in flat buffers that have weights of 8 bits."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

from app.composition import build_recogniser
from app.conversion import flat_buffer_of
from app.manifest import (
    KERAS_FILE,
    MANIFEST_FILE,
    READER_KERAS_FILE,
    READER_TFLITE_FILE,
    SECOND_READER_KERAS_FILE,
    SECOND_READER_TFLITE_FILE,
    TFLITE_DYNAMIC_FILE,
    ModelVersion,
    file_sha256,
)
from app.recogniser import Recogniser
from app.settings import Settings
from training.card import CARD_FILE, with_dynamic_range
from training.export import publish, refuse_to_start
from training.latency import litert_milliseconds
from training.resume import TrainingFailed

# Of the images of validation, at least this share must be answered as before.
_LEAST_ALIKE = 0.995
_SERVED = {
    KERAS_FILE: TFLITE_DYNAMIC_FILE,
    READER_KERAS_FILE: READER_TFLITE_FILE,
    SECOND_READER_KERAS_FILE: SECOND_READER_TFLITE_FILE,
}


@dataclass(frozen=True, slots=True)
class Alike:
    """Of how many `images` the digit that `/predict` answers, and the text that `/read` does, are those of before."""

    images: int
    digits: int
    texts: int

    def __str__(self) -> str:
        return (
            f"of {self.images:,} images of validation, /predict answers {self.digits / self.images:.2%} as before, "
            f"and /read {self.texts / self.images:.2%}"
        )


def publish_quantised(
    base: ModelVersion, version: str, images: Callable[[], Iterable[tuple[bytes, int]]], command: str
) -> Path:
    """Publishes `version`: the networks of the base with flat buffers of 8-bit weights. Its folder is returned.

    Both versions answer the images, which are asked for once it is known that the version may be published. Raises
    TrainingFailed where the base has such a flat buffer or they answer too few alike, VersionExists, NoSpace, and what
    `images` raises.
    """
    folder = base.folder.parent / version
    refuse_to_start(folder, folder.parent)
    if base.files.dynamic is not None:
        raise TrainingFailed(f"{base.folder} is served with weights of 8 bits already.")

    def write(aside: Path) -> None:
        shutil.copytree(base.folder, aside, dirs_exist_ok=True)
        served = {file: _SERVED[file] for file in base.manifest.sha256 if file in _SERVED}
        for source, target in served.items():
            (aside / target).write_bytes(flat_buffer_of(aside / source, threads=1, dynamic=True))
        hashes = base.manifest.sha256 | {file: file_sha256(aside / file) for file in served.values()}
        now = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = base.manifest.model_copy(update={"version": version, "created": now, "sha256": hashes})
        alike = _alike(base, ModelVersion(aside, manifest), images())
        print(alike, flush=True)
        if min(alike.digits, alike.texts) < _LEAST_ALIKE * alike.images:
            raise TrainingFailed(f"With weights of 8 bits, too few images are answered alike: {alike}.")
        milliseconds = litert_milliseconds((aside / TFLITE_DYNAMIC_FILE).read_bytes())
        own = {"n": float(alike.images), "agreement": alike.digits / alike.images, "milliseconds": milliseconds}
        manifest = manifest.model_copy(update={"metrics": base.manifest.metrics | {TFLITE_DYNAMIC_FILE: own}})
        (aside / MANIFEST_FILE).write_text(json.dumps(manifest.model_dump(mode="json"), indent=2) + "\n")
        card = (base.folder / CARD_FILE).read_text()
        (aside / CARD_FILE).write_text(
            with_dynamic_range(card, base.manifest, version, str(alike), milliseconds, command)
        )

    return publish(folder, write)


def _alike(before: ModelVersion, after: ModelVersion, images: Iterable[tuple[bytes, int]]) -> Alike:
    settings = Settings(engine="litert", threads=1)
    one, other = build_recogniser(settings, before), build_recogniser(settings, after)
    count = digits = texts = 0
    for data, _ in tqdm(images, desc="validation", unit="image", disable=None):
        count += 1
        digits += _digit(one, data) == _digit(other, data)
        texts += one.read(data).text == other.read(data).text
    for recogniser in (one, other):
        recogniser.close()
    return Alike(count, digits, texts)


def _digit(recogniser: Recogniser, data: bytes) -> int | None:
    """The digit that `/predict` answers, where that is likelier than none."""
    prediction = recogniser.predict(data)
    return None if prediction.non_digit_probability > prediction.confidence else prediction.digit
