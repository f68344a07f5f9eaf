"""What a training run is told."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from app.errors import OcrError

Config = TypeVar("Config", bound=Any)


class ConfigError(OcrError):
    """A configuration that cannot be run."""


PRECISIONS = ("float32", "mixed_bfloat16")
_SHARES = ("held_out_families", "validation_share", "risk", "non_digit_share")
_AT_LEAST = {
    **dict.fromkeys(("batch_size", "steps", "epochs"), 1),
    **dict.fromkeys(("font_digits", "font_weight", "drawn_digits", "drawn_weight"), 0),
    **dict.fromkeys(("display_digits", "display_weight", "printed_digits", "printed_weight"), 0),
    **dict.fromkeys(("non_digits", "non_digit_weight"), 0),
    **dict.fromkeys(("held_out_font_digits", "held_out_non_digits", "held_out_display_digits"), 0),
    **dict.fromkeys(("calm_epochs", "learning_rate", "weight_decay"), 0),
}


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """How a data set is used: `copies` augmented drawings of every digit, and its `weight` among the batches.

    `none_copies`: of every item that is no digit; as many as of a digit where it is None. `plain` adds every item once
    as it is.
    """

    name: str
    copies: int
    weight: float
    plain: bool = False
    none_copies: int | None = None


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """One run. The same configuration, data and machine give the same model.

    `font_digits`, photographed, `printed_digits` (of fonts as well, clean), `drawn_digits` (the forms of `allographs`),
    `display_digits` (of `displays`) and `non_digits` are drawn glyphs, with their weights among the batches.
    `held_out_families` is the share of font families that only evaluation sees; `validation_share` that of the
    remaining groups of every source.
    It begins with the network of a released version, where one is named that it `grows_from`, and in the end it has
    gone that one of the `learned_shares` of the way from its first weights to its last with which most of validation is
    right.
    An epoch is `steps` batches of `batch_size`; the last `calm_epochs` are jittered less. Of what the threshold
    accepts, at most the share `risk` is wrong on validation. `precision` is what training computes in, "float32" or
    "mixed_bfloat16", about twice as fast on processors that know bfloat16; weights are float32 either way. Raises
    ConfigError where a value cannot be meant.
    """

    version: str
    sources: tuple[SourcePlan, ...]
    name: str = "digits"
    network: str = "digits"
    grows_from: str | None = None
    learned_shares: tuple[float, ...] = (1.0,)
    seed: int = 20261121
    font_digits: int = 160_000
    font_weight: float = 0.12
    drawn_digits: int = 40_000
    drawn_weight: float = 0.05
    display_digits: int = 0
    display_weight: float = 0.0
    printed_digits: int = 0
    printed_weight: float = 0.0
    non_digits: int = 100_000
    non_digit_weight: float = 0.09
    held_out_families: float = 0.15
    held_out_font_digits: int = 5_000
    held_out_non_digits: int = 3_000
    held_out_display_digits: int = 2_000
    validation_share: float = 0.05
    batch_size: int = 128
    steps: int = 2_000
    epochs: int = 20
    calm_epochs: int = 0
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    precision: str = "float32"
    risk: float = 0.005
    non_digit_share: float = 0.03

    def __post_init__(self) -> None:
        refuse_bad_values(self, _SHARES, _AT_LEAST)
        refuse_bad_precision(self.precision)
        refuse_bad_shares(self.learned_shares, self.grows_from)
        for plan in self.sources:
            if min(plan.copies, plan.none_copies or 0, plan.weight) < 0:
                raise ConfigError(f"{plan} has a negative number.")


def told(config: Any) -> dict[str, Any]:
    """What a configuration says, by its fields' names, without what it leaves empty or at nothing.

    So what is kept of a run is still its own after a release that adds a field, for something that it had none of.
    """
    return {name: value for name, value in asdict(config).items() if value}


def refuse_bad_shares(learned: tuple[float, ...], grows_from: str | None) -> None:
    """Checks what shares of what a network learns are kept. Raises ConfigError where they cannot be meant."""
    if not learned or not all(0 <= share <= 1 for share in learned):
        raise ConfigError(f"learned_shares is {learned}; they are shares, 0 to 1, and one at least.")
    if min(learned) < 1 and grows_from is None:
        raise ConfigError(
            "learned_shares are for a network that grows; name the version in grows_from, or leave them out."
        )


def refuse_bad_precision(precision: str) -> None:
    """Raises ConfigError for what training cannot compute in."""
    if precision not in PRECISIONS:
        raise ConfigError(f"precision is {precision!r}; it is one of {', '.join(PRECISIONS)}.")


def refuse_bad_values(config: Any, shares: Iterable[str], at_least: Mapping[str, float]) -> None:
    """Checks a configuration's `version` and `name`, its `shares`, 0..1, and the values that have a least one.

    Raises ConfigError: the manifest, the threshold and the version's folder would find out after hours.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+", config.version):
        raise ConfigError(f"The version is {config.version!r}; it should be three numbers, like 1.2.0.")
    if not re.fullmatch(r"\w[\w.-]*", config.name):
        raise ConfigError(f"The name is {config.name!r}; it names a folder: letters, digits, '-', '_' and '.'.")
    for name in shares:
        if not 0 <= getattr(config, name) <= 1:
            raise ConfigError(f"{name} is {getattr(config, name)}; it is a share, 0 to 1.")
    for name, least in at_least.items():
        if getattr(config, name) < least:
            raise ConfigError(f"{name} is {getattr(config, name)}; it is {least} at least.")


def load_config(path: Path) -> TrainingConfig:
    """The `config` of a Python file. Raises ConfigError, which says what is wrong with it."""
    return loaded(path, TrainingConfig)


def loaded(path: Path, kind: type[Config]) -> Config:
    """The `config` of a Python file, of one of the dataclasses that configure. Raises ConfigError."""
    spec = importlib.util.spec_from_file_location("training_config", path)
    if spec is None or spec.loader is None or not path.exists():
        raise ConfigError(f"{path} is missing, or is not a Python file; see training/configs/.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    except TypeError as error:  # an unknown or a missing field
        known = ", ".join(field.name for field in fields(kind))
        raise ConfigError(f"{path}: {error}. The fields are {known}.") from error
    except Exception as error:  # it is a program, and may fail in any way
        raise ConfigError(f"{path} does not run ({type(error).__name__}: {error}).") from error
    config = getattr(module, "config", None)
    if not isinstance(config, kind):
        raise ConfigError(f"{path} sets no `config` of the type {kind.__name__}.")
    return config
