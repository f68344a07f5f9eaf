"""What only shows on the wire: connections that break, stall or are shared."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from app.api import uploads
from tests.api.conftest import Start
from tests.api.services import Service, wait_for
from tests.images import draw_digit, draw_number, encode

GOOD = encode(draw_digit(3))


@contextmanager
def connection(service: Service, request: bytes) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as opened:
        opened.sendall(request)
        yield opened


def received(opened: socket.socket) -> bytes:
    """Everything until the other side closes."""
    data = b""
    while chunk := opened.recv(65_536):
        data += chunk
    return data


def head(path: str, *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def test_what_the_test_sends_by_hand_is_understood(client: Service) -> None:
    with connection(client, head("/predict", f"Content-Length: {len(GOOD)}") + GOOD) as opened:
        answer = received(opened)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"digit":3' in answer


@pytest.mark.parametrize("path", ["/predict", "/read/batch"])
def test_a_client_that_leaves_in_the_middle(client: Service, path: str) -> None:
    for content_type in ("image/png", "multipart/form-data; boundary=b"):
        request = head(path, f"Content-Type: {content_type}", "Content-Length: 5000") + b"--b\r\n"
        with connection(client, request):
            wait_for(lambda: client.state.in_flight == 1, "the request does not arrive")
    wait_for(lambda: client.state.in_flight == 0, "the request is still in flight")
    assert client.post("/predict", content=GOOD).json()["digit"] == 3


def test_a_client_that_stalls_gets_an_answer(start: Start) -> None:
    with start(request_timeout_s=0.3) as service:
        with connection(service, head("/read", "Content-Length: 5000") + b"half") as opened:
            answer = received(opened)
        assert answer.startswith(b"HTTP/1.1 504 ")
        assert b"/problems/deadline-exceeded" in answer
        with connection(service, head("/read", f"Content-Length: {20 * 2**20}")) as opened:
            answer = received(opened)
        assert answer.startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 504 "))
        assert service.state.in_flight == 0


def test_a_client_that_asks_whether_it_may_send_too_much(client: Service) -> None:
    """It is told no, and not to go on."""
    with connection(client, head("/read", "Content-Length: 99999999999", "Expect: 100-continue")) as opened:
        answer = received(opened)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"/problems/body-too-large" in answer


def test_a_client_that_asks_whether_it_may_send(client: Service) -> None:
    with connection(client, head("/predict", f"Content-Length: {len(GOOD)}", "Expect: 100-continue")) as opened:
        assert opened.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        opened.sendall(GOOD)
        assert received(opened).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("sent", [b"", bytes(2000)], ids=["nothing", "half of it"])
def test_what_is_too_much_and_does_not_come_is_not_waited_for(
    start: Start, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(uploads, "_DRAINED_SECONDS", 0.2)
    with start(max_body_bytes=1000, request_timeout_s=60) as service:
        for length in ("Content-Length: 4000", "Transfer-Encoding: chunked"):
            chunk = b"%x\r\n" % 4000 if "chunked" in length else b""
            if chunk and not sent:
                continue  # nothing tells yet that it is too much
            with connection(service, head("/read", length) + chunk + sent) as opened:
                answer = received(opened)
            assert answer.startswith(b"HTTP/1.1 413 ")
            assert b"/problems/body-too-large" in answer


def test_chunks_that_are_too_much_in_all(start: Start) -> None:
    with start(max_body_bytes=1000) as service:
        chunks = b"".join(b"1f4\r\n" + bytes(500) + b"\r\n" for _ in range(3)) + b"0\r\n\r\n"
        with connection(service, head("/read", "Transfer-Encoding: chunked") + chunks) as opened:
            answer = received(opened)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"/problems/body-too-large" in answer


@pytest.mark.parametrize(
    "header",
    ["X-Request-ID: a\r\n folded", "X-Request-ID: a\rSet-Cookie: b=c", "X-Request-ID: a\x00b", "X-Request-ID:\ta\tb\t"],
    ids=repr,
)
def test_a_request_id_that_breaks_the_header(client: Service, header: str) -> None:
    with connection(client, head("/predict", header, f"Content-Length: {len(GOOD)}") + GOOD) as opened:
        answer = received(opened)
    assert answer.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 400 "))
    assert b"set-cookie" not in answer.lower()
    assert b"folded" not in answer
    assert b"\x00" not in answer


def test_requests_at_the_same_time_get_their_own_answers(client: Service) -> None:
    texts = [f"{number:03}" for number in range(0, 960, 24)]

    def read(text: str) -> tuple[str, str, str]:
        response = client.post("/read", content=encode(draw_number(text)), headers={"X-Request-ID": f"of-{text}"})
        return response.json()["text"], response.json()["request_id"], response.headers["X-Request-ID"]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(read, texts))
    assert [ids for _, *ids in answers] == [[f"of-{text}"] * 2 for text in texts]
    right = sum(answer[0] == text for answer, text in zip(answers, texts, strict=True))
    assert right >= len(texts) - 2  # drawn digits, but a model is a model


def test_a_connection_can_be_used_again_after_an_error(client: Service) -> None:
    with socket.create_connection(("127.0.0.1", client.port), timeout=60) as opened:
        for content, status in ((b"no image", b"415"), (GOOD, b"200"), (b"no image", b"415")):
            request = f"POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n\r\n".encode()
            opened.sendall(request + content)
            answer = opened.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 " + status)
