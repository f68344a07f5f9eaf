"""Sets to measure on hold what the service sees, and a network answers them as the service would."""

from __future__ import annotations

import numpy as np
import pytest

from app.calibration import NON_DIGIT
from tests.images import draw_digit
from training.pool import GlyphMaker
from training.sets import NO_VIEWS, GlyphSet, ImageSet, Views, all_images
from training.sources import Item
from training.train import image_logits

_UNSURE_3, _SURE_7, _UNSURE_7, _SURE_5 = range(4)


class Table:
    """A network whose answer is written in the glyph's pixels."""

    def predict(self, inputs: np.ndarray, **_: object) -> np.ndarray:
        logits = np.zeros((len(inputs), 11), np.float32)
        kinds = np.rint(255 * inputs[:, 0, 0, 0]).astype(int)
        for row, kind in zip(logits, kinds, strict=True):
            digit, surely = ((3, 2.0), (7, 9.0), (7, 1.0), (5, 6.0))[kind]
            row[digit] = surely
        return logits


def views(*kinds: int, owners: tuple[int, ...], reaching: bool = True) -> Views:
    glyphs = np.array(kinds, np.uint8)[:, np.newaxis, np.newaxis] * np.ones((28, 28), np.uint8)
    return Views(glyphs, np.full(len(kinds), reaching), np.array(owners, np.int32))


def answers(images: ImageSet) -> list[int]:
    found: list[int] = image_logits(Table(), images).argmax(axis=1).tolist()
    return found


@pytest.mark.parametrize(
    ("plain", "tight", "answer"),
    [
        (views(_UNSURE_3, owners=(0,)), views(_SURE_7, owners=(0,)), 7),
        (views(_UNSURE_3, owners=(0,), reaching=False), views(_SURE_7, owners=(0,)), 3),
        (views(_UNSURE_3, owners=(0,)), views(_UNSURE_7, owners=(0,)), 3),
        (views(_SURE_7, owners=(0,)), views(_SURE_5, owners=(0,)), 7),
        (NO_VIEWS, views(_SURE_7, owners=(0,)), 7),
        (NO_VIEWS, views(_UNSURE_7, owners=(0,)), NON_DIGIT),
        (NO_VIEWS, NO_VIEWS, NON_DIGIT),
        (views(_UNSURE_3, owners=(0,)), views(_UNSURE_7, _SURE_5, owners=(0, 0)), 5),
    ],
    ids=["tight", "away", "unsure", "surer", "unseen", "unsurely", "blank", "polarity"],
)
def test_the_look_with_paper_around_counts_where_the_service_takes_it(plain: Views, tight: Views, answer: int) -> None:
    assert answers(ImageSet(np.zeros(1, np.uint8), plain, tight)) == [answer]


def test_parts_and_wholes_of_sets_are_answered_alike() -> None:
    first = ImageSet(np.array([3, 7], np.uint8), views(_UNSURE_3, _SURE_7, owners=(0, 1)), views(_SURE_5, owners=(0,)))
    second = ImageSet(np.array([7, 5, 7], np.uint8), views(_SURE_7, owners=(2,)), views(_SURE_5, owners=(1,)))
    whole = all_images([first, second])
    assert answers(whole) == [5, 7, NON_DIGIT, 5, 7] == answers(first) + answers(second)
    chosen = np.array([True, False, False, True, True])
    assert answers(whole.only(chosen)) == [5, 5, 7]
    assert whole.only(chosen).labels.tolist() == [3, 5, 7]
    assert len(whole.likelier()) == 3


def test_glyphs_are_measured_as_they_are() -> None:
    glyphs = GlyphSet(views(_SURE_7, _SURE_5, owners=(0, 1)).glyphs, np.array([7, 5], np.uint8))
    images = ImageSet.of_glyphs(glyphs)
    assert answers(images) == [7, 5]
    np.testing.assert_array_equal(images.likelier().glyphs, glyphs.glyphs)


def test_what_reaches_the_edge_is_seen_with_paper_around() -> None:
    digit = 255 - draw_digit(7)
    rows, columns = (np.flatnonzero((digit > 64).any(axis=axis)) for axis in (1, 0))
    tight = np.ascontiguousarray(digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    with GlyphMaker(1, seed=1) as maker:
        images = maker.images([Item(7, "", ink=ink) for ink in (digit, tight)]).result()
    assert set(images.tight.owners.tolist()) == {1}
    assert 0 in images.plain.owners
    assert not images.plain.reaches_edge[images.plain.owners == 0].any()
