"""Signs as a pen draws them."""

from __future__ import annotations

import numpy as np

from training.augment import Random
from training.lines.shapes import Shape, line
from training.lines.signs import CENTS, HOOK, LONG, RAISED, WAVE
from training.strokes import Points, spline


def sign(character: str, random: Random) -> Shape | None:
    """The sign as a pen draws it, its baseline at 0; None for a space and what is unknown."""
    draw = _DRAWN.get(character)
    if draw is None:
        return None
    slant = float(random.normal(0, 0.08))
    size = float(np.exp(random.normal(0, 0.12)))
    turn = np.array([[size, 0], [-slant * size, size]])
    return Shape(tuple((stroke @ turn).astype(np.float32) for stroke in draw(random)))


def _dot(x: float, y: float, random: Random) -> Points:
    offsets = random.normal(0, 0.018, (int(random.integers(1, 4)), 2)).cumsum(axis=0)
    return np.asarray(np.array([x, y]) + offsets, np.float32)


def _stop(random: Random) -> tuple[Points, ...]:
    return (_dot(0, float(random.uniform(-0.08, 0.06)), random),)


def _comma(random: Random) -> tuple[Points, ...]:
    length, bend = random.uniform(0.12, 0.36), random.uniform(-0.03, 0.08)
    start = float(random.uniform(-0.12, 0.02))
    way = [[0, start], [bend - 0.2 * length, start + 0.5 * length], [-0.5 * length, start + length]]
    return (spline(np.array(way)),)


def _quote(random: Random) -> tuple[Points, ...]:
    return (line((0.05, float(random.uniform(-1.1, -0.95))), (0, float(random.uniform(-0.85, -0.7)))),)


def _raised(random: Random) -> tuple[Points, ...]:
    return (_dot(0, float(random.uniform(-0.62, -0.3)), random),)


def _dash(random: Random, low: float = 0.18, high: float = 0.55) -> tuple[Points, ...]:
    length, y = random.uniform(low, high), random.uniform(-0.65, -0.15)
    bends = random.normal(0, 0.02 + 0.02 * length, 4)
    way = np.stack([np.linspace(0, length, 4), y + bends + random.normal(0, 0.06) * np.linspace(0, length, 4)], axis=1)
    return (_dense(spline(way)),)


def _long(random: Random) -> tuple[Points, ...]:
    return _dash(random, 0.7, float(random.choice([1.2, 2.2, 3.5])))


def _low(random: Random) -> tuple[Points, ...]:
    return tuple((stroke + np.array([0, 0.38])).astype(np.float32) for stroke in _dash(random))


def _equals(random: Random) -> tuple[Points, ...]:
    length, y, space = random.uniform(0.15, 0.6), random.uniform(-0.6, -0.35), random.uniform(0.14, 0.3)
    tilt, shift = random.normal(0, 0.06, 2), random.normal(0, 0.04, 2)
    return tuple(
        line((float(shift[i]), y + i * space), (float(shift[i] + length), y + i * space + float(tilt[i])))
        for i in (0, 1)
    )


def _slash(random: Random) -> tuple[Points, ...]:
    """Longer than digits are high, or no longer, but then it leans, most often more than any 1."""
    kind = random.random()
    longer, steep = kind < 0.55, kind > 0.9
    reach = random.uniform(0.35, 0.75) if longer else random.uniform(0.28, 0.5) if steep else random.uniform(0.5, 0.95)
    below = random.uniform(0.05, 0.35) if longer else random.uniform(-0.1, 0.08)
    top, bend = random.uniform(-1.4, -1.05) if longer else random.uniform(-1.08, -0.85), random.normal(0, 0.02)
    return (spline(np.array([[0, below], [reach / 2 + bend, (below + top) / 2], [reach, top]]), 12),)


def _plus(random: Random) -> tuple[Points, ...]:
    """Two strokes that cross near their middles, lower than a digit as a rule."""
    size, y = random.uniform(0.35, 0.85), random.uniform(-0.62, -0.38)
    wide, across = size * np.exp(random.normal(0, 0.12)), random.normal(0, 0.06, 2)
    lean = random.normal(0.03, 0.06)
    upright = line((wide / 2 + lean + across[0] * size, y - size / 2), (wide / 2 - lean, y + size / 2))
    tilt = random.normal(0, 0.04)
    level = line((0.0, y + across[1] * size + tilt), (float(wide), y + across[1] * size - tilt))
    return (upright, level) if random.random() < 0.5 else (level, upright)


def _plus_minus(random: Random) -> tuple[Points, ...]:
    plus = _plus(random)
    low = max(float(stroke[:, 1].max()) for stroke in plus) + random.uniform(0.03, 0.12)
    right = max(float(stroke[:, 0].max()) for stroke in plus)
    return (*plus, line((0.0, low), (right, low)))


def _degree(random: Random) -> tuple[Points, ...]:
    """A ring as high as the top of a digit."""
    return (_ring(0.0, float(random.uniform(-1.1, -0.85)), float(random.uniform(0.14, 0.28)), random),)


def _percent(random: Random) -> tuple[Points, ...]:
    size, reach = random.uniform(0.22, 0.36), random.uniform(0.5, 0.8)
    slash = line((0.1 * reach, float(random.uniform(-0.05, 0.1))), (0.9 * reach, float(random.uniform(-1.1, -0.95))))
    return _ring(0.0, -1.0, size, random), slash, _ring(0.6 * reach, -size, size, random)


def _ring(left: float, top: float, size: float, random: Random) -> Points:
    angle = np.linspace(0, 2 * np.pi * random.uniform(1, 1.15), 18) + random.uniform(0, 6)
    sizes = size / 2 * np.exp(random.normal(0, 0.12, 2))
    ring = np.stack([np.cos(angle) * sizes[0], np.sin(angle) * sizes[1]], axis=1)
    return np.asarray(ring + np.array([left + size / 2, top + size / 2]), np.float32)


def _hash(random: Random) -> tuple[Points, ...]:
    size, x, y = random.uniform(0.5, 0.9), random.uniform(0.1, 0.2), random.uniform(-0.75, -0.4)
    lines = [
        (x + 0.1, -size, x, 0.0),
        (x + 0.32, -size, x + 0.2, 0.0),
        (0.0, y, 0.5, y - 0.04),
        (0.0, y + 0.26, 0.5, y + 0.22),
    ]
    shake = random.normal(0, 0.03, (4, 4))
    return tuple(line((a[0], a[1]), (a[2], a[3])) for a in (np.array(lines) + shake).tolist())


def _star(random: Random) -> tuple[Points, ...]:
    radius, count, turn = random.uniform(0.15, 0.3), int(random.integers(2, 4)), random.uniform(0, 3)
    middle = np.array([radius, -random.uniform(0.4, 0.7)])
    ways = []
    for index in range(count):
        angle = turn + np.pi * index / count + random.normal(0, 0.1)
        reach = radius * np.array([np.cos(angle), np.sin(angle)])
        (ax, ay), (bx, by) = (middle - reach).tolist(), (middle + reach).tolist()
        ways.append(line((ax, ay), (bx, by)))
    return tuple(ways)


def _colon(random: Random) -> tuple[Points, ...]:
    return _dot(0, float(random.uniform(-0.1, 0)), random), _dot(0, float(random.uniform(-0.6, -0.35)), random)


def _dollar(random: Random) -> tuple[Points, ...]:
    way = np.array([[46, 14], [28, 2], [8, 16], [18, 42], [40, 56], [44, 86], [20, 98], [0, 84]]) / 100 - [0, 1]
    strokes = [spline(way + random.normal(0, 0.02, way.shape))]
    bars = ((0.24,), (0.18, 0.3))[int(random.integers(2))]
    return (*strokes, *(line((x + 0.04, -1.14), (x - 0.02, 0.12)) for x in bars))


def _letter_r(random: Random) -> tuple[Points, ...]:
    bowl = np.array([[2, 4], [36, 2], [46, 24], [30, 46], [8, 50], [28, 66], [54, 100]]) / 100 - [0, 1]
    return line((0.06, -0.98), (0.04, 0.0)), spline(bowl + random.normal(0, 0.02, bowl.shape))


def _bracket(random: Random, side: float) -> tuple[Points, ...]:
    depth = side * random.uniform(0.12, 0.25)
    return (spline(np.array([[0, -1.15], [depth, -0.5], [0, 0.2]]), 10),)


def _wave(random: Random) -> tuple[Points, ...]:
    length, waves = random.uniform(0.5, 2.2), random.uniform(0.8, 3.5)
    t = np.linspace(0, 1, 40)
    size = random.uniform(0.05, 0.3) * (1 - random.uniform(0, 1) * t)
    y = random.uniform(-0.55, -0.1) + size * np.sin(2 * np.pi * waves * t + random.uniform(0, 6))
    return (np.stack([length * t, y], axis=1).astype(np.float32),)


def _hook(random: Random) -> tuple[Points, ...]:
    """A line that runs back under or over itself, as ends an amount."""
    length, y, drop = random.uniform(0.4, 1.6), random.uniform(-0.7, -0.2), random.uniform(0.08, 0.4)
    way = [[0, y], [length, y - 0.05], [length + 0.08, y + drop / 2], [length / 2, y + drop], [0.1, y + drop + 0.05]]
    return (_dense(spline(np.array(way))),)


def _cents(random: Random) -> tuple[Points, ...]:
    size, step = random.uniform(0.24, 0.4), random.uniform(0.7, 1.0)
    angle = np.linspace(0, 2 * np.pi, 16)
    strokes = []
    for index in range(2):
        ring = np.stack([np.cos(angle) * 0.35 + 0.4 + index * step, np.sin(angle) * 0.5 - 0.5], axis=1)
        strokes.append((ring * size + [0.05, -0.75 + size / 2]).astype(np.float32))
    y, lines = -0.7 + size / 2, int(random.integers(0, 3))
    strokes += [line((0, y + 0.1 * i), (float(2.2 * size * step), y + 0.1 * i)) for i in range(lines)]
    return tuple(strokes)


def _dense(way: Points) -> Points:
    """With points near enough to each other for a profile."""
    steps = np.linspace(0, len(way) - 1, 2 * len(way))
    index = np.arange(len(way))
    return np.stack([np.interp(steps, index, way[:, i]) for i in (0, 1)], axis=1).astype(np.float32)


_DRAWN = {
    ".": _stop,
    ",": _comma,
    "'": _quote,
    RAISED: _raised,
    "-": _dash,
    LONG: _long,
    "_": _low,
    "=": _equals,
    "/": _slash,
    "+": _plus,
    "±": _plus_minus,
    "°": _degree,
    "%": _percent,
    "#": _hash,
    "*": _star,
    ":": _colon,
    "$": _dollar,
    "R": _letter_r,
    "(": lambda random: _bracket(random, -1),
    ")": lambda random: _bracket(random, 1),
    WAVE: _wave,
    HOOK: _hook,
    CENTS: _cents,
}
