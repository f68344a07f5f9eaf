"""POST /predict?explain=true: where in the digit the network saw what speaks for it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import keras
import numpy as np
import pytest
from keras import layers

from app.composition import build_recogniser
from app.conversion import flat_buffer
from app.explanation import GradCam
from app.manifest import ModelVersion
from app.recogniser import Limits, Recogniser
from app.runner import InterpreterPool
from app.settings import Settings
from tests.api.conftest import Start
from tests.api.problems import assert_problem, assert_problem_document
from tests.api.services import OneDigit, Service, running
from tests.images import blank_page, draw_digit, encode


def explained(client: httpx.Client, data: bytes, **query: Any) -> dict[str, Any]:
    response = client.post("/predict", content=data, params={"explain": "true", **query})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def assert_explanation(explanation: dict[str, Any], digit: int) -> None:
    """What is true of every explanation of a digit."""
    assert set(explanation) == {"digit", "method", "glyph", "map"}
    assert (explanation["digit"], explanation["method"]) == (digit, "Grad-CAM")
    glyph, places = np.array(explanation["glyph"]), np.array(explanation["map"])
    assert glyph.shape == places.shape == (28, 28)
    assert all(isinstance(level, int) for row in explanation["glyph"] for level in row)
    assert (glyph.min(), glyph.max()) == (0, 255)
    assert (places.min(), places.max()) == (0, 1)


@pytest.mark.parametrize("digit", range(10))
def test_a_digit_is_explained(client: Service, digit: int) -> None:
    data = encode(draw_digit(digit))
    answer = explained(client, data)
    assert answer["digit"] == digit
    assert_explanation(answer["explanation"], digit)
    plain = client.post("/predict", content=data).json()
    assert answer["probabilities"] == pytest.approx(plain["probabilities"], abs=1e-6)


def test_without_being_asked_there_is_none(client: Service) -> None:
    for data in (encode(draw_digit(3)), encode(blank_page())):
        for query in ("", "?explain=false"):
            assert "explanation" not in client.post(f"/predict{query}", content=data).json()
        batch = client.post("/predict/batch", files=[("file", data)]).json()
        assert "explanation" not in batch["results"][0]["result"]


def test_without_ink_there_is_nothing_to_explain(client: Service) -> None:
    answer = explained(client, encode(blank_page()))
    assert answer["digit"] is None
    assert answer["explanation"] is None


def test_ink_is_bright_in_either_polarity(client: Service) -> None:
    dark = explained(client, encode(draw_digit(4, ink=20, paper=240)))["explanation"]
    light = explained(client, encode(draw_digit(4, ink=235, paper=15)))["explanation"]
    np.testing.assert_allclose(dark["glyph"], light["glyph"], atol=3)
    np.testing.assert_allclose(dark["map"], light["map"], atol=0.1)


def test_the_glyph_is_that_of_the_polarity_taken(client: Service) -> None:
    """Cropped to its ink, a bold digit has more ink than paper, and both polarities are read."""
    page = draw_digit(8)
    rows, columns = np.nonzero(page < 128)
    crop = page[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    whole, tight = explained(client, encode(page)), explained(client, encode(np.ascontiguousarray(crop)))
    assert tight["digit"] == 8
    difference = np.abs(np.array(whole["explanation"]["glyph"]) - np.array(tight["explanation"]["glyph"]))
    assert difference.mean() < 20  # a glyph of the paper would differ by several times as much


@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
@pytest.mark.parametrize("value", ["maybe", "", "2"])
def test_another_value_is_refused(client: Service, path: str, value: str) -> None:
    response = client.post(path, files=[("file", encode(draw_digit(3)))], params={"explain": value})
    problem = assert_problem(response, "invalid-parameter")
    assert [error["parameter"] for error in problem["errors"]] == ["explain"]


def test_a_number_is_not_explained(client: Service) -> None:
    response = client.post("/read", content=encode(draw_digit(3)), params={"explain": "true"})
    assert_problem(response, "invalid-parameter")


def test_every_file_of_a_batch_is_explained(client: Service) -> None:
    files = [encode(draw_digit(5)), b"no image", encode(blank_page()), encode(draw_digit(2))]
    response = client.post("/predict/batch", files=[("file", data) for data in files], params={"explain": "true"})
    results = response.json()["results"]
    assert [item["status"] for item in results] == [200, 415, 200, 200]
    assert_explanation(results[0]["result"]["explanation"], 5)
    assert results[2]["result"]["explanation"] is None
    assert_explanation(results[3]["result"]["explanation"], 2)


@pytest.mark.parametrize("settings", [{}, {"batch_timeout_ms": 1}], ids=["alone", "in batches"])
def test_many_at_once_each_get_their_own(version: ModelVersion, settings: dict[str, Any]) -> None:
    images = [encode(draw_digit(digit)) for digit in range(10)]
    with running(version, build_recogniser, engine="litert", threads=4, **settings) as service:

        def ask(index: int) -> tuple[int, dict[str, Any]]:
            return index % 10, explained(service, images[index % 10])["explanation"]

        with ThreadPoolExecutor(8) as executor:  # the first of them all find nothing prepared
            answers = list(executor.map(ask, range(120)))
        alone = {digit: explained(service, data)["explanation"] for digit, data in enumerate(images)}
    for digit, explanation in answers:
        assert_explanation(explanation, digit)
        np.testing.assert_allclose(explanation["map"], alone[digit]["map"], atol=1e-3)


def pooled(_: Settings, version: ModelVersion, __: Callable[[int], None]) -> Recogniser:
    """A recogniser whose network averages its features over all places before they become logits."""
    network = keras.Sequential(
        [keras.Input((28, 28, 1)), layers.Conv2D(8, 3), layers.GlobalAveragePooling2D(), layers.Dense(11)]
    )
    explainer = GradCam(flat_buffer(network), Path("model.tflite"))
    manifest, limits = version.manifest, Limits(10**6, 10, 10.0)
    pool = InterpreterPool([OneDigit()])
    return Recogniser(pool, manifest.temperature, manifest.threshold, limits, explainer=explainer)


def test_a_network_of_another_kind_has_a_problem_that_says_so(version: ModelVersion) -> None:
    data = encode(draw_digit(7))
    with running(version, pooled, threads=2) as service:
        response = service.post("/predict", content=data, params={"explain": "true"})
        assert "MEAN" in assert_problem(response, "not-explainable")["detail"]
        batch = service.post("/predict/batch", files=[("file", data)] * 2, params={"explain": "true"})
        assert service.post("/predict", content=data).json()["digit"] == 7
    items = batch.json()["results"]
    assert [item["status"] for item in items] == [501, 501]
    for item in items:
        assert_problem_document(item["problem"], "not-explainable")


def test_a_service_without_explanations_says_so(start: Start) -> None:
    with start() as service:
        response = service.post("/predict", content=encode(draw_digit(7)), params={"explain": "true"})
    assert_problem(response, "not-explainable")


def test_the_document_tells_of_it(client: Service) -> None:
    document = client.get("/openapi.json").json()
    for path in ("/predict", "/predict/batch"):
        parameters = {one.get("name"): one for one in document["paths"][path]["post"]["parameters"]}
        assert parameters["explain"]["schema"]["type"] == "boolean"
        assert "Grad-CAM" in parameters["explain"]["description"]
    assert "explanation" not in document["components"]["schemas"]["PredictionResult"]["required"]
