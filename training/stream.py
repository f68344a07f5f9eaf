"""Batches from a pool, balanced by source and class, jittered anew each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from app.imaging.glyph import network_input
from training.augment import jittered
from training.sets import GlyphSet

# How much of the jitter is left in the calm epochs.
_CALM = 0.5


@dataclass(frozen=True, slots=True)
class Share:
    """One part of the pool and the share of batches that is drawn from it, relative to the other parts."""

    name: str
    glyphs: GlyphSet
    weight: float


class GlyphStream(keras.utils.PyDataset):  # type: ignore[misc]  # Keras ships no types
    """An epoch of batches of (n, 28, 28, 1) float32 in 0..1 and (n,) uint8 classes.

    A part is drawn by its weight, a class within it evenly, a glyph within that evenly: so an imbalanced set teaches
    each of its classes as much as any other. Every batch has a seed of its own, from `seed`, epoch and batch number.
    After `lively_epochs`, glyphs are jittered less: the last epochs are nearer to what is read in the end. A run that
    goes on after `done` epochs gets the batches that it would have got.
    """

    def __init__(
        self,
        shares: Sequence[Share],
        batch_size: int,
        batches: int,
        seed: int,
        lively_epochs: int | None = None,
        done: int = 0,
    ) -> None:
        super().__init__(workers=1, max_queue_size=16)
        self._glyphs = np.concatenate([share.glyphs.glyphs for share in shares])
        self._labels = np.concatenate([share.glyphs.labels for share in shares])
        self._cumulative = np.cumsum(sampling_weights(shares))
        self._batch_size = batch_size
        self._batches = batches
        self._seed = seed
        self._lively_epochs = lively_epochs
        self._epoch = done

    def __len__(self) -> int:
        return self._batches

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        random = np.random.default_rng((self._seed, self._epoch, index))
        draws = random.random(self._batch_size) * self._cumulative[-1]
        chosen = np.minimum(np.searchsorted(self._cumulative, draws), len(self._labels) - 1)
        calm = self._lively_epochs is not None and self._epoch > self._lively_epochs
        glyphs = jittered(self._glyphs[chosen], random, _CALM if calm else 1.0)
        return network_input(glyphs), self._labels[chosen]

    def on_epoch_begin(self) -> None:
        self._epoch += 1


def sampling_weights(shares: Sequence[Share]) -> NDArray[np.float64]:
    """How often each glyph of the concatenated parts is drawn, (n,): balanced over classes within each part."""
    weights = []
    for share in shares:
        labels = share.glyphs.labels
        counts = np.bincount(labels, minlength=11)
        classes = np.count_nonzero(counts)
        weights.append(share.weight / classes / counts[labels] if classes else np.zeros(0))
    return np.concatenate(weights)
