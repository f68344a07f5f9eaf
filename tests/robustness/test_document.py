"""The service does what its OpenAPI document says: Schemathesis asks it, with all its checks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.composition import build_recogniser
from app.manifest import ModelVersion
from tests.api.services import running
from tests.conftest import ROOT

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("keys", ["", "a-key"], ids=["open", "with keys"])
def test_the_service_is_as_documented(version: ModelVersion, tmp_path: Path, keys: str) -> None:
    settings = {"api_keys": keys} if keys else {}
    with running(version, build_recogniser, engine="litert", threads=2, max_in_flight=64, **settings) as service:
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION), "run"]
        command += [f"http://127.0.0.1:{service.port}/openapi.json", "--workers", "1", "--no-color"]
        command += ["--header", f"X-API-Key: {keys}"] if keys else []
        environment = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.robustness.media", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=280
        )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
