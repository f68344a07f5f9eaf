"""Boxes → lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.domain import BoundingBox
from app.imaging.reading_order import reading_order

BOXES = st.builds(
    BoundingBox, st.integers(0, 500), st.integers(0, 500), width=st.integers(1, 60), height=st.integers(1, 60)
)


def test_one_line_is_read_left_to_right() -> None:
    boxes = [BoundingBox(x, y, 20, 30) for x, y in ((100, 4), (10, 0), (55, 6))]
    assert reading_order(boxes) == [[1, 2, 0]]


def test_lines_are_read_top_to_bottom() -> None:
    boxes = [BoundingBox(x, y, 20, 30) for y in (80, 0, 40) for x in (30, 0)]
    assert reading_order(boxes) == [[3, 2], [5, 4], [1, 0]]


def test_a_line_may_slant() -> None:
    boxes = [BoundingBox(30 * i, 8 * i, 20, 30) for i in range(10)]
    assert reading_order(boxes) == [list(range(10))]


def test_lower_digits_stay_on_their_line() -> None:
    boxes = [BoundingBox(0, 0, 20, 40), BoundingBox(25, 20, 15, 20), BoundingBox(45, 22, 15, 20)]
    assert reading_order(boxes) == [[0, 1, 2]]


def test_nothing_has_no_lines() -> None:
    assert reading_order([]) == []


@given(st.lists(BOXES, max_size=40))
def test_every_box_is_read_once_and_lines_run_to_the_right(boxes: list[BoundingBox]) -> None:
    lines = reading_order(boxes)
    assert sorted(index for line in lines for index in line) == list(range(len(boxes)))
    for line in lines:
        lefts = [boxes[index].left for index in line]
        assert lefts == sorted(lefts)
