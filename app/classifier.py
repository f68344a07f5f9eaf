"""Glyphs → logits. The engines behind one small interface; the only TensorFlow import in app/."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.calibration import LABELS
from app.errors import ModelMismatch
from app.imaging.glyph import GLYPH_SIDE, network_input


class Classifier(Protocol):
    """An engine with a model in it. Called by one thread at a time."""

    def logits(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Logits, (n, 11) float32, of glyphs, (n, 28, 28) uint8, n ≥ 1."""
        ...


class KerasClassifier:
    """The versioned `.keras` file, run through compiled functions of fixed batch sizes.

    `model.predict` costs some 50 ms a call; a concrete function about one. Batches are padded to a power of two, so
    that no request ever waits for a new trace.
    """

    def __init__(self, path: Path, max_batch_size: int, threads: int) -> None:
        """Loads the model with `safe_mode` and warms every batch size up.

        Raises ModelMismatch where the file does not load, or has other inputs or outputs.
        """
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # its banner is no news to an operator
        import keras
        import tensorflow as tf

        if keras.backend.backend() != "tensorflow":
            raise ModelMismatch("The keras engine runs on TensorFlow; unset KERAS_BACKEND.")
        # TensorFlow's threads are the process's, settled by its first use: a process that has trained keeps its own.
        with contextlib.suppress(RuntimeError):
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        try:
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
        except Exception as error:  # Keras raises whatever its deserialisers do
            raise ModelMismatch(f"{path} does not load ({type(error).__name__}); copy the version anew.") from error
        shapes = (tuple(model.input_shape), tuple(model.output_shape))
        if shapes != ((None, GLYPH_SIDE, GLYPH_SIDE, 1), (None, len(LABELS))):
            raise ModelMismatch(
                f"{path} maps {shapes[0]} to {shapes[1]}; this service needs 28×28 glyphs to 11 logits."
            )
        forward = tf.function(lambda glyphs: model(glyphs, training=False))
        self._functions: dict[int, Any] = {}
        for size in _batch_sizes(max_batch_size):
            signature = tf.TensorSpec((size, GLYPH_SIDE, GLYPH_SIDE, 1), tf.float32)
            self._functions[size] = forward.get_concrete_function(signature)
            self.logits(np.zeros((size, GLYPH_SIDE, GLYPH_SIDE), np.uint8))

    def logits(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Logits, (n, 11) float32, of glyphs, (n, 28, 28) uint8, n ≥ 1."""
        largest = max(self._functions)
        return np.concatenate([self._run(glyphs[i : i + largest]) for i in range(0, len(glyphs), largest)])

    def _run(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        import tensorflow as tf

        count = len(glyphs)
        size = next(size for size in sorted(self._functions) if size >= count)
        inputs = np.zeros((size, GLYPH_SIDE, GLYPH_SIDE, 1), np.float32)
        inputs[:count] = network_input(glyphs)
        return np.asarray(self._functions[size](tf.constant(inputs)).numpy()[:count], np.float32)


def _batch_sizes(largest: int) -> list[int]:
    """1, 2, 4, … and `largest` itself."""
    sizes = [1]
    while sizes[-1] * 2 < largest:
        sizes.append(sizes[-1] * 2)
    return sorted({*sizes, largest})
