"""The forerunners' networks are theirs, their data is remade, and a comparison is kept, resumed and shown."""

from __future__ import annotations

import argparse
import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.calibration import LABELS
from app.conversion import flat_buffer
from app.imaging.glyph import PREPROCESSING_VERSION
from app.manifest import KERAS_FILE, MANIFEST_FILE, TFLITE_FILE, Manifest, file_sha256
from training import contest, references
from training.compare import CompareOptions, add_arguments, compare
from training.fonts import find_fonts
from training.model import NETWORKS
from training.printed import CLASS_COUNTS, printed_digits, split
from training.references import SYSTEMS, Shake, System
from training.results import (
    Column,
    Outcome,
    keep_outcome,
    kept_outcome,
    table,
    verdict,
    write_between_markers,
)
from training.results_plot import plot
from training.sets import NO_VIEWS, GlyphSet, ImageSet, Views
from training.stream import Share
from training.train import TrainingFailed
from training.trial import Batches, file_bytes, measured, pool_sample, shaken


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    """A folder with an untrained model, released as digits 0.0.1."""
    folder = tmp_path / "models" / "digits" / "0.0.1"
    folder.mkdir(parents=True)
    network = NETWORKS["reference"]()
    network.save(folder / KERAS_FILE)
    (folder / TFLITE_FILE).write_bytes(flat_buffer(network))
    manifest = Manifest(
        name="digits",
        version="0.0.1",
        created="2026-01-01T00:00:00Z",
        sha256={file: file_sha256(folder / file) for file in (KERAS_FILE, TFLITE_FILE)},
        labels=LABELS,
        preprocessing_version=PREPROCESSING_VERSION,
        parameters=network.count_params(),
        temperature=1.0,
        threshold=0.5,
        training_data=[],
        metrics={},
        libraries={},
    )
    (folder / MANIFEST_FILE).write_text(manifest.model_dump_json())
    return tmp_path / "models"


@pytest.fixture
def options(tmp_path: Path, models_dir: Path, data_dir: Path, fonts_dir: Path) -> CompareOptions:
    """A smoke test on drawn data."""
    config = tmp_path / "tiny.py"
    config.write_text(
        "from training.config import SourcePlan, TrainingConfig\n"
        'config = TrainingConfig(version="0.0.1", sources=(SourcePlan("MNIST", copies=1, weight=1.0),))\n'
    )
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    folders = ["--models-dir", models_dir, "--data-dir", data_dir, "--fonts-dir", fonts_dir, "--runs-dir", tmp_path]
    given = [*map(str, folders), "--config", str(config), "--quick", "--processes", "1", "--accept-changed-data"]
    return CompareOptions(**vars(parser.parse_args(given)))


def an_outcome(accuracy: float, own_test: float | None = None, seconds: float | None = 60.0) -> Outcome:
    sets = {
        "A": {"n": 2000, "accuracy": accuracy, "macro_f1": accuracy - 0.01},
        "B": {"n": 10, "accuracy": accuracy / 2, "macro_f1": accuracy / 2},
    }
    return Outcome("f", 118_154, 2048, seconds, None if seconds is None else 500, own_test, sets)


def some_columns() -> list[Column]:
    first = (an_outcome(0.90, own_test=0.96), an_outcome(0.92, own_test=0.98))
    return [
        Column("first", "first", False, "97.7", first, 0.5),
        Column("first", "first, our pool", False, "–", (an_outcome(0.95),), 0.5),
        Column("ours", "digits 1.0.0", True, "–", (an_outcome(0.99, seconds=None),), 0.25),
    ]


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.key)
def test_every_network_is_the_one_that_its_author_describes(system: System) -> None:
    network = system.network()
    assert network.count_params() == system.parameters
    assert np.asarray(network(np.zeros((3, 28, 28, 1), np.float32))).shape == (3, 10)
    assert 4 * system.parameters < file_bytes(system) < 4 * system.parameters + 150_000


def test_the_885_image_project_has_its_118154_parameters() -> None:
    assert SYSTEMS[0].parameters == 118_154
    assert sum(CLASS_COUNTS) == 885


def test_the_remade_set_has_the_class_counts_and_is_a_function_of_its_seed(fonts_dir: Path) -> None:
    fonts = find_fonts(fonts_dir)
    digits = printed_digits(fonts, 3)
    assert tuple(np.bincount(digits.labels)) == CLASS_COUNTS
    assert digits.glyphs.shape == (885, 28, 28)
    again, other = printed_digits(fonts, 3), printed_digits(fonts, 4)
    assert np.array_equal(digits.glyphs, again.glyphs)
    assert np.array_equal(digits.labels, again.labels)
    assert not np.array_equal(digits.labels, other.labels)
    parts = split(digits)
    assert [len(parts.train), len(parts.validation), len(parts.test)] == [718, 79, 88]


def test_a_shake_moves_a_glyph_within_its_bounds() -> None:
    glyphs = np.zeros((50, 28, 28), np.uint8)
    glyphs[:, 10:18, 10:18] = 255
    assert np.array_equal(shaken(glyphs, Shake(0, 0, 0, 0), np.random.default_rng(1)), glyphs)
    moved = shaken(glyphs, Shake(), np.random.default_rng(1))
    assert len({glyph.tobytes() for glyph in moved}) == 50
    rows = moved.astype(float).sum(axis=2) @ np.arange(28) / moved.sum(axis=(1, 2))
    assert np.abs(rows - 13.5).max() <= 0.1 * 28 + 0.5


def test_an_epoch_has_every_glyph_once_in_an_order_of_its_own() -> None:
    glyphs = GlyphSet(np.zeros((10, 28, 28), np.uint8), np.arange(10, dtype=np.uint8))
    batches = Batches(glyphs, 4, seed=1)
    orders = []
    for _ in range(2):
        batches.on_epoch_begin()
        orders.append([int(label) for index in range(len(batches)) for label in batches[index][1]])
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(10))
    assert orders[0] != orders[1]


def test_the_sample_is_balanced_by_part_and_class_and_has_digits_alone() -> None:
    def part(*labels: int) -> GlyphSet:
        return GlyphSet(np.zeros((len(labels), 28, 28), np.uint8), np.array(labels, np.uint8))

    shares = [Share("a", part(0, 0, 0, 1), 3.0), Share("b", part(2, 10), 1.0), Share("none", part(10, 10), 5.0)]
    sample = pool_sample(shares, 8_000, seed=1)
    assert len(sample) == 8_000
    assert np.bincount(sample.labels) / 8_000 == pytest.approx([0.375, 0.375, 0.25], abs=0.02)


def test_the_answer_is_the_best_of_ten_digits() -> None:
    class Sure:
        """Sees no digit anywhere, and after that a 3."""

        def predict(self, inputs: np.ndarray, **_: object) -> np.ndarray:
            logits = np.zeros((len(inputs), 11), np.float32)
            logits[:, 3], logits[:, 10] = 1, 9
            return logits

    labels = np.array([3, 3, 3, 5], np.uint8)
    threes = ImageSet.of_glyphs(GlyphSet(np.zeros((4, 28, 28), np.uint8), labels))
    figures = measured(Sure(), {"threes": threes})["threes"]
    assert figures == {"n": 4, "accuracy": 0.75, "macro_f1": pytest.approx((6 / 7 + 0) / 2)}


@pytest.mark.parametrize(("temperature", "right"), [(1.0, 0.0), (4.0, 1.0)])
def test_what_is_seen_of_an_image_is_weighed_as_the_model_is_calibrated(temperature: float, right: float) -> None:
    """Ours was measured as if its temperature were 1."""

    class Torn:
        def predict(self, glyphs: NDArray[np.float32], **_: object) -> NDArray[np.float32]:
            logits = np.zeros((len(glyphs), len(LABELS)), np.float32)
            logits[0, 3], logits[1, 5] = 1.5, 2.3  # under the likelier polarity, and under the other
            return logits

    views = Views(np.zeros((2, 28, 28), np.uint8), np.zeros(2, bool), np.zeros(2, np.int32))
    three = ImageSet(np.array([3], np.uint8), views, NO_VIEWS)
    assert measured(Torn(), {"a three": three}, temperature)["a three"]["accuracy"] == right


def test_the_table_has_means_over_the_seeds_and_the_best_in_bold() -> None:
    lines = table(some_columns()).splitlines()
    assert lines[:2] == ["|  | first | first, our pool | digits 1.0.0 |", "|---|---:|---:|---:|"]
    assert "| A, 2,000, % | 91.00 | 95.00 | **99.00** |" in lines
    assert "| **mean of the sets**, % | 68.25 | 71.25 | **74.25** |" in lines
    assert "| author's kind of test, % | 97.00 | – | – |" in lines
    assert "| parameters | 118,154 | 118,154 | 118,154 |" in lines
    assert "| `.keras` file, KiB | 2 | 2 | 2 |" in lines
    assert "| training time, s | 60 | 60 | – |" in lines
    assert "| trainings (seeds) | 2 | 1 | 1 |" in lines


def test_the_verdict_names_the_sets_on_which_ours_is_not_the_best() -> None:
    columns = some_columns()
    assert verdict(columns) == "digits 1.0.0 is more accurate than every other on 2 of 2 sets."
    better = an_outcome(0.99)
    columns[1] = dataclasses.replace(columns[1], outcomes=(better,))
    assert verdict(columns).endswith(
        "on 0 of 2 sets; not on A (1,980 right of 2,000; first, our pool: 1,980), "
        "B (5 right of 10; first, our pool: 5)."
    )


def test_means_that_are_no_whole_digits_are_told_with_their_tenths() -> None:
    columns = some_columns()
    columns[1] = dataclasses.replace(columns[1], outcomes=(an_outcome(0.99), an_outcome(0.9995)))
    assert "A (1,980 right of 2,000; first, our pool: 1,989.5)" in verdict(columns)


@pytest.mark.parametrize(("seeds", "repeats"), [(3, 2), (1, 2)])
def test_all_networks_are_trained_once_before_any_is_again(seeds: int, repeats: int) -> None:
    scale = contest.Scale(samples=10, seeds=seeds, repeats=repeats)
    jobs = list(contest._jobs((SYSTEMS[0], SYSTEMS[3]), scale))
    assert [job.seed for job in jobs] == sorted(job.seed for job in jobs)
    counts = Counter((job.system.key, job.data) for job in jobs)
    assert counts == {
        ("printed", contest.OWN): seeds,
        ("printed", contest.POOL): repeats,
        ("dense", contest.OWN): repeats,
        ("dense", contest.POOL): repeats,
    }


def test_what_is_outside_the_markers_stays(tmp_path: Path) -> None:
    path = tmp_path / "RESULTS.md"
    write_between_markers(path, "old figures")
    path.write_text(f"Before.\n\n{path.read_text()}\nAfter.\n")
    write_between_markers(path, "new figures")
    text = path.read_text()
    assert text.startswith("Before.")
    assert text.endswith("After.\n")
    assert "new figures" in text
    assert "old figures" not in text


def test_an_outcome_is_kept_for_its_fingerprint_alone(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "a.json"
    assert kept_outcome(path, "f") is None
    outcome = an_outcome(0.9)
    keep_outcome(path, outcome)
    assert kept_outcome(path, "f") == outcome
    assert kept_outcome(path, "g") is None
    path.write_text("{")
    assert kept_outcome(path, "f") is None


def test_the_plot_is_a_small_png(tmp_path: Path) -> None:
    plot(some_columns(), tmp_path / "RESULTS.png")
    with Image.open(tmp_path / "RESULTS.png") as image:
        assert image.format == "PNG"
    assert (tmp_path / "RESULTS.png").stat().st_size <= 100_000


@pytest.mark.timeout(400)  # fourteen trainings
def test_a_comparison_runs_is_shown_and_goes_on_where_it_was_stopped(
    options: CompareOptions, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(references, "SYSTEMS", (SYSTEMS[0], SYSTEMS[3]))
    trained: list[str] = []
    train = contest._outcome

    def counted(job: contest._Job, *rest: object) -> Outcome:
        if len(trained) == 2:
            trained.append("stopped")
            raise KeyboardInterrupt
        trained.append(job.file)
        return train(job, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(contest, "_outcome", counted)
    with pytest.raises(TrainingFailed, match="the same command goes on"):
        compare(options)
    report = compare(options)
    files = ["printed-own-0.json", "printed-pool-0.json", "dense-own-0.json", "dense-pool-0.json"]
    assert trained == [*files[:2], "stopped", *files[2:], "printed-own-1.json"]

    text = report.read_text()
    assert "|  | 885 images | 885 images, our pool | dense 3×500 | dense 3×500, our pool | digits 0.0.1 |" in text
    assert "MNIST test, 50, %" in text
    assert "one glyph, ms" in text
    assert "python -m training compare" in text
    assert report.with_suffix(".png").exists()
    assert "885 images on our pool, seed 0" in capsys.readouterr().out
