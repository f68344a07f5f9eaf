"""Answers and problems as the service gives them, for its OpenAPI document: of the images of tests/samples/."""

from __future__ import annotations

from typing import Any

from app import errors
from app.api.problems import KINDS, problem_of
from app.api.schemas import (
    Health,
    ModelName,
    PredictionBatch,
    PredictionBatchItem,
    PredictionResult,
    ReadingBatch,
    ReadingBatchItem,
    ReadingResult,
    Reports,
)
from app.calibration import LABELS
from app.domain import BoundingBox, DigitReading, ImageSize, LineReading, Prediction, Reading, Timings
from app.manifest import Manifest

REQUEST_ID = "5c7a1d0e9b3f4c2a8e6d7f0b1a2c3d4e"
_MODEL = ModelName(name="digits", version="1.0.0")

_PREDICTION = Prediction(
    digit=7,
    confidence=0.9988265043267854,
    rejected=False,
    probabilities=(
        1.847902026805273e-8,
        0.0004089383961647095,
        2.7261246033892443e-6,
        1.5350720584495011e-6,
        2.6329241237111026e-6,
        2.6235352381981412e-8,
        2.6736677156413117e-8,
        0.9988265043267854,
        4.606264081650259e-7,
        9.826857890804677e-6,
    ),
    non_digit_probability=0.000747304220915635,
    box=BoundingBox(57, 38, 65, 104),
    image=ImageSize(178, 192),
    timings=Timings(decode=0.489, segment=1.339, queue=0.065, inference=0.224, postprocess=0.027, total=2.175),
)
# Digit, confidence, box.
_DIGITS = (
    (0, 0.9999215301427358, (30, 27, 49, 70)),
    (4, 0.9999999429661915, (87, 30, 47, 73)),
    (1, 0.9993268012127512, (154, 30, 28, 73)),
    (7, 0.999839066866133, (199, 27, 40, 70)),
    (5, 0.9999930090785363, (238, 27, 56, 73)),
    (3, 0.9999781778235421, (305, 30, 49, 70)),
    (2, 0.99999814971945, (360, 27, 46, 67)),
    (6, 0.999998503407155, (414, 30, 43, 67)),
    (9, 0.9999934918185126, (475, 27, 40, 73)),
    (8, 0.9999964439644924, (523, 30, 43, 73)),
)
_LINE = LineReading(
    confidence=0.9987813739134824,
    box=BoundingBox(30, 27, 536, 76),
    digits=tuple(DigitReading(digit, confidence, False, BoundingBox(*box)) for digit, confidence, box in _DIGITS),
)
_READING = Reading(
    confidence=_LINE.confidence,
    lines=(_LINE,),
    image=ImageSize(614, 128),
    timings=Timings(decode=0.491, segment=4.712, queue=0.062, inference=0.8, postprocess=1.24, total=7.356),
)

PREDICTION = PredictionResult.of(_PREDICTION, _MODEL, REQUEST_ID, explained=False)
READING = ReadingResult.of(_READING, _MODEL, REQUEST_ID)
ALIVE = Health(status="alive", model=None)
READY = Health(status="ready", model=_MODEL)
# Of each list and table the first entries.
MANIFEST = Manifest(
    name="digits",
    version="1.0.0",
    created="2026-11-25T01:48:46+00:00",
    sha256={"model.keras": "1821bdc1ee7afae5416dcf535eff742ea7363566ccc7a61ec398a9ddebb724c1"},
    labels=LABELS,
    preprocessing_version="2",
    parameters=550795,
    temperature=1.2103523319131846,
    threshold=0.8339106390220308,
    training_data=[
        {
            "name": "MNIST",
            "licence": "CC BY-SA 3.0",
            "sha256": "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64",
            "train": 53709,
            "validation": 2729,
            "held_out": 3562,
        }
    ],
    metrics={"MNIST": {"n": 3562, "accuracy": 0.9932622122403144, "ece": 0.006727948100694269}},
    libraries={"keras": "3.15.1", "tensorflow": "2.21.0", "numpy": "2.4.6"},
    second_look=None,
    reader=None,
    second_reader=None,
)
CARD = "# digits 1.0.0\n\nA small convolutional network that tells the digit in a 28×28 glyph.\n"
REPORTS = Reports(reports=["learning.png", "set-mnist-test.png"])
METRICS = """# HELP digit_ocr_requests_total Requests answered.
# TYPE digit_ocr_requests_total counter
digit_ocr_requests_total{endpoint="/predict",status="200"} 1.0
"""

_UNSUPPORTED_IMAGE = errors.UnsupportedImage(
    "The bytes are not an image of a served format. Send PNG, JPEG, WebP, BMP, TIFF, GIF or PNM."
)
_PROBLEMS: tuple[errors.OcrError, ...] = (
    errors.OcrError(),
    errors.NotFound("The model has no such report; /model/reports lists those that it has."),
    errors.MalformedRequest("The multipart body is cut short: its closing boundary is missing."),
    errors.MissingFile(
        "The form has no field 'file' (it has 'image'). Try: curl -F file=@digit.png http://localhost:8000/predict"
    ),
    errors.InvalidParameter(
        "min_confidence: Input should be less than or equal to 1. See /docs for the parameters.",
        ({"parameter": "min_confidence", "detail": "Input should be less than or equal to 1"},),
    ),
    errors.BodyTooLarge("The body is larger than 10,485,760 bytes. Scale the image down, or compress it."),
    errors.ImageTooLarge("The image has 50000 × 50000 pixels; at most 40,000,000 are accepted. Scale it down."),
    _UNSUPPORTED_IMAGE,
    errors.CorruptImage("The image's data is damaged or cut short (OSError). Send the whole file."),
    errors.NotExplainable("The model served has no explanations; ask without explain=true."),
    errors.Unauthorized("Send an API key, as Authorization: Bearer KEY or X-API-Key: KEY."),
    errors.NotReady("The model is still loading; try again in a second."),
    errors.ShuttingDown("The service is shutting down; send the request to another replica."),
    errors.Overloaded("64 requests are in flight already; try again in a second."),
    errors.DeadlineExceeded("There was no answer within 10 s; try again, or send a smaller image."),
)


def problems() -> dict[str, dict[str, Any]]:
    """An example of every kind of problem that an error becomes, by its slug: OpenAPI's example objects."""
    return {
        KINDS[type(error)].slug: {
            "summary": KINDS[type(error)].title,
            "value": problem_of(error, REQUEST_ID)[0].model_dump(mode="json"),
        }
        for error in _PROBLEMS
    }


_UNSUPPORTED = problem_of(_UNSUPPORTED_IMAGE, REQUEST_ID)[0]
PREDICTIONS = PredictionBatch(
    results=[
        PredictionBatchItem(filename="digit.png", status=200, result=PREDICTION),
        PredictionBatchItem(filename="README.md", status=_UNSUPPORTED.status, problem=_UNSUPPORTED),
    ]
)
READINGS = ReadingBatch(
    results=[
        ReadingBatchItem(filename="number.jpg", status=200, result=READING),
        ReadingBatchItem(filename="README.md", status=_UNSUPPORTED.status, problem=_UNSUPPORTED),
    ]
)
