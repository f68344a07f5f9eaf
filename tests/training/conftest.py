"""Training data that the tests draw themselves, in the files that training reads."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import ImageFont

from app.domain import Polarity
from app.imaging.binarise import find_ink
from app.imaging.glyph import normalise_glyph
from app.imaging.segment import single_digit
from tests.samples.draw import pen_number
from training.config import SourcePlan, TrainingConfig
from training.run import Places


@pytest.fixture(scope="session")
def fonts_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the one font that Pillow carries."""
    folder = tmp_path_factory.mktemp("fonts")
    font = ImageFont.load_default(20)
    assert isinstance(font, ImageFont.FreeTypeFont)
    (folder / "default.ttf").write_bytes(font.font_bytes)
    return folder


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an mnist.npz of 300 drawn digits to train on and 50 to test on."""
    folder = tmp_path_factory.mktemp("data")
    labels = np.arange(350) % 10
    images = []
    for seed, label in enumerate(labels):
        page = pen_number(str(label), 60, 3 + seed % 6, seed)
        candidate = single_digit(find_ink(page, Polarity.DARK_ON_LIGHT))
        assert candidate is not None
        images.append(cv2.GaussianBlur(normalise_glyph(candidate.ink), (3, 3), 0.4))
    stack, digits = np.stack(images).astype(np.uint8), labels.astype(np.uint8)
    np.savez(folder / "mnist.npz", x_train=stack[:300], y_train=digits[:300], x_test=stack[300:], y_test=digits[300:])
    return folder


@pytest.fixture
def places(data_dir: Path, fonts_dir: Path, tmp_path: Path) -> Places:
    """Where a test's run reads and writes."""
    return Places(data_dir, fonts_dir, tmp_path / "models", tmp_path / "runs", accept_changed_data=True)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> TrainingConfig:
    """A run of seconds."""
    for name, count in {"FONT_DIGITS": 100, "NON_DIGITS": 60, "DISPLAY_DIGITS": 40}.items():
        monkeypatch.setattr(f"training.data.VALIDATION_{name}", count)
    return TrainingConfig(
        version="0.0.7",
        sources=(SourcePlan("MNIST", copies=2, weight=0.6, plain=True),),
        network="reference",
        font_digits=300,
        font_weight=0.2,
        drawn_digits=100,
        non_digits=200,
        non_digit_weight=0.2,
        held_out_font_digits=40,
        held_out_non_digits=40,
        validation_share=0.3,
        batch_size=32,
        steps=60,
        epochs=3,
        learning_rate=3e-3,
    )
