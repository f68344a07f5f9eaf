"""A trained reader, run as it will be served, on strings that training never saw."""

from __future__ import annotations

import csv
import io
import statistics
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from app.ctc import decoded, greedy_text
from app.imaging.decode import decode_image
from app.imaging.line import LINE_HEIGHT, LinePixels, lines_by_polarity
from training.augment import Pixels, Random
from training.lines.compose import composed
from training.lines.config import LinesConfig, LinesPlaces
from training.lines.figures import figures, reliable
from training.lines.layout import Layout
from training.lines.mixture import any_setting, any_text
from training.lines.numbers import Number
from training.lines.paper import Paper
from training.lines.pools import BOARDS, DRAWN, NUMBERS, Writers
from training.lines.stream import reader_input
from training.lines.wordless import any_line_without_digits

# Evaluated on and never trained on, in the data folder: what they are, and the file.
_STRINGS = (
    ("cheque amounts, scans", "strings_cheque.zip"),
    ("printed table cells, photos", "strings_printed.zip"),
    ("scene strips, photos", "strings_scene.zip"),
)
_MAX_PIXELS = 50_000_000
# A line is widened to a multiple of this many pixels: for every other width, an interpreter is made ready.
_WIDTH_STEP = 32
# What is read under the likelier polarity with this probability is not looked at under the other.
_SURELY = 0.5
CONFIDENT = 0.9

Sample = tuple[Pixels, str]


class Reader:
    """A flat buffer of a line reader, on one thread."""

    def __init__(self, flat_buffer: bytes) -> None:
        self._flat_buffer = flat_buffer
        self._interpreters: dict[int, Interpreter] = {}

    def logits(self, line: LinePixels) -> NDArray[np.float32]:
        """Logits, (w / 2, 11) float32, of a line, (32, w) uint8."""
        height, width = line.shape
        room = -(-width // _WIDTH_STEP) * _WIDTH_STEP
        interpreter = self._interpreters.get(room)
        if interpreter is None:
            interpreter = self._interpreters[room] = Interpreter(model_content=self._flat_buffer, num_threads=1)
            interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], (1, height, room, 1))
            interpreter.allocate_tensors()
        widened = np.zeros((1, height, room), np.uint8)
        widened[0, :, :width] = line
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], reader_input(widened))
        interpreter.invoke()
        steps = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
        return np.asarray(steps[: len(steps) * width // room], np.float32)

    def read(self, image: Pixels, temperature: float) -> tuple[str, float]:
        """What an image of one line, (h, w) uint8, shows, and how probable that is; nothing, surely, without ink.

        Where its polarity is in doubt, and it is not read surely under the likelier, the other may make digits of it.
        """
        read = ("", 1.0)
        for index, line in enumerate(lines_by_polarity(image)):
            found = decoded(self.logits(line.pixels), temperature)
            if index == 0 or (found.text and (not read[0] or found.probability > read[1])):
                read = found.text, found.probability
            if found.text and found.probability >= _SURELY:
                break
        return read


@dataclass(frozen=True, slots=True)
class StringsReport:
    """Figures of one set of images: strings read exactly, edits per character, milliseconds an image (the median).

    `confident` is the share whose probability is 0.9 or more, `confident_exact` the share of these that is right.
    """

    name: str
    count: int
    exact: float
    character_errors: float
    milliseconds: float
    confident: float
    confident_exact: float | None


def measured(reader: Reader, name: str, samples: Iterator[Sample], temperature: float) -> StringsReport | None:
    """A reader's figures on one set, from pixels to text; None where there is no image."""
    pairs, sure, taken = [], [], []
    for image, expected in samples:
        begun = time.perf_counter()
        text, probability = reader.read(image, temperature)
        taken.append(1e3 * (time.perf_counter() - begun))
        pairs.append((expected, text))
        sure.append((expected == text, probability))
    if not pairs:
        return None
    read = figures(pairs)
    milliseconds = statistics.median(taken)
    return StringsReport(name, read.count, read.exact, read.character_errors, milliseconds, *reliable(sure, CONFIDENT))


def table(reports: Sequence[StringsReport]) -> str:
    """The figures as a Markdown table."""
    head = f"| Set | Images | Exact | Character errors | Confidence ≥ {CONFIDENT}: share, exact | ms an image |"
    rows = [head, "|---|---|---|---|---|---|"]
    for report in reports:
        sure = "–" if report.confident_exact is None else f"{report.confident_exact:.1%}"
        rows.append(
            f"| {report.name} | {report.count:,} | {report.exact:.1%} | {report.character_errors:.2%} | "
            f"{report.confident:.1%}, {sure} | {report.milliseconds:.1f} |"
        )
    return "\n".join(rows)


def evaluation_sets(
    config: LinesConfig, places: LinesPlaces, held_out: Writers
) -> dict[str, Callable[[], Iterator[Sample]]]:
    """What a reader is measured on, by name: lines that writers who were held out composed, and real strings.

    Real ones as far as their files are in the data folder.
    """
    sets: dict[str, Callable[[], Iterator[Sample]]] = {}
    for number, pool in enumerate(pool for pool in held_out.pools if pool.name not in {DRAWN, BOARDS, NUMBERS}):
        sets[f"composed, {pool.name}, held out"] = lambda pool=pool, number=number: _lines(  # type: ignore[misc]
            lambda random: _composed(pool.any(random), random), config, number
        )
    numbers = held_out.of(NUMBERS)
    if numbers is not None:
        written = [writer for (writer,) in numbers.families if isinstance(writer, Number)]
        sets["UNIPEN numbers, held-out contributors, drawn"] = lambda: drawn_numbers(written, config.seed)
    sets["lines without digits, of held-out writers and fonts"] = lambda: _lines(
        lambda random: (any_line_without_digits(held_out, random).image, ""), config, 100
    )
    for name, file in _STRINGS:
        if (places.data_dir / file).exists():
            sets[name] = lambda path=places.data_dir / file: _zipped(path)  # type: ignore[misc]
    return sets


def _lines(draw: Callable[[Random], Sample], config: LinesConfig, number: int) -> Iterator[Sample]:
    random = np.random.default_rng((config.seed, 2, number))
    return (draw(random) for _ in range(config.evaluation_lines))


def _composed(writer: Number, random: Random) -> Sample:
    text = any_text(random)
    line = composed(writer, text, *any_setting(writer, text, random), random)
    return line.image, line.text


def drawn_numbers(numbers: Sequence[Number], seed: int) -> Iterator[Sample]:
    """Each number once as a tablet's screen shows it: as it was written, on plain paper."""
    random = np.random.default_rng((seed, 2, 99))
    for number in numbers:
        line = composed(number, number.text, Layout(height=float(random.uniform(20, 60))), Paper(), random)
        yield line.image, line.text


def _zipped(path: Path) -> Iterator[Sample]:
    with zipfile.ZipFile(path) as archive:
        for row in csv.DictReader(io.TextIOWrapper(archive.open("labels.csv"), "utf-8")):
            yield decode_image(archive.read(row["file"]), _MAX_PIXELS).pixels, row["text"]


def parity(network: keras.Model, reader: Reader, lines: NDArray[np.uint8]) -> tuple[float, float]:
    """A network against its flat buffer on lines, (n, 32, w): the share read alike, and the largest difference."""
    room = -(-lines.shape[2] // _WIDTH_STEP) * _WIDTH_STEP
    widened = np.pad(lines, ((0, 0), (0, 0), (0, room - lines.shape[2])))
    ours = np.asarray(network.predict_on_batch(reader_input(widened)))
    others = np.stack([reader.logits(line) for line in widened])
    alike = [greedy_text(one) == greedy_text(other) for one, other in zip(ours, others, strict=True)]
    return sum(alike) / len(alike), float(np.abs(ours - others).max())


def width_milliseconds(reader: Reader, width: int, calls: int = 200) -> float:
    """Milliseconds for one line of that width through LiteRT on one thread: the median, after 20 calls to warm up."""
    line = np.random.default_rng(1).integers(0, 256, (LINE_HEIGHT, width)).astype(np.uint8)
    taken = []
    for _ in range(20 + calls):
        begun = time.perf_counter()
        reader.logits(line)
        taken.append(1e3 * (time.perf_counter() - begun))
    return statistics.median(taken[20:])
