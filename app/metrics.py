"""What Prometheus scrapes, on a registry that is handed in. Labels come only from closed sets."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

from app.domain import STAGES, Prediction, Reading, Timings
from app.manifest import Manifest

_LATENCY_BUCKETS = (
    0.0005,
    0.001,
    0.002,
    0.003,
    0.005,
    0.0075,
    0.01,
    0.02,
    0.03,
    0.05,
    0.075,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
    10,
)


class Metrics:
    """The service's own metrics and those of its process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        self._requests = Counter("digit_ocr_requests", "Requests answered.", ("endpoint", "status"), registry=registry)
        # Children by their labels: looking one up in the library costs more than counting.
        self._requests_by: dict[tuple[str, int], Counter] = {}
        self._duration_by: dict[str, Histogram] = {}
        self._duration = Histogram(
            "digit_ocr_request_duration_seconds",
            "From a request's first byte to its answer's last.",
            ("endpoint",),
            buckets=_LATENCY_BUCKETS,
            registry=registry,
        )
        stages = Histogram(
            "digit_ocr_stage_duration_seconds",
            "Where the time of an image goes.",
            ("stage",),
            buckets=_LATENCY_BUCKETS,
            registry=registry,
        )
        self._stages = {stage: stages.labels(stage) for stage in STAGES}
        self._batch_size = Histogram(
            "digit_ocr_batch_size",
            "Glyphs that went through the model together.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
            registry=registry,
        )
        self.in_flight = Gauge("digit_ocr_in_flight_requests", "Requests being served.", registry=registry)
        digits = Counter("digit_ocr_digits", "Digits read.", ("digit", "rejected"), registry=registry)
        self._digits = {
            (digit, rejected): digits.labels(str(digit), str(rejected).lower())
            for digit in range(10)
            for rejected in (False, True)
        }
        self._confidence = Histogram(
            "digit_ocr_confidence",
            "Confidence of the digits read.",
            buckets=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0),
            registry=registry,
        )
        self._refused = Counter(
            "digit_ocr_rejected_requests", "Requests refused, by the problem answered.", ("reason",), registry=registry
        )
        self._model_info = Gauge(
            "digit_ocr_model_info", "The model served.", ("name", "version", "sha256", "engine"), registry=registry
        )
        self._model_load = Gauge(
            "digit_ocr_model_load_seconds", "How long loading and warming up took.", registry=registry
        )

    def request(self, endpoint: str, status: int, seconds: float) -> None:
        """Counts one answered request; `endpoint` is a route's template, or one constant for all others."""
        requests = self._requests_by.get((endpoint, status))
        if requests is None:
            requests = self._requests_by[endpoint, status] = self._requests.labels(endpoint, str(status))
        requests.inc()
        duration = self._duration_by.get(endpoint)
        if duration is None:
            duration = self._duration_by[endpoint] = self._duration.labels(endpoint)
        duration.observe(seconds)

    def refused(self, reason: str) -> None:
        """Counts one request answered with a problem; `reason` is its slug."""
        self._refused.labels(reason).inc()

    def batch(self, size: int) -> None:
        """Counts one batch of `size` glyphs."""
        self._batch_size.observe(size)

    def prediction(self, prediction: Prediction) -> None:
        """Counts one answer of /predict."""
        self._timings(prediction.timings)
        if prediction.digit is not None:
            self._digit(prediction.digit, prediction.confidence, prediction.rejected)

    def reading(self, reading: Reading) -> None:
        """Counts one answer of /read."""
        self._timings(reading.timings)
        for line in reading.lines:
            for digit in line.digits:
                self._digit(digit.digit, digit.confidence, digit.rejected)

    def model_loaded(self, manifest: Manifest, sha256: str, engine: str, seconds: float) -> None:
        """Tells which model is served."""
        self._model_info.labels(manifest.name, manifest.version, sha256, engine).set(1)
        self._model_load.set(seconds)

    def _digit(self, digit: int, confidence: float, rejected: bool) -> None:
        self._digits[digit, rejected].inc()
        self._confidence.observe(confidence)

    def _timings(self, timings: Timings) -> None:
        for stage, histogram in self._stages.items():
            histogram.observe(getattr(timings, stage) / 1e3)
