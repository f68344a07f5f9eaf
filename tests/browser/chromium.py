"""How the browser is started, and what its pointer does."""

from __future__ import annotations

import shutil
from itertools import pairwise

from playwright.sync_api import CDPSession, Page

_EXECUTABLES = ("chromium", "chromium-browser", "google-chrome")
MISSING = f"none of {', '.join(_EXECUTABLES)} is on the PATH; on Debian: apt-get install chromium"
# As root, without a screen, without a call to anybody, and with a camera that shows a test picture. digits.test is
# this machine by a name that no browser takes for a secure one.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--host-resolver-rules=MAP digits.test 127.0.0.1",
)

Point = tuple[float, float]
SEVEN: list[Point] = [(0.30, 0.20), (0.48, 0.20), (0.40, 0.50), (0.35, 0.85)]
ONE: list[Point] = [(0.68, 0.18), (0.67, 0.50), (0.66, 0.85)]


def executable() -> str | None:
    """The path of the browser; None where there is none, which MISSING tells."""
    return next(filter(None, map(shutil.which, _EXECUTABLES)), None)


def draw(page: Page, stroke: list[Point], pointer: str = "mouse") -> None:
    """Draws a stroke on the page's canvas, whose corners are (0, 0) and (1, 1), with a mouse, a pen or a finger."""
    box = page.locator("#canvas").bounding_box()
    assert box
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in _dense(stroke)]
    session = page.context.new_cdp_session(page)
    if pointer == "finger":
        _touch(session, points)
    else:
        _move(session, points, pointer)
    session.detach()


def _dense(stroke: list[Point], steps: int = 4) -> list[Point]:
    return [
        (x + (to_x - x) * step / steps, y + (to_y - y) * step / steps)
        for (x, y), (to_x, to_y) in pairwise(stroke)
        for step in range(steps + 1)
    ]


def _move(session: CDPSession, points: list[Point], pointer: str) -> None:
    kinds = ["mousePressed", *["mouseMoved"] * (len(points) - 2), "mouseReleased"]
    for kind, (x, y) in zip(kinds, points, strict=True):
        event = {"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1, "pointerType": pointer}
        session.send("Input.dispatchMouseEvent", event)


def _touch(session: CDPSession, points: list[Point]) -> None:
    for index, (x, y) in enumerate(points):
        kind = "touchMove" if index else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
