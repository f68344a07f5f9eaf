"""Around every request: an id, a metric, a line in the log, and a problem document for what nobody foresaw."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Iterable

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.pages import lacks_policy, page_headers
from app.api.problems import problem_response
from app.api.request_log import RequestLog
from app.domain import STAGES, Timings
from app.errors import ShuttingDown
from app.metrics import Metrics
from app.tracing import Tracing

UNMATCHED = "unmatched"
# What probes and scrapers ask for every few seconds is no news.
QUIET = ("/livez", "/readyz", "/metrics")
_SANE_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")

_log = structlog.get_logger("digit_ocr.request")


class Observe:
    """ASGI middleware, outermost but for the framework's own.

    Metrics are labelled with route templates, so that the number of labels is bounded. It works at every request, and
    so on the raw headers: the framework's own classes for them cost more than all the rest.
    """

    def __init__(
        self, app: ASGIApp, metrics: Metrics, requests: RequestLog, model_version: str, tracing: Tracing | None = None
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._requests = requests
        self._model_version = model_version
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = request_id_of(scope["headers"])
        state = scope.setdefault("state", {})
        state["request_id"] = request_id.decode()
        state["status"] = 0
        page: Message | None = None

        async def send_observed(message: Message) -> None:
            nonlocal page
            if message["type"] == "http.response.start":
                state["status"] = message["status"]
                headers = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id),
                    (b"x-content-type-options", b"nosniff"),
                ]
                message["headers"] = headers
                if self._tracing is not None:
                    self._tracing.describe(state, self._model_version)
                if lacks_policy(headers):
                    page = message  # its headers depend on what is in it
                    return
            elif page is not None:
                page["headers"] += page_headers(message.get("body", b""))
                await send(page)
                page = None
            await send(message)

        try:
            await self._app(scope, receive, send_observed)
        finally:
            self._report(scope, time.perf_counter() - started)

    def _report(self, scope: Scope, seconds: float) -> None:
        endpoint = getattr(scope.get("route"), "path", UNMATCHED)
        state = scope["state"]
        status, problem = state["status"], state.get("problem")
        self._metrics.request(endpoint, status, seconds)
        if problem:
            self._metrics.refused(problem)
        if endpoint in QUIET or not self._requests.takes(status):
            return
        fields = {
            "request_id": state["request_id"],
            "method": scope["method"],
            "endpoint": endpoint,
            "status": status,
            "duration_ms": round(1e3 * seconds, 3),
            "timings_ms": _stages(state.get("timings")),
            "problem": problem,
            "digits": state.get("digits"),
            "model_version": self._model_version,
        }
        if self._tracing is not None:
            fields["trace_id"] = self._tracing.trace_id()
        self._requests.write(**fields)


class Unforeseen:
    """ASGI middleware, innermost: the last line of defence. The client gets the request id and nothing else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:  # the server's, once the grace of a shutdown is over
            if scope["type"] != "http" or scope["state"]["status"]:
                raise
            await problem_response(
                Request(scope), ShuttingDown("There was no time left to answer; try another replica.")
            )(scope, receive, send)
        except Exception as error:
            if scope["type"] != "http":
                raise
            _log.exception("unforeseen error", request_id=scope["state"]["request_id"], path=scope["path"])
            if scope["state"]["status"]:
                raise
            await problem_response(Request(scope), error)(scope, receive, send)


def request_id_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The client's own id if it is a sane one, else a new one."""
    for name, value in headers:
        if name == b"x-request-id":
            if _SANE_ID.fullmatch(value):
                return value
            break
    return os.urandom(16).hex().encode()


def _stages(timings: Timings | None) -> dict[str, float] | None:
    return None if timings is None else {stage: round(getattr(timings, stage), 3) for stage in STAGES}
