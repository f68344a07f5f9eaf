"""Clients that stall, drip or hang up: their slots are free again, and others are answered."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from app.manifest import ModelVersion
from tests.api.problems import assert_problem
from tests.api.services import Blocking, OneDigit, Service, running, wait_for, with_classifier
from tests.images import draw_digit, encode

GOOD = encode(draw_digit(3))
SLOTS = 4
RAW = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n" + GOOD[:100]
FORM = (
    b"POST /read/batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    b'Content-Length: 5000\r\n\r\n--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + GOOD[:100]
)
CHUNKED = b"POST /read HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n" + GOOD[:30]


@contextmanager
def sending(service: Service, request: bytes) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as opened:
        opened.sendall(request)
        yield opened


def hang_up(opened: socket.socket) -> None:
    """At once, by a reset, as a client does that crashes."""
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    opened.close()


def in_flight(service: Service) -> float:
    lines = service.get("/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("digit_ocr_in_flight_requests "))


@pytest.fixture(scope="module")
def service(version: ModelVersion) -> Iterator[Service]:
    with running(version, with_classifier(OneDigit()), threads=2, max_in_flight=SLOTS, request_timeout_s=20) as started:
        yield started


@pytest.mark.parametrize("request_head", [RAW, FORM, CHUNKED], ids=["raw", "form", "chunked"])
def test_slots_of_clients_that_hang_up_are_free_again(service: Service, request_head: bytes) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(sending(service, request_head)) for _ in range(SLOTS)]
        wait_for(lambda: in_flight(service) == SLOTS, "the requests do not arrive")
        assert_problem(service.post("/predict", content=GOOD), "overloaded")
        assert service.get("/livez").status_code == 200
        hang_up(clients[0])
        wait_for(lambda: in_flight(service) == SLOTS - 1, "the slot is not free again")
        assert service.post("/predict", content=GOOD).status_code == 200
        for client in clients[1:]:
            hang_up(client)
    wait_for(lambda: in_flight(service) == 0, "requests are still in flight")
    assert service.post("/predict", content=GOOD).status_code == 200


@pytest.mark.parametrize("step", [b"", b"x"], ids=["stalls", "drips"])
def test_a_client_that_sends_too_slowly_loses_its_slot(version: ModelVersion, step: bytes) -> None:
    slow = running(version, with_classifier(OneDigit()), threads=2, max_in_flight=1, request_timeout_s=1)
    with slow as service, sending(service, RAW) as opened:
        wait_for(lambda: in_flight(service) == 1, "the request does not arrive")
        opened.settimeout(0.05)
        answer = b""
        give_up = time.monotonic() + 30
        while not answer and time.monotonic() < give_up:
            opened.sendall(step)
            try:
                answer = opened.recv(65_536)
            except TimeoutError:
                continue
        assert answer.startswith(b"HTTP/1.1 504 ")
        assert in_flight(service) == 0
        assert service.post("/predict", content=GOOD).status_code == 200


def test_a_client_that_hangs_up_while_it_is_answered(version: ModelVersion) -> None:
    classifier = Blocking()
    with running(version, with_classifier(classifier), threads=1, max_in_flight=2, request_timeout_s=60) as service:
        whole = f"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(GOOD)}\r\n\r\n".encode() + GOOD
        try:
            with sending(service, whole) as opened:
                assert classifier.entered.wait(60)
                hang_up(opened)
            assert service.get("/readyz").status_code == 200
        finally:
            classifier.release.set()
        wait_for(lambda: in_flight(service) == 0, "the request is still in flight")
        assert service.post("/predict", content=GOOD).status_code == 200


def test_many_that_come_and_go_leave_nothing(service: Service) -> None:
    for request in (RAW, FORM, CHUNKED) * 30:
        with sending(service, request[: len(request) * 2 // 3]) as opened:
            hang_up(opened)
    wait_for(lambda: in_flight(service) == 0, "requests are still in flight")
    assert service.post("/predict", content=GOOD).status_code == 200
