"""Fitting a line reader to a pool of lines: resumable, with its progress on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from app.alignment import BLANK
from app.ctc import greedy_text
from training.averaging import keep_best_share
from training.lines.config import LinesConfig
from training.lines.draw import NO_DIGIT, text_of
from training.lines.figures import Figures, figures, fitted_blank_bias
from training.lines.network import LOGITS, grown, line_reader
from training.lines.pool import LinePool, LinePools
from training.lines.stream import LineStream, reader_input
from training.precision import computing_in
from training.resume import Epochs, fit

_LARGEST_GRADIENT = 5.0
# The batches, and the lines of each, that the statistics of averaged weights are measured on.
_STATISTICS, _LINES = 100, 40


def fitted_reader(
    config: LinesConfig, pools: LinePools, run_dir: Path, smaller: keras.Model | None = None
) -> tuple[keras.Model, float]:
    """Trains a reader, which grows from a `smaller` one where there is one, and keeps a share of what it learned.

    The answer is the reader and that share: of several, the one with which validation is read best. `run_dir` keeps the
    state after every epoch, and a run that was begun there goes on.

    Raises TrainingFailed where it is stopped, the loss is no number, or the state is that of another network; NoSpace
    where the disk is full.
    """
    keras.utils.set_random_seed(config.seed)
    network = line_reader(config.size) if smaller is None else grown(smaller, config.size)
    if config.precision != "float32":
        network = computing_in(config.precision, network, LOGITS)
    before = network.get_weights()
    _freeze_statistics(network, config.frozen_statistics)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, config.epochs * config.steps, warmup_target=config.learning_rate, warmup_steps=config.steps // 4
    )
    network.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=config.weight_decay, global_clipnorm=_LARGEST_GRADIENT),
        loss=ctc_loss,
    )
    stream = LineStream(pools.training, config, pools.wordy)
    fit(
        network,
        Epochs(config.epochs, config.steps, config.steps * stream.lines_a_batch),
        run_dir,
        stream.batches,
        [_Validation(pools.validation, config.batch_width)],
        steps_per_epoch=config.steps,
        shuffle=False,
    )
    _freeze_statistics(network, False)
    network = computing_in("float32", network, ())

    def unseen() -> Iterator[NDArray[np.float32]]:
        whole = config.epochs * config.steps  # batches that no epoch had
        return (reader_input(stream.batch(whole + i)[0][:_LINES]) for i in range(_STATISTICS))

    def exact() -> float:
        return _at_its_best(network, pools.validation, config.batch_width)

    return network, keep_best_share(network, before, config.learned_shares, unseen, exact)


def _freeze_statistics(network: keras.Model, frozen: bool) -> None:
    """Has normalisations use, and keep, the averages that they have; Keras takes those that are not trained so."""
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = not frozen


def ctc_loss(labels: Any, logits: Any) -> Any:
    """Minus the logarithm of each text's probability, (n,), by connectionist temporal classification.

    `labels`: (n, l), NO_DIGIT after the last digit; `logits`: (n, t, 11), the blank last, with t enough for every text.
    TensorFlow's kernel for sparse labels takes a sixth of the time of Keras' own loss on a CPU.
    """
    return (
        _sparse_ctc_loss(labels, logits) if keras.backend.backend() == "tensorflow" else keras_ctc_loss(labels, logits)
    )


def keras_ctc_loss(labels: Any, logits: Any) -> Any:
    """The same as `ctc_loss`, on any backend."""
    labels = ops.cast(labels, "int32")
    lengths = ops.sum(ops.cast(labels != NO_DIGIT, "int32"), axis=1)
    steps = ops.full_like(lengths, ops.shape(logits)[1])
    return ops.ctc_loss(ops.maximum(labels, 0), logits, lengths, steps, mask_index=BLANK)


def _sparse_ctc_loss(labels: Any, logits: Any) -> Any:
    """By TensorFlow's kernel; it has no empty texts, whose one alignment is of blanks alone."""
    import tensorflow as tf  # the backend, then; others train without it

    labels = tf.cast(labels, tf.int32)
    empty = tf.reduce_all(labels == NO_DIGIT, axis=1)
    first = tf.one_hot(0, tf.shape(labels)[1], on_value=True, off_value=False)
    labels = tf.where(empty[:, None] & first[None], 0, labels)
    places = tf.where(labels != NO_DIGIT)
    sparse = tf.SparseTensor(places, tf.gather_nd(labels, places), tf.cast(tf.shape(labels), tf.int64))
    shape = tf.shape(logits)
    loss = tf.nn.ctc_loss(
        sparse, logits, None, tf.fill(shape[:1], shape[1]), logits_time_major=False, blank_index=BLANK
    )
    blanks = -tf.reduce_sum(tf.nn.log_softmax(logits)[:, :, BLANK], axis=1)
    return tf.where(empty, blanks, loss)


def pool_logits(network: keras.Model, pool: LinePool, batch_width: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """The text of every line of a pool, and its logits, (t, 11) float32."""
    for width, lines in pool.items():
        size = max(1, batch_width // width)
        for start in range(0, len(lines), size):
            logits = network.predict_on_batch(reader_input(lines.lines[start : start + size]))
            for labels, own in zip(lines.labels[start : start + size], logits, strict=True):
                yield text_of(labels), own


def validated(network: keras.Model, pool: LinePool, batch_width: int) -> Figures:
    """How well a network reads a pool's lines, by greedy decoding."""
    return figures((text, greedy_text(logits)) for text, logits in pool_logits(network, pool, batch_width))


def _at_its_best(network: keras.Model, pool: LinePool, batch_width: int) -> float:
    """What share of a pool's lines a network reads exactly with the bias of the blank that fits it."""
    read = list(pool_logits(network, pool, batch_width))
    lowered = np.zeros(BLANK + 1, np.float32)
    lowered[BLANK] = fitted_blank_bias(read)
    return figures((text, greedy_text(logits - lowered)) for text, logits in read).exact


class _Validation(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Adds what share of strings is read exactly, and the character error rate, to the figures of an epoch."""

    def __init__(self, pool: LinePool, batch_width: int) -> None:
        super().__init__()
        self._pool = pool
        self._batch_width = batch_width

    def on_epoch_end(self, epoch: int, logs: MutableMapping[str, float] | None = None) -> None:  # noqa: ARG002
        read = validated(self.model, self._pool, self._batch_width)
        if logs is not None:
            logs["val_exact"], logs["val_character_errors"] = read.exact, read.character_errors
