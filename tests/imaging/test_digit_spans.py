"""Where digits are on a line."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from app.imaging.digit_spans import Span, digit_spans


def line(*strokes: tuple[int, int]) -> NDArray[np.uint8]:
    """Ink 20 high in the columns of each stroke, half-open, on a line of 120."""
    pixels = np.zeros((32, 120), np.uint8)
    for left, right in strokes:
        pixels[6:26, left:right] = 255
    return pixels


def test_the_span_is_that_of_the_ink_about_the_middle() -> None:
    assert digit_spans(line((10, 24), (40, 52)), [18, 44]) == [Span(10, 24, 6, 26), Span(40, 52, 6, 26)]


def test_touching_digits_part_halfway() -> None:
    assert digit_spans(line((10, 40)), [17, 33]) == [Span(10, 25, 6, 26), Span(25, 40, 6, 26)]


def test_a_separator_beside_a_digit_is_not_of_it() -> None:
    pixels = line((10, 24))
    pixels[24:27, 30:33] = 255
    assert digit_spans(pixels, [18]) == [Span(10, 24, 6, 26)]


def test_a_broken_digit_is_whole() -> None:
    assert digit_spans(line((10, 15), (17, 24)), [16]) == [Span(10, 24, 6, 26)]


def test_without_ink_it_is_the_place_of_a_digit() -> None:
    (span,) = digit_spans(line(), [60])
    assert span.left < 60 < span.right
    assert (span.top, span.bottom) == (0, 32)


@given(arrays(np.uint8, st.tuples(st.just(32), st.integers(4, 90))), st.data())
def test_spans_are_within_the_line_and_not_empty(pixels: NDArray[np.uint8], data: st.DataObject) -> None:
    width = pixels.shape[1]
    middles = sorted(data.draw(st.lists(st.floats(0, width), max_size=8)))
    spans = digit_spans(pixels, middles)
    assert len(spans) == len(middles)
    for span in spans:
        assert 0 <= span.left < span.right <= width
        assert 0 <= span.top < span.bottom <= 32
