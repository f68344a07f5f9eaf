"""Figures → lines of Markdown. A figure that falls short of its bar is bold."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence

from tests.evaluation.datasets import AUROC_BAR, ECE_BAR, VALIDATION_ECE_BAR, Dataset
from tests.evaluation.figures import SURE, NonDigitScore, NumberScore, Score
from tests.evaluation.peers import PeerScore

_LIBRARIES = ("keras", "tensorflow-cpu", "tensorflow", "numpy", "opencv-python-headless", "pillow")
_NONE = "–"

DIGITS_HEAD = (
    "| Set | Path | Images | Exactly right | Digit errors | ECE | Bar |",
    "|---|---|---|---|---|---|---|",
)
NON_DIGITS_HEAD = (
    "| No digit | Path | Images | Answered with no digit | Not accepted | AUROC against digits | Bar |",
    "|---|---|---|---|---|---|---|",
)
CLASSES_HEAD = (
    "| Calibration | Path | Images | Right among eleven classes | ECE | Bar of the ECE |",
    "|---|---|---|---|---|---|",
)


def numbers_head(title: str, peers: Sequence[str]) -> tuple[str, str]:
    """The head of a table of numbers, with a column for each of the other readers."""
    columns = (title, "Images", "Exactly right", "Digit errors", f"Confidence ≥ {SURE:g}: share, right", "ms", *peers)
    return f"| {' | '.join(columns)} | Bar |", "|---" * (len(columns) + 1) + "|"


def heading(model: str, cpus: int, limit: int | None, installed: Mapping[str, str]) -> str:
    """What was measured with what, and how to read the tables; `installed`: the versions of distributions."""
    libraries = ", ".join(f"{name} {installed[name]}" for name in _LIBRARIES if name in installed)
    images = "Every image" if limit is None else f"The first {limit:,} images"
    return (
        f"Model {model}; Python {platform.python_version()}, {libraries}; "
        f"{platform.system()} {platform.machine()}, {cpus} CPUs. {images} of each set, none of which training has "
        f"seen. The ECE, of the confidence in 15 bins, has a bar of {ECE_BAR:.0%} on every set. Bold: short of its "
        "bar.\n"
    )


def digits_row(dataset: Dataset, score: Score) -> str:
    """The row of a set of digits."""
    exact = _marked(f"{score.exact:.2%}", dataset.bar is not None and score.exact < dataset.bar)
    ece = _marked(f"{score.ece:.2%}", score.ece > ECE_BAR)
    return _row(dataset, score.images, exact, f"{score.digit_errors:.2%}", ece, _bar(dataset))


def numbers_row(dataset: Dataset, score: NumberScore, peers: Sequence[PeerScore]) -> str:
    """The row of a set of numbers, or of pages without any. Bold, too: fewer right among the sure ones than that."""
    exact = _marked(f"{score.exact:.2%}", dataset.bar is not None and score.exact < dataset.bar)
    sure = f"{score.sure:.1%}, "
    sure += _NONE if score.sure_exact is None else _marked(f"{score.sure_exact:.1%}", score.sure_exact < SURE)
    others = [f"{peer.exact:.2%}, {peer.milliseconds:.0f} ms" for peer in peers]
    cells = [exact, f"{score.digit_errors:.2%}", sure, f"{score.milliseconds:.1f}", *others, _bar(dataset)]
    return f"| {dataset.name} | {score.images:,} | {' | '.join(cells)} |"


def non_digits_row(dataset: Dataset, score: NonDigitScore) -> str:
    """The row of a set without digits."""
    no_digit = _marked(f"{score.no_digit:.2%}", dataset.bar is not None and score.no_digit < dataset.bar)
    auroc = _NONE if score.auroc is None else f"{score.auroc:.4f}"
    return _row(dataset, score.images, no_digit, f"{score.not_accepted:.2%}", auroc, _bar(dataset))


def classes_row(dataset: Dataset, score: Score) -> str:
    """The row of what the model was calibrated on."""
    ece = _marked(f"{score.ece:.2%}", score.ece > VALIDATION_ECE_BAR)
    return _row(dataset, score.images, f"{score.exact:.2%}", ece, f"{VALIDATION_ECE_BAR:.1%}")


def auroc_row(score: NonDigitScore, digits: int) -> str:
    """The row of all the non-digits against all the digits."""
    assert score.auroc is not None
    auroc = _marked(f"{score.auroc:.4f}", score.auroc < AUROC_BAR)
    cells = (f"{score.images:,} against {digits:,}", f"{score.no_digit:.2%}", f"{score.not_accepted:.2%}", auroc)
    return f"| non-digits against digits, AUROC | `/predict` | {' | '.join(cells)} | {AUROC_BAR} |"


def _row(dataset: Dataset, images: int, *cells: str) -> str:
    return f"| {dataset.name} | `/{dataset.path}` | {images:,} | {' | '.join(cells)} |"


def _bar(dataset: Dataset) -> str:
    return _NONE if dataset.bar is None else f"{100 * dataset.bar:.4g}%"


def _marked(figure: str, short: bool) -> str:
    return f"**{figure}**" if short else figure
