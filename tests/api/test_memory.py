"""A small upload never makes the service need much memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.images import FORGED, FORGED_WEBP, png, png_chunk
from tests.memory import PROCESS_STATUS

pytestmark = pytest.mark.skipif(not PROCESS_STATUS.exists(), reason="the peak of memory is read from Linux's /proc")

# Exactly as many pixels as the service accepts, all of one colour, so that the file is small.
WIDTH, HEIGHT = 8000, 5000
# What decoding them may cost: the pixels with alpha, a working copy of them, and a little more.
_DECODED_MIB = WIDTH * HEIGHT * 4 / 2**20
ALLOWED_MIB = 2 * _DECODED_MIB + 64


def rise_of(
    tmp_path: Path, body: bytes, content_type: str = "image/png", accept: str = "application/json"
) -> tuple[int, float]:
    (tmp_path / "body").write_bytes(body)
    command = [sys.executable, "-m", "tests.api.measured", str(tmp_path / "body"), content_type, accept]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stderr.splitlines()[-1])
    return answer["status"], answer["rise_mib"]


@pytest.mark.parametrize("data", [FORGED["PNG"], FORGED_WEBP], ids=["PNG", "WebP"])
def test_a_forged_header_costs_nothing(tmp_path: Path, data: bytes) -> None:
    status, rise = rise_of(tmp_path, data)
    assert status in (413, 422)
    assert rise < 32


def _transparent_palette() -> bytes:
    extra = png_chunk(b"PLTE", bytes(768)) + png_chunk(b"tRNS", b"\0")
    return png(WIDTH, HEIGHT, 3, bytes(WIDTH), extra=extra)


BOMBS: dict[str, Callable[[], bytes]] = {
    "grey": lambda: png(WIDTH, HEIGHT, 0, bytes(WIDTH)),
    "colour with alpha": lambda: png(WIDTH, HEIGHT, 6, bytes(4 * WIDTH)),
    "transparent palette": _transparent_palette,
}


@pytest.mark.parametrize(
    ("kind", "accept"),
    [
        ("grey", "application/json"),
        ("colour with alpha", "application/json"),
        ("transparent palette", "application/json"),
        ("colour with alpha", "image/png"),
    ],
)
def test_an_image_at_the_limit_costs_what_its_pixels_cost(tmp_path: Path, kind: str, accept: str) -> None:
    body = BOMBS[kind]()
    assert len(body) < 2**20
    status, rise = rise_of(tmp_path, body, accept=accept)
    assert status == 200
    assert rise < ALLOWED_MIB


def test_a_form_of_very_many_parts_costs_little_more_than_its_bytes(tmp_path: Path) -> None:
    part = b"--b\r\n\r\n\r\n"
    body = part * (10 * 2**20 // len(part) - 1) + b"--b--\r\n"
    status, rise = rise_of(tmp_path, body, "multipart/form-data; boundary=b")
    assert status in (400, 413, 422)
    assert rise < 64


def test_what_is_measured_is_memory(tmp_path: Path) -> None:
    """The counterpart: a body of 10 MiB shows."""
    status, rise = rise_of(tmp_path, encode_padded(9 * 2**20))
    assert status == 200
    assert rise > 8


def encode_padded(size: int) -> bytes:
    data = png(20, 20, 0, bytes(20))
    return data + bytes(size - len(data))
