"""The line reader: convolutions alone, so that one file reads a line of any width."""

from __future__ import annotations

import keras
from keras import layers

from app.alignment import BLANK
from app.imaging.line import COLUMN_WIDTH, LINE_HEIGHT, STEP_WIDTH
from training.resume import without_optimizer

_STEPS_A_COLUMN = COLUMN_WIDTH // STEP_WIDTH


def line_reader(dropout: float = 0.1) -> keras.Model:
    """Lines, (n, 32, w, 1) float32 in 0..1, w a multiple of 4 → logits, (n, w / 2, 11): ten digits, then the blank.

    565,806 parameters, 59 million multiplications for a line of 160 pixels. Residual convolutions (He, Zhang, Ren, Sun,
    CVPR 2016) with batch normalisation take 32 rows to one and four pixels to a column; others then run along the line.
    Each column sees 109 pixels, some six digits, and gives the logits of two steps.
    """
    line = keras.Input((LINE_HEIGHT, None, 1), name="line")
    x = _convolution(line, 24, (5, 5), strides=(2, 2))
    x = _residual(x, (3, 3))
    x = _convolution(x, 48, (3, 3), strides=(2, 2))
    x = _residual(x, (3, 3))
    x = _residual(x, (3, 3))
    x = _convolution(x, 96, (3, 3), strides=(2, 1))
    x = _residual(x, (3, 3))
    x = _convolution(x, 128, (4, 1), padding="valid")
    for _ in range(4):
        x = _residual(x, (1, 5))
    x = layers.Dropout(dropout)(x)
    x = layers.Conv2D(_STEPS_A_COLUMN * (BLANK + 1), 1)(x)
    return keras.Model(line, layers.Reshape((-1, BLANK + 1), name="logits")(x), name="reader")


def with_blank_bias(network: keras.Model, bias: float) -> keras.Model:
    """The same reader, the logit of the blank less by `bias` at every step."""
    changed = without_optimizer(network)
    # The last convolution gives the logits of a column's steps, one step after the other.
    last = [layer for layer in changed.layers if isinstance(layer, layers.Conv2D)][-1]
    kernel, biases = last.get_weights()
    biases[BLANK :: BLANK + 1] -= bias
    last.set_weights([kernel, biases])
    return changed


def _convolution(
    x: keras.KerasTensor,
    channels: int,
    size: tuple[int, int],
    strides: tuple[int, int] = (1, 1),
    padding: str = "same",
) -> keras.KerasTensor:
    x = layers.Conv2D(channels, size, strides=strides, padding=padding, use_bias=False)(x)
    return layers.Activation("relu")(layers.BatchNormalization()(x))


def _residual(x: keras.KerasTensor, size: tuple[int, int]) -> keras.KerasTensor:
    change = layers.BatchNormalization()(layers.Conv2D(x.shape[-1], size, padding="same", use_bias=False)(x))
    return layers.Activation("relu")(layers.Add()([x, change]))
