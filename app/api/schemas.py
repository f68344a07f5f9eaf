"""The JSON of the API."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from app.api.problems import Problem, is_none, without_null
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

    polarity: Polarity = Field(
        Polarity.AUTO, description="Which of ink and paper is the darker.", examples=["dark-on-light"]
    )
    min_confidence: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None,
        description="Confidence under which a digit is rejected; the model's own threshold by default.",
        examples=[0.9],
        json_schema_extra=without_null,
    )


class PredictQuery(Query):
    """Query parameters of /predict."""

    explain: bool = Field(
        False,
        description="Whether to tell as well where in the digit the network saw what speaks for it (Grad-CAM); takes "
        "less than half as long again.",
        examples=[True],
    )


class ReadQuery(Query):
    """Query parameters of /read."""

    expected_length: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None,
        description="How many digits there should be, a hint: the best reading of that length is taken.",
        examples=[10],
        json_schema_extra=without_null,
    )


class Box(BaseModel):
    """Pixels of the image as a person sees it, after the EXIF orientation; origin top left."""

    left: int = Field(description="First column.")
    top: int = Field(description="First row.")
    width: int = Field(description="Columns.")
    height: int = Field(description="Rows.")


class Size(BaseModel):
    """Pixels, after the EXIF orientation."""

    width: int = Field(description="Columns.")
    height: int = Field(description="Rows.")


class ModelName(BaseModel):
    """Which model answered."""

    name: str = Field(description="Its name.", examples=["digits"])
    version: str = Field(description="Its semantic version.", examples=["1.0.0"])


class TimingsMs(BaseModel):
    """Where the time went, in milliseconds."""

    decode: float = Field(description="Bytes → grey image.")
    segment: float = Field(description="Grey image → glyphs or lines, those of a second look at what is unsure too.")
    queue: float = Field(description="The wait for a thread and for the model.")
    inference: float = Field(description="Glyphs or lines → logits.")
    postprocess: float = Field(description="Logits → calibrated probabilities.")
    total: float = Field(description="All of it.")


class ExplanationResult(BaseModel):
    """Where in the digit the network saw what speaks for it."""

    digit: Annotated[int, Field(ge=0, le=9)] = Field(description="What is explained: the digit that was answered.")
    method: str = Field(description="How the map is made.", examples=["Grad-CAM"])
    glyph: Glyph = Field(description="What the network saw at first: 28 rows of 28 grey levels, ink bright.")
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
    probabilities: list[Probability] = Field(
        description="Ten, calibrated; index = digit.", json_schema_extra={"minItems": 10, "maxItems": 10}
    )
    non_digit_probability: Probability = Field(description="That it is no digit; the ten and this one sum to 1.")
    box: Box | None = Field(description="Where the digit is; null without any ink.")
    image: Size = Field(description="The size of the image.")
    model: ModelName = Field(description="The model that answered.")
    request_id: str = Field(description="The response's X-Request-ID.")
    timings_ms: TimingsMs = Field(description="Where the time went, in milliseconds.")
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

    digit: Annotated[int, Field(ge=0, le=9)] = Field(description="The best guess.")
    confidence: Probability = Field(description="The probability that it is right, calibrated.")
    rejected: bool = Field(description="Whether the confidence is under the threshold.")
    box: Box = Field(description="Where the digit is.")


class LineResult(BaseModel):
    """One line, left to right."""

    text: str = Field(description="Its digits.")
    confidence: Probability = Field(description="The probability that all of the line is right.")
    box: Box = Field(description="Where the line is.")
    digits: list[DigitResult] = Field(description="One for every character of the text.")


class ReadingResult(BaseModel):
    """A number, or several lines of numbers, top to bottom."""

    text: str = Field(description="The lines joined with a line feed; a string, so that leading zeros stay.")
    confidence: Probability = Field(description="The probability that the whole text is right.")
    rejected: bool = Field(description="Whether any digit is rejected.")
    lines: list[LineResult] = Field(description="The lines, top to bottom; none where there is no digit.")
    image: Size = Field(description="The size of the image.")
    model: ModelName = Field(description="The model that answered.")
    request_id: str = Field(description="The response's X-Request-ID.")
    timings_ms: TimingsMs = Field(description="Where the time went, in milliseconds.")

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
    """The answer for one file of a batch: either a result, or a problem of its own."""

    filename: str | None = Field(description="The name it was sent with, if any.")
    status: int = Field(description="The status that this file alone would have been answered with.")
    result: Result | None = Field(
        None, description="The answer, where the status is 200.", exclude_if=is_none, json_schema_extra=without_null
    )
    problem: Problem | None = Field(
        None, description="What is wrong, where it is another.", exclude_if=is_none, json_schema_extra=without_null
    )


class PredictionBatchItem(BatchItem[PredictionResult]):
    """The answer of /predict for one file of a batch: either a result, or a problem of its own."""


class ReadingBatchItem(BatchItem[ReadingResult]):
    """The answer of /read for one file of a batch: either a result, or a problem of its own."""


class PredictionBatch(BaseModel):
    """The answers for all files of a batch."""

    results: list[PredictionBatchItem] = Field(description="One for every file, in the order they were sent in.")


class ReadingBatch(BaseModel):
    """The answers for all files of a batch."""

    results: list[ReadingBatchItem] = Field(description="One for every file, in the order they were sent in.")


class Reports(BaseModel):
    """What the model's reports show."""

    reports: list[str] = Field(description="Names of plots; each is a PNG at /model/reports/{name}.")


class Health(BaseModel):
    """Alive, or ready."""

    status: Literal["alive", "ready"] = Field(description="What was asked for, and is so.")
    model: ModelName | None = Field(description="The model that is loaded, where the service is ready.")


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
