"""A client that hangs up: what waits for a thread leaves the queue, and of a batch no further file is begun."""

from __future__ import annotations

import socket

import numpy as np
from numpy.typing import NDArray

from tests.api.conftest import Start
from tests.api.services import Blocking, Service, wait_for
from tests.images import draw_number, encode


class Counting(Blocking):
    """Counts what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def logits(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.calls += 1
        return super().logits(glyphs)


def post(service: Service, files: int = 0) -> socket.socket:
    """Sends one image, or a form of several."""
    body, path, content_type = encode(draw_number("7", 40)), "/predict", "image/png"
    if files:
        part = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + body + b"\r\n"
        body, path, content_type = part * files + b"--b--\r\n", "/predict/batch", "multipart/form-data; boundary=b"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    connection = socket.create_connection(("127.0.0.1", service.port), 60)
    connection.sendall(head.encode() + body)
    return connection


def test_a_request_that_waits_leaves_with_its_client(start: Start) -> None:
    engine = Counting()
    with start(engine, threads=1) as service:
        with post(service) as first:
            assert engine.entered.wait(60)
            waiting = [post(service) for _ in range(5)]
            wait_for(lambda: service.state.in_flight == 6, "not all requests are in flight")
            for connection in waiting:
                connection.close()
            wait_for(lambda: service.state.in_flight == 1, "requests without a client stay")
            engine.release.set()
            assert first.recv(100).startswith(b"HTTP/1.1 200 ")
        wait_for(lambda: service.state.in_flight == 0, "the first request stays")
        with post(service) as last:
            assert last.recv(100).startswith(b"HTTP/1.1 200 ")
        assert engine.calls == 2


def test_a_batch_goes_no_further_without_its_client(start: Start) -> None:
    engine = Counting()
    with start(engine, threads=2) as service:
        try:
            with post(service, files=5):
                assert engine.entered.wait(60)
            assert service.get("/livez").status_code == 200  # by now the service has seen it
        finally:
            engine.release.set()
        wait_for(lambda: service.state.in_flight == 0, "the batch stays")
        assert engine.calls == 1
