"""`python -m tests.evaluation --data-dir DIR`: a table of what the model reads right, as Markdown."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version as distribution_version
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from app.composition import build_recogniser
from app.manifest import open_version
from app.recogniser import Recogniser
from app.settings import load_settings
from tests.evaluation.datasets import DATASETS, Dataset


@dataclass(frozen=True, slots=True)
class Score:
    """How one set was read: images, images read exactly right, edits for all texts, digits in them."""

    images: int
    exact: int
    edits: int
    digits: int


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation", description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True, help="folder with the evaluation images")
    parser.add_argument("--only", help="sets whose name holds this")
    parser.add_argument("--limit", type=int, help="the first so many images of each set")
    parser.add_argument("--mistakes", type=Path, help="folder for contact sheets of what was read wrong")
    options = parser.parse_args(arguments)
    chosen = [d for d in DATASETS if not options.only or options.only in d.name]
    present = [d for d in chosen if (options.data_dir / d.file).exists()]
    for dataset in chosen:
        if dataset not in present:
            print(f"skipped: {dataset.name} (no {dataset.file} in {options.data_dir})", file=sys.stderr)
    if not present:
        return 1
    settings = load_settings()
    version = open_version(settings.model_dir, settings.model_name, settings.model_version)
    recogniser = build_recogniser(settings, version)
    print(_heading(version.manifest.version))
    print("| Set | Path | Images | Exactly right | Digit errors |")
    print("|---|---|---|---|---|")
    for dataset in present:
        score = _score(dataset, recogniser, options.data_dir, options.limit, options.mistakes)
        print(
            f"| {dataset.name} | `/{dataset.path}` | {score.images:,} | {score.exact / score.images:.2%} "
            f"| {score.edits / score.digits:.2%} |",
            flush=True,
        )
    recogniser.close()
    return 0


def _score(dataset: Dataset, recogniser: Recogniser, data_dir: Path, limit: int | None, mistakes: Path | None) -> Score:
    images = exact = edits = digits = 0
    wrong: list[tuple[bytes, str, str]] = []
    samples = islice(dataset.samples(data_dir / dataset.file), limit)
    for data, expected in tqdm(samples, desc=dataset.name, unit="image", disable=not sys.stderr.isatty()):
        if dataset.path == "read":
            text = recogniser.read(data).text.replace("\n", "")
        else:
            digit = recogniser.predict(data).digit
            text = "" if digit is None else str(digit)
        images += 1
        exact += text == expected
        edits += edit_distance(text, expected)
        digits += len(expected)
        if text != expected:
            wrong.append((data, expected, text))
    if mistakes is not None and wrong:
        mistakes.mkdir(parents=True, exist_ok=True)
        name = "".join(c if c.isalnum() else "_" for c in dataset.name)
        (mistakes / f"{name}.png").write_bytes(_contact_sheet(wrong))
    return Score(images, exact, edits, digits)


def edit_distance(one: str, other: str) -> int:
    """Insertions, deletions and substitutions between two texts (Levenshtein 1966)."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


def _contact_sheet(wrong: list[tuple[bytes, str, str]], cell: int = 120, columns: int = 10, most: int = 100) -> bytes:
    """A PNG of an even choice of the mistakes, each with `expected > read` under it."""
    chosen = wrong[:: max(1, len(wrong) // most)][:most]
    rows = -(-len(chosen) // columns)
    sheet = np.full((rows * (cell + 16), columns * cell, 3), 220, np.uint8)
    for index, (data, expected, text) in enumerate(chosen):
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            continue
        scale = min(cell / image.shape[1], cell / image.shape[0])
        image = cv2.resize(
            image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        )
        top, left = index // columns * (cell + 16), index % columns * cell
        sheet[top : top + image.shape[0], left : left + image.shape[1]] = image
        label = f"{expected} > {text or '-'}"
        cv2.putText(sheet, label, (left + 2, top + cell + 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 180), 1)
    return cv2.imencode(".png", sheet)[1].tobytes()


def _heading(model_version: str) -> str:
    libraries = ", ".join(
        f"{name} {distribution_version(name)}" for name in ("keras", "numpy", "opencv-python-headless")
    )
    return (
        f"Model digits {model_version}; Python {platform.python_version()}, {libraries}; "
        f"{platform.machine()}, {load_settings().threads} CPUs.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
