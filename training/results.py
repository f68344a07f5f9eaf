"""What came of a comparison: each training as a file, all of them as one table."""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_BEGIN = "<!-- python -m training compare: begin -->"
_END = "<!-- python -m training compare: end -->"
_HEADING = "# The reference systems, side by side\n\n"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One network as trained once, and measured.

    `fingerprint`: what it depends on; with another one it is out of date. `seconds` and `samples` that its training
    took, None for a model that was only measured. `own_test`: accuracy in 0..1 on what its author measured on, where
    it was trained as its author did. `sets`: `n`, `accuracy`, `macro_f1` by evaluation set.
    """

    fingerprint: str
    parameters: int
    file_bytes: int
    seconds: float | None
    samples: int | None
    own_test: float | None
    sets: dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Column:
    """A system on one data set in the table: its trainings, one a seed, and its time for one glyph in milliseconds."""

    system: str
    title: str
    ours: bool
    reported: str
    outcomes: tuple[Outcome, ...]
    milliseconds: float

    def mean(self, figure: Callable[[Outcome], float | None]) -> float | None:
        """The mean of a figure over the seeds; None where it has none."""
        found = [value for outcome in self.outcomes if (value := figure(outcome)) is not None]
        return statistics.fmean(found) if found else None

    def accuracy(self, name: str) -> float:
        """Mean accuracy, in 0..1, on an evaluation set."""
        return statistics.fmean(outcome.sets[name]["accuracy"] for outcome in self.outcomes)


def kept_outcome(path: Path, fingerprint: str) -> Outcome | None:
    """The outcome that a former run kept at `path`; None where there is none, or it is of something else."""
    try:
        outcome = Outcome(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return outcome if outcome.fingerprint == fingerprint else None


def keep_outcome(path: Path, outcome: Outcome) -> None:
    """Writes an outcome aside, then renames it to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".part")
    aside.write_text(json.dumps(asdict(outcome), indent=1))
    aside.replace(path)


def set_names(columns: Sequence[Column]) -> list[str]:
    """The evaluation sets that all columns have, in the order of the first."""
    return [name for name in columns[0].outcomes[0].sets if all(name in c.outcomes[0].sets for c in columns)]


def table(columns: Sequence[Column]) -> str:
    """The comparison as a Markdown table: a system a column; a set or figure a row, the best of a row in bold."""
    names = set_names(columns)
    rows = [
        _row(f"{name}, {columns[0].outcomes[0].sets[name]['n']:,.0f}, %", _percentages(columns, _accuracy(name)))
        for name in names
    ]
    rows += [
        _row("**mean of the sets**, %", _percentages(columns, lambda o: _mean_of_sets(o, names, "accuracy"))),
        _row("macro F1, mean of the sets, %", _percentages(columns, lambda o: _mean_of_sets(o, names, "macro_f1"))),
        _row("author's kind of test, %", _texts(columns, lambda outcome: outcome.own_test, 100, ".2f")),
        _row("reported by its author, %", [column.reported for column in columns]),
        _row("parameters", _texts(columns, lambda outcome: outcome.parameters, 1, ",.0f")),
        _row("`.keras` file, KiB", _texts(columns, lambda outcome: outcome.file_bytes, 1 / 1024, ",.0f")),
        _row("one glyph, ms", [f"{column.milliseconds:.2f}" for column in columns]),
        _row("samples seen in training", _texts(columns, lambda outcome: outcome.samples, 1, ",.0f")),
        _row("training time, s", _texts(columns, lambda outcome: outcome.seconds, 1, ",.0f")),
        _row("trainings (seeds)", [str(len(column.outcomes)) for column in columns]),
    ]
    head = _row("", [column.title for column in columns])
    return "\n".join([head, "|---|" + "---:|" * len(columns), *rows])


def verdict(columns: Sequence[Column]) -> str:
    """One sentence: on how many sets ours is better than every other; where it is not, by how many digits."""
    names = set_names(columns)
    ours = next(column for column in columns if column.ours)
    others = [column for column in columns if not column.ours]
    lost = []
    for name in names:
        best = max(others, key=lambda other, name=name: other.accuracy(name))  # type: ignore[misc]
        if best.accuracy(name) >= ours.accuracy(name):
            count = ours.outcomes[0].sets[name]["n"]
            right, theirs = (_counted(column.accuracy(name) * count) for column in (ours, best))
            lost.append(f"{name} ({right} right of {count:,}; {best.title}: {theirs})")
    sentence = f"{ours.title} is more accurate than every other on {len(names) - len(lost)} of {len(names)} sets"
    return f"{sentence}; not on {', '.join(lost)}." if lost else f"{sentence}."


def write_between_markers(path: Path, text: str) -> None:
    """Puts `text` into a Markdown file in place of what stood between its markers; what is outside stays."""
    before = path.read_text() if path.exists() else _HEADING
    head, _, rest = before.partition(_BEGIN)
    _, _, tail = rest.partition(_END)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".part")
    aside.write_text(f"{head}{_BEGIN}\n{text.strip()}\n{_END}{tail or os.linesep}")
    aside.replace(path)


def _counted(mean: float) -> str:
    """A number of digits, with tenths where it is a mean that is none."""
    return f"{mean:,.1f}".removesuffix(".0")


def _accuracy(name: str) -> Callable[[Outcome], float]:
    return lambda outcome: outcome.sets[name]["accuracy"]


def _mean_of_sets(outcome: Outcome, names: Sequence[str], figure: str) -> float:
    return statistics.fmean(outcome.sets[name][figure] for name in names)


def _percentages(columns: Sequence[Column], figure: Callable[[Outcome], float | None]) -> list[str]:
    texts = _texts(columns, figure, 100, ".2f")
    best = max(float(text) for text in texts)
    return [f"**{text}**" if float(text) == best else text for text in texts]


def _texts(columns: Sequence[Column], figure: Callable[[Outcome], float | None], scale: float, form: str) -> list[str]:
    values = [column.mean(figure) for column in columns]
    return ["–" if value is None else format(scale * value, form) for value in values]


def _row(title: str, cells: Sequence[str]) -> str:
    return f"| {title} | {' | '.join(cells)} |"
