"""Clean ink → an image of it as a camera or scanner might show it. Every random draw is from the generator given."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Random = np.random.Generator
_PEN = np.ones((2, 2), np.uint8)
# x and y of a glyph's pixels, (2, 784); and the 16 smooth fields, (16, 784), that its elastic distortion is a sum of.
_GRID = np.stack(np.meshgrid(np.arange(28.0), np.arange(28.0))).reshape(2, -1)
_BENDS = np.stack([cv2.resize(one, (28, 28), interpolation=cv2.INTER_CUBIC) for one in np.eye(16).reshape(16, 4, 4)])
_BENDS = _BENDS.reshape(16, -1)


def photographed(ink: Pixels, random: Random, strength: float = 1.0) -> Pixels:
    """Lays ink, (h, w) uint8, 255 on 0, on paper: (h', w') uint8, dark ink on lighter paper.

    The ink is turned, sheared, stretched, distorted, thickened or thinned; now and then a frame's line, a neighbour's
    stroke or the edge of the crop is near; the paper has its own level, slope and grain; the whole is blurred, noised
    and perhaps compressed. `strength` scales the geometric changes.
    """
    ink = _distorted(_warped(ink, random, strength), random, strength)
    ink = _restroked(ink, random)
    if random.random() < 0.2:
        ink = _surrounded(ink, random)
    height, width = ink.shape
    paper = _paper(height, width, random)
    contrast = random.uniform(0.25, 1.0) if random.random() < 0.5 else random.uniform(0.6, 1.0)
    image: NDArray[Any] = paper * (1.0 - contrast * ink.astype(np.float32) / 255.0)
    if random.random() < 0.4:
        image = cv2.GaussianBlur(image, (0, 0), float(random.uniform(0.3, max(0.4, 0.035 * height))))
    noise = float(random.gamma(1.0, 3.0))
    image = image + noise * _noise(image.shape, random)
    pixels = np.asarray(np.clip(image, 0, 255), np.uint8)
    if random.random() < 0.2:
        quality = int(random.integers(25, 90))
        _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        pixels = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)
    return pixels


def printed(ink: Pixels, random: Random) -> Pixels:
    """Lays ink, (h, w) uint8, 255 on 0, on plain paper, as a screen or a scan of print shows it: (h', w') uint8.

    12 to 96 pixels high, with room around, straight, dark ink on lighter paper, a little soft, almost without noise.
    """
    target = float(np.exp(random.uniform(np.log(12), np.log(96))))
    scale = target / max(ink.shape)
    size = (max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale)))
    ink = np.asarray(cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC), np.uint8)
    above, below, before, after = (int(v) for v in random.uniform(0.1, 0.6, 4) * target)
    canvas = np.pad(ink, ((above, below), (before, after))).astype(np.float32) / 255.0
    if random.random() < 0.3:
        canvas = np.asarray(cv2.GaussianBlur(canvas, (0, 0), float(random.uniform(0.3, 0.6))), np.float32)
    level = random.uniform(200, 255)
    image = level * (1.0 - random.uniform(0.6, 1.0) * canvas) + random.uniform(0, 1.5) * _noise(canvas.shape, random)
    return np.asarray(np.clip(image, 0, 255), np.uint8)


def outlined(ink: Pixels, random: Random) -> Pixels:
    """The outlines of ink, (h, w) uint8, 255 on 0, some twentieth of its height wide; thin strokes stay whole."""
    side = max(3, round(random.uniform(0.03, 0.08) * ink.shape[0]))
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    inner = cv2.erode(ink, ellipse, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return cv2.subtract(ink, inner).astype(np.uint8, copy=False)


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
        values = cv2.GaussianBlur(values, (0, 0), float(random.uniform(0.3, max(0.4, 0.014 * height))))
    values = values + float(random.gamma(1.0, 1.5)) * _noise(values.shape, random)
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def jittered(glyphs: Pixels, random: Random, strength: float = 1.0) -> Pixels:
    """Glyphs, (n, 28, 28) uint8, each turned, sheared, scaled, shifted, bent and restroked a little: the same shape.

    The last and cheapest step, made anew in every epoch: a pool of drawn glyphs alone is soon known by heart. The
    elastic distortion is that of Simard, Steinkraus and Platt (ICDAR 2003), from a coarse field. `strength` scales all
    changes.
    """
    count = len(glyphs)
    angle = np.deg2rad(random.normal(0, 6.5 * strength, count))
    scale = np.exp(random.normal(0, 0.07 * strength, (count, 2)))
    shear = random.normal(0, 0.1 * strength, count)
    shift = random.normal(0, 0.8 * strength, (count, 2))
    change = random.random(count) / max(strength, 1e-6)
    power = np.exp(random.normal(0, 0.25 * strength, count))
    cos, sin = np.cos(angle), np.sin(angle)
    matrices = np.stack([cos, -sin + shear, sin, cos], axis=1).reshape(count, 2, 2) * scale[:, None]
    bend = random.uniform(0, 1.3 * strength, (count, 1, 1)) * random.standard_normal((count, 2, len(_BENDS)))
    centre = np.array([13.5, 13.5])
    sources = matrices @ (_GRID - centre[:, None]) + (centre + shift)[:, :, None]  # where each pixel is taken from
    maps = (sources + bend @ _BENDS).astype(np.float32).reshape(count, 2, 28, 28)
    levels = np.arange(256, dtype=np.float64) / 255.0
    jittered_glyphs = np.empty_like(glyphs)
    for i in range(count):
        glyph = cv2.remap(glyphs[i], maps[i, 0], maps[i, 1], cv2.INTER_LINEAR)
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


def _surrounded(ink: Pixels, random: Random) -> Pixels:
    """What is found around a digit that was cut out of a form: lines of its frame, a neighbour, or the crop's edge."""
    kind = random.random()
    if kind < 0.35:
        return _clipped(ink, random)
    height, width = ink.shape
    ink = ink.copy()
    thickness = max(1, round(random.uniform(0.01, 0.05) * height))
    if kind < 0.75:  # lines along some sides, a little askew
        for side in np.flatnonzero(random.random(4) < 0.45):
            across = side < 2
            length, far = (width, height) if across else (height, width)
            start, end = (int(v) for v in random.uniform(0, 0.05, 2) * far)
            if side % 2:
                start, end = far - 1 - start, far - 1 - end
            one, other = (0, start), (length - 1, end)
            cv2.line(ink, one if across else one[::-1], other if across else other[::-1], 255, thickness, cv2.LINE_AA)
        return ink
    # a stroke of the neighbour's, coming in from a side and going out again
    y, x = random.uniform(0, height, 3), random.uniform(0, 0.12, 3) * width
    x[0] = x[2] = 0
    x = x if random.random() < 0.5 else width - 1 - x
    way = np.stack([x, y], axis=1).round().astype(np.int32)
    cv2.polylines(ink, [way[:, None]], False, 255, max(2, 2 * thickness), cv2.LINE_AA)
    return ink


def _clipped(ink: Pixels, random: Random) -> Pixels:
    """A crop through the digit itself, of up to a fourteenth of it, on one side."""
    rows, columns = np.flatnonzero((ink > 64).any(axis=1)), np.flatnonzero((ink > 64).any(axis=0))
    if not rows.size:
        return ink
    cut_y, cut_x = (int(v) for v in random.uniform(0, 0.07, 2) * (rows.size, columns.size))
    side = random.integers(4)
    clips = (
        ink[rows[0] + cut_y :],
        ink[: rows[-1] + 1 - cut_y],
        ink[:, columns[0] + cut_x :],
        ink[:, : columns[-1] + 1 - cut_x],
    )
    clip = clips[side]
    return np.ascontiguousarray(clip) if min(clip.shape) >= 4 else ink


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
