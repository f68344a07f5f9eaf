"""The data sets: what each holds, under what licence, and which part of it is kept from training.

Whole writers, contributors, meters, source photos and files are held out; the hash of the group's name decides, so that
a group stays on its side whatever else changes.
"""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from app.calibration import NON_DIGIT
from app.errors import OcrError
from training.fonts import LOOKALIKES

Array = NDArray[Any]
_MNIST_FILE = "mnist.npz"


class DataError(OcrError):
    """Training data that is missing or damaged."""


@dataclass(frozen=True, slots=True)
class Item:
    """One example, before it is drawn.

    `label`: 0–9, or 10 for no digit. `group`: the writer, meter or photo it comes from. Exactly one of: `ink`, (h, w)
    uint8, 255 on 0; `strokes`, each (n, 2) float32; `photo`, an encoded image.
    """

    label: int
    group: str
    ink: NDArray[np.uint8] | None = None
    strokes: tuple[NDArray[np.float32], ...] | None = None
    photo: bytes | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A data set as a file, and how it is used. `held_out` tells the groups that only evaluation sees."""

    name: str
    file: str
    licence: str
    read: Callable[[Path], Iterator[Item]]
    held_out: Callable[[str], bool]


def hashed_share(group: str, share: float, salt: str = "") -> bool:
    """Whether the group falls among the `share` that is held out."""
    return hashlib.sha256(f"{salt}{group}".encode()).digest()[0] < 256 * share


def read_source(source: Source, data_dir: Path) -> tuple[list[Item], str]:
    """All items of a source and the SHA-256 of its file. Raises DataError, which names the file."""
    path = data_dir / source.file
    if source.file == _MNIST_FILE and not path.exists():
        path = _downloaded_mnist()
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return list(source.read(path)), digest
    except FileNotFoundError:
        raise DataError(
            f"{path} is missing; put it there, or leave {source.name!r} out of the configuration."
        ) from None
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        raise DataError(f"{path} is damaged ({error}); fetch it anew.") from error


def _downloaded_mnist() -> Path:
    """MNIST as Keras downloads it, into its own cache."""
    from keras.datasets import mnist

    try:
        mnist.load_data()
    except Exception as error:  # whatever the download runs into
        raise DataError(f"Keras cannot download MNIST ({error}); put {_MNIST_FILE} into the data folder.") from error
    return Path.home() / ".keras" / "datasets" / _MNIST_FILE


def _arrays(path: Path) -> dict[str, Array]:
    with path.open("rb") as file, np.load(file) as arrays:
        return {name: arrays[name] for name in arrays}


def _character_label(character: str) -> int | None:
    """0–9, 10 for a letter or sign that is no digit, None for one that is a digit to the eye."""
    if character in "0123456789":
        return int(character)
    return None if character in LOOKALIKES or character in "|\\/`'\"" else NON_DIGIT


def _mnist(path: Path) -> Iterator[Item]:
    arrays = _arrays(path)
    writers_path = path.with_name("mnist_writers.npz")
    writers = _arrays(writers_path)["train"] if writers_path.exists() else np.arange(len(arrays["y_train"])) // 100
    for image, label, writer in zip(arrays["x_train"], arrays["y_train"], writers, strict=True):
        yield Item(int(label), str(writer), ink=image)


def _mnist_test(path: Path) -> Iterator[Item]:
    arrays = _arrays(path)
    for image, label in zip(arrays["x_test"], arrays["y_test"], strict=True):
        yield Item(int(label), "test", ink=image)


def _cvl(path: Path) -> Iterator[Item]:
    arrays = _arrays(path)
    for image, label, writer in zip(arrays["x"], arrays["y"], arrays["writer"], strict=True):
        yield Item(int(label), str(writer), ink=255 - image)


def _optdigits(path: Path) -> Iterator[Item]:
    arrays = _arrays(path)
    for part in ("tra", "tes", "windep"):
        for image, label in zip(arrays[f"x_{part}"], arrays[f"y_{part}"], strict=True):
            yield Item(int(label), part, ink=np.asarray(image > 0, np.uint8) * np.uint8(255))


def _semeion(path: Path) -> Iterator[Item]:
    arrays = _arrays(path)
    for index, (image, label) in enumerate(zip(arrays["x"], arrays["y"], strict=True)):
        yield Item(int(label), str(index // 20), ink=np.asarray(image > 0, np.uint8) * np.uint8(255))


def _alphadigits(path: Path) -> Iterator[Item]:
    arrays = _arrays(path)
    for index, (image, character) in enumerate(zip(arrays["x"], arrays["char"], strict=True)):
        if (label := _character_label(str(character))) is not None:
            yield Item(label, str(index % 39), ink=np.asarray(image > 0, np.uint8) * np.uint8(255))


def _nist_vowels(path: Path) -> Iterator[Item]:
    arrays = _arrays(path)
    for index, (image, character) in enumerate(zip(arrays["x"], arrays["char"], strict=True)):
        if _character_label(str(character)) == NON_DIGIT:
            yield Item(NON_DIGIT, str(index // 10), ink=_cropped(255 - image))


def _notmnist(path: Path) -> Iterator[Item]:
    arrays = _arrays(path)
    for index, (image, character) in enumerate(zip(arrays["x"], arrays["char"], strict=True)):
        if _character_label(str(character)) == NON_DIGIT and image.any():
            yield Item(NON_DIGIT, str(index), ink=image)


def _strokes(path: Path) -> Iterator[Item]:
    """Digits alone, with the letters and signs that are no digit, as pen strokes."""
    arrays = _arrays(path)
    points, ends, offsets = arrays["points"], arrays["stroke_offsets"], arrays["char_offsets"]
    count = len(arrays["label"])
    writers = arrays.get("writer", np.array([f"symbols/{i // 40}" for i in range(count)]))
    suspect = arrays.get("suspect", np.zeros(count, bool))
    for index in np.flatnonzero(~suspect):
        label = _character_label(str(arrays["label"][index]))
        if label is None:
            continue
        strokes = tuple(points[ends[j] : ends[j + 1]] for j in range(offsets[index], offsets[index + 1]))
        strokes = tuple(stroke for stroke in strokes if len(stroke))
        if strokes:
            yield Item(label, str(writers[index]), strokes=strokes)


def _photos(label_of: Callable[[dict[str, str]], int | None], group: str) -> Callable[[Path], Iterator[Item]]:
    def read(path: Path) -> Iterator[Item]:
        with zipfile.ZipFile(path) as archive:
            for row in csv.DictReader(io.TextIOWrapper(archive.open("labels.csv"), "utf-8")):
                label = label_of(row)
                if label is not None:
                    yield Item(label, row[group], photo=archive.read(row["file"]))

    return read


def _cell_label(row: dict[str, str]) -> int:
    return int(row["label"]) if row["label"].isdigit() else NON_DIGIT


def _meter_label(row: dict[str, str]) -> int | None:
    # "between": the wheel stands between two digits. Whether that is a digit, people differ.
    return int(row["label"]) if row["label"].isdigit() else None


def _letter_label(row: dict[str, str]) -> int | None:
    return _character_label(row["char"])


def _cropped(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows, columns = np.flatnonzero((ink > 64).any(axis=1)), np.flatnonzero((ink > 64).any(axis=0))
    if not rows.size:
        return ink
    return np.ascontiguousarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


_UNIPEN_CONTRIBUTORS = ("app", "art", "tos", "lou", "cea", "ceb")
_METERS = (
    "watermeter/Techem",
    "powermeter/Heliowatt",
    "watermeter/altair",
    "powermeter/ itron_C114U_2",
    "watermeter/jvi",
    "powermeter/LandisGyrT330_C",
)


def _share(share: float) -> Callable[[str], bool]:
    return lambda group: hashed_share(group, share)


def _unipen_held_out(writer: str) -> bool:
    return writer.split("/")[0] in _UNIPEN_CONTRIBUTORS or hashed_share(writer, 0.1)


SOURCES = (
    Source("MNIST", _MNIST_FILE, "CC BY-SA 3.0", _mnist, _share(0.06)),
    Source("optdigits", "optdigits.npz", "CC BY 4.0", _optdigits, lambda part: part == "windep"),
    Source("semeion", "semeion.npz", "CC BY 4.0", _semeion, _share(0.15)),
    Source("pendigits", "pendigits.npz", "CC BY 4.0", _strokes, _share(0.15)),
    Source("UNIPEN characters", "unipen_characters.npz", "CC BY 4.0", _strokes, _unipen_held_out),
    Source("UNIPEN symbols", "unipen_symbols.npz", "CC BY 4.0", _strokes, _share(0.15)),
    Source("newspaper cells", "newspaper_cells.zip", "CC BY 4.0", _photos(_cell_label, "source_image"), _share(0.2)),
    Source("photo cells", "photo_cells.zip", "MIT", _photos(_cell_label, "file"), _share(0.2)),
    Source("meter photos", "meter_photos.zip", "Apache 2.0", _photos(_meter_label, "meter"), lambda m: m in _METERS),
    Source("photo letters", "photo_letters.zip", "MIT", _photos(_letter_label, "file"), _share(0.2)),
    Source("Binary Alphadigits", "alphadigits.npz", "not stated", _alphadigits, _share(0.15)),
    Source("NIST SD 19 vowels", "nist_vowels.npz", "US government work", _nist_vowels, _share(0.15)),
    Source("notMNIST", "notmnist.npz", "MIT", _notmnist, _share(0.15)),
)
# Never trained on, whatever a configuration says.
EVALUATION_SOURCES = (
    Source("MNIST test", _MNIST_FILE, "CC BY-SA 3.0", _mnist_test, lambda _: True),
    Source("CVL", "cvl_dev.npz", "not stated", _cvl, lambda _: True),
)
