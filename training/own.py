"""People's own images: a folder a class, `0/` … `9/` and, if wanted, `none/`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from app.calibration import LABELS
from app.errors import InputError
from app.imaging.decode import decode_image
from training.sources import DataError, Item, Source, hashed_share

OWN = "own images"
_MAX_PIXELS = 50_000_000
_HELD_OUT = 0.2
_MOST_NAMED = 5


def own_source(folder: Path) -> Source:
    """A folder of images as a data set like any other; a fifth of the files is held out."""
    return Source(OWN, str(folder.resolve()), "the user's own", _items, lambda group: hashed_share(group, _HELD_OUT))


def read_own(folder: Path) -> tuple[list[Item], str]:
    """The images of a folder, and a SHA-256 over all their contents.

    Raises DataError where a class folder is unknown or empty, there are fewer than two classes, or a file is no image;
    it names them, before any training.
    """
    items = list(_read(folder))
    digest = hashlib.sha256("".join(sorted(item.group for item in items)).encode()).hexdigest()
    return items, digest


def _items(folder: Path) -> Iterator[Item]:
    yield from _read(folder)


def _read(folder: Path) -> list[Item]:
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder; it should hold one folder a class: 0/ to 9/, and none/ if wanted.")
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    unknown = [path.name for path in classes if path.name not in LABELS]
    if unknown:
        raise DataError(f"{folder} has the folder {unknown[0]!r}; folders are named 0 to 9, or none.")
    if len(classes) < 2:
        raise DataError(f"{folder} holds {len(classes)} class folders; put images into at least two of 0/ … 9/, none/.")
    items: list[Item] = []
    bad: list[str] = []
    for path in classes:
        files = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
        if not files:
            raise DataError(f"{path} is empty; put images of that class into it, or remove the folder.")
        for file in files:
            data = file.read_bytes()
            try:
                decode_image(data, _MAX_PIXELS)
            except InputError as error:
                bad.append(f"{file}: {error}")
                continue
            items.append(Item(LABELS.index(path.name), hashlib.sha256(data).hexdigest(), photo=data))
    if bad:
        more = f" … and {len(bad) - _MOST_NAMED} more" if len(bad) > _MOST_NAMED else ""
        raise DataError("These files are no images that can be read:\n  " + "\n  ".join(bad[:_MOST_NAMED]) + more)
    return items
