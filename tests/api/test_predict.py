"""POST /predict: one digit."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from app.manifest import ModelVersion
from tests.api.conftest import Start
from tests.api.services import OneDigit, Service
from tests.images import (
    VARIANTS,
    blank_page,
    draw_digit,
    encode,
    png,
    png_chunk,
    scanned_digits,
    several_frames,
    with_orientation,
)


def predict(client: Service, data: bytes, **query: Any) -> dict[str, Any]:
    response = client.post("/predict", content=data, params=query)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def assert_consistent(answer: dict[str, Any]) -> None:
    """What is true of every answer, whatever the image."""
    assert set(answer) == {
        *("digit", "confidence", "rejected", "probabilities", "non_digit_probability"),
        *("box", "image", "model", "request_id", "timings_ms"),
    }
    probabilities = answer["probabilities"]
    assert len(probabilities) == 10
    assert all(0 <= p <= 1 for p in [*probabilities, answer["non_digit_probability"]])
    assert sum(probabilities) + answer["non_digit_probability"] == pytest.approx(1)
    assert answer["confidence"] == max(probabilities)
    assert {"decode", "segment", "queue", "inference", "total"} <= set(answer["timings_ms"])
    assert all(value >= 0 for value in answer["timings_ms"].values())
    if answer["digit"] is None:
        assert answer["rejected"] is True
        assert answer["box"] is None
    else:
        assert probabilities[answer["digit"]] == answer["confidence"]
        box, image = answer["box"], answer["image"]
        assert min(box["left"], box["top"]) >= 0
        assert min(box["width"], box["height"]) >= 1
        assert box["left"] + box["width"] <= image["width"]
        assert box["top"] + box["height"] <= image["height"]


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize(("ink", "paper"), [(20, 240), (235, 10), (120, 170)], ids=["dark", "light", "pale"])
def test_a_clear_digit_is_read_in_either_polarity(client: Service, digit: int, ink: int, paper: int) -> None:
    answer = predict(client, encode(draw_digit(digit, ink=ink, paper=paper)))
    assert_consistent(answer)
    assert answer["digit"] == digit


def test_an_answer_says_who_gave_it(client: Service, version: ModelVersion) -> None:
    response = client.post("/predict", content=encode(draw_digit(3)), headers={"X-Request-ID": "a-1"})
    answer = response.json()
    assert answer["model"] == {"name": version.manifest.name, "version": version.manifest.version}
    assert answer["request_id"] == response.headers["X-Request-ID"] == "a-1"
    assert response.headers["content-type"].split(";")[0] == "application/json"


def test_the_box_lies_around_the_ink(client: Service) -> None:
    page = blank_page(200, 150)
    page[40:136, 90:186] = draw_digit(5, paper=255)
    rows, columns = np.nonzero(page < 128)
    answer = predict(client, encode(page))
    box = answer["box"]
    assert answer["image"] == {"width": 200, "height": 150}
    assert box["left"] == pytest.approx(columns.min(), abs=3)
    assert box["top"] == pytest.approx(rows.min(), abs=3)
    assert box["left"] + box["width"] == pytest.approx(columns.max() + 1, abs=3)
    assert box["top"] + box["height"] == pytest.approx(rows.max() + 1, abs=3)


def test_real_handwriting_is_read(client: Service) -> None:
    images, labels = scanned_digits(200)
    answers = [predict(client, encode(image)) for image in images]
    right = sum(answer["digit"] == label for answer, label in zip(answers, labels, strict=True))
    assert right >= 160
    for answer in answers:
        assert_consistent(answer)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_format_is_read(client: Service, variant: str) -> None:
    answer = predict(client, VARIANTS[variant](draw_digit(3)))
    assert answer["digit"] == 3
    assert answer["image"] == {"width": 96, "height": 96}


def test_the_bytes_decide_what_the_format_is(client: Service) -> None:
    data = encode(draw_digit(4), "GIF")
    for content_type in ("image/png", "text/plain", "application/x-www-form-urlencoded", "application/json", "x", ""):
        answer = client.post("/predict", content=data, headers={"Content-Type": content_type})
        assert answer.json()["digit"] == 4, content_type
    answer = client.post("/predict", files={"file": ("four.jpg", data, "image/jpeg")})
    assert answer.json()["digit"] == 4


def test_a_form_and_a_raw_body_get_the_same_answer(client: Service) -> None:
    data = encode(draw_digit(2))
    raw = predict(client, data)
    form = client.post("/predict", files={"file": ("two.png", data)}).json()
    for member in ("digit", "confidence", "rejected", "probabilities", "box", "image"):
        assert form[member] == raw[member]


def test_other_fields_of_a_form_are_passed_over(client: Service) -> None:
    response = client.post("/predict", data={"comment": "a two"}, files={"file": encode(draw_digit(2))})
    assert response.json()["digit"] == 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation_is_applied(client: Service, orientation: int, image_format: str) -> None:
    page = blank_page(130, 96)
    page[:, :96] = draw_digit(7, paper=255)  # upside down it is none, mirrored it is a poor one
    answer = predict(client, with_orientation(page, orientation, image_format))
    assert answer["digit"] == 7
    assert answer["image"] == {"width": 130, "height": 96}
    assert answer["box"]["left"] + answer["box"]["width"] < 96


@pytest.mark.parametrize("image_format", ["GIF", "TIFF", "WEBP"])
def test_the_first_frame_counts(client: Service, image_format: str) -> None:
    data = several_frames([draw_digit(6), draw_digit(1)], image_format)
    assert predict(client, data)["digit"] == 6


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_page_without_ink_has_no_digit(client: Service, level: int) -> None:
    answer = predict(client, encode(blank_page(level=level)))
    assert_consistent(answer)
    assert (answer["digit"], answer["rejected"], answer["box"]) == (None, True, None)
    assert answer["image"] == {"width": 120, "height": 90}


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2, 1), (1, 2), (3, 3), (1, 400), (400, 1), (2000, 2)])
def test_the_smallest_images_get_an_answer(client: Service, width: int, height: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (height, width), np.uint8)
    for pixels in (noise, blank_page(width, height)):
        answer = predict(client, encode(pixels))
        assert_consistent(answer)
        assert answer["image"] == {"width": width, "height": height}


def test_a_transparent_image_is_paper(client: Service) -> None:
    nothing = png(40, 40, 6, bytes(4 * 40))
    assert predict(client, nothing)["digit"] is None
    with_colour_key = png(40, 40, 2, bytes(3 * 40), extra=png_chunk(b"tRNS", bytes(6)))
    assert predict(client, with_colour_key)["digit"] is None


def test_an_image_above_the_working_size_is_read_in_its_own_pixels(client: Service) -> None:
    page = np.kron(draw_digit(8), np.ones((25, 25), np.uint8))  # 2400 × 2400
    answer = predict(client, encode(page, "JPEG"))
    small = predict(client, encode(draw_digit(8)))
    assert answer["digit"] == 8
    assert answer["image"] == {"width": 2400, "height": 2400}
    for side in ("left", "top", "width", "height"):
        assert answer["box"][side] == pytest.approx(25 * small["box"][side], abs=50)


def test_polarity_can_be_told(client: Service) -> None:
    """A light digit that fills a dark image's middle; told the truth, the answer is the digit."""
    for polarity, ink, paper in (("dark-on-light", 20, 240), ("light-on-dark", 240, 20)):
        assert predict(client, encode(draw_digit(9, ink=ink, paper=paper)), polarity=polarity)["digit"] == 9


def test_a_told_polarity_is_believed(client: Service) -> None:
    """Told that ink is light, a dark digit is what is not ink."""
    data = encode(draw_digit(1))
    told = predict(client, data, polarity="light-on-dark")
    assert told["box"] != predict(client, data, polarity="dark-on-light")["box"]


def test_rejected_means_under_the_threshold(start: Start, version: ModelVersion) -> None:
    data = encode(draw_digit(3))
    for logit, threshold in ((20.0, None), (0.1, None), (0.1, 0.0), (3.0, 0.99), (3.0, 0.1)):
        with start(OneDigit(7, logit)) as service:
            answer = predict(service, data, **({} if threshold is None else {"min_confidence": threshold}))
        assert answer["digit"] == 7  # the best guess, rejected or not
        limit = version.manifest.threshold if threshold is None else threshold
        assert answer["rejected"] is (answer["confidence"] < limit)
    assert version.manifest.threshold > 0


def test_the_bounds_of_min_confidence_are_taken(client: Service) -> None:
    data = encode(draw_digit(3))
    assert predict(client, data, min_confidence=0)["rejected"] is False
    assert predict(client, data, min_confidence=1)["digit"] == 3


def test_what_is_no_digit_still_has_a_best_guess(start: Start) -> None:
    with start(OneDigit(10)) as service:
        answer = predict(service, encode(draw_digit(3)))
    assert_consistent(answer)
    assert answer["digit"] in range(10)
    assert answer["rejected"] is True
    assert answer["non_digit_probability"] > 0.99


def test_confidences_are_calibrated_with_the_models_temperature(start: Start, version: ModelVersion) -> None:
    with start(OneDigit(7, 4.0)) as service:
        answer = predict(service, encode(draw_digit(3)))
    exponential = np.exp(4.0 / version.manifest.temperature)
    assert answer["confidence"] == pytest.approx(exponential / (exponential + 10), rel=1e-6)


def test_confidences_are_not_rounded(start: Start) -> None:
    """Where a digit is all but sure, the rest is still told: rounded, it would be 1 and nought."""
    confidences = []
    for logit in (12.0, 12.5, 13.0):
        with start(OneDigit(7, logit)) as service:
            answer = predict(service, encode(draw_digit(3)))
        assert 0 < answer["probabilities"][0] < 1e-4
        confidences.append(answer["confidence"])
    assert all(one < other < 1 for one, other in pairwise(confidences))


def test_equal_images_get_equal_answers(client: Service) -> None:
    data = encode(draw_digit(6))
    one, other = predict(client, data), predict(client, data)
    assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-6)
