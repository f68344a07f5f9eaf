"""Composed lines: what is asked for is what is drawn, in every style, the same for the same seed."""

from __future__ import annotations

import gzip
import itertools
import json
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.domain import Polarity
from tests.samples.draw import pen_number
from training.fonts import find_fonts
from training.lines.allographs import DrawnHand
from training.lines.compose import AnyWriter, ComposedLine, composed
from training.lines.furniture import Rule
from training.lines.layout import Layout, Zeros, placed
from training.lines.mixture import any_line, any_setting, any_text, print_layout
from training.lines.numbers import HELD_OUT_CONTRIBUTORS, NUMBERS_FILE, number, read_numbers
from training.lines.paper import Paper, Pen
from training.lines.patterns import Pattern
from training.lines.pools import Writers, pooled, read_writers
from training.lines.shapes import Shape
from training.lines.shapes import line as way
from training.lines.sign_strokes import sign
from training.lines.signs import Signs, with_signs
from training.lines.wheels import Counter, counters, strip
from training.lines.writers import Hand, hands
from training.sources import DataError, Item

PLAIN = Paper(noise=0.0)
KINDS = ("drawn", "MNIST", "fonts", "UNIPEN characters", "meter photos")


@pytest.fixture(scope="module")
def writers(data_dir: Path, fonts_dir: Path) -> Writers:
    """One of every kind: MNIST and fonts of the tests' own, pens and wheels that are drawn here."""
    mnist = read_writers(data_dir, [], accept_changed=True).of("MNIST")
    assert mnist is not None
    hand = mnist.families[0][0]
    assert isinstance(hand, Hand)
    items = {
        "MNIST": [item for own in hand.digits.values() for item in own],
        "UNIPEN characters": _pen_items(),
        "meter photos": _wheel_items(),
    }
    return pooled(items, find_fonts(fonts_dir))


def _pen_items() -> list[Item]:
    """Two writers' strokes; the second writes no 7."""
    random = np.random.default_rng(3)
    drawn = [(d, DrawnHand().shapes(d, random)[0]) for d in "0123456789" * 3]
    strokes = [(d, tuple(stroke * 9 for stroke in shape.strokes)) for d, shape in drawn if shape is not None]
    items = [Item(int(d), "one", strokes=way) for d, way in strokes[:20]]
    return items + [Item(int(d), "two", strokes=way) for d, way in strokes[20:] if d != "7"]


def _wheel_items() -> list[Item]:
    items = []
    for digit in "0123456789":
        photo = cv2.resize(pen_number(digit, 40, 6), (26, 44), interpolation=cv2.INTER_AREA)
        items.append(Item(int(digit), "meter", photo=cv2.imencode(".png", photo)[1].tobytes()))
    return items


def _any_of(writers: Writers, kind: str) -> AnyWriter:
    pool = writers.of(kind)
    assert pool is not None, f"no {kind}"
    return pool.any(np.random.default_rng(0))


def _composed(
    writer: AnyWriter, text: str, layout: Layout | None = None, paper: Paper = PLAIN, seed: int = 1
) -> ComposedLine:
    return composed(writer, text, layout or Layout(), paper, np.random.default_rng(seed))


def _assert_sound(line: ComposedLine) -> None:
    """As many boxes as digits, all within the image, each line's from left to right."""
    height, width = line.image.shape
    assert line.image.dtype == np.uint8
    assert len(line.boxes) == sum(character.isdecimal() for character in line.text)
    boxes = iter(line.boxes)
    for row in line.text.split("\n"):
        middles = [box.left + box.right for box in itertools.islice(boxes, len(row))]
        assert middles == sorted(middles), line.text
    assert all(box.right <= width and box.bottom <= height for box in line.boxes)


@pytest.mark.parametrize("kind", KINDS)
def test_every_writer_writes_what_is_asked(writers: Writers, kind: str) -> None:
    for seed, text in enumerate(("0123456789", "7", "111111", "100000", "4096")):
        line = _composed(_any_of(writers, kind), text, seed=seed)
        assert line.text == text
        _assert_sound(line)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_image(writers: Writers, kind: str) -> None:
    writer = _any_of(writers, kind)
    random = np.random.default_rng(5)
    layout, paper = any_setting(writer, "30417", random)
    one, same, other = (_composed(writer, "30417", layout, paper, seed) for seed in (9, 9, 10))
    assert (one.image == same.image).all()
    assert one.boxes == same.boxes
    assert one.image.shape != other.image.shape or (one.image != other.image).any()


def test_any_line_is_sound_and_repeatable(writers: Writers) -> None:
    lines = [any_line(writers, np.random.default_rng(seed)) for seed in range(150)]
    for line in lines:
        _assert_sound(line)
        assert 1 <= len(line.text) <= 12
    again = any_line(writers, np.random.default_rng(77))
    assert (again.image == lines[77].image).all()


def test_drawn_hands_and_displays_need_no_data() -> None:
    writers = pooled({}, [])
    assert [pool.name for pool in writers.pools] == ["drawn", "displays"]
    for seed in range(20):
        _assert_sound(any_line(writers, np.random.default_rng(seed)))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "meter photos"])
def test_every_digit_has_ink_that_is_darker_than_the_paper(writers: Writers, kind: str) -> None:
    for seed in range(12):
        text = any_text(np.random.default_rng(seed))
        line = _composed(_any_of(writers, kind), text, Layout(height=28, gap=0.1), replace(PLAIN, level=200), seed)
        assert line.polarity is Polarity.DARK_ON_LIGHT
        assert np.median(line.image) > 150
        for box in line.boxes:
            inside = line.image[box.top : box.bottom, box.left : box.right]
            assert inside.min() < 110
            assert (inside < 150).mean() > 0.04


def test_inverted_paper_has_light_ink_on_dark(writers: Writers) -> None:
    line = _composed(_any_of(writers, "drawn"), "52", paper=replace(PLAIN, inverted=True))
    assert line.polarity is Polarity.LIGHT_ON_DARK
    assert np.median(line.image) < 60
    assert line.image.max() > 150


def test_wheels_keep_their_polarity_unless_inverted(writers: Writers) -> None:
    counter = _any_of(writers, "meter photos")
    assert isinstance(counter, Counter)
    assert _composed(counter, "07").polarity is counter.polarity
    assert _composed(counter, "07", paper=replace(PLAIN, inverted=True)).polarity is counter.polarity.reversed


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rules", [(rule,) for rule in Rule] + [(Rule.ABOVE, Rule.BELOW)])
def test_every_rule(writers: Writers, kind: str, rules: tuple[Rule, ...]) -> None:
    _assert_sound(_composed(_any_of(writers, kind), "1190", paper=replace(PLAIN, rules=rules)))


@pytest.mark.parametrize("pattern", list(Pattern))
def test_every_pattern_is_fainter_than_the_ink(writers: Writers, pattern: Pattern) -> None:
    for height in (12.0, 40.0):
        paper = replace(PLAIN, pattern=pattern, pattern_strength=0.3)
        line = _composed(_any_of(writers, "drawn"), "68", Layout(height=height, margins=(1, 1, 1, 1)), paper)
        _assert_sound(line)
        assert line.image[:4].min() > line.image.min() + 60


@pytest.mark.parametrize("texture", list(Pen))
@pytest.mark.parametrize("bold", [-0.05, 0.0, 0.06])
def test_every_pen_leaves_the_digits_there(writers: Writers, texture: Pen, bold: float) -> None:
    line = _composed(_any_of(writers, "fonts"), "90721", Layout(height=50), replace(PLAIN, texture=texture, bold=bold))
    for box in line.boxes:
        assert (line.image[box.top : box.bottom, box.left : box.right] < 140).mean() > 0.05


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("zeros", list(Zeros))
@pytest.mark.parametrize("signs", list(Signs))
def test_every_style_keeps_the_text(writers: Writers, kind: str, zeros: Zeros, signs: Signs) -> None:
    layout = Layout(zeros=zeros, signs=signs, joined=0.5, restyled=0.5, crossed=1.0, breaks=0.5, kerned=0.7, gap=0.05)
    for seed, text in enumerate(("1000", "70", "3", "120030000")):
        line = _composed(_any_of(writers, kind), text, layout, seed=seed)
        assert line.text == text
        _assert_sound(line)


class _PlainHand:
    """Writes a bare 1, and a 7 that is not crossed."""

    printed = False

    def pen(self, random: np.random.Generator) -> float:  # noqa: ARG002
        return 0.1

    def shapes(self, text: str, random: np.random.Generator) -> list[Shape | None]:  # noqa: ARG002
        ways = {"1": way((0.0, -1.0), (0.0, 0.0)), "7": way((0.0, -1.0), (0.5, -1.0), (0.2, 0.0))}
        return [Shape((ways[c],)) for c in text]


def test_a_line_whose_1_gets_an_upstroke_has_a_crossed_7_as_a_rule() -> None:
    crossed: dict[bool, list[bool]] = {False: [], True: []}
    for seed in range(600):
        random = np.random.default_rng(seed)
        one, seven = placed(_PlainHand(), "17", Layout(restyled=0.3), 0.1, random)
        stem = one.shape.strokes[0]
        crossed[bool(stem[0, 1] - stem[:, 1].min() > 0.15)].append(len(seven.shape.strokes) > 1)
    assert np.mean(crossed[True]) > 0.8
    assert np.mean(crossed[False]) < 0.4  # no oftener than 7s are restyled


@pytest.mark.parametrize("digit", "0123456789")
def test_any_digit_may_take_another_form_than_its_writers(digit: str) -> None:
    class Strokes(_PlainHand):
        def shapes(self, text: str, random: np.random.Generator) -> list[Shape | None]:  # noqa: ARG002
            return [Shape((way((0.0, -1.0), (0.3, 0.0)),)) for _ in text]

    def strokes(restyled: float) -> set[int]:
        marks = placed(Strokes(), digit * 2, Layout(restyled=restyled), 0.1, np.random.default_rng(3))
        return {len(mark.shape.points()) for mark in marks}

    assert len(strokes(0.0)) == 1
    assert strokes(1.0).isdisjoint(strokes(0.0))


def test_print_is_set_so_tight_now_and_then_that_digits_overlap() -> None:
    random = np.random.default_rng(8)
    tight = [layout for layout in (print_layout(random) for _ in range(400)) if layout.gap < -0.03]
    assert 10 < len(tight) < 80
    assert all(layout.kerned > 0.5 and layout.pitch is None for layout in tight)


def test_some_numbers_are_of_thin_digits_alone() -> None:
    random = np.random.default_rng(12)
    texts = [any_text(random) for _ in range(3000)]
    assert 30 < sum(len(text) > 2 and set(text) <= {"1", "7"} for text in texts) < 150


@pytest.mark.parametrize("signs", list(Signs))
def test_signs_stand_around_the_digits_and_leave_their_order(signs: Signs) -> None:
    for seed in range(200):
        random = np.random.default_rng(seed)
        text = any_text(random)
        written = with_signs(text, signs, random)
        assert "".join(c for c in written if c.isdecimal()) == text


def test_dates_have_days_and_months_of_two_digits_at_most() -> None:
    written = [with_signs("31122026", Signs.DATE, np.random.default_rng(seed)) for seed in range(200)]
    parts = [[part for part in re.split(r"\D+", date) if part] for date in written]
    dated = [own for own in parts if own == ["31", "12", "2026"]]
    assert len(dated) > 120
    assert len(dated) < len(parts)  # what is no date has slashes, too


def test_slashes_lean_the_more_the_shorter_they_are() -> None:
    sizes = []
    for seed in range(300):
        shape = sign("/", np.random.default_rng(seed))
        assert shape is not None
        sizes.append(np.ptp(shape.points(), axis=0))
    width, height = np.array(sizes).T
    lean, low = width / height, height < 1.05
    assert (lean > 0.1).all()
    assert 30 < np.count_nonzero(low) < 150
    assert np.median(lean[low]) > 1.5 * np.median(lean[~low])


def test_lines_of_a_page_stand_under_each_other(writers: Writers) -> None:
    line = _composed(_any_of(writers, "drawn"), "12\n345\n6", Layout(height=20))
    _assert_sound(line)
    tops = [box.top for box in line.boxes]
    assert max(tops[:2]) < min(tops[2:5])
    assert max(tops[2:5]) < tops[5]


def test_a_page_without_digits_has_no_boxes(writers: Writers) -> None:
    for kind in ("drawn", "fonts"):
        for signs in Signs:
            assert _composed(_any_of(writers, kind), "", Layout(signs=signs)).boxes == ()


def test_gaps_go_from_wide_to_overlapping(writers: Writers) -> None:
    writer = _any_of(writers, "fonts")
    widths = [_composed(writer, "80808", Layout(gap=gap, kerned=1.0)).image.shape[1] for gap in (0.6, 0.2, 0.0, -0.1)]
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == len(widths)
    apart, over = (_composed(writer, "88", Layout(gap=gap, kerned=1.0)).boxes for gap in (0.2, -0.1))
    assert apart[0].right < apart[1].left
    assert over[0].right > over[1].left


def test_slanted_digits_have_boxes_that_interleave(writers: Writers) -> None:
    boxes = _composed(_any_of(writers, "fonts"), "11", Layout(gap=0.1, kerned=1.0, slant=0.5)).boxes
    assert boxes[0].right > boxes[1].left


def test_rotation_and_clipping(writers: Writers) -> None:
    writer = _any_of(writers, "fonts")
    straight, turned = (_composed(writer, "123456", Layout(rotation=angle)) for angle in (0, 15))
    assert turned.image.shape[0] > 1.5 * straight.image.shape[0]
    assert turned.boxes[-1].top > turned.boxes[0].bottom - 10


@pytest.mark.parametrize("kind", ["fonts", "meter photos"])
def test_a_crop_cuts_off_so_much_of_the_first_and_the_last_digit(writers: Writers, kind: str) -> None:
    whole, clipped = (_composed(_any_of(writers, kind), "808", Layout(clipped=cut)) for cut in ((0, 0), (0.5, 0.25)))
    assert clipped.boxes[0].left == 0
    assert clipped.boxes[0].width == pytest.approx(0.5 * whole.boxes[0].width, abs=2)
    assert clipped.boxes[1].width == pytest.approx(whole.boxes[1].width, abs=1)
    assert clipped.boxes[2].right == clipped.image.shape[1]
    assert clipped.boxes[2].width == pytest.approx(0.75 * whole.boxes[2].width, abs=2)


def test_short_dates_and_fractions_are_more_than_other_dates(writers: Writers) -> None:
    """A slash between two digits is told from a 1 by what the reader has seen of both."""
    random, hand = np.random.default_rng(4), _any_of(writers, "drawn")
    dated = [
        np.mean([any_setting(hand, text, random)[0].signs is Signs.DATE for _ in range(600)])
        for text in ("37", "64913")
    ]
    assert dated[0] > dated[1] + 0.04


def test_windows_of_a_counter_have_shadows_beside_the_digits(writers: Writers, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = _any_of(writers, "meter photos")
    assert isinstance(counter, Counter)
    drawn = {}
    for share in (0.0, 1.0):
        monkeypatch.setattr("training.lines.wheels._SHADOWED", share)
        drawn[share] = [strip(counter, "407", 40.0, np.random.default_rng(seed)) for seed in range(30)]
    for plain, shadowed in zip(drawn[0.0], drawn[1.0], strict=True):
        darker = plain.pixels.astype(int) - shadowed.pixels
        assert darker.min() >= -1
        assert (darker > 20).mean() > 0.01
        for left, top, right, bottom in plain.boxes.astype(int):  # the middle of a digit stays as it is
            quarter = (right - left) // 4
            assert np.abs(darker[(top + bottom) // 2, left + quarter : right - quarter]).max() <= 2


def test_the_height_is_the_digits_own(writers: Writers) -> None:
    for height in (12.0, 30.0, 80.0):
        (box,) = _composed(_any_of(writers, "fonts"), "8", Layout(height=height)).boxes
        assert height - 2 <= box.height <= height + 3


def test_a_missing_digit_is_another_writers_and_the_same_throughout(writers: Writers) -> None:
    pool = writers.of("UNIPEN characters")
    assert pool is not None
    hand = next(hand for (hand,) in pool.families if isinstance(hand, Hand) and hand.name == "two")
    assert "7" not in hand.digits
    one, other = hand.shapes("77", np.random.default_rng(0))
    assert one is not None
    assert other is not None
    assert all((a == b).all() for a, b in zip(one.strokes, other.strokes, strict=True))


def test_no_hand_is_made_where_a_digit_has_no_writer() -> None:
    assert hands([item for item in _pen_items() if item.label != 3]) == []


def test_a_counter_needs_all_ten_digits() -> None:
    items = _wheel_items()
    assert len(counters(items)) == 1
    assert counters(items[:9]) == []


def _written(text: str) -> list[NDArray[np.float64]]:
    """A number's strokes as a tablet gives them, in millimetres."""
    random = np.random.default_rng(2)
    strokes = []
    for index, character in enumerate(text):
        if character == "-":
            strokes.append(np.array([[index * 4, -2.0], [index * 4 + 1.5, -2.0]]))
        elif (shape := DrawnHand().shapes(character, random)[0]) is not None:
            strokes += [stroke.astype(np.float64) * 4 + [index * 4, 0] for stroke in shape.strokes]
    return strokes


def test_a_written_number_is_parted_into_its_digits() -> None:
    whole = number("62-08", _written("62-08"), "somebody")
    assert whole.sure
    assert whole.text == "6208"
    assert [digit for digit, _ in whole.marks] == ["6", "2", "", "0", "8"]
    line = _composed(whole, "6208")
    _assert_sound(line)
    assert all(one.right < other.left for one, other in itertools.pairwise(line.boxes))
    with pytest.raises(ValueError, match="6208"):
        _composed(whole, "1")


def test_a_number_in_one_stroke_is_cut_evenly() -> None:
    whole = number("333", [np.concatenate(_written("333"))], "somebody")
    assert not whole.sure
    _assert_sound(_composed(whole, "333"))


def test_numbers_are_parted_by_contributor(tmp_path: Path) -> None:
    rows = [
        {"label": "62-08", "digits": "6208", "contributor": name, "strokes": [s.tolist() for s in _written("62-08")]}
        for name in ("lex", HELD_OUT_CONTRIBUTORS[0])
    ]
    with gzip.open(tmp_path / NUMBERS_FILE, "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    seen, unseen = (read_writers(tmp_path, [], evaluation=part).of("UNIPEN strings") for part in (False, True))
    assert seen is not None
    assert unseen is not None
    assert len(seen.families) == len(unseen.families) == 1
    assert seen.families != unseen.families


def test_a_damaged_file_of_numbers_is_named(tmp_path: Path) -> None:
    (tmp_path / NUMBERS_FILE).write_bytes(b"no gzip")
    with pytest.raises(DataError, match=NUMBERS_FILE):
        list(read_numbers(tmp_path / NUMBERS_FILE))


def test_held_out_mnist_is_its_test_part(data_dir: Path) -> None:
    pool = read_writers(data_dir, [], evaluation=True, accept_changed=True).of("MNIST")
    assert pool is not None
    assert [hand.name for (hand,) in pool.families if isinstance(hand, Hand)] == ["test"]


@pytest.mark.parametrize("jpeg", [None, 25, 95])
@pytest.mark.parametrize("shrunk", [0.5, 1.0])
def test_every_picture(writers: Writers, jpeg: int | None, shrunk: float) -> None:
    paper = Paper(
        grain=0.05, gradient=0.2, shadow=0.3, patched=True, neighbours=True, label=True, blur=1.0, noise=4.0,
        jpeg=jpeg, shrunk=shrunk,
    )  # fmt: skip
    for kind in KINDS:
        for height in (12.0, 60.0):
            _assert_sound(_composed(_any_of(writers, kind), "205", Layout(height=height), paper))
