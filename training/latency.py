"""How long a network takes for one glyph on one thread.

`python -m training.latency models/digits/1.0.0/model.keras models/digits/1.0.0/*.tflite` measures a network on
TensorFlow's own executor and flat buffers through LiteRT, on this machine; `--batch 16` those of sixteen at once.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from app.imaging.glyph import GLYPH_SIDE, network_input
from training.machine import cpu_model

WARM_UP = 50
CALLS = 500
LITERT_CALLS = 1_000


def latencies(
    networks: Mapping[str, Callable[[], keras.Model]], files: Mapping[str, Path], batch: int = 1
) -> dict[str, float]:
    """Milliseconds a glyph, by key, of networks that functions of a module build and of `.keras` files.

    The median of 500 calls of a concrete function for `batch` glyphs, after 50 to warm up; glyphs and answers are numpy
    arrays. TensorFlow's threads are the process's, settled by its first use: hence another process.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_one_thread) as executor:
        pending = {key: executor.submit(_of_built, build, batch) for key, build in networks.items()}
        pending |= {key: executor.submit(_of_file, path, batch) for key, path in files.items()}
        return {key: future.result() for key, future in pending.items()}


def _one_thread() -> None:
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def _of_built(build: Callable[[], keras.Model], batch: int) -> float:
    return median_milliseconds(build(), batch)


def _of_file(path: Path, batch: int) -> float:
    return median_milliseconds(keras.saving.load_model(path, compile=False, safe_mode=True), batch)


def median_milliseconds(network: keras.Model, batch: int = 1) -> float:
    """The median time a glyph, in milliseconds, of calls with `batch` glyphs, on the threads that this process has."""
    signature = tf.TensorSpec((batch, GLYPH_SIDE, GLYPH_SIDE, 1), tf.float32)
    forward = tf.function(lambda glyphs: network(glyphs, training=False)).get_concrete_function(signature)
    glyphs = _any_glyphs(batch)
    return _median(lambda: forward(tf.constant(glyphs)).numpy(), CALLS) / batch


def litert_milliseconds(flat_buffer: bytes, batch: int = 1) -> float:
    """Milliseconds a glyph through LiteRT on one thread: the median of 1,000 calls, after 50 to warm up.

    A call hands `batch` glyphs over, runs the network and fetches their logits.
    """
    interpreter = Interpreter(model_content=flat_buffer, num_threads=1)
    source = interpreter.get_input_details()[0]["index"]
    target = interpreter.get_output_details()[0]["index"]
    glyphs = _any_glyphs(batch)
    interpreter.resize_tensor_input(source, glyphs.shape)
    interpreter.allocate_tensors()

    def call() -> None:
        interpreter.set_tensor(source, glyphs)
        interpreter.invoke()
        interpreter.get_tensor(target)

    return _median(call, LITERT_CALLS) / batch


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the time of every network that is named."""
    parser = argparse.ArgumentParser(prog="python -m training.latency", description=litert_milliseconds.__doc__)
    parser.add_argument("files", type=Path, nargs="+", help=".tflite and .keras files")
    parser.add_argument("--batch", type=int, default=1, help="glyphs at once; default 1")
    options = parser.parse_args(arguments)
    files: list[Path] = options.files
    if options.batch < 1:
        parser.error(f"--batch is {options.batch}; it is 1 at least")
    for missing in (file for file in files if not file.is_file()):
        parser.error(f"{missing} is not there")
    for file in files:
        if file.suffix == ".keras":
            milliseconds = latencies({}, {file.name: file}, options.batch)[file.name]
        else:
            milliseconds = litert_milliseconds(file.read_bytes(), options.batch)
        print(f"{file}: {milliseconds:.3f} ms a glyph, {options.batch} at once, on one thread of {cpu_model()}")


def _any_glyphs(count: int) -> NDArray[np.float32]:
    pixels = np.random.default_rng(1).integers(0, 256, (count, GLYPH_SIDE, GLYPH_SIDE)).astype(np.uint8)
    return network_input(pixels)


def _median(call: Callable[[], object], calls: int) -> float:
    taken = []
    for _ in range(WARM_UP + calls):
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return 1e3 * statistics.median(taken[WARM_UP:])


if __name__ == "__main__":
    main()
