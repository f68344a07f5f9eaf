"""Glyphs and lines → logits. The engines behind one small interface; the only TensorFlow import in app/."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.alignment import BLANK
from app.calibration import LABELS
from app.errors import ModelMismatch
from app.imaging.glyph import GLYPH_SIDE, network_input
from app.imaging.line import LINE_HEIGHT, STEP_WIDTH

# Lines are widened to the next of these: the runtime keeps what it has prepared for every width that it has seen.
LINE_WIDTHS = (64, 96, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 1024)
# So many pixels of line, together, go through the reader at once: more is not faster, and takes memory.
_MOST_LINE_PIXELS = 4096


class Classifier(Protocol):
    """An engine with a model in it. Called by one thread at a time."""

    def logits(self, images: NDArray[np.uint8], /) -> NDArray[np.float32]:
        """Logits, float32, of n ≥ 1 images of one size: (n, 11) of glyphs, (n, 28, 28) uint8.

        Or (n, w / 2, 11) of lines, (n, 32, w), w one of LINE_WIDTHS.
        """
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
        model = _loaded(path, threads)
        import tensorflow as tf

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


class KerasLineReader:
    """The versioned line reader, a `.keras` file, run through one compiled function for lines of any width."""

    def __init__(self, path: Path, threads: int) -> None:
        """Loads the reader with `safe_mode`, and warms up the widths that most lines have.

        Raises ModelMismatch where the file does not load, or has other inputs or outputs.
        """
        model = _loaded(path, threads)
        import tensorflow as tf

        shapes = (tuple(model.input_shape), tuple(model.output_shape))
        if shapes != ((None, LINE_HEIGHT, None, 1), (None, None, BLANK + 1)):
            raise ModelMismatch(
                f"{path} maps {shapes[0]} to {shapes[1]}; this service needs lines 32 high to 11 logits a step."
            )
        signature = tf.TensorSpec((None, LINE_HEIGHT, None, 1), tf.float32)
        self._function: Any = tf.function(lambda lines: model(lines, training=False)).get_concrete_function(signature)
        for width in LINE_WIDTHS[:8]:
            steps = self.logits(np.zeros((1, LINE_HEIGHT, width), np.uint8)).shape[1]
            if steps * STEP_WIDTH != width:
                raise ModelMismatch(f"{path} gives {steps} steps for {width} columns; this service needs half as many.")

    def logits(self, lines: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Logits, (n, w / 2, 11) float32, of lines, (n, 32, w) uint8, n ≥ 1, w one of LINE_WIDTHS."""
        import tensorflow as tf

        most = max(1, _MOST_LINE_PIXELS // lines.shape[2])
        parts = [network_input(lines[i : i + most]) for i in range(0, len(lines), most)]
        return np.concatenate([self._function(tf.constant(part)).numpy() for part in parts])


def _loaded(path: Path, threads: int) -> Any:
    """A Keras model of a file. Raises ModelMismatch where it does not load."""
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
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever its deserialisers do
        raise ModelMismatch(f"{path} does not load ({type(error).__name__}); copy the version anew.") from error


def _batch_sizes(largest: int) -> list[int]:
    """1, 2, 4, … and `largest` itself."""
    sizes = [1]
    while sizes[-1] * 2 < largest:
        sizes.append(sizes[-1] * 2)
    return sorted({*sizes, largest})
