"""All writers that there are data for, parted into those to train on and those held out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.calibration import NON_DIGIT
from app.manifest import file_sha256
from training.augment import Random
from training.fonts import Font
from training.lines.allographs import DrawnHand
from training.lines.boards import Board
from training.lines.compose import AnyWriter
from training.lines.numbers import NUMBERS_FILE, held_out, read_numbers
from training.lines.wheels import counters
from training.lines.writers import hands, types
from training.sources import EVALUATION_SOURCES, SOURCES, Item, read_source

DRAWN, TYPES, NUMBERS, MNIST, BOARDS = "drawn", "fonts", "UNIPEN strings", "MNIST", "displays"
_METERS = "meter photos"
# How often a line is of each kind, where there is data for all.
_WEIGHTS = {
    MNIST: 0.22,
    "UNIPEN characters": 0.23,
    "pendigits": 0.06,
    DRAWN: 0.14,
    TYPES: 0.22,
    NUMBERS: 0.07,
    _METERS: 0.06,
    BOARDS: 0.2,
}
_MANY_WHEELS = 400
_LEAST_LETTERS = 5
_NUMBERS_LICENCE = "CC BY 4.0"
_MNIST_WRITERS_FILE = "mnist_writers.npz"


@dataclass(frozen=True, slots=True)
class Pool:
    """Writers of one kind, in families: each family is as likely as any other, and within it each writer."""

    name: str
    weight: float
    families: Sequence[Sequence[AnyWriter]]

    def any(self, random: Random) -> AnyWriter:
        """One of them."""
        family = self.families[int(random.integers(len(self.families)))]
        return family[int(random.integers(len(family)))]


@dataclass(frozen=True, slots=True)
class Writers:
    """Pools of writers, of which none is empty, and what each of some hands wrote that is no digit."""

    pools: tuple[Pool, ...]
    letters: tuple[tuple[Item, ...], ...] = ()

    def any(self, random: Random) -> AnyWriter:
        """One of any kind, by the kinds' weights."""
        weights = np.cumsum([pool.weight for pool in self.pools])
        chosen = int(np.searchsorted(weights, random.random() * weights[-1], side="right"))
        return self.pools[min(chosen, len(self.pools) - 1)].any(random)

    def of(self, name: str) -> Pool | None:
        """The pool of that name; None where there is no data for it."""
        return next((pool for pool in self.pools if pool.name == name), None)


def pooled(items: Mapping[str, Iterable[Item]], fonts: Sequence[Font], numbers: Sequence[AnyWriter] = ()) -> Writers:
    """Writers of the items of each source, of the fonts, of whole numbers, and drawn ones, which need no data."""
    pools = [_pool(DRAWN, [[DrawnHand()]]), _pool(BOARDS, [[Board()]])]
    letters: dict[str, list[Item]] = {}
    for name, source_items in items.items():
        source_items = list(source_items)
        for item in source_items:
            if item.label == NON_DIGIT and item.strokes is not None:
                letters.setdefault(item.group, []).append(item)
        if name == _METERS:  # one group is of a single meter, another of hundreds
            found = [[counter] for counter in counters(source_items) for _ in range(1 + counter.count // _MANY_WHEELS)]
            pools.append(_pool(name, found))
        else:
            pools.append(_pool(name, [[hand] for hand in hands(source_items)]))
    families: dict[str, list[AnyWriter]] = {}
    for kind in types(fonts):
        families.setdefault(kind.font.family, []).append(kind)
    pools.append(_pool(TYPES, list(families.values())))
    pools.append(_pool(NUMBERS, [[number] for number in numbers]))
    several = tuple(tuple(own) for own in letters.values() if len(own) >= _LEAST_LETTERS)
    return Writers(tuple(pool for pool in pools if pool.families), several)


def anyone(_: str) -> bool:
    """Every group of writers."""
    return True


def read_writers(
    data_dir: Path,
    fonts: Sequence[Font],
    evaluation: bool = False,
    accept_changed: bool = False,
    chosen: Callable[[str], bool] = anyone,
) -> Writers:
    """The writers whose files are in the folder: those to train on, or those held out; of MNIST, its test writers.

    `chosen` tells which of those groups (writers, contributors, meters) are wanted. The fonts are the caller's to part
    (`fonts.split_families`). Raises DataError for files that are damaged or, unless `accept_changed`, others than the
    recorded.
    """
    items: dict[str, Iterable[Item]] = {}
    for source in SOURCES:
        if source.name not in _WEIGHTS or not (data_dir / source.file).exists():
            continue
        if source.name == MNIST and evaluation:
            items[MNIST] = [item for item in _mnist_test(data_dir, accept_changed) if chosen(item.group)]
            continue
        all_items, _ = read_source(source, data_dir, accept_changed)
        items[source.name] = [
            item for item in all_items if source.held_out(item.group) == evaluation and chosen(item.group)
        ]
    path = data_dir / NUMBERS_FILE
    numbers = [
        number
        for number in (read_numbers(path) if path.exists() else ())
        if held_out(number.contributor) == evaluation and chosen(number.contributor)
    ]
    return pooled(items, fonts, numbers)


def data_sources(data_dir: Path) -> list[dict[str, str]]:
    """Name, licence and SHA-256 of the data sets that writers are taken from, as far as their files are there."""
    files = [(source.name, source.licence, data_dir / source.file) for source in SOURCES if source.name in _WEIGHTS]
    files.append((NUMBERS, _NUMBERS_LICENCE, data_dir / NUMBERS_FILE))
    return [
        {"name": name, "licence": licence, "sha256": file_sha256(path)}
        for name, licence, path in files
        if path.exists()
    ]


def _pool(name: str, families: Sequence[Sequence[AnyWriter]]) -> Pool:
    return Pool(name, _WEIGHTS[name], families)


def _mnist_test(data_dir: Path, accept_changed: bool) -> list[Item]:
    """MNIST's test digits by their writers, as far as those are known."""
    source = next(source for source in EVALUATION_SOURCES if source.name == "MNIST test")
    items, _ = read_source(source, data_dir, accept_changed)
    path = data_dir / _MNIST_WRITERS_FILE
    if not path.exists():
        return items
    with np.load(path) as arrays:
        writers = arrays["test"]
    return [replace(item, group=str(writer)) for item, writer in zip(items, writers, strict=True)]
