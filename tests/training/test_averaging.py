"""Weights between those before a training and those after it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from app.alignment import BLANK
from app.imaging.line import LINE_HEIGHT
from training.averaging import averaged, keep_best_share
from training.config import ConfigError, TrainingConfig
from training.data import TrainingData
from training.lines.config import LinesConfig, ReaderSize
from training.lines.draw import packed_arrays
from training.lines.network import line_reader
from training.lines.pool import LinePools, pooled_lines
from training.lines.stream import reader_input
from training.lines.train import fitted_reader
from training.model import LOGITS, reference_network
from training.sets import GlyphSet, ImageSet
from training.stream import Share
from training.train import fitted_network

SIZE = ReaderSize((4, 6, 8, 10), (1, 1, 1, 1))
GROWING = LinesConfig("1.0.0", size=SIZE, epochs=1, batch_width=480, grows_from="1.0.0")


def _lines(seed: int, count: int = 30) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, LINE_HEIGHT, 48)).astype(np.uint8)


@pytest.fixture
def few_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    """The statistics of averaged weights are measured on a few batches."""
    for module in ("training.train", "training.lines.train"):
        monkeypatch.setattr(f"{module}._STATISTICS", 3)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_weights_are_between_those_before_and_after(share: float) -> None:
    one, other = line_reader(SIZE), line_reader(SIZE)
    before, after = one.get_weights(), other.get_weights()
    averaged(other, before, share, [])
    for low, high, own in zip(before, after, other.get_weights(), strict=True):
        np.testing.assert_allclose(own, (1 - share) * low + share * high, atol=1e-6)


def test_statistics_are_those_of_the_lines() -> None:
    network = line_reader(SIZE, dropout=0.5)
    network.get_layer("stage0_first_normalised").set_weights([np.full(4, v, np.float32) for v in (1, 0, 2, 1)])
    momentum = network.get_layer("stage0_first_normalised").momentum
    lines = _lines(1)
    averaged(network, network.get_weights(), 1.0, [reader_input(lines)] * 260)
    first = keras.Model(network.input, network.get_layer("stage0_first").output)
    seen = np.asarray(first(reader_input(lines), training=False))
    _, _, mean, variance = network.get_layer("stage0_first_normalised").get_weights()
    np.testing.assert_allclose(mean, seen.mean(axis=(0, 1, 2)), rtol=1e-2, atol=1e-3)
    np.testing.assert_allclose(variance, seen.var(axis=(0, 1, 2)), rtol=2e-2)
    assert network.get_layer("stage0_first_normalised").momentum == momentum
    assert next(layer for layer in network.layers if isinstance(layer, keras.layers.Dropout)).rate == 0.5


@pytest.mark.usefixtures("few_statistics")
def test_a_training_keeps_the_share_that_its_configuration_says(tmp_path: Path) -> None:
    drawn = [(line, str(index % 10)) for index, line in enumerate(_lines(2))]
    pools = LinePools(
        *(pooled_lines([packed_arrays(part, LinesConfig("1.0.0").widths)]) for part in (drawn, drawn[:4]))
    )
    smaller = line_reader(SIZE)
    kernel = smaller.get_layer("stage0_first").get_weights()[0]
    changes = []
    for share in (1.0, 0.5):
        config = replace(GROWING, steps=2, learning_rate=0.1, learned_shares=(share,))
        network, kept = fitted_reader(config, pools, tmp_path / str(share), smaller)
        assert kept == share
        changes.append(np.abs(network.get_layer("stage0_first").get_weights()[0] - kernel).max())
    assert changes[0] > 0.01
    assert changes[1] == pytest.approx(changes[0] / 2, rel=0.05)


@pytest.mark.usefixtures("few_statistics")
def test_of_several_shares_the_one_that_reads_validation_best_is_kept(tmp_path: Path) -> None:
    """Trained at a rate that ruins it, a reader that knew all keeps nothing of it."""
    lines = [np.zeros((LINE_HEIGHT, 48), np.uint8) for _ in range(8)]
    drawn = [(line, "") for line in lines]
    pools = LinePools(*(pooled_lines([packed_arrays(drawn, LinesConfig("1.0.0").widths)]) for _ in range(2)))
    knows = line_reader(SIZE)
    kernel, bias = knows.get_layer("last").get_weights()
    bias[BLANK :: BLANK + 1] = 20
    knows.get_layer("last").set_weights([np.zeros_like(kernel), bias])
    wrong = [(line, "7") for line in lines]
    taught = pooled_lines([packed_arrays(wrong, LinesConfig("1.0.0").widths)])
    config = replace(GROWING, steps=30, learning_rate=1.0, learned_shares=(1.0, 0.0))
    network, kept = fitted_reader(config, LinePools(taught, pools.validation), tmp_path, knows)
    assert kept == 0.0
    np.testing.assert_allclose(network.get_layer("last").get_weights()[1], bias, atol=1e-5)


def test_of_several_shares_the_first_that_is_right_most_is_kept() -> None:
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    network.set_weights([np.ones((1, 1), np.float32)])
    before = [np.zeros((1, 1), np.float32)]

    def weight() -> float:
        return float(network.get_weights()[0][0, 0])

    def kept(shares: tuple[float, ...]) -> float:
        network.set_weights([np.ones((1, 1), np.float32)])
        return keep_best_share(network, before, shares, list, lambda: 1 - abs(weight() - 0.5))

    assert kept((1.0, 0.75, 0.25, 0.0)) == weight() == 0.75
    assert kept((0.0, 1.0)) == weight() == 0.0
    assert kept((0.25,)) == weight() == 0.25


@pytest.mark.usefixtures("few_statistics")
def test_a_glyph_network_keeps_the_share_that_its_configuration_says(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    glyphs = GlyphSet(random.integers(0, 256, (44, 28, 28)).astype(np.uint8), (np.arange(44) % 11).astype(np.uint8))
    images = ImageSet.of_glyphs(glyphs)
    data = TrainingData([Share("noise", glyphs, 1.0)], images, {"noise": images}, [])
    config = TrainingConfig("0.0.7", (), batch_size=8, steps=3, epochs=1, learning_rate=0.01, grows_from="0.0.6")
    knows = reference_network(dropout=0)
    kernel = knows.get_layer(LOGITS).get_weights()[0]
    changes = []
    for share in (1.0, 0.5):
        network = fitted_network(replace(config, learned_shares=(share,)), data, tmp_path / str(share), knows)
        changes.append(np.abs(network.get_layer(LOGITS).get_weights()[0] - kernel).max())
    assert changes[0] > 0.01
    assert changes[1] == pytest.approx(changes[0] / 2, rel=0.2)  # both are rounded


def test_shares_that_cannot_be_meant_are_refused() -> None:
    for shares, base in (((), "1.0.0"), ((1.5,), "1.0.0"), ((-0.1, 1.0), "1.0.0"), ((0.5,), None)):
        with pytest.raises(ConfigError, match="learned_shares"):
            TrainingConfig("0.0.7", (), grows_from=base, learned_shares=shares)
