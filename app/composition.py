"""Where the parts are put together; settings are turned into plain values here."""

from __future__ import annotations

from collections.abc import Callable

from app.batching import MicroBatcher
from app.classifier import KerasClassifier
from app.manifest import ModelVersion
from app.recogniser import Limits, Recogniser
from app.settings import Settings


def build_recogniser(
    settings: Settings, version: ModelVersion, on_batch: Callable[[int], None] = lambda size: None
) -> Recogniser:
    """Loads a verified model version and warms it up. Takes seconds. Raises ModelMismatch where it does not load."""
    classifier = KerasClassifier(version.keras_path, settings.max_batch_size, settings.threads)
    batcher = MicroBatcher(
        classifier,
        max_batch_size=settings.max_batch_size,
        batch_timeout_s=settings.batch_timeout_ms / 1e3,
        max_queue_size=settings.max_in_flight,
        on_batch=on_batch,
    )
    limits = Limits(settings.max_pixels, settings.max_digits, settings.request_timeout_s)
    return Recogniser(batcher, version.manifest.temperature, version.manifest.threshold, limits)
