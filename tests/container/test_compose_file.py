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


def test_every_documented_setting_can_be_set_from_the_host() -> None:
    documented = set(re.findall(r"^\| `(DIGIT_OCR_[A-Z_]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert set(COMPOSE["services"]["digit-ocr"]["environment"]) == documented - _OF_THE_IMAGE
