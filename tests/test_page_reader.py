"""Which of the ways of seeing a page is believed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from app.calibration import NON_DIGIT
from app.deadline import Deadline
from app.domain import Polarity
from app.imaging.line import LINE_HEIGHT, LineImage
from app.imaging.page import PageView
from app.page_reader import PageReader
from app.reader import Reader
from app.stages import Stages
from tests.readers import InkReader

BLANK_PAGE = np.full((60, 200), 255, np.uint8)


def view(*counts: int, joined: bool = False) -> PageView:
    """A way of seeing a page, with so many marks on each of its lines."""
    lines = []
    for count in counts:
        pixels = np.zeros((LINE_HEIGHT, 24 * (count + 1)), np.uint8)
        for place in range(1, count + 1):
            pixels[6:26, 24 * place - 4 : 24 * place + 4] = 255
        lines.append(LineImage(pixels, np.eye(2, 3), pixels.shape))
    return PageView(lines, joined=joined)


def read(monkeypatch: pytest.MonkeyPatch, digit: int, *views: PageView) -> list[str]:
    """What is read of a page that is seen so, where every mark is surely the same digit to the reader."""
    monkeypatch.setattr("app.page_reader.page_views", lambda *_: iter(views))

    def opinion(glyphs: NDArray[np.uint8], *_: object) -> NDArray[np.float64]:
        return np.tile(np.eye(NON_DIGIT + 1)[digit], (len(glyphs), 1))

    pages = PageReader(Reader(InkReader(lambda _: {digit: 8.0}), 1.0, 0.5, 1.0), None, opinion)
    found, _ = pages.read(BLANK_PAGE, Polarity.AUTO, None, 100, Stages(), Deadline(60))
    return [text.text for text in found.texts]


def test_lines_with_many_more_digits_are_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, 5, view(2, joined=True), view(3, 3)) == ["555", "555"]


def test_bars_that_are_read_as_1s_are_those_of_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, 1, view(2, joined=True), view(3, 3)) == ["11"]


def test_a_few_digits_more_leave_a_display_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, 5, view(2, joined=True), view(3)) == ["55"]


def test_what_is_read_surely_is_not_seen_in_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, 5, view(2), view(3, 3)) == ["55"]
