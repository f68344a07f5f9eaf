"""The command line: `digit-ocr serve | read | predict | model`."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.domain import Polarity
from app.errors import OcrError

if TYPE_CHECKING:  # what takes a second to import waits until the signal handler stands
    from app.manifest import ModelVersion
    from app.recogniser import Recogniser
    from app.settings import Settings

_IMAGE_SUFFIXES = {
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif"),
    *(".pnm", ".pbm", ".pgm", ".ppm"),
}

Answer = Callable[["Recogniser", bytes], dict[str, Any]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command. Exit status 0; 1 where a file failed or the service could not start; 2 for a wrong command."""
    # As a container's first process it would not hear the signal at all before the server takes it over.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    options = _parser().parse_args(arguments)
    from app.manifest import open_version
    from app.settings import load_settings

    try:
        settings = load_settings()
        version = open_version(settings.model_dir, settings.model_name, settings.model_version)
        if options.command == "serve":
            return _serve(settings, version)
        if options.command == "model":
            print(json.dumps(version.manifest.model_dump(mode="json"), indent=2))
            return 0
        return _answer_files(options, settings, version)
    except OcrError as error:
        print(f"digit-ocr: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of stdout has seen enough
        sys.stderr.close()
        return 1


def _serve(settings: Settings, version: ModelVersion) -> int:
    from app.control_group import memory_limit, require_memory

    require_memory(settings.engine, memory_limit())  # before anything large is imported
    from app.api.server import serve
    from app.logs import configure_logging

    configure_logging(settings.log_level, settings.log_format)
    return serve(settings, version)


def _answer_files(options: argparse.Namespace, settings: Settings, version: ModelVersion) -> int:
    """One JSON line a file on stdout, as it comes. 1 where any file failed; the others are done all the same."""
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
    paths = list(_image_files(options.files))
    if not paths:
        print("digit-ocr: there is no image in the folders given", file=sys.stderr)
        return 1
    recogniser = build_recogniser(settings, version)
    failed = 0
    for path in tqdm(paths, unit="image", disable=not sys.stderr.isatty() or len(paths) < 2):
        line = _line(path, recogniser, answer)
        failed += "problem" in line
        print(json.dumps(line), flush=True)
    recogniser.close()
    return 1 if failed else 0


def _line(path: Path, recogniser: Recogniser, answer: Answer) -> dict[str, Any]:
    from app.api.problems import problem_of

    try:
        data = path.read_bytes()
    except OSError as error:
        problem = {"title": "Unreadable file", "detail": f"{path} cannot be read: {error.strerror}."}
        return {"file": str(path), "problem": problem}
    try:
        return {"file": str(path), **answer(recogniser, data)}
    except OcrError as error:
        problem = problem_of(error, "")[0].model_dump(mode="json", exclude={"request_id"})
        return {"file": str(path), "problem": problem}


def _image_files(given: Sequence[Path]) -> Iterator[Path]:
    """Files as they are given; of folders, every image in them, in order of their names."""
    for path in given:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.suffix.lower() in _IMAGE_SUFFIXES and p.is_file())
        else:
            yield path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="digit-ocr",
        description="Reads digits from images.",
        epilog="Settings are environment variables, DIGIT_OCR_*; the README lists them.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="serve the HTTP API")
    commands.add_parser("model", help="print the manifest of the model that would be served")
    for name, what in (("read", "read the numbers of images"), ("predict", "tell the one digit of images")):
        command = commands.add_parser(name, help=f"{what}; one JSON line a file on stdout")
        command.add_argument("files", nargs="+", type=Path, metavar="FILE|DIR")
        command.add_argument("--polarity", type=Polarity, choices=list(Polarity), default=Polarity.AUTO)
        command.add_argument("--min-confidence", type=_share, metavar="0..1", help="the model's own by default")
        if name == "predict":
            command.add_argument("--explain", action="store_true", help="tell where in it the digit was seen")
        else:
            command.add_argument("--expected-length", type=at_least_one, metavar="N", help="how many digits: a hint")
    return parser


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def at_least_one(text: str) -> int:
    """An argument that is a count. Raises ArgumentTypeError where it is 0 or less."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return value


if __name__ == "__main__":
    sys.exit(main())
