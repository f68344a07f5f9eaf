"""A digit of a line, by itself and where it stands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.imaging.digit_spans import Span, digit_spans
from app.imaging.glyph import GLYPH_SIDE, normalise_glyph
from app.imaging.line import LINE_HEIGHT
from app.imaging.places import place_views


def line_with(*columns: int, width: int = 96) -> NDArray[np.uint8]:
    """A line with a mark of 8 columns and 20 rows about each of the columns."""
    pixels = np.zeros((LINE_HEIGHT, width), np.uint8)
    for column in columns:
        pixels[6:26, column - 4 : column + 4] = 255
    return pixels


def test_the_first_view_is_the_digits_glyph() -> None:
    pixels = line_with(20, 60)
    spans = digit_spans(pixels, [20, 60])
    views = place_views(pixels, spans)
    assert views.shape == (2, GLYPH_SIDE, GLYPH_SIDE, 2)
    assert views.dtype == np.uint8
    for view, span in zip(views, spans, strict=True):
        own = pixels[span.top : span.bottom, span.left : span.right]
        assert np.array_equal(view[:, :, 0], normalise_glyph(own))


def test_the_second_view_has_the_digit_in_its_middle_and_what_is_beside_it() -> None:
    pixels = line_with(48, 62)
    alone, beside = place_views(line_with(48), [Span(44, 52, 6, 26)])[0], place_views(pixels, [Span(44, 52, 6, 26)])[0]
    columns = np.flatnonzero(alone[:, :, 1].any(axis=0))
    assert columns[0] + columns[-1] == GLYPH_SIDE - 1
    assert np.array_equal(alone[:, :, 0], beside[:, :, 0])
    assert beside[:, -4:, 1].any()
    assert not alone[:, -4:, 1].any()


def test_small_digits_are_small_in_the_second_view_alone() -> None:
    small = np.zeros((LINE_HEIGHT, 96), np.uint8)
    small[16:26, 46:50] = 255
    (view,) = place_views(small, [Span(46, 50, 16, 26)])
    heights = [int(np.count_nonzero(view[:, :, channel].any(axis=1))) for channel in (0, 1)]
    assert heights[0] == 20
    assert heights[1] < 12


def test_beyond_the_ends_of_a_line_is_paper() -> None:
    pixels = line_with(4, 92)
    first, last = place_views(pixels, [Span(0, 8, 6, 26), Span(88, 96, 6, 26)])
    assert not first[:, : GLYPH_SIDE // 3, 1].any()
    assert not last[:, -GLYPH_SIDE // 3 :, 1].any()
    assert first[:, :, 1].any()
    assert last[:, :, 1].any()


def test_a_span_without_ink_is_an_empty_glyph() -> None:
    views = place_views(np.zeros((LINE_HEIGHT, 40), np.uint8), [Span(4, 20, 0, 32)])
    assert not views.any()
