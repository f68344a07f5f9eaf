"""Pages that lie partly in the shadow."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from app.domain import Polarity
from app.imaging.binarise import find_ink, likely_polarities, unlikely_polarity
from app.imaging.relit import relit_digits, relit_ink
from app.recogniser import Recogniser
from tests.images import blank_page, draw_digit, draw_number, encode

Grey = NDArray[np.uint8]
# On paper of 240.
PENCIL = 174


def in_shadow(page: Grey, *, shade: float = 0.5, begins: float = 0.5, falls: float = 0.6, lit: bool = False) -> Grey:
    """A page with a shadow on the part beyond a slanting edge, or, where that is `lit`, on all but that part."""
    height, width = page.shape
    down, across = np.mgrid[0:height, 0:width]
    beyond = across + falls * (down - height / 2) > begins * width
    return np.asarray(page * np.where(beyond != lit, shade, 1.0), np.uint8)


@pytest.mark.parametrize("lit", [False, True])
def test_ink_is_as_strong_in_the_shadow_as_beside_it(lit: bool) -> None:
    page = draw_number("4071826", ink=PENCIL)
    ink = relit_ink(in_shadow(page, lit=lit))
    assert ink is not None
    drawn, found = find_ink(page).mask > 0, ink.mask > 0
    assert np.count_nonzero(drawn & found) > 0.9 * np.count_nonzero(drawn)
    assert np.count_nonzero(found & ~drawn) < 0.1 * np.count_nonzero(drawn)


def test_light_without_steps_is_left_as_it_is() -> None:
    page = draw_number("4071826")
    slope = np.linspace(1.0, 0.6, page.shape[1])
    assert relit_ink(page) is None
    assert relit_ink(np.asarray(page * slope, np.uint8)) is None
    assert relit_ink(blank_page()) is None


def test_a_shadow_on_a_blank_page_is_no_ink() -> None:
    ink = relit_ink(in_shadow(blank_page(200, 120)))
    assert ink is not None
    assert np.count_nonzero(ink.mask) < 1e-3 * ink.mask.size


def test_noise_in_the_black_around_a_sheet_is_no_ink() -> None:
    sheet = np.pad(draw_number("4071826"), 150, constant_values=2)
    noisy = np.clip(sheet + np.random.default_rng(1).normal(0, 2, sheet.shape), 0, 255).astype(np.uint8)
    ink = relit_ink(noisy)
    assert ink is not None
    around = ink.mask.copy()
    around[145:-145, 145:-145] = 0
    assert not around.any()


def test_a_digit_in_one_light_stands_free_in_an_image_that_has_room_for_a_shadow() -> None:
    shaded = in_shadow(draw_digit(5, ink=PENCIL))
    (candidate,) = relit_digits(shaded, Polarity.AUTO)
    assert candidate.box.height < shaded.shape[0]
    assert relit_digits(shaded, Polarity.LIGHT_ON_DARK) == []
    assert relit_digits(in_shadow(draw_digit(5, 40, ink=PENCIL)), Polarity.AUTO) == []
    rows = slice(candidate.box.top, candidate.box.bottom)
    assert relit_digits(shaded[rows], Polarity.AUTO) == []  # cropped tight
    assert relit_digits(draw_digit(5, ink=PENCIL), Polarity.AUTO) == []


@pytest.mark.parametrize("lit", [False, True])
@pytest.mark.parametrize("begins", [0.3, 0.7])
def test_a_faint_number_that_the_edge_of_a_shadow_crosses_is_read(
    released: Recogniser, lit: bool, begins: float
) -> None:
    """Beside the edge, dark paper was as strong as the ink: nothing was read, or but for the part in the light."""
    page = in_shadow(draw_number("4071826", ink=PENCIL), lit=lit, begins=begins)
    assert released.read(encode(page)).text == "4071826"


@pytest.mark.parametrize("lit", [False, True])
@pytest.mark.parametrize("digit", [2, 5])
def test_a_faint_digit_that_the_edge_of_a_shadow_crosses_is_told(released: Recogniser, lit: bool, digit: int) -> None:
    """The lit part, or the dark one, was taken for a 1."""
    page = in_shadow(draw_digit(digit, 120, ink=PENCIL), lit=lit, falls=0.2)
    assert released.predict(encode(page)).digit == digit


@pytest.mark.parametrize("shade", [0.4, 0.5, 0.7])
@pytest.mark.parametrize("falls", [0.2, 0.6])
def test_nothing_is_read_of_a_shadow_on_a_blank_page(released: Recogniser, falls: float, shade: float) -> None:
    """Its edge was a 1."""
    assert released.read(encode(in_shadow(blank_page(300, 160), falls=falls, shade=shade))).text == ""


def test_a_wedge_of_light_leaves_a_doubt_about_the_polarity() -> None:
    page = draw_number("68614", ink=196)
    wedged = in_shadow(page, lit=True, begins=0.85, falls=1.5)
    assert likely_polarities(wedged) == (Polarity.LIGHT_ON_DARK,)
    assert unlikely_polarity(wedged) is Polarity.DARK_ON_LIGHT
    assert unlikely_polarity(page) is None  # there is paper all along the border
