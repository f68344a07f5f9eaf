"""POST /read: a number, or several lines of numbers."""

from __future__ import annotations

import io
import math
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
from httpx import Response
from PIL import Image

from app.manifest import ModelVersion
from tests.api.conftest import Start
from tests.api.problems import assert_problem
from tests.api.services import OneDigit, Service
from tests.images import (
    VARIANTS,
    Grey,
    blank_page,
    draw_digit,
    draw_lines,
    draw_number,
    encode,
    transparent_rgba,
    with_orientation,
)


def read(client: Service, data: bytes, **query: Any) -> dict[str, Any]:
    response = client.post("/read", content=data, params=query)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def assert_consistent(answer: dict[str, Any]) -> None:
    """What is true of every answer, whatever the image."""
    assert set(answer) == {
        *("text", "confidence", "rejected", "lines", "image", "model", "request_id", "timings_ms"),
    }
    assert answer["text"] == "\n".join(line["text"] for line in answer["lines"])
    digits = [digit for line in answer["lines"] for digit in line["digits"]]
    assert answer["rejected"] is any(digit["rejected"] for digit in digits)
    assert 0 <= answer["confidence"] <= 1
    for line in answer["lines"]:
        assert set(line) == {"text", "confidence", "box", "digits"}
        assert line["text"] == "".join(str(digit["digit"]) for digit in line["digits"]) != ""
        # A whole is no surer than its parts.
        assert answer["confidence"] <= line["confidence"] + 1e-9
        assert line["confidence"] <= min(digit["confidence"] for digit in line["digits"]) + 1e-9
        assert_inside(line["box"], {"left": 0, "top": 0, **answer["image"]})
        for digit in line["digits"]:
            assert set(digit) == {"digit", "confidence", "rejected", "box"}
            assert_inside(digit["box"], line["box"])
        centres = [digit["box"]["left"] + digit["box"]["width"] / 2 for digit in line["digits"]]
        assert all(one < other for one, other in pairwise(centres))
    assert {"decode", "segment", "queue", "inference", "total"} <= set(answer["timings_ms"])


def assert_inside(box: dict[str, int], whole: dict[str, int]) -> None:
    assert box["width"] >= 1
    assert box["height"] >= 1
    assert box["left"] >= whole["left"]
    assert box["top"] >= whole["top"]
    assert box["left"] + box["width"] <= whole["left"] + whole["width"]
    assert box["top"] + box["height"] <= whole["top"] + whole["height"]


@pytest.mark.parametrize("text", ["05221859", "0123456789", "31415926", "7", "2468013579"])
@pytest.mark.parametrize(("ink", "paper"), [(20, 240), (235, 10)], ids=["dark", "light"])
def test_a_clear_number_is_read(client: Service, text: str, ink: int, paper: int) -> None:
    answer = read(client, encode(draw_number(text, ink=ink, paper=paper)))
    assert_consistent(answer)
    assert answer["text"] == text
    assert len(answer["lines"]) == 1


def test_leading_zeros_stay(client: Service) -> None:
    answer = read(client, encode(draw_number("0042")))
    assert answer["text"] == "0042"
    assert [digit["digit"] for digit in answer["lines"][0]["digits"]] == [0, 0, 4, 2]


def test_lines_are_read_from_top_to_bottom(client: Service) -> None:
    page = draw_lines(["05221859", "314", "2024"])
    answer = read(client, encode(page))
    assert_consistent(answer)
    assert answer["text"] == "05221859\n314\n2024"
    assert answer["image"] == {"width": page.shape[1], "height": page.shape[0]}
    bottoms = [line["box"]["top"] + line["box"]["height"] for line in answer["lines"]]
    tops = [line["box"]["top"] for line in answer["lines"]]
    assert all(bottom <= top for bottom, top in zip(bottoms, tops[1:], strict=False))


def test_lines_of_other_sizes_are_read_too(client: Service) -> None:
    """A heading three times as high as the line above it."""
    small, large = draw_number("123", 30), draw_number("456", 90)
    page = np.vstack([np.pad(small, ((0, 0), (0, large.shape[1] - small.shape[1])), constant_values=240), large])
    assert read(client, encode(page))["text"] == "123\n456"


@pytest.mark.parametrize("angle", [-3, 3])
def test_a_slanting_line_is_one_line(client: Service, angle: float) -> None:
    page = np.pad(draw_number("82047"), 30, constant_values=240)
    turn = cv2.getRotationMatrix2D((page.shape[1] / 2, page.shape[0] / 2), angle, 1)
    turned = cv2.warpAffine(page, turn, page.shape[::-1], borderValue=240)
    assert read(client, encode(turned.astype(np.uint8)))["text"] == "82047"


def test_boxes_lie_around_their_digits(client: Service) -> None:
    page = blank_page(300, 160)
    places = {3: (20, 30), 5: (110, 36), 8: (200, 28)}
    for digit, (left, top) in places.items():
        page[top : top + 80, left : left + 80] = draw_digit(digit, 80, paper=255)
    answer = read(client, encode(page))
    assert answer["text"] == "358"
    for found in answer["lines"][0]["digits"]:
        left, top = places[found["digit"]]
        rows, columns = np.nonzero(draw_digit(found["digit"], 80, paper=255) < 128)
        assert found["box"]["left"] == pytest.approx(left + columns.min(), abs=3)
        assert found["box"]["top"] == pytest.approx(top + rows.min(), abs=3)
        assert found["box"]["width"] == pytest.approx(np.ptp(columns) + 1, abs=5)
        assert found["box"]["height"] == pytest.approx(np.ptp(rows) + 1, abs=5)


def test_confidence_is_that_of_the_whole_text(start: Start) -> None:
    with start(OneDigit(7, 4.0)) as service:
        answer = read(service, encode(draw_lines(["735", "28"])))
    each = answer["lines"][0]["digits"][0]["confidence"]
    assert answer["text"] == "777\n77"
    assert each < 0.9
    assert answer["lines"][0]["confidence"] == pytest.approx(each**3)
    assert answer["confidence"] == pytest.approx(math.prod(line["confidence"] for line in answer["lines"]))


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_page_without_digits_is_an_empty_text(client: Service, level: int) -> None:
    answer = read(client, encode(blank_page(level=level)))
    assert_consistent(answer)
    assert (answer["text"], answer["lines"], answer["rejected"]) == ("", [], False)


def _shade(width: int, height: int, darkest: float) -> Grey:
    return np.rint(np.tile(np.linspace(darkest, 250, width), (height, 1))).astype(np.uint8)


@pytest.mark.parametrize("darkest", [0, 100, 180])
@pytest.mark.parametrize("turns", [0, 1])
def test_a_shade_is_no_digit(client: Service, darkest: float, turns: int) -> None:
    answer = read(client, encode(np.rot90(_shade(300, 200, darkest), turns).copy()))
    assert answer["text"] == ""


def test_a_page_of_other_marks_is_an_empty_text(start: Start) -> None:
    with start(OneDigit(10)) as service:
        answer = read(service, encode(draw_number("123")))
    assert_consistent(answer)
    assert answer["text"] == ""
    assert answer["confidence"] > 0.9  # it is sure that there is nothing


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2, 1), (1, 2), (3, 3), (1, 400), (400, 1), (2000, 2)])
def test_the_smallest_images_get_an_answer(client: Service, width: int, height: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (height, width), np.uint8)
    for pixels in (noise, blank_page(width, height)):
        answer = read(client, encode(pixels))
        assert_consistent(answer)
        assert answer["image"] == {"width": width, "height": height}


def _framed(page: Grey) -> Grey:
    return cv2.rectangle(page.copy(), (4, 4), (page.shape[1] - 5, page.shape[0] - 5), 20, 2).astype(np.uint8)


def _underlined(page: Grey) -> Grey:
    return cv2.line(page.copy(), (10, page.shape[0] - 12), (page.shape[1] - 10, page.shape[0] - 12), 20, 3).astype(
        np.uint8
    )


def _specked(page: Grey) -> Grey:
    specked = page.copy()
    random = np.random.default_rng(5)
    for x, y in zip(random.integers(0, page.shape[1], 40), random.integers(0, page.shape[0], 40), strict=True):
        specked[y : y + 2, x : x + 2] = 60
    return specked


def _on_bad_paper(page: Grey) -> Grey:
    """Light from one side, and grain."""
    light = np.linspace(0.55, 1.0, page.shape[1])[np.newaxis]
    grain = np.random.default_rng(3).normal(0, 5, page.shape)
    return np.clip(page * light + grain, 0, 255).astype(np.uint8)


def _with_dashes(page: Grey) -> Grey:
    """A dash and a point behind the last digit."""
    wider = np.pad(page, ((0, 0), (0, 90)), constant_values=240)
    middle = page.shape[0] // 2
    cv2.line(wider, (page.shape[1], middle), (page.shape[1] + 22, middle), 20, 5)
    cv2.circle(wider, (page.shape[1] + 45, middle + 22), 4, 20, -1)
    return wider


@pytest.mark.parametrize("spoil", [_framed, _underlined, _specked, _on_bad_paper, _with_dashes])
@pytest.mark.parametrize("text", ["58203", "4967"])
def test_marks_that_are_no_digits_are_left_out(client: Service, spoil: Any, text: str) -> None:
    page = np.pad(draw_number(text), 12, constant_values=240)
    answer = read(client, encode(spoil(page)))
    assert_consistent(answer)
    assert answer["text"] == text


def test_a_digit_is_in_the_text_however_unsure(start: Start, version: ModelVersion) -> None:
    data = encode(draw_number("123"))
    with start(OneDigit(7, 1.0)) as service:  # far under any threshold, but no other mark either
        by_default = read(service, data)
        lenient = read(service, data, min_confidence=0)
    assert by_default["text"] == lenient["text"] == "777"
    assert by_default["rejected"] is (by_default["lines"][0]["digits"][0]["confidence"] < version.manifest.threshold)
    assert by_default["rejected"] is True
    assert lenient["rejected"] is False


def test_expected_length_is_a_hint(client: Service) -> None:
    data = encode(draw_number("58203"))
    for length in (5, 3, 1, 9):
        answer = read(client, data, expected_length=length)
        assert_consistent(answer)
        assert len(answer["text"]) == length
    assert read(client, data, expected_length=5)["text"] == "58203"


def test_expected_length_keeps_marks_that_would_be_left_out(start: Start) -> None:
    data = encode(draw_number("12345"))
    with start(OneDigit(10, 3.0)) as service:
        assert read(service, data)["text"] == ""
        answer = read(service, data, expected_length=4)
    assert_consistent(answer)
    assert len(answer["text"]) == 4


def test_no_more_digits_are_read_than_the_limit(start: Start) -> None:
    data = encode(draw_number("1234567890"))
    with start(max_digits=4) as service:
        answer = read(service, data)
    assert_consistent(answer)
    assert 1 <= len(answer["text"]) <= 4


def test_more_digits_than_a_batch_takes_are_read_all(start: Start) -> None:
    page = draw_lines(["1234567890"] * 5)
    with start(max_batch_size=8) as service:
        answer = read(service, encode(page))
    assert answer["text"] == "\n".join(["7777777777"] * 5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_format_is_read(client: Service, variant: str) -> None:
    assert read(client, VARIANTS[variant](draw_number("0357")))["text"] == "0357"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(client: Service, orientation: int) -> None:
    page = draw_number("2357")
    answer = read(client, with_orientation(page, orientation))
    assert answer["text"] == "2357"
    assert answer["image"] == {"width": page.shape[1], "height": page.shape[0]}
    assert_consistent(answer)


def test_a_large_photo_is_read_in_its_own_pixels(client: Service) -> None:
    page = np.kron(draw_number("2357"), np.ones((12, 12), np.uint8))
    answer = read(client, encode(page, "JPEG"))
    assert page.size > 3_000_000
    assert answer["text"] == "2357"
    assert answer["image"] == {"width": page.shape[1], "height": page.shape[0]}
    assert answer["lines"][0]["box"]["height"] == pytest.approx(12 * 48, rel=0.1)


def _picture(client: Service, data: bytes, accept: str = "image/png") -> Response:
    return client.post("/read", content=data, headers={"Accept": accept})


def _assert_drawn_on(response: Response, page: Grey, boxes: int) -> None:
    """A PNG of the page's size, with something coloured around every digit, and the page elsewhere."""
    assert response.status_code == 200
    assert response.headers["content-type"] == "image/png"
    image = Image.open(io.BytesIO(response.content))
    assert image.format == "PNG"
    assert image.size == page.shape[::-1]
    pixels = np.asarray(image.convert("RGB")).astype(int)
    coloured = (np.ptp(pixels, axis=2) > 40).astype(np.uint8)
    hulls, _ = cv2.findContours(coloured, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    assert len(hulls) >= boxes
    untouched = pixels[coloured == 0].mean(axis=1)
    assert abs(untouched - page[coloured == 0]).mean() < 12


def test_a_picture_can_be_asked_for(client: Service) -> None:
    page = draw_number("3520", 64, spacing=0.9)
    response = _picture(client, encode(page))
    _assert_drawn_on(response, page, boxes=4)
    assert response.headers["X-Request-ID"]


def test_the_picture_stands_upright_on_white(client: Service) -> None:
    page = draw_number("357", ink=0, paper=255)
    _assert_drawn_on(_picture(client, transparent_rgba(page)), page, boxes=1)
    for orientation in range(1, 9):
        _assert_drawn_on(_picture(client, with_orientation(page, orientation)), page, boxes=1)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_format_can_be_drawn_on(client: Service, variant: str) -> None:
    response = _picture(client, VARIANTS[variant](draw_number("357")))
    assert response.status_code == 200
    assert Image.open(io.BytesIO(response.content)).size == draw_number("357").shape[::-1]


def test_the_picture_of_an_empty_page_is_the_page(client: Service) -> None:
    response = _picture(client, encode(blank_page(level=200)))
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(response.content)).convert("L")), 200)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("application/json, image/png;q=0.5", "application/json"),
        ("image/png;q=0.5, application/json", "application/json"),
        ("image/png;q=0, */*", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("IMAGE/PNG", "image/png"),
        ("image/png, */*;q=0.1", "image/png"),
        ("application/json;q=0.5, image/png", "image/png"),
        ("", "application/json"),
    ],
)
def test_the_accept_header_decides(client: Service, accept: str, media_type: str) -> None:
    response = _picture(client, encode(draw_number("35")), accept)
    assert response.status_code == 200
    assert response.headers["content-type"].split(";")[0] == media_type


def test_an_error_is_a_problem_whatever_is_accepted(client: Service) -> None:
    assert_problem(_picture(client, b"no image"), "unsupported-image")
