"""The application: routes, middleware, error mapping, and a lifespan that loads the model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.metadata import version as distribution_version

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.api.observe import Observe
from app.api.problems import Problem, problem_response
from app.api.routes import operations_routes, reading_routes
from app.api.state import ServiceState
from app.errors import OcrError
from app.manifest import KERAS_FILE, ModelVersion
from app.metrics import Metrics
from app.recogniser import Recogniser
from app.settings import Settings

Load = Callable[[Settings, ModelVersion, Callable[[int], None]], Recogniser]

_DESCRIPTION = """Reads digits from images: one digit with calibrated probabilities, or whole numbers.

Every error is a problem document (RFC 9457, `application/problem+json`) that says what to do."""

_log = structlog.get_logger("digit_ocr")


def create_app(
    settings: Settings, version: ModelVersion, load: Load, on_failure: Callable[[Exception], None]
) -> FastAPI:
    """The service for one verified model version.

    `load` builds the recogniser; it runs beside the event loop once the application has started, so that /livez
    answers meanwhile. What it raises goes to `on_failure`.
    """
    metrics = Metrics(CollectorRegistry())
    state = ServiceState(
        settings=settings,
        manifest=version.manifest,
        metrics=metrics,
        executor=ThreadPoolExecutor(settings.threads, thread_name_prefix="recogniser"),
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

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        loading = asyncio.create_task(load_model())
        yield
        state.draining = True
        await loading
        state.executor.shutdown()
        if state.recogniser is not None:
            state.recogniser.close()

    app: FastAPI = FastAPIOffline(
        title="digit-ocr",
        version=distribution_version("digit-ocr"),
        description=_DESCRIPTION,
        docs_url="/docs",
        redoc_url=None,
        static_url="/docs-assets",
        favicon_url="/docs-assets/favicon.png",
        lifespan=lifespan,
    )
    app.state.service = state
    app.add_middleware(Observe, metrics=metrics, model_version=version.manifest.version)
    for error in (OcrError, RequestValidationError, HTTPException):
        app.add_exception_handler(error, _answer_problem)
    app.include_router(reading_routes)
    app.include_router(operations_routes)
    _describe_problems(app)
    return app


async def _answer_problem(request: Request, error: Exception) -> Response:
    return problem_response(request, error)


def _describe_problems(app: FastAPI) -> None:
    """Puts the problem document into the OpenAPI document, in the place of the framework's own error shape."""
    generate = app.openapi

    def openapi() -> dict[str, object]:
        if not app.openapi_schema:
            document = generate()
            schemas = document["components"]["schemas"]
            schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(schema.pop("$defs", {}))
            schemas["Problem"] = schema
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI documents
