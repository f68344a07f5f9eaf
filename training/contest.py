"""The trainings of a comparison, one after another; what is finished is kept and not done again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import keras
import numpy as np

from app.calibration import NON_DIGIT
from app.imaging.glyph import PREPROCESSING_VERSION
from app.manifest import KERAS_FILE, ModelVersion
from training.config import TrainingConfig, told
from training.fonts import Font, find_fonts, split_families
from training.latency import latencies
from training.printed import HeldOut, printed_digits, split
from training.references import PRINTED, System
from training.results import Column, Outcome, keep_outcome, kept_outcome
from training.run import POOL_LAYOUT, Places, pooled_data
from training.sets import GlyphSet, ImageSet
from training.sources import EVALUATION_SOURCES, SOURCES, DataError, Item, read_source
from training.train import TrainingFailed
from training.trial import file_bytes, measured, pool_sample, trained_on_own, trained_on_pool

OWN = "own"
POOL = "pool"
_OURS = "ours"
_EMPTY = GlyphSet(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8))


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is done: `samples` of the pool, trainings with so many `seeds` of the small set, `repeats` of all else.

    `epochs` at most and the first `images` of MNIST and of every evaluation set cut a smoke test short.
    """

    samples: int
    seeds: int
    repeats: int
    epochs: int | None = None
    images: int | None = None

    @classmethod
    def quick(cls) -> Scale:
        """Enough to see that everything runs."""
        return cls(samples=2_000, seeds=2, repeats=1, epochs=1, images=500)


@dataclass(frozen=True, slots=True)
class _Inputs:
    fonts: list[Font]
    mnist: HeldOut
    sample: GlyphSet
    evaluation: dict[str, ImageSet]


@dataclass(frozen=True, slots=True)
class _Job:
    system: System
    data: str
    seed: int

    @property
    def file(self) -> str:
        return f"{self.system.key}-{self.data}-{self.seed}.json"


def contested(
    systems: Sequence[System],
    config: TrainingConfig,
    scale: Scale,
    places: Places,
    kept: Path,
    released: ModelVersion,
    processes: int,
) -> list[Column]:
    """All systems, trained and measured, and after them the released version, measured.

    `kept` is the folder of what is finished; `places` has the pool of the configuration's run.

    Raises DataError, NoFonts or ConfigError before anything is trained, TrainingFailed where it is stopped.
    """
    prints = {job: _fingerprint(config, scale, job.system.recipe, job.data, job.seed) for job in _jobs(systems, scale)}
    print_of_ours = _fingerprint(config, scale, [released.manifest.sha256[KERAS_FILE], released.manifest.temperature])
    outcomes = {job: kept_outcome(kept / job.file, mark) for job, mark in prints.items()}
    ours = kept_outcome(kept / f"{_OURS}.json", print_of_ours)
    pending = [job for job, outcome in outcomes.items() if outcome is None]
    try:
        if pending or ours is None:
            inputs = _inputs(config, scale, places, processes)
            ours = ours or _measured_release(released, inputs, print_of_ours)
            keep_outcome(kept / f"{_OURS}.json", ours)
            for done, job in enumerate(pending, 1):
                outcome = _outcome(job, scale, inputs, prints[job])
                outcomes[job] = outcome
                keep_outcome(kept / job.file, outcome)
                keras.backend.clear_session()
                print(_progress(job, outcome, f"{done + len(prints) - len(pending)}/{len(prints)}"), flush=True)
        milliseconds = latencies({system.key: system.network for system in systems}, {_OURS: released.files.keras})
    except KeyboardInterrupt:
        raise TrainingFailed(f"Stopped; the same command goes on after what is finished, in {kept}.") from None
    assert ours is not None  # noqa: S101  # measured above, where it was not kept
    columns = []
    for system in systems:
        for data, suffix in ((OWN, ""), (POOL, ", our pool")):
            of_both = [outcome for job, outcome in outcomes.items() if (job.system, job.data) == (system, data)]
            found = tuple(outcome for outcome in of_both if outcome is not None)
            title = system.title + suffix
            reported = system.reported if data == OWN else "–"
            columns.append(Column(system.key, title, False, reported, found, milliseconds[system.key]))
    title = f"{released.manifest.name} {released.manifest.version}"
    return [*columns, Column(_OURS, title, True, "–", (ours,), milliseconds[_OURS])]


def reduced(config: TrainingConfig) -> TrainingConfig:
    """A configuration whose pool is drawn in seconds."""
    few = [plan for plan in config.sources if plan.name in ("optdigits", "semeion")] or config.sources[:1]
    return replace(
        config,
        sources=tuple(replace(plan, copies=1, plain=False) for plan in few),
        font_digits=1_000,
        drawn_digits=100,
        non_digits=100,
        held_out_font_digits=300,
        held_out_non_digits=20,
    )


def _jobs(systems: Sequence[System], scale: Scale) -> Iterator[_Job]:
    """Everything once, then everything again, so that a comparison that is stopped has each system."""
    for seed in range(max(scale.seeds, scale.repeats)):
        for system in systems:
            if seed < (scale.seeds if system.own_data == PRINTED else scale.repeats):
                yield _Job(system, OWN, seed)
            if seed < scale.repeats:
                yield _Job(system, POOL, seed)


def _fingerprint(config: TrainingConfig, scale: Scale, *of: object) -> str:
    parts = [told(config), asdict(replace(scale, seeds=0, repeats=0)), PREPROCESSING_VERSION, POOL_LAYOUT, *of]
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()


def _inputs(config: TrainingConfig, scale: Scale, places: Places, processes: int) -> _Inputs:
    mnist = _mnist(places, scale.images)
    fonts, _ = split_families(find_fonts(places.fonts_dir), config.held_out_families)
    run_dir = places.run_dir(config)
    print(f"The pool is taken from {run_dir}, or drawn there, which takes as long as in a run.", flush=True)
    data = pooled_data(config, places, processes)
    evaluation = {
        name: images.only((images.labels != NON_DIGIT) & (np.arange(len(images)) < (scale.images or len(images))))
        for name, images in data.evaluation.items()
    }
    return _Inputs(
        fonts=fonts,
        mnist=mnist,
        sample=pool_sample(data.shares, scale.samples, config.seed),
        evaluation={name: images for name, images in evaluation.items() if len(images)},
    )


def _mnist(places: Places, images: int | None) -> HeldOut:
    """MNIST as its files have it, less the writers that our evaluation holds out; its test set to measure on."""
    (source,) = (source for source in SOURCES if source.name == "MNIST")
    (test,) = (source for source in EVALUATION_SOURCES if source.name == "MNIST test")
    items, tests = (read_source(one, places.data_dir, places.accept_changed_data)[0] for one in (source, test))
    seen = [item for item in items if not source.held_out(item.group)]
    return HeldOut(_first(_raw(seen), images), _EMPTY, _first(_raw(tests), images))


def _raw(items: list[Item]) -> GlyphSet:
    inks = [item.ink for item in items if item.ink is not None]
    if not inks:
        raise DataError("There is no image in MNIST; fetch it anew.")
    return GlyphSet(np.stack(inks), np.array([item.label for item in items], np.uint8))


def _first(glyphs: GlyphSet, count: int | None) -> GlyphSet:
    return GlyphSet(glyphs.glyphs[:count], glyphs.labels[:count])


def _outcome(job: _Job, scale: Scale, inputs: _Inputs, mark: str) -> Outcome:
    system, test = job.system, None
    if job.data == OWN:
        data = split(printed_digits(inputs.fonts, job.seed)) if system.own_data == PRINTED else inputs.mnist
        epochs = min(system.epochs, scale.epochs or system.epochs)
        trained = trained_on_own(system, data, epochs, job.seed)
        test = measured(trained.network, {"test": ImageSet.of_glyphs(data.test)})["test"]["accuracy"]
    else:
        trained = trained_on_pool(system, inputs.sample, job.seed)
    return Outcome(
        fingerprint=mark,
        parameters=trained.network.count_params(),
        file_bytes=file_bytes(system),
        seconds=trained.seconds,
        samples=trained.samples,
        own_test=test,
        sets=measured(trained.network, inputs.evaluation),
    )


def _measured_release(released: ModelVersion, inputs: _Inputs, mark: str) -> Outcome:
    network = keras.saving.load_model(released.files.keras, compile=False, safe_mode=True)
    size = released.files.keras.stat().st_size
    sets = measured(network, inputs.evaluation, released.manifest.temperature)
    return Outcome(mark, network.count_params(), size, None, None, None, sets)


def _progress(job: _Job, outcome: Outcome, count: str) -> str:
    mean = np.mean([figures["accuracy"] for figures in outcome.sets.values()])
    data = job.system.own_data if job.data == OWN else "our pool"
    return f"[{count}] {job.system.title} on {data}, seed {job.seed}: {mean:.2%} on average, {outcome.seconds:.0f} s"
