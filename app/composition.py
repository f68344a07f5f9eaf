"""Where the parts are put together; settings are turned into plain values here."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from app.batching import MicroBatcher
from app.classifier import LINE_WIDTHS, Classifier, KerasClassifier, KerasLineReader
from app.manifest import ModelVersion
from app.recogniser import Limits, LineReader, Recogniser
from app.settings import Settings


def build_recogniser(
    settings: Settings, version: ModelVersion, on_batch: Callable[[int], None] = lambda _: None
) -> Recogniser:
    """Loads a verified model version and warms it up. Takes seconds. Raises ModelMismatch where it does not load."""
    cv2.setNumThreads(1)  # its images are small; a pool of its own would only fight the workers for the CPUs
    classifier = KerasClassifier(version.keras_path, settings.max_batch_size, settings.threads)

    def batched(model: Classifier, of_a_request: int = 1) -> MicroBatcher:
        return MicroBatcher(
            model,
            max_batch_size=settings.max_batch_size,
            batch_timeout_s=settings.batch_timeout_ms / 1e3,
            max_queue_size=settings.max_in_flight * of_a_request,
            on_batch=on_batch,
        )

    manifest, reader = version.manifest, None
    if manifest.reader is not None:
        lines = KerasLineReader(version.reader_path, settings.threads)
        own = manifest.reader
        reader = LineReader(batched(lines, len(LINE_WIDTHS)), own.temperature, own.threshold, own.least_odds)
    limits = Limits(settings.max_pixels, settings.max_digits, settings.request_timeout_s)
    recogniser = Recogniser(batched(classifier), manifest.temperature, manifest.threshold, limits, reader)
    # The first image pays for what libraries put off until then: it had better not be a client's.
    recogniser.read(cv2.imencode(".png", _warm_up_image())[1].tobytes())
    return recogniser


def _warm_up_image() -> NDArray[np.uint8]:
    """A 1 on paper, (40, 40) uint8."""
    image = np.full((40, 40), 255, np.uint8)
    image[8:32, 18:22] = 0
    return image
