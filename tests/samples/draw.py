"""`python -m tests.samples.draw`: draws the project's pictures.

Those of this folder are what the README shows and its curl lines send; those of `app/page/samples` are on the page.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.domain import BoundingBox
from app.imaging.binarise import find_ink
from app.imaging.glyph import normalise_glyph
from app.imaging.segment import digit_candidates

FOLDER = Path(__file__).parent
PAGE_SAMPLES = FOLDER.parents[1] / "app" / "page" / "samples"
Points = list[tuple[float, float]]

# A pen's way for each digit, in a box one high; y runs down. The curves between the points are Catmull–Rom splines.
STROKES: dict[str, list[Points]] = {
    "0": [[(0.36, 0.02), (0.1, 0.22), (0.02, 0.6), (0.2, 0.97), (0.48, 0.86), (0.62, 0.45), (0.5, 0.08), (0.32, 0.03)]],
    "1": [[(0.1, 0.28), (0.24, 0.16), (0.36, 0.02)], [(0.36, 0.02), (0.33, 0.5), (0.3, 1.0)]],
    "2": [
        [(0.06, 0.24), (0.2, 0.04), (0.46, 0.06), (0.54, 0.28), (0.3, 0.66), (0.04, 0.95)],
        [(0.04, 0.95), (0.6, 0.93)],
    ],
    "3": [
        [(0.08, 0.1), (0.32, 0.0), (0.52, 0.18), (0.42, 0.4), (0.22, 0.47)],
        [(0.22, 0.47), (0.5, 0.58), (0.54, 0.84), (0.26, 1.0), (0.02, 0.88)],
    ],
    "4": [[(0.34, 0.0), (0.18, 0.36), (0.02, 0.62), (0.6, 0.6)], [(0.46, 0.34), (0.44, 0.68), (0.4, 1.0)]],
    "5": [
        [(0.12, 0.04), (0.1, 0.24), (0.06, 0.44), (0.36, 0.4), (0.56, 0.62), (0.46, 0.92), (0.18, 1.0), (0.0, 0.88)],
        [(0.12, 0.04), (0.56, 0.02)],
    ],
    "6": [
        [(0.48, 0.02), (0.22, 0.24), (0.04, 0.64), (0.16, 0.96), (0.44, 0.94), (0.52, 0.7), (0.34, 0.54), (0.1, 0.7)]
    ],
    "7": [[(0.02, 0.06), (0.3, 0.05), (0.58, 0.04)], [(0.58, 0.04), (0.38, 0.46), (0.22, 1.0)]],
    "8": [
        [(0.46, 0.14), (0.26, 0.02), (0.1, 0.18), (0.24, 0.42), (0.5, 0.66), (0.46, 0.94), (0.2, 1.0), (0.06, 0.78)],
        [(0.06, 0.78), (0.28, 0.48), (0.5, 0.3), (0.46, 0.14)],
    ],
    "9": [[(0.5, 0.2), (0.28, 0.04), (0.08, 0.24), (0.18, 0.46), (0.4, 0.42), (0.52, 0.18), (0.5, 0.6), (0.42, 1.0)]],
}
_WIDTH = 0.86


def pen_number(text: str, height: int, pen: int, seed: int = 1) -> NDArray[np.uint8]:
    """A number as a pen writes it on unevenly lit paper: (h, w) uint8, dark ink on light paper."""
    random = np.random.default_rng(seed)
    margin = height // 2
    advance = int(_WIDTH * height)
    ink = np.zeros((height + 2 * margin, advance * len(text) + 2 * margin), np.uint8)
    for index, digit in enumerate(text):
        origin = np.array([margin + index * advance, margin]) + random.normal(0, 0.03 * height, 2)
        slant = random.normal(-0.08, 0.03)
        for stroke in STROKES[digit]:
            points = _spline(np.array(stroke)) * height * random.normal(1, 0.03)
            points[:, 0] += slant * (points[:, 1] - height)
            line = np.rint((points + origin) * 8).astype(np.int32)[:, None]
            cv2.polylines(ink, [line], False, 255, pen, cv2.LINE_AA, shift=3)
    rows, columns = np.mgrid[0 : ink.shape[0], 0 : ink.shape[1]]
    light = 214 + 26 * columns / ink.shape[1] - 30 * rows / ink.shape[0]
    grain = cv2.GaussianBlur(random.normal(0, 9, ink.shape), (0, 0), 1.2)
    return np.asarray(np.clip((light + grain) * (1 - 0.72 * cv2.GaussianBlur(ink, (3, 3), 0) / 255), 0, 255), np.uint8)


def way_of_an_image(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The stages from image to glyphs, one under the other, as the service's own code makes them: (h, w, 3) uint8."""
    ink = find_ink(image)
    candidates = sorted(digit_candidates(ink, 64), key=lambda candidate: candidate.box.left)
    boxed = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    for candidate in candidates:
        box: BoundingBox = candidate.box
        cv2.rectangle(boxed, (box.left, box.top), (box.right, box.bottom), (0, 140, 40), 2)
    side = min(112, image.shape[1] // len(candidates) - 8)
    glyphs = np.full((side, image.shape[1]), 90, np.uint8)
    for index, candidate in enumerate(candidates):
        glyph = cv2.resize(normalise_glyph(candidate.ink), (side, side), interpolation=cv2.INTER_NEAREST)
        left = round((index + 0.5) * image.shape[1] / len(candidates) - side / 2)
        glyphs[:, left : left + side] = glyph
    stages = [("grey image", image), ("ink", ink.mask), ("boxes", boxed), ("glyphs, 28 x 28", glyphs)]
    return np.vstack([_captioned(name, stage) for name, stage in stages])


def _captioned(name: str, image: NDArray[Any]) -> NDArray[np.uint8]:
    colour = image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    caption = np.full((26, colour.shape[1], 3), 255, np.uint8)
    cv2.putText(caption, name, (6, 19), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (60, 60, 60), 1, cv2.LINE_AA)
    return np.vstack([caption, colour]).astype(np.uint8)


def _spline(points: NDArray[np.float64], steps: int = 12) -> NDArray[np.float64]:
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    t = np.linspace(0, 1, steps)[:, None]
    curves = []
    for before, start, end, after in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        cubic = 2 * start + (end - before) * t + (2 * before - 5 * start + 4 * end - after) * t**2
        curves.append(0.5 * (cubic + (3 * start - before - 3 * end + after) * t**3))
    return np.vstack(curves)


def main() -> None:
    cv2.imwrite(str(FOLDER / "digit.png"), pen_number("7", 96, 9, seed=3))
    number = pen_number("0417532698", 64, 6, seed=5)
    cv2.imwrite(str(FOLDER / "number.jpg"), number, [cv2.IMWRITE_JPEG_QUALITY, 88])
    cv2.imwrite(str(FOLDER / "way.png"), way_of_an_image(number), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    for name, image in page_samples().items():
        cv2.imwrite(str(PAGE_SAMPLES / f"{name}.webp"), image, [cv2.IMWRITE_WEBP_QUALITY, 40])


def page_samples() -> dict[str, NDArray[np.uint8]]:
    """What the page offers to try, by name: (h, w) uint8 each; one digit, a number, lines, chalk on slate."""
    rows = [pen_number(text, 48, 5, seed) for text, seed in (("1984", 11), ("30265", 12), ("77", 13))]
    width = max(row.shape[1] for row in rows)
    lines = np.vstack([cv2.copyMakeBorder(r, 0, 0, 0, width - r.shape[1], cv2.BORDER_REPLICATE) for r in rows])
    return {
        "digit": pen_number("4", 96, 9, seed=6),
        "number": pen_number("3141592", 48, 5, seed=5),
        "lines": np.asarray(lines, np.uint8),
        "chalk": np.asarray(255 - pen_number("58213", 64, 7, seed=8), np.uint8),
    }


if __name__ == "__main__":
    main()
