"""Clean ink → an image of it as a camera or scanner might show it. Every random draw is from the generator given."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Random = np.random.Generator
_PEN = np.ones((2, 2), np.uint8)


def photographed(ink: Pixels, random: Random, strength: float = 1.0) -> Pixels:
    """Lays ink, (h, w) uint8, 255 on 0, on paper: (h', w') uint8, dark ink on lighter paper.

    The ink is turned, sheared, stretched, distorted, thickened or thinned; the paper has its own level, slope and
    grain; the whole is blurred, noised and perhaps compressed. `strength` scales the geometric changes.
    """
    ink = _distorted(_warped(ink, random, strength), random, strength)
    ink = _restroked(ink, random)
    height, width = ink.shape
    paper = _paper(height, width, random)
    contrast = random.uniform(0.25, 1.0) if random.random() < 0.5 else random.uniform(0.6, 1.0)
    image: NDArray[Any] = paper * (1.0 - contrast * ink.astype(np.float32) / 255.0)
    if random.random() < 0.4:
        image = cv2.GaussianBlur(image, (0, 0), float(random.uniform(0.3, max(0.4, 0.045 * height))))
    noise = float(random.gamma(1.0, 3.0))
    image = image + noise * _noise(image.shape, random)
    pixels = np.asarray(np.clip(image, 0, 255), np.uint8)
    if random.random() < 0.2:
        quality = int(random.integers(25, 90))
        _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        pixels = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)
    return pixels


def rephotographed(image: Pixels, random: Random) -> Pixels:
    """A photo of one digit, (h, w) uint8, as it might have been taken a moment later: (h', w') uint8.

    Turned by ±8°, cropped and scaled by a tenth, with other light, focus and noise. Nothing is cut off that was not
    within a twelfth of the edge.
    """
    height, width = image.shape
    angle, scale = float(random.normal(0, 3.5)), float(np.exp(random.normal(0, 0.12)))
    stretch = float(np.exp(random.normal(0, 0.06)))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    image = np.asarray(cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    left, right = random.integers(0, max(1, width // 12) + 1, 2)
    top, bottom = random.integers(0, max(1, height // 12) + 1, 2)
    image = image[top : height - bottom, left : width - right]
    size = (max(8, round(image.shape[1] * scale * stretch)), max(8, round(image.shape[0] * scale / stretch)))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    values: NDArray[Any] = cv2.resize(image, size, interpolation=interpolation).astype(np.float32)
    gamma, contrast = float(np.exp(random.normal(0, 0.2))), float(random.uniform(0.5, 1.1))
    values = 255.0 * (np.clip(values, 0, 255) / 255.0) ** gamma
    values = 128 + contrast * (values - 128) + random.normal(0, 15)
    if random.random() < 0.35:
        values = cv2.GaussianBlur(values, (0, 0), float(random.uniform(0.3, max(0.4, 0.02 * height))))
    values = values + float(random.gamma(1.0, 1.5)) * _noise(values.shape, random)
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def jittered(glyphs: Pixels, random: Random) -> Pixels:
    """Glyphs, (n, 28, 28) uint8, each turned, sheared, scaled, shifted and restroked a little: the same shape.

    The last and cheapest step, made anew in every epoch.
    """
    count = len(glyphs)
    angle = np.deg2rad(random.normal(0, 5.0, count))
    scale = np.exp(random.normal(0, 0.06, (count, 2)))
    shear = random.normal(0, 0.07, count)
    shift = random.normal(0, 0.7, (count, 2))
    change = random.random(count)
    power = np.exp(random.normal(0, 0.25, count))
    jittered_glyphs = np.empty_like(glyphs)
    levels = np.arange(256, dtype=np.float64) / 255.0
    for i in range(count):
        cos, sin = np.cos(angle[i]), np.sin(angle[i])
        matrix = np.array([[cos, -sin + shear[i]], [sin, cos]]) * scale[i]
        offset = np.array([13.5, 13.5]) + shift[i] - matrix @ np.array([13.5, 13.5])
        glyph = cv2.warpAffine(glyphs[i], np.hstack((matrix, offset[:, None])), (28, 28), flags=cv2.INTER_LINEAR)
        if change[i] < 0.08:
            glyph = cv2.dilate(glyph, _PEN)
        elif change[i] < 0.13:
            glyph = cv2.GaussianBlur(glyph, (3, 3), 0.8)
        jittered_glyphs[i] = cv2.LUT(glyph, (255.0 * levels ** power[i]).astype(np.uint8))
    return jittered_glyphs


def texture(random: Random) -> Pixels:
    """An image without any writing: paper grain, blobs, stripes or gradients, (h, w) uint8."""
    side = int(random.integers(20, 96))
    grain: NDArray[Any] = _noise((side, side), random)
    kind = random.integers(3)
    if kind == 0:
        grain = cv2.GaussianBlur(grain, (0, 0), float(random.uniform(0.5, side / 6)))
    elif kind == 1:
        grain = cv2.GaussianBlur(grain, (0, 0), sigmaX=float(random.uniform(0.5, side / 3)), sigmaY=0.5)
    else:
        phase = np.arange(side, dtype=np.float32) * np.float32(random.uniform(0.2, 2.0))
        grain = 0.2 * grain + np.sin(phase)[None, :] + np.sin(phase * random.uniform(0.3, 2.0))[:, None]
    if random.random() < 0.5:
        grain = np.ascontiguousarray(grain.T)
    spread = float(np.std(grain)) or 1.0
    return np.asarray(np.clip(128 + grain / spread * random.uniform(10, 60), 0, 255), np.uint8)


def beside(left: Pixels, right: Pixels, random: Random) -> Pixels:
    """Two pieces of ink in one crop, side by side, touching or apart."""
    height = max(left.shape[0], right.shape[0])
    gap = int(random.integers(-height // 10, height // 4 + 1))
    width = max(left.shape[1] + gap + right.shape[1], left.shape[1], right.shape[1])
    canvas = np.zeros((height, width), np.uint8)
    canvas[height - left.shape[0] :, : left.shape[1]] = left
    start = max(0, left.shape[1] + gap)
    room = canvas[height - right.shape[0] :, start : start + right.shape[1]]
    np.maximum(room, right[:, : room.shape[1]], out=room)
    return canvas


def fragment(ink: Pixels, random: Random) -> Pixels:
    """A part of a digit: a third to a half of it, cut straight across or down."""
    share = random.uniform(0.3, 0.5)
    if random.random() < 0.5:
        rows = max(2, int(share * ink.shape[0]))
        return ink[:rows] if random.random() < 0.5 else ink[-rows:]
    columns = max(2, int(share * ink.shape[1]))
    return ink[:, :columns] if random.random() < 0.5 else ink[:, -columns:]


def _warped(ink: Pixels, random: Random, strength: float) -> Pixels:
    """Rotation within ±15°, shear ±0.25, aspect ×0.75–1.3, drawn at a height of 14 to 72 pixels with room around."""
    target = float(np.exp(random.uniform(np.log(14), np.log(72))))
    scale = target / max(ink.shape)
    angle = np.deg2rad(random.normal(0.0, 6.0) * strength)
    shear = random.normal(0.0, 0.12) * strength
    aspect = float(np.exp(random.normal(0.0, 0.12) * strength))
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.array([[cos, -sin], [sin, cos]]) @ np.array([[1.0, shear], [0.0, 1.0]])
    matrix = matrix @ np.diag([scale * np.sqrt(aspect), scale / np.sqrt(aspect)])
    height, width = ink.shape
    corners = matrix @ np.array([[0, width, 0, width], [0, 0, height, height]], np.float64)
    low, high = corners.min(axis=1), corners.max(axis=1)
    before, after = random.uniform(0.05, 0.5, (2, 2)) * target
    size = np.ceil(high - low + before + after).astype(int)
    offset = before - low
    if scale < 0.6:  # warping samples single pixels: what shrinks is smoothed first
        ink = cv2.GaussianBlur(ink, (0, 0), 0.35 / scale).astype(np.uint8, copy=False)
    full = np.hstack((matrix, offset[:, None]))
    return cv2.warpAffine(ink, full, (int(size[0]), int(size[1])), flags=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def _distorted(ink: Pixels, random: Random, strength: float) -> Pixels:
    """Elastic distortion (Simard, Steinkraus, Platt, ICDAR 2003), in half of the cases."""
    if random.random() < 0.5:
        return ink
    height, width = ink.shape
    coarse = _noise((2, 4, 4), random) * np.float32(0.03 * height * strength)
    shift_x, shift_y = (cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC) for field in coarse)
    grid_x, grid_y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(ink, grid_x + shift_x, grid_y + shift_y, cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def _restroked(ink: Pixels, random: Random) -> Pixels:
    """A thicker or thinner stroke, in a third of the cases, where the image is large enough to bear it."""
    choice = random.random()
    side = max(2, round(0.05 * ink.shape[0]))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    if choice < 0.2:
        return cv2.dilate(ink, kernel).astype(np.uint8, copy=False)
    if choice < 0.33 and ink.shape[0] > 40:
        thinner = cv2.erode(ink, kernel).astype(np.uint8, copy=False)
        return thinner if thinner.sum(dtype=np.int64) > 0.4 * ink.sum(dtype=np.int64) else ink
    return ink


def _noise(shape: tuple[int, ...], random: Random) -> NDArray[np.float32]:
    return random.standard_normal(shape, np.float32)


def _paper(height: int, width: int, random: Random) -> NDArray[np.float32]:
    level = random.uniform(90, 255)
    slope = random.normal(0.0, 0.08 * level, 2)
    y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None, :]
    paper = np.asarray(level + slope[0] * y + slope[1] * x, np.float32)
    if random.random() < 0.3:
        grain = cv2.GaussianBlur(_noise((height, width), random), (0, 0), float(random.uniform(0.8, 3.0)))
        paper += np.asarray(grain, np.float32) * np.float32(random.uniform(2, 14))
    return paper
