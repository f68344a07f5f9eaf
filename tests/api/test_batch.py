"""POST /predict/batch and /read/batch: several images, answered in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.api.conftest import Start
from tests.api.problems import STATUS, assert_problem, assert_problem_document
from tests.api.services import Blocking, OneDigit, Service
from tests.images import FORGED, draw_digit, draw_number, encode

PATHS = ("/predict/batch", "/read/batch")
Files = Sequence[tuple[str, bytes]]

BAD = {
    "unsupported-image": b"these bytes are no image",
    "corrupt-image": encode(draw_digit(3))[:-200],
    "image-too-large": FORGED["PNG"],
}


def post(client: Service, path: str, files: Files, **query: Any) -> list[dict[str, Any]]:
    response = client.post(path, files=[("file", file) for file in files], params=query)
    assert response.status_code == 200, response.text
    body = response.json()
    assert set(body) == {"results"}
    results: list[dict[str, Any]] = body["results"]
    for result in results:
        assert (result.get("result") is None) == (result["status"] != 200)
        assert (result.get("problem") is None) == (result["status"] == 200)
    return results


@pytest.mark.parametrize("path", PATHS)
def test_an_item_has_either_a_result_or_a_problem(client: Service, path: str) -> None:
    good, bad = post(client, path, [("good", encode(draw_digit(3))), ("bad", b"no image")])
    assert set(good) == {"filename", "status", "result"}
    assert set(bad) == {"filename", "status", "problem"}


def test_predictions_come_in_order(client: Service) -> None:
    files = [(f"{digit}.png", encode(draw_digit(digit))) for digit in (3, 1, 4, 1, 5, 9, 2, 6)]
    results = post(client, "/predict/batch", files)
    assert [result["filename"] for result in results] == [name for name, _ in files]
    assert [result["result"]["digit"] for result in results] == [3, 1, 4, 1, 5, 9, 2, 6]


def test_readings_come_in_order(client: Service) -> None:
    texts = ["2024", "0", "31415", "007"]
    results = post(client, "/read/batch", [(f"{text}.jpg", encode(draw_number(text), "JPEG")) for text in texts])
    assert [result["result"]["text"] for result in results] == texts


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("slug", BAD)
def test_one_bad_file_never_spoils_the_others(client: Service, path: str, slug: str) -> None:
    good = encode(draw_digit(3))
    results = post(client, path, [("a.png", good), ("b.png", BAD[slug]), ("c.png", good)])
    assert [result["status"] for result in results] == [200, STATUS[slug], 200]
    assert_problem_document(results[1]["problem"], slug)
    for result in (results[0], results[2]):
        assert result["result"].get("digit", result["result"].get("text")) in (3, "3")


@pytest.mark.parametrize("path", PATHS)
def test_a_batch_of_bad_files_alone_is_answered_too(client: Service, path: str) -> None:
    results = post(client, path, list(BAD.items()))
    assert [result["filename"] for result in results] == list(BAD)
    for result in results:
        assert_problem_document(result["problem"], result["filename"])


@pytest.mark.parametrize("path", PATHS)
def test_an_empty_file_has_a_problem_of_its_own(client: Service, path: str) -> None:
    empty, good = post(client, path, [("empty.png", b""), ("good.png", encode(draw_digit(3)))])
    assert_problem_document(empty["problem"], "unsupported-image")
    assert good["status"] == 200


def test_every_answer_is_a_whole_one(client: Service) -> None:
    data = encode(draw_digit(3))
    single, batch = client.post("/predict", content=data).json(), post(client, "/predict/batch", [("a", data)])
    assert batch[0]["result"].keys() == single.keys()
    assert batch[0]["result"]["probabilities"] == pytest.approx(single["probabilities"], abs=1e-6)
    single, batch = client.post("/read", content=data).json(), post(client, "/read/batch", [("a", data)])
    assert batch[0]["result"].keys() == single.keys()


def test_all_answers_carry_the_requests_id(client: Service) -> None:
    files = [("file", encode(draw_digit(3))), ("file", b"no image")]
    response = client.post("/predict/batch", files=files, headers={"X-Request-ID": "of-all"})
    good, bad = response.json()["results"]
    assert good["result"]["request_id"] == bad["problem"]["request_id"] == "of-all"
    assert response.headers["X-Request-ID"] == "of-all"


@pytest.mark.parametrize("path", PATHS)
def test_the_query_holds_for_all(client: Service, path: str) -> None:
    data = encode(draw_digit(3))
    for result in post(client, path, [("a", data), ("b", data)], min_confidence=0, polarity="dark-on-light"):
        assert result["result"]["rejected"] is False
    results = post(client, "/read/batch", [("a", encode(draw_number("123"))), ("b", data)], expected_length=1)
    assert [len(result["result"]["text"]) for result in results] == [1, 1]


@pytest.mark.parametrize("name", ["zwei.png", "二.png", "a b.png", "ä;=.png", "no suffix", "../../up.png"])
def test_file_names_come_back_as_they_are(client: Service, name: str) -> None:
    (result,) = post(client, "/predict/batch", [(name, encode(draw_digit(2)))])
    assert result["filename"] == name


@pytest.mark.parametrize("path", PATHS)
def test_64_files_are_taken_and_no_more(client: Service, path: str) -> None:
    data = encode(draw_digit(3, 28))
    results = post(client, path, [(str(index), data) for index in range(64)])
    assert [result["filename"] for result in results] == [str(index) for index in range(64)]
    assert all(result["status"] == 200 for result in results)
    problem = assert_problem(client.post(path, files=[("file", data)] * 65), "invalid-parameter")
    assert "64" in problem["detail"]


@pytest.mark.parametrize("path", PATHS)
def test_a_raw_body_is_a_batch_of_one(client: Service, path: str) -> None:
    response = client.post(path, content=encode(draw_digit(3)))
    assert response.status_code == 200
    (result,) = response.json()["results"]
    assert result["filename"] is None
    assert result["result"].get("digit", result["result"].get("text")) in (3, "3")


class _AnswersOnce(Blocking):
    """Answers the first image, and no other before it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def logits(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.calls += 1
        return OneDigit.logits(self, glyphs) if self.calls == 1 else super().logits(glyphs)


@pytest.mark.parametrize("path", PATHS)
def test_what_is_done_by_the_deadline_is_answered(start: Start, path: str) -> None:
    good, classifier = encode(draw_digit(7)), _AnswersOnce()
    files = [("a.png", good), ("b.png", b"no image"), ("c.png", good), ("d.png", good)]
    with start(classifier, request_timeout_s=2) as service:
        try:
            results = post(service, path, files)
            assert [result["filename"] for result in results] == [name for name, _ in files]
            assert [result["status"] for result in results] == [200, 415, 504, 504]
            assert results[0]["result"].get("digit", results[0]["result"].get("text")) in (7, "7")
            for result in results[2:]:
                assert_problem_document(result["problem"], "deadline-exceeded")
            assert service.state.in_flight == 0
        finally:
            classifier.release.set()


@pytest.mark.parametrize("path", PATHS)
def test_a_batch_of_which_nothing_is_done_by_the_deadline(start: Start, path: str) -> None:
    classifier = Blocking()
    with start(classifier, request_timeout_s=0.2) as service:
        try:
            response = service.post(path, files=[("file", encode(draw_digit(7)))] * 3)
            assert_problem(response, "deadline-exceeded")
        finally:
            classifier.release.set()
