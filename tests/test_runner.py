"""Interpreters in a pool: everyone gets their own logits, and no interpreter is used by two threads at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from app.runner import InterpreterPool
from tests.api.services import Raising


class Alone:
    """Logits that are the images' first pixels. Notes how many threads were ever in here at once."""

    def __init__(self) -> None:
        self._inside = 0
        self._lock = threading.Lock()
        self.most = 0

    def logits(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        logits = glyphs[:, 0, :11].astype(np.float32)
        with self._lock:
            self._inside -= 1
        return logits


def glyphs(number: int, count: int) -> NDArray[np.uint8]:
    return np.full((count, 28, 28), number, np.uint8)


def test_everyone_gets_their_own_and_no_interpreter_serves_two_at_once() -> None:
    interpreters, sizes = [Alone(), Alone(), Alone()], list[int]()
    pool = InterpreterPool(interpreters, sizes.append)

    def ask(number: int) -> None:
        result = pool.submit(glyphs(number % 256, 1 + number % 5)).result(0)
        assert result.logits.shape == (1 + number % 5, 11)
        assert (result.logits == number % 256).all()
        assert result.queue_ms >= 0
        assert result.inference_ms >= 0

    with ThreadPoolExecutor(12) as executor:
        list(executor.map(ask, range(2_000)))
    assert all(interpreter.most <= 1 for interpreter in interpreters)
    assert sum(sizes) == sum(1 + number % 5 for number in range(2_000))


def test_what_a_network_raises_goes_to_who_asked_and_the_interpreter_stays() -> None:
    broken = Raising(RuntimeError("out of memory"))
    pool = InterpreterPool([broken])
    with pytest.raises(RuntimeError, match="out of memory"):
        pool.submit(glyphs(1, 1)).result(0)
    broken.error = None
    assert pool.submit(glyphs(1, 1)).result(0).logits.shape == (1, 11)
