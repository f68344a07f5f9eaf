"""The networks that this project's forerunners describe, and how each of them trained its own.

Every network takes glyphs, (n, 28, 28, 1) float32 in 0..1, and gives logits, (n, 10) float32: where an author ended in
a softmax, it is left to the loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras
from keras import layers

from app.calibration import DIGITS
from app.imaging.glyph import GLYPH_SIDE

PRINTED = "885 printed digits"
MNIST = "MNIST"


@dataclass(frozen=True, slots=True)
class Shake:
    """Augmentation on the fly, each uniform within ± its figure.

    `rotation` in degrees, `zoom` and `shift` as shares of the side, `shear` as a slope.
    """

    rotation: float = 10.0
    zoom: float = 0.1
    shift: float = 0.1
    shear: float = 0.0


@dataclass(frozen=True, slots=True)
class System:
    """A forerunner: its network, and its author's way of training it.

    `own_data` is PRINTED or MNIST; `shake` or `layers` (Keras layers before the network) augment it. With `patience`,
    training stops so many epochs after the best one. `reported`: the accuracy its author states.
    """

    key: str
    title: str
    description: str
    network: Callable[[], keras.Model]
    parameters: int
    own_data: str
    batch_size: int
    epochs: int
    reported: str
    shake: Shake | None = None
    layers: Callable[[], list[keras.Layer]] | None = None
    patience: int | None = None
    class_weights: bool = False

    @property
    def recipe(self) -> list[object]:
        """All that its training depends on, in the types of JSON."""
        shake = self.shake and [self.shake.rotation, self.shake.zoom, self.shake.shift, self.shake.shear]
        fit = [self.batch_size, self.epochs, shake, self.layers is not None, self.patience, self.class_weights]
        return [self.key, self.parameters, self.own_data, *fit]


def printed_network() -> keras.Model:
    """The 885-image project: three 3×3 convolutions with pooling and dropout, dense 64-128-64; 118,154 parameters.

    The share of its dropout is not stated: a quarter here.
    """
    stack: list[keras.Layer] = []
    for channels in (32, 64, 128):
        stack += [layers.Conv2D(channels, 3, activation="relu"), layers.MaxPooling2D(), layers.Dropout(0.25)]
    return _sequential("printed", stack, 64, 128, 64)


def notebook_network() -> keras.Model:
    """The notebook: convolutions of 30 (5×5) and 15 (3×3), dense 128-50; 59,933 parameters."""
    stack = [layers.Conv2D(30, 5, activation="relu"), layers.MaxPooling2D()]
    stack += [layers.Conv2D(15, 3, activation="relu"), layers.MaxPooling2D(), layers.Dropout(0.2)]
    return _sequential("notebook", stack, 128, 50)


def streamlit_network() -> keras.Model:
    """The Streamlit project: two blocks of a 3×3 convolution of 32 and max-pooling, dense 64; 61,482 parameters."""
    stack: list[keras.Layer] = []
    for _ in range(2):
        stack += [layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D()]
    return _sequential("streamlit", stack, 64)


def streamlit_augmentation() -> list[keras.Layer]:
    """Rotation (of a full turn), translation and zoom (of the side) and contrast within ±0.1, as Keras layers."""
    return [
        layers.RandomRotation(0.1),
        layers.RandomTranslation(0.1, 0.1),
        layers.RandomZoom(0.1),
        layers.RandomContrast(0.1, value_range=(0.0, 1.0)),
    ]


def dense_network() -> keras.Model:
    """The paper's smaller dense net: three layers of 500 on 784 pixels; 898,510 parameters."""
    return _sequential("dense", [], 500, 500, 500)


def wide_dense_network() -> keras.Model:
    """The paper's larger dense net: 500-1500-1500-500 on 784 pixels; 4,151,010 parameters."""
    return _sequential("wide_dense", [], 500, 1500, 1500, 500)


def resnet() -> keras.Model:
    """A small ResNet on 32×32, to which glyphs are padded: n = 1 of He, Zhang, Ren, Sun (CVPR 2016), section 4.2.

    A convolution and three residual blocks of 16, 32 and 64 channels, all 3×3, batch-normalised; global average
    pooling. Shortcuts between sizes are 1×1 convolutions. Its author states no size; this one has 78,426 parameters,
    with the moments of its batch normalisation.
    """
    glyph = keras.Input((GLYPH_SIDE, GLYPH_SIDE, 1), name="glyph")
    x = layers.Activation("relu")(_normalised(layers.ZeroPadding2D(2)(glyph), 16))
    for channels, strides in ((16, 1), (32, 2), (64, 2)):
        shortcut = x if strides == 1 else _normalised(x, channels, strides, side=1)
        x = layers.Activation("relu")(_normalised(x, channels, strides))
        x = layers.Activation("relu")(layers.Add()([shortcut, _normalised(x, channels)]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(glyph, layers.Dense(DIGITS, name="logits")(x), name="resnet")


def _normalised(x: keras.KerasTensor, channels: int, strides: int = 1, side: int = 3) -> keras.KerasTensor:
    x = layers.Conv2D(channels, side, strides=strides, padding="same", use_bias=False)(x)
    return layers.BatchNormalization()(x)


def _sequential(name: str, stack: list[keras.Layer], *units: int) -> keras.Model:
    dense = [layers.Dense(n, activation="relu") for n in units]
    inputs = keras.Input((GLYPH_SIDE, GLYPH_SIDE, 1), name="glyph")
    return keras.Sequential([inputs, *stack, layers.Flatten(), *dense, layers.Dense(DIGITS, name="logits")], name=name)


SYSTEMS = (
    System(
        key="printed",
        title="885 images",
        description="the 885-image project: conv 32-64-128, dense 64-128-64; class weights, augmentation, early "
        "stopping",
        network=printed_network,
        parameters=118_154,
        own_data=PRINTED,
        batch_size=32,
        epochs=50,
        reported="97.7 on 88 images",
        shake=Shake(),
        patience=8,
        class_weights=True,
    ),
    System(
        key="notebook",
        title="notebook",
        description="the notebook: conv 30 (5×5) and 15 (3×3), dense 128-50; rotation 10°, zoom, shift and shear 0.1",
        network=notebook_network,
        parameters=59_933,
        own_data=MNIST,
        batch_size=100,
        epochs=10,
        reported="99.12",
        shake=Shake(shear=0.1),
    ),
    System(
        key="streamlit",
        title="Streamlit",
        description="the Streamlit project: two conv-32 blocks, dense 64; random rotation, translation, zoom and "
        "contrast of 0.1 as layers",
        network=streamlit_network,
        parameters=61_482,
        own_data=MNIST,
        batch_size=32,
        epochs=7,
        reported="about 98",
        layers=streamlit_augmentation,
    ),
    System(
        key="dense",
        title="dense 3×500",
        description="the paper's smaller dense net, on 784 pixels",
        network=dense_network,
        parameters=898_510,
        own_data=MNIST,
        batch_size=128,
        epochs=10,
        reported="96.15",
    ),
    System(
        key="wide_dense",
        title="dense 500-1500",
        description="the paper's larger dense net, 500-1500-1500-500, on 784 pixels",
        network=wide_dense_network,
        parameters=4_151_010,
        own_data=MNIST,
        batch_size=128,
        epochs=10,
        reported="96.15",
    ),
    System(
        key="resnet",
        title="ResNet",
        description="the paper's small ResNet, on 32×32: eight layers of 16, 32 and 64 channels",
        network=resnet,
        parameters=78_426,
        own_data=MNIST,
        batch_size=128,
        epochs=5,
        reported="–",
    ),
)
