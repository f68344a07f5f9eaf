"""Around every request: an id, a metric, a line in the log, and a problem document for what nobody foresaw."""

from __future__ import annotations

import re
import time
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import problem_response
from app.metrics import Metrics

REQUEST_ID_HEADER = "X-Request-ID"
_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_UNMATCHED = "unmatched"
# What probes and scrapers ask for every few seconds is no news.
_QUIET = ("/livez", "/readyz", "/metrics")

_log = structlog.get_logger("digit_ocr.request")


class Observe:
    """ASGI middleware, outermost but for the framework's own.

    Metrics are labelled with route templates, so that the number of labels is bounded.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, model_version: str) -> None:
        self._app = app
        self._metrics = metrics
        self._model_version = model_version

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _request_id(Headers(scope=scope).get(REQUEST_ID_HEADER))
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        status = 0

        async def send_observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_observed)
        except Exception as error:  # the last line of defence; the client gets the request id and nothing else
            _log.exception("unforeseen error", request_id=request_id, path=scope["path"])
            if status:
                raise
            response = problem_response(Request(scope), error)
            await response(scope, receive, send_observed)
        finally:
            self._report(scope, status, time.perf_counter() - started)

    def _report(self, scope: Scope, status: int, seconds: float) -> None:
        endpoint = getattr(scope.get("route"), "path", _UNMATCHED)
        state = scope["state"]
        problem = state.get("problem")
        self._metrics.request(endpoint, status, seconds)
        if problem:
            self._metrics.refused(problem)
        if endpoint in _QUIET:
            return
        _log.info(
            "request",
            request_id=state["request_id"],
            method=scope["method"],
            endpoint=endpoint,
            status=status,
            duration_ms=round(1e3 * seconds, 3),
            problem=problem,
            digits=state.get("digits"),
            model_version=self._model_version,
        )


def _request_id(given: str | None) -> str:
    """The client's own id if it is a sane one, else a new one."""
    return given if given and _SANE_ID.fullmatch(given) else uuid.uuid4().hex
