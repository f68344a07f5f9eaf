"""What a network computes in while it is trained."""

from __future__ import annotations

from collections.abc import Collection

import keras

from training.resume import without_optimizer


def computing_in(precision: str, network: keras.Model, exact: Collection[str]) -> keras.Model:
    """The same network without its optimizer, whose layers compute in another precision; those named in float32.

    `precision` is a dtype policy of Keras, `exact` has the layers that logits come from. The weights stay float32.
    """

    def layer_in_precision(layer: keras.Layer) -> keras.Layer:
        policy = "float32" if layer.name in exact else precision
        return type(layer).from_config(layer.get_config() | {"dtype": policy})

    copy = keras.models.clone_model(without_optimizer(network), clone_function=layer_in_precision)
    copy.set_weights(network.get_weights())
    return copy
