"""Between what a network knew and what it learned: weights of both, averaged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

# How much of the statistics before is left after a batch; after a hundred batches, nothing.
_MOMENTUM = 0.97

Weights = Sequence[NDArray[np.float32]]


def averaged(network: keras.Model, before: Weights, share: float, batches: Iterable[NDArray[np.float32]]) -> None:
    """Takes a network's weights back towards those `before` its training: `share` of the way to its own are left.

    What was learned anew remains for the most part, and so does what was known of others (Wortsman et al.,
    "Robust fine-tuning of zero-shot models", CVPR 2022). The statistics of its normalisations are measured anew, on
    `batches` of inputs: those of weights that are averaged are no averages.
    """
    network.set_weights(
        [(1 - share) * one + share * other for one, other in zip(before, network.get_weights(), strict=True)]
    )
    normalisations = [layer for layer in network.layers if isinstance(layer, layers.BatchNormalization)]
    dropouts = [layer for layer in network.layers if isinstance(layer, layers.Dropout)]
    kept = [layer.momentum for layer in normalisations], [layer.rate for layer in dropouts]
    for layer in normalisations:
        layer.momentum = _MOMENTUM
    for layer in dropouts:
        layer.rate = 0.0
    for inputs in batches:
        network(inputs, training=True)
    for layer, momentum in zip(normalisations, kept[0], strict=True):
        layer.momentum = momentum
    for layer, rate in zip(dropouts, kept[1], strict=True):
        layer.rate = rate


def keep_best_share(
    network: keras.Model,
    before: Weights,
    shares: Sequence[float],
    batches: Callable[[], Iterable[NDArray[np.float32]]],
    right: Callable[[], float],
) -> float:
    """Keeps of several shares of what a network learned, one at least, the first that is `right` most; it is returned.

    `right` tells what share of validation the network has right as it is then; `batches` are those of `averaged`.
    """
    learned = network.get_weights()

    def keep(share: float) -> None:
        network.set_weights(learned)
        if share < 1:
            averaged(network, before, share, batches())

    best = shares[0]
    if len(shares) > 1:
        scores = {}
        for share in shares:
            keep(share)
            scores[share] = right()
            print(f"with {share:.0%} of what was learned, {scores[share]:.2%} of validation is right", flush=True)
        best = max(scores, key=scores.__getitem__)
    keep(best)
    return best
