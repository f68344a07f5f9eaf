"""Images that training never saw, as the service would be sent them, what they show, and how well they must be read."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.calibration import NON_DIGIT
from tests.evaluation.drawn import SEED, Sample, display_digits, rendered_digits, rendered_letters, textures
from tests.evaluation.strings import (
    SUITES,
    Suite,
    blank_pages,
    composed_numbers,
    display_numbers,
    letter_pages,
    texture_pages,
    unipen_numbers,
)
from training.augment import Random
from training.configs.digits_1_6_0 import config
from training.pool import image_of
from training.sources import EVALUATION_SOURCES, SOURCES, Item, read_source
from training.validation import png, sent, validation_images

# Bars of more than one set: the least AUROC of the non-digit probability, the largest calibration error, of any set and
# of that which the model was calibrated on.
AUROC_BAR = 0.98
ECE_BAR, VALIDATION_ECE_BAR = 0.03, 0.005
# What of light ink on black, of 255, is clearly ink.
_CLEARLY_INK = 80
_SOURCES = {source.name: source for source in (*SOURCES, *EVALUATION_SOURCES)}


@dataclass(frozen=True, slots=True)
class Places:
    """Where the images and the fonts lie. `accept_changed_data`: files may be others than those recorded."""

    data_dir: Path
    fonts_dir: Path
    accept_changed_data: bool = False


@dataclass(frozen=True, slots=True)
class Dataset:
    """Images as bytes with the text they show, which is empty for what is no digit.

    `file`: what it needs in the data folder, if anything. `path`: the endpoint that the images are for. `samples`
    raises DataError or NoFonts when it is called, not while it is iterated over. `bar`: the least share that must be
    read right or, of what is no digit, be answered so.
    """

    name: str
    file: str | None
    path: str
    samples: Callable[[Places], Iterator[Sample]]
    bar: float | None = None


def _held_out(
    name: str, source_name: str, bar: float | None = None, *, digits: bool = True, scanned: bool = False
) -> Dataset:
    """The digits, or else the non-digits, that training holds out of a source.

    `scanned`: the source has the ink of dark-on-light scans, which are sent as they were.
    """
    source = _SOURCES[source_name]

    def sample(item: Item, random: Random) -> Sample:
        text = str(item.label) if digits else ""
        return png(np.uint8(255) - image_of(item, random)) if scanned else sent(item, random), text

    def samples(places: Places) -> Iterator[Sample]:
        items, _ = read_source(source, places.data_dir, places.accept_changed_data)
        random = np.random.default_rng(SEED)
        chosen = (item for item in items if source.held_out(item.group) and (item.label != NON_DIGIT) == digits)
        return (sample(item, random) for item in chosen)

    return Dataset(name, source.file, "predict", samples, bar)


def _cropped_tight(dataset: Dataset, name: str) -> Dataset:
    """The same images without the paper around their ink, which is the lighter in them."""

    def samples(places: Places) -> Iterator[Sample]:
        return ((png(_tight(data)), text) for data, text in dataset.samples(places))

    return replace(dataset, name=name, samples=samples, bar=None)


def _tight(data: bytes) -> NDArray[np.uint8]:
    image = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)
    left, top, width, height = cv2.boundingRect((image > _CLEARLY_INK).astype(np.uint8))
    return np.ascontiguousarray(image[top : top + height, left : left + width])


def _rendered(name: str, bar: float | None = None, *, as_photos: bool) -> Dataset:
    return Dataset(name, None, "predict", lambda places: rendered_digits(places.fonts_dir, as_photos), bar)


def _validation(places: Places) -> Iterator[Sample]:
    images = validation_images(config, places.data_dir, places.fonts_dir, places.accept_changed_data)
    return ((data, "" if label == NON_DIGIT else str(label)) for data, label in images)


def _strings(name: str, file: str, bar: float) -> Dataset:
    def samples(places: Places) -> Iterator[Sample]:
        return _zipped(places.data_dir / file)

    return Dataset(name, file, "read", samples, bar)


def _composed(suite: Suite) -> Dataset:
    def samples(places: Places) -> Iterator[Sample]:
        return composed_numbers(suite, places.data_dir, places.fonts_dir, places.accept_changed_data)

    return Dataset(f"composed: {suite.name}", None, "read", samples, suite.bar)


def _zipped(path: Path) -> Iterator[Sample]:
    with zipfile.ZipFile(path) as archive:
        for row in csv.DictReader(io.TextIOWrapper(archive.open("labels.csv"), "utf-8")):
            yield archive.read(row["file"]), row["text"]


_MNIST = _held_out("MNIST, test", "MNIST test", 0.9965)
DIGITS = (
    _MNIST,
    _cropped_tight(_MNIST, "MNIST, test, each digit cropped tight"),
    _held_out("CVL, Austrian handwriting", "CVL", 0.975, scanned=True),
    _held_out("UNIPEN, pens of many countries; held-out writers", "UNIPEN characters", 0.985),
    _held_out("optdigits `windep`, Turkish handwriting", "optdigits", 0.99),
    _held_out("MNIST, held-out writers", "MNIST"),
    _held_out("pendigits, strokes of a tablet; held-out writers", "pendigits"),
    _held_out("semeion, Italian handwriting, 16×16 pixels; held-out part", "semeion"),
    _held_out("Binary Alphadigits, 16×20 pixels; held-out part", "Binary Alphadigits"),
    _held_out("meters, photos; held-out meters", "meter photos", 0.96),
    _held_out("newspaper cells, phone photos; held-out photos", "newspaper cells", 0.99),
    _held_out("sudoku cells, phone photos; held-out cells", "photo cells", 0.98),
    _rendered("rendered digits, clean; held-out fonts", 0.995, as_photos=False),
    _rendered("rendered digits, as photographed; held-out fonts", as_photos=True),
    Dataset(
        "displays of seven and fourteen segments, as photographed; held-out fonts",
        None,
        "predict",
        lambda places: display_digits(places.fonts_dir),
    ),
)
NUMBERS = (
    _strings("cheque amounts, scans", "strings_cheque.zip", 0.85),
    _strings("printed table cells, photos", "strings_printed.zip", 0.995),
    Dataset(
        "UNIPEN numbers, drawn; held-out contributors",
        "unipen_strings.jsonl.gz",
        "read",
        lambda places: unipen_numbers(places.data_dir, places.fonts_dir, places.accept_changed_data),
        0.95,
    ),
    _strings("scene strips, photos", "strings_scene.zip", 0.5),
    Dataset(
        "displays of seven and fourteen segments; held-out fonts",
        None,
        "read",
        lambda places: display_numbers(places.fonts_dir),
    ),
    *(_composed(suite) for suite in SUITES),
)
BLANKS = (_held_out("blank sudoku cells, phone photos; held-out cells", "blank cells", 0.99, digits=False),)
# Pages on which there is nothing to be read.
EMPTY = (
    Dataset(
        "pages of letters",
        None,
        "read",
        lambda places: letter_pages(places.data_dir, places.fonts_dir, places.accept_changed_data),
        0.99,
    ),
    Dataset("blank pages", None, "read", lambda _: blank_pages(), 0.99),
    Dataset("pages of texture", None, "read", lambda _: texture_pages(), 0.99),
    replace(BLANKS[0], name="blank sudoku cells, photos", path="read"),
)
VALIDATION = Dataset(
    "validation, which the model was calibrated on",
    None,
    "predict",
    _validation,
)
# What the non-digit probability must tell from the digits of DIGITS; letters that look like a digit are left out.
NON_DIGITS = (
    _held_out("UNIPEN letters; held-out writers", "UNIPEN characters", digits=False),
    _held_out("NIST vowels, handwritten; held-out part", "NIST SD 19 vowels", digits=False),
    Dataset("rendered letters; held-out fonts", None, "predict", lambda places: rendered_letters(places.fonts_dir)),
    Dataset("textures without writing", None, "predict", lambda _: textures()),
)
