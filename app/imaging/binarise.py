"""Grey image → ink: how much darker (or lighter) than its paper each pixel is, and which pixels count as ink."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from app.domain import Polarity
from app.imaging.components import Components, components_of
from app.imaging.morphology import closed, is_even
from app.imaging.scale import reduced

GreyPixels = NDArray[np.uint8]
Mask = NDArray[np.uint8]
Levels = NDArray[np.float64]

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
# With less paper than this along the border, what seems to be ink may be light that falls on a part of the page.
_ALL_PAPER_BORDER = 0.97
# A standard deviation of grey levels, of 255, under which there is too little ink to tell the polarity by.
_FLAT_DEVIATION = 6.0
# Share of each side that is passed over when polarity is judged.
_MARGIN = 0.12
# 1, level and level squared of each grey level: (3, 256).
_POWERS = np.arange(256, dtype=np.float64) ** np.arange(3)[:, np.newaxis]


@dataclass(frozen=True)
class Ink:
    """What is written, parted from what it is written on.

    `strength`: (h, w) uint8, 0 for paper, rising with the contrast to the paper around (grey levels, not stretched).
    `mask`: (h, w) uint8, 255 where `strength` is above a threshold, 0 elsewhere. `levels`: (256,) float64, how often
    each level of strength occurs.
    """

    strength: GreyPixels
    mask: Mask
    levels: Levels

    @cached_property
    def components(self) -> Components:
        """The pieces of the mask, found when they are asked for."""
        return components_of(self.mask)


def find_ink(grey: GreyPixels, polarity: Polarity = Polarity.AUTO) -> Ink:
    """Parts ink from paper in a grey image, (h, w) uint8.

    The paper's level is a morphological closing (dark ink on light paper), so that shadows and uneven light go with
    the paper; the threshold is Otsu's (1979) on the difference. An image without enough contrast has an empty mask.
    """
    if polarity is Polarity.AUTO:
        polarity = likely_polarities(grey)[0]
    smooth = denoised(grey if polarity is Polarity.DARK_ON_LIGHT else np.uint8(255) - grey)
    return ink_of(np.asarray(cv2.subtract(_paper_level(smooth), smooth), np.uint8))


def ink_of(
    strength: GreyPixels, min_contrast: float = MIN_CONTRAST, min_signal_to_noise: float = MIN_SIGNAL_TO_NOISE
) -> Ink:
    """Ink by Otsu's threshold of its strength, (h, w) uint8; with an empty mask where there is no contrast.

    `min_contrast`: in grey levels of 255; `min_signal_to_noise`: in standard deviations of the paper's own noise.
    """
    threshold, found = cv2.threshold(strength, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    mask = np.asarray(found, np.uint8)
    levels = _histogram(strength)
    first = int(threshold) + 1  # of the ink's levels
    ink_level, _ = _moments(levels, first, 256)
    paper_level, paper_noise = _moments(levels, 0, first)
    contrast = ink_level - paper_level
    if contrast < min_contrast or contrast < min_signal_to_noise * paper_noise:
        mask = np.zeros_like(mask)
    return Ink(strength, mask, levels)


def faint_ink(ink: Ink) -> Mask:
    """Where ink may be that Otsu's threshold leaves out: thin and light parts of strokes, (h, w) uint8 of 0 and 255.

    The lower threshold of a hysteresis (Canny, "A Computational Approach to Edge Detection", 1986): only what is
    connected with the mask is ink. The mask is a part of the answer.
    """
    lightest = int(cv2.minMaxLoc(ink.strength, ink.mask)[0])  # of the ink; 0 where there is none
    counts = ink.levels[:lightest]
    paper_levels = np.flatnonzero(counts)
    if not paper_levels.size:
        return ink.mask
    threshold = float(lightest + paper_levels[-1]) / 2
    paper, noise = _median(counts), 0.0
    if paper:  # else most of it has no strength at all, and does not deviate from that
        deviations = np.bincount(np.abs(np.arange(lightest) - paper), counts)
        noise = 1.4826 * _median(deviations.astype(np.float64, copy=False))
    level = max(_FAINT_SHARE * threshold, paper + _FAINT_SIGNAL_TO_NOISE * noise, 1.0)
    if level >= lightest:
        return ink.mask
    return np.asarray(cv2.threshold(ink.strength, math.ceil(level) - 1, 255, cv2.THRESH_BINARY)[1], np.uint8)


def _histogram(grey: GreyPixels) -> Levels:
    """How often each grey level occurs, (256,)."""
    return np.asarray(cv2.calcHist([grey], [0], None, [256], [0, 256]), np.float64).ravel()


def _moments(levels: Levels, first: int, end: int) -> tuple[float, float]:
    """Mean and standard deviation of the levels from `first` to before `end`; 0 where there are none."""
    count, total, squares = (_POWERS[:, first:end] @ levels[first:end]).tolist()
    share = 1.0 / max(1.0, count)
    mean = total * share
    return mean, math.sqrt(max(squares * share - mean * mean, 0.0))


def _median(counts: Levels) -> int:
    """The median of values that are counted, from 0 on."""
    cumulative = counts.cumsum()
    return int(cumulative.searchsorted(cumulative[-1] / 2))


def likely_polarities(grey: GreyPixels) -> tuple[Polarity, ...]:
    """The polarities that an image, (h, w) uint8, may have, the likelier first; one where there is no doubt.

    Ink covers the smaller part, so grey levels are skewed towards it. Where neither side is clearly the smaller (a
    crop tight around a bold digit), the paper is what most of the image and of its border show. Pen on paper and print
    leave no doubt; a bold digit that fills its crop, or a wheel in the window of a meter, does.
    """
    skewness = _inner_skewness(grey)
    light, light_border = _light_shares(reduced(grey, _REDUCED_SIDE))
    dark = skewness < 0 if abs(skewness) >= _CLEAR_SKEWNESS else light + light_border >= 1.0
    likelier = Polarity.DARK_ON_LIGHT if dark else Polarity.LIGHT_ON_DARK
    paper_border = light_border if dark else 1.0 - light_border
    plain = abs(skewness) >= _PLAIN_SKEWNESS and paper_border >= _PLAIN_BORDER
    return (likelier,) if plain else (likelier, likelier.reversed)


def unlikely_polarity(grey: GreyPixels) -> Polarity | None:
    """The polarity that is not among the likely ones of an image, (h, w) uint8, and that it may have nevertheless.

    A wedge of light across a page in the shadow is skewed as light ink is; but it reaches the border.
    """
    likelier, *others = likely_polarities(grey)
    if others:
        return None
    _, light_border = _light_shares(reduced(grey, _REDUCED_SIDE))
    paper_border = light_border if likelier is Polarity.DARK_ON_LIGHT else 1.0 - light_border
    return likelier.reversed if paper_border < _ALL_PAPER_BORDER else None


def possible_polarities(grey: GreyPixels, polarity: Polarity) -> tuple[Polarity, ...]:
    """The polarities that an image is to be seen under: the one that is given; of AUTO, those that it may have."""
    return likely_polarities(grey) if polarity is Polarity.AUTO else (polarity,)


def _light_shares(grey: GreyPixels) -> tuple[float, float]:
    """The share of light pixels, by Otsu's threshold, in the image and along its border."""
    _, light = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    border = np.concatenate((light[0], light[-1], light[:, 0], light[:, -1]))
    return cv2.countNonZero(light) / light.size, cv2.countNonZero(border) / border.size


def _inner_skewness(grey: GreyPixels) -> float:
    """The standardised third moment of grey levels, away from the edges, where frames and tables lie.

    0 where there is little but the paper's grain, whose skewness tells nothing.
    """
    height, width = grey.shape
    margin_y, margin_x = int(height * _MARGIN), int(width * _MARGIN)
    inner = grey[margin_y : height - margin_y, margin_x : width - margin_x]
    inner = reduced(inner, _REDUCED_SIDE).astype(np.float32)
    deviation = inner - inner.sum() / inner.size
    squares = deviation * deviation
    variance = float(squares.sum() / inner.size)
    if variance < _FLAT_DEVIATION**2:
        return 0.0
    squares *= deviation
    return float(squares.sum() / inner.size / variance**1.5)


def _paper_level(grey: GreyPixels) -> GreyPixels:
    """The light of the paper under dark ink, pixel by pixel, (h, w) uint8."""
    small = reduced(grey, _REDUCED_SIDE)
    side = wider_than_strokes(small)
    paper = closed(small, side)
    if is_even(paper):  # and so it would stay
        return np.full_like(grey, paper[0, 0])
    paper = cv2.blur(paper, (side, side)).astype(np.uint8, copy=False)
    return cv2.resize(paper, grey.shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def wider_than_strokes(grey: GreyPixels) -> int:
    """Of an image, (h, w), an odd number of pixels that no stroke of a digit in it is as wide as.

    A digit's stroke is at most a quarter of its height, and the digit may fill the image.
    """
    return int(max(3, round(0.4 * min(grey.shape)))) | 1


def denoised(grey: GreyPixels) -> GreyPixels:
    """An image, (h, w) uint8, with a light blur where strokes are wide enough to bear it."""
    if min(grey.shape) < 48:
        return grey
    return cv2.GaussianBlur(grey, (3, 3), 0).astype(np.uint8, copy=False)
