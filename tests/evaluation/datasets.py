"""Real images and what they show, as the service would be sent them."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Sample = tuple[bytes, str]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Images as bytes with the text they show; `path` is the endpoint that they are for."""

    name: str
    file: str
    path: str
    samples: Callable[[Path], Iterator[Sample]]


def _arrays(images: str, labels: str, invert: bool = False) -> Callable[[Path], Iterator[Sample]]:
    def samples(path: Path) -> Iterator[Sample]:
        with np.load(path) as arrays:
            for image, label in zip(arrays[images], arrays[labels], strict=True):
                yield _png(255 - image if invert else image), str(label)

    return samples


def _bitmaps(images: str, labels: str) -> Callable[[Path], Iterator[Sample]]:
    def samples(path: Path) -> Iterator[Sample]:
        with np.load(path) as arrays:
            for image, label in zip(arrays[images], arrays[labels], strict=True):
                yield _png(np.asarray(image > 0, np.uint8) * 255), str(label)

    return samples


def _zip(column: str, wanted: Callable[[str], bool] = lambda _: True) -> Callable[[Path], Iterator[Sample]]:
    def samples(path: Path) -> Iterator[Sample]:
        with zipfile.ZipFile(path) as archive:
            rows = csv.DictReader(io.TextIOWrapper(archive.open("labels.csv"), "utf-8"))
            for row in rows:
                if wanted(row[column]):
                    yield archive.read(row["file"]), row[column]

    return samples


def _png(image: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


DATASETS = (
    Dataset("MNIST, test", "mnist.npz", "predict", _arrays("x_test", "y_test")),
    Dataset("CVL, Austrian handwriting", "cvl_dev.npz", "predict", _arrays("x", "y")),
    Dataset("optdigits `windep`, Turkish handwriting", "optdigits.npz", "predict", _bitmaps("x_windep", "y_windep")),
    Dataset("newspaper cells, phone photos", "newspaper_cells.zip", "predict", _zip("label")),
    Dataset("sudoku cells, phone photos", "photo_cells.zip", "predict", _zip("label", str.isdigit)),
    Dataset("meters, photos", "meter_photos.zip", "predict", _zip("label", str.isdigit)),
    Dataset("printed table cells, photos", "strings_printed.zip", "read", _zip("text")),
    Dataset("cheque amounts, scans", "strings_cheque.zip", "read", _zip("text")),
    Dataset("scene strips, photos", "strings_scene.zip", "read", _zip("text")),
)
