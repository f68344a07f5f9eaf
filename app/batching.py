"""Micro-batching: glyphs of requests that wait at the same moment go through the model together; so do lines.

Terms as in TensorFlow Serving: `max_batch_size` images, `batch_timeout` to wait for more, `max_queue_size` requests.
Images of one batch are of one size: where the next in the queue are of another, they begin the next batch. Only the
model is batched; decoding and imaging stay with their request.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.classifier import Classifier
from app.errors import Overloaded, ShuttingDown
from app.runner import Logits


@dataclass(frozen=True, slots=True)
class _Item:
    images: NDArray[np.uint8]
    submitted: float = field(default_factory=time.monotonic)
    future: Future[Logits] = field(default_factory=Future)


class MicroBatcher:
    """Runs one classifier on a thread of its own. A lone request does not wait, unless `batch_timeout_s` says so."""

    def __init__(
        self,
        classifier: Classifier,
        max_batch_size: int,
        batch_timeout_s: float,
        max_queue_size: int,
        on_batch: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._classifier = classifier
        self._max_batch_size = max_batch_size
        self._batch_timeout_s = batch_timeout_s
        self._on_batch = on_batch
        self._queue: queue.Queue[_Item | None] = queue.Queue(max_queue_size)
        self._closed = False
        self._closing = threading.Lock()  # nothing may be queued behind the end
        self._thread = threading.Thread(target=self._run, name="micro-batcher", daemon=True)
        self._thread.start()

    def submit(self, images: NDArray[np.uint8]) -> Future[Logits]:
        """Queues images, (n, h, w) uint8, n ≥ 1. Raises Overloaded where the queue is full, ShuttingDown after close.

        What the classifier raises, the future raises. A cancelled future leaves the queue unserved.
        """
        item = _Item(images)
        with self._closing:
            if self._closed:
                raise ShuttingDown("The service is shutting down; send the request to another replica.")
            try:
                self._queue.put_nowait(item)
            except queue.Full:
                raise Overloaded("Too many images wait for the model; try again in a second.") from None
        return item.future

    def close(self) -> None:
        """Serves what is queued, then ends the thread."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        pending: _Item | None = None
        while True:
            first = pending or self._queue.get()
            pending = None
            if first is None:
                return
            batch, size = [first], len(first.images)
            deadline = time.monotonic() + self._batch_timeout_s
            ending = False
            while size < self._max_batch_size:
                try:
                    wait = deadline - time.monotonic()
                    item = self._queue.get(timeout=wait) if wait > 0 else self._queue.get_nowait()
                except queue.Empty:
                    break
                if item is None:
                    ending = True
                    break
                fits = item.images.shape[1:] == first.images.shape[1:]
                if not fits or size + len(item.images) > self._max_batch_size:
                    pending = item
                    break
                batch.append(item)
                size += len(item.images)
            self._serve(batch)
            if ending:
                return

    def _serve(self, batch: list[_Item]) -> None:
        batch = [item for item in batch if item.future.set_running_or_notify_cancel()]
        if not batch:
            return
        started = time.monotonic()
        try:
            logits = self._classifier.logits(np.concatenate([item.images for item in batch]))
        except BaseException as error:  # whatever it is belongs to the requests, and must not end the thread
            for item in batch:
                item.future.set_exception(error)
            return
        inference_ms = 1e3 * (time.monotonic() - started)
        self._on_batch(len(logits))
        start = 0
        for item in batch:
            end = start + len(item.images)
            item.future.set_result(Logits(logits[start:end], 1e3 * (started - item.submitted), inference_ms))
            start = end
