"""`python -m tests.evaluation --data-dir DIR`: tables of what the model reads right, as Markdown."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from app.composition import build_recogniser
from app.errors import OcrError
from app.manifest import open_version
from app.recogniser import Recogniser
from app.settings import load_settings
from tests.evaluation import growth, table
from tests.evaluation.datasets import BLANKS, DIGITS, EMPTY, NON_DIGITS, NUMBERS, VALIDATION, Dataset, Places
from tests.evaluation.figures import (
    Answer,
    predicted,
    says_no_digit,
    scored,
    scored_classes,
    scored_non_digits,
    scored_numbers,
)
from tests.evaluation.peers import Peer, peer_score, peers_here
from tests.evaluation.sheet import Mistake, contact_sheet

# The name that `--only` knows the table of times by.
GROWTH = "growth of time"


@dataclass(frozen=True, slots=True)
class Scope:
    """What is measured: sets whose name holds `only`, the first `limit` images of each, and where mistakes go.

    `peers`: what else reads the numbers.
    """

    places: Places
    only: str
    limit: int | None
    mistakes: Path | None
    peers: Sequence[Peer] = ()


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the tables; 1 where there is nothing to measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation", description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True, help="folder with the evaluation images")
    parser.add_argument("--fonts-dir", type=Path, default=Path("/usr/share/fonts"), help="searched for fonts")
    parser.add_argument(
        "--accept-changed-data", action="store_true", help="measure files that differ from the recorded"
    )
    parser.add_argument("--only", default="", help="sets whose name holds this")
    parser.add_argument("--limit", type=int, help="the first so many images of each set")
    parser.add_argument("--mistakes", type=Path, help="folder for contact sheets of what was read wrong")
    parser.add_argument("--alone", action="store_true", help="without Tesseract and RapidOCR, where they are installed")
    options = parser.parse_args(arguments)
    places = Places(options.data_dir, options.fonts_dir, options.accept_changed_data)
    peers = [] if options.alone else peers_here()
    scope = Scope(places, options.only, options.limit, options.mistakes, peers)
    settings = load_settings()
    version = open_version(settings.model_dir, settings.model_name, settings.model_version)
    recogniser = build_recogniser(settings, version)
    model = f"{version.manifest.name} {version.manifest.version}"
    installed = {found.name.lower().replace("_", "-"): found.version for found in distributions()}
    print(table.heading(model, settings.threads, scope.limit, installed))
    measured = 0
    for line in lines(recogniser, scope):
        print(line, flush=True)
        measured += 1
    recogniser.close()
    return 0 if measured else 1


def lines(recogniser: Recogniser, scope: Scope) -> Iterator[str]:
    """The lines of all tables, each as soon as it is known; a table without a set is left out."""
    digits: list[Answer] = []
    non_digits: list[Answer] = []
    head: tuple[str, ...] = table.DIGITS_HEAD
    for dataset, _, answers in _measured(DIGITS, recogniser, scope):
        yield from head
        head = ()
        yield table.digits_row(dataset, scored(answers))
        digits += answers
    head = ("", *table.NON_DIGITS_HEAD)
    for dataset, _, answers in _measured((*BLANKS, *NON_DIGITS), recogniser, scope):
        yield from head
        head = ()
        yield table.non_digits_row(dataset, scored_non_digits(answers, digits))
        non_digits += answers if dataset in NON_DIGITS else []
    if digits and non_digits:
        yield table.auroc_row(scored_non_digits(non_digits, digits), len(digits))
    for dataset, _, answers in _measured((VALIDATION,), recogniser, scope):
        yield from ("", *table.CLASSES_HEAD, table.classes_row(dataset, scored_classes(answers)))
    names = [peer.name for peer in scope.peers]
    for title, datasets in (("Numbers", NUMBERS), ("Nothing to be read", EMPTY)):
        head = ("", *table.numbers_head(title, names))
        for dataset, images, answers in _measured(datasets, recogniser, scope):
            yield from head
            head = ()
            texts = [answer.expected for answer in answers]
            others = [peer_score(peer, images, texts) for peer in scope.peers]
            yield table.numbers_row(dataset, scored_numbers(answers), others)
    if scope.limit is None and scope.only in GROWTH:
        yield from ("", *growth.HEAD)
        yield from growth.growth_rows(recogniser)


def _measured(
    datasets: Iterable[Dataset], recogniser: Recogniser, scope: Scope
) -> Iterator[tuple[Dataset, list[bytes], list[Answer]]]:
    """The sets that are wanted and there, each with its images and what was answered.

    Why another is not is said on stderr.
    """
    for dataset in datasets:
        if scope.only not in dataset.name:
            continue
        if dataset.file is not None and not (scope.places.data_dir / dataset.file).exists():
            print(f"skipped: {dataset.name} (no {dataset.file} in {scope.places.data_dir})", file=sys.stderr)
            continue
        try:
            samples = islice(dataset.samples(scope.places), scope.limit)
        except OcrError as error:  # no fonts, or a damaged file
            print(f"skipped: {dataset.name} ({error})", file=sys.stderr)
            continue
        images: list[bytes] = []
        answers: list[Answer] = []
        wrong: list[Mistake] = []
        for data, expected in tqdm(samples, desc=dataset.name, unit="image", disable=not sys.stderr.isatty()):
            answer = _answer(recogniser, dataset.path, data, expected)
            answers.append(answer)
            images += [data] if dataset.path == "read" else []
            if _is_mistake(answer):
                wrong.append((data, answer.expected, answer.text))
        _keep_mistakes(scope.mistakes, dataset.name, wrong)
        if answers:
            yield dataset, images, answers
        else:
            print(f"skipped: {dataset.name} (there is no image in it)", file=sys.stderr)


def _answer(recogniser: Recogniser, path: str, data: bytes, expected: str) -> Answer:
    if path == "read":
        reading = recogniser.read(data)
        return Answer(expected, reading.text, None, reading.confidence, reading.timings.total)
    return predicted(expected, recogniser.predict(data))


def _is_mistake(answer: Answer) -> bool:
    if answer.prediction is not None and not answer.expected:
        return not says_no_digit(answer.prediction)
    return answer.text != answer.expected


def _keep_mistakes(folder: Path | None, name: str, wrong: list[Mistake]) -> None:
    if folder is None or not wrong:
        return
    folder.mkdir(parents=True, exist_ok=True)
    name = "".join(c if c.isalnum() else "_" for c in name)
    (folder / f"{name}.png").write_bytes(contact_sheet(wrong))


if __name__ == "__main__":
    sys.exit(main())
