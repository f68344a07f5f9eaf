"""Where glyphs come from."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.calibration import NON_DIGIT
from app.domain import Polarity
from tests.samples.draw import pen_number
from training.augment import beside, fragment, jittered, outlined, photographed, rephotographed, texture
from training.config import ConfigError, SourcePlan, TrainingConfig, load_config, told
from training.data import training_data, validation_items
from training.fonts import Font, draw_text, draws, find_fonts, split_families
from training.pool import GlyphMaker, glyph_of
from training.run import Places, pooled_data
from training.sets import GlyphSet
from training.sources import SOURCES, hashed_share, read_source
from training.stream import GlyphStream, Share, sampling_weights
from training.strokes import draw_strokes

KNOWN = {source.name: source for source in SOURCES}


def test_the_same_configuration_gives_the_same_glyphs(tiny: TrainingConfig, places: Places) -> None:
    one = training_data(tiny, places.data_dir, places.fonts_dir, processes=1, accept_changed=True)
    other = training_data(tiny, places.data_dir, places.fonts_dir, processes=2, accept_changed=True)
    for left, right in zip(one.shares, other.shares, strict=True):
        np.testing.assert_array_equal(left.glyphs.glyphs, right.glyphs.glyphs)
    np.testing.assert_array_equal(one.validation.labels, other.validation.labels)


def test_what_a_configuration_has_none_of_leaves_no_trace(tiny: TrainingConfig) -> None:
    assert "printed_digits" not in told(tiny)
    assert told(replace(tiny, printed_digits=5))["printed_digits"] == 5
    assert told(tiny)["font_digits"] == tiny.font_digits


def test_what_a_configuration_adds_joins_in(tiny: TrainingConfig, places: Places) -> None:
    more = replace(tiny, printed_digits=40, printed_weight=0.1, display_digits=30, display_weight=0.1)
    data = training_data(more, places.data_dir, places.fonts_dir, processes=1, accept_changed=True)
    sizes = {share.name: (len(share.glyphs), share.weight) for share in data.shares}
    assert sizes["printed digits"] == (40, 0.1)
    assert sizes["displays"] == (30, 0.1)
    without = training_data(tiny, places.data_dir, places.fonts_dir, processes=1, accept_changed=True)
    assert {share.name for share in without.shares} == set(sizes) - {"printed digits", "displays"}


def test_the_outline_of_a_stroke_is_hollow_and_goes_around_it() -> None:
    ink = np.zeros((60, 40), np.uint8)
    ink[:, 5:35] = 255  # to the upper and the lower edge
    outline = outlined(ink, np.random.default_rng(0))
    assert not outline[30, 20]
    assert outline[0, 20] == outline[59, 20] == outline[30, 5] == outline[30, 34] == 255
    assert not outline[:, :5].any()


def test_items_of_validation_are_those_that_a_run_is_calibrated_on(tiny: TrainingConfig, places: Places) -> None:
    tiny = replace(tiny, validation_share=0.8)  # of three groups
    data = training_data(tiny, places.data_dir, places.fonts_dir, processes=1, accept_changed=True)
    items = validation_items(tiny, places.data_dir, accept_changed=True)
    (described,) = (one for one in data.sources if one["name"] == "MNIST")
    assert items
    assert len(items) == described["validation"]
    np.testing.assert_array_equal(data.validation.labels[: len(items)], [item.label for item in items])
    elsewhere = replace(tiny, sources=(SourcePlan("semeion", 1, 1.0),))
    assert validation_items(elsewhere, places.data_dir, accept_changed=True) == []


def test_a_pool_is_drawn_once(tiny: TrainingConfig, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    first = pooled_data(tiny, places, processes=1)
    monkeypatch.setattr("training.run.training_data", None)  # to draw again would fail
    again = pooled_data(replace(tiny, epochs=9), places, processes=1)  # the same glyphs, longer
    for look in ("plain", "tight"):
        one, other = (getattr(data.validation, look) for data in (first, again))
        np.testing.assert_array_equal(one.glyphs, other.glyphs)
        np.testing.assert_array_equal(one.reaches_edge, other.reaches_edge)
        np.testing.assert_array_equal(one.owners, other.owners)
    assert list(first.evaluation) == list(again.evaluation)
    with pytest.raises(TypeError):
        pooled_data(replace(tiny, seed=1), places, processes=1)


def test_an_unknown_source_is_refused(tiny: TrainingConfig, places: Places) -> None:
    config = replace(tiny, sources=(SourcePlan("MNLST", 1, 1.0),))
    with pytest.raises(ConfigError, match="MNLST"):
        training_data(config, places.data_dir, places.fonts_dir, processes=1)


def test_every_released_configuration_loads() -> None:
    configs = sorted((Path(__file__).parents[2] / "training" / "configs").glob("[!_]*.py"))
    assert configs
    for path in configs:
        assert {plan.name for plan in load_config(path).sources} <= set(KNOWN)


def test_strokes_and_photos_become_items(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "pendigits.npz",
        points=np.array([[0, 0], [0, 9], [3, 3], [9, 0], [9, 9]], np.float32),
        stroke_offsets=np.array([0, 2, 3, 5]),
        char_offsets=np.array([0, 1, 3]),
        label=np.array(["1", "7"]),
        writer=np.array([4, 5]),
    )
    items, _ = read_source(KNOWN["pendigits"], tmp_path, accept_changed=True)
    assert [(item.label, item.group) for item in items] == [(1, "4"), (7, "5")]
    assert items[1].strokes is not None
    assert [len(stroke) for stroke in items[1].strokes] == [1, 2]

    photo = cv2.imencode(".png", pen_number("5", 40, 4))[1].tobytes()
    table = io.StringIO()
    csv.writer(table).writerows([["file", "label", "meter"], ["a.png", "5", "m1"], ["b.png", "between", "m1"]])
    with zipfile.ZipFile(tmp_path / "meter_photos.zip", "w") as archive:
        archive.writestr("labels.csv", table.getvalue())
        archive.writestr("a.png", photo)
        archive.writestr("b.png", photo)
    items, _ = read_source(KNOWN["meter photos"], tmp_path, accept_changed=True)
    assert [(item.label, item.group, item.photo) for item in items] == [(5, "m1", photo)]


def test_non_digits_are_drawn_without_any_data_set(fonts_dir: Path) -> None:
    with GlyphMaker(processes=1, seed=1) as maker:
        drawn = maker.non_digits(find_fonts(fonts_dir), [], 60).result()
    assert set(drawn.labels) == {NON_DIGIT}
    assert len(drawn) == 60


def test_groups_stay_on_their_side() -> None:
    held_out = [group for group in map(str, range(2000)) if hashed_share(group, 0.15)]
    assert 200 < len(held_out) < 400
    assert KNOWN["UNIPEN characters"].held_out("app/any")
    assert KNOWN["optdigits"].held_out("windep")
    assert not KNOWN["optdigits"].held_out("tra")


@pytest.mark.parametrize("pen", [1.0, 4.0, 12.0])
def test_strokes_are_drawn_at_any_width(pen: float) -> None:
    way = [np.array([[0, 0], [10, 0], [4, 20]], np.float32)]
    ink = draw_strokes(way, 64, pen)
    assert 64 <= ink.shape[0] <= 64 + 2 * pen + 8
    thin = draw_strokes(way, 64, 1.0)
    assert ink.sum() >= thin.sum()
    assert draw_strokes([np.zeros((1, 2), np.float32)], 64, pen).any()  # a single dot


def test_a_damaged_font_is_passed_over(fonts_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "good.ttf").write_bytes((fonts_dir / "default.ttf").read_bytes())
    (tmp_path / "bad.ttf").write_bytes(b"\0\1\0\0 nothing")
    assert [font.path.name for font in find_fonts(tmp_path)] == ["good.ttf"]


def test_a_font_tells_its_own_shapes_from_the_missing_one(fonts_dir: Path) -> None:
    font = find_fonts(fonts_dir)[0]
    assert draws(font, "K")
    assert not draws(font, "漢")
    assert not draws(font, " ")
    ink = draw_text(font, "4")
    assert ink[0].any()
    assert ink[:, 0].any()


def test_families_stay_whole_when_they_are_parted() -> None:
    fonts = [Font(Path(f"{family}-{style}.ttf"), f"Family {family}") for family in range(200) for style in range(3)]
    kept, held_out = split_families(fonts, 0.2)
    assert len(kept) + len(held_out) == 600
    assert not {f.family for f in kept} & {f.family for f in held_out}
    assert 60 < len(held_out) < 180
    assert split_families(fonts[:1], 1.0) == (fonts[:1], [])


def test_augmentation_is_a_function_of_its_generator() -> None:
    ink = 255 - pen_number("5", 60, 6)
    one, other = (photographed(ink, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    different = photographed(ink, np.random.default_rng(4))
    assert different.shape != one.shape or (different != one).any()


@pytest.mark.parametrize("seed", range(20))
def test_augmented_images_are_images(seed: int) -> None:
    random = np.random.default_rng(seed)
    page = pen_number("8", 60, 6)
    ink = 255 - page
    images = (photographed(ink, random), texture(random), beside(ink, ink[:20], random), fragment(ink, random))
    for image in (*images, rephotographed(page, random)):
        assert image.dtype == np.uint8
        assert image.ndim == 2
        assert min(image.shape) >= 2


def test_a_jittered_glyph_is_the_same_digit_elsewhere() -> None:
    glyph = glyph_of(pen_number("8", 60, 6), Polarity.DARK_ON_LIGHT)
    assert glyph is not None
    moved = jittered(np.stack([glyph] * 40), np.random.default_rng(1))
    assert moved.shape == (40, 28, 28)
    assert len({one.tobytes() for one in moved}) == 40
    similar = [np.corrcoef(one.ravel(), glyph.ravel())[0, 1] for one in moved.astype(float)]
    assert np.median(similar) > 0.7
    still = jittered(np.stack([glyph] * 3), np.random.default_rng(1), strength=0.0)
    np.testing.assert_array_equal(still, np.stack([glyph] * 3))


def test_batches_are_balanced_over_classes_and_by_weight() -> None:
    labels = np.array([0] * 90 + [1] * 10 + [2] * 50, np.uint8)
    glyphs = np.zeros((150, 28, 28), np.uint8)
    glyphs[:, 10:18, 10:18] = 200
    shares = [
        Share("two digits", GlyphSet(glyphs[:100], labels[:100]), 0.8),
        Share("another", GlyphSet(glyphs[100:], labels[100:]), 0.2),
    ]
    weights = sampling_weights(shares)
    assert weights[labels == 0].sum() == pytest.approx(0.4)
    assert weights[labels == 1].sum() == pytest.approx(0.4)
    assert weights[labels == 2].sum() == pytest.approx(0.2)
    stream = GlyphStream(shares, batch_size=64, batches=20, seed=1)
    drawn = np.concatenate([stream[index][1] for index in range(len(stream))])
    assert np.bincount(drawn)[1] / len(drawn) == pytest.approx(0.4, abs=0.06)
    np.testing.assert_array_equal(stream[3][0], stream[3][0])
    assert stream[0][0].shape == (64, 28, 28, 1)
    assert 0 <= stream[0][0].min() <= stream[0][0].max() <= 1
