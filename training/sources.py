"""The data sets: what each holds, under what licence, and which part of it is kept from training.

Whole writers, contributors, meters, source photos and files are held out; the hash of the group's name decides, so that
a group stays on its side whatever else changes.
"""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.calibration import NON_DIGIT
from app.errors import OcrError
from training.fonts import LOOKALIKES

Array = NDArray[Any]
_MNIST_FILE = "mnist.npz"
_MNIST_WRITERS_FILE = "mnist_writers.npz"
# What each file should hash to, in SHA-256. MNIST goes about in two wrappings: the second is Keras' download.
_RECORDED = {
    "alphadigits.npz": ("45f04ffcdc2f9df9793502c8cd6394221dd06eeb393cebc88dab961801941691",),
    "cvl_dev.npz": ("47d376129e1f65b1f6530b1b39ac88637e43496f47f181d90b2399daf04b877a",),
    "meter_photos.zip": ("c5635a7bff45de32f24771a55660d77725a618c637b528f151372763ea8c1b19",),
    _MNIST_FILE: (
        "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64",
        "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
    ),
    _MNIST_WRITERS_FILE: ("58c039df845176b2eba5b3300303ed1f310ccc9e3f0239aca85e34c4a4ee8f50",),
    "newspaper_cells.zip": ("68009378757ba05d5f64c6344445da99b2dc7ef7c9e24b33f7ace9841d151952",),
    "nist_vowels.npz": ("6bb1a1e6778876211bfab690eef43155970559f14684af102bbdb48916efb690",),
    "notmnist.npz": ("1e2a63e88cee1454b782b505aa76470bb1fe022cb0df1dd985a43fe1968bca7f",),
    "optdigits.npz": ("7ddcaa0e32cdc5289e1fbee48eaa552958a309db108ebaa9de13cbe76a332ca5",),
    "pendigits.npz": ("3e5d6405b0d04e0c1660e7087a58ea638751fd4e54ad5db9ba9463db4cec145d",),
    "photo_cells.zip": ("5f312701c721d7b19f5ab13114444a4d8f9b60fc5ebd91c75e4098a1202cdfd4",),
    "photo_letters.zip": ("a2bba7b291c70c790c6690edb474038260ad8fa8f740e0946217fdd427859aaa",),
    "semeion.npz": ("b60fab63da564e6fc7075b67bfdf1052d38ecc7059f1fb9a10821b5f91b949a4",),
    "unipen_characters.npz": ("e6185bbee652b776ce869244fe39b5cf8ab4e6bbbc25dac421adbb185a503599",),
    "unipen_strings.jsonl.gz": ("1c605d6ecf3b15be5055022654ab4f4766831fa5b58a43ffbbb31b5dfac21ae5",),
    "unipen_symbols.npz": ("0aa9f6d147abb7e23e464e0015256d39676b75a234680ff89d2a8eefac4150a0",),
}
_SHOWN_HEX = 12


class DataError(OcrError):
    """Training data that is missing, damaged or another than the recorded."""


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
    """A data set as a file, and how it is used.

    `held_out` tells the groups that only evaluation sees. `beside` is a second file, read where it is there.
    """

    name: str
    file: str
    licence: str
    read: Callable[[Path], Iterator[Item]]
    held_out: Callable[[str], bool]
    beside: str | None = None


def hashed_share(group: str, share: float, salt: str = "") -> bool:
    """Whether the group falls among the `share` that is held out."""
    return hashlib.sha256(f"{salt}{group}".encode()).digest()[0] < 256 * share


def refuse_missing(sources: Iterable[Source], data_dir: Path) -> None:
    """Raises DataError where files of the sources are missing, and names them all; MNIST can be downloaded."""
    files = dict.fromkeys(source.file for source in sources)
    missing = [file for file in files if file != _MNIST_FILE and not (data_dir / file).exists()]
    if missing:
        raise DataError(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing in {data_dir}; put what is missing "
            "there, or leave it out of the configuration."
        )


def read_source(source: Source, data_dir: Path, accept_changed: bool = False) -> tuple[list[Item], str]:
    """All items of a source and the SHA-256 of its file.

    Raises DataError, which names the file, where it is missing, cannot be read, or is not the recorded one; the last
    does not matter where `accept_changed`.
    """
    refuse_missing([source], data_dir)
    path = data_dir / source.file
    if source.file == _MNIST_FILE and not path.exists():
        path = _downloaded_mnist()
    digest = _checked_sha256(path, accept_changed)
    if source.beside is not None and path.with_name(source.beside).exists():
        _checked_sha256(path.with_name(source.beside), accept_changed)
    try:
        return list(source.read(path)), digest
    except Exception as error:  # a damaged file fails in any way
        raise DataError(f"{path} is damaged ({type(error).__name__}: {error}); fetch it anew.") from error


def _checked_sha256(path: Path, accept_changed: bool) -> str:
    try:
        with path.open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).") from error
    recorded = _RECORDED.get(path.name, ())
    if recorded and actual not in recorded and not accept_changed:
        raise DataError(
            f"{path} is damaged or changed: its SHA-256 is {actual[:_SHOWN_HEX]}…, recorded is "
            f"{' or '.join(f'{one[:_SHOWN_HEX]}…' for one in recorded)}. Fetch it anew, or add --accept-changed-data "
            "if it is meant to differ."
        )
    return actual


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
    writers_path = path.with_name(_MNIST_WRITERS_FILE)
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


def _blank_cells(path: Path) -> Iterator[Item]:
    """Photographed cells with nothing written in them, of the files that training does not see."""
    read = _photos(lambda row: NON_DIGIT if row["label"] == "blank" else None, "file")
    return (item for item in read(path) if hashed_share(item.group, _PHOTO_CELLS_HELD_OUT))


def _letter_label(row: dict[str, str]) -> int | None:
    return _character_label(row["char"])


def _cropped(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows, columns = np.flatnonzero((ink > 64).any(axis=1)), np.flatnonzero((ink > 64).any(axis=0))
    if not rows.size:
        return ink
    return np.ascontiguousarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


_PHOTO_CELLS_HELD_OUT = 0.2
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
    Source("MNIST", _MNIST_FILE, "CC BY-SA 3.0", _mnist, _share(0.06), _MNIST_WRITERS_FILE),
    Source("optdigits", "optdigits.npz", "CC BY 4.0", _optdigits, lambda part: part == "windep"),
    Source("semeion", "semeion.npz", "CC BY 4.0", _semeion, _share(0.15)),
    Source("pendigits", "pendigits.npz", "CC BY 4.0", _strokes, _share(0.15)),
    Source("UNIPEN characters", "unipen_characters.npz", "CC BY 4.0", _strokes, _unipen_held_out),
    Source("UNIPEN symbols", "unipen_symbols.npz", "CC BY 4.0", _strokes, _share(0.15)),
    Source("newspaper cells", "newspaper_cells.zip", "CC BY 4.0", _photos(_cell_label, "source_image"), _share(0.2)),
    Source("photo cells", "photo_cells.zip", "MIT", _photos(_cell_label, "file"), _share(_PHOTO_CELLS_HELD_OUT)),
    Source("meter photos", "meter_photos.zip", "Apache 2.0", _photos(_meter_label, "meter"), lambda m: m in _METERS),
    Source("photo letters", "photo_letters.zip", "MIT", _photos(_letter_label, "file"), _share(0.2)),
    Source("Binary Alphadigits", "alphadigits.npz", "not stated", _alphadigits, _share(0.15)),
    Source("NIST SD 19 vowels", "nist_vowels.npz", "US government work", _nist_vowels, _share(0.15)),
    Source("notMNIST", "notmnist.npz", "MIT", _notmnist, _share(0.15)),
)
# Never trained on, whatever a configuration says.
EVALUATION_SOURCES = (
    Source("MNIST test", _MNIST_FILE, "CC BY-SA 3.0", _mnist_test, lambda _: True),
    Source("blank cells", "photo_cells.zip", "MIT", _blank_cells, lambda _: True),
    Source("CVL", "cvl_dev.npz", "not stated", _cvl, lambda _: True),
)
