"""The evaluation as a whole, with a model that sees sevens everywhere: what is measured, skipped and printed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ImageFont

from app.imaging.decode import decode_image
from app.recogniser import Limits, Recogniser
from app.runner import InterpreterPool
from tests.api.services import OneDigit
from tests.evaluation.__main__ import Scope, lines
from tests.evaluation.datasets import BLANKS, DIGITS, EMPTY, NON_DIGITS, NUMBERS, VALIDATION, Places
from tests.evaluation.drawn import rendered_digits, textures
from tests.evaluation.figures import NonDigitScore, NumberScore, Score
from tests.evaluation.growth import growth_row, page_of, photo_of
from tests.evaluation.peers import Peer, PeerScore, peer_score, peers_here
from tests.evaluation.strings import SUITES, Suite, blank_pages, composed_number, texture_pages
from tests.evaluation.table import auroc_row, classes_row, digits_row, non_digits_row, numbers_head, numbers_row
from tests.images import draw_digit
from training.data import VALIDATION_DISPLAY_DIGITS, VALIDATION_FONT_DIGITS
from training.fonts import NoFonts
from training.lines.pools import pooled
from training.sources import Item
from training.validation import png


@pytest.fixture
def sevens() -> Iterator[Recogniser]:
    recogniser = Recogniser(InterpreterPool([OneDigit()]), 1.0, 0.5, Limits(1_000_000, 10, 10.0))
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
    place = next(i for i, line in enumerate(found) if "non-digits against digits" in line)
    textured, together = found[place - 1 : place + 1]
    assert textured.startswith("| textures without writing | `/predict` | 5 | ")
    assert together.startswith("| non-digits against digits, AUROC | `/predict` | 5 against 3 | ")


def test_the_calibration_is_measured_on_what_a_run_validates_on(
    sevens: Recogniser, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert list(lines(sevens, scope(data_dir, "validation"))) == []
    assert "skipped: validation, which the model was calibrated on (There is no data set" in capsys.readouterr().err
    sevens_alone = np.stack([draw_digit(7, 16) < 128] * 1_600)
    np.savez(data_dir / "semeion.npz", x=sevens_alone, y=np.full(1_600, 7))
    font = ImageFont.load_default(20)
    assert isinstance(font, ImageFont.FreeTypeFont)
    (data_dir / "fonts").mkdir()
    (data_dir / "fonts" / "default.ttf").write_bytes(font.font_bytes)
    *_, row = lines(sevens, scope(data_dir, "validation"))
    assert row.startswith("| validation, which the model was calibrated on | `/predict` | 5 | 100.00% | ")
    places = Places(data_dir, data_dir / "fonts", accept_changed_data=True)
    texts = [text for _, text in VALIDATION.samples(places)]
    none = texts.count("")
    assert none == round(0.03 / 0.97 * (len(texts) - none))
    drawn = VALIDATION_FONT_DIGITS + VALIDATION_DISPLAY_DIGITS + none
    semeion, rest = texts[:-drawn], texts[-drawn:]
    assert set(semeion) == {"7"}
    assert 20 <= len(semeion) <= 300  # groups of 20, a twentieth of 80 that chance chooses
    assert set(rest) == {"", *"0123456789"}


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
        rendered_digits(tmp_path, as_photos=False)


def test_every_set_has_a_name_of_its_own() -> None:
    names = [dataset.name for dataset in (*DIGITS, *BLANKS, *NON_DIGITS, VALIDATION, *NUMBERS, *EMPTY)]
    assert len(set(names)) == len(names)


def test_a_figure_short_of_its_bar_is_bold() -> None:
    mnist, blank = DIGITS[0], BLANKS[0]
    assert digits_row(mnist, Score(2_000, 0.9965, 0.0035, 0.03)).endswith("| 2,000 | 99.65% | 0.35% | 3.00% | 99.65% |")
    assert digits_row(mnist, Score(2_000, 0.996, 0.004, 0.031)).endswith("| **99.60%** | 0.40% | **3.10%** | 99.65% |")
    assert non_digits_row(blank, NonDigitScore(200, 0.98, 1, 0.5)).endswith("| **98.00%** | 100.00% | 0.5000 | 99% |")
    assert classes_row(VALIDATION, Score(2_000, 0.98, 0.02, 0.005)).endswith("| 2,000 | 98.00% | 0.50% | 0.5% |")
    assert classes_row(VALIDATION, Score(2_000, 0.98, 0.02, 0.0051)).endswith("| **0.51%** | 0.5% |")
    row = auroc_row(NonDigitScore(200, 0.9, 0.95, 0.9799), 3_000)
    assert row.endswith("| 200 against 3,000 | 90.00% | 95.00% | **0.9799** | 0.98 |")


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_every_suite_composes_numbers_that_can_be_decoded(suite: Suite) -> None:
    writers = pooled({"MNIST": drawn_bitmaps()}, [])
    random = np.random.default_rng(1)
    for index in range(3):
        data, text = composed_number(suite, writers, index, random)
        assert decode_image(data, 50_000_000).pixels.size
        assert text.replace("\n", "").isdigit()


def test_pages_without_numbers_say_so() -> None:
    for pages in (blank_pages(), texture_pages()):
        data, text = next(pages)
        assert decode_image(data, 50_000_000).pixels.size
        assert text == ""


def drawn_bitmaps() -> list[Item]:
    """Ink of a writer that this file draws."""
    return [Item(digit, "one", ink=np.uint8(255) - draw_digit(digit, 28)) for digit in range(10) for _ in range(2)]


def test_a_number_short_of_its_bar_or_less_sure_than_it_says_is_bold() -> None:
    cheques = NUMBERS[0]
    row = numbers_row(cheques, NumberScore(100, 0.84, 0.05, 0.5, 0.89, 4.2), [PeerScore(0.8, 31.0)])
    assert row == "| cheque amounts, scans | 100 | **84.00%** | 5.00% | 50.0%, **89.0%** | 4.2 | 80.00%, 31 ms | 85% |"
    row = numbers_row(cheques, NumberScore(100, 0.85, 0.05, 0.0, None, 4.2), [])
    assert row == "| cheque amounts, scans | 100 | 85.00% | 5.00% | 0.0%, – | 4.2 | 85% |"
    assert numbers_head("Numbers", ["Tesseract"])[0].endswith("| ms | Tesseract | Bar |")


def test_another_reader_is_scored_on_the_same_images() -> None:
    seen: list[bool] = []

    def read(images: Sequence[bytes], lines: bool) -> list[str]:
        seen.append(lines)
        return [image.decode() for image in images]

    peer = Peer("echo", read)
    assert peer_score(peer, [b"12", b"3"], ["12", "4"]).exact == 0.5
    assert peer_score(peer, [b"1\n2"], ["1\n2"]).exact == 1
    assert seen == [False, True]


def test_an_image_that_tesseract_crashes_on_costs_no_other_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "tesseract"
    program.write_text(
        f"#!{sys.executable}\nimport os, pathlib, sys\n"
        "images = [pathlib.Path(path).read_text() for path in pathlib.Path(sys.argv[1]).read_text().split()]\n"
        "if 'bad' in images:\n    os.abort()\n"
        "print('\\f'.join(images))\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    tesseract = next(peer for peer in peers_here() if peer.name == "Tesseract")
    assert tesseract.read([b"1 2", b"bad", b"3", b"", b"45"], False) == ["12", "crashed", "3", "", "45"]
    assert peer_score(tesseract, [b"bad"], [""]).exact == 0
    program.write_text(f"#!{sys.executable}\nraise SystemExit('no language data')\n")
    with pytest.raises(subprocess.CalledProcessError):  # it reads nothing at all here: that is no crash of an image
        tesseract.read([b"1", b"2"], False)


def test_time_is_measured_for_every_size(sevens: Recogniser) -> None:
    image = page_of(45)
    assert image.ndim == 2
    assert photo_of(0.1).size == pytest.approx(100_000, rel=0.02)
    row = growth_row(sevens, "page", image, 45)
    assert row.startswith(f"| page | {image.size:,} | 45 | ")
