"""The application: routes, middleware, error mapping, and a lifespan that loads the model."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version as distribution_version

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from fastapi_offline import FastAPIOffline
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from app.api.documentation import DESCRIPTION, LICENCE, SUMMARY, TAGS, describe
from app.api.model_files import ModelFiles
from app.api.observe import QUIET, Observe, Unforeseen
from app.api.problems import problem_response
from app.api.request_log import RequestLog
from app.api.routes import operations_routes, reading_routes
from app.api.site import site_routes
from app.api.state import ServiceState
from app.api.workers import Workers
from app.errors import OcrError
from app.manifest import KERAS_FILE, ModelVersion
from app.metrics import Metrics
from app.recogniser import Recogniser
from app.settings import Settings
from app.tracing import Tracing

Load = Callable[[Settings, ModelVersion, Callable[[int], None]], Recogniser]

# What still runs when the application ends is for requests that have their answer: so long it may come to its end.
_LAST_WORK_S = 0.5

_log = structlog.get_logger("digit_ocr")


def create_app(
    settings: Settings,
    version: ModelVersion,
    load: Load,
    on_failure: Callable[[Exception], None],
    tracing: Tracing | None = None,
) -> FastAPI:
    """The service for one verified model version.

    `load` builds the recogniser; it runs beside the event loop once the application has started, so that /livez
    answers meanwhile. What it raises goes to `on_failure`. `tracing` is closed with the application.
    """
    metrics = Metrics(CollectorRegistry())
    requests = RequestLog(settings.log_requests_per_s)
    state = ServiceState(
        settings=settings,
        manifest=version.manifest,
        model_files=ModelFiles(version.folder),
        metrics=metrics,
        workers=Workers(settings.threads),
    )

    async def load_model() -> None:
        started = time.perf_counter()
        try:
            loop = asyncio.get_running_loop()
            recogniser = await loop.run_in_executor(None, load, settings, version, metrics.batch)
        except Exception as error:  # whatever it is, a service without a model must not linger
            on_failure(error)
            return
        seconds = time.perf_counter() - started
        manifest = version.manifest
        metrics.model_loaded(manifest, manifest.sha256[KERAS_FILE], settings.engine, seconds)
        _log.info("model loaded", model=manifest.name, model_version=manifest.version, seconds=round(seconds, 3))
        state.recogniser = recogniser

    def close() -> None:
        state.workers.close()  # first: they ask the recogniser
        if state.recogniser is not None:
            state.recogniser.close()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        loading = asyncio.create_task(load_model())
        yield
        state.draining = True
        await loading
        closing = threading.Thread(target=close, name="closing", daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, _LAST_WORK_S)
        state.left_working = closing.is_alive()
        requests.tell()
        if tracing is not None:
            await asyncio.to_thread(tracing.close)

    app: FastAPI = FastAPIOffline(
        title="digit-ocr",
        version=distribution_version("digit-ocr"),
        summary=SUMMARY,
        description=DESCRIPTION,
        license_info=LICENCE,
        openapi_tags=TAGS,
        docs_url="/docs",
        redoc_url=None,
        static_url="/docs-assets",
        favicon_url="/docs-assets/favicon.png",
        lifespan=lifespan,
        redirect_slashes=False,  # it would redirect to whatever host the client names, and before any key is asked for
        telemetry=_telemetry(tracing),
    )
    app.state.service = state
    app.state.requests = requests
    # From the inside out.
    app.add_middleware(Unforeseen)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=("GET", "POST"),
            allow_headers=("Authorization", "Content-Type", "X-API-Key", "X-Request-ID"),
            expose_headers=("X-Request-ID", "Retry-After"),
        )
    app.add_middleware(
        Observe, metrics=metrics, requests=requests, model_version=version.manifest.version, tracing=tracing
    )
    for error in (OcrError, RequestValidationError, HTTPException):
        app.add_exception_handler(error, _answer_problem)
    app.include_router(reading_routes)
    app.include_router(operations_routes)
    app.include_router(site_routes())
    describe(app)
    return app


def _telemetry(tracing: Tracing | None) -> TelemetryConfig:
    """A span a request but for the probes', where there are traces; FastAPI's own metrics and logs would be doubles."""
    return {
        "tracing": tracing is not None,
        "tracer_provider": None if tracing is None else tracing.provider,
        "exclude": lambda scope: scope.get("path") in QUIET,
        "operation_spans": False,
        "metrics": False,
        "logs": False,
        "auto_configure": False,
    }


async def _answer_problem(request: Request, error: Exception) -> Response:
    return problem_response(request, error)
