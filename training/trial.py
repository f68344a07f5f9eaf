"""One training of a forerunner's network, and what came of it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from app.calibration import NON_DIGIT
from app.imaging.glyph import GLYPH_SIDE, network_input
from training.augment import Random, jittered
from training.printed import HeldOut
from training.references import Shake, System
from training.sets import GlyphSet, ImageSet, all_images
from training.stream import Share, sampling_weights
from training.train import image_logits


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras ships no types
    """A set in another order every epoch, shaken: batches of (n, 28, 28, 1) float32 in 0..1 and (n,) uint8 classes."""

    def __init__(self, glyphs: GlyphSet, batch_size: int, seed: int, shake: Shake | None = None) -> None:
        super().__init__(workers=1, max_queue_size=16)
        self._glyphs = glyphs
        self._batch_size = batch_size
        self._shake = shake
        self._seed = seed
        self._epoch = 0
        self._order = np.arange(len(glyphs))

    def __len__(self) -> int:
        return -(-len(self._glyphs) // self._batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        chosen = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        glyphs = self._glyphs.glyphs[chosen]
        if self._shake is not None:
            glyphs = shaken(glyphs, self._shake, np.random.default_rng((self._seed, self._epoch, index)))
        return network_input(glyphs), self._glyphs.labels[chosen]

    def on_epoch_begin(self) -> None:
        self._epoch += 1
        self._order = np.random.default_rng((self._seed, self._epoch)).permutation(len(self._glyphs))


@dataclass(frozen=True, slots=True)
class Trained:
    """A network, the seconds that its training took and the glyphs it saw in it."""

    network: keras.Model
    seconds: float
    samples: int


def shaken(glyphs: NDArray[np.uint8], shake: Shake, random: Random) -> NDArray[np.uint8]:
    """Glyphs, (n, 28, 28) uint8, each turned, zoomed, shifted and sheared about its centre by its own draw."""
    centre = np.full(2, (GLYPH_SIDE - 1) / 2)
    angle, shear, *rest = random.uniform(-1, 1, (6, len(glyphs)))
    moved = np.empty_like(glyphs)
    for i, glyph in enumerate(glyphs):
        turn, slope = np.deg2rad(shake.rotation * angle[i]), shake.shear * shear[i]
        zoom = 1 + shake.zoom * np.array([rest[0][i], rest[1][i]])
        shift = GLYPH_SIDE * shake.shift * np.array([rest[2][i], rest[3][i]])
        matrix = np.array([[np.cos(turn), -np.sin(turn) + slope], [np.sin(turn), np.cos(turn)]]) * zoom
        affine = np.hstack((matrix, (centre + shift - matrix @ centre)[:, None]))
        moved[i] = cv2.warpAffine(glyph, affine, (GLYPH_SIDE, GLYPH_SIDE))
    return moved


def trained_on_own(system: System, data: HeldOut, epochs: int, seed: int) -> Trained:
    """The network trained as its author did."""
    keras.utils.set_random_seed(seed)
    network = system.network()
    trainee = network if system.layers is None else keras.Sequential([*system.layers(), network])
    callbacks = []
    if system.patience is not None:
        callbacks = [keras.callbacks.EarlyStopping(patience=system.patience, restore_best_weights=True)]
    _compile(trainee)
    begun = time.perf_counter()
    history = trainee.fit(
        Batches(data.train, system.batch_size, seed, system.shake),
        epochs=epochs,
        validation_data=(network_input(data.validation.glyphs), data.validation.labels) if system.patience else None,
        class_weight=_class_weights(data.train) if system.class_weights else None,
        callbacks=callbacks,
        verbose=0,
    )
    return Trained(network, time.perf_counter() - begun, len(history.epoch) * len(data.train))


def trained_on_pool(system: System, sample: GlyphSet, seed: int) -> Trained:
    """The network after one pass over a sample of our pool, with the batch size of its author."""
    keras.utils.set_random_seed(seed)
    network = system.network()
    _compile(network)
    begun = time.perf_counter()
    network.fit(Batches(sample, system.batch_size, seed), epochs=1, verbose=0)
    return Trained(network, time.perf_counter() - begun, len(sample))


def pool_sample(shares: Sequence[Share], count: int, seed: int) -> GlyphSet:
    """`count` digits of a pool, drawn and jittered as our own training draws them: balanced by part and class."""
    random = np.random.default_rng(seed)
    digits = [Share(share.name, digits_of(share.glyphs), share.weight) for share in shares]
    cumulative = np.cumsum(sampling_weights(digits))
    chosen = np.searchsorted(cumulative, random.random(count) * cumulative[-1])
    chosen = np.sort(np.minimum(chosen, len(cumulative) - 1))
    starts = np.cumsum([0, *(len(share.glyphs) for share in digits)])
    parts = [
        (share.glyphs, chosen[(chosen >= start) & (chosen < end)] - start)
        for share, start, end in zip(digits, starts[:-1], starts[1:], strict=True)
    ]
    glyphs = np.concatenate([part.glyphs[index] for part, index in parts])
    labels = np.concatenate([part.labels[index] for part, index in parts])
    return GlyphSet(jittered(glyphs, random), labels)


def digits_of(glyphs: GlyphSet) -> GlyphSet:
    """The glyphs that are digits."""
    return glyphs.only(glyphs.labels != NON_DIGIT)


def measured(
    network: keras.Model, sets: Mapping[str, ImageSet], temperature: float = 1.0
) -> dict[str, dict[str, float]]:
    """`n`, `accuracy` and `macro_f1` (over the digits it has) of each set of digits; the answer is the best of ten.

    `temperature`: what the network's logits are divided by, where several views of an image are weighed.
    """
    predicted = image_logits(network, all_images(list(sets.values())), temperature)[:, :NON_DIGIT].argmax(axis=1)
    ends = np.cumsum([len(images) for images in sets.values()])[:-1]
    parts = zip(sets.items(), np.split(predicted, ends), strict=True)
    return {name: _figures(answers, images.labels) for (name, images), answers in parts}


def file_bytes(system: System) -> int:
    """The size of the network as a `.keras` file, without the moments of an optimizer."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        system.network().save(path)  # a clone of a trained one would be compiled, optimizer and all
        return path.stat().st_size


def _figures(predicted: NDArray[np.intp], labels: NDArray[np.uint8]) -> dict[str, float]:
    f1 = []
    for digit in np.unique(labels):
        hits = int(np.sum((predicted == digit) & (labels == digit)))
        f1.append(2 * hits / (int(np.sum(predicted == digit)) + int(np.sum(labels == digit))))
    return {"n": len(labels), "accuracy": float(np.mean(predicted == labels)), "macro_f1": float(np.mean(f1))}


def _compile(network: keras.Model) -> None:
    # Sparse: the categorical cross-entropy of the authors, with classes in place of one-hot rows.
    network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))


def _class_weights(glyphs: GlyphSet) -> dict[int, float]:
    counts = np.bincount(glyphs.labels, minlength=NON_DIGIT)
    return {digit: len(glyphs) / (NON_DIGIT * max(1, int(count))) for digit, count in enumerate(counts)}
