"""A client that hangs up while its request waits for a thread: the request leaves the queue."""

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


def post(service: Service) -> socket.socket:
    body = encode(draw_number("7", 40))
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
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
