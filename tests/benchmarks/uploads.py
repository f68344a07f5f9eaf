"""What is posted: drawn images as raw bodies and as forms, and the answer that each of them must get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.images import draw_digit, draw_number, encode

DIGIT = 7
NUMBER = "40718"
_BOUNDARY = "benchmark"


@dataclass(frozen=True, slots=True)
class Upload:
    """One request body. `is_right` says whether an answer's JSON is the one that it must get."""

    body: bytes
    content_type: str
    is_right: Callable[[Any], bool]


def raw(image: bytes, is_right: Callable[[Any], bool]) -> Upload:
    """The image as the body."""
    return Upload(image, "application/octet-stream", is_right)


def form(image: bytes, is_right: Callable[[Any], bool]) -> Upload:
    """The image as the field `file` of a form, as curl writes it."""
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="digit.png"\r\n'
    body = head.encode() + b"Content-Type: image/png\r\n\r\n" + image + f"\r\n--{_BOUNDARY}--\r\n".encode()
    return Upload(body, f"multipart/form-data; boundary={_BOUNDARY}", is_right)


def digit_image() -> bytes:
    """A digit on 96 × 96 pixels, PNG."""
    return encode(draw_digit(DIGIT))


def number_image() -> bytes:
    """Five digits in a line, PNG."""
    return encode(draw_number(NUMBER))


def was_read(image: bytes) -> Callable[[Any], bool]:
    """Of the floor: it has read all bytes of the image."""
    return lambda answer: bool(answer == {"bytes": len(image)})


def tells_digit(answer: Any) -> bool:
    """Of the service and the peers: the digit, with ten probabilities. BentoML answers a list of what was sent."""
    result = answer[0] if isinstance(answer, list) else answer
    return bool(result["digit"] == DIGIT and len(result["probabilities"]) == 10)


def tells_number(answer: Any) -> bool:
    """Of /read: the number, whole."""
    return bool(answer["text"] == NUMBER)
