"""The service as one uvicorn process."""

from __future__ import annotations

import signal
import socket
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI

from app.api.app import create_app
from app.api.state import ServiceState
from app.composition import build_recogniser
from app.manifest import ModelVersion
from app.settings import Settings

_log = structlog.get_logger("digit_ocr")


def serve(settings: Settings, version: ModelVersion) -> int:
    """Serves until a signal ends it. The exit status: 0, or 1 where the model did not load or the port is taken."""
    failure: list[Exception] = []

    def stop(error: Exception) -> None:
        failure.append(error)
        _log.error("the model does not load", reason=str(error), exc_info=error)
        server.should_exit = True

    app = create_app(settings, version, build_recogniser, on_failure=stop)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, round(settings.shutdown_grace_s)),
    )
    server = _Server(config, app)
    try:
        server.run()
    except SystemExit as error:  # uvicorn's way of saying that the start failed: the port is taken, most often
        return int(error.code or 0)
    return 1 if failure else 0


class _Server(uvicorn.Server):
    """Uvicorn, but readiness goes as soon as the signal comes, and a stop that was asked for is a success.

    Uvicorn raises the signal anew once it has shut down, which would make the exit status that of a killed process.
    """

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._state: ServiceState = app.state.service

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            addresses = [s.getsockname() for server in self.servers for s in server.sockets]
            _log.info("listening", addresses=[f"{address[0]}:{address[1]}" for address in addresses])

    def handle_exit(self, sig: int, _: FrameType | None) -> None:
        """The first signal drains; a second one ends at once."""
        _log.info("shutting down", signal=signal.Signals(sig).name, at_once=self.should_exit)
        self._state.draining = True
        self.force_exit = self.should_exit
        self.should_exit = True
