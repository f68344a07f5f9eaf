"""An ink mask's connected components."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app.imaging.components import AREA, chosen, components_of

MASKS = arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.sampled_from([0, 255]))


@given(MASKS, st.integers(0, 3), st.integers(0, 3))
def test_they_are_opencvs(mask: np.ndarray, above: int, beside: int) -> None:
    mask = np.pad(mask, ((above, above), (beside, beside)))
    components = components_of(mask)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    np.testing.assert_array_equal(components.labels, labels)
    np.testing.assert_array_equal(components.stats, stats)


@given(MASKS)
def test_a_box_holds_its_component_alone_and_whole(mask: np.ndarray) -> None:
    components = components_of(mask)
    edges = components.touching_edge()
    for label in range(1, len(components.stats)):
        box, own = components.box(label), components.labels == label
        inside = own[box.top : box.bottom, box.left : box.right]
        assert np.count_nonzero(inside) == np.count_nonzero(own) == components.stats[label, AREA]
        assert (components.rights[label], components.bottoms[label]) == (box.right, box.bottom)
        rim = np.concatenate((own[0], own[-1], own[:, 0], own[:, -1]))
        assert edges[label] == rim.any()


def test_some_are_chosen_by_their_labels() -> None:
    assert chosen(4, [1, 3]).tolist() == [False, True, False, True]
    assert not chosen(3, []).any()
