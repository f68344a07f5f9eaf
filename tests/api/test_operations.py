"""What operators and orchestrators ask: probes, the model, metrics, documentation."""

from __future__ import annotations

import json
import math
import re
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from app.manifest import ModelVersion
from app.recogniser import Recogniser
from app.settings import Settings
from tests.api.conftest import Start
from tests.api.problems import STATUS, assert_problem
from tests.api.services import Blocking, OneDigit, Service, starting, wait_for, with_classifier
from tests.images import FORGED, draw_digit, draw_number, encode

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
STAGES = {"decode", "segment", "queue", "inference", "postprocess"}
PATHS = {
    *("/predict", "/read", "/predict/batch", "/read/batch", "/livez", "/readyz", "/metrics"),
    *("/model", "/model/card", "/model/reports", "/model/reports/{name}"),
}
PAGES = {"/", "/about", "/page/{path:path}", "/docs", "/openapi.json", "/docs-assets", "/docs/oauth2-redirect"}


def families(client: Service) -> dict[str, Metric]:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")
    return {family.name: family for family in text_string_to_metric_families(response.text)}


def scrape(client: Service) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families(client).values()
        for sample in family.samples
    }


def moved(before: Samples, after: Samples, name: str, **labels: str) -> float:
    key = (name, frozenset(labels.items()))
    return after.get(key, 0.0) - before.get(key, 0.0)


def test_a_running_service_is_alive_and_ready(client: Service) -> None:
    for path in ("/livez", "/readyz"):
        response = client.get(path)
        assert response.status_code == 200
        assert isinstance(response.json(), dict)
        assert response.headers["X-Request-ID"]


@pytest.mark.parametrize("path", ["/", "/about", "/livez", "/readyz"])
def test_a_probe_may_ask_for_the_head_alone(client: Service, path: str) -> None:
    head, whole = client.head(path), client.get(path)
    assert head.status_code == whole.status_code == 200
    assert head.content == b""
    for name in ("Content-Type", "Content-Length"):
        assert head.headers[name] == whole.headers[name]


def test_the_head_alone_tells_too_that_the_service_is_not_ready(start: Start) -> None:
    with start() as service:
        service.state.draining = True  # what the signal does
        head = service.head("/readyz")
        assert (head.status_code, head.content) == (503, b"")


def test_alive_but_not_ready_while_the_model_loads(version: ModelVersion) -> None:
    loaded = threading.Event()

    def load(settings: Settings, version: ModelVersion, on_batch: Callable[[int], None]) -> Recogniser:
        assert loaded.wait(60)
        return with_classifier(OneDigit())(settings, version, on_batch)

    data = encode(draw_digit(7))
    with starting(version, load) as service:
        try:
            assert service.get("/livez").status_code == 200
            assert_problem(service.get("/readyz"), "not-ready")
            for path in ("/predict", "/read", "/predict/batch", "/read/batch"):
                assert_problem(service.post(path, content=data), "not-ready")
            assert service.get("/model").status_code == 200
            assert service.get("/metrics").status_code == 200
        finally:
            loaded.set()
        wait_for(lambda: service.get("/readyz").status_code == 200, "the service is not ready")
        assert service.post("/predict", content=data).json()["digit"] == 7


def test_a_model_that_does_not_load_is_reported_and_never_ready(version: ModelVersion) -> None:
    failures: list[Exception] = []
    cause = RuntimeError("out of memory")

    def load(_: Settings, __: ModelVersion, ___: Callable[[int], None]) -> Recogniser:
        raise cause

    with starting(version, load, on_failure=failures.append) as service:
        wait_for(lambda: bool(failures), "the failure is not reported")
        assert failures == [cause]
        assert_problem(service.get("/readyz"), "not-ready")
        assert_problem(service.post("/predict", content=encode(draw_digit(7))), "not-ready")


def test_the_model_tells_its_manifest(client: Service, version: ModelVersion) -> None:
    manifest = client.get("/model").json()
    assert manifest == json.loads((version.folder / "manifest.json").read_text())
    assert {
        *("name", "version", "sha256", "labels", "preprocessing_version", "temperature", "threshold"),
        *("training_data", "metrics", "libraries"),
    } <= set(manifest)
    assert manifest["training_data"]
    assert manifest["metrics"]
    assert "tensorflow" in manifest["libraries"]


def test_every_metric_of_the_contract_is_there(client: Service) -> None:
    client.post("/read", content=encode(draw_number("123")))
    client.post("/read", content=b"no image")
    found = families(client)
    kinds = {
        "digit_ocr_requests": "counter",
        "digit_ocr_request_duration_seconds": "histogram",
        "digit_ocr_stage_duration_seconds": "histogram",
        "digit_ocr_batch_size": "histogram",
        "digit_ocr_in_flight_requests": "gauge",
        "digit_ocr_digits": "counter",
        "digit_ocr_confidence": "histogram",
        "digit_ocr_rejected_requests": "counter",
        "digit_ocr_model_info": "gauge",
        "digit_ocr_model_load_seconds": "gauge",
        "process_resident_memory_bytes": "gauge",
        "process_cpu_seconds": "counter",
    }
    assert {name: found[name].type for name in kinds if name in found} == kinds
    assert all(family.documentation for name, family in found.items() if name.startswith("digit_ocr"))


def test_latency_buckets_run_from_half_a_millisecond_to_ten_seconds(client: Service) -> None:
    client.post("/read", content=encode(draw_number("123")))
    for name in ("digit_ocr_request_duration_seconds", "digit_ocr_stage_duration_seconds"):
        bounds = {
            float(sample.labels["le"]) for sample in families(client)[name].samples if sample.name.endswith("_bucket")
        }
        assert (min(bounds), sorted(bounds)[-2], max(bounds)) == (0.0005, 10, math.inf)


def test_a_reading_moves_its_counters(client: Service) -> None:
    data = encode(draw_number("3552"))
    before = scrape(client)
    answer = client.post("/read", content=data).json()
    after = scrape(client)
    assert answer["text"] == "3552"
    assert moved(before, after, "digit_ocr_requests_total", endpoint="/read", status="200") == 1
    assert moved(before, after, "digit_ocr_request_duration_seconds_count", endpoint="/read") == 1
    for stage in STAGES:
        assert moved(before, after, "digit_ocr_stage_duration_seconds_count", stage=stage) == 1
    digits = [digit for line in answer["lines"] for digit in line["digits"]]
    for (digit, rejected), count in Counter((d["digit"], d["rejected"]) for d in digits).items():
        labels = {"digit": str(digit), "rejected": str(rejected).lower()}
        assert moved(before, after, "digit_ocr_digits_total", **labels) == count
    assert moved(before, after, "digit_ocr_confidence_count") == 4
    assert moved(before, after, "digit_ocr_confidence_sum") == pytest.approx(sum(d["confidence"] for d in digits))
    assert moved(before, after, "digit_ocr_batch_size_count") >= 1
    assert moved(before, after, "digit_ocr_batch_size_sum") >= 1


@pytest.mark.parametrize(
    ("path", "files"), [("/predict", 1), ("/predict/batch", 3), ("/read/batch", 3)], ids=["one", "predict", "read"]
)
def test_every_digit_of_every_path_is_counted(client: Service, path: str, files: int) -> None:
    before = scrape(client)
    client.post(path, files=[("file", encode(draw_digit(5)))] * files)
    after = scrape(client)
    counted = sum(
        moved(before, after, "digit_ocr_digits_total", digit="5", rejected=rejected) for rejected in ("true", "false")
    )
    assert counted == files
    assert moved(before, after, "digit_ocr_stage_duration_seconds_count", stage="decode") == files
    assert moved(before, after, "digit_ocr_requests_total", endpoint=path, status="200") == 1


@pytest.mark.parametrize(
    ("slug", "data"), [("unsupported-image", b"text"), ("image-too-large", FORGED["PNG"]), ("missing-file", b"")]
)
def test_a_refusal_is_counted_by_its_reason(client: Service, slug: str, data: bytes) -> None:
    before = scrape(client)
    client.post("/read", content=data)
    after = scrape(client)
    assert moved(before, after, "digit_ocr_requests_total", endpoint="/read", status=str(STATUS[slug])) == 1
    assert moved(before, after, "digit_ocr_rejected_requests_total", reason=slug) == 1


def test_requests_in_flight_are_counted(start: Start) -> None:
    classifier = Blocking()
    with start(classifier) as service:
        assert scrape(service)["digit_ocr_in_flight_requests", frozenset()] == 0
        sender = threading.Thread(target=service.post, args=("/predict",), kwargs={"content": encode(draw_digit(7))})
        sender.start()
        try:
            assert classifier.entered.wait(60)
            assert scrape(service)["digit_ocr_in_flight_requests", frozenset()] == 1
        finally:
            classifier.release.set()
            sender.join()
        assert scrape(service)["digit_ocr_in_flight_requests", frozenset()] == 0


def test_health_and_metrics_are_answered_in_an_overload(start: Start) -> None:
    """And a batch is one request in flight, whatever is in it."""
    classifier = Blocking()
    data = encode(draw_digit(7))
    batch = [("file", data)] * 3
    with start(classifier, max_in_flight=2, threads=1) as service:
        with ThreadPoolExecutor(2) as pool:
            try:
                accepted = [
                    pool.submit(service.post, "/predict", content=data),
                    pool.submit(service.post, "/read/batch", files=batch),
                ]
                assert classifier.entered.wait(60)
                wait_for(lambda: service.state.in_flight == 2, "the requests do not arrive")
                for path in ("/predict", "/read", "/predict/batch", "/read/batch"):
                    assert_problem(service.post(path, files=batch), "overloaded")
                for path in ("/livez", "/readyz", "/model", "/metrics"):
                    assert service.get(path).status_code == 200
                assert scrape(service)["digit_ocr_in_flight_requests", frozenset()] == 2
            finally:
                classifier.release.set()
            assert [answer.result().status_code for answer in accepted] == [200, 200]
        found = scrape(service)
        assert found["digit_ocr_in_flight_requests", frozenset()] == 0
        assert moved({}, found, "digit_ocr_rejected_requests_total", reason="overloaded") == 4
        assert moved({}, found, "digit_ocr_requests_total", endpoint="/read/batch", status="200") == 1
        assert moved({}, found, "digit_ocr_requests_total", endpoint="/read/batch", status="503") == 1


@pytest.mark.parametrize("path", ["/model", "/metrics"])
def test_operations_need_a_key_where_that_is_configured(start: Start, path: str) -> None:
    with start(api_keys="key") as service:
        assert service.get(path).status_code == 200
    with start(api_keys="key", protect_operations=True) as service:
        assert_problem(service.get(path), "unauthorized")
        assert_problem(service.get(path, headers={"X-API-Key": "no key"}), "unauthorized")
        for headers in ({"X-API-Key": "key"}, {"Authorization": "Bearer key"}):
            assert service.get(path, headers=headers).status_code == 200
        assert service.get("/livez").status_code == 200
        assert service.get("/readyz").status_code == 200


def test_the_model_served_is_told(client: Service, version: ModelVersion) -> None:
    found = families(client)
    (info,) = found["digit_ocr_model_info"].samples
    manifest = version.manifest
    assert info.value == 1
    assert info.labels["name"] == manifest.name
    assert info.labels["version"] == manifest.version
    assert info.labels["sha256"] == manifest.sha256["model.keras"]
    assert info.labels["engine"]
    assert found["digit_ocr_model_load_seconds"].samples[0].value > 0


def test_labels_come_only_from_closed_sets(client: Service) -> None:
    """Whatever a client asks for, the number of time series stays the same."""

    def rubbish(number: int) -> None:
        for path in (
            f"/nothing/{number}",
            f"/predict/{number}",
            f"/docs-assets/{number}",
            f"/read?x={number}",
            f"/{number}",
        ):
            client.get(path)
            client.request("BREW", path)
        client.request(f"METHOD{number}", "/read")
        client.post("/read", content=b"?", params={"polarity": str(number)})
        client.post("/predict", files={f"field{number}": b"?"})

    rubbish(0)
    before = set(scrape(client))
    for number in range(1, 8):
        rubbish(number)
    assert set(scrape(client)) == before


def test_the_values_of_labels_are_known(client: Service) -> None:
    for path in ("/nothing", "/nothing/else", "/predict/7"):
        client.get(path)
    labels: dict[str, set[str]] = {}
    for name, family in families(client).items():
        if name.startswith("digit_ocr"):
            for sample in family.samples:
                for label, value in sample.labels.items():
                    labels.setdefault(label, set()).add(value)
    allowed = {
        "stage": STAGES,
        "digit": {str(digit) for digit in range(10)},
        "rejected": {"true", "false"},
        "reason": set(STATUS),
    }
    for label, values in allowed.items():
        assert labels[label] <= values
    assert all(re.fullmatch(r"[1-5]\d\d", status) for status in labels["status"])
    others = labels["endpoint"] - PATHS - PAGES
    assert len(others) == 1  # one constant for all the paths that are none


def test_metrics_of_two_services_are_apart(start: Start) -> None:
    data = encode(draw_digit(7))
    with start() as one, start() as other:
        one.post("/predict", content=data)
        key = ("digit_ocr_requests_total", frozenset({"endpoint": "/predict", "status": "200"}.items()))
        assert scrape(one)[key] == 1
        assert key not in scrape(other)


_LINK = re.compile(r"""(?:src|href|url)\s*[=:]\s*["']([^"']*)["']""")
_ABROAD = re.compile(r"(?:https?:)?//(?!(?:localhost|127\.0\.0\.1))[a-z0-9.-]+\.[a-z]{2,}", re.IGNORECASE)


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_need_nothing_from_elsewhere(client: Service, path: str) -> None:
    page = client.get(path, follow_redirects=True)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert not _ABROAD.findall(page.text)
    for link in {link for link in _LINK.findall(page.text) if not link.startswith(("#", "data:"))}:
        assert client.get(urljoin(path, link)).status_code == 200, link


def test_the_docs_have_their_scripts_and_styles_here(client: Service) -> None:
    page = client.get("/docs").text
    assert ".js" in page
    assert ".css" in page
    assert "/openapi.json" in page
