"""What the real `digit-ocr serve` does where the machine or the model folder is not as it should be."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from app.manifest import ModelVersion
from tests.conftest import ROOT
from tests.images import draw_digit, encode
from tests.ports import free_port
from tests.processes import SERVE, environment, serving

GOOD = encode(draw_digit(3))
LARGE = GOOD + bytes(9 * 2**20)


@pytest.fixture
def folder(version: ModelVersion, tmp_path: Path) -> Path:
    """A copy of the served version."""
    copy = tmp_path / "models" / "digits" / version.folder.name
    shutil.copytree(version.folder, copy)
    return copy


def complaint(models: Path) -> str:
    """The one line with which the service does not start."""
    done = subprocess.run(
        SERVE,
        cwd=ROOT,
        env=environment({"PORT": str(free_port()), "MODEL_DIR": str(models)}),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 1, output
    (line,) = output.splitlines()
    assert line.startswith("digit-ocr: ")
    return line


def _truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _tamper(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


@pytest.mark.parametrize("damage", [_truncate, _tamper, Path.unlink], ids=["truncated", "tampered with", "missing"])
def test_every_file_of_a_version_must_be_what_its_manifest_says(
    folder: Path, version: ModelVersion, damage: Callable[[Path], None]
) -> None:
    """The files are taken in turns: to start the service costs seconds."""
    names = [*version.manifest.sha256]
    for name in (names[0], names[-1]):
        kept = (folder / name).read_bytes()
        damage(folder / name)
        assert name in complaint(folder.parents[1])
        (folder / name).write_bytes(kept)


@pytest.mark.parametrize("damage", [_truncate, Path.unlink], ids=["truncated", "missing"])
def test_the_manifest_must_be_there(folder: Path, damage: Callable[[Path], None]) -> None:
    damage(folder / "manifest.json")
    assert str(folder / "manifest.json") in complaint(folder.parents[1])


def test_a_model_folder_must_be_there(tmp_path: Path) -> None:
    line = complaint(tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in line
    assert "DIGIT_OCR_MODEL_DIR" in line


@pytest.mark.parametrize("edit", ["preprocessing_version", "line_version"])
def test_a_model_for_another_imaging_path_is_refused(folder: Path, edit: str) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (manifest if edit in manifest else manifest["reader"])[edit] = "another-0"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    line = complaint(folder.parents[1])
    assert str(folder) in line
    assert "another-0" in line


@pytest.mark.parametrize("engine", ["keras", "litert"])
def test_no_disk_is_needed(engine: str) -> None:
    """No file can grow by a byte, in /tmp or elsewhere, and uploads of many megabytes are read all the same."""
    command = ("sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *SERVE)
    nowhere = {"TMPDIR": "/dev/null", "HOME": "/dev/null", "PYTHONDONTWRITEBYTECODE": "1"}
    with serving({"ENGINE": engine}, nowhere, command) as served:
        with served.client() as client:
            assert client.post("/predict", content=LARGE).json()["digit"] == 3
            assert client.post("/predict", files={"file": ("3.png", LARGE)}).json()["digit"] == 3
            batch = client.post("/predict/batch", files=[("file", GOOD + bytes(2**21))] * 4).json()
            assert [item["status"] for item in batch["results"]] == [200] * 4
            assert client.post("/read", content=GOOD, headers={"Accept": "image/png"}).content.startswith(b"\x89PNG")
        assert served.stop() == 0


def test_that_no_file_can_grow_there(tmp_path: Path) -> None:
    """The counterpart."""
    command = ["sh", "-c", "ulimit -f 0; echo 3 > kept"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0
