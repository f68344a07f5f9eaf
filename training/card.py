"""The model card: what a version is, made from what, how good, and where it fails."""

from __future__ import annotations

import os
import platform
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.manifest import TFLITE_DYNAMIC_FILE, Manifest, SecondLook
from training.config import TrainingConfig
from training.evaluate import VALIDATION, SetReport
from training.machine import cpu_model
from training.report import LEARNING_PATH, METRICS_PATH, WORST_PATH, plot_path
from training.sources import EVALUATION_SOURCES

CARD_FILE = "README.md"

_HASH_DIGITS = 12
_NOT_COUNTS = ("name", "licence", "sha256")
_DRAWN = {
    VALIDATION: "a part of every source that was not trained on; temperature and threshold were chosen on it",
    "blank cells": "the cells with nothing written in them of the photo cells' held-out part",
    "rendered digits": "digits of font families that were not trained on, clean, as a screen or a PDF shows them",
    "photographed rendered digits": "digits of those families, photographed",
    "displays": "digits of fonts of segments, photographed; training draws its own",
    "rendered non-digits": "photographed letters and signs of those families, pairs and parts of digits; textures",
}


_SECOND_LOOK = re.compile(r"## The second look\n.*?(?=## Plots\n)", re.DOTALL)
_READER_SECTION = re.compile(r"^## The (?:second )?line reader\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SecondLookFit:
    """The weights of a second look, fitted on `images`, of which so many are looked at `again`.

    `before` and `after`: what is right with a half each, and with the weights, in words.
    """

    weights: SecondLook
    images: int
    again: int
    before: str
    after: str


def with_second_look(card: str, base: Manifest, version: str, fit: SecondLookFit, command: str) -> str:
    """The card of a version that has the networks of `base`, whose card is given, and weights of its own."""
    weights = fit.weights
    less = "less" if weights.non_digit < 0 else "more"
    text = (
        "What the first look leaves unsure is seen again in six other ways, and by the line readers. Their "
        f"probabilities are multiplied, each to the power of a weight: {weights.glyphs:g} for the glyph network's, "
        f"{weights.reader:g} for the readers'; the logarithm for no digit is {abs(weights.non_digit):g} {less}. So the "
        f"classes of the {fit.again:,} images that are looked at again, of validation's {fit.images:,}, are the "
        f"likeliest: {fit.after}; with a half for each {fit.before}. Fitted on {base.name} {base.version}, with "
        f"`{command}`."
    )
    section = f"## The second look\n\n{_filled(text)}\n\n"
    card = card.replace(f"# {base.name} {base.version}", f"# {base.name} {version}", 1)
    card = _SECOND_LOOK.sub("", card)
    return card.replace("## Plots\n", section + "## Plots\n", 1)


def with_dynamic_range(card: str, base: Manifest, version: str, alike: str, milliseconds: float, command: str) -> str:
    """The card of a version whose flat buffers are made anew from the networks of `base`, whose card is given.

    `alike`: how many images both answer alike, in words; `milliseconds`: of a glyph, by the flat buffer that is served.
    """
    text = (
        f"`{TFLITE_DYNAMIC_FILE}`, which is served, has weights of 8 bits, and rounds the activations to 8 bits as "
        f"they come: {milliseconds:.3f} ms a glyph on one thread of {cpu_model()}. It is made from the network of "
        f"{base.name} {base.version} with `{command}`; with it and the readers of "
        f"{base.name} {version} made so, {alike}."
    )
    card = card.replace(f"# {base.name} {base.version}", f"# {base.name} {version}", 1)
    card = card.replace("## Measured\n", f"{_filled(text)}\n\n## Measured\n", 1)
    anew = _filled("Its flat buffer is made anew, with weights of 8 bits; parity and time below are of the one before.")
    return _READER_SECTION.sub(rf"\g<0>\n{anew}\n", card)


def _filled(text: str) -> str:
    return textwrap.fill(text, 120, break_on_hyphens=False)


def model_card(
    manifest: Manifest, config: TrainingConfig, reports: Mapping[str, SetReport], command: str, seconds: float
) -> str:
    """The card of a version as Markdown; every figure is from the manifest and the reports.

    `command` is the line that made the version, in `seconds` on this machine. The plots are those that `write_reports`
    writes beside the card. Raises ValueError where `reports` lacks the validation set.
    """
    if VALIDATION not in reports:
        raise ValueError(f"A card needs the report of the set {VALIDATION!r}.")
    libraries = ", ".join(f"{name} {version}" for name, version in manifest.libraries.items())
    return f"""# {manifest.name} {manifest.version}

A small convolutional network that tells the digit in a 28×28 glyph, or that there is none: {manifest.parameters:,}
parameters, eleven classes (0–9 and `none`), preprocessing version {manifest.preprocessing_version}. `model.keras` is
the source of truth; `manifest.json` has the hashes.
{_parity(manifest)}
## Measured

By the run that made it; all figures are in [{METRICS_PATH}]({METRICS_PATH}). Every image is taken as it
would be sent, at its own size, and goes the way of `/predict` but for the decoding of its file and for the second look
at what is unsure, which `make evaluate` measures: one without ink is answered as no digit, and where its polarity is
in doubt both are read. Accuracy is that of these answers: a digit is right where it is the likeliest of the ten digits,
a non-digit where `none` is the likeliest of all eleven classes.
Macro F1 and ECE are of one decision an image, among eleven classes where a set has non-digits. AUROC tells non-digits
from digits by the non-digit probability.

{_measured(manifest, reports)}

### Classes, on validation

{_classes(reports[VALIDATION])}

## Confidence

Temperature {manifest.temperature:.3f}, fitted on validation together with the bias of the logit of `none`, which is
within the model: probabilities are those of images of which {config.non_digit_share:.0%} show no digit, fewer than it
was trained on. Where more of yours do, weigh `none` accordingly. {_threshold(config, reports[VALIDATION])}

## Plots

![Learning curves]({LEARNING_PATH})

{_plots(reports)}

![The worst mistakes of the sets whose glyphs may be shown]({WORST_PATH})

## Made from

{_data(manifest)}

{_drawn(config)}

## Made with

```
{command}
```

{_epochs(config)}
{_duration(seconds)} on {os.cpu_count()} CPUs ({cpu_model()}), Python {platform.python_version()}.
{libraries}. Made {manifest.created}.

## Limits

{_limits(reports)}
"""


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _parity(manifest: Manifest) -> str:
    lines = [
        f"{name}: the same class on {figures['agreement']:.3%} of {figures.get('n', 0):,.0f} glyphs"
        f"{'' if name in manifest.sha256 else ', too few: it is left out of this version'}."
        for name, figures in manifest.metrics.items()
        if "agreement" in figures
    ]
    lines += _latency(manifest)
    return "\n" + "".join(f"- {line}\n" for line in lines) if lines else ""


def _latency(manifest: Manifest) -> list[str]:
    timed = {name: figures for name, figures in manifest.metrics.items() if "milliseconds" in figures}
    if not timed:
        return []
    calls = max(figures.get("calls", 0) for figures in timed.values())
    times = ", ".join(f"{name} {figures['milliseconds']:.3f} ms" for name, figures in timed.items())
    return [f"One glyph on one thread of {cpu_model()}, through LiteRT, the median of {calls:,.0f} calls: {times}."]


def _measured(manifest: Manifest, reports: Mapping[str, SetReport]) -> str:
    whats = {str(source["name"]): "held-out part" for source in manifest.training_data if "name" in source}
    whats |= {source.name: "never trained on" for source in EVALUATION_SOURCES} | _DRAWN
    rows = [
        (
            name,
            whats.get(name, ""),
            f"{report.n:,}",
            f"{report.accuracy:.2%}",
            f"{report.macro_f1:.4f}",
            _figure(report.auroc),
            f"{report.ece:.2%}",
        )
        for name, report in reports.items()
    ]
    return _table(("Set", "What", "Images", "Accuracy", "Macro F1", "AUROC", "ECE"), rows)


def _classes(report: SetReport) -> str:
    rows = [
        (
            one.label,
            f"{one.support:,}",
            _figure(one.precision),
            _figure(one.recall),
            _figure(one.f1),
            _figure(None if one.roc is None else one.roc.area),
        )
        for one in report.classes
    ]
    return _table(("Class", "Images", "Precision", "Recall", "F1", "AUC"), rows)


def _threshold(config: TrainingConfig, report: SetReport) -> str:
    text = f"Digits with a confidence under\n{report.acceptance.threshold:.4f} are rejected. "
    if not report.digits_accepted or report.digits_risk is None:
        return text + "It accepts no digit of validation."
    text += f"Of the digits of validation it accepts {report.digits_accepted:.2%},\nof which {report.digits_risk:.2%} "
    kept = report.digits_risk <= config.risk
    text += f"are wrong: it {'keeps' if kept else 'does not keep'} to the wanted risk, at most {config.risk:.2%}."
    if report.non_digits_accepted is not None:
        text += f"\nOf the non-digits it lets {report.non_digits_accepted:.2%} pass as a digit."
    return text


def _plots(reports: Mapping[str, SetReport]) -> str:
    first = f"![Validation: confusion matrix, ROC, reliability, risk–coverage]({plot_path(VALIDATION)})"
    folded = [
        f"<details><summary>The same of {name}</summary>\n\n![{name}]({plot_path(name)})\n\n</details>"
        for name in reports
        if name != VALIDATION
    ]
    return "\n\n".join([first, *folded])


def _data(manifest: Manifest) -> str:
    rows = [
        (
            str(source.get("name", "")),
            str(source.get("licence", "")),
            ", ".join(f"{key.replace('_', ' ')} {_count(source[key])}" for key in source if key not in _NOT_COUNTS),
            str(source.get("sha256", ""))[:_HASH_DIGITS],
        )
        for source in manifest.training_data
    ]
    return _table(("Source", "Licence", "Counts", "SHA-256"), rows)


def _drawn(config: TrainingConfig) -> str:
    rows = [
        (
            plan.name,
            str(plan.copies),
            str(plan.copies if plan.none_copies is None else plan.none_copies),
            "yes" if plan.plain else "no",
            f"{plan.weight:g}",
        )
        for plan in config.sources
    ]
    rows.append(("digits drawn from fonts", f"{config.font_digits:,} in all", "–", "no", f"{config.font_weight:g}"))
    rows.append(("digits in drawn forms", f"{config.drawn_digits:,} in all", "–", "no", f"{config.drawn_weight:g}"))
    rows += [
        (name, f"{count:,} in all", "–", "no", f"{weight:g}")
        for name, count, weight in (
            ("digits of displays, drawn", config.display_digits, config.display_weight),
            ("digits printed from fonts, clean", config.printed_digits, config.printed_weight),
        )
        if count
    ]
    rows.append(("non-digits drawn", "–", f"{config.non_digits:,} in all", "no", f"{config.non_digit_weight:g}"))
    head = (
        "Trained on",
        "Augmented copies of each digit",
        "… of each non-digit",
        "Plain, too",
        "Weight among the batches",
    )
    return f"{_table(head, rows)}\n\nWithin a source every class is drawn as often as any other."


def _epochs(config: TrainingConfig) -> str:
    text = f"Seed {config.seed}; {config.epochs} epochs of {config.steps:,} batches of {config.batch_size}"
    calm = f", the last {config.calm_epochs} with less jitter" if config.calm_epochs else ""
    grown = ""
    if config.grows_from is not None:
        shares = ", ".join(f"{share:.0%}" for share in config.learned_shares)
        grown = (
            f"\nIt began with the network of {config.grows_from}; of the way to what it learned, that share was gone"
        )
        grown += f" with which most of\nvalidation is right ({shares} were tried)."
    return f"{text}{calm}; then the weights are rounded to 8 bits.{grown}"


def _limits(reports: Mapping[str, SetReport]) -> str:
    worst = min(reports, key=lambda name: reports[name].accuracy)
    unsure = max(reports, key=lambda name: reports[name].ece)
    weakest = min((one for one in reports[VALIDATION].classes if one.support), key=lambda one: one.f1 or 0.0)
    return f"""- Of the sets above it is weakest on {worst} ({reports[worst].accuracy:.2%} right); of the classes, on
  validation, on `{weakest.label}` (F1 {_figure(weakest.f1)}).
- Its confidence is furthest off on {unsure} (ECE {reports[unsure].ece:.2%}). Temperature and threshold
  suit images like the validation set's; on others the share of errors among what is accepted may be higher. Measure it
  on your own.
- It sees one glyph at a time, without its neighbours. O, l, S and other letters that are digits to the eye were left
  out of training: expect them to be read as those digits.
- It knows the digits 0–9 as written in the sets above, no others (such as ٣ or ३), no sign, and no decimal point."""


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{seconds / 60:.1f} min"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
