"""Readers of several sizes, and how a larger one grows from a smaller."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import ModelMismatch, ModelNotFound
from app.imaging.line import LINE_HEIGHT
from app.manifest import MANIFEST_FILE, ModelVersion
from training.lines.config import LinesConfig, LinesPlaces, ReaderSize
from training.lines.network import grown, line_reader, size_of
from training.lines.run import run
from training.lines.stream import reader_input
from training.resume import TrainingFailed

SMALL = ReaderSize((4, 6, 8, 10), (1, 2, 1, 2))
LARGER = (
    ReaderSize((4, 6, 8, 16), (1, 2, 1, 2)),
    ReaderSize((4, 6, 8, 10), (1, 2, 3, 4)),
    ReaderSize((5, 7, 9, 11), (2, 3, 2, 3)),
)


def _taught(size: ReaderSize) -> keras.Model:
    """A reader whose weights are all something else than they began with."""
    network = line_reader(size)
    random = np.random.default_rng(3)
    weights: list[NDArray[np.float32]] = network.get_weights()
    network.set_weights([np.abs(own + random.normal(0, 0.2, own.shape)) for own in weights])
    return network


@pytest.mark.parametrize("size", LARGER)
def test_a_grown_reader_says_what_the_smaller_one_says(size: ReaderSize) -> None:
    smaller = _taught(SMALL)
    larger = grown(smaller, size)
    assert larger.count_params() > smaller.count_params()
    lines = reader_input(np.random.default_rng(1).integers(0, 256, (3, LINE_HEIGHT, 52)).astype(np.uint8))
    expected = np.asarray(smaller(lines, training=False))
    np.testing.assert_allclose(np.asarray(larger(lines, training=False)), expected, rtol=1e-4, atol=1e-4)


def test_what_is_fresh_in_a_grown_reader_can_learn() -> None:
    larger = grown(_taught(SMALL), LARGER[2])
    larger.compile(keras.optimizers.SGD(0.1), "mse")
    before = [own.copy() for own in larger.get_weights()]
    lines = np.random.default_rng(1).random((4, LINE_HEIGHT, 24, 1)).astype(np.float32)
    for _ in range(2):  # a residual that weighs nothing learns its weight first
        larger.train_on_batch(lines, np.zeros((4, 12, 11), np.float32))
    for old, new in zip(before, larger.get_weights(), strict=True):
        assert np.isfinite(new).all()
        assert (old != new).any()


@pytest.mark.parametrize("size", [SMALL, *LARGER])
def test_the_size_of_a_reader_is_seen(size: ReaderSize, tmp_path: Path) -> None:
    line_reader(size).save(tmp_path / "reader.keras")
    assert size_of(keras.saving.load_model(tmp_path / "reader.keras", compile=False)) == size


@pytest.mark.parametrize("size", [replace(SMALL, channels=(4, 6, 8, 9)), replace(SMALL, residuals=(0, 2, 1, 2))])
def test_a_reader_does_not_grow_smaller(size: ReaderSize) -> None:
    with pytest.raises(TrainingFailed, match="smaller"):
        grown(line_reader(SMALL), size)


def test_a_run_that_grows_needs_a_released_version_with_a_reader(
    data_dir: Path, fonts_dir: Path, version: ModelVersion, tmp_path: Path
) -> None:
    config = LinesConfig("0.0.7", lines=4, validation_lines=2, evaluation_lines=1, grows_from="1.0.0")
    places = LinesPlaces(data_dir, fonts_dir, tmp_path / "runs", True, tmp_path / "models")
    with pytest.raises(ModelNotFound, match=r"no model version in .*models"):
        run(config, places, 1)
    folder = tmp_path / "models" / "digits" / "1.0.0"
    shutil.copytree(version.folder, folder)
    bare = version.manifest.model_copy(update={"version": "1.0.0", "reader": None, "second_reader": None})
    (folder / MANIFEST_FILE).write_text(bare.model_dump_json())
    for second in (False, True):
        with pytest.raises(ModelMismatch, match="no such line reader"):
            run(replace(config, second=second), places, 1)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("second", [False, True])
def test_a_run_grows_from_the_reader_that_it_names(
    second: bool,
    data_dir: Path,
    fonts_dir: Path,
    version: ModelVersion,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun_with: list[keras.Model] = []

    def stop(*given: Any) -> None:
        begun_with.append(given[-1])
        raise TrainingFailed("enough")

    monkeypatch.setattr("training.lines.run.fitted_reader", stop)
    config = LinesConfig(
        "0.0.8", lines=4, validation_lines=2, evaluation_lines=1, grows_from=version.manifest.version, second=second
    )
    places = LinesPlaces(data_dir, fonts_dir, tmp_path / "runs", True, version.folder.parents[1])
    with pytest.raises(TrainingFailed, match="enough"):
        run(config, places, 1)
    reader = version.manifest.second_reader if second else version.manifest.reader
    assert reader is not None
    assert begun_with[0].count_params() == reader.parameters
