"""Errors → RFC 9457 problem documents: the only place where an error becomes an HTTP status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app import errors

PROBLEM_MEDIA_TYPE = "application/problem+json"
_RETRY_AFTER_S = 1


def is_none(value: object) -> bool:
    """Whether a field is left out of the JSON."""
    return value is None


def without_null(schema: dict[str, Any]) -> None:
    """Takes the null out of the JSON schema of a field that is left out where it has no value."""
    (value,) = (one for one in schema.pop("anyOf") if one != {"type": "null"})
    del schema["default"]
    schema |= value


class InvalidParameterDetail(BaseModel):
    """One invalid parameter."""

    parameter: str = Field(description="Its name.", examples=["min_confidence"])
    detail: str = Field(description="What is wrong with it.", examples=["Input should be less than or equal to 1"])


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    type: str = Field(description="Stable URI reference of the kind of problem.", examples=["/problems/missing-file"])
    title: str = Field(description="The kind of problem in words.", examples=["No image in the request"])
    status: int = Field(description="The HTTP status.", examples=[422])
    detail: str = Field(description="What happened, and what to do.")
    request_id: str = Field(description="What to look up in the service's log; the response's X-Request-ID.")
    errors: list[InvalidParameterDetail] | None = Field(
        None,
        description="Every invalid parameter, where any is.",
        exclude_if=is_none,
        json_schema_extra=without_null,
    )

    @property
    def slug(self) -> str:
        return self.type.rsplit("/", 1)[1]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its status, the last part of its `type`, its title, and the headers that go with it."""

    status: int
    slug: str
    title: str
    headers: tuple[tuple[str, str], ...] = ()


_RETRY = (("Retry-After", str(_RETRY_AFTER_S)),)
_INTERNAL = Kind(500, "internal-error", "Internal error")
METHOD_NOT_ALLOWED = Kind(405, "method-not-allowed", "Method not allowed")

KINDS: dict[type[errors.OcrError], Kind] = {
    errors.OcrError: _INTERNAL,
    errors.NotFound: Kind(404, "not-found", "Not found"),
    errors.MalformedRequest: Kind(400, "malformed-request", "Malformed request"),
    errors.MissingFile: Kind(422, "missing-file", "No image in the request"),
    errors.InvalidParameter: Kind(422, "invalid-parameter", "Invalid parameter"),
    errors.BodyTooLarge: Kind(413, "body-too-large", "Body too large", (("Connection", "close"),)),
    errors.ImageTooLarge: Kind(413, "image-too-large", "Image too large"),
    errors.UnsupportedImage: Kind(415, "unsupported-image", "Unsupported image"),
    errors.CorruptImage: Kind(422, "corrupt-image", "Corrupt image"),
    errors.Unauthorized: Kind(401, "unauthorized", "Unauthorized", (("WWW-Authenticate", "Bearer"),)),
    errors.NotExplainable: Kind(501, "not-explainable", "Not explainable"),
    errors.NotReady: Kind(503, "not-ready", "Not ready", _RETRY),
    errors.ShuttingDown: Kind(503, "shutting-down", "Shutting down", _RETRY),
    errors.Overloaded: Kind(503, "overloaded", "Overloaded", _RETRY),
    errors.DeadlineExceeded: Kind(504, "deadline-exceeded", "Deadline exceeded"),
}


def kind_of(error: Exception) -> Kind:
    """The kind of problem that an error is, by the nearest class in its ancestry."""
    return next((KINDS[cls] for cls in type(error).__mro__ if cls in KINDS), _INTERNAL)


def problem_of(error: Exception, request_id: str) -> tuple[Problem, Kind]:
    """The problem document of any error, the framework's own included. Of an unforeseen one it tells nothing."""
    if isinstance(error, RequestValidationError):
        error = _invalid_parameter(error)
    if isinstance(error, HTTPException):
        return _http_problem(error, request_id)
    kind = kind_of(error)
    details = None
    if isinstance(error, errors.InvalidParameter) and error.errors:
        details = [InvalidParameterDetail(**detail) for detail in error.errors]
    text = "Something went wrong here, not with the request. Look the request id up in the service's log."
    if kind is not _INTERNAL:
        text = str(error)
    problem = Problem(
        type=f"/problems/{kind.slug}",
        title=kind.title,
        status=kind.status,
        detail=text,
        request_id=request_id,
        errors=details,
    )
    return problem, kind


def problem_response(request: Request, error: Exception) -> Response:
    """The response for an error; its slug is left in the request's state for metrics and logs."""
    problem, kind = problem_of(error, request.state.request_id)
    request.state.problem = problem.slug
    headers = dict(kind.headers)
    if isinstance(error, HTTPException) and error.headers:
        headers.update(error.headers)
    return Response(
        problem.model_dump_json(),
        status_code=problem.status,
        media_type=PROBLEM_MEDIA_TYPE,
        headers=headers,
    )


def _invalid_parameter(error: RequestValidationError) -> errors.InvalidParameter:
    details = tuple(
        {"parameter": str(item["loc"][-1]), "detail": str(item["msg"])} for item in error.errors() if item["loc"]
    )
    summary = "; ".join(f"{detail['parameter']}: {detail['detail']}" for detail in details)
    return errors.InvalidParameter(f"{summary}. See /docs for the parameters.", details)


def _http_problem(error: HTTPException, request_id: str) -> tuple[Problem, Kind]:
    if error.status_code == 405:
        kind, text = METHOD_NOT_ALLOWED, "This path takes another method; the Allow header tells which."
    elif error.status_code == 404:
        kind, text = KINDS[errors.NotFound], "There is nothing at this path; /docs shows what there is."
    else:
        kind, text = KINDS[errors.MalformedRequest], str(error.detail)
    problem = Problem(
        type=f"/problems/{kind.slug}", title=kind.title, status=kind.status, detail=text, request_id=request_id
    )
    return problem, kind
