"""Whole runs in seconds: data → network → calibrated, reported, exported version that the service serves."""

from __future__ import annotations

import io
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import h5py
import keras
import numpy as np
import pytest

from app.composition import build_recogniser
from app.errors import ModelNotFound
from app.manifest import open_version
from app.settings import Settings
from tests.samples.draw import pen_number
from training.__main__ import main
from training.config import TrainingConfig
from training.export import VersionExists, publish
from training.finetune import finetune
from training.resume import NoSpace
from training.run import Places, loaded_network, pooled_data, run
from training.train import TrainingFailed


@pytest.mark.timeout(600)  # two trainings, and six conversions
def test_a_run_publishes_a_version_that_the_service_serves_and_that_can_be_taught(
    tiny: TrainingConfig, places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run(tiny, places, 1, "the command")
    version = open_version(places.models_dir, "digits", "latest")
    assert version.folder == folder
    assert {"model.keras", "model.tflite", "model-int8.tflite"} <= set(version.manifest.sha256)
    assert set(version.manifest.sha256) <= {path.name for path in folder.iterdir()}
    weights = h5py.File(io.BytesIO(zipfile.ZipFile(version.files.keras).read("model.weights.h5")))
    assert "layers" in weights
    assert "optimizer" not in weights
    assert {"validation", "MNIST test", "rendered digits"} <= set(version.manifest.metrics)
    assert version.manifest.training_data[0]["sha256"]
    card = (folder / "README.md").read_text()
    for file, least in (("model.tflite", 0.9999), ("model-int8.tflite", 0.999)):
        figures = version.manifest.metrics[file]
        assert figures["agreement"] >= least
        assert f"{file} {figures['milliseconds']:.3f} ms" in card
    dynamic = version.manifest.metrics["model-dynamic.tflite"]["agreement"]
    assert dynamic > 0.9
    assert (version.files.dynamic is not None) == (dynamic >= 0.998)
    assert "digits 0.0.7" in card
    assert "the command" in card
    assert [path.name for path in folder.parent.iterdir()] == ["0.0.7"]

    recogniser = build_recogniser(Settings(model_dir=places.models_dir), version)
    answer = recogniser.predict(cv2.imencode(".png", pen_number("1", 60, 6))[1].tobytes())
    recogniser.close()
    assert sum(answer.probabilities) + answer.non_digit_probability == pytest.approx(1)

    with pytest.raises(VersionExists, match=r"0\.0\.7"):
        run(tiny, places, 1, "the command")

    own = tmp_path / "own"
    for digit in "35":
        (own / digit).mkdir(parents=True)
        for seed in range(12):
            page = pen_number(digit, 50, 5, seed)
            cv2.imwrite(str(own / digit / f"{seed}.png"), 255 - page if seed % 2 else page)
    capsys.readouterr()
    small = {
        "_EPOCHS": 1,
        "_STEPS": 10,
        "_REHEARSED_DIGITS": 100,
        "_REHEARSED_NON_DIGITS": 100,
        "_REHEARSED_DRAWN": 100,
        "_REHEARSED_DISPLAYS": 50,
        "_MEASURED_DIGITS": 40,
        "_MEASURED_DISPLAYS": 40,
        "_MEASURED_NON_DIGITS": 40,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in small.items():
            patch.setattr(f"training.finetune.{name}", value)
        taught = finetune(own, "latest", "0.1.0", places, 1, "the command", "digits")
    assert open_version(places.models_dir, "digits", "latest").folder == taught
    table = capsys.readouterr().out
    assert "| Set | Glyphs | 0.0.7 | 0.1.0 | Won or lost |" in table
    assert "| MNIST test |" in table


def test_a_run_begins_with_what_a_released_version_knows(
    tiny: TrainingConfig, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelNotFound):
        run(replace(tiny, grows_from="1.0.0"), places, 1, "the command")
    assert not list(places.runs_dir.rglob("pool.npz"))
    released = Path("models/digits/1.0.0")
    shutil.copytree(released, places.models_dir / "digits" / "1.0.0")
    begun_with = []

    def stop(*given: Any) -> keras.Model:
        begun_with.append(given[-1])
        raise TrainingFailed("enough")

    monkeypatch.setattr("training.run.fitted_network", stop)
    with pytest.raises(TrainingFailed, match="enough"):
        run(replace(tiny, grows_from="1.0.0"), places, 1, "the command")
    known = loaded_network(open_version(Path("models"), "digits", "1.0.0"))
    for own, weights in zip(begun_with[0].get_weights(), known.get_weights(), strict=True):
        np.testing.assert_array_equal(own, weights)


def test_a_version_is_published_whole_or_not_at_all(tmp_path: Path) -> None:
    def full_disk(folder: Path) -> None:
        (folder / "model.keras").write_bytes(b"half a mod")
        raise OSError(28, "No space left on device")

    with pytest.raises(NoSpace, match="No space left"):
        publish(tmp_path / "digits" / "1.0.0", full_disk)
    assert list((tmp_path / "digits").iterdir()) == []


def test_the_command_says_what_is_missing_before_it_trains(
    tmp_path: Path, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [
        "--data-dir",
        str(tmp_path),
        "--fonts-dir",
        str(places.fonts_dir),
        "--models-dir",
        str(tmp_path / "models"),
    ]
    folders += ["--runs-dir", str(tmp_path / "runs")]
    assert main(["train", *folders]) == 1
    said = capsys.readouterr().err
    assert said.startswith("training: optdigits.npz, semeion.npz, ")
    assert f" are missing in {tmp_path}; " in said
    (tmp_path / "models" / "digits" / "9.0.0").mkdir(parents=True)
    assert main(["train", "--version", "9.0.0", *folders]) == 1
    assert "choose another version" in capsys.readouterr().err
    assert main(["finetune", str(tmp_path / "nowhere"), *folders]) == 1
    assert "manifest.json" in capsys.readouterr().err


def test_other_weights_draw_no_other_glyphs(tiny: TrainingConfig, places: Places) -> None:
    drawn = pooled_data(tiny, places, 1)
    pool = places.run_dir(tiny) / "pool.npz"
    kept = pool.stat().st_mtime_ns
    sources = tuple(replace(plan, weight=plan.weight * 2) for plan in tiny.sources)
    again = pooled_data(replace(tiny, sources=sources, font_weight=0.7), places, 1)
    assert pool.stat().st_mtime_ns == kept
    for before, after in zip(drawn.shares, again.shares, strict=True):
        np.testing.assert_array_equal(before.glyphs.glyphs, after.glyphs.glyphs)
    weights = {share.name: share.weight for share in again.shares}
    assert weights["fonts"] == 0.7
    assert all(weights[plan.name] == plan.weight for plan in sources)
    pooled_data(replace(tiny, font_digits=tiny.font_digits + 10), places, 1)
    assert pool.stat().st_mtime_ns != kept
