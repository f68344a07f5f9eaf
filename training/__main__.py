"""The command line of training: `python -m training train --help`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from app.errors import OcrError
from app.manifest import next_version
from training.config import TrainingConfig


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; 0 where it succeeded, 1 with one line on stderr where it could not."""
    parser = _parser()
    options = vars(parser.parse_args(arguments))
    del options["command"]
    options["version"] = options["version"] or next_version(options["models_dir"], options["name"])
    config = TrainingConfig(**options)
    # TensorFlow takes seconds to import: not before the arguments are known to be right.
    from training.export import refuse_existing
    from training.train import train

    try:
        refuse_existing(config.models_dir / config.name / config.version)
        folder = train(config)
    except OcrError as error:
        print(f"training: {error}", file=sys.stderr)
        return 1
    print(f"published {folder}")
    return 0


def _parser() -> argparse.ArgumentParser:
    defaults = {field.name: field.default for field in fields(TrainingConfig)}
    parser = argparse.ArgumentParser(prog="python -m training", description="Trains the model of digit-ocr.")
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="train, calibrate, evaluate and export one model version")
    train.add_argument("--data-dir", type=Path, help="folder with mnist.npz; without it Keras downloads MNIST")
    train.add_argument("--fonts-dir", type=Path, default=Path("/usr/share/fonts"), help="searched for fonts")
    train.add_argument("--models-dir", type=Path, default=Path("models"), help="where <name>/<version>/ is written")
    train.add_argument("--name", default=defaults["name"])
    train.add_argument("--version", help="of the new model; by default the next one after the highest there is")
    for name in ("seed", "epochs", "patience", "batch_size", "mnist_copies", "font_digits", "non_digits", "processes"):
        flag = "--" + name.replace("_", "-")
        train.add_argument(flag, type=int, default=defaults[name], help=f"default {defaults[name]}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
