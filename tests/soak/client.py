"""A small HTTP client for much load: whole requests as bytes over connections that stay open."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_PROBLEM = re.compile(rb'"/problems/([a-z-]+)"')
# Of an answer that does not come: far beyond every deadline.
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, which problem it tells (or none, ""), and the seconds from the first byte sent."""

    status: int
    problem: str
    seconds: float


class Lost(Exception):
    """The connection ended before the whole answer was there. `sent`: when the whole request was out, or 0."""

    def __init__(self, sent: float) -> None:
        super().__init__()
        self.sent = sent


class Connection:
    """One connection to a port of this machine, opened again where the service closes it after an answer."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.sent = 0.0

    async def ask(self, request: bytes) -> Answer:
        """Raises Lost."""
        self.sent = 0.0
        started = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_S):
                if self._streams is not None and self._streams[0].at_eof():  # closed while nothing was asked
                    self.close()
                if self._streams is None:
                    self._streams = await asyncio.open_connection("127.0.0.1", self._port)
                reader, writer = self._streams
                writer.write(request)
                await writer.drain()
                self.sent = time.monotonic()
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                body = await reader.readexactly(int(length[1]) if length else 0)
        except (OSError, EOFError, TimeoutError) as error:
            self.close()
            raise Lost(self.sent) from error
        if _CLOSES.search(head):
            self.close()
        status = int(head[9:12])
        problem = _PROBLEM.search(body) if status >= 400 else None
        return Answer(status, problem[1].decode() if problem else "", time.monotonic() - started)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
