"""A trained network → a version folder, whole or not at all."""

from __future__ import annotations

import contextlib
import io
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from app.errors import OcrError


class VersionExists(OcrError):
    """A published version is never overwritten."""


def tflite_bytes(network: keras.Model) -> bytes:
    """The network as a TensorFlow Lite flat buffer with float weights."""
    with contextlib.redirect_stdout(io.StringIO()):  # Keras prints the signature of what it saves on the way
        return bytes(tf.lite.TFLiteConverter.from_keras_model(network).convert())


def parity(network: keras.Model, tflite: bytes, inputs: NDArray[np.float32]) -> float:
    """The share of `inputs`, (n, 28, 28, 1), on which the flat buffer gives the network's class."""
    interpreter = Interpreter(model_content=tflite, num_threads=1)
    source = interpreter.get_input_details()[0]["index"]
    target = interpreter.get_output_details()[0]["index"]
    interpreter.resize_tensor_input(source, inputs.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(source, inputs)
    interpreter.invoke()
    ours = np.asarray(network.predict(inputs, batch_size=512, verbose=0)).argmax(axis=1)
    return float(np.mean(interpreter.get_tensor(target).argmax(axis=1) == ours))


def refuse_existing(folder: Path) -> None:
    """Raises VersionExists where the version is published already; worth asking before hours are spent."""
    if folder.exists():
        raise VersionExists(f"{folder} exists; choose another --version, since a published one is never changed.")


def publish(folder: Path, write: Callable[[Path], None]) -> Path:
    """Has `write` fill a folder aside, then renames it to `folder`. Raises VersionExists."""
    refuse_existing(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        write(aside)
        aside.chmod(0o755)
        aside.rename(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return folder
