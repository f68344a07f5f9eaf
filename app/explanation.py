"""Why a glyph is taken for its digit: Grad-CAM, a map of where the network saw what speaks for it.

Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization", ICCV 2017.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.backbone import Dense, PartedNetwork, parted_network
from app.classifier import Network
from app.domain import Explanation
from app.imaging.glyph import GLYPH_SIDE, Glyph, network_input


class Explainer(Protocol):
    """Explains the answers of one network. Safe to call from many threads."""

    def explanation(self, glyph: Glyph, digit: int, /) -> Explanation:
        """Why a glyph, (28, 28) uint8, is taken for a digit. Raises NotExplainable."""
        ...


class GradCam:
    """Explains by Grad-CAM. Nothing is made before it is asked for; then one interpreter for each thread that asks."""

    def __init__(self, flat_buffer: bytes, source: Path) -> None:
        """Of the network of a flat buffer, which `source` gave."""
        self._flat_buffer = flat_buffer
        self._source = source
        self._parting = threading.Lock()
        self._parted: PartedNetwork | None = None
        self._idle: queue.LifoQueue[Network] = queue.LifoQueue()

    def explanation(self, glyph: Glyph, digit: int) -> Explanation:
        """Why a glyph, (28, 28) uint8, is taken for a digit: the classes' logits are compared with none.

        The map has four decimals. Raises NotExplainable where the network has no dense head.
        """
        network = self._network()
        features = self._features(network.backbone, glyph)
        gradient = logit_gradient(network.head, features.ravel(), digit).reshape(features.shape)
        heat_map = laid_out(class_activation(features, gradient), network.rows, network.columns)
        return Explanation(
            digit=digit,
            method="Grad-CAM",
            glyph=tuple(tuple(row) for row in glyph.tolist()),
            heat_map=tuple(tuple(row) for row in heat_map.round(4).tolist()),
        )

    def _network(self) -> PartedNetwork:
        with self._parting:
            if self._parted is None:
                self._parted = parted_network(self._flat_buffer, self._source)
            return self._parted

    def _features(self, backbone: bytes, glyph: Glyph) -> NDArray[np.float32]:
        """Of one glyph, (rows, columns, channels)."""
        try:
            network = self._idle.get_nowait()
        except queue.Empty:
            network = Network(backbone, self._source)
        try:
            return np.asarray(network.run(network_input(glyph[np.newaxis]))[0])
        finally:
            self._idle.put(network)


def logit_gradient(head: Sequence[Dense], features: NDArray[np.float32], label: int) -> NDArray[np.float32]:
    """By how much the logit of a label rises with each feature, (n,) float32, for features, (n,), of a dense head."""
    values, passes = features, []
    for layer in head:
        values = layer.weights @ values + layer.bias
        passes.append(values > 0 if layer.rectified else np.ones(len(values), bool))
        values = values * passes[-1]
    gradient = np.zeros(len(values), np.float32)
    gradient[label] = 1
    for layer, passed in zip(reversed(head), reversed(passes), strict=True):
        gradient = np.asarray((gradient * passed) @ layer.weights)
    return gradient


def class_activation(features: NDArray[np.float32], gradient: NDArray[np.float32]) -> NDArray[np.float32]:
    """Grad-CAM of features and a logit's gradient, both (h, w, channels): (h, w) float32, 0 or more.

    Each channel counts as much as the logit rises with it, in the mean over its places.
    """
    return np.asarray(np.maximum(features @ gradient.mean(axis=(0, 1)), np.float32(0)))


def laid_out(
    cells: NDArray[np.float32], rows: NDArray[np.float64], columns: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Cells, (h, w), 0 or more, laid over the glyph: (28, 28) float64, the highest 1; all 0 where the cells are.

    `rows`, `columns`: the cells' middles in pixels of the glyph, two or more, evenly apart; between them it is
    interpolated. The outermost reach as far outwards as halfway inwards, which is to the edge of a glyph's 20×20 box;
    then the map fades to 0, since on a margin without ink there is nothing to see.
    """
    laid = _interpolation(rows) @ cells @ _interpolation(columns).T
    highest = laid.max()
    return np.asarray(laid / highest if highest > 0 else laid)


def _interpolation(middles: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much each of n cells counts at each of the glyph's pixels: (28, n), 0..1."""
    step = middles[1] - middles[0]
    first, last = middles[0], middles[-1]
    known = [first - step, first - step / 2, *middles, last + step / 2, last + step]
    pixels = np.arange(GLYPH_SIDE) + 0.5
    return np.stack([np.interp(pixels, known, [0, one[0], *one, one[-1], 0]) for one in np.eye(len(middles))], axis=1)
