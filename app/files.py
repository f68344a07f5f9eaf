"""What `digit-ocr read` and `predict` do with files: here, one after another, or by a running service, many at once."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from traceback import print_exception
from typing import TYPE_CHECKING, Any

from app.bulk.answers import Answered, Line, answered_in, unreadable, writing
from app.bulk.listing import Selection, image_files, listed, sorted_image_files
from app.domain import Polarity
from app.settings import CLIENT_API_KEY, SettingsError

if TYPE_CHECKING:
    from app.manifest import ModelVersion
    from app.recogniser import Recogniser
    from app.settings import Settings

Answer = Callable[["Recogniser", bytes], dict[str, Any]]


def answer_files(options: argparse.Namespace, settings: Settings, version: ModelVersion) -> int:
    """One JSON line a file, as it comes. 1 where any file failed; the others are done all the same."""
    from tqdm import tqdm

    from app.api.schemas import ModelName, PredictionResult, ReadingResult
    from app.composition import build_recogniser

    model = ModelName(name=version.manifest.name, version=version.manifest.version)

    def predict(recogniser: Recogniser, data: bytes) -> dict[str, Any]:
        prediction = recogniser.predict(data, options.polarity, options.min_confidence, explain=options.explain)
        result = PredictionResult.of(prediction, model, "", options.explain)
        return result.model_dump(mode="json", exclude={"request_id"}, exclude_unset=True)

    def read(recogniser: Recogniser, data: bytes) -> dict[str, Any]:
        reading = recogniser.read(data, options.polarity, options.min_confidence, options.expected_length)
        return ReadingResult.of(reading, model, "").model_dump(mode="json", exclude={"request_id"})

    answer: Answer = predict if options.command == "predict" else read
    selection = _selection(options, sorted_image_files)
    paths = list(selection)
    if not selection.found:
        return _nothing_found()
    failed = 0
    with writing(options.output) as write:
        recogniser = build_recogniser(settings, version)
        for path in tqdm(paths, unit="image", disable=not sys.stderr.isatty() or len(paths) < 2):
            line = _line(path, recogniser, answer)
            failed += "problem" in line
            write(line)
        recogniser.close()
    return 1 if failed else 0


def ask_for_files(options: argparse.Namespace) -> int:
    """The same by the service at `options.server`; neither settings nor a model are looked at here.

    After SIGINT or SIGTERM what was asked for is still written; then the status is 128 and the signal's number.
    Raises RunStopped where the service does not answer, or refuses every file alike.
    """
    from tqdm import tqdm

    from app.bulk.client import Client, Service
    from app.bulk.crew import Crew, stopping

    service = Service(options.server, f"/{options.command}", _query(options), _api_key(), options.retry_for)
    selection = _selection(options, image_files)
    crew = Crew(partial(Client, service), options.concurrency)
    answered = failed = 0
    with (
        writing(options.output) as write,
        stopping(crew.stop) as heard,
        tqdm(unit="image", disable=not sys.stderr.isatty()) as bar,
    ):
        for line in crew.lines(selection):
            write(line)
            bar.update()
            answered, failed = answered + ("problem" not in line), failed + ("problem" in line)
    counts = f"{answered:,} answered, {failed:,} failed, {selection.passed_over:,} passed over"
    print(f"digit-ocr: {counts}", file=sys.stderr)
    if heard:
        return 128 + heard[0]
    if not selection.found:
        return _nothing_found()
    return 1 if failed else 0


def _selection(options: argparse.Namespace, files: Callable[[Iterable[Path]], Iterator[Path]]) -> Selection:
    given = chain(options.files, () if options.files_from is None else listed(options.files_from))
    answered = Answered() if options.output is None else answered_in(options.output)
    return Selection(files(given), options.shard, answered)


def _nothing_found() -> int:
    """Also of a shard: a volume that is mounted in the wrong place must not look like work that is done."""
    print("digit-ocr: there is no image in the folders given", file=sys.stderr)
    return 1


def _line(path: Path, recogniser: Recogniser, answer: Answer) -> Line:
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        return unreadable(path, error)
    try:
        return {"file": str(path), **answer(recogniser, data)}
    except Exception as error:  # whatever it is, it is this file's, and must not spoil the others
        return {"file": str(path), "problem": _problem(error)}


def _problem(error: Exception) -> dict[str, Any]:
    """The problem of a file, as the service tells it; of a fault of ours, stderr has the traceback."""
    from app.api.problems import problem_of

    told, kind = problem_of(error, "")
    problem: dict[str, Any] = told.model_dump(mode="json", exclude={"request_id"})
    if kind.status == 500:
        print_exception(error)
        problem["detail"] = "Something went wrong here, not with the file. What it was is on stderr."
    return problem


def _query(options: argparse.Namespace) -> dict[str, str]:
    """The query parameters of /read or /predict, those that were given."""
    given: dict[str, Any] = {
        "polarity": None if options.polarity is Polarity.AUTO else options.polarity.value,
        "min_confidence": options.min_confidence,
        "expected_length": getattr(options, "expected_length", None),
        "explain": "true" if getattr(options, "explain", False) else None,
    }
    return {name: str(value) for name, value in given.items() if value is not None}


def _api_key() -> str | None:
    """The key for the service, from the environment: the arguments of a process are for everybody to see."""
    key = os.environ.get(CLIENT_API_KEY, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise SettingsError(f"{CLIENT_API_KEY} has characters that no API key has.")
    return key or None
