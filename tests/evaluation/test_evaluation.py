"""The evaluation as a whole, with a model that sees sevens everywhere: what is measured, skipped and printed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.batching import MicroBatcher
from app.recogniser import Limits, Recogniser
from tests.api.services import OneDigit
from tests.evaluation.__main__ import Scope, lines
from tests.evaluation.datasets import BLANKS, DATASETS, NON_DIGITS, Places
from tests.evaluation.drawn import png, rendered_digits, textures
from tests.evaluation.figures import NonDigitScore, Score
from tests.evaluation.table import auroc_row, digits_row, non_digits_row
from tests.images import draw_digit
from training.augment import printed
from training.fonts import NoFonts


@pytest.fixture
def sevens() -> Iterator[Recogniser]:
    batcher = MicroBatcher(OneDigit(), max_batch_size=4, batch_timeout_s=0.0, max_queue_size=8)
    recogniser = Recogniser(batcher, 1.0, 0.5, Limits(1_000_000, 10, 10.0))
    yield recogniser
    recogniser.close()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Two sevens and a four of other writers, and ones of those that are trained on."""

    def bitmaps(*digits: int) -> NDArray[np.bool_]:
        return np.stack([draw_digit(digit, 32) < 128 for digit in digits])

    ones = bitmaps(1, 1)
    np.savez(
        tmp_path / "optdigits.npz",
        x_tra=ones,
        y_tra=np.array([1, 1]),
        x_tes=ones,
        y_tes=np.array([1, 1]),
        x_windep=bitmaps(7, 4, 7),
        y_windep=np.array([7, 4, 7]),
    )
    return tmp_path


def scope(data_dir: Path, only: str = "", limit: int | None = 5) -> Scope:
    places = Places(data_dir, data_dir / "fonts", accept_changed_data=True)
    return Scope(places, only, limit, data_dir / "mistakes")


def test_only_what_training_never_saw_is_measured(
    sevens: Recogniser, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [line for line in lines(sevens, scope(data_dir)) if "optdigits" in line]
    assert found == [
        "| optdigits `windep`, Turkish handwriting | `/predict` | 3 | **66.67%** | 33.33% | **33.33%** | 99% |"
    ]
    assert (data_dir / "mistakes" / "optdigits__windep___Turkish_handwriting.png").stat().st_size
    skipped = capsys.readouterr().err
    assert "skipped: MNIST, test (no mnist.npz in " in skipped
    assert "skipped: rendered digits, clean; held-out fonts (No TrueType or OpenType font under " in skipped
    assert "optdigits" not in skipped


def test_non_digits_are_told_from_the_digits_that_were_measured(sevens: Recogniser, data_dir: Path) -> None:
    found = list(lines(sevens, scope(data_dir)))
    textured, together = found[-2:]
    assert textured.startswith("| textures without writing | `/predict` | 5 | ")
    assert together.startswith("| non-digits against digits, AUROC | `/predict` | 5 against 3 | ")


def test_sets_are_chosen_by_name(sevens: Recogniser, data_dir: Path) -> None:
    found = list(lines(sevens, scope(data_dir, "textures")))
    assert len(found) == 4  # an empty line, the head, and the set, with no digits to be told from
    assert " | – | – |" in found[-1]
    assert list(lines(sevens, scope(data_dir, "no such set"))) == []


def test_a_damaged_file_is_skipped_with_its_name(
    sevens: Recogniser, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data_dir / "newspaper_cells.zip").write_bytes(b"PK no more")
    assert list(lines(sevens, scope(data_dir, "newspaper"))) == []
    reason = capsys.readouterr().err
    assert "skipped: newspaper cells" in reason
    assert "newspaper_cells.zip is damaged" in reason


def test_what_is_drawn_is_the_same_every_time_and_can_be_decoded(tmp_path: Path) -> None:
    first, second = (list(islice(textures(), 3)) for _ in range(2))
    assert first == second
    image = cv2.imdecode(np.frombuffer(first[0][0], np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    assert png(np.asarray(image, np.uint8)) == first[0][0]
    with pytest.raises(NoFonts):
        rendered_digits(tmp_path, printed)


def test_every_set_has_a_name_of_its_own() -> None:
    names = [dataset.name for dataset in (*DATASETS, *BLANKS, *NON_DIGITS)]
    assert len(set(names)) == len(names)


def test_a_figure_short_of_its_bar_is_bold() -> None:
    mnist, blank = DATASETS[0], BLANKS[0]
    assert digits_row(mnist, Score(2_000, 0.9965, 0.0035, 0.03)).endswith("| 2,000 | 99.65% | 0.35% | 3.00% | 99.65% |")
    assert digits_row(mnist, Score(2_000, 0.996, 0.004, 0.031)).endswith("| **99.60%** | 0.40% | **3.10%** | 99.65% |")
    assert non_digits_row(blank, NonDigitScore(200, 0.98, 1, 0.5)).endswith("| **98.00%** | 100.00% | 0.5000 | 99% |")
    row = auroc_row(NonDigitScore(200, 0.9, 0.95, 0.9799), 3_000)
    assert row.endswith("| 200 against 3,000 | 90.00% | 95.00% | **0.9799** | 0.98 |")
