"""The command line of training readers of lines: `python -m training.lines --help`."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from app.errors import OcrError
from app.manifest import next_version, open_version
from training.config import loaded
from training.lines.config import LinesConfig, LinesPlaces, PlacesConfig

_CONFIG = Path(__file__).parent / "configs" / "lines_1_2_0.py"
_PLACES_CONFIG = Path(__file__).parent / "configs" / "places_1_16_0.py"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; 0 where it succeeded, 1 with a message on stderr where it could not, 130 where it was stopped."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(given)
    try:
        print(_COMMANDS[options.command](options, "python -m training.lines " + shlex.join(given)))
    except (OcrError, OSError) as error:
        print(f"training.lines: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("training.lines: stopped; the same command goes on from what is kept.", file=sys.stderr)
        return 130
    return 0


def _train(options: argparse.Namespace, _: str) -> str:
    places = _places(options)
    config = loaded(options.config, LinesConfig)
    # TensorFlow takes seconds to import: not before the arguments are known to be right.
    from training.lines.run import run

    return f"the reader is in {run(config, places, options.processes)}"


def _train_places(options: argparse.Namespace, _: str) -> str:
    places = _places(options)
    config = loaded(options.config, PlacesConfig)
    from training.lines.place_run import run

    return f"the place reader is in {run(config, places, options.processes)}"


def _places(options: argparse.Namespace) -> LinesPlaces:
    return LinesPlaces(
        options.data_dir, options.fonts_dir, options.runs_dir, options.accept_changed_data, options.models_dir
    )


def _publish(options: argparse.Namespace, command: str) -> str:
    base = open_version(options.models_dir, options.name, options.base)
    from training.lines.publish import Role, publish_readers
    from training.resume import TrainingFailed

    named = {Role.READER: options.run, Role.SECOND: options.second, Role.PLACES: options.places}
    runs = {role: run for role, run in named.items() if run is not None}
    if not runs:
        raise TrainingFailed("There is nothing to publish; name folders of runs, with --run, --second or --places.")
    version = options.version or next_version(options.models_dir, options.name)
    return f"published {publish_readers(runs, base, version, command)}"


_COMMANDS = {"train": _train, "train-places": _train_places, "publish": _publish}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.lines", description="Trains a line reader of digit-ocr.")
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="compose lines, train, export and measure a reader; or go on with it")
    _add_training_options(train, _CONFIG)
    places = commands.add_parser("train-places", help="the same with a place reader, which learns the lines' digits")
    _add_training_options(places, _PLACES_CONFIG)
    publish = commands.add_parser("publish", help="a version of the glyph network, and a trained reader with it")
    publish.add_argument("--run", type=Path, help="folder that a training left; without it, the base's reader remains")
    publish.add_argument("--second", type=Path, help="the same of the second reader, asked about unsure lines")
    publish.add_argument("--places", type=Path, help="the same of the place reader, asked about digits in doubt")
    publish.add_argument("--base", default="latest", help="the version whose glyph network it joins")
    publish.add_argument("--version", help="of the whole; by default the next")
    publish.add_argument("--models-dir", type=Path, default=Path("models"))
    publish.add_argument("--name", default="digits")
    return parser


def _add_training_options(parser: argparse.ArgumentParser, config: Path) -> None:
    parser.add_argument("--config", type=Path, default=config, help=f"by default {config.name}")
    parser.add_argument("--data-dir", type=Path, required=True, help="folder with the data sets; those there are used")
    parser.add_argument("--fonts-dir", type=Path, default=Path("/usr/share/fonts"), help="searched for fonts")
    parser.add_argument("--runs-dir", type=Path, default=Path("runs"), help="keeps a run's lines, state and reader")
    parser.add_argument("--models-dir", type=Path, default=Path("models"), help="the released versions")
    parser.add_argument("--processes", type=int, default=2, help="that compose lines; default 2")
    parser.add_argument(
        "--accept-changed-data", action="store_true", help="use data files whose SHA-256 is not the recorded one"
    )


if __name__ == "__main__":
    sys.exit(main())
