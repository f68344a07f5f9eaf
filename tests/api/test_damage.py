"""Damaged and arbitrary bytes: an answer or a problem that names the client's side, never an internal error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.problems import assert_problem
from tests.api.services import Service
from tests.images import VARIANTS, draw_number, encode

# Pillow warns of what it passes over in damaged metadata.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")

IMAGE = draw_number("35", 24)
GOOD = encode(IMAGE)

several = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)


def assert_answered(client: Service, path: str, body: bytes, content_type: str = "image/png") -> None:
    response = client.post(path, content=body, headers={"Content-Type": content_type})
    if response.status_code != 200:
        slug = response.json()["type"].removeprefix("/problems/")
        assert slug in ("unsupported-image", "corrupt-image", "image-too-large", "malformed-request", "missing-file")
        assert_problem(response, slug)


@pytest.mark.parametrize("variant", VARIANTS)
def test_damaged_images(client: Service, variant: str) -> None:
    whole = VARIANTS[variant](IMAGE)
    random = np.random.default_rng(len(whole))
    for _ in range(8):
        data = bytearray(whole)
        for position in random.integers(0, min(len(data), 600), 4):
            data[position] = random.integers(0, 256)
        assert_answered(client, "/read", bytes(data))
        assert_answered(client, "/predict", bytes(whole[: random.integers(1, len(whole))]))


@given(
    st.binary(max_size=200), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"P5 ", b"RIFF"])
)
@several
def test_arbitrary_bytes(client: Service, data: bytes, signature: bytes) -> None:
    assert_answered(client, "/read", signature + data)


_PIECES = st.sampled_from(
    [
        *(b"--b", b"--b--", b"\r\n", b"\r\n\r\n", b"\n", b"--", b'Content-Disposition: form-data; name="file"'),
        *(b'; filename="', b"Content-Type: image/png", b"Content-Transfer-Encoding: base64", b":", b"\0", GOOD),
    ]
)


@given(st.lists(_PIECES | st.binary(max_size=8), max_size=14))
@several
def test_arbitrary_forms(client: Service, pieces: list[bytes]) -> None:
    assert_answered(client, "/predict/batch", b"".join(pieces), "multipart/form-data; boundary=b")


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80))
@several
def test_arbitrary_content_types(client: Service, text: str) -> None:
    assert_answered(client, "/predict", GOOD, text.strip())
    assert_answered(client, "/predict", GOOD, f"multipart/{text}".strip())
