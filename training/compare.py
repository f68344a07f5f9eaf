"""`python -m training compare`: the forerunners' networks beside a released model, on the same evaluation sets.

Every network is trained as its author did, and once more on a sample of the pool that our own model learns from. Each
finished training is kept, so that a stopped comparison goes on.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.manifest import open_version
from training.config import load_config
from training.machine import cpu_model

if TYPE_CHECKING:
    from training.contest import Scale
    from training.references import System


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """What a comparison is told; `add_arguments` describes each."""

    config: Path
    data_dir: Path
    fonts_dir: Path
    models_dir: Path
    version: str
    runs_dir: Path
    report: Path | None
    samples: int
    seeds: int
    repeats: int
    processes: int
    quick: bool
    accept_changed_data: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command; `CompareOptions(**vars(...))` takes them, less the command's own name."""
    default = Path("training/configs/digits_1_0_0.py")
    parser.add_argument("--config", type=Path, default=default, help=f"whose pool and sets are used; default {default}")
    parser.add_argument("--data-dir", type=Path, required=True, help="folder of the data sets, mnist.npz among them")
    parser.add_argument("--fonts-dir", type=Path, default=Path("/usr/share/fonts"), help="searched for fonts")
    parser.add_argument("--models-dir", type=Path, default=Path("models"), help="where <name>/<version>/ is")
    parser.add_argument("--version", default="latest", help="the released version that is compared; default latest")
    parser.add_argument("--runs-dir", type=Path, default=Path("runs"), help="has the pool, keeps what is finished")
    parser.add_argument("--report", type=Path, help="default training/RESULTS.md, in the run's folder with --quick")
    parser.add_argument("--samples", type=int, default=400_000, help="glyphs of the pool each is trained on; 400,000")
    parser.add_argument("--seeds", type=int, default=5, help="trainings on 885 printed digits, each anew; default 5")
    parser.add_argument("--repeats", type=int, default=3, help="trainings of each network on all else; default 3")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="draw the pool, if it is not there")
    parser.add_argument("--quick", action="store_true", help="a smoke test of about a minute; its figures say nothing")
    parser.add_argument(
        "--accept-changed-data", action="store_true", help="use data files whose SHA-256 is not the recorded one"
    )


def compare(options: CompareOptions) -> Path:
    """Trains what is not yet trained, and writes the table and, beside it, the plot; returns the table's file.

    Raises ConfigError, ModelNotFound, ModelMismatch, DataError or NoFonts before anything is trained, and
    TrainingFailed where it is stopped.
    """
    config = load_config(options.config)
    released = open_version(options.models_dir, config.name, options.version)
    # TensorFlow takes seconds to import: not before the options are known to be right.
    from training.contest import Scale, contested, reduced
    from training.references import SYSTEMS
    from training.results import table, verdict, write_between_markers
    from training.results_plot import plot
    from training.run import Places

    kept = options.runs_dir / ("compare-quick" if options.quick else "compare")
    report = options.report or (kept / "RESULTS.md" if options.quick else Path("training/RESULTS.md"))
    folders = (options.data_dir, options.fonts_dir, options.models_dir, options.runs_dir)
    places = Places(*folders, accept_changed_data=options.accept_changed_data)
    scale = Scale(samples=options.samples, seeds=options.seeds, repeats=options.repeats)
    if options.quick:
        config, scale, places = reduced(config), Scale.quick(), replace(places, runs_dir=kept)
    columns = contested(SYSTEMS, config, scale, places, kept, released, options.processes)
    picture = report.with_suffix(".png")
    plot(columns, picture)
    shown = f"![% wrong on every set]({picture.name})"
    write_between_markers(
        report, "\n\n".join([verdict(columns), table(columns), shown, _notes(options, scale, SYSTEMS)])
    )
    print(table(columns))
    return report


def _notes(options: CompareOptions, scale: Scale, systems: Sequence[System]) -> str:
    described = "\n".join(
        f"- **{system.title}** – {system.description}. As its author did: {system.own_data}, "
        f"batch {system.batch_size}, {'up to ' if system.patience else ''}{system.epochs} epochs."
        for system in systems
    )
    command = f"python -m training compare --config {options.config.as_posix()} --version {options.version}"
    command += f" --data-dir DATA --samples {options.samples} --seeds {options.seeds} --repeats {options.repeats}"
    command += " --quick" * options.quick
    command += " --accept-changed-data" * options.accept_changed_data
    quick = "**A smoke test: its figures say nothing.**\n\n" if options.quick else ""
    return f"""{quick}{described}

A column without a suffix is trained as its author did. *Our pool* is one pass over the same {scale.samples:,} glyphs
for each, drawn from the pool of the configuration as our own training draws them, with Adam and the batch size of the
author, without the author's augmentation. Ours is the released file, not trained anew. The sets are those of the
configuration: writers, meters, photos and font families that our training has not seen, digits only, through this
service's own imaging path, with paper around where its rules take a digit to be cropped tight; the answer is the best
of the ten digits. Beside a set is its number of digits.

Every column but ours is the mean of several trainings, each from other first weights and in another order. The 885
printed digits are remade for each from fonts of families that the sets do not show, with the counts of that project.
MNIST is without the writers that are held out (6 %). *The author's kind of test*
is 88 of the 885 images, or MNIST's test images as they are. What an author does not state is chosen here: dropout of a
quarter and a patience of 8 for the 885 images, 10 epochs for the dense nets and 5 for the ResNet, and the size of that.

One glyph: the median of 500 calls of a concrete TensorFlow function on one thread, after 50 to warm up. Machine:
{cpu_model()}, {os.cpu_count()} CPUs; {_libraries()}.

```
{command}
```"""


def _libraries() -> str:
    import tensorflow

    keras, numpy = (f"{name} {importlib.metadata.version(name)}" for name in ("keras", "numpy"))
    return f"Python {platform.python_version()}, {keras}, tensorflow {tensorflow.__version__}, {numpy}"
