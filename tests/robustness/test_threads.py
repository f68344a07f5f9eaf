"""Threads that die in the middle of a request: one request is lost to it, and no more."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from app.api.app import Load
from app.classifier import Classifier
from app.manifest import ModelVersion
from app.recogniser import Limits, Recogniser
from app.runner import InterpreterPool
from app.settings import Settings
from tests.api.services import OneDigit, running, wait_for, with_classifier
from tests.images import draw_digit, encode

GOOD = encode(draw_digit(3))
THREADS = 2


class _Dying(OneDigit):
    """Ends the thread that asks, once."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._error: BaseException | None = error

    def logits(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        error, self._error = self._error, None
        if error is not None:
            raise error
        return super().logits(glyphs)


class _ThreadEnd(BaseException):
    """What no `except Exception` holds."""


def with_pool(classifier: Classifier) -> Load:
    """A `load` whose workers run the network themselves, as they do by default."""

    def load(settings: Settings, version: ModelVersion, on_batch: Callable[[int], None]) -> Recogniser:
        limits = Limits(settings.max_pixels, settings.max_digits, settings.request_timeout_s)
        pool = InterpreterPool([classifier] * THREADS, on_batch)
        return Recogniser(pool, version.manifest.temperature, version.manifest.threshold, limits)

    return load


@pytest.mark.parametrize("error", [SystemExit(3), _ThreadEnd()], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("load", [with_pool, with_classifier], ids=["a worker", "the batcher"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_takes_one_request_along(
    version: ModelVersion, load: Callable[[Classifier], Load], error: BaseException
) -> None:
    with running(version, load(_Dying(error)), threads=THREADS, request_timeout_s=2) as service:
        response = service.post("/predict", content=GOOD)
        assert response.status_code in (500, 503, 504)
        wait_for(lambda: service.post("/predict", content=GOOD).status_code == 200, "the thread is not replaced", 20)
        answers: list[int] = []
        clients = [
            threading.Thread(target=lambda: answers.append(service.post("/read", content=GOOD).status_code))
            for _ in range(6)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        assert answers == [200] * 6
        assert service.state.in_flight == 0
