"""OpenTelemetry traces, where its environment variables ask for them. Otherwise nothing of its SDK is imported."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import structlog

from app.domain import STAGES, Timings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

# Flushing must not eat up a shutdown's grace where the collector is gone.
_FLUSH_S = 5.0

_log = structlog.get_logger("digit_ocr")


def open_tracing(environment: Mapping[str, str] = os.environ) -> Tracing | None:
    """Traces to the collector that OTEL_EXPORTER_OTLP_(TRACES_)ENDPOINT names; None where there is none to be sent.

    The SDK reads its other variables (OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER, …) by itself.
    """
    if not _asked_for(environment):
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    own = Resource.create({"service.name": "digit-ocr", "service.version": version("digit-ocr")})
    provider = TracerProvider(resource=own.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracing(provider)


def _asked_for(environment: Mapping[str, str]) -> bool:
    def value(name: str) -> str:
        return environment.get(name, "").strip()

    if not (value("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or value("OTEL_EXPORTER_OTLP_ENDPOINT")):
        return False
    if value("OTEL_SDK_DISABLED").lower() == "true" or value("OTEL_TRACES_EXPORTER").lower() == "none":
        return False
    protocol = value("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or value("OTEL_EXPORTER_OTLP_PROTOCOL")
    if protocol not in ("", "http/protobuf"):
        _log.warning("no traces are sent: only http/protobuf is spoken", protocol=protocol)
        return False
    return True


class Tracing:
    """What is told of a request beyond the server span, which the framework makes with this `provider`."""

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry import trace

        self.provider = provider
        self._trace = trace
        self._tracer = provider.get_tracer("digit_ocr")

    def describe(self, state: Mapping[str, Any], model_version: str) -> None:
        """Tells the current request's span what its answer is, and its stages as spans of their own.

        Called as the answer begins. `state` has `request_id`, and `problem`, `digits` and `timings` where known.
        """
        span = self._trace.get_current_span()
        if not span.is_recording():
            return
        span.set_attribute("digit_ocr.request_id", state["request_id"])
        span.set_attribute("digit_ocr.model.version", model_version)
        for name in ("problem", "digits"):
            if state.get(name) is not None:
                span.set_attribute(f"digit_ocr.{name}", state[name])
        timings: Timings | None = state.get("timings")
        start = 0 if timings is None else time.time_ns() - round(1e6 * timings.total)
        if timings is not None and start >= (getattr(span, "start_time", None) or 0):
            self._stages(timings, start)

    def trace_id(self) -> str | None:
        """The id of the current request's trace."""
        context = self._trace.get_current_span().get_span_context()
        return f"{context.trace_id:032x}" if context.is_valid else None

    def close(self) -> None:
        """Sends what there still is. Takes seconds at most; the collector may be gone."""
        thread = threading.Thread(target=self.provider.shutdown, name="traces", daemon=True)
        thread.start()
        thread.join(_FLUSH_S)

    def _stages(self, timings: Timings, start: int) -> None:
        """The stages of an image follow each other."""
        for stage in STAGES:
            end = start + round(1e6 * getattr(timings, stage))
            self._tracer.start_span(stage, start_time=start).end(end)
            start = end
