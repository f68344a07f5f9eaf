"""Traces, as a collector beside the service gets them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from app.tracing import open_tracing
from tests.cli.test_serve import GOOD, serving
from tests.conftest import ROOT
from tests.ports import free_port, wait_until_ready

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
STAGES = ["decode", "segment", "queue", "inference", "postprocess"]


class Collector(ThreadingHTTPServer):
    """Keeps the requests that are posted to /v1/traces."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[ExportTraceServiceRequest] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def spans(self) -> list[Any]:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:  # http.server's name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Collector)
        if self.path == "/v1/traces":
            assert self.headers.get("Content-Encoding", "identity") == "identity"
            self.server.requests.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def attributes(span: Any) -> dict[str, Any]:
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in span.attributes}


def test_a_request_is_a_span_and_its_stages_are_spans_under_it(
    collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    port, log = free_port(), tmp_path / "log"
    with serving(log, PORT=str(port), ENGINE="litert") as process:
        wait_until_ready(port, process)
        url = f"http://127.0.0.1:{port}"
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-ID": "traced"}
        answer = httpx.post(f"{url}/predict?polarity=auto", content=GOOD, headers=headers, timeout=60, trust_env=False)
        assert answer.json()["digit"] == 3
        httpx.post(f"{url}/read", content=b"no image", timeout=60, trust_env=False)
        process.send_signal(signal.SIGTERM)  # what has not been sent yet is sent before the end
        assert process.wait(60) == 0
    resource = collector.requests[0].resource_spans[0].resource
    assert attributes(resource)["service.name"] == "digit-ocr"
    assert attributes(resource)["deployment.environment.name"] == "test"
    spans = {span.name: span for span in collector.spans()}
    assert set(spans) == {"POST /predict", "POST /read", *STAGES}  # and none of the probes'
    server = spans["POST /predict"]
    assert server.trace_id.hex() == TRACE
    assert server.parent_span_id.hex() == PARENT
    assert server.kind == server.SPAN_KIND_SERVER
    told = attributes(server)
    assert told["http.request.method"] == "POST"
    assert told["http.route"] == "/predict"
    assert told["http.response.status_code"] == 200
    assert told["url.path"] == "/predict"
    assert told["digit_ocr.digits"] == 1
    assert told["digit_ocr.model.version"] == answer.json()["model"]["version"]
    assert told["digit_ocr.request_id"] == "traced"
    ends = server.start_time_unix_nano
    for stage in STAGES:
        span = spans[stage]
        assert span.trace_id.hex() == TRACE
        assert span.parent_span_id == server.span_id
        assert ends <= span.start_time_unix_nano <= span.end_time_unix_nano
        ends = span.end_time_unix_nano
    refused = attributes(spans["POST /read"])
    assert refused["http.response.status_code"] == 415
    assert refused["digit_ocr.problem"] == "unsupported-image"
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    assert [line["trace_id"] for line in lines if line.get("request_id") == "traced"] == [TRACE]


def test_a_collector_that_is_gone_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"http://127.0.0.1:{free_port()}/v1/traces")
    port = free_port()
    with serving(tmp_path / "log", PORT=str(port), ENGINE="litert") as process:
        wait_until_ready(port, process)
        for _ in range(3):
            answer = httpx.post(f"http://127.0.0.1:{port}/predict", content=GOOD, timeout=60, trust_env=False)
            assert answer.status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_an_unsampled_trace_is_not_sent(collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "of-the-test")
    port = free_port()
    with serving(tmp_path / "log", PORT=str(port), ENGINE="litert") as process:
        wait_until_ready(port, process)
        httpx.post(f"http://127.0.0.1:{port}/predict", content=GOOD, timeout=60, trust_env=False)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert not collector.spans()


ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_SERVICE_NAME": "a"},
        {**ENDPOINT, "OTEL_SDK_DISABLED": "true"},
        {**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"},
        {**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": " "},
    ],
)
def test_no_traces_unless_they_are_asked_for(environment: dict[str, str]) -> None:
    assert open_tracing(environment) is None


def test_the_sdk_is_not_imported_without_need() -> None:
    code = """
import sys
from app.api.server import serve
from app.tracing import open_tracing
assert open_tracing({}) is None
print([name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))])
"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"
