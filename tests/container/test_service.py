"""The container's HTTP API as a client sees it, and Prometheus beside it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import cv2
import httpx
import numpy as np
import pytest

from tests.container.stack import Stack, eventually

pytestmark = [pytest.mark.container, pytest.mark.timeout(1200)]  # the first of them waits for the build

_TOO_LARGE = 11 * 2**20


def _png(text: str) -> bytes:
    page = np.full((140, 70 * len(text) + 60), 255, np.uint8)
    cv2.putText(page, text, (30, 105), cv2.FONT_HERSHEY_SIMPLEX, 3, 0, 9, cv2.LINE_AA)
    return cv2.imencode(".png", page)[1].tobytes()


def _png_that_claims(width: int, height: int) -> bytes:
    """A small image, the header of which says otherwise."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    image = _png("1")
    return image[:12] + header + struct.pack(">I", zlib.crc32(header)) + image[12 + len(header) + 4 :]


def _assert_problem(answer: httpx.Response, status: int, slug: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"/problems/{slug}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("digit", [2, 3, 5])
def test_a_form_with_one_digit(service: httpx.Client, digit: int) -> None:
    upload = {"file": ("digit.png", _png(str(digit)), "image/png")}
    answer = service.post("/predict", files=upload, headers={"X-Request-ID": "container-1"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["digit"] == digit
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "container-1"
    assert answer.json()["image"] == {"width": 130, "height": 140}
    assert len(answer.json()["probabilities"]) == 10


def test_a_raw_body_with_a_number(service: httpx.Client) -> None:
    answer = service.post("/read", content=_png("20345"))
    assert answer.status_code == 200, answer.text
    assert answer.json()["text"] == "20345"
    assert len(answer.json()["lines"][0]["digits"]) == 5


@pytest.mark.parametrize(
    "path", ["/", "/about", "/page/main.js", "/docs", "/openapi.json", "/model", "/model/card", "/metrics"]
)
def test_pages_and_their_files_are_in_the_image(service: httpx.Client, path: str) -> None:
    assert service.get(path, follow_redirects=True).status_code == 200


@pytest.mark.parametrize("path", ["/predict", "/read"])
def test_an_empty_body_is_a_missing_file(service: httpx.Client, path: str) -> None:
    _assert_problem(service.post(path), 422, "missing-file")


@pytest.mark.parametrize("path", ["/predict", "/read"])
def test_pixels_are_counted_before_they_are_decoded(service: httpx.Client, path: str) -> None:
    _assert_problem(service.post(path, content=_png_that_claims(50_000, 50_000)), 413, "image-too-large")


def test_a_body_that_declares_too_many_bytes(service: httpx.Client) -> None:
    _assert_problem(service.post("/read", content=bytes(_TOO_LARGE)), 413, "body-too-large")


def test_a_chunked_body_with_too_many_bytes(service: httpx.Client) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(_TOO_LARGE // 2**16):
            yield bytes(2**16)

    answer = service.post("/read", content=chunks())
    assert "content-length" not in answer.request.headers
    _assert_problem(answer, 413, "body-too-large")


def test_prometheus_scrapes_the_service(stack: Stack, service: httpx.Client) -> None:
    def samples(query: str) -> list[dict[str, object]]:
        answer = httpx.get(f"{stack.prometheus_url}/api/v1/query", params={"query": query})
        found: list[dict[str, object]] = answer.json()["data"]["result"]
        return found

    model = service.get("/model").json()
    wanted = f'digit_ocr_model_info{{job="digit-ocr",name="{model["name"]}",version="{model["version"]}"}}'
    eventually(lambda: bool(samples(wanted)), "Prometheus has the model's metric")
    assert bool(samples('up{job="digit-ocr"} == 1'))
