"""Running services: the real application around the real model, or around a classifier that a test commands."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from app.api.app import Load, create_app
from app.api.protocol import ConnectionLimits
from app.api.server import Server
from app.api.state import ServiceState
from app.batching import MicroBatcher
from app.classifier import Classifier
from app.deadline import Deadline
from app.domain import Polarity, Prediction, Reading
from app.manifest import ModelVersion
from app.recogniser import Limits, Recogniser
from app.settings import Settings
from app.steps import Steps, in_one_step
from tests.conftest import MODELS


class Service(httpx.Client):
    """A client of one running service, and the state inside it that only a signal to the process changes otherwise."""

    def __init__(self, port: int, state: ServiceState) -> None:
        super().__init__(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False)
        self.port = port
        self.state = state


@contextmanager
def running(version: ModelVersion, load: Load, **settings: Any) -> Iterator[Service]:
    """A service that is ready to answer."""
    with starting(version, load, **settings) as service:
        wait_for(lambda: service.get("/readyz").status_code == 200, "the service is not ready")
        yield service


@contextmanager
def starting(
    version: ModelVersion, load: Load, on_failure: Callable[[Exception], None] | None = None, **settings: Any
) -> Iterator[Service]:
    """A service whose start has begun: the real application on the real server, and a port of its own.

    Among the settings there may be `limits`, which are none: those of its connections.
    """
    limits: ConnectionLimits | None = settings.pop("limits", None)
    failures: list[Exception] = []
    chosen = Settings(**{"model_dir": MODELS, "port": 0, **settings})
    app = create_app(chosen, version, load, on_failure or failures.append)
    server = Server(app, chosen, limits)
    thread = threading.Thread(target=server.run, name="server")
    thread.start()
    try:
        wait_for(lambda: server.started or not thread.is_alive(), "the server does not start")
        assert server.started
        with Service(server.servers[0].sockets[0].getsockname()[1], app.state.service) as service:
            yield service
    finally:
        server.should_exit = True
        thread.join(60)
    assert not thread.is_alive(), "the server does not end"
    assert not failures, failures


def wait_for(condition: Callable[[], bool], complaint: str, seconds: float = 60) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, complaint
        time.sleep(0.01)


def with_classifier(classifier: Classifier) -> Load:
    """A `load` whose service thinks with this classifier."""

    def load(settings: Settings, version: ModelVersion, on_batch: Callable[[int], None]) -> Recogniser:
        batcher = MicroBatcher(
            classifier,
            max_batch_size=settings.max_batch_size,
            batch_timeout_s=settings.batch_timeout_ms / 1e3,
            max_queue_size=settings.max_in_flight,
            on_batch=on_batch,
        )
        limits = Limits(settings.max_pixels, settings.max_digits, settings.request_timeout_s)
        return Recogniser(batcher, version.manifest.temperature, version.manifest.threshold, limits)

    return load


class OneDigit:
    """Takes every glyph for the same digit (10: for none), as sure as the logit says."""

    def __init__(self, label: int = 7, logit: float = 20.0) -> None:
        self._row = np.zeros(11, np.float32)
        self._row[label] = logit

    def logits(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.repeat(self._row[np.newaxis], len(glyphs), axis=0)


class Blocking(OneDigit):
    """Answers only once `release` is set; `entered` says that it is being asked."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.release = threading.Event()

    def logits(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.entered.set()
        assert self.release.wait(60)
        return super().logits(glyphs)


class Raising(OneDigit):
    """Raises `error` while there is one."""

    def __init__(self, error: Exception | None) -> None:
        super().__init__()
        self.error = error

    def logits(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        if self.error is not None:
            raise self.error
        return super().logits(glyphs)


class RaisingRecogniser(Recogniser):
    """Raises `error` at every image; for errors that no image brings about."""

    error: Exception = Exception()

    def __init__(self) -> None:
        batcher = MicroBatcher(OneDigit(), max_batch_size=1, batch_timeout_s=0, max_queue_size=1)
        super().__init__(batcher, temperature=1.0, threshold=0.5, limits=Limits(1, 1, 1.0))

    def predict(
        self,
        data: bytes,  # noqa: ARG002
        polarity: Polarity = Polarity.AUTO,  # noqa: ARG002
        min_confidence: float | None = None,  # noqa: ARG002
        deadline: Deadline | None = None,  # noqa: ARG002
        explain: bool = False,  # noqa: ARG002
    ) -> Prediction:
        raise self.error

    def predicting(self, data: bytes, *_: Any) -> Steps[Prediction]:
        return in_one_step(lambda: self.predict(data))

    def read(
        self,
        data: bytes,  # noqa: ARG002
        polarity: Polarity = Polarity.AUTO,  # noqa: ARG002
        min_confidence: float | None = None,  # noqa: ARG002
        expected_length: int | None = None,  # noqa: ARG002
        deadline: Deadline | None = None,  # noqa: ARG002
        since: float | None = None,  # noqa: ARG002
    ) -> Reading:
        raise self.error
