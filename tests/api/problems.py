"""The one shape of every error."""

from __future__ import annotations

from typing import Any

from httpx import Response

# Status and slug of every problem of the contract.
STATUS = {
    "malformed-request": 400,
    "unauthorized": 401,
    "not-found": 404,
    "method-not-allowed": 405,
    "body-too-large": 413,
    "image-too-large": 413,
    "unsupported-image": 415,
    "corrupt-image": 422,
    "invalid-parameter": 422,
    "missing-file": 422,
    "not-explainable": 501,
    "overloaded": 503,
    "not-ready": 503,
    "shutting-down": 503,
    "deadline-exceeded": 504,
    "internal-error": 500,
}
# What a client never sees: places and insides of the program.
_INSIDES = ("Traceback", 'File "', ".py", "/home", "/usr", "site-packages", "object at 0x", "pydantic")


def assert_problem(response: Response, slug: str) -> dict[str, Any]:
    """Checks that a response is the problem `slug`, in its canonical shape; returns the document."""
    assert response.status_code == STATUS[slug], response.text
    assert response.headers["content-type"].split(";")[0] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert_problem_document(problem, slug)
    assert problem["request_id"] == response.headers["X-Request-ID"]
    assert ("Retry-After" in response.headers) == (slug in ("overloaded", "not-ready", "shutting-down"))
    return problem


def assert_problem_document(problem: dict[str, Any], slug: str) -> None:
    """The same for a document that stands inside another one."""
    assert set(problem) in ({"type", "title", "status", "detail", "request_id"}, {*_MEMBERS, "errors"})
    assert problem["type"] == f"/problems/{slug}"
    assert problem["status"] == STATUS[slug]
    for member in ("title", "detail", "request_id"):
        assert isinstance(problem[member], str)
        assert problem[member].strip()
    for inside in _INSIDES:
        assert inside not in problem["detail"]
    for error in problem.get("errors") or []:
        assert set(error) == {"parameter", "detail"}
        assert all(isinstance(text, str) and text for text in error.values())


_MEMBERS = ("type", "title", "status", "detail", "request_id")
