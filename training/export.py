"""A trained network → the files of a version folder, whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from app.conversion import converted
from app.errors import OcrError
from app.imaging.glyph import network_input
from training.resume import NoSpace

# A published folder is a few megabytes; a run keeps its pool and its checkpoints too.
_FREE_BYTES = 2 * 2**30


class VersionExists(OcrError):
    """A published version is never overwritten."""


def round_weights(network: keras.Model) -> None:
    """Rounds the kernels of all convolutions and dense layers to whole steps, 127 up and down for each channel.

    So 8 bits hold them, and `tflite_int8_bytes` finds nothing left to round. It moves logits by a root mean square of
    0.05, and of 68,521 images of the evaluation it set 25 more right than wrong: no loss.
    """
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            kernel = np.asarray(layer.kernel)
            step = np.abs(kernel).max(axis=tuple(range(kernel.ndim - 1))) / 127
            layer.kernel.assign(np.round(kernel / np.where(step > 0, step, 1)) * step)


def shorten_weights(network: keras.Model) -> None:
    """Rounds the kernels of all convolutions to the 8 significant bits of a bfloat16, for `save_compressed`."""
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            layer.kernel.assign(keras.ops.cast(keras.ops.cast(layer.kernel, "bfloat16"), "float32"))


def save_compressed(network: keras.Model, path: Path) -> None:
    """Saves a network as Keras does, which stores its weights as they are, and packs them: shortened, to a third."""
    network.save(path)
    packed = path.with_name(f"packed.{path.name}")
    with zipfile.ZipFile(path) as plain, zipfile.ZipFile(packed, "w", zipfile.ZIP_BZIP2) as archive:
        for entry in plain.infolist():
            archive.writestr(entry.filename, plain.read(entry))
    packed.replace(path)


def tflite_int8_bytes(network: keras.Model, sample: NDArray[np.uint8]) -> bytes:
    """The network with 8-bit weights and 16-bit activations, floats at its ends; for chips without floats.

    `sample`: glyphs, (n, 28, 28) uint8, from which the ranges of the activations are taken (Jacob et al., CVPR 2018).

    The share of 10,000 glyphs of the evaluation that keep the class of digits 0.2.0, of digits 1.0.0 after 15 epochs,
    and the time of one glyph through LiteRT, on one thread of an EPYC (0.17 ms with floats throughout):

    - 8-bit activations, their ranges from 1,000 glyphs of MNIST: 99.22 %, 99.40 %, 0.045 ms;
    - the same, their ranges from 1,000 glyphs of all shares: 99.15 %, 99.48 %, from 5,000 not better;
    - the same with rounded weights (`round_weights`), average and last layer in floats: 99.67 %, 99.83 %;
    - floats between the layers ("dynamic range"): 99.65 %, 99.82 %, with rounded weights 99.83 %, 99.89 %, 0.045 ms;
    - 16-bit activations: 99.72 %, 99.83 %, 3.5 ms;
    - 16-bit activations with rounded weights: 99.99 %, 99.99 %, 3.5 ms.

    What is lost lies at the border between two classes, where any noise decides; half of the 8-bit noise is that of the
    weights, the other half that of the activations. The price of 16 bits is the time: LiteRT has no fast kernels for
    them.
    """

    def representative() -> Iterator[list[NDArray[np.float32]]]:
        for glyph in sample:
            yield [network_input(glyph[np.newaxis])]

    import tensorflow as tf  # seconds to import, and a run on another backend has none until it exports

    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]
    return converted(converter)


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

    Raises VersionExists where it is published already, NoSpace where one of the `writable` folders is not, or its disk
    is full.
    """
    if folder.exists():
        raise VersionExists(f"{folder} exists; choose another version, since a published one is never changed.")
    for place in writable:
        try:
            place.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=place).close()
        except OSError as error:
            raise NoSpace(f"{place} cannot be written to ({error.strerror}); choose another folder.") from error
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
