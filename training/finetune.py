"""A released version, taught a user's own images: the next version, and what it won and lost."""

from __future__ import annotations

import time
from pathlib import Path

from app.manifest import open_version
from training.config import SourcePlan, TrainingConfig
from training.evaluate import SetReport
from training.export import refuse_to_start
from training.own import read_own
from training.run import Places, loaded_network, measure, pooled_data, publish_version
from training.sources import SOURCES
from training.train import fitted_network, learning_curves

_EPOCHS = 6
_STEPS = 400
_LEARNING_RATE = 3e-4
_REHEARSED_DIGITS = 20_000
_REHEARSED_DRAWN = 5_000
_REHEARSED_DISPLAYS = 5_000
_REHEARSED_NON_DIGITS = 10_000
_DISPLAY_WEIGHT = 0.05
# How many digits of fonts and of displays, and how much that is no digit, it is measured on.
_MEASURED_DIGITS, _MEASURED_DISPLAYS, _MEASURED_NON_DIGITS = 5_000, 2_000, 3_000


def finetune(own: Path, base: str, version: str, places: Places, processes: int, command: str, name: str) -> Path:
    """Trains a released version on a user's images, and publishes `version`, whose folder is returned.

    Digits of fonts and of displays, non-digits and every known data set that lies in `places.data_dir` are rehearsed,
    so that what was learnt is not forgotten; the table printed at the end tells, for every set, what was won and lost.
    Raises what `run` raises, and ModelNotFound or ModelMismatch for the base.
    """
    start = open_version(places.models_dir, name, base)
    config = _config(name, version, places.data_dir)
    folder = places.models_dir / name / version
    refuse_to_start(folder, folder.parent, places.run_dir(config))
    read_own(own)
    started = time.monotonic()
    data = pooled_data(config, places, processes, own)
    network = loaded_network(start)
    before = measure(network, data, config)
    run_dir = places.run_dir(config)
    after = measure(fitted_network(config, data, run_dir, network), data, config)
    print(won_and_lost(before.reports, after.reports, start.manifest.version, version), flush=True)
    curves = learning_curves(run_dir)
    return publish_version(config, places, data, after, curves, command, time.monotonic() - started)


def won_and_lost(before: dict[str, SetReport], after: dict[str, SetReport], old_version: str, new_version: str) -> str:
    """A Markdown table of the accuracy on every set, before and after, and the glyphs won (+) or lost (−)."""
    lines = [f"| Set | Glyphs | {old_version} | {new_version} | Won or lost |", "|---|---|---|---|---|"]
    for name, report in after.items():
        old = before[name]
        change = round((report.accuracy - old.accuracy) * report.n)
        lines.append(f"| {name} | {report.n:,} | {old.accuracy:.2%} | {report.accuracy:.2%} | {change:+,} |")
    return "\n".join(lines)


def _config(name: str, version: str, data_dir: Path) -> TrainingConfig:
    """A short run at a low rate; each known data set that is there, once over."""
    present = [source for source in SOURCES if (data_dir / source.file).exists()]
    return TrainingConfig(
        name=name,
        version=version,
        sources=tuple(SourcePlan(source.name, copies=1, weight=0.75 / len(present)) for source in present),
        font_digits=_REHEARSED_DIGITS,
        drawn_digits=_REHEARSED_DRAWN,
        display_digits=_REHEARSED_DISPLAYS,
        display_weight=_DISPLAY_WEIGHT,
        non_digits=_REHEARSED_NON_DIGITS,
        held_out_font_digits=_MEASURED_DIGITS,
        held_out_display_digits=_MEASURED_DISPLAYS,
        held_out_non_digits=_MEASURED_NON_DIGITS,
        epochs=_EPOCHS,
        steps=_STEPS,
        learning_rate=_LEARNING_RATE,
    )
