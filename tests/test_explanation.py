"""Grad-CAM: its gradient is TensorFlow's, its places are those of the receptive fields, and what it marks matters."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from app.backbone import Dense, parted_network
from app.calibration import DIGITS, calibrated_probabilities
from app.classifier import GlyphClassifier, Network
from app.conversion import converted, flat_buffer, flat_buffer_of
from app.domain import Explanation, Polarity
from app.errors import NotExplainable
from app.explanation import GradCam, class_activation, laid_out, logit_gradient
from app.imaging.binarise import find_ink
from app.imaging.glyph import network_input, normalise_glyph
from app.imaging.segment import single_digit
from app.manifest import ModelVersion
from tests.images import draw_digit, scanned_digits
from training.model import digit_network, reference_network

SOURCE = Path("model.tflite")


def glyph_of(page: NDArray[np.uint8]) -> NDArray[np.uint8]:
    candidate = single_digit(find_ink(page, Polarity.DARK_ON_LIGHT))
    assert candidate is not None
    return normalise_glyph(candidate.ink)


@pytest.fixture(scope="module")
def glyphs() -> NDArray[np.uint8]:
    """Ten drawn digits, 0 to 9, and twenty scanned ones: (30, 28, 28)."""
    return np.stack([glyph_of(page) for page in [*map(draw_digit, range(10)), *scanned_digits(20)[0]]])


@pytest.fixture(scope="module")
def grad_cam(version: ModelVersion) -> GradCam:
    return GradCam(version.files.tflite.read_bytes(), version.files.tflite)


def heat_map(explanation: Explanation) -> NDArray[np.float64]:
    return np.array(explanation.heat_map)


def test_features_and_gradient_are_those_of_tensorflow(version: ModelVersion, glyphs: NDArray[np.uint8]) -> None:
    network = keras.saving.load_model(version.files.keras, compile=False)
    flattened = next(layer for layer in network.layers if isinstance(layer, layers.Flatten)).input
    both = keras.Model(network.inputs[0], [flattened, network.output])
    parted = parted_network(version.files.tflite.read_bytes(), SOURCE)
    backbone = Network(parted.backbone, SOURCE)
    for index, one in enumerate(glyphs):
        label = index % 11
        with tf.GradientTape() as tape:
            expected_features, logits = both(network_input(one[np.newaxis]), training=False)
            logit = logits[0, label]
        expected = tape.gradient(logit, expected_features).numpy()[0]
        features = backbone.run(network_input(one[np.newaxis]))[0]
        np.testing.assert_allclose(features, expected_features[0], rtol=1e-3, atol=1e-4)
        gradient = logit_gradient(parted.head, features.ravel(), label).reshape(features.shape)
        np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-5)


def test_maps_are_those_of_the_keras_file(version: ModelVersion, grad_cam: GradCam, glyphs: NDArray[np.uint8]) -> None:
    of_keras = GradCam(flat_buffer_of(version.files.keras, threads=2), version.files.keras)
    for one in glyphs:
        ours, theirs = grad_cam.explanation(one, 3), of_keras.explanation(one, 3)
        np.testing.assert_allclose(heat_map(ours), heat_map(theirs), atol=1e-3)
        assert ours.glyph == theirs.glyph


def test_an_explanation_shows_the_glyph_and_a_map_of_it(grad_cam: GradCam, glyphs: NDArray[np.uint8]) -> None:
    for digit, one in enumerate(glyphs[:10]):
        explanation = grad_cam.explanation(one, digit)
        assert (explanation.digit, explanation.method) == (digit, "Grad-CAM")
        np.testing.assert_array_equal(np.array(explanation.glyph), one)
        assert heat_map(explanation).shape == (28, 28)
        assert heat_map(explanation).min() == 0
        assert heat_map(explanation).max() == 1


def test_a_map_is_of_its_digit(grad_cam: GradCam, glyphs: NDArray[np.uint8]) -> None:
    """What speaks for a 3 is not what would speak for another digit."""
    maps = [heat_map(grad_cam.explanation(glyphs[3], digit)) for digit in range(10)]
    assert all(np.abs(maps[3] - other).max() > 0.1 for digit, other in enumerate(maps) if digit != 3)


def test_what_the_map_marks_matters(version: ModelVersion, grad_cam: GradCam, glyphs: NDArray[np.uint8]) -> None:
    """Without the quarter of the ink where the map is strongest, digits lose more than without its weakest quarter."""
    classifier = GlyphClassifier(version.files.tflite.read_bytes(), SOURCE)

    def probabilities(one: NDArray[np.uint8]) -> NDArray[np.float64]:
        return np.asarray(calibrated_probabilities(classifier.logits(one[np.newaxis]), version.manifest.temperature)[0])

    lost: dict[str, list[float]] = {"strongest": [], "weakest": []}
    for one in glyphs:
        before = probabilities(one)
        digit = int(before[:DIGITS].argmax())
        strengths = heat_map(grad_cam.explanation(one, digit))
        ink = np.argwhere(one > 64)
        order = ink[np.argsort(strengths[ink[:, 0], ink[:, 1]], kind="stable")]
        quarter = len(ink) // 4
        for which, masked in (("strongest", order[-quarter:]), ("weakest", order[:quarter])):
            without = one.copy()
            without[masked[:, 0], masked[:, 1]] = 0
            lost[which].append(before[digit] - probabilities(without)[digit])
    assert np.mean(lost["strongest"]) > 1.5 * np.mean(lost["weakest"]) > 0


def test_many_threads_get_what_one_gets(version: ModelVersion, glyphs: NDArray[np.uint8]) -> None:
    grad_cam = GradCam(version.files.tflite.read_bytes(), version.files.tflite)
    alone = GradCam(version.files.tflite.read_bytes(), version.files.tflite)
    expected = [alone.explanation(one, index % 10) for index, one in enumerate(glyphs)]
    with ThreadPoolExecutor(8) as executor:
        given = list(executor.map(lambda i: grad_cam.explanation(glyphs[i % 30], i % 30 % 10), range(600)))
    assert all(one == expected[index % 30] for index, one in enumerate(given))


def _stack(*stack: keras.Layer) -> keras.Model:
    return keras.Sequential([keras.Input((28, 28, 1)), *stack, layers.Flatten(), layers.Dense(11)])


PLACED: dict[str, Callable[[], keras.Model]] = {
    "one step": lambda: _stack(layers.Conv2D(2, 3)),
    "padded": lambda: _stack(layers.Conv2D(2, 5, padding="same")),
    "two steps, padded unevenly": lambda: _stack(layers.Conv2D(2, 5, strides=2, padding="same")),
    "steps of their own": lambda: _stack(layers.AveragePooling2D((2, 3)), layers.Conv2D(2, 3)),
    "pooling": lambda: _stack(layers.Conv2D(2, 3), layers.AveragePooling2D(2)),
    "padded pooling": lambda: _stack(layers.AveragePooling2D(3, strides=2, padding="same"), layers.Conv2D(2, 3)),
    "depthwise": lambda: _stack(layers.DepthwiseConv2D(3), layers.Conv2D(2, 3, strides=2)),
    "as digits 1.0.0": lambda: _stack(
        layers.Conv2D(2, 5, strides=2, padding="same"),
        layers.Conv2D(2, 3, padding="same", activation="relu"),
        layers.AveragePooling2D(2),
        layers.Conv2D(2, 3),
    ),
}


@pytest.mark.parametrize("kind", PLACED)
def test_features_lie_in_the_middle_of_what_they_see(kind: str) -> None:
    """Where a network adds up its windows, the glyph's pixels that move a feature are its receptive field."""
    network = PLACED[kind]()
    for weight in network.trainable_variables:
        weight.assign(np.ones(weight.shape))
    features = keras.Model(network.inputs[0], network.layers[-2].input)
    parted = parted_network(flat_buffer(network), SOURCE)
    glyph = tf.ones((1, 28, 28, 1))
    with tf.GradientTape() as tape:
        tape.watch(glyph)
        seen = features(glyph)
        cells = seen[0, :, :, 0]
    moved = tape.jacobian(cells, glyph).numpy()[:, :, 0, :, :, 0] != 0
    assert moved.shape[:2] == (len(parted.rows), len(parted.columns))
    checked = 0
    for row, column in np.ndindex(*moved.shape[:2]):
        ys, xs = np.nonzero(moved[row, column])
        if min(ys.min(), xs.min()) > 0 and max(ys.max(), xs.max()) < 27:  # the others are cut by the edge
            assert parted.rows[row] == (ys.min() + ys.max() + 1) / 2
            assert parted.columns[column] == (xs.min() + xs.max() + 1) / 2
            checked += 1
    assert checked


def test_the_released_cells_lie_four_pixels_apart_over_the_digit(version: ModelVersion) -> None:
    parted = parted_network(version.files.tflite.read_bytes(), SOURCE)
    for places in (parted.rows, parted.columns):
        np.testing.assert_array_equal(places, [6.5, 10.5, 14.5, 18.5, 22.5])


def _with_head(*head: keras.Layer) -> keras.Model:
    return keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(8, 5, strides=4, activation="relu"), *head])


OTHERS: dict[str, tuple[Callable[[], keras.Model], str]] = {
    "no dense layer": (
        lambda: _with_head(layers.Flatten(), layers.Dense(11), layers.Softmax()),
        "the logits come from no dense layer",
    ),
    "features without places": (
        lambda: _with_head(layers.GlobalAveragePooling2D(), layers.Dense(11)),
        "not features made flat",
    ),
    "one place": (reference_network, "without places in rows and columns"),
    "another activation": (
        lambda: _with_head(layers.Flatten(), layers.Dense(8, activation="relu6"), layers.Dense(11)),
        "another activation than ReLU",
    ),
    "a bend between": (
        lambda: _with_head(layers.Flatten(), layers.Dense(8, activation="tanh"), layers.Dense(11)),
        "TANH",
    ),
    "other features": (
        lambda: _with_head(layers.Permute((2, 1, 3)), layers.Flatten(), layers.Dense(11)),
        "other layers than plain convolutions and pooling",
    ),
    "windows with gaps": (
        lambda: _stack(layers.Conv2D(2, 3, dilation_rate=2)),
        "other layers than plain convolutions and pooling",
    ),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_a_network_with_another_head_is_told_apart(kind: str) -> None:
    network, why = OTHERS[kind]
    grad_cam = GradCam(flat_buffer(network()), SOURCE)
    for _ in range(2):  # it stays so
        with pytest.raises(NotExplainable, match=why):
            grad_cam.explanation(np.zeros((28, 28), np.uint8), 3)


def test_rounded_weights_are_told_apart() -> None:
    converter = tf.lite.TFLiteConverter.from_keras_model(_with_head(layers.Flatten(), layers.Dense(11)))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    with pytest.raises(NotExplainable, match="no float weights"):
        parted_network(converted(converter), SOURCE)


def test_an_untrained_network_of_ours_can_be_explained(glyphs: NDArray[np.uint8]) -> None:
    grad_cam = GradCam(flat_buffer(digit_network()), SOURCE)
    assert heat_map(grad_cam.explanation(glyphs[5], 5)).shape == (28, 28)


def test_a_gradient_goes_only_where_a_unit_fires() -> None:
    first = Dense(np.array([[1, 0, 2], [-1, -1, -1]], np.float32), np.array([0, 1], np.float32), rectified=True)
    last = Dense(np.array([[3, 5], [7, 11]], np.float32), np.zeros(2, np.float32), rectified=False)
    features = np.array([1, 1, 1], np.float32)  # the first unit fires, the second does not
    np.testing.assert_array_equal(logit_gradient([first, last], features, 0), [3, 0, 6])
    np.testing.assert_array_equal(logit_gradient([first, last], features, 1), [7, 0, 14])


def test_what_speaks_against_a_digit_is_left_out() -> None:
    features = np.array([[[1, 0], [0, 1]]], np.float32)  # a channel at each of two places
    gradient = np.array([[[2, -3], [0, -1]]], np.float32)
    np.testing.assert_array_equal(class_activation(features, gradient), [[1, 0]])


def test_a_map_of_nothing_stays_nothing() -> None:
    places = np.array([6.5, 10.5, 14.5, 18.5, 22.5])
    assert not laid_out(np.zeros((5, 5), np.float32), places, places).any()


def test_a_cell_is_strongest_in_its_middle_and_ends_at_its_neighbours() -> None:
    places = np.array([6.5, 10.5, 14.5, 18.5, 22.5])
    cells = np.zeros((5, 5), np.float32)
    cells[1, 4] = 0.25
    laid = laid_out(cells, places, places)
    assert laid[10, 22] == laid.max() == 1
    rows, columns = np.nonzero(laid)
    assert (rows.min(), rows.max()) == (7, 13)
    assert columns.min() == 19
    assert columns.max() < 27
    np.testing.assert_allclose(laid[10, 18:27], [0, 0.25, 0.5, 0.75, 1, 1, 1, 0.5, 0])
