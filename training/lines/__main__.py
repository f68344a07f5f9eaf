"""The command line of training line readers: `python -m training.lines --help`."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from app.errors import OcrError
from app.manifest import next_version, open_version
from training.config import loaded
from training.lines.config import LinesConfig, LinesPlaces

_CONFIG = Path(__file__).parent / "configs" / "lines_1_2_0.py"


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
    places = LinesPlaces(
        options.data_dir, options.fonts_dir, options.runs_dir, options.accept_changed_data, options.models_dir
    )
    config = loaded(options.config, LinesConfig)
    # TensorFlow takes seconds to import: not before the arguments are known to be right.
    from training.lines.run import run

    return f"the reader is in {run(config, places, options.processes)}"


def _publish(options: argparse.Namespace, command: str) -> str:
    base = open_version(options.models_dir, options.name, options.base)
    from training.lines.publish import Role, publish_readers
    from training.resume import TrainingFailed

    if options.run is None and options.second is None:
        raise TrainingFailed("There is nothing to publish; name the folder of a run, with --run, --second or both.")
    version = options.version or next_version(options.models_dir, options.name)
    runs = {role: run for role, run in ((Role.READER, options.run), (Role.SECOND, options.second)) if run is not None}
    return f"published {publish_readers(runs, base, version, command)}"


_COMMANDS = {"train": _train, "publish": _publish}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.lines", description="Trains a line reader of digit-ocr.")
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="compose lines, train, export and measure a reader; or go on with it")
    train.add_argument("--config", type=Path, default=_CONFIG, help=f"by default {_CONFIG.name}")
    train.add_argument("--data-dir", type=Path, required=True, help="folder with the data sets; those there are used")
    train.add_argument("--fonts-dir", type=Path, default=Path("/usr/share/fonts"), help="searched for fonts")
    train.add_argument("--runs-dir", type=Path, default=Path("runs"), help="keeps a run's lines, state and reader")
    train.add_argument("--models-dir", type=Path, default=Path("models"), help="the released versions")
    train.add_argument("--processes", type=int, default=2, help="that compose lines; default 2")
    train.add_argument(
        "--accept-changed-data", action="store_true", help="use data files whose SHA-256 is not the recorded one"
    )
    publish = commands.add_parser("publish", help="a version of the glyph network, and a trained reader with it")
    publish.add_argument("--run", type=Path, help="folder that a training left; without it, the base's reader remains")
    publish.add_argument("--second", type=Path, help="the same of the second reader, asked about unsure lines")
    publish.add_argument("--base", default="latest", help="the version whose glyph network it joins")
    publish.add_argument("--version", help="of the whole; by default the next")
    publish.add_argument("--models-dir", type=Path, default=Path("models"))
    publish.add_argument("--name", default="digits")
    return parser


if __name__ == "__main__":
    sys.exit(main())
