"""Training in bfloat16: what is fitted computes in float32."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from app.calibration import NON_DIGIT
from app.imaging.glyph import network_input
from training.config import TrainingConfig
from training.data import TrainingData
from training.model import LOGITS, digit_network
from training.precision import computing_in
from training.sets import GlyphSet, ImageSet
from training.stream import Share
from training.train import fitted_network


def test_a_network_in_bfloat16_is_the_same_but_for_rounding() -> None:
    network = digit_network()
    glyphs = np.random.default_rng(1).random((8, 28, 28, 1), np.float32)
    expected = network.predict(glyphs, verbose=0)
    rounded = computing_in("mixed_bfloat16", network, (LOGITS,))
    assert {layer.compute_dtype for layer in rounded.layers if layer.weights} == {"bfloat16", "float32"}
    assert rounded.get_layer(LOGITS).compute_dtype == "float32"
    logits = rounded.predict(glyphs, verbose=0)
    np.testing.assert_allclose(logits, expected, atol=0.05)
    assert (logits != expected).any()
    np.testing.assert_array_equal(computing_in("float32", rounded, ()).predict(glyphs, verbose=0), expected)


def test_a_network_with_a_loss_of_its_own_computes_in_another_precision() -> None:
    network = digit_network()
    network.compile(loss=lambda _, logits: logits)  # Keras would not find it again by its name
    weights = computing_in("float32", network, ()).get_weights()
    assert all(np.array_equal(one, other) for one, other in zip(weights, network.get_weights(), strict=True))


def test_a_network_trained_in_bfloat16_learns_and_answers_in_float32(tmp_path: Path) -> None:
    labels = (np.arange(110) % 11).astype(np.uint8)
    glyphs = np.zeros((110, 28, 28), np.uint8)
    for glyph, label in zip(glyphs, labels, strict=True):
        if label == NON_DIGIT:
            continue
        cv2.putText(glyph, str(label), (5, 23), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2)
    images = ImageSet.of_glyphs(GlyphSet(glyphs, labels))
    data = TrainingData([Share("digits", GlyphSet(glyphs, labels), 1.0)], images, {}, [])
    config = TrainingConfig(
        "0.0.7", (), network="reference", batch_size=16, steps=60, epochs=2, precision="mixed_bfloat16"
    )
    network = fitted_network(config, data, tmp_path)
    assert {layer.compute_dtype for layer in network.layers} == {"float32"}
    answered = network.predict(network_input(glyphs), verbose=0).argmax(axis=1)
    assert np.mean(answered == labels) > 0.5
