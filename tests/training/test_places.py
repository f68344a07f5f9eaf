"""Training of the place reader: lines → digits in their places → network → measured, exported, published."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from app.classifier import PlaceClassifier
from app.errors import ModelMismatch
from app.imaging.glyph import network_input
from app.imaging.places import PLACE_VERSION
from app.manifest import ModelVersion, open_version
from training.config import ConfigError, loaded
from training.fonts import find_fonts
from training.lines.__main__ import main
from training.lines.config import LinesPlaces, PlacesConfig
from training.lines.place_run import (
    KERAS_FILE,
    REPORT_FILE,
    TFLITE_FILE,
    PlaceStream,
    fitted_temperature,
    measured,
    run,
)
from training.lines.places import PlaceSet, composed_places, drawn_places
from training.lines.pools import Writers, read_writers
from training.lines.publish import Role, publish_readers
from training.model import place_network
from training.sources import DataError

TINY = PlacesConfig("0.0.7", lines=30, validation_lines=12, batch_size=16, steps=3, epochs=3, calm_epochs=1)


@pytest.fixture(scope="module")
def writers(data_dir: Path, fonts_dir: Path) -> Writers:
    return read_writers(data_dir, find_fonts(fonts_dir), accept_changed=True)


@pytest.fixture
def line_places(data_dir: Path, fonts_dir: Path, tmp_path: Path) -> LinesPlaces:
    return LinesPlaces(data_dir, fonts_dir, tmp_path / "runs", accept_changed_data=True)


def test_a_run_leaves_a_measured_reader_that_is_published(
    line_places: LinesPlaces, version: ModelVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.lines.place_run._MIN_PARITY", 0.0)  # it has learned next to nothing
    folder = run(TINY, line_places, 1)
    report = json.loads((folder / REPORT_FILE).read_text())
    assert report["place_version"] == PLACE_VERSION
    assert report["trained_on"] > TINY.lines / 2
    assert report["metrics"]["n"] > TINY.validation_lines / 2
    network = keras.saving.load_model(folder / KERAS_FILE, compile=False)
    places = np.random.default_rng(1).integers(0, 256, (5, 28, 28, 2)).astype(np.uint8)
    ours = np.asarray(network(network_input(places), training=False))
    served = PlaceClassifier((folder / TFLITE_FILE).read_bytes(), folder / TFLITE_FILE).logits(places)
    assert np.abs(served - ours).max() < 0.05 * np.ptp(ours)

    models = tmp_path / "models"
    shutil.copytree(version.folder, models / "digits" / version.manifest.version)
    base = open_version(models, "digits", "latest")
    publish_readers({Role.PLACES: folder}, base, "99.0.0", "publish --places")
    published = open_version(models, "digits", "latest")
    assert published.manifest.place_reader is not None
    assert published.manifest.place_reader.name == "places 0.0.7"
    assert published.manifest.reader == version.manifest.reader
    card = (published.folder / "README.md").read_text()
    assert card.count("## The place reader\n") == 1
    assert "Made with `publish --places`" in card

    manifest = published.folder / "manifest.json"
    whole = manifest.read_text()
    manifest.write_text(whole.replace(f'"place_version": "{PLACE_VERSION}"', '"place_version": "0"'))
    with pytest.raises(ModelMismatch, match="places of version 0"):
        open_version(models, "digits", "latest")
    manifest.write_text(whole.replace('"place-reader.tflite"', '"other.tflite"'))
    with pytest.raises(ModelMismatch, match=r"names no place-reader\.tflite"):
        open_version(models, "digits", "latest")


def test_digits_are_drawn_once_and_anew_only_where_they_are_damaged(
    line_places: LinesPlaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, validation = drawn_places(TINY, line_places, 2)
    assert len(first) > len(validation) > 0
    folder = line_places.run_dir(TINY) / "places"
    with monkeypatch.context() as finished:
        finished.setattr("training.lines.places.draw_parts", None)  # to draw again would fail
        again, _ = drawn_places(replace(TINY, steps=9, learning_rate=1.0), line_places, 1)
    assert np.array_equal(again.places, first.places)
    assert np.array_equal(again.labels, first.labels)
    (part,) = folder.glob("training-*.npz")
    part.write_bytes(b"PK")
    with pytest.raises(DataError, match="its digits are drawn anew"):
        drawn_places(TINY, line_places, 1)
    part.unlink()
    anew, _ = drawn_places(TINY, line_places, 1)
    assert np.array_equal(anew.places, first.places)
    others, _ = drawn_places(replace(TINY, seed=5), line_places, 1)
    assert not np.array_equal(others.places[:5], first.places[:5])


def test_digits_are_where_lines_show_them(writers: Writers) -> None:
    """A digit's glyph has ink, and its surroundings have some in the middle, whatever the line looks like."""
    for places, text in composed_places(writers, 40, np.random.default_rng(3)):
        assert places.shape == (len(text), 28, 28, 2)
        assert text.isdecimal()
        assert (places[:, :, 8:20].max(axis=(1, 2)) > 60).all()


def digits_set() -> PlaceSet:
    random = np.random.default_rng(2)
    places = random.integers(0, 256, (50, 28, 28, 2)).astype(np.uint8)
    return PlaceSet(places, np.arange(50, dtype=np.uint8) % 10)


def test_batches_depend_on_the_seed_and_on_their_number_alone() -> None:
    stream, other = PlaceStream(digits_set(), TINY), PlaceStream(digits_set(), TINY, done=1)
    inputs, labels = stream[1]
    assert inputs.shape == (16, 28, 28, 2)
    assert inputs.dtype == np.float32
    assert 0 <= inputs.min() < inputs.max() <= 1
    again, _ = stream[1]
    assert np.array_equal(inputs, again)
    stream.on_epoch_begin()
    assert np.array_equal(stream[1][0], other[1][0])
    assert not np.array_equal(stream[1][0], inputs)
    assert len(stream) == TINY.steps
    assert labels.shape == (16,)


def test_the_last_epochs_are_calmer() -> None:
    flat = PlaceSet(np.zeros((4, 28, 28, 2), np.uint8), np.zeros(4, np.uint8))
    flat.places[:, 8:20, 12:16] = 255
    moved = []
    for done in (0, 3):
        stream = PlaceStream(flat, TINY, done)
        moved.append(np.mean([np.abs(stream[index][0] - network_input(flat.places[:1])).mean() for index in range(8)]))
    assert moved[1] < 0.7 * moved[0]


def test_the_temperature_makes_classes_the_likeliest() -> None:
    random = np.random.default_rng(4)
    labels = random.integers(0, 10, 2000).astype(np.uint8)
    logits = random.normal(0, 1, (2000, 10)).astype(np.float32)
    logits[np.arange(2000), labels] += 1.2
    fitted = fitted_temperature(logits, labels)
    assert fitted_temperature(2 * logits, labels) == pytest.approx(2 * fitted, abs=0.1)
    figures = measured(logits, labels, fitted)
    assert figures["n"] == 2000
    assert figures["accuracy"] == np.mean(logits.argmax(axis=1) == labels)
    assert figures["ece"] < measured(4 * logits, labels, fitted)["ece"]


def test_a_configuration_that_cannot_be_meant_is_refused() -> None:
    for wrong in ({"version": "1"}, {"epochs": 0}, {"validation_share": 2.0}, {"precision": "float8"}):
        with pytest.raises(ConfigError):
            replace(TINY, **wrong)


def test_the_committed_configuration_is_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    configs = sorted((Path(__file__).parents[2] / "training" / "lines" / "configs").glob("places_*.py"))
    assert configs
    for path in configs:
        assert loaded(path, PlacesConfig).lines >= 50_000
    assert main(["train-places", "--config", str(tmp_path / "none.py"), "--data-dir", str(tmp_path)]) == 1
    assert "none.py" in capsys.readouterr().err


def test_places_of_another_shape_are_refused() -> None:
    from app.conversion import flat_buffer

    classifier = PlaceClassifier(flat_buffer(place_network()), Path("place-reader.tflite"))
    assert classifier.logits(_places(40)).shape == (40, 10)
    eleven = keras.Sequential([keras.Input((28, 28, 2)), keras.layers.Flatten(), keras.layers.Dense(11)])
    with pytest.raises(ModelMismatch, match="10 logits a place"):
        PlaceClassifier(flat_buffer(eleven), Path("place-reader.tflite"))


def _places(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 256, (count, 28, 28, 2)).astype(np.uint8)
