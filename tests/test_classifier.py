"""The line reader's engine, on an untrained network of the right and of wrong shapes."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from app.alignment import BLANK
from app.classifier import LINE_WIDTHS, KerasLineReader
from app.errors import ModelMismatch
from app.imaging.line import COLUMN_WIDTH, LINE_HEIGHT, MOST_WIDTH, STEP_WIDTH
from training.lines.network import line_reader
from training.lines.stream import reader_input


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("reader") / "reader.keras"
    line_reader().save(file)
    return file


def test_every_width_is_read_as_the_network_reads_it(path: Path) -> None:
    reader = KerasLineReader(path, threads=1)
    network = keras.saving.load_model(path, compile=False)
    random = np.random.default_rng(1)
    for width, count in ((64, 1), (160, 3), (1024, 6)):
        lines = random.integers(0, 256, (count, LINE_HEIGHT, width)).astype(np.uint8)
        logits = reader.logits(lines)
        assert logits.shape == (count, width // STEP_WIDTH, BLANK + 1)
        expected = np.asarray(network(reader_input(lines), training=False))
        np.testing.assert_allclose(logits, expected, atol=1e-3)


def test_widths_are_those_that_lines_have() -> None:
    assert LINE_WIDTHS[-1] == MOST_WIDTH
    assert all(width % COLUMN_WIDTH == 0 for width in LINE_WIDTHS)


def test_a_file_that_is_no_reader_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.keras"
    keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(11)]).save(other)
    with pytest.raises(ModelMismatch, match="lines 32 high"):
        KerasLineReader(other, threads=1)
    (tmp_path / "damaged.keras").write_bytes(b"PK no more")
    with pytest.raises(ModelMismatch, match="does not load"):
        KerasLineReader(tmp_path / "damaged.keras", threads=1)


def test_a_reader_of_other_steps_is_refused(tmp_path: Path) -> None:
    line = keras.Input((LINE_HEIGHT, None, 1))
    steps = layers.Conv2D(BLANK + 1, (LINE_HEIGHT, 4), strides=(1, 4))(line)
    keras.Model(line, layers.Reshape((-1, BLANK + 1))(steps)).save(tmp_path / "coarse.keras")
    with pytest.raises(ModelMismatch, match="half as many"):
        KerasLineReader(tmp_path / "coarse.keras", threads=1)
