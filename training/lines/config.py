"""What a training of the line reader is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.imaging.line import COLUMN_WIDTH, MOST_WIDTH
from training.config import ConfigError, refuse_bad_precision, refuse_bad_shares, refuse_bad_values

_SHARES = (
    *("wordy_share", "without_digits", "reversed_share", "held_out_families", "validation_share"),
    "risk",
)
_AT_LEAST = {
    **dict.fromkeys(("lines", "validation_lines", "evaluation_lines", "batch_width", "steps", "epochs"), 1),
    **dict.fromkeys(("wordy_lines", "calm_epochs", "learning_rate", "weight_decay"), 0),
}


@dataclass(frozen=True, slots=True)
class ReaderSize:
    """How large a reader is: the channels of its four stages, and how many residual convolutions follow each's first.

    The first three stages see the line in two dimensions, at half, a quarter and an eighth of its height; the last one
    along the line alone.
    """

    channels: tuple[int, int, int, int] = (24, 48, 96, 128)
    residuals: tuple[int, int, int, int] = (1, 2, 1, 4)


@dataclass(frozen=True, slots=True)
class LinesConfig:
    """One run. The same configuration, data and machine give the same reader.

    `lines` are drawn once to train on, and `wordy_lines` besides, of words, most of them without a number: their share
    of the batches is `wordy_share`. `without_digits` is the share of them that shows none, `reversed_share` that of
    numbers seen under the wrong polarity, which are none either. `validation_lines` are of other writers, fonts and
    meters, `evaluation_lines` of each kind of those that are held out. `held_out_families` is
    the share of font families that only evaluation sees; `validation_share` that of the remaining fonts and writers.
    Lines are kept in `widths`, each in the least that it fits.

    The reader is of a `size`. It begins with what the reader of a released version knows, where one is named that it
    `grows_from`, or with what the `second` one of that version does, or with what another run has fitted, whose version
    it `goes_on_from`; and in the end it has gone that one of the
    `learned_shares` of the way from its first weights to its last with which most of validation is read exactly. An
    epoch is
    `steps` batches, whose lines are together `batch_width` pixels wide; the last `calm_epochs` are jittered less. Of
    the digits that the threshold accepts, at most the share `risk` is wrong on validation. `precision` is what training
    computes in: "mixed_bfloat16" is faster on processors that know bfloat16; weights are float32 either way. With
    `frozen_statistics`, normalisations use their averages, as they do when the reader is served, and not those of a
    batch, which tell much of its lines where these are of one width, and alike in other ways.
    Raises ConfigError where a value cannot be meant.
    """

    version: str
    name: str = "reader"
    seed: int = 20261121
    lines: int = 300_000
    wordy_lines: int = 0
    wordy_share: float = 0.0
    without_digits: float = 0.06
    reversed_share: float = 0.04
    validation_lines: int = 2_000
    evaluation_lines: int = 1_000
    held_out_families: float = 0.15
    validation_share: float = 0.08
    widths: tuple[int, ...] = (48, 72, 96, 128, 160, 208, 272, 384, MOST_WIDTH)
    size: ReaderSize = ReaderSize()
    grows_from: str | None = None
    goes_on_from: str | None = None
    second: bool = False
    learned_shares: tuple[float, ...] = (1.0,)
    batch_width: int = 10_240
    steps: int = 1_000
    epochs: int = 20
    calm_epochs: int = 0
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    risk: float = 0.005
    precision: str = "float32"
    frozen_statistics: bool = False

    def __post_init__(self) -> None:
        refuse_bad_values(self, _SHARES, _AT_LEAST)
        if list(self.widths) != sorted(set(self.widths)) or any(width % COLUMN_WIDTH for width in self.widths):
            raise ConfigError(f"widths is {self.widths}; they ascend, and are multiples of {COLUMN_WIDTH}.")
        refuse_bad_shares(self.learned_shares, self.grows_from or self.goes_on_from)
        if self.grows_from and self.goes_on_from:
            raise ConfigError("grows_from and goes_on_from are both named; a reader begins as one of them.")
        refuse_bad_precision(self.precision)
        if self.widths[-1:] != (MOST_WIDTH,):
            raise ConfigError(f"widths is {self.widths}; the last is {MOST_WIDTH}, so that every line fits.")


@dataclass(frozen=True, slots=True)
class LinesPlaces:
    """Where a run reads and writes: `runs_dir` holds its lines, its state and, in the end, the reader.

    `accept_changed_data`: data files may be others than the recorded ones. `models_dir`: the released versions.
    """

    data_dir: Path
    fonts_dir: Path
    runs_dir: Path
    accept_changed_data: bool = False
    models_dir: Path = Path("models")

    def run_dir(self, config: LinesConfig) -> Path:
        return self.runs_dir / f"{config.name}-{config.version}"
