"""The requests of a soak: good ones of every path and of many sizes, and bad ones, as the bytes that are sent."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from tests.images import FORGED, blank_page, draw_digit, draw_lines, draw_number, encode

_BOUNDARY = b"a-boundary-that-is-in-no-image"


@dataclass(frozen=True, slots=True)
class Request:
    """Bytes to send, the status that answers them, and how often they come."""

    data: bytes
    status: int
    weight: int


def raw(path: str, body: bytes, *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def form(path: str, *images: bytes, field: str = "file") -> bytes:
    disposition = f'Content-Disposition: form-data; name="{field}"; filename="3.png"\r\n\r\n'.encode()
    parts = b"".join(b"--" + _BOUNDARY + b"\r\n" + disposition + image + b"\r\n" for image in images)
    content_type = f"Content-Type: multipart/form-data; boundary={_BOUNDARY.decode()}"
    return raw(path, parts + b"--" + _BOUNDARY + b"--\r\n", content_type)


def lone_digit() -> bytes:
    """A cheap and good request."""
    return raw("/predict", encode(draw_digit(3)))


def number() -> bytes:
    """What the service is for."""
    return raw("/read", encode(draw_number("0417532698")))


def mixture() -> list[Request]:
    """Of every path and size, four in five of them good."""
    digits = [encode(draw_digit(n % 10, side)) for n, side in enumerate((28, 40, 64, 96, 150, 220, 400))]
    photo = np.rint(np.random.default_rng(1).normal(200, 6, (480, 640))).clip(0, 255).astype(np.uint8)
    photo[200:280, 100:400] = np.minimum(photo[200:280, 100:400], draw_number("27182", 40)[:80, :300].max())
    text = draw_number("31415", 44)
    photo[100 : 100 + text.shape[0], 60 : 60 + text.shape[1]] = text
    numbers = [encode(draw_number("9071", height), "JPEG") for height in (16, 24, 48, 90)]
    good = [
        *(Request(raw("/predict", data), 200, 6) for data in digits),
        *(Request(form("/predict", data), 200, 4) for data in digits[:4]),
        *(Request(raw("/read", data), 200, 4) for data in numbers),
        Request(form("/read?expected_length=4", numbers[2]), 200, 4),
        Request(raw("/read", encode(photo, "JPEG")), 200, 1),
        Request(raw("/read", encode(draw_lines(["2024", "117", "90"], 30), "WEBP")), 200, 2),
        Request(raw("/read", numbers[1], "Accept: image/png"), 200, 1),
        Request(raw("/predict", encode(blank_page())), 200, 2),
        Request(form("/predict/batch", *digits[:3], b"no image"), 200, 2),
        Request(form("/read/batch", *numbers[:2]), 200, 1),
    ]
    bad = [
        Request(raw("/predict", b"no image"), 415, 3),
        Request(raw("/read", digits[3][: len(digits[3]) // 2]), 422, 3),
        Request(raw("/read", FORGED["PNG"]), 413, 2),
        Request(raw("/read?polarity=upside-down", digits[0]), 422, 2),
        Request(form("/predict", digits[0], field="image"), 422, 2),
        Request(raw("/nothing", b""), 404, 1),
        Request(raw("/read", bytes(200_000)), 415, 1),
    ]
    return good + bad


def sequence(count: int) -> list[Request]:
    """So many requests of the mixture, the same in every run."""
    requests = mixture()
    return random.Random(1).choices(requests, [request.weight for request in requests], k=count)
