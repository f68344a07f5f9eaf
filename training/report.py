"""The reports of a version as files: `reports/metrics.json`, a plot a set, the learning curves, the worst mistakes."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from PIL import Image

from app.calibration import LABELS, NON_DIGIT, calibrated_probabilities
from app.imaging.glyph import GLYPH_SIDE
from training.evaluate import Logits, SetReport, decisions
from training.sets import ImageSet

REPORTS_FOLDER = "reports"
METRICS_PATH = f"{REPORTS_FOLDER}/metrics.json"
LEARNING_PATH = f"{REPORTS_FOLDER}/learning.png"
WORST_PATH = f"{REPORTS_FOLDER}/worst.png"
# The sets whose glyphs this project drew itself, from fonts: the only ones that may be shown without asking.
DRAWN_SETS = frozenset({"rendered digits", "photographed rendered digits"})
MAX_PNG_BYTES = 60_000
MAX_PNG_BYTES_TOGETHER = 1_000_000
_GALLERY_COLUMNS = 16
_RESOLUTIONS = (100, 84, 70, 58, 48, 40)
_COLOURS = 64


@dataclass(frozen=True, slots=True)
class Mistakes:
    """Mistakes of a set, the worst first: (k, 28, 28) uint8 glyphs, their true and predicted classes, (k,), 0–10."""

    glyphs: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    predicted: NDArray[np.intp]


def worst_mistakes(images: ImageSet, logits: Logits, temperature: float, count: int = _GALLERY_COLUMNS) -> Mistakes:
    """The `count` mistakes with the least probability of the true class, as glyphs; `logits`: (n, 11), as answered."""
    labels = images.labels
    glyphs = np.zeros((len(images), GLYPH_SIDE, GLYPH_SIDE), np.uint8)
    firsts = images.plain.firsts
    glyphs[images.plain.owners[firsts]] = images.plain.glyphs[firsts]
    predicted, _ = decisions(logits, labels, temperature)
    truth = calibrated_probabilities(logits, temperature)[np.arange(len(labels)), labels]
    wrong = np.flatnonzero(predicted != labels)
    worst = wrong[np.argsort(truth[wrong], kind="stable")][:count]
    return Mistakes(glyphs[worst], labels[worst], predicted[worst])


def plot_path(name: str) -> str:
    """Where the plot of a set is, from the version's folder; `UNIPEN symbols` → `reports/set-unipen-symbols.png`."""
    return f"{REPORTS_FOLDER}/set-{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')}.png"


def write_reports(
    folder: Path,
    reports: Mapping[str, SetReport],
    curves: Mapping[str, Sequence[float]],
    mistakes: Mapping[str, Mistakes],
    may_show: Collection[str] = DRAWN_SETS,
) -> list[Path]:
    """Writes all reports below a version's folder and returns their paths.

    `curves`: values after every epoch by name, such as `loss` and `val_loss`. `may_show` names the sets whose glyphs
    may be redistributed: the gallery leaves out every other one, whatever `mistakes` holds. A PNG has at most 60 kB,
    all of them at most 1 MB. Raises ValueError where two sets have the same file.
    """
    paths = [plot_path(name) for name in reports]
    if len(set(paths)) < len(paths):
        raise ValueError(f"Two sets would have the same plot; rename one: {', '.join(sorted(reports))}.")
    shown = {name: found for name, found in mistakes.items() if name in may_show}
    figures = {plot_path(name): set_figure(name, report) for name, report in reports.items()}
    figures |= {LEARNING_PATH: learning_figure(curves), WORST_PATH: worst_figure(shown)}
    budget = min(MAX_PNG_BYTES, MAX_PNG_BYTES_TOGETHER // len(figures))
    (folder / REPORTS_FOLDER).mkdir(parents=True, exist_ok=True)
    (folder / METRICS_PATH).write_text(metrics_json(reports, curves))
    for path, figure in figures.items():
        (folder / path).write_bytes(png_bytes(figure, budget))
    return [folder / path for path in (METRICS_PATH, *figures)]


def metrics_json(reports: Mapping[str, SetReport], curves: Mapping[str, Sequence[float]]) -> str:
    """All figures as JSON, six digits each, one line a set; what is undefined is null."""
    sets = ",\n".join(f"  {json.dumps(name)}: {_line(asdict(report))}" for name, report in reports.items())
    return f'{{\n "sets": {{\n{sets}\n }},\n "learning": {_line(dict(curves))}\n}}\n'


def set_figure(name: str, report: SetReport) -> Figure:
    """Confusion matrix, ROC curves, reliability diagram and risk–coverage curve of one set."""
    figure = Figure(figsize=(9, 8), layout="constrained")
    figure.suptitle(f"{name}: {report.n:,} glyphs, accuracy {report.accuracy:.2%}, ECE {report.ece:.2%}")
    (confusion, roc), (reliability, risk) = figure.subplots(2, 2)
    _draw_confusion(confusion, report)
    _draw_roc(roc, report)
    _draw_reliability(reliability, report)
    _draw_risk(risk, report)
    return figure


def learning_figure(curves: Mapping[str, Sequence[float]]) -> Figure:
    """Losses on the left, accuracies on the right, over epochs. Values that are no numbers leave gaps."""
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    for axes, kind in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for name, values in curves.items():
            if name.endswith(kind):
                label = "validation" if name.startswith("val_") else "training"
                axes.plot(range(1, len(values) + 1), values, marker=".", label=label)
        axes.set(title=f"Learning: {kind}", xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        _legend(axes)
    return figure


def worst_figure(mistakes: Mapping[str, Mistakes]) -> Figure:
    """One row of glyphs a set, over each its true > predicted class."""
    rows = max(1, len(mistakes))
    figure = Figure(figsize=(10, 0.3 + 1.1 * rows), layout="constrained")
    for axes in figure.subplots(rows, 1, squeeze=False)[:, 0]:
        axes.set_axis_off()
    if not mistakes:
        figure.suptitle("No set whose glyphs may be shown", fontsize=10)
    for axes, (name, found) in zip(figure.axes, mistakes.items(), strict=False):
        count = min(len(found.labels), _GALLERY_COLUMNS)
        strip = np.full((28, 30 * _GALLERY_COLUMNS), 255, np.uint8)
        for column in range(count):
            strip[:, 30 * column : 30 * column + 28] = 255 - found.glyphs[column]
            label = f"{LABELS[found.labels[column]]} > {LABELS[found.predicted[column]]}"
            axes.text(30 * column + 14, -2, label, ha="center", va="bottom", fontsize=7)
        axes.imshow(strip, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axes.set_title(f"{name}: true > predicted" if count else f"{name}: no mistake", fontsize=9, loc="left", pad=14)
    return figure


def png_bytes(figure: Figure, limit: int) -> bytes:
    """A figure as a palette PNG, at the highest of a few resolutions that needs at most `limit` bytes.

    Raises ValueError where none does.
    """
    for resolution in _RESOLUTIONS:
        drawn, buffer = io.BytesIO(), io.BytesIO()
        figure.savefig(drawn, format="png", dpi=resolution)
        image = Image.open(drawn).convert("RGB").quantize(_COLOURS, method=Image.Quantize.FASTOCTREE)
        image.save(buffer, "PNG", optimize=True)
        if buffer.tell() <= limit:
            return buffer.getvalue()
    raise ValueError(f"A plot does not fit in {limit} bytes; report fewer sets.")


def _draw_confusion(axes: Axes, report: SetReport) -> None:
    counts = np.array(report.confusion)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(counts):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, counts[row, column], ha="center", va="center", fontsize=6, color=colour)
    axes.set(title="Confusion matrix", xlabel="predicted", ylabel="true")
    axes.set_xticks(range(len(LABELS)), LABELS)
    axes.set_yticks(range(len(LABELS)), LABELS)


def _draw_roc(axes: Axes, report: SetReport) -> None:
    for label, one in enumerate(report.classes):
        if one.roc is not None:
            colour, width = ("black", 2) if label == NON_DIGIT else (f"C{label}", 1)
            name = f"{one.label}: AUC {one.roc.area:.5f}"
            axes.plot(one.roc.x, one.roc.y, color=colour, linewidth=width, label=name)
    # Nearly all of the curve lies at the left edge: its scale is linear up to 0.001, logarithmic from there on.
    axes.set_xscale("symlog", linthresh=1e-3, linscale=0.5)
    axes.set(title="ROC, one class against the rest", xlim=(0, 1), ylim=(0, 1.02))
    axes.set(xlabel="false positive rate", ylabel="true positive rate")
    if all(one.roc is None for one in report.classes):
        axes.text(0.5, 0.5, "undefined: one class alone", ha="center", transform=axes.transAxes)
    _legend(axes)


def _draw_reliability(axes: Axes, report: SetReport) -> None:
    axes.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1)
    filled = [(one.low, one.high - one.low, one.accuracy) for one in report.reliability if one.accuracy is not None]
    if filled:
        low, width, accuracy = zip(*filled, strict=True)
        axes.bar(low, accuracy, width, align="edge", color="C0", edgecolor="white", label="right")
    points = [(one.confidence, one.accuracy) for one in report.reliability if one.confidence is not None]
    axes.plot(*zip(*points, strict=True), "k.", label="mean confidence")
    axes.set(title=f"Reliability, ECE {report.ece:.2%}", xlim=(0, 1), ylim=(0, 1.02))
    axes.set(xlabel="confidence", ylabel="share that is right")
    _legend(axes)


def _draw_risk(axes: Axes, report: SetReport) -> None:
    curve, chosen = report.risk_coverage, report.acceptance
    if curve is not None:
        axes.plot(curve.x, curve.y, label=f"AURC {curve.area:.5f}")
    if chosen.risk is not None:
        axes.plot([chosen.coverage], [chosen.risk], "ro", label=f"threshold {chosen.threshold:.3f}")
    axes.set(title="Risk–coverage of /predict", xlim=(0, 1.02), xlabel="coverage", ylabel="share of errors")
    axes.set_ylim(bottom=0)
    _legend(axes)


def _legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=7)


def _line(figures: dict[str, Any]) -> str:
    return json.dumps(_rounded(figures), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _rounded(value: Any) -> Any:
    """Numbers with six digits; None for one that is not finite, as an epoch's loss may be."""
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if np.isfinite(value) else None
    return value
