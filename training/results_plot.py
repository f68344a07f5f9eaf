"""The comparison as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from training.results import Column, set_names

_DPI = 100
_LEAST_ERROR = 0.02  # %: a logarithmic axis has no zero
_MARKERS = "osD^vPX"


def plot(columns: Sequence[Column], path: Path) -> None:
    """Writes a PNG: the error of every system, a row a set; hollow where it was trained on its author's data."""
    names = set_names(columns)
    figure = Figure(figsize=(9.5, 1.6 + 0.42 * len(names)), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    systems = list(dict.fromkeys(column.system for column in columns if not column.ours))
    for column in columns:
        errors = [max(_LEAST_ERROR, 100 * (1 - column.accuracy(name))) for name in names]
        hollow = not column.ours and column.outcomes[0].own_test is not None
        index = 0 if column.ours else systems.index(column.system)
        colour = "black" if column.ours else f"C{index}"
        axes.plot(
            errors,
            range(len(names)),
            linestyle="",
            marker="*" if column.ours else _MARKERS[index % len(_MARKERS)],
            markersize=13 if column.ours else 7,
            color=colour,
            markerfacecolor="none" if hollow else colour,
            label=column.title,
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("% wrong (logarithmic; left is better)")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    figure.legend(loc="outside right upper", fontsize="small", frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png")
