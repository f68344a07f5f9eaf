"""Grey morphology with large kernels (Serra, "Image Analysis and Mathematical Morphology", 1982)."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

GreyPixels = NDArray[np.uint8]

# From this side on, a kernel that is no rectangle is applied run by run.
_LARGE_KERNEL = 29


def closed(grey: GreyPixels, kernel: NDArray[np.uint8]) -> GreyPixels:
    """The morphological closing with a kernel whose rows are centred runs, such as an ellipse's; (h, w) uint8.

    Pixel for pixel what cv2.morphologyEx gives, and faster where the kernel is large: OpenCV visits every pixel of a
    kernel that is no rectangle.
    """
    if len(kernel) < _LARGE_KERNEL:
        return np.asarray(cv2.morphologyEx(grey, cv2.MORPH_CLOSE, kernel), np.uint8)
    reaches = (np.count_nonzero(kernel, axis=1) // 2).tolist()
    return _run_wise(_run_wise(grey, reaches, np.maximum, 0), reaches, np.minimum, 255)


def _run_wise(grey: GreyPixels, reaches: Sequence[int], either: np.ufunc, neutral: int) -> GreyPixels:
    """A dilation (maximum) or an erosion (minimum) with a kernel of centred runs, which reach so far to either side.

    A run grows by a pixel at either end at a time, and serves every row of the kernel that is as long. In an image
    padded with what is neutral, laid out as one row, every shift is one slice.
    """
    height, width = grey.shape
    middle = len(reaches) // 2
    stride = width + middle
    padded = np.full((height + 2 * middle, stride), neutral, np.uint8)
    padded[middle : middle + height, :width] = grey
    source = padded.ravel()
    start, end = middle * stride, (middle + height) * stride
    run, whole = source.copy(), source.copy()
    for reach in range(middle + 1):
        if reach:
            inner = run[reach:-reach]
            either(inner, source[2 * reach :], out=inner)
            either(inner, source[: -2 * reach], out=inner)
        for row in range(middle + 1):
            if reaches[row] == reach:
                shift = (middle - row) * stride
                inner = whole[start:end]
                either(inner, run[start - shift : end - shift], out=inner)
                either(inner, run[start + shift : end + shift], out=inner)
    return np.ascontiguousarray(whole.reshape(padded.shape)[middle : middle + height, :width])
