"""The micro-batcher: what waits at the same moment goes through the model together, and everyone gets their own."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.batching import MicroBatcher
from app.classifier import Classifier
from app.errors import Overloaded, ShuttingDown
from app.runner import Logits

WAIT = 60


class Echo:
    """Logits that tell which glyph was asked for: its first pixels. Remembers the sizes of its batches."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.threads: set[int] = set()

    def logits(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.sizes.append(len(glyphs))
        self.threads.add(threading.get_ident())
        return glyphs[:, 0, :11].astype(np.float32)


class Gated(Echo):
    """Holds every batch until `gate` is open; `entered` counts those that have come."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Semaphore(0)
        self.gate = threading.Event()

    def logits(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.entered.release()
        assert self.gate.wait(WAIT)
        return super().logits(glyphs)


class Failing(Echo):
    """Fails where a glyph's first pixel is 13."""

    def logits(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        if (glyphs[:, 0, 0] == 13).any():
            raise RuntimeError("unlucky")
        return super().logits(glyphs)


def glyphs(number: int, count: int = 1) -> NDArray[np.uint8]:
    stack = np.zeros((count, 28, 28), np.uint8)
    stack[:, 0, 0] = number
    stack[:, 0, 1] = np.arange(count)
    return stack


def assert_own(future: Future[Logits], number: int, count: int = 1) -> None:
    """The answer is the one to this question, in its order."""
    result = future.result(WAIT)
    assert result.logits.shape == (count, 11)
    np.testing.assert_array_equal(result.logits[:, 0], number)
    np.testing.assert_array_equal(result.logits[:, 1], np.arange(count))
    assert result.queue_ms >= 0
    assert result.inference_ms >= 0


@contextmanager
def batcher(classifier: Classifier, **options: Any) -> Iterator[MicroBatcher]:
    started = MicroBatcher(
        classifier, **{"max_batch_size": 8, "batch_timeout_s": 0.0, "max_queue_size": 100, **options}
    )
    try:
        yield started
    finally:
        if isinstance(classifier, Gated):
            classifier.gate.set()
        started.close()


def test_a_lone_request_does_not_wait() -> None:
    with batcher(Echo(), batch_timeout_s=0.0) as started:
        assert_own(started.submit(glyphs(7)), 7)


def test_a_request_of_several_glyphs_stays_together() -> None:
    classifier = Echo()
    with batcher(classifier) as started:
        assert_own(started.submit(glyphs(7, 5)), 7, 5)
    assert classifier.sizes == [5]


def test_what_waits_goes_together() -> None:
    classifier = Gated()
    with batcher(classifier) as started:
        first = started.submit(glyphs(1))
        assert classifier.entered.acquire(timeout=WAIT)
        others = [started.submit(glyphs(number)) for number in (2, 3, 4)]
        classifier.gate.set()
        for number, future in enumerate([first, *others], 1):
            assert_own(future, number)
    assert classifier.sizes == [1, 3]


def test_images_of_another_size_begin_the_next_batch() -> None:
    classifier = Gated()
    with batcher(classifier) as started:
        first = started.submit(glyphs(1))
        assert classifier.entered.acquire(timeout=WAIT)
        wide = np.zeros((1, 28, 64), np.uint8)
        wide[:, 0, 0] = 4
        futures = [started.submit(glyphs(2)), started.submit(glyphs(3)), started.submit(wide), started.submit(wide)]
        classifier.gate.set()
        for number, future in zip((1, 2, 3, 4, 4), [first, *futures], strict=True):
            assert_own(future, number)
    assert classifier.sizes == [1, 2, 2]


def test_a_full_batch_does_not_wait_for_its_time() -> None:
    classifier = Echo()
    with batcher(classifier, max_batch_size=4, batch_timeout_s=10 * WAIT) as started:
        futures = [started.submit(glyphs(number)) for number in range(4)]
        for number, future in enumerate(futures):
            assert_own(future, number)
    assert classifier.sizes == [4]


def test_a_batch_waits_its_time_for_others() -> None:
    classifier = Echo()
    with batcher(classifier, batch_timeout_s=0.3) as started:
        futures = [started.submit(glyphs(number)) for number in (1, 2)]
        for number, future in enumerate(futures, 1):
            assert_own(future, number)
    assert classifier.sizes == [2]


def test_a_batch_never_exceeds_its_size() -> None:
    classifier = Gated()
    with batcher(classifier, max_batch_size=4) as started:
        futures = [started.submit(glyphs(0))]
        assert classifier.entered.acquire(timeout=WAIT)
        counts = [3, 3, 1, 2, 2, 4, 1]
        futures += [started.submit(glyphs(number, count)) for number, count in enumerate(counts, 1)]
        classifier.gate.set()
        for number, (future, count) in enumerate(zip(futures, [1, *counts], strict=True)):
            assert_own(future, number, count)
    assert max(classifier.sizes) <= 4
    assert sum(classifier.sizes) == 1 + sum(counts)


def test_a_request_larger_than_a_batch_is_served_all_the_same() -> None:
    with batcher(Echo(), max_batch_size=4) as started:
        assert_own(started.submit(glyphs(5, 11)), 5, 11)
        assert_own(started.submit(glyphs(6)), 6)


def test_a_failure_belongs_to_its_batch_alone() -> None:
    with batcher(Failing(), max_batch_size=1) as started:
        futures = {number: started.submit(glyphs(number)) for number in (12, 13, 14)}
        with pytest.raises(RuntimeError, match="unlucky"):
            futures[13].result(WAIT)
        assert_own(futures[12], 12)
        assert_own(futures[14], 14)


def test_after_a_failure_it_goes_on() -> None:
    with batcher(Failing()) as started:
        for _ in range(3):
            with pytest.raises(RuntimeError, match="unlucky"):
                started.submit(glyphs(13)).result(WAIT)
        assert_own(started.submit(glyphs(1)), 1)


class _FailingTogether(Gated):
    """Fails at every batch once the gate is open."""

    def logits(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        super().logits(glyphs)
        raise ValueError("all of them")


def test_a_failure_reaches_everyone_of_its_batch() -> None:
    classifier = _FailingTogether()
    with batcher(classifier) as started:
        futures = [started.submit(glyphs(1))]
        assert classifier.entered.acquire(timeout=WAIT)
        futures += [started.submit(glyphs(number)) for number in (2, 3)]
        classifier.gate.set()
        for future in futures:
            with pytest.raises(ValueError, match="all of them"):
                future.result(WAIT)


def test_a_cancelled_request_is_not_served() -> None:
    classifier = Gated()
    with batcher(classifier) as started:
        first = started.submit(glyphs(1))
        assert classifier.entered.acquire(timeout=WAIT)
        given_up, kept = started.submit(glyphs(2, 3)), started.submit(glyphs(3))
        assert given_up.cancel()
        classifier.gate.set()
        assert_own(first, 1)
        assert_own(kept, 3)
        with pytest.raises(CancelledError):
            given_up.result(WAIT)
    assert classifier.sizes == [1, 1]


def test_where_all_are_cancelled_nothing_is_computed() -> None:
    classifier = Gated()
    with batcher(classifier) as started:
        first = started.submit(glyphs(1))
        assert classifier.entered.acquire(timeout=WAIT)
        assert all(started.submit(glyphs(number)).cancel() for number in (2, 3))
        classifier.gate.set()
        assert_own(first, 1)
        assert_own(started.submit(glyphs(4)), 4)
    assert classifier.sizes == [1, 1]


def test_what_is_being_computed_cannot_be_cancelled() -> None:
    classifier = Gated()
    with batcher(classifier) as started:
        future = started.submit(glyphs(1))
        assert classifier.entered.acquire(timeout=WAIT)
        assert not future.cancel()
        classifier.gate.set()
        assert_own(future, 1)


def test_a_full_queue_is_overloaded() -> None:
    classifier = Gated()
    with batcher(classifier, max_queue_size=2) as started:
        futures = [started.submit(glyphs(0))]
        assert classifier.entered.acquire(timeout=WAIT)
        futures += [started.submit(glyphs(number)) for number in (1, 2)]
        with pytest.raises(Overloaded):
            started.submit(glyphs(3))
        classifier.gate.set()
        for number, future in enumerate(futures):
            assert_own(future, number)
        assert_own(started.submit(glyphs(4)), 4)


def test_close_serves_what_is_queued() -> None:
    classifier = Gated()
    started = MicroBatcher(classifier, max_batch_size=2, batch_timeout_s=0, max_queue_size=10)
    futures = [started.submit(glyphs(number)) for number in range(5)]
    closing = threading.Thread(target=started.close)
    closing.start()
    classifier.gate.set()
    closing.join(WAIT)
    assert not closing.is_alive()
    for number, future in enumerate(futures):
        assert future.done()
        assert_own(future, number)


def test_close_does_not_wait_for_others_to_come() -> None:
    started = MicroBatcher(Echo(), max_batch_size=8, batch_timeout_s=10 * WAIT, max_queue_size=10)
    future = started.submit(glyphs(1))
    started.close()
    assert_own(future, 1)


def test_after_close_it_is_shutting_down() -> None:
    started = MicroBatcher(Echo(), max_batch_size=2, batch_timeout_s=0, max_queue_size=10)
    started.close()
    with pytest.raises(ShuttingDown):
        started.submit(glyphs(1))
    started.close()  # once more does no harm


@pytest.fixture
def _restless_threads() -> Iterator[None]:
    """Threads change places after nearly every step, so that races show."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def _submit_until_closed(started: MicroBatcher, begun: threading.Barrier) -> list[Future[Logits]]:
    futures: list[Future[Logits]] = []
    begun.wait(WAIT)
    while True:
        try:
            futures.append(started.submit(glyphs(1)))
        except Overloaded:
            continue
        except ShuttingDown:
            return futures


@pytest.mark.usefixtures("_restless_threads")
def test_submitting_while_it_closes_never_hangs() -> None:
    """Whoever was let in is answered, or told that it is too late."""
    begun = threading.Barrier(4)
    with ThreadPoolExecutor(3) as pool:
        for _ in range(300):
            started = MicroBatcher(Echo(), max_batch_size=4, batch_timeout_s=0, max_queue_size=4)
            senders = [pool.submit(_submit_until_closed, started, begun) for _ in range(3)]
            begun.wait(WAIT)
            started.close()
            for future in [future for sender in senders for future in sender.result(WAIT)]:
                error = future.exception(5)  # where it was never answered, the time runs out
                assert error is None or isinstance(error, ShuttingDown)


def test_closing_twice_at_once_waits_for_the_end_both_times() -> None:
    classifier = Gated()
    started = MicroBatcher(classifier, max_batch_size=2, batch_timeout_s=0, max_queue_size=10)
    future = started.submit(glyphs(1))
    assert classifier.entered.acquire(timeout=WAIT)
    with ThreadPoolExecutor(2) as pool:
        closing = [pool.submit(started.close) for _ in range(2)]
        classifier.gate.set()
        for close in closing:
            close.result(WAIT)
    assert_own(future, 1)


def test_many_threads_get_their_own_answers() -> None:
    classifier = Echo()
    with batcher(classifier, max_batch_size=16, max_queue_size=1000) as started:

        def ask(number: int) -> None:
            for count in (1, 3, 2):
                assert_own(started.submit(glyphs(number, count)), number, count)

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(ask, range(200)))
    assert sum(classifier.sizes) == 200 * 6
    assert max(classifier.sizes) <= 16
    assert len(classifier.threads) == 1  # an engine is never called from two threads


@given(st.lists(st.integers(1, 12), min_size=1, max_size=12), st.integers(1, 10))
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
def test_whatever_the_sizes_everyone_is_answered(counts: list[int], max_batch_size: int) -> None:
    classifier = Gated()
    with batcher(classifier, max_batch_size=max_batch_size) as started:
        futures = [started.submit(glyphs(number, count)) for number, count in enumerate(counts)]
        classifier.gate.set()
        for number, (future, count) in enumerate(zip(futures, counts, strict=True)):
            assert_own(future, number, count)
    assert all(size <= max(max_batch_size, *counts) for size in classifier.sizes)


def test_batches_are_reported() -> None:
    sizes: list[int] = []
    with batcher(Echo(), on_batch=sizes.append) as started:
        started.submit(glyphs(1, 3)).result(WAIT)
    assert sizes == [3]
