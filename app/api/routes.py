"""The paths of the API: what is HTTP's is done here, the rest is delegated."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from python_multipart.multipart import parse_options_header
from starlette.responses import PlainTextResponse, Response

from app.api.documentation import OPERATING, READING, operation_id
from app.api.parameters import query_of
from app.api.problems import Problem, problem_of
from app.api.schemas import (
    BatchItem,
    Health,
    PredictionBatch,
    PredictionBatchItem,
    PredictionResult,
    PredictQuery,
    ReadingBatch,
    ReadingBatchItem,
    ReadingResult,
    ReadQuery,
    Reports,
)
from app.api.state import ServiceState, require_client
from app.api.uploads import Upload, image_of, images_of
from app.deadline import Deadline
from app.domain import Prediction, Reading
from app.errors import DeadlineExceeded, OcrError
from app.imaging.annotate import annotated_png
from app.manifest import Manifest
from app.recogniser import Recogniser
from app.steps import finished

Item = TypeVar("Item", bound=BatchItem[Any])

# A file of one digit is rarely larger. What would take long to decode is not done side by side with others: they would
# wait for it.
_SHORT_BYTES = 2**16

_log = structlog.get_logger("digit_ocr.request")


def _state(request: Request) -> ServiceState:
    state: ServiceState = request.app.state.service
    return state


def _authorised(request: Request) -> ServiceState:
    """The service, for a request that may use it. Raises Unauthorized."""
    state = _state(request)
    state.authorise(request.headers.get("authorization"), request.headers.get("x-api-key"))
    return state


def _operator(request: Request) -> ServiceState:
    """The same for what operators ask, which needs a key only where that is configured."""
    state = _state(request)
    return _authorised(request) if state.settings.protect_operations else state


reading_routes = APIRouter(tags=[READING], generate_unique_id_function=operation_id)
operations_routes = APIRouter(tags=[OPERATING], generate_unique_id_function=operation_id)


@reading_routes.post("/predict", response_model=PredictionResult)
async def predict(request: Request) -> Response:
    """One digit, with calibrated probabilities."""
    state, query = _authorised(request), query_of(request, PredictQuery)
    recogniser = state.ready()
    async with state.admitted() as deadline:
        upload = await image_of(request, state.settings.max_body_bytes)
        prediction = await _predict(_Work(request, state, recogniser, deadline), upload, query)
    request.state.digits, request.state.timings = int(prediction.digit is not None), prediction.timings
    result = PredictionResult.of(prediction, state.model, request.state.request_id, query.explain)
    return _json(result, exclude_unset=True)


@reading_routes.post("/read", response_model=ReadingResult)
async def read(request: Request) -> Response:
    """A number, or several lines of numbers. With `Accept: image/png`, the image with boxes and digits drawn on it."""
    state, query = _authorised(request), query_of(request, ReadQuery)
    recogniser = state.ready()
    picture = _wants_png(request.headers.get("accept", ""))
    async with state.admitted() as deadline:
        upload = await image_of(request, state.settings.max_body_bytes)
        reading = await _read(_Work(request, state, recogniser, deadline), upload, query)
        if picture:
            png = await state.work(request, lambda: annotated_png(upload.data, state.settings.max_pixels, reading))
    request.state.digits, request.state.timings = len(reading.text.replace("\n", "")), reading.timings
    if picture:
        return Response(png, media_type="image/png")
    return _json(ReadingResult.of(reading, state.model, request.state.request_id))


@reading_routes.post("/predict/batch", response_model=PredictionBatch)
async def predict_batch(request: Request) -> Response:
    """One digit each of up to 64 images, answered in order. One bad file never spoils the others."""
    state, query = _authorised(request), query_of(request, PredictQuery)
    recogniser = state.ready()

    async def answer(upload: Upload, deadline: Deadline) -> PredictionResult:
        prediction = await _predict(_Work(request, state, recogniser, deadline), upload, query)
        return PredictionResult.of(prediction, state.model, request.state.request_id, query.explain)

    items = await _answered(request, state, PredictionBatchItem, answer)
    request.state.digits = sum(item.result is not None and item.result.digit is not None for item in items)
    return _json(PredictionBatch(results=items), exclude_unset=True)


@reading_routes.post("/read/batch", response_model=ReadingBatch)
async def read_batch(request: Request) -> Response:
    """The numbers of up to 64 images, answered in order. One bad file never spoils the others."""
    state, query = _authorised(request), query_of(request, ReadQuery)
    recogniser = state.ready()

    async def answer(upload: Upload, deadline: Deadline) -> ReadingResult:
        reading = await _read(_Work(request, state, recogniser, deadline), upload, query)
        return ReadingResult.of(reading, state.model, request.state.request_id)

    items = await _answered(request, state, ReadingBatchItem, answer)
    request.state.digits = sum(len(item.result.text.replace("\n", "")) for item in items if item.result)
    return _json(ReadingBatch(results=items))


# Probes ask for the head alone; the server sends no body. The route that is made first, the lower one, is the one that
# is taken, and tells what is allowed; the other one is described.
@operations_routes.get("/livez", response_model=Health)
@operations_routes.api_route("/livez", methods=["GET", "HEAD"], include_in_schema=False)
async def livez() -> Response:
    """Whether the process answers."""
    return _json(Health(status="alive", model=None))


@operations_routes.get("/readyz", response_model=Health)
@operations_routes.api_route("/readyz", methods=["GET", "HEAD"], include_in_schema=False)
async def readyz(request: Request) -> Response:
    """Whether the model is loaded, checked and warmed up, and shutdown has not begun."""
    state = _state(request)
    state.ready()
    return _json(Health(status="ready", model=state.model))


@operations_routes.get("/model", response_model=Manifest)
async def model(request: Request) -> Response:
    """What the model served says of itself."""
    return _json(_operator(request).manifest)


@operations_routes.get("/model/card", response_class=PlainTextResponse)
async def model_card(request: Request) -> Response:
    """The model card: what was measured, what it was made from, and its limits."""
    return await _operator(request).model_files.card(request)


@operations_routes.get("/model/reports", response_model=Reports)
async def model_reports(request: Request) -> Response:
    """The names of the plots of the model's reports."""
    return _json(Reports(reports=_operator(request).model_files.reports))


@operations_routes.get("/model/reports/{name}", response_class=Response)
async def model_report(request: Request) -> Response:
    """One plot of the model's reports."""
    return await _operator(request).model_files.report(request, request.path_params["name"])


@operations_routes.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Prometheus metrics."""
    return Response(generate_latest(_operator(request).metrics.registry), media_type=CONTENT_TYPE_LATEST)


@dataclass(frozen=True, slots=True)
class _Work:
    """For which request something is read, with what, and until when."""

    request: Request
    state: ServiceState
    recogniser: Recogniser
    deadline: Deadline


async def _predict(work: _Work, upload: Upload, query: PredictQuery) -> Prediction:
    steps = work.recogniser.predicting(
        upload.data, query.polarity, query.min_confidence, work.deadline, query.explain, time.perf_counter()
    )
    if len(upload.data) <= _SHORT_BYTES:
        prediction = await work.state.work_in_steps(work.request, steps)
    else:
        prediction = await work.state.work(work.request, lambda: finished(steps))
    work.state.metrics.prediction(prediction)
    return prediction


async def _read(work: _Work, upload: Upload, query: ReadQuery) -> Reading:
    since = time.perf_counter()
    reading = await work.state.work(
        work.request,
        lambda: work.recogniser.read(
            upload.data, query.polarity, query.min_confidence, query.expected_length, work.deadline, since
        ),
    )
    work.state.metrics.reading(reading)
    return reading


async def _answered(
    request: Request, state: ServiceState, item: type[Item], answer: Callable[[Upload, Deadline], Awaitable[BaseModel]]
) -> list[Item]:
    """The answers to all files of a batch, in order.

    Raises DeadlineExceeded where the time is up before the first one; else it is the problem of each that is left.
    """
    items: list[Item] = []
    uploads: list[Upload] = []

    def fail(upload: Upload, error: Exception) -> None:
        problem = _problem_of_file(error, request.state.request_id, state)
        items.append(item(filename=upload.filename, status=problem.status, problem=problem))

    try:
        async with state.admitted() as deadline:
            uploads = await images_of(request, state.settings.max_body_bytes)
            for upload in uploads:
                await require_client(request)
                try:
                    items.append(item(filename=upload.filename, status=200, result=await answer(upload, deadline)))
                except DeadlineExceeded:
                    raise
                except Exception as error:  # whatever it is, it is this file's, and must not spoil the others
                    fail(upload, error)
    except DeadlineExceeded as error:
        if not items:
            raise
        for upload in uploads[len(items) :]:
            fail(upload, error)
    return items


def _problem_of_file(error: Exception, request_id: str, state: ServiceState) -> Problem:
    if not isinstance(error, OcrError):
        _log.error("unforeseen error", request_id=request_id, exc_info=error)
    problem = problem_of(error, request_id)[0]
    state.metrics.refused(problem.slug)
    return problem


def _json(body: BaseModel, *, exclude_unset: bool = False) -> Response:
    return Response(body.model_dump_json(exclude_unset=exclude_unset), media_type="application/json")


def _wants_png(accept: str) -> bool:
    """Whether image/png is asked for by name, and preferred to JSON (RFC 9110, 12.5.1)."""
    quality = {"image/png": 0.0, "application/json": 0.0}
    for part in accept.split(","):
        media_type, parameters = parse_options_header(part)
        name = media_type.decode("latin-1")
        if name in quality:
            try:
                quality[name] = float(parameters.get(b"q", b"1"))
            except ValueError:
                quality[name] = 0.0
    return quality["image/png"] > quality["application/json"]
