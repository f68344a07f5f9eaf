"""What a training run is told."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, fields
from pathlib import Path

from app.errors import OcrError


class ConfigError(OcrError):
    """A configuration that cannot be run."""


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """How a data set is used: `copies` augmented drawings of every item, and its `weight` among the batches.

    `plain` adds every item once as it is.
    """

    name: str
    copies: int
    weight: float
    plain: bool = False


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """One run. The same configuration, data and machine give the same model.

    `font_digits` and `non_digits` are drawn glyphs, with their weights among the batches. `held_out_families` is the
    share of font families that only evaluation sees; `validation_share` that of the remaining groups of every source.
    An epoch is `steps` batches of `batch_size`. Of what the threshold accepts, at most the share `risk` is wrong on
    validation.
    """

    version: str
    sources: tuple[SourcePlan, ...]
    name: str = "digits"
    network: str = "digits"
    seed: int = 20261121
    font_digits: int = 160_000
    font_weight: float = 0.12
    non_digits: int = 100_000
    non_digit_weight: float = 0.09
    held_out_families: float = 0.15
    held_out_font_digits: int = 5_000
    held_out_non_digits: int = 3_000
    validation_share: float = 0.05
    batch_size: int = 128
    steps: int = 2_000
    epochs: int = 20
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    risk: float = 0.005


def load_config(path: Path) -> TrainingConfig:
    """The `config` of a Python file. Raises ConfigError, which says what is wrong with it."""
    spec = importlib.util.spec_from_file_location("training_config", path)
    if spec is None or spec.loader is None or not path.exists():
        raise ConfigError(f"{path} is not a Python file; see training/configs/.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except TypeError as error:  # an unknown or a missing field
        known = ", ".join(field.name for field in fields(TrainingConfig))
        raise ConfigError(f"{path}: {error}. The fields are {known}.") from error
    except Exception as error:  # it is a program, and may fail in any way
        raise ConfigError(f"{path} does not run ({type(error).__name__}: {error}).") from error
    config = getattr(module, "config", None)
    if not isinstance(config, TrainingConfig):
        raise ConfigError(f"{path} sets no `config` of the type TrainingConfig.")
    return config
