"""Who runs a network for a request: here its own thread does, with an interpreter that no other one uses meanwhile."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.classifier import Classifier
from app.deadline import Deadline


@dataclass(frozen=True, slots=True)
class Logits:
    """What a network made of one request's images: logits, float32, and milliseconds waited and computed."""

    logits: NDArray[np.float32]
    queue_ms: float
    inference_ms: float


class Runner(Protocol):
    """Runs one network for many threads."""

    def submit(self, images: NDArray[np.uint8], /) -> Future[Logits]:
        """The logits of images, (n, h, w) uint8, n ≥ 1, now or later."""
        ...

    def close(self) -> None:
        """Ends what runs; what was submitted is served."""
        ...


class InterpreterPool:
    """As many interpreters of one network as there are threads that ask: none waits, and none hands its images over.

    LiteRT takes hardly less time for a glyph of many than for a lone one: what a batch over several requests wins, the
    way to another thread and back costs several times over (tests/benchmarks/RESULTS.md).
    """

    def __init__(self, classifiers: Sequence[Classifier], on_batch: Callable[[int], None] = lambda _: None) -> None:
        self._idle: queue.LifoQueue[Classifier] = queue.LifoQueue()
        for classifier in classifiers:
            self._idle.put(classifier)
        self._on_batch = on_batch

    def submit(self, images: NDArray[np.uint8]) -> Future[Logits]:
        """Runs images, (n, h, w) uint8, n ≥ 1, on the caller's thread. What the network raises, the future raises."""
        future: Future[Logits] = Future()
        submitted = time.monotonic()
        classifier = self._idle.get()
        started = time.monotonic()
        try:
            logits = classifier.logits(images)
            inference_ms = 1e3 * (time.monotonic() - started)
            self._on_batch(len(images))
            future.set_result(Logits(logits, 1e3 * (started - submitted), inference_ms))
        except Exception as error:  # the same way to the caller as of a runner on another thread
            future.set_exception(error)
        finally:
            self._idle.put(classifier)
        return future

    def close(self) -> None:
        """Nothing to end: it has no thread."""


def awaited(future: Future[Logits], deadline: Deadline) -> Logits:
    """What was submitted, once it is there. Raises DeadlineExceeded, what the runner did not begin stays undone."""
    try:
        result = future.result(timeout=deadline.remaining())
    except FutureTimeoutError:
        future.cancel()
        deadline.check()
        raise
    deadline.check()
    return result
