"""What the process's control group allows, in both versions of control groups."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.cli import main
from app.control_group import available_cpus, memory_limit, require_memory
from app.errors import NotEnoughMemory
from app.settings import load_settings
from tests.conftest import ROOT

AFFINITY = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
MIB = 2**20


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text + "\n")


@pytest.mark.parametrize(
    ("quota", "cpus"),
    [
        ("100000 100000", 1),
        ("50000 100000", 1),
        ("max 100000", AFFINITY),
        ("nonsense", AFFINITY),
        ("", AFFINITY),
        ("100000000 100000", AFFINITY),
    ],
)
def test_threads_follow_the_quota_of_the_container(tmp_path: Path, quota: str, cpus: int) -> None:
    _write(tmp_path / "cpu.max", quota)
    assert available_cpus(tmp_path) == cpus


@pytest.mark.parametrize(("quota", "cpus"), [("100000", 1), ("50000", 1), ("-1", AFFINITY), ("100000000", AFFINITY)])
def test_the_quota_is_found_in_version_1_as_well(tmp_path: Path, quota: str, cpus: int) -> None:
    _write(tmp_path / "cpu" / "cpu.cfs_quota_us", quota)
    _write(tmp_path / "cpu" / "cpu.cfs_period_us", "100000")
    assert available_cpus(tmp_path) == cpus


@pytest.mark.parametrize("file", ["memory.max", "memory/memory.limit_in_bytes"])
@pytest.mark.parametrize(
    ("text", "limit"), [("268435456", 256 * MIB), ("max", None), ("9223372036854771712", None), ("", None)]
)
def test_the_limit_of_memory(tmp_path: Path, file: str, text: str, limit: int | None) -> None:
    _write(tmp_path / file, text)
    assert memory_limit(tmp_path) == limit


def test_without_a_control_group_there_is_no_limit(tmp_path: Path) -> None:
    assert available_cpus(tmp_path) == AFFINITY
    assert memory_limit(tmp_path) is None
    assert load_settings().threads >= 1


def test_too_little_memory_is_told() -> None:
    require_memory("keras", None)
    require_memory("keras", 2**31)
    require_memory("litert", 256 * MIB)
    with pytest.raises(NotEnoughMemory, match=r"256 MiB.*DIGIT_OCR_ENGINE=litert"):
        require_memory("keras", 256 * MIB)
    with pytest.raises(NotEnoughMemory, match="128 MiB of memory at least"):
        require_memory("litert", 64 * MIB)


def test_too_little_memory_stops_the_start(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("app.control_group.memory_limit", lambda: 64 * MIB)
    assert main(["serve"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("digit-ocr: ")
    assert "64 MiB" in line
