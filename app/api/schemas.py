"""The JSON of the API."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from app.api.problems import Problem
from app.domain import BoundingBox, Explanation, ImageSize, Polarity, Prediction, Reading, Timings
from app.imaging.glyph import GLYPH_SIDE

Probability = Annotated[float, Field(ge=0, le=1)]
_Square = Field(min_length=GLYPH_SIDE, max_length=GLYPH_SIDE)
Glyph = Annotated[list[Annotated[list[Annotated[int, Field(ge=0, le=255)]], _Square]], _Square]
HeatMap = Annotated[list[Annotated[list[Probability], _Square]], _Square]
Result = TypeVar("Result", bound=BaseModel)


class Query(BaseModel):
    """Query parameters of every reading path. What is not listed here is refused, so that a slip of the pen shows."""

    model_config = ConfigDict(extra="forbid")

    polarity: Polarity = Field(Polarity.AUTO, description="Which of ink and paper is the darker.")
    min_confidence: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None, description="Confidence under which a digit is rejected; the model's own threshold by default."
    )


class PredictQuery(Query):
    """Query parameters of /predict."""

    explain: bool = Field(
        False,
        description="Whether to tell as well where in the digit the network saw what speaks for it (Grad-CAM); takes "
        "less than half as long again.",
    )


class ReadQuery(Query):
    """Query parameters of /read."""

    expected_length: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="How many digits there should be: a hint."
    )


class Box(BaseModel):
    """Pixels of the image as a person sees it, origin top left."""

    left: int
    top: int
    width: int
    height: int


class Size(BaseModel):
    """Pixels, after the EXIF orientation."""

    width: int
    height: int


class ModelName(BaseModel):
    """Which model answered."""

    name: str
    version: str


class TimingsMs(BaseModel):
    """Where the time went, in milliseconds."""

    decode: float
    segment: float
    queue: float
    inference: float
    postprocess: float
    total: float


class ExplanationResult(BaseModel):
    """Where in the digit the network saw what speaks for it."""

    digit: Annotated[int, Field(ge=0, le=9)] = Field(description="What is explained: the digit that was answered.")
    method: str = Field(examples=["Grad-CAM"])
    glyph: Glyph = Field(description="What the network saw: 28 rows of 28 grey levels, ink bright.")
    map: HeatMap = Field(
        description="28 rows of 28 shares of the strongest place, which is 1; all 0 where nothing speaks for the digit."
    )

    @classmethod
    def of(cls, explanation: Explanation) -> ExplanationResult:
        return cls(
            digit=explanation.digit,
            method=explanation.method,
            glyph=[list(row) for row in explanation.glyph],
            map=[list(row) for row in explanation.heat_map],
        )


class PredictionResult(BaseModel):
    """One digit."""

    digit: Annotated[int, Field(ge=0, le=9)] | None = Field(description="The best guess; null without any ink.")
    confidence: Probability = Field(description="The largest of the ten probabilities.")
    rejected: bool = Field(description="Whether the confidence is under the threshold.")
    probabilities: list[Probability] = Field(description="Ten, calibrated; index = digit.")
    non_digit_probability: Probability
    box: Box | None
    image: Size
    model: ModelName
    request_id: str
    timings_ms: TimingsMs
    explanation: ExplanationResult | None = Field(
        None, description="Only where it is asked for; null without any ink, where there is nothing to explain."
    )

    @classmethod
    def of(cls, prediction: Prediction, model: ModelName, request_id: str, explained: bool) -> PredictionResult:
        """`explained`: whether it is asked for; otherwise the field stays unset, and out of the JSON."""
        result = cls(
            digit=prediction.digit,
            confidence=prediction.confidence,
            rejected=prediction.rejected,
            probabilities=list(prediction.probabilities),
            non_digit_probability=prediction.non_digit_probability,
            box=None if prediction.box is None else _box(prediction.box),
            image=_size(prediction.image),
            model=model,
            request_id=request_id,
            timings_ms=_timings(prediction.timings),
        )
        if explained:
            own = prediction.explanation
            result.explanation = None if own is None else ExplanationResult.of(own)
        return result


class DigitResult(BaseModel):
    """One digit of a line."""

    digit: Annotated[int, Field(ge=0, le=9)]
    confidence: Probability
    rejected: bool
    box: Box


class LineResult(BaseModel):
    """One line, left to right."""

    text: str
    confidence: Probability
    box: Box
    digits: list[DigitResult]


class ReadingResult(BaseModel):
    """A number, or several lines of numbers, top to bottom."""

    text: str = Field(description="The lines joined with a line feed; a string, so that leading zeros stay.")
    confidence: Probability = Field(description="The probability that the whole text is right.")
    rejected: bool = Field(description="Whether any digit is rejected.")
    lines: list[LineResult]
    image: Size
    model: ModelName
    request_id: str
    timings_ms: TimingsMs

    @classmethod
    def of(cls, reading: Reading, model: ModelName, request_id: str) -> ReadingResult:
        lines = [
            LineResult(
                text=line.text,
                confidence=line.confidence,
                box=_box(line.box),
                digits=[
                    DigitResult(digit=d.digit, confidence=d.confidence, rejected=d.rejected, box=_box(d.box))
                    for d in line.digits
                ],
            )
            for line in reading.lines
        ]
        return cls(
            text=reading.text,
            confidence=reading.confidence,
            rejected=reading.rejected,
            lines=lines,
            image=_size(reading.image),
            model=model,
            request_id=request_id,
            timings_ms=_timings(reading.timings),
        )


class BatchItem(BaseModel, Generic[Result]):
    """The answer for one file of a batch: a result, or a problem of its own."""

    filename: str | None
    status: int
    result: Result | None = None
    problem: Problem | None = None

    @model_serializer(mode="wrap")
    def _one_of_them(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Only the one that there is; within it, null means null."""
        fields: dict[str, Any] = serialise(self)
        return {name: value for name, value in fields.items() if value is not None or name == "filename"}


class BatchResult(BaseModel, Generic[Result]):
    """The answers for all files of a batch, in their order."""

    results: list[BatchItem[Result]]


class Health(BaseModel):
    """Alive, or ready."""

    status: str
    model: ModelName | None = None


def _box(box: BoundingBox) -> Box:
    return Box(left=box.left, top=box.top, width=box.width, height=box.height)


def _size(size: ImageSize) -> Size:
    return Size(width=size.width, height=size.height)


def _timings(timings: Timings) -> TimingsMs:
    return TimingsMs(
        decode=timings.decode,
        segment=timings.segment,
        queue=timings.queue,
        inference=timings.inference,
        postprocess=timings.postprocess,
        total=timings.total,
    )
