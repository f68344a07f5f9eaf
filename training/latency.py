"""How long a network takes for one glyph, on one thread of a process of its own."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from app.imaging.glyph import GLYPH_SIDE, network_input

WARM_UP = 50
CALLS = 500


def latencies(networks: Mapping[str, Callable[[], keras.Model]], files: Mapping[str, Path]) -> dict[str, float]:
    """Milliseconds a glyph, by key, of networks that functions of a module build and of `.keras` files.

    The median of 500 calls of a concrete function of batch size 1, after 50 to warm up; glyph and answer are numpy
    arrays. TensorFlow's threads are the process's, settled by its first use: hence another process.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_one_thread) as executor:
        pending = {key: executor.submit(_of_built, build) for key, build in networks.items()}
        pending |= {key: executor.submit(_of_file, path) for key, path in files.items()}
        return {key: future.result() for key, future in pending.items()}


def _one_thread() -> None:
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def _of_built(build: Callable[[], keras.Model]) -> float:
    return median_milliseconds(build())


def _of_file(path: Path) -> float:
    return median_milliseconds(keras.saving.load_model(path, compile=False, safe_mode=True))


def median_milliseconds(network: keras.Model) -> float:
    """The median time of one call with one glyph, in milliseconds, on the threads that this process has."""
    signature = tf.TensorSpec((1, GLYPH_SIDE, GLYPH_SIDE, 1), tf.float32)
    forward = tf.function(lambda glyph: network(glyph, training=False)).get_concrete_function(signature)
    pixels = np.random.default_rng(1).integers(0, 256, (1, GLYPH_SIDE, GLYPH_SIDE)).astype(np.uint8)
    glyph = network_input(pixels)
    taken = []
    for _ in range(WARM_UP + CALLS):
        begun = time.perf_counter()
        forward(tf.constant(glyph)).numpy()
        taken.append(time.perf_counter() - begun)
    return 1e3 * statistics.median(taken[WARM_UP:])
