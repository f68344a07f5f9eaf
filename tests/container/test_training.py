"""`docker compose run training`: a new version under models/, which belongs to whom models/ belongs to."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.container.stack import ROOT, Stack, inspected, succeeded

pytestmark = [pytest.mark.container, pytest.mark.timeout(1200)]  # the first of them waits for the build

# A run of seconds, on drawn digits alone.
_CONFIG = """
from training.config import SourcePlan, TrainingConfig

config = TrainingConfig(
    version="0.0.7",
    sources=(SourcePlan("MNIST", copies=1, weight=0.6, plain=True),),
    network="reference",
    font_digits=200,
    drawn_digits=100,
    non_digits=200,
    held_out_font_digits=20,
    held_out_non_digits=20,
    validation_share=0.3,
    steps=150,
    epochs=2,
)
"""


def test_the_image_tells_of_itself_and_needs_no_root(stack: Stack) -> None:
    succeeded(stack.compose("build", "training"))
    image = succeeded(stack.compose("--profile", "training", "config", "--images")).split()
    (name,) = [one for one in image if "training" in one]
    config = inspected(name)["Config"]
    assert config["User"] == "10001:10001"
    assert config["StopSignal"] == "SIGINT"
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert config["Labels"]["org.opencontainers.image.version"] == version


def _write_mnist(path: Path) -> None:
    """Six hundred drawn digits in the place of MNIST's."""
    digits = np.arange(600, dtype=np.uint8) % 10
    images = np.zeros((len(digits), 28, 28), np.uint8)
    for seed, (image, digit) in enumerate(zip(images, digits, strict=True)):
        cv2.putText(image, str(digit), (6 + seed % 3, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.75, 255, 2, cv2.LINE_AA)
    np.savez(path, x_train=images, y_train=digits, x_test=images[:10], y_test=digits[:10])


def test_training_leaves_a_version_that_can_be_served(stack: Stack, tmp_path: Path) -> None:
    data, models = tmp_path / "data", tmp_path / "models"
    data.mkdir()
    models.mkdir()
    _write_mnist(data / "mnist.npz")
    if os.getuid() == 0:  # root would write anywhere; the container has to become this user
        os.chown(models, 1234, 1234)
    mounted = tmp_path / "models.yml"  # in the place of the project's own models/
    mounted.write_text(
        f"services:\n  training: &here\n    volumes: ['{models}:/srv/digit-ocr/models']\n  digit-ocr: *here\n"
    )
    (data / "small.py").write_text(_CONFIG)
    command = ("train", "--config", "/data/small.py", "--accept-changed-data")
    train = ("run", "--rm", "--no-TTY", "--build", "training", *command)
    trained = stack.compose(*train, variables={"DIGIT_OCR_DATA_DIR": str(data)}, override=mounted)
    assert "published models/digits/0.0.7" in succeeded(trained)
    version = models / "digits" / "0.0.7"
    assert {"manifest.json", "model.keras", "model.tflite", "README.md"} <= {path.name for path in version.iterdir()}
    assert {path.stat().st_uid for path in version.rglob("*")} == {models.stat().st_uid}

    served = stack.compose("run", "--rm", "--no-deps", "--no-TTY", "digit-ocr", "model", override=mounted)
    assert '"version": "0.0.7"' in succeeded(served)
