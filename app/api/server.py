"""The service as one uvicorn process."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI

from app.api.app import create_app
from app.api.observe import UNMATCHED
from app.api.problems import KINDS
from app.api.protocol import BoundedProtocol, ConnectionLimits
from app.api.request_log import RequestLog
from app.api.state import ServiceState
from app.composition import build_recogniser
from app.errors import MalformedRequest, OcrError
from app.manifest import ModelVersion
from app.recogniser import Recogniser
from app.settings import Settings
from app.tracing import open_tracing

# While accepted requests finish, new connections are answered (503, shutting-down) for so long; until then whoever
# balances the load has seen that /readyz says no. After that they are not taken at all.
_STILL_LISTENS_S = 5.0
# Once it listens no longer, connections that were just made may still send their first request, and hear why not.
_FIRST_REQUEST_S = 1.0
_TICK_S = 0.02
# A second signal waits for so long, at most, for its line in the log.
_LAST_WORDS_S = 1.0

_log = structlog.get_logger("digit_ocr")


def serve(settings: Settings, version: ModelVersion) -> int:
    """Serves until a signal ends it. The exit status: 0, or 1 where the model did not load or the port is taken."""
    failure: list[Exception] = []

    def stop(error: Exception) -> None:
        failure.append(error)
        foreseen = isinstance(error, OcrError)  # its message says all; anything else is a fault of ours
        _log.error("the model does not load", reason=str(error), exc_info=None if foreseen else error)
        server.should_exit = True

    _yield_less()
    tracing = open_tracing()
    app = create_app(settings, version, build_for_good, on_failure=stop, tracing=tracing)
    server = Server(app, settings)
    try:
        server.run()
    except SystemExit as error:  # uvicorn's way of saying that the start failed: the port is taken, most often
        return 1 if error.code else 0
    status = 1 if failure else 0
    if app.state.service.left_working:
        os._exit(status)  # a thread that comes back from a network's own code into an ended interpreter aborts
    return status


def _yield_less() -> None:
    """Tells Linux that this is a batch job (sched(7), SCHED_BATCH): its threads, begun after this, interrupt none.

    Otherwise the event loop's thread, which each packet and each answer wakes, takes the CPU from a worker several
    times a request, only to wait for the interpreter's lock. It has its turn as soon as the worker waits.
    """
    with suppress(AttributeError, OSError):  # other systems have no such thing, and a sandbox may forbid it
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def build_for_good(settings: Settings, version: ModelVersion, on_batch: Callable[[int], None]) -> Recogniser:
    """`build_recogniser`; what is there then, stays, and is nothing that the garbage collector has to go through.

    Once in some thousand requests it would, and every request in flight would wait for it: tens of milliseconds, with
    TensorFlow in memory hundreds.
    """
    recogniser = build_recogniser(settings, version, on_batch)
    gc.freeze()
    return recogniser


class Server(uvicorn.Server):
    """Uvicorn within limits, which drains before it stops listening; and a stop that was asked for is a success.

    Uvicorn stops listening as soon as the signal comes, and raises the signal anew once it has shut down, which would
    make the exit status that of a killed process.
    """

    def __init__(self, app: FastAPI, settings: Settings, limits: ConnectionLimits | None = None) -> None:
        self._state: ServiceState = app.state.service
        self._requests: RequestLog = app.state.requests
        self._grace_s = settings.shutdown_grace_s
        protocol = partial(
            BoundedProtocol,
            limits=limits or ConnectionLimits(settings.header_timeout_s, settings.request_timeout_s),
            draining=lambda: self._state.draining,
            on_refused=self._refused,
        )
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                loop="asyncio" if sys.platform == "win32" else "uvloop",
                http=protocol,  # type: ignore[arg-type]  # uvicorn only calls it
                ws="none",
                lifespan="on",
                log_config=None,
                log_level="error",  # its warnings are of what single clients do, and Observe's log has that
                access_log=False,
                server_header=False,
                timeout_keep_alive=settings.keep_alive_s,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            addresses = [s.getsockname() for server in self.servers for s in server.sockets]
            _log.info("listening", addresses=[f"{address[0]}:{address[1]}" for address in addresses])

    async def main_loop(self) -> None:
        """Serves until it is told to stop; then answers what it has accepted, and refuses what is new."""
        await super().main_loop()
        self._state.draining = True
        grace_ends = time.monotonic() + self._grace_s
        for connection in self.server_state.connections:
            if isinstance(connection, BoundedProtocol):
                connection.last_answer()
        accepted = set(self.server_state.tasks)  # what comes from now on is refused, and waits for nothing
        listens_until = time.monotonic() + min(_STILL_LISTENS_S, self._grace_s)
        while not self.force_exit and time.monotonic() < listens_until and any(not task.done() for task in accepted):
            await asyncio.sleep(_TICK_S)
        await self._stop_listening(min(time.monotonic() + _FIRST_REQUEST_S, grace_ends))
        # What is left of the grace is uvicorn's; with none left it would call even an idle service late.
        self.config.timeout_graceful_shutdown = max(0.5, grace_ends - time.monotonic())  # type: ignore[assignment]

    async def _stop_listening(self, answers_until: float) -> None:
        """Takes no more connections; those that have sent nothing yet may until then: to close them would be rude."""
        for server in self.servers:
            server.close()
        while True:
            await asyncio.sleep(_TICK_S)  # what has arrived by now is read
            silent = any(isinstance(c, BoundedProtocol) and c.is_fresh for c in self.server_state.connections)
            if self.force_exit or not silent or time.monotonic() >= answers_until:
                return

    def handle_exit(self, sig: int, _: FrameType | None) -> None:
        """The first signal drains; a second one ends at once.

        Another thread writes that to the log: this one may have been interrupted with the log's lock in its hand.
        """
        said = {"signal": signal.Signals(sig).name, "at_once": self._state.draining}
        saying = threading.Thread(target=_log.info, args=("shutting down",), kwargs=said, daemon=True)
        saying.start()
        if self._state.draining:
            saying.join(_LAST_WORDS_S)
            os._exit(0)  # by any other way the interpreter waits for a model that is still loading
        self._state.draining = True
        self.should_exit = True

    def _refused(self, request_id: str, error: MalformedRequest) -> None:
        """Counts and logs what never became a request of the application."""
        kind = KINDS[type(error)]
        self._state.metrics.request(UNMATCHED, kind.status, 0.0)
        self._state.metrics.refused(kind.slug)
        if self._requests.takes(kind.status):
            self._requests.write(request_id=request_id, status=kind.status, problem=kind.slug, detail=str(error))
