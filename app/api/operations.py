"""What the OpenAPI document says of each path: in words, by an example, and which errors it may answer."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from app import errors
from app.api import examples
from app.api.schemas import PredictQuery, ReadQuery
from app.api.uploads import MAX_BATCH_FILES

_ANY = (errors.MalformedRequest, errors.OcrError)
_PROTECTED = (*_ANY, errors.Unauthorized)
_UNREADY = (errors.NotReady, errors.ShuttingDown)
_BATCH = (
    *_PROTECTED,
    *_UNREADY,
    errors.Overloaded,
    errors.DeadlineExceeded,
    errors.BodyTooLarge,
    errors.InvalidParameter,
    errors.MissingFile,
)
_EACH_FOR_ITSELF = (
    "A bad file has a problem of its own, and never spoils the others. All of them have one deadline: where it passes, "
    "each file that is not done by then has the problem `deadline-exceeded`; where none is done, that problem is the "
    "whole answer."
)
# Those of an image are the whole answer where there is one image; in a batch they stand beside the other results.
_SINGLE = (*_BATCH, errors.ImageTooLarge, errors.UnsupportedImage, errors.CorruptImage)


@dataclass(frozen=True, slots=True)
class Operation:
    """What the document says of one path, beside what FastAPI knows.

    `parameters` are names of the components of app/api/documentation.py. An answer of bytes has no `example`.
    """

    summary: str
    description: str
    answer: str
    example: BaseModel | str | None
    errors: tuple[type[errors.OcrError], ...]
    form: str | None = None
    query: type[BaseModel] | None = None
    parameters: tuple[str, ...] = ()
    media_type: str = "application/json"
    picture: bool = False
    public: bool = False


OPERATIONS: dict[str, Operation] = {
    "predict": Operation(
        summary="Tell one digit",
        description="One digit, with ten calibrated probabilities and its box. `digit` is the best guess, also where "
        "`rejected` is true; an image without ink gives null.",
        answer="The digit.",
        example=examples.PREDICTION,
        errors=(*_SINGLE, errors.NotExplainable),
        form="ImageForm",
        query=PredictQuery,
    ),
    "read": Operation(
        summary="Read a number",
        description="A number, or several lines of numbers, with a box and a confidence for every digit. Marks that "
        "are no digits are left out; a page without digits gives an empty text. With `Accept: image/png` the answer is "
        "the image with boxes and digits drawn on it.",
        answer="The digits, or a picture of them.",
        example=examples.READING,
        errors=_SINGLE,
        form="ImageForm",
        query=ReadQuery,
        picture=True,
    ),
    "predict_batch": Operation(
        summary="Tell one digit each of several images",
        description=f"One digit each of up to {MAX_BATCH_FILES} images, answered in order. {_EACH_FOR_ITSELF}",
        answer="A result or a problem for each file.",
        example=examples.PREDICTIONS,
        errors=_BATCH,
        form="ImagesForm",
        query=PredictQuery,
    ),
    "read_batch": Operation(
        summary="Read the numbers of several images",
        description=f"The numbers of up to {MAX_BATCH_FILES} images, answered in order. {_EACH_FOR_ITSELF}",
        answer="A result or a problem for each file.",
        example=examples.READINGS,
        errors=_BATCH,
        form="ImagesForm",
        query=ReadQuery,
    ),
    "livez": Operation(
        summary="Ask whether the process answers",
        description="200 as long as the process answers at all.",
        answer="It does.",
        example=examples.ALIVE,
        errors=_ANY,
        public=True,
    ),
    "readyz": Operation(
        summary="Ask whether the service is ready",
        description="200 once the model is loaded, checked and warmed up, and until shutdown begins.",
        answer="It is ready.",
        example=examples.READY,
        errors=(*_ANY, *_UNREADY),
        public=True,
    ),
    "model": Operation(
        summary="Describe the model",
        description="What the model served says of itself: hashes, calibration, training data, measured figures. Needs "
        "a key only where the service protects its operations.",
        answer="The manifest of the model.",
        example=examples.MANIFEST,
        errors=_PROTECTED,
    ),
    "model_card": Operation(
        summary="Show the model card",
        description="What was measured of the model, what it was made from, and its limits, as Markdown. Needs a key "
        "only where the service protects its operations.",
        answer="The model card.",
        example=examples.CARD,
        errors=(*_PROTECTED, errors.NotFound),
        media_type="text/markdown",
    ),
    "model_reports": Operation(
        summary="List the plots of the model's reports",
        description="The names of the plots. Needs a key only where the service protects its operations.",
        answer="The names.",
        example=examples.REPORTS,
        errors=_PROTECTED,
    ),
    "model_report": Operation(
        summary="Show a plot of the model's reports",
        description="One of the plots that /model/reports names. Needs a key only where the service protects its "
        "operations.",
        answer="The plot.",
        example=None,
        errors=(*_PROTECTED, errors.NotFound),
        parameters=("ReportName",),
        media_type="image/png",
    ),
    "metrics": Operation(
        summary="Scrape the metrics",
        description="Metrics in Prometheus' text format. Needs a key only where the service protects its operations.",
        answer="The metrics.",
        example=examples.METRICS,
        media_type="text/plain",
        errors=_PROTECTED,
    ),
}
