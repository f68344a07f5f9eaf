"""Where the parts are put together; settings are turned into plain values here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.batching import MicroBatcher
from app.classifier import Classifier, GlyphClassifier, LineReader
from app.explanation import GradCam
from app.manifest import ModelVersion, NetworkFiles, ReaderManifest, SecondLook
from app.reader import Reader
from app.recogniser import Limits, Recogniser
from app.runner import InterpreterPool, Runner
from app.second_look import Agreement, agreed
from app.settings import Settings

OnBatch = Callable[[int], None]


def build_recogniser(
    settings: Settings,
    version: ModelVersion,
    on_batch: OnBatch = lambda _: None,
    agreement: Agreement | None = None,
) -> Recogniser:
    """Loads a verified model version and warms it up. Takes up to seconds. Raises ModelMismatch where it does not load.

    `agreement`: how opinions on a digit that is looked at again come together; by default as the version says.
    There is a thread for every CPU (`threads`), and each has interpreters of its own; what is below them has none.
    """
    cv2.setNumThreads(1)  # its images are small; a pool of its own would only fight the workers for the CPUs
    manifest = version.manifest
    reader = second_reader = None
    # Readers are those exported, of either engine: to make the same anew would keep the service from its start.
    if (own := manifest.reader) is not None:
        reader = _reader(settings, own, version.reader_files.served, on_batch)
    if (own := manifest.second_reader) is not None:
        second_reader = _reader(settings, own, version.second_reader_files.served, on_batch)
    runner = _runner(settings, GlyphClassifier, *_flat_buffer(settings, version.files), on_batch)
    limits = Limits(settings.max_pixels, settings.max_digits, settings.request_timeout_s)
    recogniser = Recogniser(
        runner,
        manifest.temperature,
        manifest.threshold,
        limits,
        reader,
        GradCam(version.files.tflite.read_bytes(), version.files.tflite),  # a gradient needs floats
        second_reader,
        agreement or _agreement(manifest.second_look),
    )
    # The first image pays for what libraries put off until then: it had better not be a client's.
    recogniser.read(cv2.imencode(".png", _warm_up_image())[1].tobytes())
    return recogniser


def _agreement(said: SecondLook | None) -> Agreement:
    return agreed if said is None else partial(agreed, weights=(said.glyphs, said.reader), non_digit=said.non_digit)


def _reader(settings: Settings, own: ReaderManifest, exported: Path, on_batch: OnBatch) -> Reader:
    runner = _runner(settings, LineReader, exported.read_bytes(), exported, on_batch)
    return Reader(runner, own.temperature, own.threshold, own.least_odds)


def _flat_buffer(settings: Settings, files: NetworkFiles) -> tuple[bytes, Path]:
    """What the engine serves of a network, and the file that it comes from."""
    if settings.engine == "litert":
        return files.served.read_bytes(), files.served
    from app.conversion import flat_buffer_of  # TensorFlow takes seconds to import, and the other engine has none

    return flat_buffer_of(files.keras, settings.threads, files.dynamic is not None), files.keras


def _runner(
    settings: Settings,
    network: Callable[[bytes, Path], Classifier],
    flat_buffer: bytes,
    source: Path,
    on_batch: OnBatch,
) -> Runner:
    """Every worker its own interpreter; or, where batches are to wait for more, one that all of them share."""
    if settings.batch_timeout_ms == 0:
        return InterpreterPool([network(flat_buffer, source) for _ in range(settings.threads)], on_batch)
    return MicroBatcher(
        network(flat_buffer, source),
        max_batch_size=settings.max_batch_size,
        batch_timeout_s=settings.batch_timeout_ms / 1e3,
        max_queue_size=settings.max_in_flight,
        on_batch=on_batch,
    )


def _warm_up_image() -> NDArray[np.uint8]:
    """A 1 on paper, (40, 40) uint8."""
    image = np.full((40, 40), 255, np.uint8)
    image[8:32, 18:22] = 0
    return image
