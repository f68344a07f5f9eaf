"""The OpenAPI document is valid and whole, and its problems are those that the service answers, path by path."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import replace
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.manifest import ModelVersion
from tests.api.problems import assert_problem
from tests.api.services import Blocking, OneDigit, Raising, Service, running, starting, wait_for, with_classifier
from tests.conftest import ROOT
from tests.images import FORGED, draw_digit, encode

SAMPLES = ROOT / "tests" / "samples"
GOOD = encode(draw_digit(3))
METHODS = {
    "/predict": "post",
    "/read": "post",
    "/predict/batch": "post",
    "/read/batch": "post",
    "/livez": "get",
    "/readyz": "get",
    "/model": "get",
    "/model/card": "get",
    "/model/reports": "get",
    "/model/reports/{name}": "get",
    "/metrics": "get",
}
POSTS = [path for path, method in METHODS.items() if method == "post"]
_NAMES = {"/model/reports/{name}": "model_report"}
Document = dict[str, Any]


@pytest.fixture(scope="module")
def document(client: Service) -> Document:
    found: Document = client.get("/openapi.json").json()
    return found


def operation(document: Document, path: str) -> Document:
    (found,) = document["paths"][path].items()
    assert found[0] == METHODS[path]
    operation: Document = found[1]
    return operation


def resolved(document: Document, part: Document) -> Document:
    for name in part.get("$ref", "#").split("/")[1:]:
        document = document[name]
    return document if "$ref" in part else part


def schema_errors(document: Document, schema: Document, value: Any) -> list[str]:
    validator = OAS31Validator({**schema, "components": document["components"]})
    return [error.message for error in validator.iter_errors(value)]


def test_the_document_is_openapi_3_1(document: Document) -> None:
    assert document["openapi"].startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
    assert "servers" not in document  # the paths are relative to where the document is
    assert not re.findall(r"https?://(?!localhost)", json.dumps(document))


def test_every_path_is_told_with_a_name_for_clients(document: Document) -> None:
    assert set(document["paths"]) == set(METHODS)
    tags = {tag["name"]: tag["description"] for tag in document["tags"]}
    for path in METHODS:
        found = operation(document, path)
        assert found["operationId"] == _NAMES.get(path, path.strip("/").replace("/", "_"))
        assert found["summary"]
        assert found["description"]
        assert all(tags[tag] for tag in found["tags"])


def test_everything_is_described(document: Document) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description"), name
        for field, told in schema.get("properties", {}).items():
            assert told.get("description") or resolved(document, told).get("description"), f"{name}.{field}"
    for path in METHODS:
        for parameter in (resolved(document, part) for part in operation(document, path)["parameters"]):
            assert parameter["description"], parameter
            assert schema_errors(document, parameter["schema"], parameter["example"]) == []


@pytest.mark.parametrize("path", POSTS)
def test_a_post_takes_a_form_or_bytes_and_its_query(document: Document, path: str) -> None:
    told = operation(document, path)
    assert set(told["requestBody"]["content"]) == {"multipart/form-data", "application/octet-stream"}
    parameters = [resolved(document, part) for part in told["parameters"]]
    query = {parameter["name"] for parameter in parameters if parameter["in"] == "query"}
    assert query == {"polarity", "min_confidence", "expected_length" if "read" in path else "explain"}


def test_a_picture_is_among_the_answers_of_read(document: Document) -> None:
    assert "image/png" in operation(document, "/read")["responses"]["200"]["content"]


def test_a_key_may_be_sent_in_either_way_where_one_is_asked_for(document: Document) -> None:
    schemes = document["components"]["securitySchemes"]
    assert {(scheme["type"], scheme.get("scheme"), scheme.get("name")) for scheme in schemes.values()} == {
        ("http", "bearer", None),
        ("apiKey", None, "X-API-Key"),
    }
    assert [set(one) for one in document["security"]] == [set(), *({name} for name in schemes)]
    public = {path for path in METHODS if operation(document, path).get("security") == []}
    assert public == {"/livez", "/readyz"}


def test_examples_are_as_their_schemas_say(document: Document) -> None:
    for path in METHODS:
        for response in operation(document, path)["responses"].values():
            for content in response["content"].values():
                if content["schema"].get("format") == "binary":
                    continue
                examples = [resolved(document, one)["value"] for one in content.get("examples", {}).values()]
                examples += [content["example"]] if "example" in content else []
                assert examples
                for example in examples:
                    assert schema_errors(document, content["schema"], example) == []


def shape(value: Any) -> Any:
    """The names and kinds of a JSON value; of a list, those of its first entry."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    return [shape(value[0])] if isinstance(value, list) else type(value)


def test_examples_of_answers_are_those_of_the_samples(client: Service, document: Document) -> None:
    digit, number = SAMPLES / "digit.png", SAMPLES / "number.jpg"

    def example(path: str) -> Document:
        told: Document = operation(document, path)["responses"]["200"]["content"]["application/json"]["example"]
        return told

    for path, file, field in (("/predict", digit, "digit"), ("/read", number, "text")):
        told, answer = example(path), client.post(path, content=file.read_bytes()).json()
        assert shape(told) == shape(answer)
        assert (told[field], told["image"]) == (answer[field], answer["image"])
        files = [("file", (one.name, one.read_bytes())) for one in (file, ROOT / "README.md")]
        results = client.post(f"{path}/batch", files=files).json()["results"]
        for told, answer in zip(example(f"{path}/batch")["results"], results, strict=True):
            assert shape(told) == shape(answer)
            assert (told["filename"], told["status"]) == (answer["filename"], answer["status"])
    for path in ("/livez", "/readyz"):
        assert shape(example(path)) == shape(client.get(path).json())
    assert set(example("/model")) == set(client.get("/model").json())
    families = re.findall(
        r"^# .*", operation(document, "/metrics")["responses"]["200"]["content"]["text/plain"]["example"], re.MULTILINE
    )
    assert set(families) <= set(client.get("/metrics").text.splitlines())


Answers = dict[str, list[httpx.Response]]


@pytest.fixture(scope="module")
def answers(version: ModelVersion, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Of every path, its answers to all that may go wrong; where it answers as if nothing had, that one."""
    found: Answers = {path: [] for path in METHODS}
    cut_short = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + GOOD
    wrongs: list[dict[str, Any]] = [
        {"content": cut_short, "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
        {"files": {"image": GOOD}},
        {"content": GOOD, "params": {"min_confidence": "2"}},
        {"content": bytes(10 * 2**20 + 1)},
        {"content": FORGED["PNG"]},
        {"content": b"twelve"},
        {"content": encode(draw_digit(3, 200))[:-200]},
        {"content": GOOD, "params": {"explain": "true"}},  # of a classifier that cannot; /read has no such parameter
    ]

    def ask(service: Service, **request: Any) -> None:
        for path, method in METHODS.items():
            found[path].append(service.request(method, path, **(request if method == "post" else {})))

    one_digit = with_classifier(OneDigit())
    with running(version, one_digit) as service:
        for wrong in wrongs:
            ask(service, **wrong)
        for path, method in METHODS.items():
            found[path].append(service.request(method, path, headers=[(f"X-{n}", "") for n in range(120)]))
        service.state.in_flight = 64  # as many as may be
        ask(service, content=GOOD)
        service.state.in_flight = 0
        service.state.draining = True  # what the signal does
        ask(service, content=GOOD)
    with running(version, one_digit, api_keys="key", protect_operations=True) as service:
        ask(service, content=GOOD)
    may_load = threading.Event()
    with starting(version, lambda *given: (may_load.wait(60), one_digit(*given))[1]) as service:
        ask(service, content=GOOD)
        may_load.set()
        wait_for(lambda: service.get("/readyz").status_code == 200, "the service is not ready")
    blocking = Blocking()
    with running(version, with_classifier(blocking), request_timeout_s=0.2, threads=8) as service:
        ask(service, content=GOOD)
        blocking.release.set()
    with running(version, with_classifier(Raising(RuntimeError()))) as service:
        ask(service, content=GOOD)
    bare = replace(version, folder=tmp_path_factory.mktemp("bare"))  # with neither card nor reports
    with running(bare, one_digit) as service:
        ask(service, content=GOOD)
    return found


def slug_of(response: httpx.Response) -> str:
    slug: str = response.json()["type"].rsplit("/", 1)[1]
    assert_problem(response, slug)
    return slug


def documented(document: Document, path: str) -> set[tuple[str, str]]:
    """Status and slug of every problem of a path."""
    responses = operation(document, path)["responses"]
    return {
        (status, slug)
        for status in responses
        if status != "200"
        for slug in responses[status]["content"]["application/problem+json"]["examples"]
    }


@pytest.mark.parametrize("path", METHODS)
def test_the_problems_of_a_path_are_those_it_answers(document: Document, answers: Answers, path: str) -> None:
    seen = {(str(answer.status_code), slug_of(answer)) for answer in answers[path] if answer.status_code != 200}
    # What nobody foresaw may happen anywhere, and is brought about by a classifier alone.
    unforeseen = {("500", "internal-error")}
    assert seen | unforeseen == documented(document, path)
    assert seen >= unforeseen or path not in ("/predict", "/read")


@pytest.mark.parametrize("path", METHODS)
def test_answers_have_the_headers_and_the_body_that_are_documented(
    document: Document, answers: Answers, path: str
) -> None:
    responses = operation(document, path)["responses"]
    for answer in answers[path]:
        told = responses[str(answer.status_code)]
        content = told["content"][answer.headers["Content-Type"].split(";")[0]]
        body = answer.json() if "json" in answer.headers["Content-Type"] else answer.text
        assert schema_errors(document, content["schema"], body) == []
        for name, header in told["headers"].items():
            schema = resolved(document, header)["schema"]
            value = answer.headers[name]
            assert schema_errors(document, schema, int(value) if schema["type"] == "integer" else value) == []
        for name in {"Retry-After", "WWW-Authenticate"} & {header.title() for header in answer.headers}:
            assert name in {header.title() for header in told["headers"]}


def test_examples_of_problems_say_what_the_service_says(document: Document, answers: Answers) -> None:
    """But for the numbers, which are those of the settings."""

    def text(problem: Document) -> tuple[str, str, int, str, Any]:
        detail = re.sub(r"\d+(?:[.,]\d+)*", "N", problem["detail"])
        return problem["type"], problem["title"], problem["status"], detail, problem.get("errors")

    said = [text(answer.json()) for path in METHODS for answer in answers[path] if answer.status_code != 200]
    examples = document["components"]["examples"]
    assert {slug for path in METHODS for _, slug in documented(document, path)} == set(examples)
    for example in examples.values():
        assert text(example["value"]) in said
