"""Data sets → what a run trains on, is calibrated on and is measured on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.calibration import NON_DIGIT
from training.config import ConfigError, SourcePlan, TrainingConfig
from training.fonts import find_display_fonts, find_fonts, split_families
from training.own import OWN, own_source, read_own
from training.pool import GlyphMaker
from training.sets import ImageSet, all_images, concatenated
from training.sources import EVALUATION_SOURCES, SOURCES, Item, Source, hashed_share, read_source, refuse_missing
from training.stream import Share

# How many digits of fonts, of what is no digit, and of displays where they are trained on, are drawn for validation.
VALIDATION_FONT_DIGITS, VALIDATION_NON_DIGITS, VALIDATION_DISPLAY_DIGITS = 1_000, 500, 400
_OWN_WEIGHT = 0.25
_FONTS, _DRAWN, _DISPLAYS, _NON_DIGITS = "fonts", "drawn digits", "displays", "non-digits"
_PRINTED = "printed digits"


@dataclass(frozen=True, slots=True)
class TrainingData:
    """All that a run needs.

    `shares` is what it trains on, `validation` what it is calibrated on, `evaluation` what it is measured on: groups
    (writers, meters, photos, font families) that neither has seen. `sources` describes them for the manifest.
    """

    shares: list[Share]
    validation: ImageSet
    evaluation: dict[str, ImageSet]
    sources: list[dict[str, object]]


@dataclass(frozen=True, slots=True)
class _Split:
    train: list[Item]
    validation: list[Item]
    held_out: list[Item]


def planned_sources(config: TrainingConfig) -> list[Source]:
    """The sources of a configuration. Raises ConfigError for one that is not known."""
    known = {source.name: source for source in SOURCES}
    unknown = [plan.name for plan in config.sources if plan.name not in known]
    if unknown:
        raise ConfigError(f"There is no source {unknown[0]!r}; there are {', '.join(known)}.")
    return [known[plan.name] for plan in config.sources]


def share_weights(config: TrainingConfig) -> dict[str, float]:
    """How much of the batches each share gets, relative to the others, by its name; a user's own images with them."""
    drawn = {
        _FONTS: config.font_weight,
        _DRAWN: config.drawn_weight,
        _DISPLAYS: config.display_weight,
        _PRINTED: config.printed_weight,
        _NON_DIGITS: config.non_digit_weight,
        OWN: _OWN_WEIGHT,
    }
    return {plan.name: plan.weight for plan in config.sources} | drawn


def training_data(
    config: TrainingConfig,
    data_dir: Path,
    fonts_dir: Path,
    processes: int,
    own: Path | None = None,
    accept_changed: bool = False,
) -> TrainingData:
    """Draws and normalises all glyphs of a run; `own` is a folder of the user's images that joins in.

    Everything is read before any glyph is drawn. Raises ConfigError, NoFonts or DataError, the last for files that are
    not the recorded ones too, unless `accept_changed`.
    """
    sources = planned_sources(config)
    fonts = find_fonts(fonts_dir)
    seen_fonts, held_out_fonts = split_families(fonts, config.held_out_families)
    plans = list(config.sources)
    refuse_missing(sources, data_dir)
    read = [(source, *read_source(source, data_dir, accept_changed)) for source in sources]
    never_trained_on = {
        source.name: read_source(source, data_dir, accept_changed)[0]
        for source in EVALUATION_SOURCES
        if (data_dir / source.file).exists()
    }
    if own is not None:
        items, sha256 = read_own(own)
        read.append((own_source(own), items, sha256))
        plans.append(_own_plan(len(items)))
    described: list[dict[str, object]] = []
    splits: dict[str, _Split] = {}
    for source, items, sha256 in read:
        split = _split(source, items, config.validation_share)
        splits[source.name] = split
        described.append(
            {
                "name": source.name,
                "licence": source.licence,
                "sha256": sha256,
                "train": len(split.train),
                "validation": len(split.validation),
                "held_out": len(split.held_out),
            }
        )
    described.append(
        {
            "name": "fonts of Debian (training/fonts.txt) and of npm (training/handwriting)",
            "licence": "each font's own; free in the sense of Debian's guidelines; of npm's, OFL 1.1 or Apache 2.0",
            "files": len(fonts),
            "families": len({font.family for font in fonts}),
            "held_out_families": len({font.family for font in held_out_fonts}),
        }
    )
    digits = [item for split in splits.values() for item in split.train if item.label != NON_DIGIT]
    with GlyphMaker(processes, config.seed) as maker:
        pending = []
        for plan in plans:
            train = splits[plan.name].train
            parts = [maker.items(train, 0)] if plan.plain else []
            parts.append(maker.items([item for item in train if item.label != NON_DIGIT], plan.copies))
            none_copies = plan.copies if plan.none_copies is None else plan.none_copies
            parts.append(maker.items([item for item in train if item.label == NON_DIGIT], none_copies))
            pending.append((plan.name, parts))
        pending.append((_FONTS, [maker.font_digits(seen_fonts, config.font_digits)]))
        pending.append((_DRAWN, [maker.drawn_digits(config.drawn_digits)]))
        pending.append((_NON_DIGITS, [maker.non_digits(seen_fonts, digits, config.non_digits)]))
        validation = [maker.images(split.validation) for split in splits.values()]
        validation += [maker.font_images(seen_fonts, VALIDATION_FONT_DIGITS, as_photos=True)]
        validation += [maker.non_digit_images(seen_fonts, digits, VALIDATION_NON_DIGITS)]
        measured = {name: maker.images(split.held_out) for name, split in splits.items() if split.held_out}
        measured.update({name: maker.images(items) for name, items in never_trained_on.items()})
        others = held_out_fonts or fonts
        measured["rendered digits"] = maker.font_images(others, config.held_out_font_digits, as_photos=False)
        measured["photographed rendered digits"] = maker.font_images(
            others, config.held_out_font_digits, as_photos=True
        )
        measured["rendered non-digits"] = maker.non_digit_images(others, digits, config.held_out_non_digits)
        if config.display_digits:
            pending.append((_DISPLAYS, [maker.display_digits(config.display_digits)]))
            validation += [maker.display_images(VALIDATION_DISPLAY_DIGITS)]
            if displays := find_display_fonts(fonts_dir):
                measured["displays"] = maker.font_images(displays, config.held_out_display_digits, as_photos=True)
        if config.printed_digits:
            pending.append((_PRINTED, [maker.printed_digits(seen_fonts, config.printed_digits)]))
        weights = share_weights(config)
        shares = [
            Share(name, concatenated([part.result() for part in parts]), weights[name]) for name, parts in pending
        ]
        return TrainingData(
            shares=shares,
            validation=all_images([part.result() for part in validation]),
            evaluation={name: part.result() for name, part in measured.items()},
            sources=described,
        )


def validation_items(config: TrainingConfig, data_dir: Path, accept_changed: bool = False) -> list[Item]:
    """What a run is calibrated on, of its sources, and of those alone whose files are there.

    Raises ConfigError, or DataError for files that are damaged or, unless `accept_changed`, not the recorded ones.
    """
    return [
        item
        for source in planned_sources(config)
        if (data_dir / source.file).exists()
        for item in _split(source, read_source(source, data_dir, accept_changed)[0], config.validation_share).validation
    ]


def _own_plan(images: int) -> SourcePlan:
    """A user's images: plain, and augmented to some 20,000 glyphs, a quarter as much again as all the rest."""
    return SourcePlan(OWN, copies=max(1, min(200, round(20_000 / max(1, images)))), weight=_OWN_WEIGHT, plain=True)


def _split(source: Source, items: list[Item], validation_share: float) -> _Split:
    split = _Split([], [], [])
    for item in items:
        if source.held_out(item.group):
            split.held_out.append(item)
        elif hashed_share(item.group, validation_share, salt="validation/"):
            split.validation.append(item)
        else:
            split.train.append(item)
    return split
