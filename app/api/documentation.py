"""The OpenAPI document: what FastAPI tells of the routes, and what people and generated clients need besides.

Which errors a path may answer is told by app/api/operations.py, in classes of the error tree; their statuses, headers
and examples follow from the one map in app/api/problems.py.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel

from app.api import examples
from app.api.operations import OPERATIONS, Operation
from app.api.parameters import documented
from app.api.problems import KINDS, PROBLEM_MEDIA_TYPE, Problem
from app.api.uploads import FIELD, MAX_BATCH_FILES
from app.errors import OcrError

SUMMARY = "Reads digits from images: one digit with calibrated probabilities, or whole numbers."
DESCRIPTION = f"""{SUMMARY}

Images are PNG, JPEG, WebP, BMP, TIFF, GIF or PNM. Boxes are pixels of the image after its EXIF orientation, origin top
left.

Every error is a problem document (RFC 9457, `{PROBLEM_MEDIA_TYPE}`) that says what to do; its `type` is stable. Beside
those that stand at each path there are 404 `/problems/not-found` and 405 `/problems/method-not-allowed`."""
LICENCE = {"name": "MIT", "identifier": "MIT"}
READING, OPERATING = "reading", "operations"
TAGS = [
    {"name": READING, "description": "Images in, digits out."},
    {"name": OPERATING, "description": "Health, the model served, and metrics."},
]

_SCHEMAS = "#/components/schemas/{model}"
_BINARY = {"type": "string", "format": "binary"}
_REQUEST_ID = (
    "The request's id in logs, problems and the answer: 1 to 128 letters, digits and `._:-`; otherwise one is made."
)
_COMPONENTS: dict[str, Any] = {
    "schemas": {
        "ImageForm": {
            "type": "object",
            "description": "A form with one image.",
            "required": [FIELD],
            "properties": {FIELD: {**_BINARY, "description": "The image."}},
        },
        "ImagesForm": {
            "type": "object",
            "description": f"A form with up to {MAX_BATCH_FILES} images, all in fields of the same name.",
            "required": [FIELD],
            "properties": {
                FIELD: {
                    "type": "array",
                    "description": "The images, answered in this order.",
                    "items": {**_BINARY, "description": "An image."},
                    "minItems": 1,
                    "maxItems": MAX_BATCH_FILES,
                }
            },
        },
    },
    "parameters": {
        "RequestId": {
            "name": "X-Request-ID",
            "in": "header",
            "required": False,
            "description": _REQUEST_ID,
            "schema": {"type": "string", "description": _REQUEST_ID},
            "example": examples.REQUEST_ID,
        },
        "ReportName": {
            "name": "name",
            "in": "path",
            "required": True,
            "description": "One of the names that /model/reports lists.",
            "schema": {"type": "string", "description": "The name of a plot."},
            "example": examples.REPORTS.reports[0],
        },
    },
    "headers": {
        "X-Request-ID": {
            "description": "The request's id: the client's own, or a new one.",
            "required": True,
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"},
            "example": examples.REQUEST_ID,
        },
        "Retry-After": {
            "description": "Seconds after which to try again.",
            "required": True,
            "schema": {"type": "integer", "minimum": 1},
            "example": 1,
        },
        "WWW-Authenticate": {
            "description": "How to send a key.",
            "required": True,
            "schema": {"type": "string"},
            "example": "Bearer",
        },
    },
    "securitySchemes": {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, where the service has any."},
        "api_key": {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-Key",
            "description": "The same key in a header of its own.",
        },
    },
}
_KEY_IS_OPTIONAL: list[dict[str, list[str]]] = [{}, {"bearer": []}, {"api_key": []}]


def operation_id(route: APIRoute) -> str:
    """The name of a route, which becomes that of a generated client's function."""
    return route.name


def describe(app: FastAPI) -> None:
    """Lets the application tell the whole document, at /openapi.json and /docs."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _completed(generate())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI documents


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    components = document["components"]
    for name, entries in _COMPONENTS.items():
        components[name] = components.get(name, {}) | entries
    components["examples"] = examples.problems()
    schema = Problem.model_json_schema(ref_template=_SCHEMAS)
    components["schemas"] |= schema.pop("$defs") | {"Problem": schema}
    document["security"] = _KEY_IS_OPTIONAL
    for path in document["paths"].values():
        for operation in path.values():
            components["schemas"] |= _complete(operation, OPERATIONS[operation["operationId"]])
    return document


def _complete(operation: dict[str, Any], told: Operation) -> dict[str, Any]:
    """Completes an operation in its place. Returns the schemas that it refers to."""
    operation |= {"summary": told.summary, "description": told.description}
    operation["parameters"], schemas = documented(told.query, _SCHEMAS) if told.query else ([], {})
    operation["parameters"] += [{"$ref": f"#/components/parameters/{name}"} for name in (*told.parameters, "RequestId")]
    if told.form:
        operation["requestBody"] = _body(told.form)
    if told.public:
        operation["security"] = []
    answer = operation["responses"]["200"]
    answer |= {"description": told.answer, "headers": _headers("X-Request-ID")}
    (content,) = answer.pop("content", {"": {"schema": _BINARY}}).values()
    answer["content"] = {told.media_type: content}
    if told.example is not None:
        content["example"] = _json(told.example)
    if told.picture:
        answer["content"]["image/png"] = {"schema": _BINARY}
    operation["responses"] = {"200": answer, **_problems(told.errors)}
    return schemas


def _json(example: BaseModel | str) -> Any:
    return example if isinstance(example, str) else example.model_dump(mode="json", exclude_unset=True)


def _body(form: str) -> dict[str, Any]:
    return {
        "required": True,
        "description": f"PNG, JPEG, WebP, BMP, TIFF, GIF or PNM: in the form field `{FIELD}`, or one image as the body "
        "itself, whose content type may be any but multipart; the bytes decide.",
        "content": {
            "multipart/form-data": {"schema": {"$ref": _SCHEMAS.format(model=form)}},
            "application/octet-stream": {"schema": _BINARY},
        },
    }


def _problems(kinds: tuple[type[OcrError], ...]) -> dict[str, Any]:
    """The responses for some errors, by status; of each an example."""
    by_status: dict[int, dict[str, Any]] = {}
    for kind in sorted((KINDS[error] for error in kinds), key=lambda kind: (kind.status, kind.slug)):
        headers = [name for name, _ in kind.headers if name in _COMPONENTS["headers"]]
        response = by_status.setdefault(
            kind.status,
            {
                "headers": _headers("X-Request-ID", *headers),
                "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": _SCHEMAS.format(model="Problem")}, "examples": {}}},
            },
        )
        response["content"][PROBLEM_MEDIA_TYPE]["examples"][kind.slug] = {"$ref": f"#/components/examples/{kind.slug}"}
    for status, response in by_status.items():
        slugs = ", ".join(f"`{slug}`" for slug in response["content"][PROBLEM_MEDIA_TYPE]["examples"])
        response["description"] = f"{HTTPStatus(status).phrase}: {slugs}."
    return {str(status): response for status, response in by_status.items()}


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
