"""The line reader: convolutions alone, so that one file reads a line of any width."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from app.alignment import BLANK
from app.imaging.line import COLUMN_WIDTH, LINE_HEIGHT, STEP_WIDTH
from training.lines.config import ReaderSize
from training.resume import TrainingFailed, without_optimizer

_STEPS_A_COLUMN = COLUMN_WIDTH // STEP_WIDTH
# Of each stage: the kernel and the strides of its first convolution, and the kernel of its residual ones.
_STAGES = (((5, 5), (2, 2), (3, 3)), ((3, 3), (2, 2), (3, 3)), ((3, 3), (2, 1), (3, 3)), ((4, 1), (1, 1), (1, 5)))
_LAST = "last"
# The layers that give the logits.
LOGITS = (_LAST, "logits")


def line_reader(size: ReaderSize, dropout: float = 0.1) -> keras.Model:
    """Lines, (n, 32, w, 1) float32 in 0..1, w a multiple of 4 → logits, (n, w / 2, 11): ten digits, then the blank.

    Residual convolutions (He, Zhang, Ren, Sun, CVPR 2016) with batch normalisation take 32 rows to one and four pixels
    to a column; others then run along the line. Each column gives the logits of two steps. Of the default size: 565,806
    parameters, 59 million multiplications for a line of 160 pixels, and a column sees 109 pixels, some six digits.
    """
    line = keras.Input((LINE_HEIGHT, None, 1), name="line")
    x = line
    for stage, (kernel, strides, along) in enumerate(_STAGES):
        channels, name = size.channels[stage], f"stage{stage}"
        padding = "valid" if stage == len(_STAGES) - 1 else "same"
        x = _activated(_convolution(x, channels, kernel, f"{name}_first", strides, padding))
        for index in range(size.residuals[stage]):
            x = _activated(layers.Add()([x, _convolution(x, channels, along, f"{name}_residual{index}")]))
    x = layers.Dropout(dropout)(x)
    x = layers.Conv2D(_STEPS_A_COLUMN * (BLANK + 1), 1, name=_LAST)(x)
    return keras.Model(line, layers.Reshape((-1, BLANK + 1), name="logits")(x), name="reader")


def size_of(network: keras.Model) -> ReaderSize:
    """How large a reader is; its layers may have any names, but are in the order of `line_reader`."""
    channels: list[int] = []
    residuals: list[int] = []
    for layer in _taught(network)[:-1]:
        if isinstance(layer, layers.BatchNormalization):
            continue
        if len(channels) < len(_STAGES) and (layer.kernel_size, layer.strides) == _STAGES[len(channels)][:2]:
            channels.append(layer.filters)
            residuals.append(0)
        else:
            residuals[-1] += 1
    return ReaderSize(tuple(channels), tuple(residuals))  # type: ignore[arg-type]  # there are four stages


def _taught(network: keras.Model) -> list[keras.Layer]:
    """Its convolutions and their normalisations."""
    return [layer for layer in network.layers if isinstance(layer, layers.Conv2D | layers.BatchNormalization)]


def grown(smaller: keras.Model, size: ReaderSize) -> keras.Model:
    """A larger reader that gives the same logits as a smaller one, for training to go on from there.

    Its further channels are fresh and weigh nothing yet in those that were there, nor do its further residuals (Chen,
    Goodfellow, Shlens: Net2Net, ICLR 2016). Raises TrainingFailed where a stage has fewer channels or residuals than
    the smaller one's.
    """
    before = size_of(smaller)
    for few, many in ((before.channels, size.channels), (before.residuals, size.residuals)):
        if any(one > other for one, other in zip(few, many, strict=True)):
            raise TrainingFailed(
                f"{size} is smaller somewhere than {before}, from which it grows; choose a larger one."
            )
    network = line_reader(size)
    given = iter(_taught(smaller))
    for stage in range(len(_STAGES)):
        for index in range(-1, size.residuals[stage]):
            name = f"stage{stage}_first" if index < 0 else f"stage{stage}_residual{index}"
            convolution, normalisation = network.get_layer(name), network.get_layer(f"{name}_normalised")
            if index < before.residuals[stage]:
                convolution.set_weights([_widened(convolution.get_weights()[0], next(given).get_weights()[0])])
                own = zip(normalisation.get_weights(), next(given).get_weights(), strict=True)
                normalisation.set_weights([np.concatenate([old, fresh[len(old) :]]) for fresh, old in own])
            else:
                scale, *others = normalisation.get_weights()
                normalisation.set_weights([np.zeros_like(scale), *others])
    last = network.get_layer(_LAST)
    kernel, bias = next(given).get_weights()
    last.set_weights([_widened(last.get_weights()[0], kernel), bias])
    return network


def _widened(fresh: NDArray[np.float32], old: NDArray[np.float32]) -> NDArray[np.float32]:
    """A kernel, (h, w, from, to), of which the first channels are the old ones; further ones give these nothing."""
    kernel, (into, out) = fresh.copy(), old.shape[2:]
    kernel[:, :, into:, :out] = 0
    kernel[:, :, :into, :out] = old
    return kernel


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
    name: str,
    strides: tuple[int, int] = (1, 1),
    padding: str = "same",
) -> keras.KerasTensor:
    x = layers.Conv2D(channels, size, strides=strides, padding=padding, use_bias=False, name=name)(x)
    return layers.BatchNormalization(name=f"{name}_normalised")(x)


def _activated(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.Activation("relu")(x)
