"""Other readers, on the same images: Tesseract (Debian `tesseract-ocr`) and RapidOCR (PyPI `rapidocr`), digits only."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

_ONE_LINE, _BLOCK = "7", "6"
_DIGITS = frozenset("0123456789")
# The answer of a reader that crashes on an image: no text is this one.
_CRASHED = "crashed"
# Two pieces of text stand on one line where their middles are no farther apart than this share of their height.
_SAME_LINE = 0.5


@dataclass(frozen=True, slots=True)
class Peer:
    """A reader: `read` takes encoded images, and whether they may show several lines, and gives their texts."""

    name: str
    read: Callable[[Sequence[bytes], bool], list[str]]


@dataclass(frozen=True, slots=True)
class PeerScore:
    """The share of texts read exactly right, and milliseconds an image, all told."""

    exact: float
    milliseconds: float


def peers_here() -> list[Peer]:
    """Those that are installed."""
    found = []
    if shutil.which("tesseract"):
        found.append(Peer("Tesseract", _tesseract))
    if importlib.util.find_spec("rapidocr") is not None:
        from rapidocr import RapidOCR

        engine = RapidOCR()
        found.append(Peer("RapidOCR", lambda images, lines: [_rapid(engine, image, lines) for image in images]))
    return found


def peer_score(peer: Peer, images: Sequence[bytes], texts: Sequence[str]) -> PeerScore:
    """How a peer reads images that show these texts, line feeds between their lines."""
    begun = time.perf_counter()
    read = peer.read(images, any("\n" in text for text in texts))
    milliseconds = 1e3 * (time.perf_counter() - begun) / len(images)
    right = [own == text for own, text in zip(read, texts, strict=True)]
    return PeerScore(float(np.mean(right)), milliseconds)


def _tesseract(images: Sequence[bytes], lines: bool) -> list[str]:
    """One process for all images, so that its start costs nothing; where it crashes, one for each half of them."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for index, image in enumerate(images):
            path = Path(folder) / f"{index:06d}"
            path.write_bytes(image)
            paths.append(str(path))
        names = Path(folder) / "names.txt"
        names.write_text("\n".join(paths) + "\n")
        mode = ["--psm", _BLOCK if lines else _ONE_LINE, "-c", "tessedit_char_whitelist=0123456789"]
        read = subprocess.run(["tesseract", str(names), "stdout", *mode], capture_output=True, check=False)
    if read.returncode < 0:  # by a signal; what it refuses by itself, such as its own installation, is an error
        half = len(images) // 2
        return [*_tesseract(images[:half], lines), *_tesseract(images[half:], lines)] if half else [_CRASHED]
    read.check_returncode()
    return [_digit_lines(page.splitlines()) for page in read.stdout.decode().split("\f")[: len(images)]]


def _rapid(engine: Any, data: bytes, lines: bool) -> str:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    # It enlarges what it looks for lines in to 736 pixels, which takes seconds of a long line and reads no better. It
    # keeps to what it is told until it is told otherwise.
    found = engine(image, use_det=lines, use_cls=lines)
    texts = list(found.txts or ())
    if not lines or found.boxes is None:  # one line, or nothing
        return _digit_lines(["".join(texts)])
    boxes = np.asarray(found.boxes, np.float64).reshape(len(texts), -1, 2)
    rows: list[list[int]] = []
    for index in np.argsort(boxes[:, :, 1].mean(axis=1)):
        middle, height = boxes[index, :, 1].mean(), np.ptp(boxes[index, :, 1])
        if rows and middle - boxes[rows[-1][-1], :, 1].mean() < _SAME_LINE * height:
            rows[-1].append(int(index))
        else:
            rows.append([int(index)])
    left = boxes[:, :, 0].min(axis=1)
    return _digit_lines(["".join(texts[i] for i in sorted(row, key=lambda i: left[i])) for row in rows])


def _digit_lines(lines: Sequence[str]) -> str:
    """The digits of each line, those without any left out."""
    kept = ("".join(c for c in line if c in _DIGITS) for line in lines)
    return "\n".join(line for line in kept if line)
