"""What a training run is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """One run. The same configuration, data and machine give the same model.

    Counts are glyphs: `mnist_copies` augmented copies of every MNIST training digit beside the plain one, `font_digits`
    digits drawn from fonts, `non_digits` of the eleventh class. `held_out_families` is the share of font families that
    only evaluation sees, `held_out_font_digits` and `held_out_non_digits` are what it draws from them.
    """

    data_dir: Path | None
    fonts_dir: Path
    models_dir: Path
    version: str
    name: str = "digits"
    seed: int = 20261121
    mnist_copies: int = 3
    font_digits: int = 120_000
    non_digits: int = 70_000
    held_out_families: float = 0.15
    held_out_font_digits: int = 5_000
    held_out_non_digits: int = 3_000
    validation_share: float = 0.1
    batch_size: int = 128
    epochs: int = 14
    patience: int = 3
    learning_rate: float = 1e-3
    threshold: float = 0.7
    processes: int = 2
