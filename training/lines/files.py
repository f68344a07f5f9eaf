"""What a run leaves in its folder: files that are whole, or not there."""

from __future__ import annotations

import os
from pathlib import Path

import keras

from training.export import save_compressed
from training.resume import NoSpace


def save_network(network: keras.Model, path: Path) -> None:
    """Saves a network, its weights packed. Raises NoSpace."""
    aside = path.with_name(f"next.{path.name}")
    try:
        save_compressed(network, aside)
        aside.replace(path)
    except OSError as error:
        raise _no_space(path, error) from error


def write_file(path: Path, content: bytes) -> None:
    """Writes a file. Raises NoSpace."""
    aside = path.with_name(f"next.{path.name}")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    except OSError as error:
        raise _no_space(path, error) from error


def _no_space(path: Path, error: OSError) -> NoSpace:
    what = os.strerror(error.errno) if error.errno else str(error)
    return NoSpace(f"{path} could not be written ({what}); make room, and the same command goes on.")
