"""A version whose served flat buffers are made anew, with weights of 8 bits."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.composition import build_recogniser
from app.conversion import flat_buffer, flat_buffer_of
from app.manifest import TFLITE_DYNAMIC_FILE, ModelVersion, file_sha256, open_version
from app.settings import Settings
from tests.images import draw_digit, draw_number, encode
from training.__main__ import main
from training.lines.config import ReaderSize
from training.lines.network import line_reader


def digits() -> Iterator[tuple[bytes, int]]:
    for digit in range(10):
        yield encode(draw_digit(digit)), digit


@pytest.fixture
def floats(version: ModelVersion, tmp_path: Path) -> ModelVersion:
    """The served version as it would be with floats alone, by itself in a folder."""
    folder = tmp_path / "digits" / version.folder.name
    shutil.copytree(version.folder, folder)
    (folder / TFLITE_DYNAMIC_FILE).unlink(missing_ok=True)
    for network in ("reader", "second-reader"):
        (folder / f"{network}.tflite").write_bytes(flat_buffer_of(folder / f"{network}.keras", threads=1))
    names = set(version.manifest.sha256) - {TFLITE_DYNAMIC_FILE}
    manifest = version.manifest.model_copy(update={"sha256": {name: file_sha256(folder / name) for name in names}})
    (folder / "manifest.json").write_text(json.dumps(manifest.model_dump(mode="json")))
    return open_version(tmp_path, "digits", "latest")


def asked(floats: ModelVersion) -> list[str]:
    models = str(floats.folder.parents[1])
    return ["quantise", "--models-dir", models, "--data-dir", models, "--version", "9.0.0"]


def test_what_is_served_is_a_third_as_large_and_answers_alike(
    floats: ModelVersion, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("training.validation.validation_images", lambda *_: digits())
    assert main(asked(floats)) == 0
    assert (
        "of 10 images of validation, /predict answers 100.00% as before, and /read 100.00%" in capsys.readouterr().out
    )
    made = open_version(floats.folder.parents[1], "digits", "9.0.0")
    assert floats.files.served == floats.files.tflite
    assert made.files.served == made.folder / TFLITE_DYNAMIC_FILE
    for before, after in (
        (floats.files, made.files),
        (floats.reader_files, made.reader_files),
        (floats.second_reader_files, made.second_reader_files),
    ):
        assert after.served.stat().st_size < before.served.stat().st_size / 3
        assert after.keras.read_bytes() == before.keras.read_bytes()
    assert made.files.tflite.read_bytes() == floats.files.tflite.read_bytes()
    card = " ".join((made.folder / "README.md").read_text().split())
    assert card.startswith("# digits 9.0.0 ")
    assert card.count("line reader Its flat buffer is made anew, with weights of 8 bits") == 2
    figures = made.manifest.metrics[TFLITE_DYNAMIC_FILE]
    assert figures["agreement"] == 1
    assert f"{figures['milliseconds']:.3f} ms a glyph on one thread" in card
    assert main([*asked(floats)[:-1], "9.1.0"]) == 1  # by then 9.0.0 is the latest
    assert "is served with weights of 8 bits already" in capsys.readouterr().err
    assert f"made from the network of digits {floats.manifest.version} with `python -m training quantise" in card
    for engine in ("litert", "keras"):
        served = build_recogniser(Settings(engine=engine, threads=1), made)
        assert [served.predict(data).digit for data, _ in digits()] == list(range(10))
        served.close()


def test_what_answers_otherwise_is_not_published(
    floats: ModelVersion, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    untrained = flat_buffer(line_reader(ReaderSize()), dynamic=True)

    def made(path: Path, threads: int, dynamic: bool) -> bytes:
        return untrained if path.name.endswith("reader.keras") else flat_buffer_of(path, threads, dynamic)

    monkeypatch.setattr("training.quantise.flat_buffer_of", made)
    monkeypatch.setattr("training.validation.validation_images", lambda *_: [(encode(draw_number("31415")), 3)])
    assert main(asked(floats)) == 1
    assert "too few images are answered alike" in capsys.readouterr().err
    assert [folder.name for folder in floats.folder.parent.iterdir()] == [floats.folder.name]
