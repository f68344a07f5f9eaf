"""docker-compose.yml as it is written; no engine is needed."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.container.stack import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
# Where the container listens and where its models lie is the image's business.
_OF_THE_IMAGE = {"DIGIT_OCR_HOST", "DIGIT_OCR_PORT", "DIGIT_OCR_MODEL_DIR"}


def test_up_starts_the_service_and_prometheus_alone() -> None:
    assert {name for name, service in COMPOSE["services"].items() if "profiles" not in service} == {
        "digit-ocr",
        "prometheus",
    }


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_service_runs_without_privileges(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", [name for name, service in COMPOSE["services"].items() if "mem_limit" in service])
def test_what_fills_tmp_leaves_memory(name: str) -> None:
    """A tmpfs counts as memory of its container: one that can outgrow the limit ends in a kill."""
    service = COMPOSE["services"][name]
    (limit,) = re.findall(r"(\d+)([mg])\b", service["mem_limit"])
    for size in re.findall(r"size=(\d+)([mg])", service["tmpfs"]) if "tmpfs" in service else []:
        assert _mebibytes(*size) <= _mebibytes(*limit) - 256
    assert "tmpfs" not in service or "size=" in service["tmpfs"]


def _mebibytes(count: str, unit: str) -> int:
    return int(count) * (1024 if unit == "g" else 1)


def test_every_documented_setting_can_be_set_from_the_host() -> None:
    documented = set(re.findall(r"^\| `(DIGIT_OCR_[A-Z_]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert set(COMPOSE["services"]["digit-ocr"]["environment"]) == documented - _OF_THE_IMAGE
