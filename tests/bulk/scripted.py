"""A service that misbehaves as it is told: refuses, drops connections, closes them, answers what is no answer."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ANSWER = {"text": "35", "confidence": 0.9}


def refusal(status: int, slug: str, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """A problem document; a header `Retry_After` is sent as Retry-After."""

    def refuse(handler: BaseHTTPRequestHandler) -> None:
        problem = {"type": f"/problems/{slug}", "title": slug, "status": status, "detail": f"It is {slug}."}
        respond(handler, status, json.dumps(problem).encode(), **headers)

    return refuse


def respond(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def answer(handler: BaseHTTPRequestHandler) -> None:
    respond(handler, 200, json.dumps(ANSWER).encode())


def answer_and_close(handler: BaseHTTPRequestHandler) -> None:
    """Says nothing of it beforehand, as a server whose keep-alive has run out."""
    answer(handler)
    handler.close_connection = True


def drop(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def cut_short(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"text"')
    handler.close_connection = True


class Scripted(ThreadingHTTPServer):
    """Does to the n-th try of a body what the script says for it; then, and for other bodies, it answers."""

    def __init__(self, script: Mapping[bytes, list[Callable[[BaseHTTPRequestHandler], None]]], ready: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = {body: list(steps) for body, steps in script.items()}
        self.ready = ready
        self.default: Callable[[BaseHTTPRequestHandler], None] = answer
        self.asked: Counter[bytes] = Counter()
        self.requests: list[tuple[str, Mapping[str, str]]] = []
        self.connections = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is what some tests do."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Scripted

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.connections += 1

    def do_GET(self) -> None:
        respond(self, 200 if self.server.ready else 503, b"{}")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.asked[body] += 1
            self.server.requests.append((self.path, dict(self.headers)))
            steps = self.server.script.get(body)
            step = steps.pop(0) if steps else self.server.default
        step(self)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def scripted(
    script: Mapping[bytes, list[Callable[[BaseHTTPRequestHandler], None]]] | None = None, ready: bool = True
) -> Iterator[Scripted]:
    server = Scripted(script or {}, ready)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def numbered(folder: Path, count: int) -> list[Path]:
    """Files that a scripted service tells apart: the body of each is its name."""
    paths = [folder / f"{number % 3}" / f"{number:04}.png" for number in range(count)]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(path.name.encode())
    return paths
