"""The networks as they are served, untrained ones of the right and of wrong shapes, and how `.keras` becomes them."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from app.alignment import BLANK
from app.classifier import LINE_WIDTHS, GlyphClassifier, LineReader
from app.conversion import flat_buffer, flat_buffer_of
from app.errors import ModelMismatch
from app.imaging.glyph import network_input
from app.imaging.line import COLUMN_WIDTH, LINE_HEIGHT, MOST_WIDTH, STEP_WIDTH
from app.manifest import ModelVersion
from training.lines.config import ReaderSize
from training.lines.network import line_reader
from training.lines.stream import reader_input
from training.model import digit_network

SOURCE = Path("model.tflite")


def test_any_number_of_glyphs_is_read_as_the_network_reads_it() -> None:
    network = digit_network()
    classifier = GlyphClassifier(flat_buffer(network), SOURCE)
    random = np.random.default_rng(1)
    for count in (1, 2, 1, 33, 200, 3):
        glyphs = random.integers(0, 256, (count, 28, 28)).astype(np.uint8)
        logits = classifier.logits(glyphs)
        assert logits.shape == (count, 11)
        np.testing.assert_allclose(logits, np.asarray(network(network_input(glyphs), training=False)), atol=1e-3)


def test_every_width_is_read_as_the_network_reads_it(tmp_path: Path) -> None:
    line_reader(ReaderSize()).save(tmp_path / "reader.keras")
    reader = LineReader(flat_buffer_of(tmp_path / "reader.keras", threads=2), SOURCE)
    network = keras.saving.load_model(tmp_path / "reader.keras", compile=False)
    random = np.random.default_rng(1)
    for width, count in ((64, 1), (160, 3), (1024, 6), (64, 2)):
        lines = random.integers(0, 256, (count, LINE_HEIGHT, width)).astype(np.uint8)
        logits = reader.logits(lines)
        assert logits.shape == (count, width // STEP_WIDTH, BLANK + 1)
        np.testing.assert_allclose(logits, np.asarray(network(reader_input(lines), training=False)), atol=1e-3)


def test_widths_are_those_that_lines_have() -> None:
    assert LINE_WIDTHS[-1] == MOST_WIDTH
    assert all(width % COLUMN_WIDTH == 0 for width in LINE_WIDTHS)


def test_the_released_networks_are_those_of_their_keras_files(version: ModelVersion) -> None:
    random = np.random.default_rng(2)
    glyphs = random.integers(0, 256, (4, 28, 28)).astype(np.uint8)
    lines = random.integers(0, 256, (2, LINE_HEIGHT, 96)).astype(np.uint8)
    for kind, files, images in (
        (GlyphClassifier, version.files, glyphs),
        (LineReader, version.reader_files, lines),
        (LineReader, version.second_reader_files, lines),
    ):
        released = kind(files.served.read_bytes(), files.served).logits(images)
        loaded = kind(flat_buffer_of(files.keras, threads=2, dynamic=True), files.keras).logits(images)
        np.testing.assert_allclose(released, loaded, atol=1e-4)
    floats = GlyphClassifier(version.files.tflite.read_bytes(), version.files.tflite).logits(glyphs)
    loaded = GlyphClassifier(flat_buffer_of(version.files.keras, threads=2), version.files.keras).logits(glyphs)
    np.testing.assert_allclose(floats, loaded, atol=1e-4)


def test_what_is_served_says_the_same_of_an_image_whatever_is_beside_it(version: ModelVersion) -> None:
    random = np.random.default_rng(3)
    glyphs = (random.integers(0, 256, (5, 28, 28)) // np.array([1, 2, 4, 9, 50]).reshape(5, 1, 1)).astype(np.uint8)
    lines = (random.integers(0, 256, (3, LINE_HEIGHT, 96)) // np.array([1, 5, 50]).reshape(3, 1, 1)).astype(np.uint8)
    for kind, files, images in ((GlyphClassifier, version.files, glyphs), (LineReader, version.reader_files, lines)):
        served = kind(files.served.read_bytes(), files.served)
        alone = np.concatenate([served.logits(images[index : index + 1]) for index in range(len(images))])
        np.testing.assert_allclose(served.logits(images), alone, atol=1e-4)


def test_a_conversion_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """At each start of the keras engine, a warning of no use to an operator was in the log."""
    flat_buffer(digit_network())
    assert not caplog.records


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.keras"
    damaged.write_bytes(b"PK no more")
    with pytest.raises(ModelMismatch, match=r"damaged\.keras does not load"):
        flat_buffer_of(damaged, threads=1)
    with pytest.raises(ModelMismatch, match=r"model\.tflite is no flat buffer"):
        GlyphClassifier(b"no flat buffer", SOURCE)


def test_a_network_of_another_shape_is_refused() -> None:
    nine = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(9)])
    large = keras.Sequential([keras.Input((32, 32, 1)), layers.Flatten(), layers.Dense(11)])
    with pytest.raises(ModelMismatch, match="11 logits a glyph"):
        GlyphClassifier(flat_buffer(nine), SOURCE)
    with pytest.raises(ModelMismatch, match="takes no inputs of the shape"):
        GlyphClassifier(flat_buffer(large), SOURCE)
    with pytest.raises(ModelMismatch, match="takes no inputs of the shape"):
        LineReader(flat_buffer(nine), SOURCE)


def test_a_reader_of_other_steps_is_refused() -> None:
    line = keras.Input((LINE_HEIGHT, None, 1))
    steps = layers.Conv2D(BLANK + 1, (LINE_HEIGHT, 4), strides=(1, 4))(line)
    coarse = keras.Model(line, layers.Reshape((-1, BLANK + 1))(steps))
    with pytest.raises(ModelMismatch, match="for each 2 of them"):
        LineReader(flat_buffer(coarse), SOURCE)
