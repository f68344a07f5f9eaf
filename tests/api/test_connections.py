"""Clients that are slow, endless or deaf: none of them keeps a connection, and none keeps others from being served."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from app.api.protocol import ConnectionLimits
from app.manifest import ModelVersion
from tests.api.conftest import Start
from tests.api.problems import assert_problem_document
from tests.api.services import OneDigit, Service, running, wait_for, with_classifier
from tests.images import draw_digit, encode

GOOD = encode(draw_digit(3))
LIVEZ = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n"


@contextmanager
def connection(service: Service) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as opened:
        yield opened


def received(opened: socket.socket) -> bytes:
    """Everything until the other side closes, be it by a reset."""
    data = b""
    try:
        while chunk := opened.recv(65_536):
            data += chunk
    except ConnectionResetError:
        pass
    return data


def assert_refused(answer: bytes) -> str:
    """The canonical problem, on a connection that is closed; the request's id."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"connection"] == b"close"
    problem = json.loads(body)
    assert_problem_document(problem, "malformed-request")
    assert problem["request_id"] == headers[b"x-request-id"].decode()
    return str(problem["request_id"])


def trickle(opened: socket.socket, data: bytes, pause: float) -> bytes:
    """Sends byte by byte until the other side has enough; what it answers."""
    opened.settimeout(pause)
    for byte in data:
        try:
            opened.sendall(bytes([byte]))
            answer = opened.recv(65_536)
        except TimeoutError:
            continue
        except ConnectionError:
            return b""
        opened.settimeout(30)
        return answer + received(opened)
    raise AssertionError("it is never cut off")


def test_a_client_that_sends_nothing_is_cut_off(start: Start) -> None:
    with start(header_timeout_s=0.3) as service, connection(service) as opened:
        assert received(opened) == b""


def test_headers_that_come_byte_by_byte_are_cut_off(start: Start) -> None:
    with start(header_timeout_s=0.5) as service, connection(service) as opened:
        assert_refused(trickle(opened, LIVEZ + b"X-Slow: " + bytes(b"a" * 1000), 0.05))


def test_the_second_request_of_a_connection_may_not_trickle_either(start: Start) -> None:
    with start(header_timeout_s=0.5) as service, connection(service) as opened:
        opened.sendall(LIVEZ + b"\r\n")
        assert opened.recv(65_536).startswith(b"HTTP/1.1 200 ")
        assert_refused(trickle(opened, LIVEZ + b"X-Slow: " + bytes(b"a" * 1000), 0.05))


def test_headers_in_two_parts_are_no_harm(start: Start) -> None:
    with start(header_timeout_s=0.5) as service, connection(service) as opened:
        for _ in range(3):
            opened.sendall(LIVEZ[:20])
            time.sleep(0.2)
            opened.sendall(LIVEZ[20:] + b"\r\n")
            assert opened.recv(65_536).startswith(b"HTTP/1.1 200 ")
            time.sleep(0.4)


def test_a_body_that_comes_byte_by_byte_is_cut_off(start: Start) -> None:
    with start(request_timeout_s=0.5) as service, connection(service) as opened:
        opened.sendall(b"POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n")
        answer = trickle(opened, bytes(1000), 0.05)
        assert answer.startswith(b"HTTP/1.1 504 ")
        assert service.state.in_flight == 0


def test_a_body_that_nobody_waits_for_is_cut_off(start: Start) -> None:
    """The request is answered before its body has come; that trickles on."""
    with start(request_timeout_s=0.5) as service, connection(service) as opened:
        opened.sendall(LIVEZ + b"Content-Length: 5000\r\n\r\n")
        assert opened.recv(65_536).startswith(b"HTTP/1.1 200 ")
        assert trickle(opened, bytes(1000), 0.05) == b""


def test_an_idle_connection_is_closed(start: Start) -> None:
    with start(keep_alive_s=1) as service, connection(service) as opened:
        opened.sendall(LIVEZ + b"\r\n")
        assert received(opened).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "headers",
    [
        b"X-Long: " + b"a" * 40_000 + b"\r\n",
        b"".join(b"X-%d: a\r\n" % number for number in range(101)),
        b"X-Endless: " + b"a" * 10_000_000,
    ],
    ids=["too long", "too many", "endless"],
)
@pytest.mark.parametrize("piece", [1000, 10_000_000], ids=["in pieces", "at once"])
def test_headers_that_are_too_much_are_refused(start: Start, headers: bytes, piece: int) -> None:
    with start() as service, connection(service) as opened:
        request = LIVEZ + headers + b"\r\n"
        try:
            for at in range(0, len(request), piece):
                opened.sendall(request[at : at + piece])
        except ConnectionError:
            pass
        assert_refused(received(opened))
        assert service.get("/livez").status_code == 200


def test_a_url_that_is_too_long_is_refused(start: Start) -> None:
    with start() as service, connection(service) as opened:
        opened.sendall(b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert_refused(received(opened))


@pytest.mark.parametrize(
    "rest",
    [
        b"".join(b"X-%d: a\r\n" % number for number in range(101)) + b"\r\n",
        b"X-Endless: " + b"a" * 100_000,
        b"no header\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nno chunk\r\n",
    ],
    ids=["too many", "endless", "no header", "no chunk"],
)
def test_a_refusal_has_the_id_of_its_request(client: Service, rest: bytes) -> None:
    for given, echoed in ((b"my-id", True), (b"<no id>", False)):
        with connection(client) as opened:
            head = b"POST /read HTTP/1.1\r\nX-Request-ID: " + given + b"\r\nHost: localhost\r\n"
            opened.sendall(head + rest)
            assert (assert_refused(received(opened)) == given.decode()) is echoed


def test_a_refusal_never_has_the_id_of_another_request(client: Service) -> None:
    with connection(client) as opened:
        opened.sendall(LIVEZ + b"X-Request-ID: the-first\r\n\r\n")
        assert opened.recv(65_536).startswith(b"HTTP/1.1 200 ")
        opened.sendall(b"no request\r\n\r\n")
        assert assert_refused(received(opened)) != "the-first"


def test_headers_within_the_limits_are_served(client: Service) -> None:
    headers = {f"X-{number}": "a" * 300 for number in range(90)}
    assert client.post("/predict", content=GOOD, headers=headers).status_code == 200


@pytest.mark.parametrize("trailer", [b"X-T: a\r\n" * 200, b"X-T: " + b"a" * 200_000], ids=["many", "endless"])
def test_trailers_are_limited_as_well(start: Start, trailer: bytes) -> None:
    with start() as service, connection(service) as opened:
        opened.sendall(b"POST /read HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        wait_for(lambda: service.state.in_flight == 1, "the request does not arrive")
        opened.sendall(b"1\r\na\r\n0\r\n" + trailer)
        assert_refused(received(opened))
        wait_for(lambda: service.state.in_flight == 0, "the request is still in flight")


@pytest.mark.parametrize("request_line", [b"hello\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"])
def test_what_is_no_http_is_refused(start: Start, request_line: bytes) -> None:
    with start() as service:
        with connection(service) as opened:
            opened.sendall(request_line)
            assert_refused(received(opened))
        counted = service.get("/metrics").text
        assert 'digit_ocr_rejected_requests_total{reason="malformed-request"} 1.0' in counted


def test_a_few_requests_may_be_sent_ahead(client: Service) -> None:
    with connection(client) as opened:
        opened.sendall((LIVEZ + b"\r\n") * 4 + LIVEZ + b"Connection: close\r\n\r\n")
        assert received(opened).count(b"HTTP/1.1 200 ") == 5


def test_many_requests_sent_ahead_are_refused(start: Start) -> None:
    with start() as service, connection(service) as opened:
        opened.sendall((LIVEZ + b"\r\n") * 500)
        assert received(opened).count(b"HTTP/1.1 200 ") <= 17
        assert service.get("/livez").status_code == 200


@pytest.mark.parametrize("bad", [b"no request\r\n\r\n", LIVEZ + b"X-Long: " + b"a" * 40_000 + b"\r\n\r\n"])
def test_a_bad_request_behind_a_good_one_spoils_it_not(client: Service, bad: bytes) -> None:
    with connection(client) as opened:
        good = f"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(GOOD)}\r\n\r\n".encode() + GOOD
        opened.sendall(good + bad)
        answer = received(opened)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b'"digit":3' in answer


def test_a_wish_for_another_protocol_is_ignored(start: Start) -> None:
    with start() as service, connection(service) as opened:
        opened.sendall(LIVEZ + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert received(opened).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("last", [b"", b"Connection: close\r\n"], ids=["kept alive", "closed"])
def test_a_client_that_never_reads_is_cut_off(version: ModelVersion, last: bytes) -> None:
    limits = ConnectionLimits(stalled_s=0.5)
    with running(version, with_classifier(OneDigit()), limits=limits, threads=2, keep_alive_s=1) as service:
        with socket.socket() as opened:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            opened.settimeout(30)
            opened.connect(("127.0.0.1", service.port))
            page = b"GET /docs-assets/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n"
            opened.sendall((page + b"\r\n") * 15 + page + last + b"\r\n")
            time.sleep(3)
            read = len(received(opened))
        whole = len(service.get("/docs-assets/swagger-ui-bundle.js").content)
        assert read < 16 * whole


def test_a_client_that_reads_slowly_gets_everything(version: ModelVersion) -> None:
    limits = ConnectionLimits(stalled_s=1)
    with running(version, with_classifier(OneDigit()), limits=limits, threads=2, keep_alive_s=1) as service:
        whole = len(service.get("/docs-assets/swagger-ui-bundle.js").content)
        with socket.socket() as opened:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            opened.settimeout(30)
            opened.connect(("127.0.0.1", service.port))
            opened.sendall(b"GET /docs-assets/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n")
            read = 0
            while chunk := opened.recv(50_000):
                read += len(chunk)
                time.sleep(0.03)
        assert read > whole


def test_health_is_answered_beside_hundreds_of_slow_clients(client: Service) -> None:
    with ExitStack() as stack:
        for number in range(300):
            opened = stack.enter_context(connection(client))
            opened.sendall(LIVEZ[: 5 + number % 30])
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").status_code == 200
        assert client.get("/metrics").status_code == 200
        assert client.post("/predict", content=GOOD).json()["digit"] == 3
