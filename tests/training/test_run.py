"""A whole run in seconds: data → network → calibrated, exported version that the service serves."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import cv2
import pytest

from app.composition import build_recogniser
from app.manifest import open_version
from app.settings import Settings
from tests.samples.draw import pen_number
from training.__main__ import main
from training.config import TrainingConfig
from training.export import VersionExists, publish
from training.train import train


def test_a_run_publishes_a_version_that_the_service_serves(tiny: TrainingConfig) -> None:
    folder = train(tiny)
    version = open_version(tiny.models_dir, "digits", "latest")
    assert version.folder == folder
    assert set(version.manifest.sha256) == {"model.keras", "model.tflite"}
    weights = h5py.File(io.BytesIO(zipfile.ZipFile(version.keras_path).read("model.weights.h5")))
    assert "layers" in weights
    assert "optimizer" not in weights
    assert {"validation", "mnist_test", "tflite_parity"} <= set(version.manifest.metrics)
    assert version.manifest.training_data[0]["sha256"]
    card = (folder / "README.md").read_text()
    assert "digits 0.0.7" in card
    assert f"Seed {tiny.seed}" in card
    assert [path.name for path in folder.parent.iterdir()] == ["0.0.7"]

    recogniser = build_recogniser(Settings(model_dir=tiny.models_dir), version)
    answer = recogniser.predict(cv2.imencode(".png", pen_number("1", 60, 6))[1].tobytes())
    recogniser.close()
    assert sum(answer.probabilities) + answer.non_digit_probability == pytest.approx(1)

    with pytest.raises(VersionExists, match=r"0\.0\.7"):
        train(tiny)


def test_a_version_is_published_whole_or_not_at_all(tmp_path: Path) -> None:
    def full_disk(folder: Path) -> None:
        (folder / "model.keras").write_bytes(b"half a mod")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        publish(tmp_path / "digits" / "1.0.0", full_disk)
    assert list((tmp_path / "digits").iterdir()) == []


def test_the_command_says_what_is_missing_before_it_trains(
    tmp_path: Path, fonts_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", "--data-dir", str(tmp_path), "--fonts-dir", str(fonts_dir), "--models-dir", str(tmp_path)]
    assert main(arguments) == 1
    assert "mnist.npz is missing" in capsys.readouterr().err
    (tmp_path / "digits" / "0.1.0").mkdir(parents=True)
    assert main([*arguments, "--version", "0.1.0"]) == 1
    assert "choose another --version" in capsys.readouterr().err
