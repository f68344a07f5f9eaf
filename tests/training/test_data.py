"""Where glyphs come from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.calibration import NON_DIGIT
from tests.samples.draw import pen_number
from training.augment import beside, fragment, photographed, texture
from training.config import TrainingConfig
from training.data import DataError, load_mnist, training_data
from training.fonts import Font, NoFonts, draw_text, draws, find_fonts, split_families


def test_the_same_configuration_gives_the_same_glyphs(tiny: TrainingConfig) -> None:
    one, other = training_data(tiny), training_data(replace(tiny, processes=2))
    np.testing.assert_array_equal(one.train.glyphs, other.train.glyphs)
    np.testing.assert_array_equal(one.train.labels, other.train.labels)


def test_training_and_validation_share_no_digit_and_hold_every_class(tiny: TrainingConfig) -> None:
    data = training_data(tiny)
    assert set(data.train.labels) == set(range(NON_DIGIT + 1))
    plain = {glyph.tobytes() for glyph in data.evaluation["mnist_validation_writers"].glyphs}
    assert plain
    assert not plain & {glyph.tobytes() for glyph in data.train.glyphs}
    assert "mnist_test" in data.evaluation
    assert len(data.validation) == sum(len(s) for name, s in data.evaluation.items() if name != "mnist_test")


def test_validation_is_parted_by_writer_where_writers_are_known(tiny: TrainingConfig, tmp_path: Path) -> None:
    assert tiny.data_dir is not None
    (tmp_path / "mnist.npz").write_bytes((tiny.data_dir / "mnist.npz").read_bytes())
    np.savez(tmp_path / "mnist_writers.npz", train=np.repeat(np.arange(30), 10), test=np.zeros(50, int))
    data = training_data(replace(tiny, data_dir=tmp_path, font_digits=10, non_digits=10))
    assert data.sources[0]["split"] == "by writer"
    assert data.sources[0]["validation_images"] == 30  # three writers of thirty


def test_missing_and_damaged_data_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"mnist\.npz is missing"):
        load_mnist(tmp_path)
    (tmp_path / "mnist.npz").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(DataError, match="damaged"):
        load_mnist(tmp_path)
    with pytest.raises(NoFonts, match=r"fonts\.txt"):
        find_fonts(tmp_path)


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
    ink = 255 - pen_number("8", 60, 6)
    for image in (photographed(ink, random), texture(random), beside(ink, ink[:20], random), fragment(ink, random)):
        assert image.dtype == np.uint8
        assert image.ndim == 2
        assert min(image.shape) >= 2
