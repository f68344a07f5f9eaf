"""The values that travel through the code. Frozen, framework-free, validated where they are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Polarity(StrEnum):
    """Which of ink and paper is the darker one."""

    AUTO = "auto"
    DARK_ON_LIGHT = "dark-on-light"
    LIGHT_ON_DARK = "light-on-dark"

    @property
    def reversed(self) -> Polarity:
        """The other one; of AUTO, itself."""
        other = {Polarity.DARK_ON_LIGHT: Polarity.LIGHT_ON_DARK, Polarity.LIGHT_ON_DARK: Polarity.DARK_ON_LIGHT}
        return other.get(self, self)


@dataclass(frozen=True, slots=True)
class BoundingBox:
    """A rectangle in pixels, origin top left, half-open: it covers [left, left + width) × [top, top + height).

    Raises ValueError for a negative origin or an empty rectangle.
    """

    left: int
    top: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.left < 0 or self.top < 0 or self.width < 1 or self.height < 1:
            raise ValueError(f"not a box inside an image: {self!r}")

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height

    @property
    def area(self) -> int:
        return self.width * self.height

    def union(self, other: BoundingBox) -> BoundingBox:
        """The smallest box that holds both."""
        left, top = min(self.left, other.left), min(self.top, other.top)
        return BoundingBox(left, top, max(self.right, other.right) - left, max(self.bottom, other.bottom) - top)


@dataclass(frozen=True, slots=True)
class ImageSize:
    """Width and height in pixels, after the EXIF orientation."""

    width: int
    height: int


# What is done with an image, one after the other; the fields of Timings, less the total.
STAGES = ("decode", "segment", "queue", "inference", "postprocess")


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the time of one image went, in milliseconds; `queue` is the wait for a thread and for the model."""

    decode: float = 0.0
    segment: float = 0.0
    queue: float = 0.0
    inference: float = 0.0
    postprocess: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where in the glyph the network saw what speaks for a digit.

    `glyph`: what it was shown, 28 rows of 28 levels, 0..255, ink bright. `heat_map`: 28 rows of 28 shares of the
    strongest place, 0..1; 0 everywhere where nothing speaks for the digit.
    """

    digit: int
    method: str
    glyph: tuple[tuple[int, ...], ...]
    heat_map: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one digit.

    `probabilities` (index = digit) and `non_digit_probability` sum to 1 and are calibrated; `confidence` is the
    largest of the ten. Without ink, `digit` and `box` are None; so is `explanation`, and where none is asked for.
    """

    digit: int | None
    confidence: float
    rejected: bool
    probabilities: tuple[float, ...]
    non_digit_probability: float
    box: BoundingBox | None
    image: ImageSize
    timings: Timings
    explanation: Explanation | None = None


@dataclass(frozen=True, slots=True)
class DigitReading:
    """One digit of a line."""

    digit: int
    confidence: float
    rejected: bool
    box: BoundingBox


@dataclass(frozen=True, slots=True)
class LineReading:
    """One line of digits, read left to right; `confidence` is the probability that all of it is right."""

    confidence: float
    box: BoundingBox
    digits: tuple[DigitReading, ...]

    @property
    def text(self) -> str:
        return "".join(str(d.digit) for d in self.digits)


@dataclass(frozen=True, slots=True)
class Reading:
    """The answer for a whole image, its lines from top to bottom."""

    confidence: float
    lines: tuple[LineReading, ...]
    image: ImageSize
    timings: Timings = field(default_factory=Timings)

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)

    @property
    def rejected(self) -> bool:
        return any(digit.rejected for line in self.lines for digit in line.digits)
