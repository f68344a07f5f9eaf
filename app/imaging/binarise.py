"""Grey image → ink: how much darker (or lighter) than its paper each pixel is, and which pixels count as ink."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.domain import Polarity
from app.imaging.morphology import closed

GreyPixels = NDArray[np.uint8]
Mask = NDArray[np.uint8]

# Ink stands out from its paper by at least this many grey levels of 255; less is paper grain or a blank page.
MIN_CONTRAST = 10.0
# … and by at least this many standard deviations of the paper's own noise.
MIN_SIGNAL_TO_NOISE = 3.0
# Fainter ink belongs to a stroke it is connected with: from this share of the threshold on (hysteresis) …
_FAINT_SHARE = 0.5
# … and this many standard deviations of the paper's noise, estimated as 1.4826 times the median absolute deviation.
_FAINT_SIGNAL_TO_NOISE = 4.0
# The paper's level and the polarity are estimated on an image reduced to this longest side.
_REDUCED_SIDE = 128
# Skewness of grey levels beyond which it tells the polarity alone.
_CLEAR_SKEWNESS = 0.6
# Beyond this one, with this share of paper along the border, the other polarity need not be tried.
_PLAIN_SKEWNESS = 1.0
_PLAIN_BORDER = 0.7
# A standard deviation of grey levels, of 255, under which there is too little ink to tell the polarity by.
_FLAT_DEVIATION = 6.0
# Share of each side that is passed over when polarity is judged.
_MARGIN = 0.12


@dataclass(frozen=True, slots=True)
class Ink:
    """What is written, parted from what it is written on.

    `strength`: (h, w) uint8, 0 for paper, rising with the contrast to the paper around (grey levels, not stretched).
    `mask`: (h, w) uint8, 255 where there is ink, 0 elsewhere.
    """

    strength: GreyPixels
    mask: Mask


def find_ink(grey: GreyPixels, polarity: Polarity = Polarity.AUTO) -> Ink:
    """Parts ink from paper in a grey image, (h, w) uint8.

    The paper's level is a morphological closing (dark ink on light paper), so that shadows and uneven light go with
    the paper; the threshold is Otsu's (1979) on the difference. An image without enough contrast has an empty mask.
    """
    if polarity is Polarity.AUTO:
        polarity = likely_polarities(grey)[0]
    smooth = _denoised(grey if polarity is Polarity.DARK_ON_LIGHT else np.uint8(255) - grey)
    strength = np.asarray(cv2.subtract(_paper_level(smooth), smooth), np.uint8)
    return Ink(strength=strength, mask=ink_mask(strength))


def ink_mask(strength: GreyPixels) -> Mask:
    """Otsu's threshold of ink strength, (h, w) uint8 → (h, w) uint8 of 0 and 255; empty without contrast."""
    mask = np.asarray(cv2.threshold(strength, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1], np.uint8)
    ink_pixels = cv2.countNonZero(mask)
    if ink_pixels == 0:
        return mask
    ink_level, _ = cv2.meanStdDev(strength, mask=mask)
    paper_level, paper_noise = cv2.meanStdDev(strength, mask=cv2.bitwise_not(mask))
    contrast = float(ink_level[0, 0] - paper_level[0, 0])
    if contrast < MIN_CONTRAST or contrast < MIN_SIGNAL_TO_NOISE * float(paper_noise[0, 0]):
        return np.zeros_like(mask)
    return mask


def faint_ink(strength: GreyPixels, mask: Mask) -> Mask:
    """Where ink may be that Otsu's threshold leaves out: thin and light parts of strokes, (h, w) uint8 of 0 and 255.

    The lower threshold of a hysteresis (Canny, "A Computational Approach to Edge Detection", 1986): only what is
    connected with `mask` is ink. `mask` is that of `strength`, and a part of the answer.
    """
    inked = mask > 0
    ink_counts, counts = _histogram(strength[inked]), _histogram(strength[~inked])
    ink_levels, paper_levels = np.flatnonzero(ink_counts), np.flatnonzero(counts)
    if not ink_levels.size or not paper_levels.size:
        return mask
    threshold = float(ink_levels[0] + paper_levels[-1]) / 2
    paper = _median(counts)
    noise = 1.4826 * _median(np.bincount(np.abs(np.arange(256) - paper), weights=counts, minlength=256))
    level = max(_FAINT_SHARE * threshold, paper + _FAINT_SIGNAL_TO_NOISE * noise, 1.0)
    return np.asarray(np.where(strength >= level, np.uint8(255), mask), np.uint8)


def _histogram(levels: NDArray[np.uint8]) -> NDArray[np.intp]:
    """How often each grey level occurs, (256,)."""
    return np.bincount(levels, minlength=256)


def _median(counts: NDArray[Any]) -> int:
    """The median of values that are counted, (256,)."""
    cumulative = np.cumsum(counts)
    return int(np.searchsorted(cumulative, cumulative[-1] / 2))


def likely_polarities(grey: GreyPixels) -> tuple[Polarity, ...]:
    """The polarities that an image, (h, w) uint8, may have, the likelier first; one where there is no doubt.

    Ink covers the smaller part, so grey levels are skewed towards it. Where neither side is clearly the smaller (a
    crop tight around a bold digit), the paper is what most of the image and of its border show. Pen on paper and print
    leave no doubt; a bold digit that fills its crop, or a wheel in the window of a meter, does.
    """
    skewness = _inner_skewness(grey)
    light, light_border = _light_shares(_reduced(grey))
    dark = skewness < 0 if abs(skewness) >= _CLEAR_SKEWNESS else light + light_border >= 1.0
    likelier = Polarity.DARK_ON_LIGHT if dark else Polarity.LIGHT_ON_DARK
    paper_border = light_border if dark else 1.0 - light_border
    plain = abs(skewness) >= _PLAIN_SKEWNESS and paper_border >= _PLAIN_BORDER
    return (likelier,) if plain else (likelier, likelier.reversed)


def _light_shares(grey: GreyPixels) -> tuple[float, float]:
    """The share of light pixels, by Otsu's threshold, in the image and along its border."""
    _, light = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    border = np.concatenate((light[0], light[-1], light[:, 0], light[:, -1]))
    return np.count_nonzero(light) / light.size, np.count_nonzero(border) / border.size


def _inner_skewness(grey: GreyPixels) -> float:
    """The standardised third moment of grey levels, away from the edges, where frames and tables lie.

    0 where there is little but the paper's grain, whose skewness tells nothing.
    """
    height, width = grey.shape
    margin_y, margin_x = int(height * _MARGIN), int(width * _MARGIN)
    inner = _reduced(grey[margin_y : height - margin_y, margin_x : width - margin_x]).astype(np.float32)
    deviation = inner - inner.mean()
    variance = float(np.mean(deviation * deviation))
    if variance < _FLAT_DEVIATION**2:
        return 0.0
    return float(np.mean(deviation * deviation * deviation) / variance**1.5)


def _denoised(grey: GreyPixels) -> GreyPixels:
    """A light blur, only where strokes are wide enough to bear it."""
    if min(grey.shape) < 48:
        return grey
    return cv2.GaussianBlur(grey, (3, 3), 0).astype(np.uint8, copy=False)


def _paper_level(grey: GreyPixels) -> GreyPixels:
    """The light of the paper under dark ink, pixel by pixel, (h, w) uint8."""
    small = _reduced(grey)
    # Wider than any stroke: a digit's stroke is at most a quarter of its height, and the digit may fill the image.
    side = max(3, round(0.4 * min(small.shape))) | 1
    kernel = np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
    paper = cv2.blur(closed(small, kernel), (side, side))
    return cv2.resize(paper, grey.shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def _reduced(grey: GreyPixels) -> GreyPixels:
    """The image at _REDUCED_SIDE pixels or fewer on its longest side."""
    height, width = grey.shape
    scale = _REDUCED_SIDE / max(height, width)
    if scale >= 1:
        return grey
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
