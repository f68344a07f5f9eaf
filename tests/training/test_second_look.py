"""The weights of a second look: fitted on what the service sees, and published with the networks they are for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.calibration import LABELS, NON_DIGIT, calibrated_probabilities
from app.composition import build_recogniser
from app.manifest import ModelVersion, SecondLook, open_version
from app.settings import Settings
from tests.images import draw_digit, encode
from training.__main__ import main
from training.second_look import EVEN, Looks, fitted_weights, looked_at

_CLASSES = len(LABELS)


def made_up(glyphs: float, reader: float, non_digit: float, count: int = 1_500) -> Looks:
    """Two opinions, whose product to the power of these weights is how often each class is met; no digit by a bias."""
    random = np.random.default_rng(5)
    one, other = (np.log(random.dirichlet(np.full(_CLASSES, 0.5), count) + 1e-6) for _ in range(2))
    together = glyphs * one + reader * other
    together[:, NON_DIGIT] += non_digit
    met = calibrated_probabilities(together, 1.0)
    labels = np.array([random.choice(_CLASSES, p=own) for own in met], np.uint8)
    return Looks(labels, np.full((count, _CLASSES), 1 / _CLASSES), np.arange(count), one, other)


@pytest.mark.parametrize(("glyphs", "reader", "non_digit"), [(0.8, 0.3, -0.7), (0.2, 0.6, 0.5)])
def test_the_weights_that_opinions_have_are_found(glyphs: float, reader: float, non_digit: float) -> None:
    found = fitted_weights(made_up(glyphs, reader, non_digit))
    assert found.glyphs == pytest.approx(glyphs, abs=0.15)
    assert found.reader == pytest.approx(reader, abs=0.15)
    assert found.non_digit == pytest.approx(non_digit, abs=0.25)


def test_what_is_sure_at_first_is_answered_with_any_weights() -> None:
    looks = Looks(
        np.array([3, 4], np.uint8), np.eye(_CLASSES)[[3, 9]], np.array([1]), *np.log(np.full((2, 1, _CLASSES), 0.1))
    )
    assert looks.answers(EVEN)[0, 3] == 1
    assert looks.answers(EVEN)[1] == pytest.approx(np.full(_CLASSES, 1 / _CLASSES))


def torn() -> Iterator[tuple[bytes, int]]:
    """Digits over fainter others, which are looked at again, and one that is plain."""
    yield encode(draw_digit(7)), 7
    for digit in range(10):
        page = cv2.addWeighted(draw_digit(digit), 0.6, draw_digit((digit + 3) % 10), 0.4, 0)
        yield encode(np.asarray(page, np.uint8)), digit


def test_the_opinions_are_those_of_the_service(version: ModelVersion) -> None:
    looks = looked_at(version, torn())
    assert len(looks.labels) == 11
    assert 0 not in looks.again
    assert looks.again.size
    weights = version.manifest.second_look or EVEN
    served = build_recogniser(Settings(engine="litert", threads=1), version)
    for (data, _), answer in zip(torn(), looks.answers(weights), strict=True):
        prediction = served.predict(data)
        assert (*prediction.probabilities, prediction.non_digit_probability) == pytest.approx(answer)
    served.close()


@pytest.fixture
def models(version: ModelVersion, tmp_path: Path) -> Path:
    """A folder with the served version alone."""
    shutil.copytree(version.folder, tmp_path / "digits" / version.folder.name)
    return tmp_path


def test_a_version_with_weights_is_the_base_and_the_weights(
    version: ModelVersion, models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("training.validation.validation_images", lambda *_: torn())
    asked = ["second-look", "--models-dir", str(models), "--data-dir", str(models), "--version", "9.0.0"]
    assert main(asked) == 0
    assert "with a half each: " in capsys.readouterr().out
    opened = open_version(models, "digits", "latest")
    assert opened.manifest.version == "9.0.0"
    assert opened.manifest.sha256 == version.manifest.sha256
    weights = opened.manifest.second_look
    assert isinstance(weights, SecondLook)
    card = (opened.folder / "README.md").read_text()
    assert card.startswith("# digits 9.0.0\n")
    assert card.count("## The second look\n") == 1
    told = f"{weights.glyphs:g} for the glyph network's, {weights.reader:g} for the readers'"
    assert told in " ".join(card.split())
    assert card.count("## The line reader\n") == 1
    assert main([*asked, "--base", "9.0.0", "--version", "9.1.0"]) == 0
    again = " ".join((models / "digits" / "9.1.0" / "README.md").read_text().split())
    assert again.count("## The second look ") == 1
    assert "Fitted on digits 9.0.0" in again
    assert main(asked) == 1
    assert "9.0.0 exists; choose another version" in capsys.readouterr().err


def test_there_is_nothing_to_weigh_without_a_reader_or_doubt(
    version: ModelVersion, models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("training.validation.validation_images", lambda *_: [(encode(draw_digit(7)), 7)])
    asked = ["second-look", "--models-dir", str(models), "--data-dir", str(models), "--version", "9.0.0"]
    assert main(asked) == 1
    assert "is sure of all of validation" in capsys.readouterr().err
    lone = version.manifest.model_copy(update={"reader": None, "second_reader": None})
    (models / "digits" / version.folder.name / "manifest.json").write_text(lone.model_dump_json())
    assert main(asked) == 1
    assert "has no line reader" in capsys.readouterr().err
    assert [folder.name for folder in (models / "digits").iterdir()] == [version.folder.name]


def test_where_all_are_digits_no_digit_is_as_likely_as_the_opinions_say() -> None:
    sure = np.log(np.full((3, _CLASSES), 1e-3))
    sure[:, 4] = 0.0
    looks = Looks(np.full(3, 4, np.uint8), np.full((3, _CLASSES), 0.1), np.arange(3), sure, np.zeros((3, _CLASSES)))
    assert fitted_weights(looks) == SecondLook(glyphs=1.55, reader=0.0)
