"""Batches of lines of one width, jittered anew each time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from app.imaging.line import LINE_HEIGHT
from training.augment import Random
from training.lines.config import LinesConfig
from training.lines.draw import Labels
from training.lines.pool import LinePool

# How much of the jitter is left in the calm epochs.
_CALM = 0.4
_ERASED_SHARE, _NOISED_SHARE = 0.2, 0.3
_AHEAD = 16
# Of the jitter: shear, turn (its tangent), shift down in pixels, and the logarithms of height and width.
_SPREADS = np.array([0.06, 0.012, 0.9, 0.05, 0.06])

Lines = NDArray[np.uint8]
_Batch = tuple[NDArray[np.float32], Labels]


class LineStream:
    """Batches of (n, 32, w) uint8 lines and their (n, 12) int8 labels.

    Every line is as likely as any other, but for lines of words, which have a share of their own. Those of a batch are
    of one width, as many as make the configuration's `batch_width`, and of both kinds: were they of one, a network
    would tell it from the statistics of the batch, by which it normalises, and know that there is no digit.
    Every batch has a seed of its own, from the run's and its number: a run that goes on after some epochs gets the
    batches that it would have got.
    """

    def __init__(self, pool: LinePool, config: LinesConfig, wordy: LinePool | None = None) -> None:
        self._config = config
        self._pools = (pool, wordy or {})
        self._widths = sorted({*pool, *self._pools[1]})
        self._sizes = np.array([max(1, config.batch_width // width) for width in self._widths])
        wordy_share = config.wordy_share if wordy else 0.0
        shares = np.zeros((2, len(self._widths)))
        for own, lines, share in zip(shares, self._pools, (1 - wordy_share, wordy_share), strict=True):
            batches = np.array([len(lines[width]) if width in lines else 0 for width in self._widths]) / self._sizes
            own += share * batches / max(batches.sum(), 1e-9)
        self._shares = shares.sum(axis=0)
        self._wordy = shares[1] / np.maximum(self._shares, 1e-9)

    @property
    def lines_a_batch(self) -> float:
        """How many lines a batch has on the average."""
        return float(self._shares @ self._sizes)

    def batch(self, step: int) -> tuple[Lines, Labels]:
        """One batch, the `step`th of the run."""
        random = np.random.default_rng((self._config.seed, step))
        place = int(random.choice(len(self._widths), p=self._shares))
        wordy = int(random.binomial(self._sizes[place], self._wordy[place]))
        sets = [pool.get(self._widths[place]) for pool in self._pools]
        counts = (int(self._sizes[place]) - wordy, wordy)
        chosen = [
            (own.lines[index], own.widths[index], own.labels[index])
            for own, count in zip(sets, counts, strict=True)
            if own is not None and count
            for index in (random.integers(len(own), size=count),)
        ]
        lines, widths, labels = (np.concatenate(parts) for parts in zip(*chosen, strict=True))
        calm = step >= (self._config.epochs - self._config.calm_epochs) * self._config.steps
        return jittered(lines, widths, random, _CALM if calm else 1.0), labels

    def batches(self, done: int) -> Any:
        """All batches of the run after so many epochs, as `reader_input` and labels, as Keras' `fit` takes them."""

        def batch(step: int) -> _Batch:
            lines, labels = self.batch(step)
            return reader_input(lines), labels

        def rest() -> Iterator[_Batch]:
            return _ahead(batch, range(done * self._config.steps, self._config.epochs * self._config.steps))

        if keras.backend.backend() != "tensorflow":
            return rest()
        import tensorflow as tf  # it takes batches of several widths in this form alone

        signature = (tf.TensorSpec((None, LINE_HEIGHT, None, 1), tf.float32), tf.TensorSpec((None, None), tf.int8))
        return tf.data.Dataset.from_generator(rest, output_signature=signature)


def _ahead(make: Callable[[int], _Batch], steps: Iterable[int]) -> Iterator[_Batch]:
    """The batches of the steps, in their order, made by threads that are some ahead: of two processors, one trains."""
    rest = iter(steps)
    with ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // 2)) as threads:
        waiting = deque(threads.submit(make, step) for step in islice(rest, _AHEAD))
        while waiting:
            made = waiting.popleft().result()
            waiting.extend(threads.submit(make, step) for step in islice(rest, 1))
            yield made


def reader_input(lines: Lines) -> NDArray[np.float32]:
    """Lines, (n, 32, w) uint8, as a reader takes them: (n, 32, w, 1) float32 in 0..1."""
    return (lines.astype(np.float32) / np.float32(255.0))[..., np.newaxis]


def jittered(lines: Lines, widths: NDArray[np.int16], random: Random, strength: float = 1.0) -> Lines:
    """The same lines elsewhere, somewhat stretched, sheared and turned, with other greys, noise, and small gaps.

    `lines`: (n, 32, w), of which `widths`, (n,), are filled; the answer is as large. `strength` scales the changes.
    """
    number, height, room = lines.shape
    warped = np.empty_like(lines)
    changes: NDArray[np.float64] = random.normal(0, _SPREADS[:, None], (5, number)) * strength
    shear, turn, down = changes[:3]
    high, wide = np.exp(changes[3]), np.minimum(np.exp(changes[4]), room / widths)
    start = random.random(number) * (room - widths * wide)
    middle = height / 2
    for index in range(number):
        matrix = np.array(
            [
                [wide[index], shear[index], start[index] - shear[index] * middle],
                [turn[index], high[index], middle * (1 - high[index]) - turn[index] * widths[index] / 2 + down[index]],
            ]
        )
        cv2.warpAffine(lines[index], matrix, (room, height), dst=warped[index], flags=cv2.INTER_LINEAR)
    gamma: NDArray[np.float64] = np.exp(random.normal(0, 0.25 * strength, (number, 1)))
    gain = 1 - 0.3 * strength * random.random((number, 1))
    levels = np.linspace(0, 1, 256) ** gamma * gain * 255
    changed = np.take_along_axis(np.rint(levels).astype(np.uint8), warped.reshape(number, -1), axis=1)
    changed = changed.reshape(lines.shape)
    for one in np.flatnonzero(random.random(number) < _NOISED_SHARE * strength):
        noise = random.standard_normal((height, room), np.float32) * np.float32(random.uniform(2, 16))
        changed[one] = np.clip(changed[one] + noise, 0, 255).astype(np.uint8)
    for one in np.flatnonzero(random.random(number) < _ERASED_SHARE * strength):
        _erase(changed[one], random)
    return changed


def _erase(line: Lines, random: Random) -> None:
    """A gap as narrow as a stroke, upright, level or square."""
    height, width = line.shape
    tall, long = ((height, 2), (2, 12), (5, 5))[int(random.integers(3))]
    top, left = int(random.integers(height - tall + 1)), int(random.integers(max(1, width - long + 1)))
    line[top : top + tall, left : left + long] = 0
