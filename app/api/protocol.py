"""One connection, bounded in the time it may take and in the bytes of its headers.

Uvicorn's own protocol waits for ever for headers that do not come and for clients that do not read, and its parser
takes headers of any length and number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.api.observe import request_id_of
from app.api.problems import PROBLEM_MEDIA_TYPE, problem_of
from app.errors import MalformedRequest

# How long a client that is refused may go on sending before the connection is cut: one that sends reads no answer.
_LINGER_S = 1.0


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What a connection may take."""

    head_s: float = 5.0  # from its beginning, or from a request's first byte, to the end of the headers
    leftover_s: float = 10.0  # for the rest of a body whose request has been answered already
    stalled_s: float = 30.0  # without reading any of an answer
    head_bytes: int = 32 * 2**10
    headers: int = 100
    pipelined: int = 16


class BoundedProtocol(HttpToolsProtocol):
    """Uvicorn's protocol within limits. What is refused here gets a problem document, and the connection is closed.

    The body of a request is the application's to bound. While `draining` says so, every answer is a connection's last.
    """

    def __init__(
        self,
        *,
        limits: ConnectionLimits,
        draining: Callable[[], bool],
        on_refused: Callable[[str, MalformedRequest], None],
        **rest: Any,
    ) -> None:
        super().__init__(**rest)
        self._limits = limits
        self._draining = draining
        self._on_refused = on_refused
        self._timer: asyncio.TimerHandle | None = None  # runs while the client has to send
        self._reading_timer: asyncio.TimerHandle | None = None  # runs while the client has to read
        self._unread = 0
        self._in_head = False
        self._chunk = 0  # bytes that came last
        self._fruitless = 0  # bytes since the last one of a body, or since a head began
        self._complaint: MalformedRequest | None = None
        self._refused = False

    @property
    def is_fresh(self) -> bool:
        """Whether its first request is still to come, and would be answered."""
        return self.cycle is None and not self._refused and not self.transport.is_closing()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._timer = self.loop.call_later(self._limits.head_s, self._time_is_up)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._stop_timer()
        self._stop_watching()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        cycle, in_head = self.cycle, self._in_head
        body = len(cycle.body) if cycle else 0
        self._chunk = len(data)
        super().data_received(data)
        if self._refused or self.transport.is_closing():
            return
        if self.cycle is not cycle or (cycle and len(cycle.body) != body):
            self._fruitless = 0
        elif in_head or cycle is None or not cycle.response_complete:
            self._fruitless += len(data)
        # Trailers, which come after the body, are headers as well.
        if self._fruitless > self._limits.head_bytes or len(self.headers or ()) > self._limits.headers:
            self._refuse(self._too_large())
        elif self._timer is None and (self.cycle is None or self.cycle.response_complete):
            # Only now: a head that comes whole, as most do, needs no timer.
            seconds = self._limits.head_s if self._in_head else self._limits.leftover_s
            self._timer = self.loop.call_later(seconds, self._time_is_up)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._fruitless = 0

    def on_headers_complete(self) -> None:
        # What is raised here comes back as the parser's error, and so to send_400_response.
        if len(self.headers) > self._limits.headers or (
            self._fruitless + self._chunk > self._limits.head_bytes and self._head_size() > self._limits.head_bytes
        ):
            self._complaint = self._too_large()
            raise self._complaint
        if len(self.pipeline) >= self._limits.pipelined:
            self._complaint = MalformedRequest("Too many requests are sent before the first is answered.")
            raise self._complaint
        super().on_headers_complete()
        self._in_head = False
        self._stop_timer()
        # No other protocol is served, and what follows a wish for one is not parsed.
        if self._draining() or self.parser.should_upgrade():
            self.cycle.keep_alive = False

    def send_400_response(self, msg: str) -> None:
        """Answers what does not parse; uvicorn's own answer would be plain text."""
        self._refuse(self._complaint or MalformedRequest(f"{msg} Send HTTP/1.1."))

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing() and self.transport.get_write_buffer_size():
            self._watch_reading()

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        if self.transport.get_write_buffer_size():
            self._watch_reading()  # closing would wait for ever until the client has read it
        else:
            super().timeout_keep_alive_handler()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_watching()

    def last_answer(self) -> None:
        """Makes the answer that is being worked on the last one of this connection."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _too_large(self) -> MalformedRequest:
        return MalformedRequest(
            f"The headers are larger than {self._limits.head_bytes:,} bytes, or more than {self._limits.headers}."
        )

    def _time_is_up(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        if self._in_head:
            self._refuse(MalformedRequest(f"The headers did not come within {self._limits.head_s:g} s."))
        else:
            self.transport.close()

    def _refuse(self, error: MalformedRequest) -> None:
        """Answers with a problem where no other answer is under way, and closes the connection."""
        self._refused = True
        self._stop_timer()
        cycle = self.cycle
        idle = cycle is None or cycle.response_complete
        # What has no head yet, not even half of one, has no id: the headers would be those of the request before.
        request_id = request_id_of(() if idle and not self._in_head else self.headers).decode()
        if idle:
            self._on_refused(request_id, error)
        elif self._in_head or self.pipeline:  # an earlier request is still worked on: it gets its answer
            self._on_refused(request_id, error)
            cycle.keep_alive = False
            return
        elif cycle.response_started:
            self.transport.close()
            return
        else:  # the application is told that its client has left, and counts that itself
            request_id = cycle.scope["state"].get("request_id", request_id)
            cycle.disconnected = True
            cycle.message_event.set()
        problem, kind = problem_of(error, request_id)
        body = problem.model_dump_json().encode()
        headers = [
            *self.server_state.default_headers,
            (b"content-type", PROBLEM_MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"x-request-id", request_id.encode()),
            (b"connection", b"close"),
        ]
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self.transport.write(STATUS_LINE[kind.status] + lines + b"\r\n" + body)
        # Closed at once, with bytes of the client's unread, the connection would be reset, and the answer lost.
        self.transport.write_eof()
        self._timer = self.loop.call_later(_LINGER_S, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _stop_watching(self) -> None:
        if self._reading_timer is not None:
            self._reading_timer.cancel()
            self._reading_timer = None

    def _watch_reading(self) -> None:
        if self._reading_timer is None:
            self._unread = self.transport.get_write_buffer_size()
            self._reading_timer = self.loop.call_later(self._limits.stalled_s, self._look_at_reading)

    def _look_at_reading(self) -> None:
        self._reading_timer = None
        unread = self.transport.get_write_buffer_size()
        if unread >= self._unread > 0:
            self.transport.abort()
        elif unread:
            self._watch_reading()
        elif self.timeout_keep_alive_task is None and (self.cycle is None or self.cycle.response_complete):
            self.transport.close()
