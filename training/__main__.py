"""The command line of training: `python -m training --help`."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import OcrError
from app.manifest import ModelVersion, next_version, open_version
from training.compare import CompareOptions, add_arguments, compare
from training.config import load_config

if TYPE_CHECKING:
    from training.run import Places

# The version with the networks, the new one, images with their classes, and the command: the folder that is published.
Publish = Callable[[ModelVersion, str, Callable[[], Iterable[tuple[bytes, int]]], str], Path]

_CONFIGS = Path(__file__).parent / "configs"
# From nothing; and with the most kinds of images.
_FIRST, _NEWEST = _CONFIGS / "digits_1_0_0.py", _CONFIGS / "digits_1_6_0.py"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; 0 where it succeeded, 1 with a message on stderr where it could not, 130 where it was stopped."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(given)
    command = "python -m training " + shlex.join(given)
    try:
        print(f"published {_COMMANDS[options.command](options, command)}")
    except (OcrError, OSError) as error:
        print(f"training: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("training: stopped; the same command goes on from what is kept.", file=sys.stderr)
        return 130
    return 0


def _train(options: argparse.Namespace, command: str) -> Path:
    config = load_config(options.config)
    version = options.version or config.version
    if not options.version and (options.models_dir / config.name / version).exists():
        version = next_version(options.models_dir, config.name)
    config = replace(config, version=version)
    # TensorFlow takes seconds to import: not before the arguments are known to be right.
    from training.run import run

    return run(config, _places(options), options.processes, command, options.images)


def _finetune(options: argparse.Namespace, command: str) -> Path:
    from training.finetune import finetune

    version = options.version or next_version(options.models_dir, options.name)
    return finetune(options.images, options.base, version, _places(options), options.processes, command, options.name)


def _second_look(options: argparse.Namespace, command: str) -> Path:
    from training.second_look import publish_second_look

    return _from_validation(publish_second_look, options, command)


def _quantise(options: argparse.Namespace, command: str) -> Path:
    from training.quantise import publish_quantised

    return _from_validation(publish_quantised, options, command)


def _from_validation(publish: Publish, options: argparse.Namespace, command: str) -> Path:
    """The folder of a version that is made from another one and the images of validation."""
    config = load_config(options.config)
    base = open_version(options.models_dir, config.name, options.base)
    version = options.version or next_version(options.models_dir, config.name)
    from training.validation import validation_images

    def images() -> Iterator[tuple[bytes, int]]:
        return validation_images(config, options.data_dir, options.fonts_dir, options.accept_changed_data)

    return publish(base, version, images, command)


def _places(options: argparse.Namespace) -> Places:
    from training.run import Places

    folders = (options.data_dir, options.fonts_dir, options.models_dir, options.runs_dir)
    return Places(*folders, accept_changed_data=options.accept_changed_data)


def _compare(options: argparse.Namespace, _: str) -> Path:
    values = vars(options)
    del values["command"]
    return compare(CompareOptions(**values))


_COMMANDS = {
    "train": _train,
    "finetune": _finetune,
    "second-look": _second_look,
    "quantise": _quantise,
    "compare": _compare,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description="Trains the model of digit-ocr.")
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="train, calibrate, measure and publish a version from its configuration")
    train.add_argument("--config", type=Path, default=_FIRST, help=f"by default {_FIRST.name}")
    train.add_argument("--data-dir", type=Path, required=True, help="folder with the data sets that it names")
    train.add_argument("--images", type=Path, help="your own images, a folder a class, that join in")
    finetune = commands.add_parser("finetune", help="teach a released version your own images")
    finetune.add_argument("images", type=Path, help="a folder a class: 0/ to 9/, and none/ if wanted")
    finetune.add_argument("--base", default="latest", help="the version to begin with; by default the highest")
    finetune.add_argument("--name", default="digits")
    finetune.add_argument("--data-dir", type=Path, default=Path("data"), help="data sets that are there are rehearsed")
    look = commands.add_parser("second-look", help="weigh what the service sees in a second look, on validation")
    quantise = commands.add_parser("quantise", help="make what is served anew, with weights of 8 bits")
    for command in (look, quantise):
        command.add_argument(
            "--config", type=Path, default=_NEWEST, help=f"whose validation it is; by default {_NEWEST.name}"
        )
        command.add_argument("--base", default="latest", help="the version with the networks; by default the highest")
        command.add_argument(
            "--data-dir", type=Path, required=True, help="folder with the data sets; those there are used"
        )
    for command in (train, finetune, look, quantise):
        command.add_argument("--version", help="of the new model; by default the configuration's, or the next free one")
        command.add_argument("--fonts-dir", type=Path, default=Path("/usr/share/fonts"), help="searched for fonts")
        command.add_argument(
            "--models-dir", type=Path, default=Path("models"), help="where <name>/<version>/ is written"
        )
        command.add_argument(
            "--accept-changed-data", action="store_true", help="use data files whose SHA-256 is not the recorded one"
        )
    for command in (train, finetune):
        command.add_argument("--runs-dir", type=Path, default=Path("runs"), help="keeps a run's state, to go on with")
        command.add_argument("--processes", type=int, default=2, help="that draw glyphs; default 2")
    add_arguments(commands.add_parser("compare", help="train the forerunners' networks, and table them beside ours"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
