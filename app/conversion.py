"""Keras networks → LiteRT flat buffers; the only TensorFlow in app/, and imported only where it is needed.

The `keras` engine loads a version's `model.keras`, converts it in memory and serves what comes out. For one glyph, in
floats, LiteRT takes a third of the time of TensorFlow's own executor (digits 1.0.0 on one thread of a Xeon: 0.28
against 0.80 ms), which is faster only where many come at once (16: 0.25 against 0.21 ms each), by less than waiting for
them costs. With weights of 8 bits, and activations that are rounded to 8 bits as they come ("dynamic range"), LiteRT
takes a quarter of its time (digits 1.9.0 on one thread of an EPYC: 0.07 against 0.26 ms). `python -m training.latency`
measures all.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.errors import ModelMismatch


def flat_buffer_of(path: Path, threads: int, dynamic: bool = False) -> bytes:
    """The network of a `.keras` file as `flat_buffer` makes it; the file is loaded with `safe_mode`.

    Takes seconds, on so many threads. Raises ModelMismatch where the file does not load.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # its banner is no news to an operator
    _settle_for_no_room()
    try:
        import keras
        import tensorflow as tf
    except ModuleNotFoundError:
        raise ModelMismatch(
            "The keras engine needs TensorFlow, which is not installed here; set DIGIT_OCR_ENGINE=litert."
        ) from None
    if keras.backend.backend() != "tensorflow":
        raise ModelMismatch("The keras engine runs on TensorFlow; unset KERAS_BACKEND.")
    # TensorFlow's threads are the process's, settled by its first use: a process that has trained keeps its own.
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    try:
        return flat_buffer(keras.saving.load_model(path, compile=False, safe_mode=True), dynamic)
    except Exception as error:  # Keras raises whatever its deserialisers do
        raise ModelMismatch(f"{path} does not load ({type(error).__name__}); copy the version anew.") from error


def _settle_for_no_room() -> None:
    """Where nothing can be written, names a folder for temporary files all the same.

    TensorFlow asks for one as it is imported, and would not be; nothing is ever written there.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        tempfile.tempdir = os.curdir


def flat_buffer(network: Any, dynamic: bool = False) -> bytes:
    """A Keras network as a LiteRT flat buffer, any batch size; `dynamic`: with weights of 8 bits, else with floats.

    Its variables are made constants first: the converter's own way from a Keras network takes several times as long.
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    signature = tf.TensorSpec(tuple(network.input_shape), tf.float32)
    # Autograph would rewrite a lambda's source, in a file; a network needs none of it.
    forward = tf.function(lambda inputs: network(inputs, training=False), autograph=False)
    frozen = convert_variables_to_constants_v2(forward.get_concrete_function(signature))
    with _quiet():
        converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    if dynamic:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converted(converter)


def converted(converter: Any) -> bytes:
    """What a `tf.lite.TFLiteConverter` makes, without what it prints."""
    with _quiet():
        return bytes(converter.convert())


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps to itself what is no news: the signature that Keras prints of what it saves on the way, and warnings that
    floats at the ends are meant and that a graph of constants is not tracked.
    """
    logger = logging.getLogger("absl")
    level = logger.level
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)
