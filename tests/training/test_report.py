"""The reports of a version as files, and its card."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.calibration import LABELS
from app.imaging.glyph import PREPROCESSING_VERSION
from app.manifest import Manifest
from tests.training.test_evaluate import sample
from training.card import CARD_FILE, model_card
from training.config import SourcePlan, TrainingConfig
from training.evaluate import VALIDATION, SetReport, manifest_metrics, set_report
from training.machine import cpu_model
from training.report import (
    MAX_PNG_BYTES,
    Mistakes,
    plot_path,
    png_bytes,
    set_figure,
    worst_figure,
    worst_mistakes,
    write_reports,
)
from training.sets import GlyphSet, ImageSet

CURVES = {
    "epoch": [0.0, 1.0, 2.0],
    "loss": [2.0, 0.5, float("nan")],
    "val_loss": [1.9, 0.6, 0.4],
    "accuracy": [0.4, 0.8, 0.9],
    "val_accuracy": [0.5, 0.7, 0.8],
}


@pytest.fixture(scope="module")
def reports() -> dict[str, SetReport]:
    return {
        VALIDATION: set_report(*sample(900), 1.0, 0.8),
        "MNIST test": set_report(*sample(300, range(10), skill=1), 1.0, 0.8),
        "blank | cells": set_report(*sample(50, range(10, 11)), 1.0, 0.8),
    }


@pytest.fixture(scope="module")
def folder(reports: Mapping[str, SetReport], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version's folder with all its reports and its card."""
    folder = tmp_path_factory.mktemp("version")
    write_reports(folder, reports, CURVES, {})
    (folder / CARD_FILE).write_text(card(reports))
    return folder


def card(reports: Mapping[str, SetReport], risk: float = 0.5, calm_epochs: int = 0) -> str:
    manifest = Manifest(
        name="digits",
        version="1.2.3",
        created="2026-11-21T09:00:00Z",
        sha256={"model.tflite": "0" * 64},
        labels=LABELS,
        preprocessing_version=PREPROCESSING_VERSION,
        parameters=245_678,
        temperature=1.25,
        threshold=0.8,
        training_data=[
            {"name": "MNIST", "licence": "CC BY-SA 3.0", "sha256": "0123456789abcdef" * 4, "train": 50_000},
            {"name": "fonts", "licence": "each font's own", "families": 12},
        ],
        metrics={
            **manifest_metrics(reports),
            "model.tflite": {"n": 10_000, "agreement": 0.99995, "calls": 1_000, "milliseconds": 0.16912},
            "model-int8.tflite": {"n": 10_000, "agreement": 0.9981},
        },
        libraries={"keras": "3.14.0", "numpy": "2.4.6"},
    )
    sources = (SourcePlan("MNIST", 3, 0.2, plain=True), SourcePlan("photo cells", 12, 0.06, none_copies=6))
    config = TrainingConfig(version="1.2.3", sources=sources, risk=risk, calm_epochs=calm_epochs)
    return model_card(manifest, config, reports, "python -m training run --config tiny.py", 5_400)


def mistakes(count: int = 3) -> Mistakes:
    """Glyphs of noise, read as 1 instead of 7."""
    glyphs = np.random.default_rng(2).integers(0, 256, (count, 28, 28)).astype(np.uint8)
    return Mistakes(glyphs, np.full(count, 7, np.uint8), np.full(count, 1))


def test_all_figures_of_all_sets_are_in_one_file(folder: Path, reports: Mapping[str, SetReport]) -> None:
    written = json.loads((folder / "reports" / "metrics.json").read_text())
    assert list(written["sets"]) == list(reports)
    validation, mnist = written["sets"][VALIDATION], written["sets"]["MNIST test"]
    assert validation["accuracy"] == pytest.approx(reports[VALIDATION].accuracy, rel=1e-5)
    assert validation["confusion"] == [list(row) for row in reports[VALIDATION].confusion]
    assert mnist["auroc"] is None
    assert written["learning"]["loss"] == [2.0, 0.5, None]


def test_every_set_has_a_plot_and_all_are_small(folder: Path) -> None:
    pictures = sorted(path.name for path in (folder / "reports").glob("*.png"))
    assert pictures == ["learning.png", "set-blank-cells.png", "set-mnist-test.png", "set-validation.png", "worst.png"]
    for name in pictures:
        path = folder / "reports" / name
        assert path.stat().st_size <= 60_000
        with Image.open(path) as image:
            image.load()
            assert image.width > 400


def test_many_sets_share_the_megabyte(reports: Mapping[str, SetReport]) -> None:
    limit = 1_000_000 // 50
    assert len(png_bytes(set_figure("a set", reports[VALIDATION]), limit)) <= limit
    many = {str(number): mistakes(16) for number in range(20)}
    assert len(png_bytes(worst_figure(many), MAX_PNG_BYTES)) <= MAX_PNG_BYTES
    with pytest.raises(ValueError, match="report fewer sets"):
        png_bytes(worst_figure({}), 100)


def test_two_sets_do_not_share_a_plot(reports: Mapping[str, SetReport], tmp_path: Path) -> None:
    twins = {"MNIST test": reports["MNIST test"], "mnist-test": reports["MNIST test"]}
    assert plot_path("MNIST test") == plot_path("mnist-test")
    with pytest.raises(ValueError, match="same plot"):
        write_reports(tmp_path, twins, CURVES, {})
    assert list(tmp_path.iterdir()) == []


def test_the_gallery_shows_only_what_may_be_redistributed(folder: Path, tmp_path: Path) -> None:
    def gallery(name: str, shown: Mapping[str, Mistakes], **options: frozenset[str]) -> bytes:
        write_reports(tmp_path / name, {}, {}, shown, **options)
        return (tmp_path / name / "reports" / "worst.png").read_bytes()

    nothing = (folder / "reports" / "worst.png").read_bytes()
    drawn = png_bytes(worst_figure({"rendered digits": mistakes()}), MAX_PNG_BYTES)
    assert drawn != nothing
    assert gallery("refused", {"MNIST test": mistakes(), "rendered non-digits": mistakes()}) == nothing
    assert gallery("drawn", {"MNIST test": mistakes(9), "rendered digits": mistakes()}) == drawn
    assert gallery("asked", {"MNIST test": mistakes()}, may_show=frozenset({"MNIST test"})) not in (nothing, drawn)


def test_a_gallery_without_mistakes_is_a_picture_all_the_same() -> None:
    assert png_bytes(worst_figure({"rendered digits": mistakes(0)}), MAX_PNG_BYTES).startswith(b"\x89PNG")


def test_the_worst_mistakes_come_first() -> None:
    logits = np.zeros((5, 11), np.float32)
    logits[[0, 1, 2, 3, 4], [1, 1, 1, 1, 7]] = [2, 6, 4, 1, 3]
    labels = np.array([7, 7, 7, 1, 7], np.uint8)  # the first three are taken for a 1, the second the most surely
    glyphs = np.arange(5, dtype=np.uint8)[:, np.newaxis, np.newaxis] * np.ones((28, 28), np.uint8)
    worst = worst_mistakes(ImageSet.of_glyphs(GlyphSet(glyphs, labels)), logits, 1.0, count=2)
    assert worst.glyphs[:, 0, 0].tolist() == [1, 2]
    assert worst.labels.tolist() == [7, 7]
    assert worst.predicted.tolist() == [1, 1]
    right = ImageSet.of_glyphs(GlyphSet(glyphs[3:], labels[3:]))
    assert len(worst_mistakes(right, logits[3:], 1.0).labels) == 0


def test_the_card_shows_plots_that_are_there(folder: Path, reports: Mapping[str, SetReport]) -> None:
    targets = re.findall(r"\]\(([^)]+)\)", (folder / CARD_FILE).read_text())
    assert {plot_path(name) for name in reports} < set(targets)
    for target in targets:
        assert (folder / target).is_file(), target


def test_the_card_says_what_was_measured(reports: Mapping[str, SetReport]) -> None:
    text = card(reports)
    assert text.startswith("# digits 1.2.3\n")
    validation, mnist = reports[VALIDATION], reports["MNIST test"]
    assert (
        f"| MNIST test | never trained on | 300 | {mnist.accuracy:.2%} | {mnist.macro_f1:.4f} | – | {mnist.ece:.2%} |"
        in text
    )
    assert f"| 900 | {validation.accuracy:.2%} | {validation.macro_f1:.4f} | {validation.auroc:.4f} |" in text
    assert r"| blank \| cells |" in text
    for one in validation.classes:
        assert f"| {one.label} | {one.support} | {one.precision:.4f} | {one.recall:.4f} | {one.f1:.4f} |" in text
    assert "| MNIST | CC BY-SA 3.0 | train 50,000 | 0123456789ab |" in text
    assert "| fonts | each font's own | families 12 |  |" in text
    for said in ("245,678", "python -m training run --config tiny.py", "1 h 30 min", "keras 3.14.0", "99.995%"):
        assert said in text
    assert f"accepts {validation.digits_accepted:.2%},\nof which {validation.digits_risk:.2%} are wrong" in text
    assert "it keeps to the wanted risk, at most 50.00%" in text


def test_the_card_says_how_the_exported_files_do(reports: Mapping[str, SetReport]) -> None:
    text = card(reports)
    assert "- model.tflite: the same class on 99.995% of 10,000 glyphs.\n" in text
    assert "- model-int8.tflite: the same class on 99.810% of 10,000 glyphs, too few: it is left out" in text
    assert f"{cpu_model()}, through LiteRT, the median of 1,000 calls: model.tflite 0.169 ms.\n" in text


def test_the_card_says_how_the_images_were_taken_and_what_was_trained_on(reports: Mapping[str, SetReport]) -> None:
    text = card({**reports, "photographed rendered digits": reports["MNIST test"]}, calm_epochs=7)
    assert "enlarged" not in text
    assert "Every image is taken as it\nwould be sent" in text
    assert "| photographed rendered digits | digits of those families, photographed | 300 |" in text
    assert "| MNIST | 3 | 3 | yes | 0.2 |" in text
    assert "| photo cells | 12 | 6 | no | 0.06 |" in text
    assert "20 epochs of 2,000 batches of 128, the last 7 with less jitter; " in text
    assert "less jitter" not in card(reports)


def test_the_card_owns_up_to_a_risk_that_was_not_reached(reports: Mapping[str, SetReport]) -> None:
    assert "it does not keep to the wanted risk, at most 0.00%" in card(reports, risk=0)
    nothing = {VALIDATION: set_report(*sample(50), 1.0, 1.0)}
    assert "It accepts no digit" in card(nothing)


def test_a_card_needs_the_validation_set(reports: Mapping[str, SetReport]) -> None:
    with pytest.raises(ValueError, match="'validation'"):
        card({"MNIST test": reports["MNIST test"]})
