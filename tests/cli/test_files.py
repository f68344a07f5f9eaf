"""`digit-ocr read`, `predict` and `model`."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app import composition, errors
from app.cli import main
from app.domain import Reading
from app.manifest import ModelVersion
from tests.api.services import RaisingRecogniser
from tests.conftest import ROOT
from tests.images import draw_digit, draw_lines, draw_number, encode, with_orientation


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def lines(stdout: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stdout.splitlines()]


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    (folder / "sub" / "deeper").mkdir(parents=True)
    (folder / "b.png").write_bytes(encode(draw_number("35")))
    (folder / "a.jpg").write_bytes(encode(draw_number("720"), "JPEG"))
    (folder / "UPPER.TIF").write_bytes(encode(draw_number("84"), "TIFF"))
    (folder / "broken.png").write_bytes(encode(draw_number("35"))[:-150])
    (folder / "notes.txt").write_text("35")
    (folder / "sub" / "c.webp").write_bytes(encode(draw_lines(["12", "0047"]), "WEBP"))
    (folder / "sub" / "deeper" / "turned.jpeg").write_bytes(with_orientation(draw_number("2357"), 6))
    return folder


@pytest.fixture(scope="module")
def readings(scans: Path) -> subprocess.CompletedProcess[str]:
    """One run for what the tests below look at."""
    given = [scans / "notes.txt", scans, scans / "missing.png", scans / "b.png"]
    return run("read", *given, "--min-confidence", "0")


def test_every_file_is_a_line_of_json(readings: subprocess.CompletedProcess[str], scans: Path) -> None:
    """In the order given; of folders, all images in all folders inside, in the order of their names."""
    inside = ["UPPER.TIF", "a.jpg", "b.png", "broken.png", "sub/c.webp", "sub/deeper/turned.jpeg"]
    names = ["notes.txt", *inside, "missing.png", "b.png"]
    assert [line["file"] for line in lines(readings.stdout)] == [str(scans / name) for name in names]


def test_numbers_are_read(readings: subprocess.CompletedProcess[str]) -> None:
    texts = {Path(line["file"]).name: line["text"] for line in lines(readings.stdout) if "text" in line}
    assert texts == {"UPPER.TIF": "84", "a.jpg": "720", "b.png": "35", "c.webp": "12\n0047", "turned.jpeg": "2357"}


def test_a_line_is_what_the_service_answers(readings: subprocess.CompletedProcess[str], version: ModelVersion) -> None:
    line = next(line for line in lines(readings.stdout) if "text" in line)
    assert {"text", "confidence", "rejected", "lines", "image", "model", "timings_ms"} <= set(line)
    assert line["model"] == {"name": version.manifest.name, "version": version.manifest.version}
    assert line["rejected"] is False  # --min-confidence 0


def test_failures_are_lines_too_and_the_others_are_done(readings: subprocess.CompletedProcess[str]) -> None:
    failed = {Path(line["file"]).name: line["problem"] for line in lines(readings.stdout) if "problem" in line}
    assert set(failed) == {"notes.txt", "broken.png", "missing.png"}
    assert failed["notes.txt"]["type"] == "/problems/unsupported-image"
    assert failed["broken.png"]["type"] == "/problems/corrupt-image"
    for problem in failed.values():
        assert problem["detail"]
        assert "Traceback" not in problem["detail"]
    assert readings.returncode == 1


def test_nothing_but_answers_is_on_stdout_and_no_bar_where_there_is_no_terminal(
    readings: subprocess.CompletedProcess[str],
) -> None:
    assert all(isinstance(line, dict) for line in lines(readings.stdout))
    assert "Traceback" not in readings.stderr
    assert "%|" not in readings.stderr


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_digits_are_predicted_with_a_bar_on_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for digit in (3, 5, 8):
        (tmp_path / f"{digit}.png").write_bytes(encode(draw_digit(digit)))
    monkeypatch.chdir(ROOT)
    terminal = _Terminal()
    with contextlib.redirect_stderr(terminal):
        assert main(["predict", str(tmp_path), "--polarity", "dark-on-light"]) == 0
    answers = lines(capsys.readouterr().out)
    assert [answer["digit"] for answer in answers] == [3, 5, 8]
    assert all(len(answer["probabilities"]) == 10 for answer in answers)
    assert "3/3" in terminal.getvalue()


def test_a_digit_is_explained_where_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "3.png").write_bytes(encode(draw_digit(3)))
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("DIGIT_OCR_ENGINE", "litert")
    assert main(["predict", str(tmp_path / "3.png"), "--explain"]) == 0
    assert main(["predict", str(tmp_path / "3.png")]) == 0
    explained, plain = lines(capsys.readouterr().out)
    assert explained["explanation"]["digit"] == 3
    assert len(explained["explanation"]["map"]) == 28
    assert "explanation" not in plain


def test_the_model_is_its_manifest(version: ModelVersion) -> None:
    script = Path(sys.executable).with_name("digit-ocr")
    done = subprocess.run([script, "model"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0
    assert json.loads(done.stdout) == json.loads((version.folder / "manifest.json").read_text())
    assert done.stderr == ""


# What fails before a model is loaded is tried in this process.


@pytest.fixture
def _at_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def failure(arguments: Sequence[str], capsys: pytest.CaptureFixture[str], status: int = 1) -> str:
    """Runs a command that cannot succeed; its message, which is a short one, on stderr."""
    assert main(arguments) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert captured.err.startswith("digit-ocr: ")
    return captured.err


class _RaisingAtOne(RaisingRecogniser):
    """Fails in an unforeseen way at one file, and in a foreseen one at all others."""

    error = errors.CorruptImage("Send the whole file.")

    def read(self, data: bytes, *_: Any) -> Reading:
        if data == b"odd":
            raise RuntimeError("an array is not as it should be")
        return super().read(data)


@pytest.fixture
def _raising_at_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composition, "build_recogniser", lambda *_: _RaisingAtOne())


@pytest.mark.usefixtures("_at_root", "_raising_at_one")
def test_a_file_that_fails_in_an_unforeseen_way_never_spoils_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, data in (("a.png", b"1"), ("b.png", b"odd"), ("c.png", b"2")):
        (tmp_path / name).write_bytes(data)
    assert main(["read", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    answers = lines(captured.out)
    assert [Path(answer["file"]).name for answer in answers] == ["a.png", "b.png", "c.png"]
    assert [answer["problem"]["status"] for answer in answers] == [422, 500, 422]
    assert answers[1]["problem"]["type"] == "/problems/internal-error"
    assert "stderr" in answers[1]["problem"]["detail"]
    assert "an array is not as it should be" not in captured.out
    assert "RuntimeError: an array is not as it should be" in captured.err


@pytest.mark.usefixtures("_at_root", "_raising_at_one")
def test_a_name_that_no_file_has_never_spoils_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A list whose names end with NUL, as `find -print0` writes it, is one such name."""
    (tmp_path / "c.png").write_bytes(b"1")
    (tmp_path / "list").write_bytes(b"a.png\0b.png\0\n" + bytes(tmp_path / "c.png") + b"\n")
    assert main(["read", "--files-from", str(tmp_path / "list")]) == 1
    captured = capsys.readouterr()
    odd, other = lines(captured.out)
    assert odd["file"] == "a.png\0b.png\0"
    assert odd["problem"]["title"] == "Unreadable file"
    assert other["problem"]["type"] == "/problems/corrupt-image"
    assert "Traceback" not in captured.err


@pytest.mark.usefixtures("_at_root")
@pytest.mark.parametrize("arguments", [["serve"], ["model"], ["read", "x.png"], ["predict", "x.png"]])
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DIGIT_OCR_PROT", "80"),
        ("DIGIT_OCR_PORT", "eighty"),
        ("DIGIT_OCR_ENGINE", "abacus"),
        ("DIGIT_OCR_MAX_PIXELS", "-1"),
    ],
)
def test_a_bad_setting_stops_the_start(
    arguments: list[str],
    variable: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, value)
    assert variable in failure(arguments, capsys)


@pytest.mark.usefixtures("_at_root")
@pytest.mark.parametrize("arguments", [["serve"], ["model"], ["read", "x.png"]])
def test_a_model_that_is_not_there_stops_the_start(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIGIT_OCR_MODEL_VERSION", "99.0.0")
    assert "99.0.0" in failure(arguments, capsys)
    monkeypatch.setenv("DIGIT_OCR_MODEL_VERSION", "latest")
    monkeypatch.setenv("DIGIT_OCR_MODEL_NAME", "letters")
    assert "letters" in failure(arguments, capsys)


@pytest.mark.usefixtures("_at_root")
def test_a_folder_without_images_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("35")
    assert "no image" in failure(["read", str(tmp_path)], capsys)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["read"],
        ["predict"],
        ["write", "x.png"],
        ["read", "x.png", "--polarity", "upside-down"],
        ["read", "x.png", "--min-confidence", "2"],
        ["read", "x.png", "--min-confidence", "nan"],
        ["read", "x.png", "--min-confidence", "abc"],
        ["read", "x.png", "--expected-length", "0"],
        ["predict", "x.png", "--expected-length", "1"],
        ["read", "x.png", "--explain"],
        ["model", "x.png"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_explained(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "usage: digit-ocr" in captured.err


@pytest.mark.parametrize("command", ["serve", "read", "predict", "model"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], [command, "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
        assert command in capsys.readouterr().out
