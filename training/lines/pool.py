"""The lines that a reader is trained on, kept on disk by their width.

Composing a line costs some milliseconds, as much as a training step takes for it. So lines are composed once, in worker
processes, into a pool, part by part: a run that was stopped draws the parts that are missing. A light jitter
(`stream.jittered`) is done anew each time that a line is trained on.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import signal
import time
import zlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from app.imaging.glyph import PREPROCESSING_VERSION
from app.imaging.line import LINE_VERSION, STEP_WIDTH
from training.config import told
from training.fonts import Font, find_fonts, split_families
from training.lines.config import LinesConfig, LinesPlaces
from training.lines.draw import Kind, Labels, Part, drawn_part, for_validation
from training.resume import NoSpace
from training.sources import DataError

_PART = 1_000
_POOL, _INDEX = "lines", "index.json"
# What in a configuration leaves the lines as they are: more of them are more parts.
_NOT_OF_A_LINE = {
    "version",
    "name",
    "lines",
    "wordy_lines",
    "wordy_share",
    "validation_lines",
    "evaluation_lines",
    "size",
    "grows_from",
    "goes_on_from",
    "second",
    "learned_shares",
    "batch_width",
    "steps",
    "epochs",
    "calm_epochs",
    "learning_rate",
    "weight_decay",
    "risk",
    "precision",
    "frozen_statistics",
}


@dataclass(frozen=True, slots=True)
class LineSet:
    """Lines kept in one width: (n, 32, w) uint8; how much of it each fills, (n,) int16; and its digits.

    `labels`: (n, 12) int8, NO_DIGIT after the last digit.
    """

    lines: NDArray[np.uint8]
    widths: NDArray[np.int16]
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)


LinePool = dict[int, LineSet]


@dataclass(frozen=True, slots=True)
class LinePools:
    """What a reader is trained on, lines of words besides, and what it is validated on, by width."""

    training: LinePool
    validation: LinePool
    wordy: LinePool = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PartedFonts:
    """Fonts to train on, to validate on and to measure on; no family is in two, unless there are too few to part."""

    training: tuple[Font, ...]
    validation: tuple[Font, ...]
    held_out: tuple[Font, ...]


def parted_fonts(config: LinesConfig, fonts: Iterable[Font]) -> PartedFonts:
    """Parts fonts by their families. Where one side would be empty, it has the fonts of training."""
    seen, held_out = split_families(fonts, config.held_out_families)
    validation = [font for font in seen if for_validation(config, font.family)]
    training = [font for font in seen if not for_validation(config, font.family)] or seen
    return PartedFonts(tuple(training), tuple(validation or training), tuple(held_out or training))


def drawn_pools(
    config: LinesConfig, places: LinesPlaces, processes: int, kinds: Sequence[Kind] = tuple(Kind)
) -> LinePools:
    """The lines of a run, drawn once and kept in its folder; what of them is there already is not drawn again.

    Of kinds that are not named there are none.

    Raises NoFonts, DataError where data or kept lines are damaged, and NoSpace.
    """
    folder = places.run_dir(config) / _POOL
    parts = {kind: _parts(folder, kind, config, places) if kind in kinds else [] for kind in Kind}
    try:
        _forget_others(folder, _fingerprint(config))
        missing = [part for own in parts.values() for part in own if not part.file.exists()]
        if missing:
            fonts = parted_fonts(config, find_fonts(places.fonts_dir))
            own_fonts = {kind: fonts.validation if kind is Kind.VALIDATION else fonts.training for kind in Kind}
            _draw([replace(part, fonts=own_fonts[part.kind]) for part in missing], processes)
    except OSError as error:
        raise NoSpace(f"{folder} could not be written ({error.strerror or error}); make room, begin again.") from error
    return LinePools(_read(parts[Kind.TRAINING]), _read(parts[Kind.VALIDATION]), _read(parts[Kind.WORDY]))


def _parts(folder: Path, kind: Kind, config: LinesConfig, places: LinesPlaces) -> list[Part]:
    counted = {Kind.TRAINING: config.lines, Kind.VALIDATION: config.validation_lines, Kind.WORDY: config.wordy_lines}
    whole = counted[kind]
    counts = [min(_PART, whole - start) for start in range(0, whole, _PART)]
    return [
        Part(folder / f"{kind}-{number:05d}-{count}.npz", number, count, kind, config, places, ())
        for number, count in enumerate(counts)
    ]


def _forget_others(folder: Path, fingerprint: str) -> None:
    """Takes away lines that were drawn for another configuration."""
    index = folder / _INDEX
    with contextlib.suppress(OSError, ValueError):
        if json.loads(index.read_text()) == fingerprint:
            return
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.npz"):
        stale.unlink()
    index.write_text(json.dumps(fingerprint))


def _fingerprint(config: LinesConfig) -> str:
    """What the lines depend on: the part of the configuration that is about them, and the imaging path."""
    of_a_line = {name: value for name, value in told(config).items() if name not in _NOT_OF_A_LINE}
    versions = [PREPROCESSING_VERSION, LINE_VERSION, STEP_WIDTH]
    return hashlib.sha256(json.dumps([of_a_line, *versions]).encode()).hexdigest()


def _draw(parts: Sequence[Part], processes: int) -> None:
    # Ctrl-C reaches every process: the first one ends the others, which need not tell of it as well.
    deaf = (signal.SIGINT, signal.SIG_IGN)
    began, done = time.monotonic(), 0
    whole = sum(part.count for part in parts)
    executor = ProcessPoolExecutor(processes, get_context("spawn"), signal.signal, deaf)
    try:
        for drawn in as_completed([executor.submit(drawn_part, part) for part in parts]):
            done += drawn.result()
            rate = done / (time.monotonic() - began)
            left = (whole - done) / rate / 60
            print(f"{done:,} of {whole:,} lines drawn, {rate:,.0f}/s, {left:.0f} min left", flush=True)
    finally:
        executor.shutdown(cancel_futures=True)


def _read(parts: Sequence[Part]) -> LinePool:
    arrays = []
    for part in parts:
        try:
            with part.file.open("rb") as file, np.load(file) as kept:
                arrays.append({name: kept[name] for name in kept})
        except (OSError, EOFError, KeyError, ValueError, BadZipFile, zlib.error) as error:
            raise DataError(f"{part.file} is damaged ({error}); remove it, and its lines are drawn anew.") from error
    return pooled_lines(arrays)


def pooled_lines(parts: Sequence[dict[str, Any]]) -> LinePool:
    """Parts of a pool together. They are emptied on the way: two of a pool may be more than there is memory for."""
    pool = {}
    for width in sorted({int(name.partition("/")[0]) for part in parts for name in part}):
        lines, widths, labels = (
            np.concatenate([part.pop(f"{width}/{name}") for part in parts]) for name in ("lines", "widths", "labels")
        )
        if len(lines):
            pool[width] = LineSet(lines, widths, labels)
    return pool
