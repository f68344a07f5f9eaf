"""A trained network → the files of a version folder, whole or not at all."""

from __future__ import annotations

import contextlib
import io
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from app.errors import OcrError
from app.imaging.glyph import network_input

# A published folder is a few megabytes; a run keeps its pool and its checkpoints too.
_FREE_BYTES = 2 * 2**30


class VersionExists(OcrError):
    """A published version is never overwritten."""


class NoSpace(OcrError):
    """Too little room for what a run writes."""


def tflite_bytes(network: keras.Model) -> bytes:
    """The network as a LiteRT flat buffer with float weights, any batch size."""
    return _converted(tf.lite.TFLiteConverter.from_keras_model(network))


def tflite_int8_bytes(network: keras.Model, sample: NDArray[np.uint8]) -> bytes:
    """The network with 8-bit weights and activations, floats at its ends; for phones.

    `sample`: glyphs, (n, 28, 28) uint8, from which the ranges of the activations are taken
    (Jacob et al., CVPR 2018).
    """

    def representative() -> Iterator[list[NDArray[np.float32]]]:
        for glyph in sample:
            yield [network_input(glyph[np.newaxis])]

    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    return _converted(converter)


def parity(network: keras.Model, tflite: bytes, glyphs: NDArray[np.uint8]) -> float:
    """The share of `glyphs`, (n, 28, 28) uint8, to which a flat buffer gives the network's class."""
    inputs = network_input(glyphs)
    interpreter = Interpreter(model_content=tflite, num_threads=1)
    source = interpreter.get_input_details()[0]["index"]
    target = interpreter.get_output_details()[0]["index"]
    interpreter.resize_tensor_input(source, inputs.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(source, inputs)
    interpreter.invoke()
    ours = np.asarray(network.predict(inputs, batch_size=512, verbose=0)).argmax(axis=1)
    return float(np.mean(interpreter.get_tensor(target).argmax(axis=1) == ours))


def refuse_to_start(folder: Path, *writable: Path) -> None:
    """Asks, before hours are spent, whether a run could publish to `folder`.

    Raises VersionExists where it is published already, NoSpace where one of the `writable` folders' disks is full.
    """
    if folder.exists():
        raise VersionExists(f"{folder} exists; choose another version, since a published one is never changed.")
    for place in writable:
        place.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(place).free
        if free < _FREE_BYTES:
            raise NoSpace(f"{place} has {free / 2**20:,.0f} MiB left, and a run needs {_FREE_BYTES / 2**20:,.0f}.")


def publish(folder: Path, write: Callable[[Path], None]) -> Path:
    """Has `write` fill a folder aside, then renames it to `folder`. Raises VersionExists, or NoSpace."""
    if folder.exists():
        raise VersionExists(f"{folder} exists; choose another version, since a published one is never changed.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        write(aside)
        aside.chmod(0o755)
        aside.rename(folder)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise NoSpace(f"{folder} could not be written ({error.strerror}); nothing of it is left. Make room.") from error
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return folder


def _converted(converter: tf.lite.TFLiteConverter) -> bytes:
    # Keras prints the signature of what it saves on the way; the converter warns that floats at the ends are meant.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return bytes(converter.convert())
