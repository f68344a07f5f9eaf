"""The networks. Inputs are glyphs, (n, 28, 28, 1) float32 in 0..1; outputs are logits, (n, 11)."""

from __future__ import annotations

import keras
from keras import layers

from app.calibration import LABELS
from app.imaging.glyph import GLYPH_SIDE

# The last layer's name, in every network.
LOGITS = "logits"


def reference_network(dropout: float = 0.05) -> keras.Model:
    """The network of the reference project (118,154 parameters with ten classes, 118,219 with eleven).

    Three 3×3 convolutions of 32, 64 and 128 channels, each with 2×2 max-pooling and dropout, then dense layers of 64,
    128 and 64.
    """
    stack: list[keras.Layer] = [keras.Input((GLYPH_SIDE, GLYPH_SIDE, 1), name="glyph")]
    for channels in (32, 64, 128):
        stack += [layers.Conv2D(channels, 3, activation="relu"), layers.MaxPooling2D(), layers.Dropout(dropout)]
    stack.append(layers.Flatten())
    stack += [layers.Dense(units, activation="relu") for units in (64, 128, 64)]
    stack.append(layers.Dense(len(LABELS), name=LOGITS))
    return keras.Sequential(stack, name="reference")


def digit_network() -> keras.Model:
    """The network of the released models: 550,795 parameters, about 11 million multiplications a glyph.

    Convolutions with batch normalisation, some in residual blocks (He, Zhang, Ren, Sun, CVPR 2016). A 5×5 one with a
    step of two and a max-pooling take 28×28 to 7×7, where the last convolutions see the whole glyph; two dense layers
    read what they found where.
    """
    glyph = keras.Input((GLYPH_SIDE, GLYPH_SIDE, 1), name="glyph")
    x = _convolution(glyph, 32, side=5, strides=2)
    x = _convolution(x, 32)
    x = layers.MaxPooling2D()(x)
    x = _convolution(x, 80)
    x = layers.Add()([x, _convolution(x, 80)])
    x = layers.Add()([x, _convolution(x, 80)])
    x = _convolution(x, 128, padding="valid")
    x = layers.Dropout(0.2)(layers.Flatten()(x))
    x = layers.BatchNormalization()(layers.Dense(96, use_bias=False)(x))
    x = layers.Dropout(0.1)(layers.Activation("relu")(x))
    return keras.Model(glyph, layers.Dense(len(LABELS), name=LOGITS)(x), name="digits")


def _convolution(
    x: keras.KerasTensor, channels: int, side: int = 3, strides: int = 1, padding: str = "same"
) -> keras.KerasTensor:
    x = layers.Conv2D(channels, side, strides=strides, padding=padding, use_bias=False)(x)
    return layers.Activation("relu")(layers.BatchNormalization()(x))


NETWORKS = {"reference": reference_network, "digits": digit_network}
