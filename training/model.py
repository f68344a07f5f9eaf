"""The networks. Inputs are glyphs, (n, 28, 28, 1) float32 in 0..1; outputs are logits, (n, 11)."""

from __future__ import annotations

import keras
from keras import layers

from app.calibration import LABELS
from app.imaging.glyph import GLYPH_SIDE


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
    stack.append(layers.Dense(len(LABELS), name="logits"))
    return keras.Sequential(stack, name="reference")
