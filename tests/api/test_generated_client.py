"""A Python client generated from the OpenAPI document is whole, typed, named well, and works."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.composition import build_recogniser
from app.manifest import ModelVersion
from tests.api.services import Service, running
from tests.conftest import ROOT

KEY = "a-key"
USER = ROOT / "tests" / "api" / "client_user.py"


@pytest.fixture(scope="module")
def service(version: ModelVersion) -> Iterator[Service]:
    with running(version, build_recogniser, engine="litert", api_keys=KEY) as started:
        yield started


@pytest.fixture(scope="module")
def package(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated package; a piece of the document that the generator cannot use is a failure."""
    folder = tmp_path_factory.mktemp("generated")
    package = folder / "digit_ocr_client"
    (folder / "openapi.json").write_bytes(service.get("/openapi.json").content)
    # The generator knows no pictures, but bytes.
    (folder / "config.yml").write_text("content_type_overrides: {image/png: application/octet-stream}\n")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"]
    command += ["--path", "openapi.json", "--config", "config.yml", "--output-path", str(package)]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return package


def test_it_works(service: Service, package: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{package.parent}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "tests.api.client_user", f"http://127.0.0.1:{service.port}", KEY]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "digit": 7,
        "width": 65,
        "probabilities": 10,
        "text": "0417532698",
        "request_id": "mine",
        "digits": [0, 4, 1, 7, 5, 3, 2, 6, 9, 8],
        "batch": ["digit.png", 7, 415, "/problems/unsupported-image"],
        "texts": ["0417532698"],
        "problem": ["/problems/invalid-parameter", 422, ["min_confidence"]],
        "keys": ["/problems/unauthorized", 7],
        "operations": ["alive", "ready", "digits", True],
    }


def test_it_is_typed(package: Path) -> None:
    """Strictly so: the program that uses it has no `Any` from it, and every attribute it names exists."""
    (package / "py.typed").touch()
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, "--follow-imports", "silent"]
    command += ["--cache-dir", str(package.parent / "cache"), str(USER)]
    environment = {**os.environ, "MYPYPATH": str(package.parent)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_functions_say_what_they_do(package: Path) -> None:
    modules = sorted(package.glob("api/*/*.py"))
    names = {f"{path.parent.name}.{path.stem}" for path in modules if path.stem != "__init__"}
    assert names == {
        *(f"reading.{name}" for name in ("predict", "read", "predict_batch", "read_batch")),
        *(f"operations.{name}" for name in ("livez", "readyz", "model", "metrics")),
        *(f"operations.model_{name}" for name in ("card", "reports", "report")),
    }
    for path in modules:
        for function in ast.parse(path.read_text()).body:
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and not function.name.startswith("_"):
                text = ast.get_docstring(function) or ""
                arguments = text.partition("Args:")[2].partition("Raises:")[0].splitlines()
                told = [line for line in arguments if line.strip() and not line.strip().startswith("body (")]
                assert told, path
                assert all(line.partition("):")[2].strip() or "):" not in line for line in told), text
